"""The sample world: a few projects some days into their work, told step by step from a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hopper_tui.engine.world import World
from hopper_tui.model.clock import Clock, duration, system_clock
from hopper_tui.model.executor import PERSON
from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.resources import STYLES

SAMPLE = STYLES.with_name("fixtures") / "demo.yaml"
"""The fixtures are where the style sheets are: in the wheel, or beside the package."""
SEED = 2026
"""Ids come from here, so that they are the same in every demo."""

_FRAME = frozenset({"ago", "by", "do", "part"})
"""What a step says besides the arguments of its verb."""
_TAKES = frozenset({"claim", "start"})
"""The verbs whose actor takes the task, without a lease: a picture does not run out."""
_ANSWERS = frozenset({"accept", "reject"})
"""The verbs that act on a hop; all others act on a task."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that happened: seconds before the end of the story, by whom, and what."""

    ago: float
    by: str
    act: Callable[[], object]


def build(home: Path, clock: Clock = system_clock) -> World:
    """Make the sample world in an empty home; the caller closes it.

    Its history ends when it is built: times are counted back from `clock()`, which is the clock
    of the world from then on.
    """
    told = _read()
    end = clock()
    now = end
    world = World(
        home,
        actor=told["viewer"],
        clock=lambda: now,
        entropy=random.Random(SEED).randbytes,  # noqa: S311 - ids to look at, nothing secret
        via="demo",
    )
    steps = sorted(_Story(world, told["viewer"]).steps(told), key=lambda step: -step.ago)
    for step in steps:
        now = end - step.ago
        world.actor = step.by
        step.act()
    world.actor = told["viewer"]
    world.now = clock
    return world


def _read() -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    told: dict[str, Any] = yaml.load(SAMPLE.read_text("utf-8"), loader)  # noqa: S506 - both are safe
    return told


class _Story:
    """The steps that the sample file tells, each still to be taken."""

    def __init__(self, world: World, viewer: str) -> None:
        self._world = world
        self._viewer = viewer
        self._instances: dict[str, str] = {}
        self._tasks: dict[str, str] = {}
        """The ids of what was made so far, by the name it has in the file."""

    def steps(self, told: Mapping[str, Any]) -> Iterator[_Step]:
        """Everything that happens, in the order of the file."""
        for instance in told["instances"]:
            yield self._step(instance, partial(self._make, instance))
            for move in instance.get("then", ()):
                yield self._step(move, partial(self._move, instance["instance"], move))
        for number, task in enumerate(told["tasks"]):
            name = task.get("name", f"task {number}")
            yield self._step(task, partial(self._add, task, name))
            for step in task.get("then", ()):
                yield self._step(step, partial(self._do, step, name))

    def _step(self, one: Mapping[str, Any], act: Callable[[], object]) -> _Step:
        return _Step(duration(str(one["ago"])), one.get("by", self._viewer), act)

    def _make(self, told: Mapping[str, Any]) -> None:
        """Make and start an instance; without a scope, as the child that its parent would make."""
        world, name, config = self._world, told["instance"], told.get("config", {})
        if told.get("scope") == "global":
            self._instances[name] = world.make_global(name=name).id
        elif "scope" in told:
            made = world.create_instance(name, told["scope"], told["parent"], config)
            self._instances[name] = world.move_instance(made.id, "start").id
        else:
            child = world.hopper(told["parent"]).get_child_hopper(name)
            self._instances[name] = child.id
            child.configure(config)

    def _move(self, name: str, move: Mapping[str, Any]) -> None:
        self._world.move_instance(self._instances[name], move["do"], move.get("reason"))

    def _add(self, told: Mapping[str, Any], name: str) -> None:
        hopper = self._world.hopper(told.get("at", "global"))
        fields = dict(told["task"])
        fields["depends_on"] = [self._tasks[one] for one in fields.get("depends_on", ())]
        self._tasks[name] = hopper.add_task(**fields)

    def _do(self, step: Mapping[str, Any], name: str) -> None:
        """Act on the last hop of a task, or on the task where its work is now."""
        world, verb = self._world, step["do"]
        given = {key: value for key, value in step.items() if key not in _FRAME}
        chain = world.chain(self._tasks[name])
        if verb in _ANSWERS:
            key = chain[-1].id
            hopper, _ = world.find_delegation(key)
        else:
            arrived = [hop for hop in chain if hop.is_open and hop.accepted_at]
            key = self._tasks[name]
            if arrived:
                key = arrived[-1].child_tasks[step.get("part", 1) - 1]
            hopper, _ = world.find_task(key)
        if verb in _TAKES:
            given |= {"executor": world.actor, "role": PERSON}
        if "feedback" in given:
            given["feedback"] = TaskFeedback(**given["feedback"])
        getattr(hopper, verb)(key, **given)

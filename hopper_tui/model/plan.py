"""Plan: what a task is broken down into: goals, done by the tasks of phases that follow in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from hopper_tui.model.delegation import PARTS
from hopper_tui.model.errors import Invalid
from hopper_tui.model.executor import PERSON
from hopper_tui.model.lifecycle import Priority
from hopper_tui.model.task import Task, storable, valid_title, words

Loc = tuple[str | int, ...]
"""Where something stands in a plan: the keys and indexes that lead to it."""

CHECKPOINT = "checkpoint"
"""The tag of a task by which a person lets the next phase begin."""
MOST_BYTES = 48 * 1024
"""A plan travels in one event, of at most 64 KiB with all else that it says."""
NAME_LIMIT = 100
"""Characters of the name of a phase, an executor or an effort."""
_REFERENCE = re.compile(r"#?([0-9]{1,4})")


class PlanFault(Invalid):
    """A plan that cannot be used; `loc` is where it is wrong."""

    def __init__(self, message: str, hint: str, loc: Loc) -> None:
        super().__init__(f"{_dotted(loc)}: {message}" if loc else message, hint)
        self.loc = loc


@dataclass(frozen=True, slots=True)
class Step:
    """One task of a plan. What it does not say, it takes from the task it is a part of.

    `executor` is the name or role of who shall do it. `depends_on` names tasks of the same phase
    by their place in it: `#1` is the first. A checkpoint is for a person and waits for all others
    of its phase.
    """

    title: str
    description: str = ""
    executor: str | None = None
    capabilities: tuple[str, ...] = ()
    priority: Priority | None = None
    effort: str | None = None
    tags: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    checkpoint: bool = False


@dataclass(frozen=True, slots=True)
class Goal(Step):
    """A task of the run. One with `tasks` is done when those are, in the phase of that name (its
    title, unless it names one), by its executor where they name none; goals may share a phase."""

    phase: str | None = None
    tasks: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Goals in their order, checked; a plain title stands for a goal, or a task, of no more words.

    Raises PlanFault, which is an Invalid.
    """

    goals: tuple[Goal, ...]

    def __post_init__(self) -> None:
        goals = self.goals
        if isinstance(goals, (str, Step)) or not isinstance(goals, Iterable):
            raise PlanFault("give a list of goals", "Write them as Goal(...) or as titles", _TOP)
        object.__setattr__(self, "goals", _checked(tuple(goals)))

    @property
    def phases(self) -> dict[str, tuple[Step, ...]]:
        """The phases in their order, each with its tasks in the order of their numbers."""
        return {
            name: tuple(step for _, step in steps)
            for name, steps in _scopes(self.goals).items()
            if name is not None
        }

    @property
    def tasks(self) -> tuple[Step, ...]:
        """The tasks of all phases, phase by phase."""
        return tuple(step for steps in self.phases.values() for step in steps)

    @property
    def checkpoints(self) -> tuple[Step, ...]:
        """What only a person may finish: of all phases, then of the run."""
        return tuple(step for step in (*self.tasks, *self.goals) if step.checkpoint)

    def json(self) -> tuple[dict[str, Any], ...]:
        """The goals as a delegation carries them and scripts see them: what they say, no more."""
        return tuple(_json(goal) for goal in self.goals)

    @classmethod
    def read(cls, values: Any) -> Plan:
        """The plan in plain values: a list of goals as `json` gives it, or `{"goals": [...]}`."""
        if isinstance(values, Mapping):
            _check_keys(values, ("goals",), ())
            values = values.get("goals")
        if not isinstance(values, (list, tuple)):
            raise PlanFault("give a list of goals", 'Write it as {"goals": [...]}', _TOP)
        return cls(tuple(_read(Goal, value, ("goals", n)) for n, value in enumerate(values)))


Decomposer = Callable[[Task], Plan]
"""What breaks a task down: hopper_tui.template("feature") is one."""

_S = TypeVar("_S", bound=Step)
_Numbered = list[tuple[Loc, Step]]
_TOP: Loc = ("goals",)


def _text(value: Any, name: str, limit: int | None = None) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be text, not {type(value).__name__}")
    if limit is not None and len(value) > limit:
        raise Invalid(f"{name} has {len(value)} characters, more than {limit}")
    return storable(value, name)


def _name(what: str) -> Callable[[Any], str | None]:
    return lambda value: None if value is None else _text(value, what, NAME_LIMIT).strip() or None


def _reference(value: Any) -> str:
    found = _REFERENCE.fullmatch(str(value).strip())
    if found is None or isinstance(value, bool):
        raise Invalid(
            f"{str(value)[:20]!r} is no place in the phase", 'The first task of it is "#1"'
        )
    return f"#{int(found[1])}"


def _references(value: Any) -> tuple[str, ...]:
    given = (value,) if isinstance(value, (str, int)) else value
    if not isinstance(given, Iterable):
        raise Invalid("give a list of places in the phase", 'The first task of it is "#1"')
    return tuple(dict.fromkeys(_reference(one) for one in given))


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "title": valid_title,
    "description": lambda value: _text(value, "description"),
    "executor": _name("the executor"),
    "capabilities": lambda value: words(value, "capability"),
    "priority": lambda value: None if value is None else Priority.read(str(value)),
    "effort": _name("the effort"),
    "tags": lambda value: words(value, "tag"),
    "depends_on": _references,
    "checkpoint": bool,
    "phase": _name("the phase"),
}
"""How each word of a step is checked and brought into shape."""


def _checked(goals: tuple[Any, ...]) -> tuple[Goal, ...]:
    if not goals:
        raise PlanFault("a plan needs at least one goal", "Say what is to be reached", _TOP)
    made = tuple(_goal(goal, ("goals", n)) for n, goal in enumerate(goals))
    parts = sum(1 + len(goal.tasks) for goal in made)
    if parts > PARTS:
        hint = "Break its tasks down further when their turn comes"
        raise PlanFault(f"the plan has {parts} goals and tasks, more than {PARTS}", hint, ())
    waits = {loc: refs for steps in _scopes(made).values() for loc, refs in _waits(steps)}
    made = tuple(
        replace(
            goal,
            depends_on=waits["goals", n],
            tasks=tuple(
                replace(step, depends_on=waits["goals", n, "tasks", m])
                for m, step in enumerate(goal.tasks)
            ),
        )
        for n, goal in enumerate(made)
    )
    _check_size(made)
    return made


def _goal(given: Any, loc: Loc) -> Goal:
    goal = _clean(Goal, given, loc)
    steps = goal.tasks
    if isinstance(steps, (str, Step)) or not isinstance(steps, Iterable):
        raise PlanFault(
            "give a list of tasks", "Write them as Step(...) or titles", (*loc, "tasks")
        )
    tasks = tuple(_clean(Step, step, (*loc, "tasks", m)) for m, step in enumerate(steps))
    if tasks and (goal.checkpoint or goal.depends_on):
        what = CHECKPOINT if goal.checkpoint else "depends_on"
        hint = "Phases follow in turn by themselves"
        raise PlanFault("a goal with tasks waits for nothing but those", hint, (*loc, what))
    if goal.phase and not tasks:
        hint = "Give it tasks, or leave the phase out: then it is a task of the run"
        raise PlanFault(f"the goal has no tasks for {goal.phase!r}", hint, (*loc, "phase"))
    if not tasks:
        return replace(goal, tasks=())
    return replace(
        goal,
        executor=None,
        phase=goal.phase or goal.title.strip()[:NAME_LIMIT],
        tasks=tuple(replace(step, executor=step.executor or goal.executor) for step in tasks),
    )


def _clean(cls: type[_S], given: Any, loc: Loc) -> _S:
    if isinstance(given, str):
        given = cls(title=given)
    if not isinstance(given, cls):
        raise PlanFault(f"this is {type(given).__name__}, no {cls.__name__}", "Give a title", loc)
    clean: dict[str, Any] = {}
    for name in (field.name for field in fields(cls) if field.name in _CLEAN):
        try:
            clean[name] = _CLEAN[name](getattr(given, name))
        except Invalid as wrong:
            raise PlanFault(wrong.message, wrong.hint, (*loc, name)) from None
    if clean["checkpoint"] or CHECKPOINT in clean["tags"]:
        tags = tuple(dict.fromkeys((*clean["tags"], CHECKPOINT)))
        clean |= {"checkpoint": True, "executor": PERSON, "tags": tags}
    return replace(given, **clean)


def _scopes(goals: Iterable[Goal]) -> dict[str | None, _Numbered]:
    """The tasks that are numbered together, in their order: those of each phase, and, under None,
    the goals."""
    found: dict[str | None, _Numbered] = {None: []}
    for n, goal in enumerate(goals):
        found[None].append((("goals", n), goal))
        if goal.tasks:
            phase = found.setdefault(goal.phase, [])
            phase += [(("goals", n, "tasks", m), step) for m, step in enumerate(goal.tasks)]
    return found


def _waits(steps: _Numbered) -> Iterator[tuple[Loc, tuple[str, ...]]]:
    """What each step waits for; raises PlanFault where one would wait for ever."""
    plain = {n for n, (_, step) in enumerate(steps) if not step.checkpoint}
    waits: list[set[int]] = []
    for n, (loc, step) in enumerate(steps):
        before = {int(ref[1:]) - 1 for ref in step.depends_on}
        if wrong := [other for other in before if not 0 <= other < len(steps)]:
            hint = f"They are #1 to #{len(steps)}"
            raise PlanFault(f"there is no task #{wrong[0] + 1} here", hint, (*loc, "depends_on"))
        if step.checkpoint:
            before |= {*plain, *(m for m in range(n) if m not in plain)}
        waits.append(before)
    _check_acyclic(steps, waits)
    for (loc, _), before in zip(steps, waits, strict=True):
        yield loc, tuple(f"#{other + 1}" for other in sorted(before))


def _check_acyclic(steps: _Numbered, waits: list[set[int]]) -> None:
    """Take away what waits for nothing that is left, until nothing is left."""
    left = set(range(len(steps)))
    while ready := {n for n in left if not waits[n] & left}:
        left -= ready
    if left:
        places = ", ".join(f"#{n + 1}" for n in sorted(left)[:5])
        said = next(steps[n] for n in sorted(left) if steps[n][1].depends_on)
        hint = "A checkpoint waits for all other tasks of its phase"
        raise PlanFault(f"{places} wait for each other", hint, (*said[0], "depends_on"))


def _check_size(goals: Iterable[Goal]) -> None:
    from json import dumps

    size = len(dumps([_json(goal) for goal in goals], ensure_ascii=False).encode())
    if size > MOST_BYTES:
        hint = "Put long descriptions into a file and name it"
        raise PlanFault(f"the plan has {size} bytes, more than {MOST_BYTES}", hint, ())


def _json(step: Step) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for field in fields(step):
        value = getattr(step, field.name)
        if value == field.default or field.name == CHECKPOINT:  # its tag says so
            continue
        if field.name == "tasks":
            value = [_json(inner) for inner in value]
        elif isinstance(value, tuple):
            value = list(value)
        said[field.name] = str(value) if isinstance(value, str) else value
    return said


def _read(cls: type[_S], value: Any, loc: Loc) -> _S:
    if isinstance(value, str):
        return cls(title=value)
    known = [field.name for field in fields(cls)]
    if not isinstance(value, Mapping):
        raise PlanFault("this is no task", "Give a title, or a map with one", loc)
    _check_keys(value, known, loc)
    if "title" not in value:
        raise PlanFault("the title is missing", "Say in a few words what is to be done", loc)
    given = dict(value)
    if isinstance(given.get("tasks"), (list, tuple)):
        given["tasks"] = tuple(
            _read(Step, step, (*loc, "tasks", m)) for m, step in enumerate(given["tasks"])
        )
    return cls(**given)


def _check_keys(values: Mapping[Any, Any], known: Iterable[str], loc: Loc) -> None:
    if unknown := [key for key in values if key not in known]:
        hint = f"Known here: {', '.join(known)}"
        raise PlanFault(f"unknown key {str(unknown[0])[:40]!r}", hint, loc)


def _dotted(loc: Loc) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return path.removeprefix(".")


__all__ = ["CHECKPOINT", "Decomposer", "Goal", "Loc", "Plan", "PlanFault", "Step"]

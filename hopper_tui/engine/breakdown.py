"""Breaking down: a task becomes the goals and phases of a run, by one hop that carries the plan.

Whoever takes that hop in makes the goals, the phases and their tasks in one transaction; all ids
derive from the hop's, so that delivering it twice is harmless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.engine import claiming, delegating, flow, instances, routes, work
from hopper_tui.engine.places import PROJECT_DIRECTORY
from hopper_tui.model.clock import stamp
from hopper_tui.model.delegation import Decision, Delegation, Part
from hopper_tui.model.errors import (
    HopperError,
    Invalid,
    InvalidTransition,
    NotAllowed,
)
from hopper_tui.model.ids import derived_key
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    Priority,
    TaskStatus,
)
from hopper_tui.model.plan import CHECKPOINT, Plan
from hopper_tui.routing.fit import can_take
from hopper_tui.routing.option import NEW_RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.plan import Decomposer
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store, Transaction

_HANDED_ON = "phase"
"""What the id of a goal's hop to its phase derives from, besides the id of the goal."""


def break_down(
    world: World,
    task: Task,
    decomposer: Decomposer | str | None,
    to: str | None = None,
    executor: str | None = None,
) -> Delegation:
    """Break a task down by a decomposer, the template of that name, or as its project says.

    A project's task goes to the run `to`, else to one that fits, else to a new one. A run's own
    becomes goals and phases of the same run; if somebody holds it, that is whoever does this.
    Raises Invalid for a plan that cannot be used, NotAllowed, InvalidTransition, LeaseLost, and
    NotFound or ConfigError for the template.
    """
    task = work.leaf(world, task)
    here = world.instance(task.instance)
    if here.scope is HopperScope.GLOBAL:
        raise NotAllowed(
            f"{here.name} is a global hopper: it routes tasks and breaks none down",
            "Send it to a project first: hopper task delegate",
        )
    task = _unheld(world, world.store(here.id), task, executor)
    parts = plan_of(world, task, decomposer).json()
    way = _inside if here.scope is HopperScope.ORCHESTRATION else _down
    return way(world, here, task, parts, to, executor)


def plan_of(world: World, task: Task, decomposer: Decomposer | str | None) -> Plan:
    """The plan that a decomposer, the template of that name, or the one that the configuration of
    its project names makes for a task."""
    project = _project_of(world, work.leaf(world, task).instance)
    if decomposer is None:
        decomposer = world.settings(project).decomposer
    if decomposer is None:
        raise Invalid(
            f"{project.name} names no decomposer in its configuration",
            "Say how: --template feature, or --plan FILE",
        )
    if isinstance(decomposer, str):
        from hopper_tui.config.plans import template

        decomposer = template(decomposer, templates_at(world, project.id))
    plan = decomposer(task)
    if not isinstance(plan, Plan):
        raise Invalid(
            f"the decomposer gave {type(plan).__name__}, not a Plan",
            "Return Plan((Goal(...), ...))",
        )
    return plan


def templates_at(world: World, instance: str) -> Path | None:
    """The directory where the project of an instance may have templates; None if it has none."""
    project = world.places.project(_project_of(world, instance).id)
    root = None if project is None else project.root
    return None if root is None else root / PROJECT_DIRECTORY / "templates"


def _project_of(world: World, key: str) -> Instance:
    """The project above a run; the instance itself if it is none."""
    at = world.instance(key)
    while at.scope is HopperScope.ORCHESTRATION and at.parent is not None:
        at = world.instance(at.parent)
    return at


def configured(world: World, project: Instance, task: Task, target: str) -> tuple[Part, ...]:
    """What a project's configured decomposer makes of a task that it hands to that run; nothing
    for a run that somebody made by hand, or if there is no plan to be had."""
    name = world.settings(project).decomposer
    if name is None or not instances.made_by_itself(project, target):
        return ()
    try:
        parts = plan_of(world, task, name).json()
        impossible = refusal(world, parts, world.instance(target))
    except HopperError as error:  # no work is lost for want of a plan
        impossible = str(error)
    if impossible:
        world.warnings.append(f"{task.title!r} is handed on as a whole: {impossible}")
        return ()
    return parts


def _unheld(world: World, store: Store, task: Task, executor: str | None) -> Task:
    """The task as it is now, if it may be broken down: only whoever holds it does that, for others
    would find it gone from their hands."""
    task = store.task(task.id) or task
    delegating.check_delegable(world, task)
    if not task.is_active or task.owner == (executor or world.actor):
        return task
    if executor is not None:
        raise claiming.lost(world, task, executor, f"{task.owner} does")
    raise InvalidTransition(
        f"{task.owner} holds {world.short_id(task)}",
        "Whoever holds it may break it down, or release it first: hopper task release",
    )


# Down from a project


def _down(
    world: World,
    here: Instance,
    task: Task,
    parts: tuple[Part, ...],
    to: str | None,
    executor: str | None,
) -> Delegation:
    store = world.store(here.id)
    with world.command("break down"):
        world.announce()
        run, decision = _run(world, here, task, parts, to)
        with world.writing(store) as tx:
            fresh = _unheld(world, store, task, executor)
            told = None
            if decision is not None:
                told = decision._replace(target=run.id).json()
                tx.remark("task", task.id, "task.decided", told)
            _task, hop = flow.offer(
                world, tx, fresh, run.id, DelegationType.DECOMPOSE, subtasks=parts,
                reason=None if decision is None else decision.reason, decision=told,
            )  # fmt: skip
        flow.drive(world, [store])
    return store.delegation(hop.id) or hop


def _run(
    world: World, here: Instance, task: Task, parts: tuple[Part, ...], to: str | None
) -> tuple[Instance, Decision | None]:
    """The run that takes a plan, and why it was chosen if it was not named; made if need be."""
    if to is not None:
        run = world.instance(world.find_instance(to))
        if run.parent != here.id:
            raise NotAllowed(
                f"{run.name} is no run of {here.name}",
                "A plan goes to a run of the project that holds the task; leave --to out",
            )
        unfit = can_take(task, routes.option(world, run)) or refusal(world, parts, run)
        if unfit:
            raise NotAllowed(unfit, "Name another run, or none: then one is found or made")
        return run, None
    decision = _decide(world, here, task, parts)
    if decision.target == NEW_RUN:
        return instances.create_run(world, here), decision
    if decision.target in (None, here.id):
        raise NotAllowed(
            f"no run can take it: {decision.reason}", "Start a run, or name one with --to"
        )
    return world.instance(str(decision.target)), decision


def _decide(world: World, here: Instance, task: Task, parts: tuple[Part, ...]) -> Decision:
    from hopper_tui.routing.workers import to_run

    running = [
        routes.option(world, child, refusal(world, parts, child))
        for child in world.children(here.id)
        if child.status is not InstanceStatus.TERMINATED
    ]
    decision = to_run(task, routes.option(world, here), running)
    return decision._replace(task=task.id, decided_by=here.id, decided_at=stamp(world.now()))


# Inside a run


def _inside(
    world: World,
    here: Instance,
    task: Task,
    parts: tuple[Part, ...],
    to: str | None,
    executor: str | None,
) -> Delegation:
    """A run's own task becomes goals and phases of it: all of that in one transaction."""
    if to is not None and world.find_instance(to) != here.id:
        raise NotAllowed(f"the task is in {here.name} and is broken down there", "Leave --to out")
    claiming.check_executes(here)
    if unfit := refusal(world, parts, here):
        raise NotAllowed(unfit, "Plan goals without tasks, or raise child_instances.max_depth")
    store = world.store(here.id)
    with world.command("break down"):
        with world.writing(store) as tx:
            fresh = _unheld(world, store, task, executor)
            fresh, hop = flow.offer(
                world, tx, fresh, here.id, DelegationType.DECOMPOSE, subtasks=parts
            )
            hop = flow.take_in(world, tx, store, hop, fresh)
            tx.told(hop.id, hop.status)
        flow.settle(world, store, here)
    return store.delegation(hop.id) or hop


# Taken in


def refusal(world: World, parts: Iterable[Part], run: Instance) -> str | None:
    """Why a run cannot have the phases that these parts ask for; None if it can."""
    if run.scope is HopperScope.ORCHESTRATION and any(_tasks(part) for part in parts):
        try:
            instances.check_depth(world, run)
        except NotAllowed as error:
            return error.message
    return None


def worded(child: Task, part: Part, hop: Delegation) -> Task:
    """A child task of a decompose, with what the plan says of it."""
    if isinstance(part, str):
        return child._replace(title=part, description="")
    inherited = [tag for tag in child.tags if tag != CHECKPOINT]
    return child._replace(
        title=part["title"],
        description=part.get("description", ""),
        executor_preference=part.get("executor") or child.executor_preference,
        required_capabilities=tuple(part.get("capabilities", child.required_capabilities)),
        priority=Priority(part.get("priority") or child.priority),
        estimated_effort=part.get("effort"),
        tags=tuple(dict.fromkeys((*inherited, *part.get("tags", ())))),
        phase=part.get("phase") or child.phase,
        depends_on=_named(part, hop.child_tasks),
    )


def hand_on(
    world: World, tx: Transaction, store: Store, goal: Task, part: Part, hop: Delegation
) -> None:
    """Give a goal's tasks to its phase, in the transaction in which the run took the goal in."""
    steps = _tasks(part)
    if not steps or goal.status is not TaskStatus.PENDING:
        return
    run = world.instance(goal.instance)
    phase = instances.open_phase(world, tx, store, run, _phase(part))
    keys = tuple(_phase_keys(hop, _phase(part)))
    onward = Delegation(
        id=derived_key(goal.id, _HANDED_ON),
        task=goal.id,
        root_task=goal.root_task or goal.id,
        source=run.id,
        target=phase.id,
        type=DelegationType.DECOMPOSE,
        child_tasks=_keys_of(goal.id, steps),
        subtasks=tuple(step | {"depends_on": list(_named(step, keys))} for step in steps),
        delegated_at=stamp(world.now()),
    )
    known = store.delegation(onward.id)
    if known is None:
        onward = tx.create(onward, "delegation.offered")
    else:  # taking it in was undone before
        onward = tx.change(
            known, "delegation.reopened", status=DelegationStatus.PENDING, reason=None,
            completed_at=None,
        )  # fmt: skip
    onward = flow.take_in(world, tx, store, onward, goal)
    tx.told(onward.id, onward.status)
    tx.change(goal, "task.delegated", status=TaskStatus.DELEGATED)


def _tasks(part: Part) -> list[dict[str, Any]]:
    return [] if isinstance(part, str) else part.get("tasks", [])


def _phase(part: Part) -> str:
    assert not isinstance(part, str)
    return str(part.get("phase") or part["title"])


def _keys_of(goal: str, steps: Iterable[Any]) -> tuple[str, ...]:
    """The ids of the tasks that a goal becomes."""
    hop = derived_key(goal, _HANDED_ON)
    return tuple(derived_key(hop, str(n)) for n, _ in enumerate(steps))


def _phase_keys(hop: Delegation, phase: str) -> Iterator[str]:
    """The ids of the tasks of a phase in their order: all goals of a plan that share it."""
    for goal, part in zip(hop.child_tasks, hop.subtasks, strict=False):
        if _tasks(part) and _phase(part) == phase:
            yield from _keys_of(goal, _tasks(part))


def _named(part: dict[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of what a part waits for: `#2` is the second of `keys`."""
    places = {f"#{n}": key for n, key in enumerate(keys, 1)}
    refs = part.get("depends_on", ())
    return tuple(places.get(ref, ref) for ref in refs if ref in places or not ref.startswith("#"))

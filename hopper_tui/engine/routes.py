"""Routes: carry out what routing decided for a task, and record why."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from hopper_tui.model.clock import stamp
from hopper_tui.model.delegation import Decision
from hopper_tui.model.errors import HopperError
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    Priority,
)
from hopper_tui.routing.option import NEW_RUN, Option

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Part
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Transaction


def option(world: World, instance: Instance, refused: str | None = None) -> Option:
    """An instance as a possible target."""
    settings = world.settings(instance)
    load = world.load(instance, settings)
    if not settings.auto_accept:  # what it was offered and has not answered counts as well
        offered = world.store(instance.id).delegations((DelegationStatus.PENDING,))
        asked = sum(hop.target == instance.id for hop in offered)
        load = load._replace(open=load.open + asked, queued=load.queued + asked)
    return Option(instance, settings, load, refused)


def decide(
    world: World, instance: Instance, task: Task, declined: set[tuple[str, str]] | None = None
) -> Decision:
    """Where a task held by a global or project hopper should go; nothing is changed."""
    from hopper_tui.routing.projects import to_project
    from hopper_tui.routing.workers import in_project

    began = time.perf_counter()
    if not instance.is_running:
        reason = f"{instance.name} is {instance.status} and passes nothing on"
        decision = Decision(None, "none", 0.0, reason)
    elif unreadable := _unreadable(world, instance, task):
        decision = Decision(None, "explicit", 1.0, unreadable)
    else:
        refused = _refusals(world, task, declined or set())
        here = option(world, instance)
        others = [
            option(world, child, refused.get(child.id))
            for child in _candidates(world, instance, task)
        ]
        to = to_project if instance.scope is HopperScope.GLOBAL else in_project
        decision = to(task, here, others)
    return decision._replace(
        task=task.id,
        decided_by=instance.id,
        decided_at=stamp(world.now()),
        duration_ms=round((time.perf_counter() - began) * 1000, 3),
    )


def _candidates(world: World, instance: Instance, task: Task) -> list[Instance]:
    """The children that may be asked; only the named project when there is one."""
    if instance.scope is HopperScope.GLOBAL and task.project:
        named = _named(world, task.project)
        if named is not None:
            with suppress(HopperError):
                return [world.instance(named)]
    return [c for c in world.children(instance.id) if c.status is not InstanceStatus.TERMINATED]


def _unreadable(world: World, instance: Instance, task: Task) -> str | None:
    """Why the project that a task names cannot be asked: it is known, but its store is not well."""
    if instance.scope is HopperScope.GLOBAL and task.project:
        named = _named(world, task.project)
        try:
            if named is not None:
                world.instance(named)
        except HopperError as error:
            return f"it is for {task.project}, which cannot be read: {error.message}"
    return None


def _named(world: World, project: str) -> str | None:
    """The id of the project that a task names by id or name: no prefix, for a shorter name may be
    that of a new project."""
    word = project.strip()
    for key in (word, word.casefold(), f"hopper-{word.casefold()}"):
        if world.places.project(key) is not None:
            return key
    known = world.places.projects().values()
    return next((p.id for p in known if p.name.casefold() == word.casefold()), None)


def _refusals(world: World, task: Task, declined: set[tuple[str, str]]) -> dict[str, str]:
    """Who shall not be asked again: whoever rejected it by hand, declined just now, or sent it."""
    refused = {target: "it declined a moment ago" for t, target in declined if t == task.id}
    if not task.id or not task.instance:
        return refused
    store = world.store(task.instance)
    for hop in store.hops_of(task.id):
        by_hand = hop.result != {"automatic": True}
        if hop.status is DelegationStatus.REJECTED and by_hand:
            refused[hop.target] = hop.reason or "it rejected it"
    return refused | _escalated_by(world, task)


def _escalated_by(world: World, task: Task) -> dict[str, str]:
    """Who gave this work up on its way here, however long ago."""
    found: dict[str, str] = {}
    at: Task | None = task
    while at is not None and at.origin:
        try:
            hop = world.store(at.instance).delegation(at.origin)
            at = None if hop is None else world.store(hop.source).task(hop.task)
        except HopperError:
            break
        if hop is not None and hop.type is DelegationType.ESCALATE:
            found[hop.source] = "it escalated it"
    return found


def resolve(
    world: World, instance: Instance, task: Task, declined: set[tuple[str, str]] | None = None
) -> tuple[Decision, bool]:
    """The decision for a task with the hopper made that it asks for: the project that the task
    names, or a new run; and whether one was made, which may suit other waiting tasks too."""
    made = instance.is_running and _make_project(world, instance, task)
    decision = decide(world, instance, task, declined)
    if decision.target == NEW_RUN:
        from hopper_tui.engine import instances

        decision, made = decision._replace(target=instances.create_run(world, instance).id), True
    return decision, made


def _make_project(world: World, instance: Instance, task: Task) -> bool:
    """Make the project a task names, if it is unknown and the global may create children."""
    if instance.scope is not HopperScope.GLOBAL or not task.project:
        return False
    if _named(world, task.project) is not None or not world.settings(instance).auto_create:
        return False
    from hopper_tui.engine import instances

    instances.create_project(world, task.project)
    return True


def enact(world: World, tx: Transaction, task: Task, decision: Decision) -> Task:
    """Carry a decision out on a stored task, in the transaction of its store.

    A target of NEW_RUN must have been made and put into the decision before.
    """
    from hopper_tui.engine import flow

    wanted = Priority(decision.priority) if decision.priority else task.priority
    if decision.target is None:
        if task.reason != decision.reason or not task.waiting:
            tx.remark("task", task.id, "task.decided", decision.json())
        return tx.change(
            task, "task.waiting", waiting=True, reason=decision.reason, priority=wanted
        )
    tx.remark("task", task.id, "task.decided", decision.json())
    if decision.target == task.instance:
        return tx.change(
            task,
            "task.kept",
            waiting=False,
            reason=None,
            priority=wanted,
            executor_preference=task.executor_preference or decision.executor,
        )
    task = tx.change(task, "task.changed", priority=wanted)
    parts = _planned(world, task, decision.target)
    task, _hop = flow.offer(
        world,
        tx,
        task,
        decision.target,
        DelegationType.DECOMPOSE if parts else DelegationType.ROUTE,
        reason=decision.reason,
        subtasks=parts,
        decision=decision.json(),
    )
    return task


def _planned(world: World, task: Task, target: str) -> tuple[Part, ...]:
    """The plan that a project's configuration wants for what its runs get; nothing for others."""
    here = world.instance(task.instance)
    if here.scope is not HopperScope.PROJECT or world.settings(here).decomposer is None:
        return ()
    from hopper_tui.engine import breakdown

    return breakdown.configured(world, here, task, target)


def take_or_queue(world: World, tx: Transaction, instance: Instance, task: Task) -> None:
    """Store a new task, one of many: kept at once where that is the decision, else to be offered
    when all are stored."""
    if instance.scope is HopperScope.ORCHESTRATION:
        tx.create(task, "task.created")
        return
    idle = None if instance.is_running else f"{instance.name} is {instance.status}"
    waiting = tx.create(task._replace(waiting=True, reason=idle), "task.created")
    if instance.scope is HopperScope.PROJECT and waiting.is_ready:
        decision = decide(world, instance, waiting)
        if decision.target == instance.id:
            enact(world, tx, waiting, decision)


def place(
    world: World, instance: Instance, task: Task, declined: set[tuple[str, str]]
) -> tuple[bool, bool]:
    """Offer one waiting task again; whether it went somewhere, and whether a hopper was made."""
    decision, made = resolve(world, instance, task, declined)
    if decision.target not in (None, instance.id):
        world.announce()
    store = world.store(instance.id)
    with world.writing(store) as tx:
        fresh = store.task(task.id)
        if fresh is None or not fresh.waiting or not fresh.is_ready:
            return False, made
        enact(world, tx, fresh, decision)
    return decision.target is not None, made

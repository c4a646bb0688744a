"""Routes: carry out what routing decided for a task, and record why."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import HopperError, NotFound
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
    from hopper_tui.model.delegation import Decision
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Transaction


def option(world: World, instance: Instance, refused: str | None = None) -> Option:
    """An instance as a possible target."""
    settings = world.settings(instance)
    return Option(instance, settings, world.load(instance, settings), refused)


def decide(
    world: World, instance: Instance, task: Task, declined: set[tuple[str, str]] | None = None
) -> Decision:
    """Where a task held by a global or project hopper should go; nothing is changed."""
    from hopper_tui.routing.projects import to_project
    from hopper_tui.routing.workers import in_project

    began = time.perf_counter()
    refused = _refusals(world, task, declined or set())
    here = option(world, instance)
    others = [
        option(world, child, refused.get(child.id))
        for child in _candidates(world, instance, task)
        if child.status is not InstanceStatus.TERMINATED
    ]
    if instance.scope is HopperScope.GLOBAL:
        decision = to_project(task, here, others)
    else:
        decision = in_project(task, here, others)
    return replace(
        decision,
        task=task.id,
        decided_by=instance.id,
        decided_at=stamp(world.now()),
        duration_ms=round((time.perf_counter() - began) * 1000, 3),
    )


def _candidates(world: World, instance: Instance, task: Task) -> list[Instance]:
    """The children that may be asked; only the named project when there is one."""
    if instance.scope is HopperScope.GLOBAL and task.project:
        for key in (task.project, task.project.casefold(), f"hopper-{task.project.casefold()}"):
            if world.places.project(key) is not None:
                try:
                    return [world.instance(key)]
                except HopperError:
                    break
    return world.children(instance.id)


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
    origin = store.delegation(task.origin) if task.origin else None
    if origin is not None and origin.type is DelegationType.ESCALATE:
        refused[origin.source] = "it escalated it"
    return refused


def make_project(world: World, instance: Instance, task: Task) -> None:
    """Create the project a task names, if it is unknown and the global may create children."""
    from hopper_tui.engine import instances

    if instance.scope is not HopperScope.GLOBAL or not task.project:
        return
    try:
        world.find_instance(task.project)
    except NotFound:
        if world.settings(instance).auto_create:
            instances.create_project(world, task.project)


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
    task, _hop = flow.offer(
        world,
        tx,
        task,
        decision.target,
        DelegationType.ROUTE,
        reason=decision.reason,
        decision=decision.json(),
    )
    return task


def ready_target(world: World, instance: Instance, decision: Decision) -> Decision:
    """The decision with its run made, when it asks for a new one."""
    from hopper_tui.engine import instances

    if decision.target != NEW_RUN:
        return decision
    run = instances.create_run(world, instance)
    return replace(decision, target=run.id)


def place(world: World, instance: Instance, task: Task, declined: set[tuple[str, str]]) -> int:
    """Offer one waiting task again; returns 1 when it went somewhere, 0 when it still waits."""
    decision = ready_target(world, instance, decide(world, instance, task, declined))
    if decision.target not in (None, instance.id):
        world.announce()
    store = world.store(instance.id)
    with world.writing(store) as tx:
        fresh = store.task(task.id)
        if fresh is None or not fresh.waiting or not fresh.is_ready:
            return 0
        enact(world, tx, fresh, decision)
    return int(decision.target is not None)

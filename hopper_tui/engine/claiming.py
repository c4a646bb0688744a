"""Claiming: who gets which task, for how long, and what becomes of work that nobody finishes.

A worker holds what it took for the time of its lease, which its heartbeats renew. When the lease
runs out, or an attempt fails, the task goes back into the queue until its attempts are used up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.engine import flow
from hopper_tui.engine.phases import Layout
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import InvalidTransition, LeaseLost, NotAllowed
from hopper_tui.model.executor import Executor
from hopper_tui.model.lifecycle import (
    TASK_MOVES,
    HopperScope,
    InstanceStatus,
    TaskStatus,
    check_task_move,
)

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.settings import WorkRules
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store, Transaction

_T = TaskStatus
LONGEST_WAIT = 3600.0
"""Seconds; the wait before another attempt does not grow beyond."""


def check_may_execute(instance: Instance) -> None:
    """Raise NotAllowed for a hopper that only routes."""
    if instance.scope is HopperScope.GLOBAL:
        raise NotAllowed(
            f"{instance.name} is a global hopper: it routes work and executes none",
            "Name a project or a run: --instance NAME; see which: hopper instance list",
        )


def check_executes(instance: Instance) -> None:
    """Raise NotAllowed unless the instance hands out work now."""
    check_may_execute(instance)
    if not instance.is_running:
        verb = "resume" if instance.status is InstanceStatus.PAUSED else "start"
        raise NotAllowed(
            f"{instance.name} is {instance.status} and hands out no work",
            "It has ended; see which hoppers have not: hopper instance list"
            if instance.status is InstanceStatus.TERMINATED
            else f"hopper instance {verb} {instance.id}",
        )


def check_holds(world: World, task: Task, executor: str | None, attempt: int | None = None) -> None:
    """Raise LeaseLost unless the executor holds the task, by that attempt if one is given.

    A person (None) may act on what nobody holds for a time: people sort that out among
    themselves. A worker that lost its lease learns who has the task now.
    """
    who = executor or world.actor
    if task.is_active and task.owner == who:
        if attempt in (None, task.attempts):
            return
        raise lost(world, task, f"attempt {attempt} of {who}", f"attempt {task.attempts} does")
    if task.is_active:
        if executor is not None or task.lease_expires_at is not None:
            raise lost(world, task, who, f"{task.owner} does")
    elif executor is not None:
        done_by = f", by {task.owner}" if task.owner else ""
        raise lost(world, task, who, f"it is {task.status}{done_by}")


def lost(world: World, task: Task, who: str, holder: str) -> LeaseLost:
    """What to tell who does not hold a task; `holder` says who does."""
    short = world.short_id(task)
    return LeaseLost(
        f"{who} does not hold {short}: {holder}",
        f"Take another task: {another(world, task)}. See what became of it:"
        f" hopper task show {short}",
    )


def another(world: World, task: Task) -> str:
    """What to type for other work where a task is."""
    return "hopper next --claim" + (
        "" if task.instance == world.here else f" --instance {task.instance}"
    )


# Selecting and taking


def next_task(world: World, instance: Instance, executor: Executor) -> Task | None:
    """The task that `claim_next` would take."""
    check_executes(instance)
    store = world.store(instance.id)
    let_expire(world, store)
    queues = Layout.read(world, instance.id).queues()
    rules = world.settings(instance).work
    return store.next_task(queues, executor, stamp(world.now()), rules.ageing)


def claim_next(
    world: World, key: str, executor: Executor, lease: float | None = None
) -> Task | None:
    """Select and take the next task of an instance in one transaction, for `lease` seconds (None:
    as configured); None when nothing fits."""
    store = world.store(key)
    with world.command("claim"):
        with world.writing(store) as tx:
            let_go = expire(world, tx, store)
            layout = Layout.read(world, key)
            task = take_next(world, tx, layout, executor, lease)
        if let_go or (task is not None and world.settings(layout.instance).max_queued is not None):
            flow.settle(world, store, layout.instance)  # a place in the queue is free
    return task


def take_next(
    world: World, tx: Transaction, layout: Layout, executor: Executor, lease: float | None
) -> Task | None:
    """Within a transaction: the next task of a layout, taken; None when nothing fits. Raises
    NotAllowed and AtCapacity before anything is changed."""
    check_executes(layout.instance)
    check_executes(layout.run)
    rules = world.settings(layout.instance).work
    task = layout.store.next_task(layout.queues(), executor, tx.at, rules.ageing)
    if task is None:
        return None
    layout.check_room(world)
    return _take(world, tx, task, executor, lease, rules)


def claim(world: World, task: Task, executor: Executor, lease: float | None = None) -> Task:
    """Take a task, for `lease` seconds (None: as configured); taking what one holds already
    changes nothing."""
    instance = world.instance(task.instance)
    check_executes(instance)
    store = world.store(instance.id)
    with world.command("claim"):
        with world.writing(store) as tx:
            let_go = expire(world, tx, store)
            task = fresh(store, task)
            if task.is_active and task.owner == executor.name:
                return task
            layout = Layout.read(world, instance.id)
            check_executes(layout.run)
            check_free(world, store, task, executor)
            layout.check_active(world, task)
            layout.check_room(world)
            task = _take(world, tx, task, executor, lease, world.settings(instance).work)
        if let_go:
            flow.settle(world, store, instance)
    return task


def _take(
    world: World,
    tx: Transaction,
    task: Task,
    executor: Executor,
    lease: float | None,
    rules: WorkRules,
) -> Task:
    seconds = lease or lease_of(executor, rules)
    return tx.change(
        task._replace(lease_expires_at=stamp(world.now() + seconds) if seconds else None),
        "task.claimed",
        status=_T.CLAIMED,
        owner=executor.name,
        attempts=task.attempts + 1,
        reason=None,
        not_before=None,
    )


def lease_of(executor: Executor, rules: WorkRules) -> float | None:
    """For how many seconds an executor holds what it takes; None is without end."""
    return rules.human_lease if executor.is_person else rules.lease


def heartbeat(
    world: World,
    task: Task,
    executor: str | None,
    lease: float | None = None,
    attempt: int | None = None,
) -> Task:
    """Hold a task for `lease` seconds from now (None: as configured); raises LeaseLost unless the
    executor holds it, by that attempt if one is given."""
    who = executor or world.actor
    store = world.store(task.instance)
    seconds = lease or world.settings(world.instance(task.instance)).work.lease
    with world.command("heartbeat"), world.writing(store) as tx:
        task = fresh(store, task)
        check_holds(world, task, who, attempt)
        if executor is None and lease is None and task.lease_expires_at is None:
            return task  # a person, who holds it without end
        until = stamp(world.now() + seconds)
        tx.lease(task.id, until)
        return task._replace(lease_expires_at=until)


def fresh(store: Store, task: Task) -> Task:
    """The task as it is inside the transaction; it may have been moved since it was looked up."""
    found = store.task(task.id)
    assert found is not None
    return found


# What keeps a task from being taken


def check_free(world: World, store: Store, task: Task, executor: Executor) -> None:
    """Raise InvalidTransition while a task is held or waits, NotAllowed when it is for somebody
    else."""
    if task.is_active:
        raise InvalidTransition(
            f"{world.short_id(task)} is held by {task.owner}",
            f"Take another: {another(world, task)}",
        )
    check_move(world, task, _T.CLAIMED)
    check_unheld(world, store, task)
    if executor.is_person:
        return
    short = world.short_id(task)
    if not executor.prefers(task.executor_preference):
        raise NotAllowed(
            f"{short} is for {task.executor_preference}, and {executor.name} is {executor.role}",
            f"Take what suits: {another(world, task)}",
        )
    if missing := executor.lacks(task.required_capabilities):
        raise NotAllowed(
            f"{short} requires {', '.join(missing)}",
            f"Say what you can do with --capability, or take what suits: {another(world, task)}",
        )


def check_move(world: World, task: Task, to: TaskStatus) -> None:
    """Raise InvalidTransition unless a task may become that."""
    if to not in TASK_MOVES[task.status]:  # naming it costs more than looking
        check_task_move(world.short_id(task), task.status, to)


def check_unheld(world: World, store: Store, task: Task) -> None:
    """Raise InvalidTransition while a dependency holds a task back."""
    if task.open_deps:
        waits = [t for t in store.tasks(task.depends_on) if t.status is not _T.DONE]
        short = world.short_ids(waits)
        raise InvalidTransition(
            f"{world.short_id(task)} waits for " + ", ".join(short[t.id] for t in waits),
            f"Finish those first, or take what is ready: {another(world, task)}",
        )


# What becomes of an attempt that came to nothing


def let_expire(world: World, store: Store) -> None:
    """Put back what somebody held for longer than agreed, if there is any in a store."""
    if not store.expired(stamp(world.now())):
        return
    with world.command("expire"):
        with world.writing(store) as tx:
            expire(world, tx, store)
        flow.drive(world, [store])


def expire(world: World, tx: Transaction, store: Store) -> int:
    """What somebody held for longer than agreed goes back into the queue, its lease having been
    the wait, or fails for good; returns how many tasks."""
    over = store.expired(stamp(world.now()))
    for task in over:
        end_attempt(world, tx, store, task, "task.expired", f"the lease of {task.owner} ran out", 0)
    return len(over)


def end_attempt(
    world: World, tx: Transaction, store: Store, task: Task, kind: str, why: str, backoff: float
) -> Task:
    """Put a task back into the queue after an attempt that came to nothing: for later, by
    `backoff` seconds that double with each attempt; failed when its attempts are used up."""
    rules = world.settings(world.instance(task.instance)).work
    now = world.now()
    if task.attempts >= rules.max_attempts:
        times = "1 attempt" if task.attempts == 1 else f"{task.attempts} attempts"
        task = tx.change(
            task, "task.failed", status=_T.FAILED, reason=f"given up after {times}: {why}",
            completed_at=stamp(now),
        )  # fmt: skip
        flow.follow(world, tx, store, task)
        return task
    wait = min(backoff * 2 ** (task.attempts - 1), LONGEST_WAIT)
    return tx.change(
        task, kind, status=_T.PENDING, owner=None, reason=why,
        not_before=stamp(now + wait) if wait else None,
    )  # fmt: skip

"""Work: claim, start, finish, fail and the other moves of a task.

A verb on a delegated task acts on the work at the end of its chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui import engine
from hopper_tui.engine import flow
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import (
    AtCapacity,
    HopperError,
    InvalidTransition,
    LeaseLost,
    NotAllowed,
)
from hopper_tui.model.ids import SHORT_LENGTH
from hopper_tui.model.lifecycle import (
    ACTIVE,
    LEFT,
    DelegationStatus,
    HopperScope,
    InstanceStatus,
    TaskStatus,
    check_task_move,
)
from hopper_tui.model.task import Task, storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.model.feedback import TaskFeedback
    from hopper_tui.model.instance import Instance
    from hopper_tui.store.protocol import Store, Transaction

_T = TaskStatus
_D = DelegationStatus
_TAKEN_IN = (_D.ACCEPTED, _D.COMPLETED, _D.FAILED)
"""Hops whose tasks belong to their target."""


def leaf(world: World, task: Task) -> Task:
    """The task at the end of the chain where the work is; the task itself if not delegated.

    A task whose work below is over, but not reported upward, stands for itself. Raises
    InvalidTransition when a hop on the way is not accepted, or several subtasks are open.
    """
    while task.status is _T.DELEGATED:
        hop = flow.current_hop(world.store(task.instance), task)
        if hop is None:
            return task
        source, target = world.name(hop.source), world.name(hop.target)
        if hop.status is _D.PENDING:
            raise InvalidTransition(
                f"the hop {source} → {target} is not accepted yet",
                f"Accept or cancel it: hopper delegation list --instance {hop.target}",
            )
        children = [t for t in world.store(hop.target).children(hop.id) if t.is_open]
        if not children:
            return task
        if len(children) > 1:
            short = world.short_ids(children)
            listed = ", ".join(f"{short[t.id]} {t.title}" for t in children)
            raise InvalidTransition(
                f"{len(children)} subtasks at {target} are open: {listed}", "Finish each of them"
            )
        task = children[0]
    return task


def _fresh(store: Store, task: Task) -> Task:
    """The task as it is inside the transaction; it may have been moved since it was looked up."""
    found = store.task(task.id)
    assert found is not None
    return found


def check_executes(world: World, instance: Instance) -> None:
    """Raise NotAllowed unless the instance hands out work now."""
    if instance.scope is HopperScope.GLOBAL:
        raise NotAllowed(
            f"{instance.name} is a global hopper: it routes work and executes none",
            "Ask a project: --instance NAME",
        )
    if not instance.is_running:
        raise NotAllowed(
            f"{instance.name} is {instance.status} and hands out no work",
            f"hopper instance {'resume' if instance.status == 'paused' else 'start'} {instance.id}",
        )


def _check_room(world: World, store: Store, instance: Instance) -> None:
    capacity = world.settings(instance).capacity
    if capacity is None:
        return
    counts = store.counts(instance.id)
    active = sum(counts.get(status, 0) for status in ACTIVE)
    if active >= capacity:
        raise AtCapacity(
            f"{instance.name} is at capacity: {active}/{capacity}",
            "Finish or release a task first",
        )


def _check_holder(world: World, task: Task, executor: str | None) -> None:
    """An executor that is named must hold the task; a person may act on anybody's."""
    if executor is not None and task.owner is not None and task.owner != executor:
        raise LeaseLost(
            f"{executor} does not hold {world.short_id(task)}: {task.owner} does",
            "Take another task: hopper next --claim",
        )


def next_task(
    world: World, instance: Instance, executor: str | None, capabilities: Sequence[str]
) -> Task | None:
    """The task that `claim_next` would take."""
    check_executes(world, instance)
    return world.store(instance.id).next_task(instance.id, executor, capabilities)


def claim_next(
    world: World,
    instance: Instance,
    executor: str | None,
    capabilities: Sequence[str],
    lease: float | None = None,
) -> Task | None:
    """Select and take the next task in one transaction, for `lease` seconds (None: without end);
    None when nothing fits."""
    check_executes(world, instance)
    store = world.store(instance.id)
    with world.command("claim"):
        task = _claim_first(world, instance, store, executor, capabilities, lease)
        if task is not None and world.settings(instance).max_queued is not None:
            _settle(world, store, task)  # a place in the queue is free
    return task


def _claim_first(
    world: World,
    instance: Instance,
    store: Store,
    executor: str | None,
    capabilities: Sequence[str],
    lease: float | None,
) -> Task | None:
    with world.writing(store) as tx:
        _let_expire(world, tx, store, instance)
        task = store.next_task(instance.id, executor, capabilities)
        if task is None:
            return None
        _check_room(world, store, instance)
        task = tx.change(
            task,
            "task.claimed",
            status=_T.CLAIMED,
            owner=executor or world.actor,
            attempts=task.attempts + 1,
            reason=None,
        )
        return _leased(world, tx, task, lease)


def _leased(world: World, tx: Transaction, task: Task, lease: float | None) -> Task:
    """A task that was just taken, for so many seconds."""
    if lease is None:
        return task
    until = stamp(world.now() + lease)
    tx.lease(task.id, until)
    return task._replace(lease_expires_at=until)


def _let_expire(world: World, tx: Transaction, store: Store, instance: Instance) -> None:
    """What somebody held for longer than agreed goes back into the queue."""
    for task in store.expired(instance.id, stamp(world.now())):
        why = f"the lease of {task.owner} ran out"
        tx.change(task, "task.expired", status=_T.PENDING, owner=None, reason=why)


def heartbeat(world: World, task: Task, executor: str | None, lease: float) -> Task:
    """Hold a task for `lease` seconds from now; raises LeaseLost unless the executor holds it."""
    who = executor or world.actor
    task = leaf(world, task)
    store = world.store(task.instance)
    with world.command("heartbeat"), world.writing(store) as tx:
        task = _fresh(store, task)
        if not task.is_active or task.owner != who:
            holder = f"{task.owner} does" if task.is_active else f"it is {task.status}"
            raise LeaseLost(
                f"{who} does not hold {world.short_id(task)}: {holder}",
                "Take another task: hopper next --claim",
            )
        return _leased(world, tx, task, lease)


def claim(world: World, task: Task, executor: str | None, lease: float | None = None) -> Task:
    """Take a task, for `lease` seconds (None: without end); taking what one holds already changes
    nothing."""
    who = executor or world.actor
    task = leaf(world, task)
    instance = world.instance(task.instance)
    check_executes(world, instance)
    store = world.store(instance.id)
    with world.command("claim"), world.writing(store) as tx:
        _let_expire(world, tx, store, instance)
        task = _fresh(store, task)
        if task.is_active and task.owner == who:
            return task
        _check_free(world, store, task, who)
        _check_room(world, store, instance)
        task = tx.change(
            task, "task.claimed", status=_T.CLAIMED, owner=who, attempts=task.attempts + 1,
            reason=None,
        )  # fmt: skip
        return _leased(world, tx, task, lease)


def _check_free(world: World, store: Store, task: Task, who: str) -> None:
    if task.is_active:
        raise InvalidTransition(
            f"{world.short_id(task)} is held by {task.owner}", "Take another: hopper next --claim"
        )
    check_task_move(world.short_id(task), task.status, _T.CLAIMED)
    check_unheld(world, store, task)


def check_unheld(world: World, store: Store, task: Task) -> None:
    """Raise InvalidTransition while a dependency holds a task back."""
    if task.open_deps:
        waits = [t for t in store.tasks(task.depends_on) if t.status is not _T.DONE]
        short = world.short_ids(waits)
        raise InvalidTransition(
            f"{world.short_id(task)} waits for " + ", ".join(short[t.id] for t in waits),
            "Finish those first",
        )


def start(world: World, task: Task, executor: str | None) -> Task:
    """Begin a task, claiming it first if nobody has."""
    who = executor or world.actor
    task = leaf(world, task)
    instance = world.instance(task.instance)
    check_executes(world, instance)
    store = world.store(instance.id)
    with world.command("start"), world.writing(store) as tx:
        task = _fresh(store, task)
        if task.status is _T.IN_PROGRESS and task.owner == who:
            return task
        fields: dict[str, Any] = {"status": _T.IN_PROGRESS, "started_at": stamp(world.now())}
        if task.status is _T.CLAIMED:
            _check_holder(world, task, executor)
        else:
            _check_free(world, store, task, who)
            _check_room(world, store, instance)
            fields |= {"owner": who, "attempts": task.attempts + 1}
        return tx.change(task, "task.started", reason=None, **fields)


def complete(
    world: World,
    task: Task,
    feedback: TaskFeedback | None = None,
    result: Any = None,
    executor: str | None = None,
) -> Task:
    """Finish a task; completion bubbles up its chain. Completing it again changes nothing."""
    task = leaf(world, task)
    if task.status is _T.DONE:
        return task
    instance = world.instance(task.instance)
    if instance.scope is HopperScope.GLOBAL and executor is not None:
        check_executes(world, instance)
    held_since = task.updated_at if task.is_active else None
    return _finish(
        world, task, "task.done", _T.DONE, executor, result=result,
        completed_at=stamp(world.now()), started_at=task.started_at or held_since,
        feedback=task.feedback if feedback is None else feedback.json(),
    )  # fmt: skip


def fail(world: World, task: Task, reason: str | None, executor: str | None) -> Task:
    """Give a task up for good; what waits for it above is blocked with the reason."""
    return _finish(
        world, leaf(world, task), "task.failed", _T.FAILED, executor,
        reason=_reason(reason, "failed"), completed_at=stamp(world.now()),
    )  # fmt: skip


def _reason(reason: str | None, default: str) -> str:
    return storable(reason, "reason") if reason and reason.strip() else default


def _finish(
    world: World, task: Task, kind: str, status: TaskStatus, executor: str | None, **fields: Any
) -> Task:
    store = world.store(task.instance)
    fields.setdefault("reason", None)
    with world.command(kind):
        if task.origin:
            world.announce()
        with world.writing(store) as tx:
            task = _fresh(store, task)
            if task.status is status:
                return task
            check_task_move(world.short_id(task), task.status, status)
            _check_holder(world, task, executor)
            task = tx.change(task, kind, status=status, waiting=False, **fields)
            flow.follow(world, tx, store, task)
        _settle(world, store, task)
    return task


def _settle(world: World, store: Store, task: Task) -> None:
    """Bubble what changed, and offer what waited for it: dependents here, work for freed room."""
    instance = world.instance(task.instance)
    offers = [instance.id] if instance.scope is not HopperScope.ORCHESTRATION else []
    if instance.parent is not None:
        offers.append(instance.parent)
    flow.drive(world, [store], offers)


def block(world: World, task: Task, reason: str | None) -> Task:
    """Mark a task as stuck, with the reason; its holder lets go of it."""
    task = leaf(world, task)
    store = world.store(task.instance)
    with world.command("block"):
        with world.writing(store) as tx:
            task = _fresh(store, task)
            check_task_move(world.short_id(task), task.status, _T.BLOCKED)
            task = tx.change(
                task, "task.blocked", status=_T.BLOCKED, reason=_reason(reason, "blocked"),
                owner=None, waiting=False,
            )  # fmt: skip
        _settle(world, store, task)
    return task


def release(world: World, task: Task, executor: str | None) -> Task:
    """Put a claimed or blocked task back into the queue; a router offers it again."""
    task = leaf(world, task)
    store = world.store(task.instance)
    instance = world.instance(task.instance)
    with world.command("release"):
        world.announce()
        with world.writing(store) as tx:
            task = _fresh(store, task)
            if task.status is _T.PENDING:
                return task
            if task.status not in (_T.CLAIMED, _T.IN_PROGRESS, _T.BLOCKED):
                check_task_move(world.short_id(task), task.status, _T.PENDING)
                raise InvalidTransition(
                    f"nobody holds {world.short_id(task)}: it is {task.status}",
                    "Reopen it: hopper task reopen",
                )
            _check_holder(world, task, executor)
            again = (
                task.waiting or task.status is _T.BLOCKED or instance.scope is HopperScope.GLOBAL
            )
            task = tx.change(
                task, "task.released", status=_T.PENDING, owner=None, reason=None,
                waiting=again and instance.scope is not HopperScope.ORCHESTRATION,
            )  # fmt: skip
            if instance.status in LEFT:
                engine.instances.hand_back(world, tx, store, instance)
        _settle(world, store, task)
    return _fresh(store, task)


def cancel(world: World, task: Task, reason: str | None) -> Task:
    """Drop a task, and everything it was delegated to that is still open."""
    store = world.store(task.instance)
    with world.command("cancel"):
        world.announce()
        with world.writing(store) as tx:
            task = _fresh(store, task)
            if task.status is _T.CANCELLED:
                return task
            check_task_move(world.short_id(task), task.status, _T.CANCELLED)
            task = flow.cancel(tx, store, task, reason, world)
            flow.follow(world, tx, store, task)
        _settle(world, store, task)
    return task


def _finished_leaf(world: World, task: Task) -> Task:
    """The task at the end of the chain by which the work was done; the task itself if it was not
    delegated, or if its hopper is gone. Raises InvalidTransition when several subtasks did it."""
    while task.status is _T.DONE:
        hop = flow.current_hop(world.store(task.instance), task)
        if hop is None or hop.status is not _D.COMPLETED:
            break
        try:
            if world.instance(hop.target).status is InstanceStatus.TERMINATED:
                break
            children = world.store(hop.target).children(hop.id)
        except HopperError:
            break
        if len(children) > 1:
            short = world.short_ids(children)
            listed = ", ".join(f"{short[t.id]} {t.title}" for t in children)
            raise InvalidTransition(
                f"{len(children)} subtasks at {world.name(hop.target)} did it: {listed}",
                "Reopen one of them",
            )
        if not children:
            break
        task = children[0]
    return task


def _check_wanted(world: World, store: Store, task: Task) -> None:
    """Raise InvalidTransition if what a task was made from was taken back, or is done elsewhere."""
    hop = store.delegation(task.origin) if task.origin else None
    if hop is None:
        return
    try:
        above = world.store(hop.source)
    except HopperError:
        return
    source = above.task(hop.task)
    gone = source is None or source.is_active or source.status is _T.CANCELLED
    if gone or hop.status not in _TAKEN_IN or not flow.is_current(above, hop):
        raise InvalidTransition(
            f"{world.name(hop.source)} took {world.short_id(task)} back",
            f"Reopen or delegate it there: {hop.task[:SHORT_LENGTH]}",
        )


def reopen(world: World, task: Task) -> Task:
    """Put a finished task back into the queue, where its work was done; what was completed by it
    is open again. A router offers it anew."""
    task = _finished_leaf(world, task)
    store = world.store(task.instance)
    instance = world.instance(task.instance)
    if instance.status is InstanceStatus.TERMINATED:
        raise NotAllowed(f"{instance.name} is terminated", "Reopen what the task came from")
    with world.command("reopen"):
        world.announce()
        with world.writing(store) as tx:
            task = _fresh(store, task)
            if task.is_open:
                raise InvalidTransition(
                    f"{world.short_id(task)} is {task.status}, not closed",
                    "To put it back into the queue: hopper task release",
                )
            _check_wanted(world, store, task)
            passed_on = instance.scope is HopperScope.PROJECT and bool(store.hops_of(task.id))
            task = tx.change(
                task, "task.reopened", status=_T.PENDING, owner=None, reason=None, result=None,
                waiting=passed_on or instance.scope is HopperScope.GLOBAL, completed_at=None,
            )  # fmt: skip
            flow.follow(world, tx, store, task)
        _settle(world, store, task)
    return _fresh(store, task)


def set_status(world: World, task: Task, word: str, reason: str | None) -> Task:
    """Move a task to a status named by any word for it: the verb that leads there."""
    status = TaskStatus.read(word)
    if status is _T.PENDING:
        return reopen(world, task) if not task.is_open else release(world, task, None)
    if status is _T.DELEGATED:
        raise NotAllowed("a task becomes delegated by delegating it", "See: hopper task delegate")
    verbs = {
        _T.CLAIMED: lambda: claim(world, task, None),
        _T.IN_PROGRESS: lambda: start(world, task, None),
        _T.BLOCKED: lambda: block(world, task, reason),
        _T.DONE: lambda: complete(world, task),
        _T.FAILED: lambda: fail(world, task, reason, None),
        _T.CANCELLED: lambda: cancel(world, task, reason),
    }
    return verbs[status]()


def give_feedback(world: World, task: Task, feedback: TaskFeedback) -> Task:
    """Record feedback on a task; what was derived from it above is derived anew."""
    store = world.store(task.instance)
    with world.command("feedback"):
        if task.origin:
            world.announce()
        hop = store.delegation(task.origin) if task.origin else None
        before = None if hop is None else flow.feedback_of(store, hop)
        with world.writing(store) as tx:
            given = tx.change(_fresh(store, task), "task.feedback", feedback=feedback.json())
        while hop is not None:
            after = flow.feedback_of(store, hop)
            try:
                store = world.store(hop.source)
            except HopperError:
                break
            above = store.task(hop.task)
            if above is None or above.status is not _T.DONE or above.feedback != before:
                break
            hop = store.delegation(above.origin) if above.origin else None
            before = None if hop is None else flow.feedback_of(store, hop)
            with world.writing(store) as tx:
                tx.change(above, "task.feedback", feedback=after)
    return given


def last_seen(world: World, task: Task) -> Task:
    """A task as it is now; the given one if its store went away meanwhile."""
    try:
        return world.store(task.instance).task(task.id) or task
    except HopperError:
        return task

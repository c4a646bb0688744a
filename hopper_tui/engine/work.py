"""Work: start, finish, fail and the other moves of a task; `claiming` hands it out.

A verb on a delegated task acts on the work at the end of its chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hopper_tui import engine
from hopper_tui.engine import claiming, flow
from hopper_tui.engine.phases import Layout
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import AtCapacity, HopperError, InvalidTransition, NotAllowed
from hopper_tui.model.executor import Executor
from hopper_tui.model.ids import SHORT_LENGTH
from hopper_tui.model.lifecycle import (
    LEFT,
    DelegationStatus,
    HopperScope,
    InstanceStatus,
    TaskStatus,
)
from hopper_tui.model.plan import CHECKPOINT
from hopper_tui.model.task import Task, storable

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.model.feedback import TaskFeedback
    from hopper_tui.store.protocol import Store, Transaction

_T = TaskStatus
_D = DelegationStatus
_Then = Callable[["Transaction", Layout], None]
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
        flow.check_known(world, hop)
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


def start(world: World, task: Task, executor: Executor, lease: float | None = None) -> Task:
    """Begin a task, claiming it first if nobody has."""
    task = leaf(world, task)
    store = world.store(task.instance)
    with world.command("start"):
        if not task.is_active:
            task = claiming.claim(world, task, executor, lease)
        claiming.check_executes(world.instance(task.instance))
        with world.writing(store) as tx:
            task = claiming.fresh(store, task)
            if task.status is _T.IN_PROGRESS:
                if task.owner != executor.name:
                    claiming.check_free(world, store, task, executor)
                return task
            claiming.check_holds(world, task, None if executor.is_person else executor.name)
            return tx.change(
                task, "task.started", status=_T.IN_PROGRESS, started_at=stamp(world.now()),
                reason=None,
            )  # fmt: skip


def complete(
    world: World,
    task: Task,
    feedback: TaskFeedback | None = None,
    result: Any = None,
    executor: str | None = None,
    attempt: int | None = None,
    then: _Then | None = None,
) -> Task:
    """Finish a task; completion bubbles up its chain. Completing it again changes nothing.

    `then` is called in the same transaction if the end of the task changes nothing elsewhere.
    """
    task = leaf(world, task)
    if task.status is _T.DONE and _was_its_own(task, executor, attempt):
        return task
    if executor is not None and task.instance == world.global_id:
        claiming.check_executes(world.instance(task.instance))
    said = {"result": result} | ({} if feedback is None else {"feedback": feedback.json()})
    return _finish(world, task, "task.done", _T.DONE, executor, attempt, said, then)


def complete_and_claim(
    world: World,
    task: Task,
    key: str,
    executor: Executor,
    feedback: TaskFeedback | None = None,
    result: Any = None,
    attempt: int | None = None,
    lease: float | None = None,
) -> tuple[Task, Task | None]:
    """Finish a task and take the next one of an instance, in one transaction where nothing else
    hangs on it: two thirds of the cost of the two verbs.

    None for the next: nothing fits, or something is to be seen to first; `claim_next` knows.
    """
    taken: Task | None = None

    def take(tx: Transaction, layout: Layout) -> None:
        nonlocal taken
        store = layout.store
        if store.expired(tx.at):
            return
        if key != layout.instance.id:
            layout = Layout.read(world, key)
            if layout.store is not store:
                return
        with suppress(AtCapacity, NotAllowed):
            taken = claiming.take_next(world, tx, layout, executor, lease)

    who = None if executor.is_person and executor.name == world.actor else executor.name
    done = complete(world, task, feedback, result, who, attempt, take)
    return done, taken


def fail(
    world: World,
    task: Task,
    reason: str | None,
    executor: str | None,
    attempt: int | None = None,
    *,
    retry: bool = False,
) -> Task:
    """Give a task up for good; what waits for it above is blocked with the reason.

    With `retry` only this attempt is over, while further ones remain.
    """
    task = leaf(world, task)
    why = _reason(reason, "failed")
    if not retry:
        said = {"reason": why}
        return _finish(world, task, "task.failed", _T.FAILED, executor, attempt, said)
    store = world.store(task.instance)
    with world.command("fail"):
        if task.origin:
            world.announce()
        with world.writing(store) as tx:
            task = claiming.fresh(store, task)
            claiming.check_holds(world, task, executor, attempt)
            if not task.is_active:
                claiming.check_move(world, task, _T.PENDING)
            backoff = world.settings(world.instance(task.instance)).work.backoff
            task = claiming.end_attempt(world, tx, store, task, "task.tried", why, backoff)
        flow.settle(world, store, world.instance(task.instance))
    return task


def _reason(reason: str | None, default: str) -> str:
    return storable(reason, "reason") if reason and reason.strip() else default


def _finish(
    world: World,
    task: Task,
    kind: str,
    status: TaskStatus,
    executor: str | None,
    attempt: int | None,
    said: Mapping[str, Any],
    then: _Then | None = None,
) -> Task:
    store = world.store(task.instance)
    with world.command(kind):
        if task.origin:
            world.announce()
        with world.writing(store) as tx:
            if not store.is_current(task):
                task = claiming.fresh(store, task)
            if task.status is status and _was_its_own(task, executor, attempt):
                return task
            claiming.check_holds(world, task, executor, attempt)
            claiming.check_move(world, task, status)
            if status is _T.DONE and CHECKPOINT in task.tags:
                _check_approvable(world, store, task, executor)
            was_held = task.is_active
            fields = {"reason": None, "completed_at": tx.at, **said}
            if status is _T.DONE and was_held and task.started_at is None:
                fields["started_at"] = task.updated_at
            task = tx.change(task, kind, status=status, waiting=False, **fields)
            flow.follow(world, tx, store, task)
            layout = None if task.origin else Layout.read(world, task.instance)
            alone = layout is not None and _concerns_nobody(world, layout, freed=was_held)
            if alone and layout is not None and then is not None:
                then(tx, layout)
        if not alone:
            flow.settle(world, store, world.instance(task.instance))
    return task


def _check_approvable(world: World, store: Store, task: Task, executor: str | None) -> None:
    """Raise NotAllowed unless it is a person who completes a checkpoint, InvalidTransition while
    what it is to approve is not done."""
    short = world.short_id(task)
    if executor is not None:
        raise NotAllowed(
            f"{short} is a checkpoint: a person approves it, no executor",
            f"Who approves it types, without --executor: hopper task done {short}",
        )
    claiming.check_unheld(world, store, task)


def _was_its_own(task: Task, executor: str | None, attempt: int | None) -> bool:
    """Whether who says that a finished task is finished is who finished it, by that attempt."""
    return executor in (None, task.owner) and attempt in (None, task.attempts)


def _concerns_nobody(world: World, layout: Layout, *, freed: bool) -> bool:
    """Whether the end of a task that came from nowhere changes nothing elsewhere: in a run, where
    nothing above waits for the room that it had taken, if it was held."""
    if layout.instance.scope is not HopperScope.ORCHESTRATION:
        return False
    if world.settings(layout.instance).max_queued is not None:
        return False
    return not (freed and layout.is_full(world, but=1))


def block(world: World, task: Task, reason: str | None) -> Task:
    """Mark a task as stuck, with the reason; its holder lets go of it."""
    task = leaf(world, task)
    store = world.store(task.instance)
    with world.command("block"):
        with world.writing(store) as tx:
            task = claiming.fresh(store, task)
            claiming.check_move(world, task, _T.BLOCKED)
            task = tx.change(
                task, "task.blocked", status=_T.BLOCKED, reason=_reason(reason, "blocked"),
                owner=None, waiting=False,
            )  # fmt: skip
        flow.settle(world, store, world.instance(task.instance))
    return task


def release(world: World, task: Task, executor: str | None, attempt: int | None = None) -> Task:
    """Put a claimed or blocked task back into the queue; a router offers it again."""
    task = leaf(world, task)
    store = world.store(task.instance)
    instance = world.instance(task.instance)
    with world.command("release"):
        world.announce()
        with world.writing(store) as tx:
            task = claiming.fresh(store, task)
            if task.status is _T.PENDING:
                return task
            if executor is not None and task.status is not _T.BLOCKED:
                claiming.check_holds(world, task, executor, attempt)
            if task.status not in (_T.CLAIMED, _T.IN_PROGRESS, _T.BLOCKED):
                claiming.check_move(world, task, _T.PENDING)
                raise InvalidTransition(
                    f"nobody holds {world.short_id(task)}: it is {task.status}",
                    "Reopen it: hopper task reopen",
                )
            again = (
                task.waiting or task.status is _T.BLOCKED or instance.scope is HopperScope.GLOBAL
            )
            task = tx.change(
                task, "task.released", status=_T.PENDING, owner=None, reason=None, not_before=None,
                waiting=again and instance.scope is not HopperScope.ORCHESTRATION,
            )  # fmt: skip
            if instance.status in LEFT:
                engine.instances.hand_back(world, tx, store, instance)
        flow.settle(world, store, world.instance(task.instance))
    return claiming.fresh(store, task)


def cancel(world: World, task: Task, reason: str | None) -> Task:
    """Drop a task, and everything it was delegated to that is still open."""
    store = world.store(task.instance)
    with world.command("cancel"):
        world.announce()
        with world.writing(store) as tx:
            task = claiming.fresh(store, task)
            if task.status is _T.CANCELLED:
                return task
            claiming.check_move(world, task, _T.CANCELLED)
            task = flow.cancel(tx, store, task, reason, world)
            flow.follow(world, tx, store, task)
        flow.settle(world, store, world.instance(task.instance))
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
            task = claiming.fresh(store, task)
            if task.is_open:
                raise InvalidTransition(
                    f"{world.short_id(task)} is {task.status}, not closed",
                    "To put it back into the queue: hopper task release",
                )
            _check_wanted(world, store, task)
            passed_on = instance.scope is HopperScope.PROJECT and bool(store.hops_of(task.id))
            task = tx.change(
                task, "task.reopened", status=_T.PENDING, owner=None, reason=None, result=None,
                attempts=0, not_before=None, completed_at=None,
                waiting=passed_on or instance.scope is HopperScope.GLOBAL,
            )  # fmt: skip
            flow.follow(world, tx, store, task)
        flow.settle(world, store, world.instance(task.instance))
    return claiming.fresh(store, task)


def set_status(world: World, task: Task, word: str, reason: str | None) -> Task:
    """Move a task to a status named by any word for it: the verb that leads there."""
    status = TaskStatus.read(word)
    if status is _T.PENDING:
        return reopen(world, task) if not task.is_open else release(world, task, None)
    if status is _T.DELEGATED:
        raise NotAllowed("a task becomes delegated by delegating it", "See: hopper task delegate")
    person = Executor.of(None, person=world.actor)
    verbs = {
        _T.CLAIMED: lambda: claiming.claim(world, leaf(world, task), person),
        _T.IN_PROGRESS: lambda: start(world, task, person),
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
            given = tx.change(
                claiming.fresh(store, task), "task.feedback", feedback=feedback.json()
            )
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

"""Delegating by hand: the four types of hop, and what their target answers.

Source of the rules: the guide, "Delegation Types".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.engine import claiming, flow, routes, work
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import (
    AtCapacity,
    HopperError,
    Invalid,
    InvalidTransition,
    NotAllowed,
)
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    TaskStatus,
    check_delegation_move,
    check_task_move,
)
from hopper_tui.model.task import Task, valid_title
from hopper_tui.routing.fit import can_take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Delegation
    from hopper_tui.model.instance import Instance

_D = DelegationStatus


def delegate(
    world: World,
    task: Task,
    target: str | None,
    kind: DelegationType,
    subtasks: Sequence[str],
    notes: str | None,
) -> Delegation:
    """Offer a task to another hopper, and see what it answers.

    Raises NotAllowed for a target that the type does not lead to, InvalidTransition for a task
    that is finished or delegated already, Invalid for subtasks that do not fit the type.
    """
    titles = tuple(valid_title(title) for title in subtasks)
    if kind is DelegationType.DECOMPOSE and not titles:
        raise Invalid("decompose needs at least one subtask", "Add --subtask TITLE, repeatable")
    if titles and kind is not DelegationType.DECOMPOSE:
        raise Invalid(f"{kind} takes no subtasks", "Use --type decompose")
    here = world.instance(task.instance)
    check_delegable(world, task)
    goal = world.instance(_target(world, here, task, target, kind))
    _check_way(world, here, goal, kind)
    if kind is not DelegationType.ESCALATE:
        _check_no_cycle(world, task, goal)
    store = world.store(here.id)
    with world.command("delegate"):
        world.announce()
        with world.writing(store) as tx:
            fresh = store.task(task.id)
            assert fresh is not None
            check_delegable(world, fresh)
            _task, hop = flow.offer(world, tx, fresh, goal.id, kind, notes=notes, subtasks=titles)
        flow.drive(world, [store])
    return store.delegation(hop.id) or hop


def check_delegable(world: World, task: Task) -> None:
    """Raise InvalidTransition unless a task can be handed on as it is now."""
    short = world.short_id(task)
    if task.status is TaskStatus.DELEGATED:
        hop = flow.current_hop(world.store(task.instance), task)
        where = f" to {world.name(hop.target)} ({hop.status})" if hop else ""
        raise InvalidTransition(
            f"{short} is already delegated{where}",
            "Take it back first: hopper delegation cancel",
        )
    if not task.is_open:
        raise InvalidTransition(f"{short} is {task.status}", "Reopen it first: hopper task reopen")
    check_task_move(short, task.status, TaskStatus.DELEGATED)
    claiming.check_unheld(world, world.store(task.instance), task)


def _target(world: World, here: Instance, task: Task, ref: str | None, kind: DelegationType) -> str:
    if kind is DelegationType.ESCALATE:
        if here.parent is None:
            raise NotAllowed(
                f"{here.name} has no parent to escalate to",
                "Send it down instead: hopper task delegate ID --to INSTANCE",
            )
        if ref is not None and world.find_instance(ref) != here.parent:
            raise NotAllowed(
                f"escalate goes to the parent, {world.name(here.parent)}", "Leave --to out"
            )
        return here.parent
    if ref is not None:
        return world.find_instance(ref)
    if kind is DelegationType.REASSIGN or here.scope is HopperScope.ORCHESTRATION:
        raise Invalid(f"{kind} needs a target", "Name it with --to")
    decision, _made = routes.resolve(world, here, task)
    if decision.target in (None, here.id):
        raise NotAllowed(f"nobody fits: {decision.reason}", "Name a target with --to")
    assert decision.target is not None
    return decision.target


def _check_way(world: World, here: Instance, goal: Instance, kind: DelegationType) -> None:
    if goal.id == here.id:
        raise NotAllowed(f"{here.name} cannot delegate to itself", "Choose another target")
    if kind in (DelegationType.ROUTE, DelegationType.DECOMPOSE) and goal.parent != here.id:
        raise NotAllowed(
            f"{goal.name} is not below {here.name}: {kind} goes to a child",
            "To a sibling use --type reassign, to the parent --type escalate",
        )
    if kind is DelegationType.REASSIGN and (goal.parent != here.parent or here.parent is None):
        raise NotAllowed(
            f"{goal.name} is not a sibling of {here.name}", "Escalate to the parent instead"
        )


def _check_no_cycle(world: World, task: Task, goal: Instance) -> None:
    """A task never comes back to a hopper that passed it on."""
    at: Task | None = task
    while at is not None and at.origin is not None:
        hop = world.store(at.instance).delegation(at.origin)
        if hop is None:
            return
        if hop.source == goal.id:
            raise NotAllowed(
                f"{goal.name} passed this task on; delegating it back would go in a circle",
                "Escalate it instead",
            )
        at = world.store(hop.source).task(hop.task)


# Answers


def accept(world: World, hop: Delegation) -> Delegation:
    """The target takes a pending hop in; raises AtCapacity or NotAllowed if it cannot."""
    store = world.store(hop.target)
    task = world.store(hop.source).task(hop.task)
    with world.command("accept"):
        world.announce()
        with world.writing(store) as tx:
            hop = store.delegation(hop.id) or hop
            check_delegation_move(hop.id, hop.status, _D.ACCEPTED)
            if hop.status is not _D.PENDING or task is None:
                raise InvalidTransition(
                    f"the delegation is {hop.status}, not pending", "See: hopper delegation list"
                )
            option = routes.option(world, world.instance(hop.target))
            if refusal := can_take(task, option) or flow.no_room_for(world, hop):
                error = NotAllowed if option.load.has_room else AtCapacity
                raise error(refusal, "Reject it with a reason, so that it goes elsewhere")
            flow.take_in(world, tx, store, hop, task)
        flow.drive(world, [store], [hop.target])
    return store.delegation(hop.id) or hop


def reject(world: World, hop: Delegation, reason: str) -> Delegation:
    """The target refuses a pending hop; the task returns to the source, which tries the next."""
    if not reason.strip():
        raise Invalid("rejecting needs a reason", "Say why with --reason")
    store = world.store(hop.target)
    with world.command("reject"):
        world.announce()
        with world.writing(store) as tx:
            hop = store.delegation(hop.id) or hop
            if hop.status is _D.ACCEPTED:
                raise InvalidTransition(
                    f"{world.name(hop.target)} has accepted it already",
                    "The source can take it back (delegation cancel), the target escalate it",
                )
            check_delegation_move(hop.id, hop.status, _D.REJECTED)
            tx.change(
                hop, "delegation.rejected", status=_D.REJECTED, reason=reason,
                completed_at=stamp(world.now()),
            )  # fmt: skip
        flow.drive(world, [store])
    return store.delegation(hop.id) or hop


def complete(world: World, hop: Delegation, result: Any) -> Delegation:
    """Finish the work of an accepted hop: its open child tasks are done with the result."""
    store = world.store(hop.target)
    if hop.status is not _D.COMPLETED:
        check_delegation_move(hop.id, hop.status, _D.COMPLETED)
        with world.command("complete delegation"):
            for child in store.children(hop.id):
                if child.is_open:
                    work.complete(world, child, result=result)
    return store.delegation(hop.id) or hop


def recall(world: World, task: Task) -> Delegation:
    """The source takes a task back from wherever it is delegated; see `cancel`."""
    hop = flow.current_hop(world.store(task.instance), task)
    if hop is None or not hop.is_open:
        raise InvalidTransition(f"{world.short_id(task)} is not delegated")
    return cancel(world, hop)


def cancel(world: World, hop: Delegation) -> Delegation:
    """The source takes a hop back; the task stays there, and is not offered by itself again.

    Raises InvalidTransition once somebody works on it.
    """
    source = world.store(hop.source)
    if world.instance(hop.source).status is InstanceStatus.TERMINATED:
        raise NotAllowed(f"{world.name(hop.source)} is terminated and takes nothing back")
    try:
        held = [t for t in world.store(hop.target).children(hop.id) if t.is_active]
    except HopperError:  # the target is gone: all the more reason
        held = []
    if held:
        raise InvalidTransition(
            f"{held[0].owner} works on it at {world.name(hop.target)}",
            "Let it finish, or release it first: hopper task release",
        )
    with world.command("cancel delegation"):
        world.announce()
        with world.writing(source) as tx:
            hop = source.delegation(hop.id) or hop
            if not hop.is_open:
                raise InvalidTransition(
                    f"the delegation is {hop.status}, not pending or accepted",
                    "See: hopper delegation list",
                )
            tx.change(
                hop, "delegation.cancelled", status=_D.CANCELLED,
                reason="taken back", completed_at=stamp(world.now()),
            )  # fmt: skip
            task = source.task(hop.task)
            if task is not None and task.status is TaskStatus.DELEGATED:
                tx.change(task, "task.returned", status=TaskStatus.PENDING, reason="taken back")
        flow.drive(world, [source])
    return source.delegation(hop.id) or hop

"""Flow: how hops travel between stores, down with the work and up with its completion.

A hop is a row on both sides, and each side changes in a transaction of its own; no step holds two
stores locked. Every step compares the two sides and does what is missing, so repeating one is
harmless: a crash, an unmounted project and a teammate's change are the same case.

`told` on a row is the status the other side is known to have; rows where it differs from the
status are the only ones to look at.
"""

from __future__ import annotations

from collections import Counter, deque
from itertools import zip_longest
from json import dumps
from typing import TYPE_CHECKING, Any

from hopper_tui.engine import routes
from hopper_tui.model.clock import stamp
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.errors import HopperError, NotFound, StorageError
from hopper_tui.model.lifecycle import (
    LEFT,
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    TaskStatus,
)
from hopper_tui.routing.fit import can_take
from hopper_tui.routing.rules import KEEPERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Part
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store, Transaction

_D = DelegationStatus
_T = TaskStatus
_TAKEN_UP_AGAIN = (_T.DONE, _T.FAILED, _T.BLOCKED, _T.PENDING)
"""A task in one of these is delegated again when a finished child of it is reopened."""
ARCHIVED = "run.archived"
"""What a hopper records when a run below it is archived."""
NEARBY = 200
"""Everyday commands offer again at most so many of those that wait: their cost stays flat."""
RESULTS_LIMIT = 48 << 10
"""Bytes of what goes up, as JSON; one event of a journal holds 64 KiB."""
_PAGE = 100
PATIENCE = 20
"""After so many tasks that nobody takes, those that want the same are not offered either."""


class _Touched:
    """What a step changed: stores with hops to settle, instances whose queue to offer again."""

    __slots__ = ("offers", "stores")

    def __init__(self) -> None:
        self.stores: list[Store] = []
        self.offers: list[str] = []


def drive(
    world: World,
    stores: Iterable[Store] = (),
    offers: Iterable[str] = (),
    *,
    most: int | None = NEARBY,
) -> int:
    """Settle the hops of these stores and offer the waiting tasks of these instances, and
    whatever that sets in motion, until all is at rest; returns how many steps were made.

    An instance's tasks are not looked at further after `most` of them found nobody; None looks at
    all, for changes that are rare and may suit any of them.
    """
    unsettled, unoffered = deque(stores), deque(offers)
    tried: set[tuple[int, str, str, str | None]] = set()
    declined: set[tuple[str, str]] = set()
    offered: dict[str, int] = {}
    steps = 0
    while unsettled or unoffered:
        touched = _Touched()
        if unsettled:
            store = unsettled.popleft()
            for hop in store.unsettled():
                mark = (id(store), hop.id, hop.status, hop.told)
                if mark in tried:
                    continue
                tried.add(mark)
                steps += _settle(world, hop, touched, declined)
        else:
            instance = unoffered.popleft()
            if offered.get(instance) == steps:
                continue
            steps += _offer_waiting(world, instance, touched, declined, most)
            offered[instance] = steps
        unsettled.extend(s for s in touched.stores if s not in unsettled)
        unoffered.extend(i for i in touched.offers if i not in unoffered)
    return steps


def settle(world: World, store: Store, instance: Instance) -> int:
    """After a task moved: bubble what changed, and offer what waited for it, dependents here and
    work above for the room that is free now; returns how many steps were made."""
    offers = [instance.id] if instance.scope is not HopperScope.ORCHESTRATION else []
    above = instance
    while above.parent is not None:
        try:
            above = world.instance(above.parent)
        except HopperError as error:  # it hears of this when it can be read again
            _warn(world, error.message)
            break
        offers.append(above.id)
        if above.scope is not HopperScope.ORCHESTRATION:
            break
    return drive(world, [store], offers)


def reconcile(world: World) -> int:
    """Settle every known store and offer everything that waits; returns how many steps."""
    world.announce()
    stores = list(world.stores())
    instances = [i for store in stores for i in store.instances()]
    routing = [i.id for i in instances if i.scope is not HopperScope.ORCHESTRATION]
    for store in stores:
        _offer_lost(world, store)
    return drive(world, stores, routing, most=None)


def _offer_lost(world: World, store: Store) -> None:
    """Offer accepted hops again whose target has lost its store, and with it the work.

    A project seen at several paths may have taken it at another one, and one that travels in git
    on another branch: neither has lost it.
    """
    own = {instance.id for instance in store.instances()}
    for hop in store.delegations((_D.ACCEPTED,)):
        elsewhere = len(world.places.paths(hop.target)) > 1
        target = _side(world, hop.target) if hop.source in own and not elsewhere else None
        if target is None or target is store or target.travels:
            continue
        if target.delegation(hop.id) is None:
            with world.writing(store) as tx:
                tx.told(hop.id, None)


def offer(
    world: World,
    tx: Transaction,
    task: Task,
    target: str,
    kind: DelegationType,
    *,
    notes: str | None = None,
    reason: str | None = None,
    subtasks: tuple[Part, ...] = (),
    decision: dict[str, Any] | None = None,
) -> tuple[Task, Delegation]:
    """Record, at the source, that a task is offered to a target."""
    from hopper_tui.model.ids import derived_key

    key = world.new_id()
    take_back(tx, world.store(task.instance), task, "delegated anew", stamp(world.now()))
    hop = Delegation(
        id=key,
        task=task.id,
        root_task=task.root_task or task.id,
        source=task.instance,
        target=target,
        type=kind,
        child_tasks=tuple(derived_key(key, str(n)) for n in range(max(1, len(subtasks)))),
        subtasks=subtasks,
        notes=notes,
        reason=reason,
        decision=decision,
        delegated_at=stamp(world.now()),
    )
    hop = tx.create(hop, "delegation.offered")
    task = tx.change(
        task, "task.delegated", status=_T.DELEGATED, owner=None, waiting=False, reason=None,
    )  # fmt: skip
    return task, hop


# One hop, one step


def _side(world: World, instance: str) -> Store | None:
    """The store of one side of a hop; None while it is not reachable."""
    try:
        world.instance(instance)
        return world.store(instance)
    except HopperError:
        return None


def check_known(world: World, hop: Delegation) -> None:
    """Raise NotFound if the target of a hop is known nowhere here, as a run whose database is
    gone."""
    try:
        world.store(hop.target)
    except NotFound:
        raise NotFound(
            f"{hop.target} took task {hop.task} and is not known here",
            f"If it is gone for good, take the task back: hopper delegation cancel {hop.id}",
        ) from None


def _settle(
    world: World, hop: Delegation, touched: _Touched, declined: set[tuple[str, str]]
) -> int:
    """Do what a hop needs next; returns 0 while one of its sides cannot be used."""
    try:
        return _step(world, hop, touched, declined)
    except StorageError as error:  # the row stays unsettled for the next command
        world.warnings.append(f"{hop.source} → {hop.target} waits: {error.message}")
        return 0


def _step(world: World, hop: Delegation, touched: _Touched, declined: set[tuple[str, str]]) -> int:
    source, target = _side(world, hop.source), _side(world, hop.target)
    if source is None or target is None:
        side, gone = (target, hop.source) if source is None else (source, hop.target)
        if side is not None and _hears_nothing(side, hop, gone):
            _tell(world, side, hop)
        return 0
    if source is not target:
        world.announce()
    here, there = source.delegation(hop.id), target.delegation(hop.id)
    if source is target:
        assert here is not None
        if here.status is _D.PENDING:
            _answer(world, source, target, here, touched)
        else:
            if here.status is _D.CANCELLED:
                _withdraw(world, target, here, here.reason)
            _report(world, source, target, here, touched, declined)
    elif here is None or there is None:
        known = here or there
        assert known is not None
        if here is not None and here.is_open:
            _answer(world, source, target, here, touched)
        else:
            _tell(world, target if here is None else source, known)
    elif here.status is _D.CANCELLED and (there.is_open or there.status is _D.FAILED):
        _withdraw(world, target, there, here.reason)
        touched.stores.append(target)
    elif here.status is not there.status and there.status is not _D.PENDING:
        _report(world, source, target, there, touched, declined)
    else:
        _tell(world, source, here)
        _tell(world, target, there)
    return 1


def _hears_nothing(store: Store, hop: Delegation, gone: str) -> bool:
    """Whether the other side of a hop, which is not known here, need not be told of it any more: it
    was archived, or belongs to another clone or worktree."""
    archived = store.events(key=gone, kind=ARCHIVED, newest=True, limit=1)
    return bool(archived) or (gone == hop.target and made_elsewhere(store, hop))


def made_elsewhere(store: Store, hop: Delegation) -> bool:
    """Whether a hop came through git from another clone or worktree, whose runs are not known
    here."""
    from hopper_tui.engine.checkout import run_is_beside

    first = store.events(key=hop.id, limit=1) if store.travels else []
    return bool(first) and (first[0].replica != store.replica or run_is_beside(store, hop.target))


def _tell(world: World, store: Store, hop: Delegation) -> None:
    if hop.told != hop.status:
        with world.writing(store) as tx:
            tx.told(hop.id, hop.status)


def _answer(world: World, source: Store, target: Store, hop: Delegation, touched: _Touched) -> None:
    """The target takes an offered hop in, leaves it to somebody, or rejects it."""
    task = source.task(hop.task)
    if task is None:
        _tell(world, source, hop)
        return
    instance = world.instance(hop.target)
    option = routes.option(world, instance)
    escalated = hop.type is DelegationType.ESCALATE
    refusal = None if escalated else can_take(task, option) or no_room_for(world, hop)
    with world.writing(target) as tx:
        row = target.delegation(hop.id)
        if row is None:
            fresh = hop._replace(status=_D.PENDING, told=None, decision=None)
            row = tx.create(fresh, "delegation.received")
        elif row.status is not _D.PENDING:
            return
        if refusal is not None and hop.status is _D.PENDING:
            tx.change(
                row,
                "delegation.rejected",
                status=_D.REJECTED,
                reason=refusal,
                result={"automatic": True},
                completed_at=stamp(world.now()),
            )
        elif option.settings.auto_accept or escalated or hop.status is _D.ACCEPTED:
            take_in(world, tx, target, row, task)
        else:
            tx.told(row.id, _D.PENDING)
    if source is not target:
        _tell(world, source, hop._replace(told=None))
    touched.stores.append(target)
    if instance.scope is not HopperScope.ORCHESTRATION:
        touched.offers.append(instance.id)


def take_in(world: World, tx: Transaction, store: Store, hop: Delegation, task: Task) -> Delegation:
    """Accept a hop at its target: make the child tasks, and the phases of a plan with theirs, and
    mark it accepted."""
    scope = world.instance(hop.target).scope
    escalated = hop.type is DelegationType.ESCALATE
    came_down = world.instance(hop.source).scope is not HopperScope.ORCHESTRATION
    at = stamp(world.now())
    came = f"escalated by {world.name(hop.source)}" + (f": {hop.notes}" if hop.notes else "")
    routed = scope is HopperScope.GLOBAL or (scope is HopperScope.PROJECT and not escalated)
    preference = task.executor_preference
    if escalated and scope is HopperScope.PROJECT:
        preference = "human"
    elif scope is HopperScope.ORCHESTRATION and preference in KEEPERS and came_down:
        preference = None  # whoever was to do it where it was kept, a worker does it now
    for key, part in zip_longest(hop.child_tasks, hop.subtasks[: len(hop.child_tasks)]):
        child = task._replace(
            id=key,
            instance=hop.target,
            project=task.project if not escalated else None,
            executor_preference=preference,
            status=_T.PENDING,
            owner=None,
            depends_on=(),
            open_deps=0,
            parent_task=task.id,
            root_task=hop.root_task,
            origin=hop.id,
            attempts=0,
            not_before=None,
            lease_expires_at=None,
            result=None,
            feedback=None,
            reason=came if escalated else None,
            waiting=routed,
            needs_orchestration=task.needs_orchestration and not hop.subtasks,
            created_at=at,
            started_at=None,
            completed_at=None,
        )
        if part is not None:
            from hopper_tui.engine import breakdown

            child = breakdown.worded(child, part, hop)
        known = store.task(key)
        if known is None:
            child = tx.create(child, "task.created")
        else:  # accepting was undone before
            child = tx.change(
                known, "task.reopened", status=_T.PENDING, owner=None, reason=child.reason,
                waiting=routed, completed_at=None,
            )  # fmt: skip
        if part is not None and scope is HopperScope.ORCHESTRATION:
            breakdown.hand_on(world, tx, store, child, part, hop)
    return tx.change(hop, "delegation.accepted", status=_D.ACCEPTED, accepted_at=at)


def no_room_for(world: World, hop: Delegation) -> str | None:
    """Why the target of a hop cannot have the phases that a plan asks for; None if it can."""
    if all(isinstance(part, str) for part in hop.subtasks):
        return None
    from hopper_tui.engine import breakdown

    return breakdown.refusal(world, hop.subtasks, world.instance(hop.target))


def _report(
    world: World,
    source: Store,
    target: Store,
    hop: Delegation,
    touched: _Touched,
    declined: set[tuple[str, str]],
) -> None:
    """The source learns what became of a hop, and its task follows."""
    silent = (
        hop.status in (_D.COMPLETED, _D.FAILED)
        and not world.settings(world.instance(hop.target)).parent_hopper
    )
    if silent:
        _tell(world, target, hop)
        return
    feedback = feedback_of(target, hop) if hop.status is _D.COMPLETED else None
    with world.writing(source) as tx:
        here = source.delegation(hop.id)
        assert here is not None
        here = tx.change(
            here, f"delegation.{hop.status}", status=hop.status, reason=_hop_reason(here, hop),
            result=hop.result, accepted_at=hop.accepted_at, completed_at=hop.completed_at,
        )  # fmt: skip
        task = source.task(here.task)
        if task is not None and is_current(source, here):
            after = _follow_hop(world, tx, task, here, feedback)
            if after is not task:
                follow(world, tx, source, after)
                _pass_back(world, tx, source, after)
        tx.told(here.id, here.status)
    if source is not target:
        _tell(world, target, hop._replace(told=None))
    if hop.status is _D.REJECTED:
        declined.add((hop.task, hop.target))
    touched.stores.append(source)
    touched.offers.append(hop.source)
    parent = world.instance(hop.target).parent
    if parent is not None and parent != hop.source:
        touched.offers.append(parent)


def _hop_reason(here: Delegation, hop: Delegation) -> str | None:
    """What went wrong with a hop; when all is well, why it was made."""
    if hop.status in (_D.REJECTED, _D.FAILED, _D.CANCELLED):
        return hop.reason
    return str(here.decision["reason"]) if here.decision else None


def current_hop(store: Store, task: Task) -> Delegation | None:
    """The hop that a task at its source follows: the open one, else the last that was not taken
    back."""
    hops = store.hops_of(task.id)
    return next((hop for hop in reversed(hops) if is_current(store, hop)), None)


def is_current(store: Store, hop: Delegation) -> bool:
    """Whether a task follows this hop of all it was sent by: the first that is open, for two
    people may have sent it; with none open, the last that was not taken back.

    The last hop is not always the one: an undo takes back a later hop and opens an earlier one.
    """
    hops = store.hops_of(hop.task)
    first = next((h for h in hops if h.is_open), None)
    if first is not None:
        return first.id == hop.id
    return [h for h in hops if h.id == hop.id or h.status is not _D.CANCELLED][-1].id == hop.id


def feedback_of(target: Store, hop: Delegation) -> dict[str, Any] | None:
    """The feedback on the tasks a hop made, as one; None if there is none."""
    given = [t.feedback for t in target.children(hop.id) if t.feedback]
    if not given:
        return None
    from hopper_tui.memory.feedback import aggregate
    from hopper_tui.model.feedback import TaskFeedback

    return aggregate([TaskFeedback.from_json(f) for f in given]).json()


def _follow_hop(
    world: World, tx: Transaction, task: Task, hop: Delegation, feedback: dict[str, Any] | None
) -> Task:
    """A task after its latest hop changed; the same task when nothing follows."""
    target = world.name(hop.target)
    if hop.status is _D.COMPLETED and task.status is not _T.DONE:
        return tx.change(
            task, "task.done", status=_T.DONE, result=hop.result, reason=None,
            feedback=task.feedback or feedback, completed_at=stamp(world.now()),
        )  # fmt: skip
    if hop.status is _D.ACCEPTED and task.status in _TAKEN_UP_AGAIN:
        return tx.change(
            task, "task.delegated", status=_T.DELEGATED, reason=None, completed_at=None,
            waiting=False,
        )  # fmt: skip
    if task.status is not _T.DELEGATED:
        return task
    if hop.status is _D.FAILED:
        if (
            task.origin is None
            and world.instance(task.instance).status is InstanceStatus.TERMINATED
        ):
            at = stamp(world.now())
            return tx.change(
                task, "task.cancelled", status=_T.CANCELLED, reason=hop.reason, completed_at=at
            )
        return tx.change(task, "task.blocked", status=_T.BLOCKED, reason=hop.reason)
    if hop.status is _D.REJECTED:
        return _returned(world, tx, task, f"{target} rejected it: {hop.reason}")
    if hop.status is _D.CANCELLED:
        return _returned(world, tx, task, hop.reason or f"{target} handed it back")
    return task


def _pass_back(world: World, tx: Transaction, store: Store, task: Task) -> None:
    """A task that comes back to a hopper which is gone or at rest goes back further."""
    if not task.is_open or task.status is _T.DELEGATED:
        return
    instance = world.instance(task.instance)
    if instance.status in LEFT:
        from hopper_tui.engine import instances

        instances.hand_back(world, tx, store, instance)


def _returned(world: World, tx: Transaction, task: Task, reason: str) -> Task:
    """A task back at its source, which offers it again if it routes."""
    routes_on = world.instance(task.instance).scope is not HopperScope.ORCHESTRATION
    return tx.change(task, "task.returned", status=_T.PENDING, waiting=routes_on, reason=reason)


def follow(world: World, tx: Transaction, store: Store, task: Task) -> None:
    """After a task moved: its origin hop, in the same store, completes, fails or reopens.

    All children done completes a hop; one failed or cancelled child fails it at once.
    """
    hop = store.delegation(task.origin) if task.origin else None
    if hop is None or hop.status in (_D.PENDING, _D.REJECTED, _D.CANCELLED):
        return
    children = store.children(hop.id)
    lost = [t for t in children if t.status in (_T.FAILED, _T.CANCELLED)]
    at = stamp(world.now())
    if all(t.status is _T.DONE for t in children):
        if hop.status is not _D.COMPLETED:
            tx.change(
                hop, "delegation.completed", status=_D.COMPLETED, reason=None, completed_at=at,
                result=_together(children),
            )  # fmt: skip
    elif lost and hop.status is _D.ACCEPTED:
        first = lost[0]
        why = f"{first.status}: {first.reason}" if first.reason else str(first.status)
        if len(children) > 1:
            why = f"{len(lost)} of {len(children)} subtasks lost; {first.title!r} {why}"
        tx.change(hop, "delegation.failed", status=_D.FAILED, reason=why, completed_at=at)
    elif not lost and hop.status is not _D.ACCEPTED:
        tx.change(hop, "delegation.reopened", status=_D.ACCEPTED, reason=None, completed_at=None)


def _together(children: Sequence[Task]) -> Any:
    """The result that goes up: that of an only child, a list of those of several if there is any.

    One that would be too long for a record above is left where it is.
    """
    room, kept = RESULTS_LIMIT, []
    for task in children:
        size = len(dumps(task.result))
        fits = size <= room
        kept.append(task.result if fits else f"too long to pass on: see {task.id}")
        room -= size if fits else 0
    if len(kept) > 1 and any(result is not None for result in kept):
        return kept
    return next(iter(kept), None)


def _withdraw(world: World, target: Store, hop: Delegation, reason: str | None) -> None:
    """The source took a hop back: its open children are cancelled."""
    why = reason or f"taken back by {world.name(hop.source)}"
    with world.writing(target) as tx:
        for child in target.children(hop.id):
            if child.is_open:
                cancel(tx, target, child, why, world)
        if hop.status is not _D.CANCELLED:
            cancel_hop(tx, hop, reason, stamp(world.now()))


def cancel_hop(tx: Transaction, hop: Delegation, reason: str | None, at: str) -> Delegation:
    """Mark one side of a hop as taken back."""
    return tx.change(
        hop, "delegation.cancelled", status=_D.CANCELLED, reason=reason, completed_at=at
    )


def take_back(tx: Transaction, store: Store, task: Task, reason: str | None, at: str) -> None:
    """Take back the hops of a task below which work may be open: also a failed decompose, whose
    other subtasks go on without it."""
    for hop in store.hops_of(task.id):
        if hop.is_open or (hop.status is _D.FAILED and len(hop.child_tasks) > 1):
            cancel_hop(tx, hop, hop.reason if hop.status is _D.FAILED else reason, at)


def cancel(tx: Transaction, store: Store, task: Task, reason: str | None, world: World) -> Task:
    """Cancel a task, and the hop it went down by."""
    at = stamp(world.now())
    take_back(tx, store, task, reason, at)
    return tx.change(
        task, "task.cancelled", status=_T.CANCELLED, reason=reason, owner=None, waiting=False,
        completed_at=at,
    )  # fmt: skip


# Offering what waits


def _offer_waiting(
    world: World,
    key: str,
    touched: _Touched,
    declined: set[tuple[str, str]],
    most: int | None,
) -> int:
    try:
        instance = world.instance(key)
        if instance.scope is HopperScope.ORCHESTRATION or not instance.is_running:
            return 0
    except HopperError:
        return 0
    steps = 0
    refused: Counter[tuple[str | None, tuple[str, ...]]] = Counter()
    for task in _waiting(world.store(key), key, refused, most):
        kind = (task.project, task.required_capabilities)
        if refused[kind] >= PATIENCE:
            refused[kind] += 1
            continue
        try:
            placed, made = routes.place(world, instance, task, declined)
        except HopperError as error:  # one task that cannot be placed holds up no other
            _warn(world, f"a waiting task could not be offered: {error.message}")
            placed = made = False
        steps += placed
        refused[kind] += not placed
        if made:
            touched.offers.append(key)
        if placed:
            touched.stores.append(world.store(key))
            # one at a time, so that the next decision sees the load this one made
            hop = current_hop(world.store(key), task)
            if hop is not None and hop.is_open:
                _settle(world, hop, touched, declined)
    return steps


def _warn(world: World, sentence: str) -> None:
    if sentence not in world.warnings:
        world.warnings.append(sentence)


def _waiting(
    store: Store,
    instance: str,
    refused: Counter[tuple[str | None, tuple[str, ...]]],
    most: int | None,
) -> Iterator[Task]:
    """What waits, page by page: what found a place leaves the queue, what was refused stays."""
    while most is None or refused.total() < most:
        page = store.waiting(instance, refused.total(), _PAGE)
        yield from page
        if len(page) < _PAGE:
            return

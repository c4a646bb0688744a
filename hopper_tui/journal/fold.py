"""The fold: what a set of events makes of one entity, whatever branches they came by.

A pure function of the set. Events are taken in their order, and each says which events it has
seen; so of two that have not seen each other both are known, one wins by a rule, and the other
one is listed. Source of the rules: docs/git.md, "When two people change the same task".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.journal.rules import BOUND, FIRST, RANK, SETS, SHAPES, STATUS, TAKEN, register_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hopper_tui.journal.record import Record

Order = tuple[str, str, str]
_REMOVED = ("instance.removed", "task.removed")
"""What takes an entity away, until it is created again."""


class Clash(NamedTuple):
    """Two events about one register that had not seen each other; `kind` is "field" (the losing
    value is kept), "claim" (both took the task) or "void" (what came of it is settled)."""

    register: str
    winner: str
    loser: str
    kind: str


class _Head(NamedTuple):
    """An event that no other has seen and replaced yet, and what it leaves a register at."""

    order: Order
    value: Any
    since: Order
    """For a task that somebody has: when they took it."""


class Fold:
    """The state of one entity after the events added so far, in order."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.created: Order | None = None
        self.changed_at = ""
        self._seen: set[str] = set()
        self._replaced: set[tuple[str, str]] = set()
        self._creations: set[str] = set()
        self._heads: dict[str, dict[str, _Head]] = {}
        self._moves: dict[str, _Head] = {}
        self._elements: dict[str, dict[str, Order]] = {}
        self._removed = False
        self.latest: Order | None = None
        self._shapes = SHAPES[entity]
        self._bound = BOUND[entity]
        self._sets = SETS[entity]

    def add(self, record: Record) -> None:
        """Take in the next event; one that was added before changes nothing."""
        if record.id in self._seen:
            return
        self._seen.add(record.id)
        self.latest = record.order
        if record.kind in _REMOVED:
            self._removed = True
            return
        patch = record.patch
        if not (patch.set or patch.on or patch.off):
            return
        self.changed_at = record.at
        if record.is_creation:
            if self._removed:
                self._begin_again()
            self._creations.add(record.id)
            if self.created is None:
                self.created = record.order
        for register, ids in record.base.items():
            self._replaced.update((register, i) for i in ids)
        bound: dict[str, Any] = {}
        for field, value in patch.set.items():
            fits = self._shapes.get(field)
            if fits is None or not fits(value):
                continue
            if field in self._bound:
                bound[field] = value
            elif field in self._sets:
                if not (record.is_creation and field in self._elements):
                    self._replace_elements(field, value, record.order)
            else:
                self._put(field, record, _Head(record.order, value, record.order))
        for field, gone in patch.off.items():
            for element in gone:
                self._elements.get(field, {}).pop(element, None)
        for field, new in patch.on.items():
            if field in self._sets:
                for element in new:
                    self._elements.setdefault(field, {}).setdefault(element, record.order)
        if bound:
            self._move(record, bound)

    def _begin_again(self) -> None:
        """What was removed and is created again begins with nothing."""
        self._removed = False
        self.created = None
        for known in (self._creations, self._heads, self._moves, self._elements):
            known.clear()

    def _put(self, register: str, record: Record, head: _Head) -> None:
        """A new head of a register, instead of those its author saw."""
        heads = self._heads.setdefault(register, {})
        if record.is_creation and heads:
            return  # made twice: what is known stays
        if not record.is_creation:
            for gone in (*record.base.get(register, ()), *self._creations):
                heads.pop(gone, None)
        if (register, record.id) not in self._replaced:
            heads[record.id] = head

    def _move(self, record: Record, bound: Mapping[str, Any]) -> None:
        """A change of the status register, based on the moves that its author saw."""
        saw = [self._moves[i] for i in record.base.get(STATUS, ()) if i in self._moves]
        if not saw and not record.is_creation:
            saw = [self._moves[i] for i in self._creations if i in self._moves]
        before = _winner(self.entity, saw)
        state = {**before.value, **bound} if before else dict(bound)
        since = record.order
        if before and _same_holder(before.value, state):
            since = before.since
        head = _Head(record.order, state, since)
        self._moves[record.id] = head
        self._put(STATUS, record, head)

    def _replace_elements(self, field: str, value: Iterable[str], order: Order) -> None:
        before = self._elements.get(field, {})
        self._elements[field] = {e: before.get(e, order) for e in value}

    # What became of it

    def heads(self, register: str) -> tuple[str, ...]:
        """What an event that writes a register now has seen of it: the base to record.

        Empty when that is only how the entity was created.
        """
        heads = self._heads.get(register, {})
        if register == STATUS:
            return tuple(sorted(i for i in heads if i not in self._creations))
        winner = self._best(register)
        return (winner,) if winner is not None and winner not in self._creations else ()

    def all_heads(self, register: str) -> tuple[str, ...]:
        """Every value of a register that still stands, for an event that settles a clash."""
        return tuple(sorted(i for i in self._heads.get(register, {}) if i not in self._creations))

    def base(self, fields: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The base of an event that sets these fields now."""
        registers = {register_of(self.entity, f) for f in fields if f not in self._sets}
        seen = {register: self.heads(register) for register in sorted(registers)}
        return {register: ids for register, ids in seen.items() if ids}

    def _best(self, register: str) -> str | None:
        heads = self._heads.get(register)
        if not heads:
            return None
        if len(heads) == 1:
            return next(iter(heads))
        if register == STATUS:
            return max(heads, key=lambda i: _preference(self.entity, heads[i]))
        return max(heads, key=lambda i: heads[i].order)

    @property
    def state(self) -> dict[str, Any] | None:
        """The fields as recorded; None when nothing is left of the entity."""
        if self._removed or not (self._heads or self._elements):
            return None
        state: dict[str, Any] = {}
        for register, heads in self._heads.items():
            best = self._best(register)
            if best is None:
                continue
            if register == STATUS:
                state |= heads[best].value
            else:
                state[register] = heads[best].value
        for field, elements in self._elements.items():
            state[field] = tuple(elements)
        return state

    def value_of(self, event: str, register: str) -> dict[str, Any]:
        """What the fields of a register are by one of its heads."""
        head = self._heads[register][event]
        return dict(head.value) if register == STATUS else {register: head.value}

    def clashes(self) -> list[Clash]:
        """The values that lost against one that had not seen them, the oldest first."""
        found: list[tuple[Order, Clash]] = []
        for register, heads in self._heads.items():
            if len(heads) < 2:
                continue
            best = self._best(register)
            assert best is not None
            for event, head in heads.items():
                kind = self._kind(register, heads[best], head)
                if event != best and kind is not None:
                    found.append((head.order, Clash(register, best, event, kind)))
        return [clash for _, clash in sorted(found)]

    def _kind(self, register: str, best: _Head, other: _Head) -> str | None:
        if register != STATUS:
            return "field" if other.value != best.value else None
        if self.entity != "task":
            return None
        status, lost = best.value.get(STATUS), other.value.get(STATUS)
        if status in TAKEN and lost in TAKEN:
            return None if _same_holder(best.value, other.value) else "claim"
        if lost in (None, "pending") and status in (None, "pending"):
            return None
        return "void"

    def edges(self) -> list[tuple[Order, str]]:
        """The dependencies of a task, each with when it was put there."""
        elements = self._elements.get("depends_on", {})
        return [(order, dep) for dep, order in elements.items()]


def _same_holder(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the task stays in the same hands."""
    one, two = before.get(STATUS), after.get(STATUS)
    if one not in TAKEN or two not in TAKEN:
        return False
    if "delegated" in (one, two):
        return bool(one == two)
    return str(before.get("owner")) == str(after.get("owner"))


def _preference(entity: str, head: _Head) -> tuple[int, bool, tuple[int, ...], Order]:
    """Sorts the head that wins to the end; of what one holder did, that is the later."""
    status = str(head.value.get(STATUS) or "pending")
    order = head.since if status in TAKEN else head.order
    when = tuple(ord(sign) for part in order for sign in part)
    first = status in FIRST[entity]
    return (
        RANK[entity].get(status, 0),
        first,
        tuple(-n for n in when) if first else when,
        head.order,
    )


def _winner(entity: str, heads: list[_Head]) -> _Head | None:
    if len(heads) < 2:
        return heads[0] if heads else None
    return max(heads, key=lambda head: _preference(entity, head))


def fold(entity: str, records: Iterable[Record]) -> Fold:
    """The fold of the events of one entity, in whatever order they come."""
    folded = Fold(entity)
    for record in sorted(records, key=lambda r: r.order):
        folded.add(record)
    return folded

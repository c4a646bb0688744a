"""Recording: a transaction whose events become one journal file before the cache commits."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from hopper_tui.journal import files, hlc, record
from hopper_tui.journal.fold import Fold
from hopper_tui.journal.record import Record
from hopper_tui.journal.rules import STATUS
from hopper_tui.model.clock import seconds
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.errors import InvalidTransition, LeaseLost, StorageError
from hopper_tui.model.event import Event, Patch
from hopper_tui.model.ids import SHORT_LENGTH
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import ACTIVE, CLOSED
from hopper_tui.model.task import Task
from hopper_tui.store.projecting import Projection
from hopper_tui.store.tables import TABLES, Table
from hopper_tui.store.writing import SqliteTransaction

if TYPE_CHECKING:
    import sqlite3
    from types import TracebackType

    from hopper_tui.model.conflict import Conflict
    from hopper_tui.store.journaled import JournaledStore
    from hopper_tui.store.leases import Lease

E = TypeVar("E", bound=Task | Instance | Delegation)

_LATEST = "SELECT clock FROM events WHERE clock IS NOT NULL ORDER BY clock DESC LIMIT 1"
"""Asked so that the index answers, which holds only events that have a clock."""
_INSERT = (
    "INSERT INTO events (grp, at, actor, kind, entity, key, patch, id, clock, replica)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class JournalTransaction(SqliteTransaction):
    """Writes inside one transaction of a JournaledStore.

    Leaving the block writes the file, which is the commit point; after that the change is durable
    whatever becomes of the cache.
    """

    def __init__(
        self, store: JournaledStore, db: sqlite3.Connection, group: str, actor: str, at: str
    ) -> None:
        super().__init__(store, db, group, actor, at)
        self._journaled = store
        self._db = db
        latest = db.execute(_LATEST).fetchone()
        self._clock = latest[0] if latest else hlc.START
        self._name = ""
        self._records: list[tuple[int, Record, bytes]] = []
        self._folds: dict[tuple[str, str], Fold] = {}
        self._taken: list[str] = []
        self._taking = False
        self._freed: set[str] = set()
        self._finished: set[str] = set()
        self._held = ExitStack()
        self._holds = False
        self.is_durable = False

    def __enter__(self) -> JournalTransaction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._held:
            try:
                if kind is None:
                    self.commit()
            finally:
                if not self.is_durable and self._taken:
                    with suppress(Exception):
                        self._journaled.leases.drop(self._taken)

    # Events

    def _record(
        self,
        kind: str,
        entity: str,
        key: str,
        patch: Patch,
        note: Any,
        base: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        folded = None
        if patch != Patch():
            folded = self._fold(entity, key)
            if base is None:
                base = {} if "id" in patch.set else folded.base(patch.set)
            if entity == "task" and STATUS in patch.set:
                base = self._watch_claim(key, folded, patch, base)
        written = self._write(
            Record(
                "", self._tick(), self._journaled.clone.id, self._actor, self.at, self._group,
                kind, entity, key, patch._replace(base={}), base or {}, note,
            )
        )  # fmt: skip
        if folded is not None and folded.latest is not None and written.order < folded.latest:
            del self._folds[entity, key]  # the clock is at its end
        elif folded is not None:
            folded.add(written)
        if self._taking:
            self._taking = False
            self._taken.append(key)
            self._journaled.leases.take(key, patch.set.get("owner"), written.id, self._name)

    def _tick(self) -> str:
        now = seconds(self.at) if self.at else time.time()
        self._clock = hlc.tick(self._clock, now)
        if not self._name:
            store = self._journaled
            self._name = files.new_name(self._clock, store.clone.id, store.salt())
        return self._clock

    def _write(self, fresh: Record) -> Record:
        written, line = record.write(fresh)
        r = written
        seq = self._db.execute(
            _INSERT,
            (
                r.group, r.at, r.actor, r.kind, r.entity, r.key, line.decode(), r.id, r.clock,
                r.replica,
            ),
        ).lastrowid  # fmt: skip
        assert seq is not None
        self._records.append((seq, written, line))
        return written

    def _fold(self, entity: str, key: str) -> Fold:
        known = self._folds.get((entity, key))
        if known is None:
            known = self._folds[entity, key] = self._journaled.fold_of(self._db, entity, key)
        return known

    # Projections

    def _insert(self, table: Table[E], value: E) -> E:
        if self._journaled._value(table, value.id) is not None:
            raise StorageError(f"{table.entity} {value.id} is there already", "Try again")
        return self._shown(table, value.id)

    def _project(self, table: Table[E], before: E, changed: dict[str, Any]) -> E:
        shown = self._shown(table, before.id)
        if isinstance(before, Task) and isinstance(shown, Task) and shown.is_active:
            until = before.lease_expires_at
            if until is not None and until != shown.lease_expires_at:
                self.lease(shown.id, until)
                return shown._replace(lease_expires_at=until)
        return shown

    def _shown(self, table: Table[E], key: str) -> E:
        projection = Projection(self._db, self._journaled.instance_id)
        projection.show(key, self._fold(table.entity, key))
        projection.finish()
        value = self._journaled._value(table, key)
        if value is None:
            raise StorageError(f"{table.entity} {key} is not in this checkout", "Look at: git log")
        return value

    def remove_instance(self, key: str, kind: str) -> None:
        """Forget an instance and its tasks; the events stay."""
        rows = self._db.execute("SELECT id FROM tasks WHERE instance_id = ?", (key,)).fetchall()
        projection = Projection(self._db, self._journaled.instance_id)
        for entity, gone in [("instance", key), *(("task", row[0]) for row in rows)]:
            folded = self._fold(entity, gone)
            self._record(f"{entity}.removed" if gone != key else kind, entity, gone, Patch(), None)
            folded.add(self._records[-1][1])
            projection.show(gone, folded)
        projection.finish()

    def resolve(self, conflict: Conflict, *, take_loser: bool) -> None:
        """Record which of two values stands; what nobody had seen of the other is seen now."""
        folded = self._fold(conflict.entity, conflict.key)
        side = conflict.loser if take_loser else conflict.winner
        base = {conflict.register: folded.all_heads(conflict.register)}
        patch = Patch(set=dict(side.values))
        self._record(
            f"{conflict.entity}.resolved", conflict.entity, conflict.key, patch, None, base
        )
        self._shown(TABLES[conflict.entity], conflict.key)

    def adopt(self, event: Event) -> None:
        """Record an event of a store that had no journal, as it was."""
        self._group, self._actor, self.at = event.group, event.actor, event.at
        self._record(event.kind, event.entity, event.key, event.patch, event.note)
        if event.entity in TABLES and event.patch != Patch():
            projection = Projection(self._db, self._journaled.instance_id)
            projection.show(event.key, self._fold(event.entity, event.key))
            projection.finish()

    # Claims

    def _watch_claim(
        self, key: str, folded: Fold, patch: Patch, base: dict[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]]:
        """Take, free or close the lease of a task whose status changes."""
        state = folded.state or {}
        was, will = state.get(STATUS), patch.set[STATUS]
        if will not in ACTIVE:
            if was in ACTIVE or will in CLOSED or self._journaled.leases.exist:
                self._hold()
                self._check_lease(key, was)
                (self._finished if will in CLOSED else self._freed).add(key)
                (self._freed if will in CLOSED else self._finished).discard(key)
            return base
        owner = patch.set.get("owner", state.get("owner"))
        if was in ACTIVE and owner == state.get("owner"):
            return base
        self._hold()
        leases = self._journaled.leases
        other = leases.in_the_way(key, self.at)
        if other is not None and not self._is_known(other.event):
            raise InvalidTransition(_elsewhere(other), "Take another: hopper next --claim")
        known = leases.of(key)
        if known is not None and known.owner and not self._is_known(known.event):
            # what another worktree began and gave up does not come back with a merge; what it
            # finished, which is nobody's lease any more, does
            base = {**base, STATUS: tuple(sorted({*base.get(STATUS, ()), known.event}))}
        self._taking = True
        self._freed.discard(key)
        self._finished.discard(key)
        return base

    def _check_lease(self, key: str, was: object) -> None:
        """Raise LeaseLost when somebody in another worktree took the task from its holder."""
        other = self._journaled.leases.in_the_way(key, self.at)
        if was in ACTIVE and other is not None and not self._is_known(other.event):
            raise LeaseLost(_elsewhere(other), "Take another task: hopper next --claim")

    def _is_known(self, event: str) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM events WHERE id = ? AND present = 1", (event,)
        ).fetchone()
        return found is not None

    def begin_claiming(self) -> str:
        """Keep everybody else in the clone from claiming until this is over; returns its time."""
        self._hold()
        return self.at

    def _hold(self) -> None:
        if not self._holds:
            self._held.enter_context(self._journaled.leases.held())
            self._holds = True

    def lease(self, task: str, until: str | None) -> None:
        """Let whoever holds a task hold it until then: local to this machine, like every lease."""
        super().lease(task, until)
        self._hold()
        self._journaled.leases.renew(task, until)

    # The commit point

    def commit(self) -> None:
        """Write the events as one journal file; nothing is written when there are none."""
        if not self._records:
            return
        store = self._journaled
        ends = [(r.key, r.id) for _, r, _ in self._records if r.key in self._finished]
        if ends:
            store.leases.begin_closing(ends, self._name)
        if self._freed:
            store.leases.begin_freeing(self._freed, self._name)
        if self._taken or ends or self._freed:
            store.step("leased")
        self._list_file()
        store.journal.write(self._name, files.content([r[2] for r in self._records]), store.step)
        self.is_durable = True
        with suppress(OSError):
            store.clone.keep(store.journal, self._name)
        store.step("kept")
        with suppress(Exception):  # the file says the same; who comes next looks there
            self._settle_leases()
        store.step("confirmed")

    def _list_file(self) -> None:
        """Note in the cache what the file will hold, so that it need not be read again."""
        file = self._db.execute(
            "INSERT INTO files (name, present) VALUES (?, 1)", (self._name,)
        ).lastrowid
        self._db.executemany(
            "INSERT INTO file_events VALUES (?, ?)", [(file, seq) for seq, _, _ in self._records]
        )
        names = self._journaled.journal.names() | {self._name}
        self._journaled._set_mark(self._db, names)

    def _settle_leases(self) -> None:
        leases = self._journaled.leases
        if self._taken:
            leases.confirm(self._taken)
        if not (self._freed or self._finished) or not leases.exist:
            return
        leases.drop(self._freed)
        ends = {r.key: r.id for _, r, _ in self._records if r.key in self._finished}
        leases.close_tasks(ends.items(), self._name)


def _elsewhere(lease: Lease) -> str:
    where = lease.journal.removesuffix("/.hopper/journal")
    what = f"is held by {lease.owner}" if lease.owner else "is finished"
    return f"task {lease.task[:SHORT_LENGTH]} {what} in another worktree: {where}"

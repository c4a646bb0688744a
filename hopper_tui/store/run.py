"""The store of a run: a SQLite store for many small commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hopper_tui.model.delegation import Delegation
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import ACTIVE, TaskStatus
from hopper_tui.model.query import Query, Term
from hopper_tui.model.task import Task
from hopper_tui.store.database import Writing
from hopper_tui.store.sqlite import SqliteStore
from hopper_tui.store.tables import TASKS, Table
from hopper_tui.store.writing import SqliteTransaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from hopper_tui.model.event import Patch

E = TypeVar("E", bound=Task | Instance | Delegation)

_INSERT_EVENT = (
    "INSERT INTO events (grp, at, actor, kind, entity, key, patch, note, prev)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT last_event FROM tasks WHERE id = ?))"
)
_INSERT_LOOSE = (
    "INSERT INTO events (grp, at, actor, kind, entity, key, patch, note, prev)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
_INSERT_TASK = (
    f"INSERT INTO tasks ({TASKS.select}, last_event)"
    f" VALUES ({', '.join('?' * len(TASKS.fields))}, ?)"
)
_CHAIN = (
    "UPDATE events SET prev = 0",
    "UPDATE events SET prev = chain.prev FROM ("
    " SELECT seq, lag(seq) OVER (PARTITION BY key ORDER BY seq) AS prev FROM events"
    " WHERE entity = 'task' AND key IN (SELECT id FROM tasks)"
    ") AS chain WHERE chain.seq = events.seq",
    "UPDATE tasks SET last_event = chain.last FROM ("
    " SELECT key, max(seq) AS last FROM events WHERE prev IS NOT 0 GROUP BY key"
    ") AS chain WHERE chain.key = tasks.id",
)
"""Each event of a task names the one before it, none the first; 0 stands in no chain."""
_LOOSEN = "UPDATE events SET prev = 0 WHERE prev IS NOT 0 AND key NOT IN (SELECT id FROM tasks)"
_ABOUT = (
    "seq IN (WITH RECURSIVE chain (seq) AS (SELECT last_event FROM tasks WHERE id = ?"
    " UNION ALL SELECT prev FROM chain JOIN events USING (seq)) SELECT seq FROM chain"
    " UNION ALL SELECT seq FROM events WHERE prev = 0 AND key = ?)"
)
_FIRST_END = "first_end"
"""Under this local name stands a time that no lease ends before."""
_KEEP = "INSERT OR REPLACE INTO local VALUES (?, ?)"
_NEVER = "~"
"""Later than any time."""
_ARE_HELD = Term("status", tuple(ACTIVE))
_EARLY = (
    "SELECT count(*) FROM tasks WHERE status IN ('claimed', 'in_progress')"
    f" AND lease_expires_at < (SELECT value FROM local WHERE name = '{_FIRST_END}')"
)


class _Known:
    """What one store knows as long as nobody else writes; None is not known.

    No lease ends before `first_end`; `latest` is the task that was changed last; `depend` says
    whether any task depends on another.
    """

    __slots__ = ("counts", "depend", "first_end", "instances", "latest")

    def __init__(self) -> None:
        self.instances: list[Instance] | None = None
        self.counts: dict[str, dict[TaskStatus, int]] | None = None
        self.first_end: str | None = None
        self.latest: Task | None = None
        self.depend: bool | None = None

    def changed(self, before: Task | None, after: Task) -> None:
        """Take note of a task that was made or changed."""
        self.latest = after
        if self.counts is not None:
            if before is not None:
                self._count(before, -1)
            self._count(after, 1)

    def _count(self, task: Task, by: int) -> None:
        assert self.counts is not None
        counts = self.counts.setdefault(task.instance, {})
        counts[task.status] = counts.get(task.status, 0) + by


class RunStore(SqliteStore):
    """The store of a run, of which a loss of power may take the last commits.

    A crash of a process takes none. What a run had finished by then is done again, for the hop
    above says so.

    Each page that a commit changes is written as a whole, so pages are small, and no index leads to
    the events of a task: the task names the last one, and each names the one before. What else
    happened, and what became of tasks that are gone, is few and found by its key. Events by
    command are looked for by undo alone, and have no index. Nor have leases: until the time that
    none ends before there is nothing to look for, and then the few tasks that are held are looked
    through.

    A worker finishes and takes many tasks in a row: what it read in one transaction is not read
    again in the next while nobody else has written.
    """

    synchronous = "NORMAL"
    page_size = 1024
    keeps_log = True

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(path)
        self._known = _Known()
        self._data_version: int | None = None

    # What is known as long as nobody else writes

    def _open(self) -> sqlite3.Connection:
        self._data_version = None
        return super()._open()

    def _begun(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            super()._begun(db)
            self._data_version = version
            self._known = _Known()

    def _roll_back(self, db: sqlite3.Connection) -> None:
        self._known = _Known()
        super()._roll_back(db)

    def _writing(self) -> Writing[sqlite3.Connection]:
        def unknown(db: sqlite3.Connection) -> sqlite3.Connection:
            self._known = _Known()
            return db

        return Writing(self, unknown)

    @property
    def _is_writing(self) -> bool:
        """Whether this thread, which has the lock, is within a transaction."""
        return self._db is not None and self._db.in_transaction

    def instances(self) -> list[Instance]:
        """All instances kept here, oldest first."""
        with self._lock:
            if not self._is_writing:
                return super().instances()
            if self._known.instances is None:
                self._known.instances = super().instances()
            return [*self._known.instances]

    def all_counts(self) -> dict[str, dict[TaskStatus, int]]:
        """Counts by status of every instance with tasks here."""
        with self._lock:
            if not self._is_writing:
                return super().all_counts()
            if self._known.counts is None:
                self._known.counts = super().all_counts()
            counts = self._known.counts.items()
            return {key: {status: n for status, n in of.items() if n} for key, of in counts}

    def expired(self, now: str) -> list[Task]:
        """The tasks that somebody holds with a lease that ran out before `now`."""
        with self._lock:
            if self._first_end() >= now:
                return []
            held = [
                task
                for instance, counts in self.all_counts().items()
                if (number := sum(counts.get(status, 0) for status in ACTIVE))
                for task in self.query(Query(instance, (_ARE_HELD,), limit=number))
                if task.lease_expires_at is not None
            ]
            held.sort(key=_end)
            if self._is_writing:
                self._keep_first_end(_end(held[0]) if held else _NEVER)
            return [task for task in held if _end(task) < now]

    def _first_end(self) -> str:
        """A time that no lease ends before; the earliest there is if none is known."""
        if not self._is_writing:
            return self.local(_FIRST_END) or ""
        if self._known.first_end is None:
            self._known.first_end = self.local(_FIRST_END) or ""
        return self._known.first_end

    def _keep_first_end(self, until: str) -> None:
        """Remember, in this transaction, that no lease ends before `until`."""
        self._connection.execute(_KEEP, (_FIRST_END, until))
        self._known.first_end = until

    def is_current(self, task: Task) -> bool:
        """Whether a task is still held, or not, as when it was read."""
        with self._lock:
            if self._is_writing and self._known.latest is task:
                return True
            return super().is_current(task)

    def _migrate(self, db: sqlite3.Connection) -> None:
        super()._migrate(db)
        for sql in (
            "DROP INDEX IF EXISTS event_group",
            "DROP INDEX IF EXISTS event_key",
            "DROP INDEX IF EXISTS task_leased",
            *_CHAIN,
            "CREATE INDEX IF NOT EXISTS event_loose ON events (key) WHERE prev = 0",
        ):
            db.execute(sql)

    def transaction(
        self, group: str, actor: str, at: str
    ) -> AbstractContextManager[SqliteTransaction]:
        """Begin writing: the events get this group, actor and time. Takes the write lock."""
        return Writing(self, lambda db: _RunTransaction(self, db, group, actor, at))

    def _about(self, key: str) -> tuple[str, list[Any]]:
        return _ABOUT, [key, key]

    def _purge(self, db: sqlite3.Connection, instance: str, before: str) -> int:
        gone = super()._purge(db, instance, before)
        db.execute(_LOOSEN)
        return gone

    def _refold(self, db: sqlite3.Connection) -> int:
        folded = super()._refold(db)
        for sql in _CHAIN:
            db.execute(sql)
        return folded

    def check(self) -> list[str]:
        """What is wrong with the stored data, in sentences; empty when all is well."""
        early = self._one(_EARLY)[0]
        return [*super().check(), *([f"{early} leases end unnoticed"] if early else [])]


def _end(task: Task) -> str:
    """When the lease of a held task ends."""
    return task.lease_expires_at or _NEVER


class _RunTransaction(SqliteTransaction):
    """Writes inside one transaction of a RunStore, which takes note of them."""

    _store: RunStore

    _last_event: int | None = None

    def _record(self, kind: str, entity: str, key: str, patch: Patch, note: Any) -> None:
        row = self._event(kind, entity, key, patch, note)
        if entity == "task":
            self._last_event = self._execute(_INSERT_EVENT, (*row, key)).lastrowid
        else:
            self._execute(_INSERT_LOOSE, row)

    def _remark(self, kind: str, entity: str, key: str, note: Any) -> None:
        super()._remark(kind, entity, key, note)
        if entity == "task":
            last = self._last_event
            found = self._execute("UPDATE tasks SET last_event = ? WHERE id = ?", (last, key))
            if not found.rowcount:  # the task is gone
                self._execute("UPDATE events SET prev = 0 WHERE seq = ?", (last,))

    def _insert(self, table: Table[E], value: E) -> E:
        made = super()._insert(table, value)
        self._note(None, made)
        return made

    def _insert_row(self, table: Table[E], value: E) -> None:
        if isinstance(value, Task):
            self._execute(_INSERT_TASK, [*TASKS.row(value), self._last_event])
        else:
            super()._insert_row(table, value)

    def _project(self, table: Table[E], before: E, changed: dict[str, Any]) -> E:
        after = super()._project(table, before, changed)
        self._note(before, after)
        return after

    def _update_row(self, table: Table[E], key: str, changed: dict[str, Any]) -> None:
        if table is TASKS:
            changed = {**changed, "last_event": self._last_event}
        super()._update_row(table, key, changed)

    def _depend(self, task: str, deps: Sequence[str]) -> None:
        self._store._known.depend = None
        super()._depend(task, deps)

    def _recount_dependents(self, task: str) -> None:
        known = self._store._known
        if known.depend is None:
            known.depend = self._execute("SELECT 1 FROM task_deps LIMIT 1").fetchone() is not None
        if known.depend:
            super()._recount_dependents(task)

    def _note(self, before: E | None, after: E) -> None:
        known = self._store._known
        if isinstance(after, Task):
            known.changed(before if isinstance(before, Task) else None, after)
            self._leased(after.lease_expires_at)
        elif isinstance(after, Instance):
            known.instances = None

    def lease(self, task: str, until: str | None) -> None:
        """Let whoever holds a task hold it until then: local to this machine, like every lease."""
        super().lease(task, until)
        self._leased(until)

    def _leased(self, until: str | None) -> None:
        if until is not None and until < self._store._first_end():
            self._store._keep_first_end(until)

    def remove_instance(self, key: str, kind: str) -> None:
        """Forget an instance and its tasks; the events stay."""
        super().remove_instance(key, kind)
        self._execute(_LOOSEN)
        self._store._known = _Known()

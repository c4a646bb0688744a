"""The store of a run: a SQLite store for many small commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.store.database import Writing
from hopper_tui.store.sqlite import SqliteStore
from hopper_tui.store.writing import SqliteTransaction

if TYPE_CHECKING:
    import sqlite3
    from contextlib import AbstractContextManager

    from hopper_tui.model.event import Patch

_INSERT_EVENT = (
    "INSERT INTO events (grp, at, actor, kind, entity, key, patch, note, task)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT n FROM tasks WHERE id = ?))"
)
_NUMBER = "UPDATE events SET task = (SELECT n FROM tasks WHERE id = key) WHERE entity = 'task'"
_FREE_NUMBERS = "UPDATE events SET task = NULL WHERE task NOT IN (SELECT n FROM tasks)"
"""SQLite gives the number of a row that is gone to another."""
_ABOUT = (
    "seq IN (SELECT seq FROM events WHERE task = (SELECT n FROM tasks WHERE id = ?)"
    " UNION ALL SELECT seq FROM events WHERE task IS NULL AND key = ?)"
)
"""The first event of a task comes before its number."""


class RunStore(SqliteStore):
    """The store of a run, of which a loss of power may take the last commits.

    A crash of a process takes none. What a run had finished by then is done again, for the hop
    above says so.

    Each page that a commit changes is written as a whole, so pages are small, and events are
    indexed by the number of their task: tasks are worked on in their order, so that what is
    written next is mostly in the page that was written last. Random ids would each need their
    own. Events by command are looked for by undo alone, and have no index.
    """

    synchronous = "NORMAL"
    page_size = 1024
    keeps_log = True

    def _migrate(self, db: sqlite3.Connection) -> None:
        super()._migrate(db)
        for sql in (
            _NUMBER,
            "DROP INDEX IF EXISTS event_group",
            "DROP INDEX IF EXISTS event_key",
            "CREATE INDEX IF NOT EXISTS event_task ON events (task) WHERE task IS NOT NULL",
            "CREATE INDEX IF NOT EXISTS event_other ON events (key) WHERE task IS NULL",
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
        db.execute(_FREE_NUMBERS)
        return gone

    def _refold(self, db: sqlite3.Connection) -> int:
        folded = super()._refold(db)
        db.execute(_NUMBER)
        return folded


class _RunTransaction(SqliteTransaction):
    """Writes inside one transaction of a RunStore."""

    def _record(self, kind: str, entity: str, key: str, patch: Patch, note: Any) -> None:
        task = key if entity == "task" else None
        self._execute(_INSERT_EVENT, (*self._event(kind, entity, key, patch, note), task))

    def remove_instance(self, key: str, kind: str) -> None:
        """Forget an instance and its tasks; the events stay."""
        super().remove_instance(key, kind)
        self._execute(_FREE_NUMBERS)

"""Leases: who holds which task in any worktree of a clone, so that nobody takes it twice.

A journal travels slower than two processes race, so a claim is taken here first: a pending row
that names the journal file to come, then the file, then the row is confirmed. One lock around all
three tells whether the maker of a pending row is still at it; if not, its file says whether it
got through.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.store.database import BUSY_TIMEOUT
from hopper_tui.store.failure import storage_error
from hopper_tui.store.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

PENDING, HELD, FREEING, CLOSED = "pending", "held", "freeing", "closed"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS leases (task TEXT PRIMARY KEY, owner TEXT, state TEXT NOT NULL,"
    " event TEXT NOT NULL, file TEXT NOT NULL, journal TEXT NOT NULL, expires_at TEXT,"
    " closing TEXT)"
    " STRICT, WITHOUT ROWID"
)


class Lease(NamedTuple):
    """A claim, or what became of it: `event` is its event, `file` holds that in `journal`.

    `closing` is the path of the file that finishes the task, or frees it in the state `freeing`,
    once it is there.
    """

    task: str
    owner: str | None
    state: str
    event: str
    file: str
    journal: str
    expires_at: str | None
    closing: str | None


class Leases:
    """The claims of one clone. `journal` is the journal directory of this worktree."""

    def __init__(self, path: Path, journal: str) -> None:
        self.path = path
        self._journal = journal
        self._gate = Gate(path)
        self._db: sqlite3.Connection | None = None

    @property
    def exist(self) -> bool:
        """Whether anything was ever claimed in this clone."""
        return self._db is not None or self.path.exists()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else in this clone claims anything meanwhile."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._gate:
            yield

    def in_the_way(self, task: str, now: str) -> Lease | None:
        """The claim or completion that keeps a task from being taken here, if there is one.

        It counts while its file is in the checkout it was made in; a lease that may run out
        counts until it has, whatever that checkout shows.
        """
        lease = self.of(task)
        if lease is None:
            return None
        if lease.closing is not None and os.path.exists(lease.closing):
            return None if lease.state == FREEING else lease._replace(owner=None, state=CLOSED)
        there = os.path.exists(f"{lease.journal}/{lease.file}")
        if lease.state == PENDING and not there:
            return None
        if lease.state != CLOSED and lease.expires_at is not None:
            return lease if lease.expires_at >= now else None
        return lease if there else None

    def of(self, task: str) -> Lease | None:
        """What is known about a task, whether or not it still counts."""
        row = self._execute("SELECT * FROM leases WHERE task = ?", (task,)).fetchone()
        return None if row is None else Lease(*row)

    def expired(self, now: str) -> list[Lease]:
        """Claims whose time ran out before `now`."""
        rows = self._execute(
            "SELECT * FROM leases WHERE state <> ? AND expires_at < ?", (CLOSED, now)
        )
        return [Lease(*row) for row in rows]

    def stale(self) -> list[str]:
        """The tasks whose lease can never count again: its maker died before it got through, or
        its worktree is gone."""
        rows = self._execute("SELECT * FROM leases ORDER BY task").fetchall()
        return [lease.task for lease in map(Lease._make, rows) if not _may_count(lease)]

    def problems(self) -> list[str]:
        """What SQLite finds wrong with the database."""
        try:
            rows = self._connection.execute("PRAGMA quick_check(5)").fetchall()
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [row[0] for row in rows if row[0] != "ok"]

    def set_aside(self) -> str:
        """Begin a new database; the old file keeps its content under the name returned."""
        self.close()
        aside = f"{self.path}.damaged"
        os.replace(self.path, aside)
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{self.path}{suffix}")
        return aside

    def take(self, task: str, owner: str | None, event: str, file: str) -> None:
        """Note a claim whose file is about to be written."""
        self._execute(
            "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
            (task, owner, PENDING, event, file, self._journal),
        )

    def begin_closing(self, tasks: Iterable[tuple[str, str]], file: str) -> None:
        """Note that tasks will be finished, by events in a file that is about to be written."""
        for task, event in tasks:
            known = self.of(task)
            if known is None or _is_freed(known):
                self.take(task, None, event, file)
            self._execute(
                "UPDATE leases SET closing = ?, state = CASE state WHEN ? THEN ? ELSE state END"
                " WHERE task = ?",
                (f"{self._journal}/{file}", FREEING, HELD, task),
            )

    def begin_freeing(self, tasks: Iterable[str], file: str) -> None:
        """Note that anybody may take tasks again, by events in a file that is about to be
        written."""
        if self.exist:
            self._execute_many(
                "UPDATE leases SET closing = ?, state = ? WHERE task = ? AND state <> ?",
                [(f"{self._journal}/{file}", FREEING, task, PENDING) for task in tasks],
            )

    def confirm(self, tasks: Iterable[str]) -> None:
        """The file is written: these tasks are held."""
        self._execute_many(
            "UPDATE leases SET state = ? WHERE task = ?", [(HELD, task) for task in tasks]
        )

    def renew(self, task: str, until: str | None) -> None:
        """Let a claim last until then."""
        self._execute("UPDATE leases SET expires_at = ? WHERE task = ?", (until, task))

    def drop(self, tasks: Iterable[str]) -> None:
        """Forget about tasks that anybody may take again."""
        self._execute_many("DELETE FROM leases WHERE task = ?", [(task,) for task in tasks])

    def close_tasks(self, tasks: Iterable[tuple[str, str]], file: str) -> None:
        """Note that tasks are finished, by events that stand in a file of this worktree."""
        self._execute_many(
            "INSERT OR REPLACE INTO leases VALUES (?, NULL, ?, ?, ?, ?, NULL, NULL)",
            [(task, CLOSED, event, file, self._journal) for task, event in tasks],
        )

    def renamed(self, names: Iterable[str], new: str) -> None:
        """Files of this worktree whose events are in the file `new` by now."""
        if self.exist:
            gone = tuple(names)
            self._execute_many(
                "UPDATE leases SET file = ? WHERE journal = ? AND file = ?",
                [(new, self._journal, name) for name in gone],
            )
            self._execute_many(
                "UPDATE leases SET closing = ? WHERE closing = ?",
                [(f"{self._journal}/{new}", f"{self._journal}/{name}") for name in gone],
            )

    def close(self) -> None:
        """Close the database."""
        if self._db is not None:
            self._db.close()
            self._db = None
        self._gate.close()

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise storage_error(error, self.path) from error

    def _execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise storage_error(error, self.path) from error

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'leases'").fetchone():
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(_SCHEMA)
            db.execute("PRAGMA synchronous = FULL")
            self._db = db
        return self._db


def _is_freed(lease: Lease) -> bool:
    closing = lease.closing
    return lease.state == FREEING and closing is not None and os.path.exists(closing)


def _may_count(lease: Lease) -> bool:
    if _is_freed(lease):
        return False
    files = [f"{lease.journal}/{lease.file}", *([lease.closing] if lease.closing else [])]
    if any(map(os.path.exists, files)):
        return True
    return lease.state != PENDING and os.path.isdir(lease.journal)

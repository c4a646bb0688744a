"""One SQLite database: opening it, closing it, one writer at a time, errors in plain words."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from hopper_tui.model.errors import HopperError, Invalid, StorageError
from hopper_tui.store.failure import LOCKED, storage_error
from hopper_tui.store.gate import Gate, StoreDeleted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

W = TypeVar("W")

SCHEMA_VERSION = 10
"""The number of migrations in schema.py; kept in the database's user_version."""
BUSY_TIMEOUT = 5.0
"""Seconds to wait for a lock that another program holds."""
BUSY_AGAIN = 0.05
"""Seconds to wait for one that was waited for in vain before."""
_DATA_VERSION = "PRAGMA data_version"
_FAULTS = (sqlite3.Error, OSError, UnicodeEncodeError)
WAL_LIMIT = 4 << 20
"""Bytes of the write-ahead log from which on a commit checkpoints, inside the gate: while one
does, everybody else waits."""


class Database:
    """The database behind a store, in a file or (`path` None) in memory.

    Opens lazily: a database that does not exist yet is made by the first use. A file that cannot
    be written is opened for reading only.

    A process that forks closes its connections first, because SQLite's locks do not survive that;
    parent and child both open their own at the next use.
    """

    synchronous = "FULL"
    """How SQLite syncs a commit; a database that is the truth syncs each."""
    comes_back = False
    """Whether a file that was removed is made again; what is the truth is not, for it is lost."""
    page_size = 4096
    """Bytes of a page of a new database: a commit writes each page that it changed as a whole."""
    keeps_log = False
    """Whether the log stays as long as it was when it begins anew: writing over it is faster."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._gate = Gate(path)
        self._translating = Translating(self)
        self._db: sqlite3.Connection | None = None
        self._read_only = False
        self.is_read_only = False
        self._locked_out = False
        self._opened: tuple[int, int] | None = None
        self._commits = 0
        self._openings = 0
        self._first_revision = 0
        _databases.add(self)

    # Opening and closing

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            try:
                db = self._open()
                self._first_revision = self._revision(db)
                self._db = db
            except (sqlite3.Error, OSError) as error:
                raise self._locking_out(storage_error(error, self.path)) from error
            self._openings += 1
            self._opened = None if self.path is None else _identity(self.path)
            self.is_read_only = self._read_only
            if self._locked_out:
                self._db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")
                self._locked_out = False
        return self._db

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            from hopper_tui.store.schema import fill

            db = self._connect(":memory:")
            fill(db, SCHEMA_VERSION)
            return db
        if not self.path.exists():
            if self._opened is not None and not self.comes_back:
                raise StoreDeleted(str(self.path))
            self.path.parent.mkdir(parents=True, exist_ok=True)
        elif not self._may_write(self.path):
            return self._open_read_only()
        db = self._connect(self.path)
        try:
            version = self._version(db)
            if version != SCHEMA_VERSION:
                with self._gate:
                    if self._version(db) != SCHEMA_VERSION:
                        db.execute(f"PRAGMA page_size = {self.page_size:d}")
                        db.execute("PRAGMA journal_mode = WAL")
                        self._migrate(db)
            db.execute(f"PRAGMA wal_autocheckpoint = {WAL_LIMIT // self.page_size:d}")
            db.execute(f"PRAGMA journal_size_limit = {-1 if self.keeps_log else 0:d}")
            db.execute(f"PRAGMA synchronous = {self.synchronous}")
        except BaseException:
            db.close()
            raise
        return db

    def _may_write(self, path: Path) -> bool:
        """Whether an existing file can be changed, and its log be made beside it."""
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)

    def _open_read_only(self) -> sqlite3.Connection:
        """Open a file that we may not change, as it is.

        A write-ahead log without its index can only be read by somebody who may write beside it;
        without a log the file alone is the whole truth.
        """
        assert self.path is not None
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            db = self._checked_read_only(uri)
        except sqlite3.OperationalError:
            if _size(f"{self.path}-wal"):
                raise
            db = self._checked_read_only(f"{uri}&immutable=1")
        self._read_only = True
        return db

    def _checked_read_only(self, uri: str) -> sqlite3.Connection:
        db = self._connect(uri, uri=True)
        try:
            if self._version(db) < SCHEMA_VERSION:
                raise StorageError(
                    f"{self.path} is of an older Hopper and read-only, so it cannot be upgraded",
                    "Make it writable, or use a copy",
                )
        except BaseException:
            db.close()
            raise
        return db

    def _connect(self, target: str | Path, uri: bool = False) -> sqlite3.Connection:
        return sqlite3.connect(
            target,
            timeout=BUSY_AGAIN if self._locked_out else BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            uri=uri,
        )

    def _version(self, db: sqlite3.Connection) -> int:
        version = _version(db)
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"{self.path} was written by a newer Hopper (schema {version}, this one knows"
                f" {SCHEMA_VERSION})",
                "Upgrade Hopper; nothing was changed",
                "newer",
            )
        return version

    def _migrate(self, db: sqlite3.Connection) -> None:
        from hopper_tui.store.schema import migrate

        migrate(db, SCHEMA_VERSION)

    def close(self) -> None:
        """Close the connection; the next use opens it again (a memory store is gone).

        A store in the middle of a transaction stays open.
        """
        with self._lock:
            db = self._db
            if db is not None and db.in_transaction:
                return
            self._db = None
            if db is not None:
                # the last one to close checkpoints, and whoever writes now is not the last
                if not self._read_only and self.path is not None and self.path.exists():
                    self._gate.take_if_free()
                db.close()
            self._gate.close()
            if self._read_only:  # it may have been without a gate
                self._gate = Gate(self.path)
            self._read_only = False

    def let_go(self) -> None:
        """Close a file that somebody removed, put another in the place of, or upgraded: what is
        written into it nobody would ever see, or understand. And one that may be written now."""
        with self._lock:
            self._let_go_of_replaced()
            if self._db is not None and self.path is not None and self._is_newer(self._db):
                self.close()

    def _let_go_of_replaced(self) -> None:
        if self._db is None or self.path is None:
            return
        if self._read_only and self._may_write(self.path):
            self.close()
            self.is_read_only = False
        if self._opened is None or self._db is None:
            return
        found = _identity(self.path)
        if found is None and not self.comes_back:
            self._db.close()  # and no checkpoint: there is nothing to copy the log into
            self._db = None
        elif found != self._opened:
            self.close()

    def _is_newer(self, db: sqlite3.Connection) -> bool:
        try:
            return _version(db) > SCHEMA_VERSION
        except sqlite3.Error as error:
            self._locking_out(storage_error(error, self.path))
            return False

    def delete(self) -> None:
        """Close, and remove the database's files."""
        if self.path is None:
            self.close()
            return
        with self._lock, self._translated():
            if self._db is None and not self.path.exists():
                return
            with self._gate:
                if self._db is not None:
                    self._db.close()
                    self._db = None
                for suffix in ("", "-wal", "-shm", ".lock"):
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)
            self._gate.close()
            self._opened = None

    # Writing

    def _writing(self) -> Writing[sqlite3.Connection]:
        return Writing(self, lambda db: db)

    def _begin(self) -> sqlite3.Connection:
        """Begin the one transaction that writes; the lock is held until `_end`."""
        self._lock.acquire()
        try:
            self._let_go_of_replaced()
            db = self._connection
            if self._read_only:
                raise StorageError(
                    f"{self.path} is read-only", "Make it writable, or work in another directory"
                )
            self._gate.enter()
            try:
                db.execute("BEGIN IMMEDIATE")
                self._begun(db)
            except BaseException:
                self._roll_back(db)
                self._gate.leave()
                raise
        except BaseException as error:
            self._lock.release()
            if isinstance(error, _FAULTS):
                raise self._fault(error) from error
            raise
        return db

    def _begun(self, db: sqlite3.Connection) -> None:
        """Look, with nobody else writing any more, whether we may write."""
        self._version(db)

    def _end(self, db: sqlite3.Connection, error: BaseException | None) -> None:
        """Commit, or take everything back after an error."""
        try:
            if error is not None:
                self._roll_back(db)
                if isinstance(error, _FAULTS):
                    raise self._fault(error) from error
                return
            try:
                db.execute("COMMIT")
            except BaseException:
                self._roll_back(db)
                raise
            self._commits += 1
        except _FAULTS as fault:
            raise self._fault(fault) from fault
        finally:
            self._gate.leave()
            self._lock.release()

    def _roll_back(self, db: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        if db.in_transaction and self.path is not None:  # only closing ends it now
            self._db = None
            db.close()

    def _translated(self) -> Translating:
        return self._translating

    def _fault(self, error: Exception) -> HopperError:
        """What to tell about a failure."""
        if isinstance(error, UnicodeEncodeError):
            return Invalid("the text is not valid Unicode", "Send it as UTF-8")
        if isinstance(error, StoreDeleted) and self._db is not None:
            self._db.close()
            self._db = None
        return storage_error(error, self.path)

    def _locking_out(self, error: HopperError) -> HopperError:
        """Take note of a lock that keeps even readers out: whoever reads many stores again and
        again must not wait for that one each time."""
        if isinstance(error, StorageError) and error.state == LOCKED:
            self._locked_out = True
            if self._db is not None and not self._db.in_transaction:
                self._db.close()
                self._db = None
        return error

    # Reading

    @property
    def _reading(self) -> sqlite3.Connection:
        """The connection to read from."""
        return self._connection

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._reading.execute(sql, values).fetchall()
            except _FAULTS as error:
                raise self._locking_out(self._fault(error)) from error

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        with self._lock:
            try:
                return self._reading.execute(sql, values).fetchone()
            except _FAULTS as error:
                raise self._locking_out(self._fault(error)) from error

    def revision(self) -> int:
        """A number that changes when anybody committed to this database."""
        return self._revised(self._one(_DATA_VERSION))

    def _revision(self, db: sqlite3.Connection) -> int:
        return self._revised(db.execute(_DATA_VERSION).fetchone())

    def _revised(self, row: Sequence[int]) -> int:
        """What SQLite counts of others' commits, and our own, which it does not count."""
        return row[0] * 1_000_000 + self._commits

    @property
    def version(self) -> tuple[int, int] | None:
        """Which opening of the database this is, and a number that was 0 then and changes when
        anybody commits; None while it is closed."""
        with self._lock:
            if self._db is None:
                return None
            try:
                return self._openings, self._revision(self._db) - self._first_revision
            except _FAULTS as error:
                raise self._locking_out(self._fault(error)) from error


class Writing(Generic[W]):
    """A writing transaction as a context: what `make` makes of the connection, for a while."""

    __slots__ = ("_database", "_db", "_make")

    def __init__(self, database: Database, make: Callable[[sqlite3.Connection], W]) -> None:
        self._database = database
        self._make = make

    def __enter__(self) -> W:
        self._db = self._database._begin()
        return self._make(self._db)

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._database._end(self._db, error)


class Translating:
    """A block in which what SQLite and the system tell is told in our words."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, _FAULTS):
            raise self._database._fault(error) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from any other that was ever at its path."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino)


_databases: WeakSet[Database] = WeakSet()


def _before_fork() -> None:
    for store in list(_databases):
        if store.path is not None:
            store.close()


def _after_fork_in_child() -> None:
    for store in list(_databases):  # a thread that is not here may have held its lock
        store._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)


def _size(path: str) -> int:
    """Bytes in a file, 0 if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _version(db: sqlite3.Connection) -> int:
    """The schema that a database has."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])

"""The SQLite store: one database in a file or in memory, events and projections together."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from hopper_tui.model import fold
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.errors import Invalid, StorageError
from hopper_tui.model.event import Event, Patch
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.task import Task
from hopper_tui.store import select
from hopper_tui.store.failure import storage_error
from hopper_tui.store.gate import Gate, StoreDeleted
from hopper_tui.store.tables import (
    DELEGATIONS,
    DERIVED,
    INSTANCES,
    TABLES,
    TASKS,
    Table,
    dumps,
    read_patch,
    write_patch,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hopper_tui.model.query import Query

SCHEMA_VERSION = 4
"""The number of migrations in schema.py; kept in the database's user_version."""
BUSY_TIMEOUT = 5.0
"""Seconds to wait for a lock that another program holds."""
WAL_LIMIT = 4 << 20
"""Bytes by which the write-ahead log grows until a writer checkpoints, inside the gate."""

E = TypeVar("E", bound=Task | Instance | Delegation)

_EVENT = "seq, grp, at, actor, kind, entity, key, patch, note"
_PURGED = "purged:"
"""Under this local name stands until when an instance was purged; a rebuild stops there too."""
_INSERT_EVENT = (
    "INSERT INTO events (grp, at, actor, kind, entity, key, patch, note)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_MACHINES = ("ci", "orchestration", "manual")
"""Kinds of executor that are nobody's free choice: only an executor of that name gets those."""


class SqliteStore:
    """Tasks, instances, delegations and their events in one SQLite database.

    `path` None keeps everything in memory. Opens lazily: a database that does not exist yet is
    made by the first use. A file that cannot be written is opened for reading only.

    A process that forks closes its connections first, because SQLite's locks do not survive that;
    parent and child both open their own at the next use.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._gate = Gate(path)
        self._db: sqlite3.Connection | None = None
        self._read_only = False
        self._commits = 0
        self._checkpointed = 0
        _stores.add(self)

    # Opening and closing

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            try:
                self._db = self._open()
            except (sqlite3.Error, OSError) as error:
                raise storage_error(error, self.path) from error
        return self._db

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            db = self._connect(":memory:")
            self._migrate(db)
            return db
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        elif not os.access(self.path, os.W_OK) or not os.access(self.path.parent, os.W_OK):
            return self._open_read_only()
        db = self._connect(self.path)
        try:
            version = self._version(db)
            if version != SCHEMA_VERSION:
                with self._gate:
                    if self._version(db) != SCHEMA_VERSION:
                        db.execute("PRAGMA journal_mode = WAL")
                        self._migrate(db)
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("PRAGMA journal_size_limit = 0")
            db.execute("PRAGMA synchronous = FULL")
        except BaseException:
            db.close()
            raise
        return db

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
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            uri=uri,
        )

    def _version(self, db: sqlite3.Connection) -> int:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"{self.path} was written by a newer Hopper (schema {version}, this one knows"
                f" {SCHEMA_VERSION})",
                "Upgrade Hopper; nothing was changed",
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
                if not self._read_only:
                    self._gate.take_if_free()
                db.close()
            self._gate.close()
            self._read_only = False

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

    # Writing

    @contextmanager
    def transaction(self, group: str, actor: str, at: str) -> Iterator[SqliteTransaction]:
        """Begin writing: the events get this group, actor and time. Takes the write lock."""
        with self._writing() as db:
            yield SqliteTransaction(self, db, group, actor, at)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            db = self._connection
            if self._read_only:
                raise StorageError(
                    f"{self.path} is read-only", "Make it writable, or work in another directory"
                )
            with self._gate:
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    self._roll_back(db)
                    raise
                self._commits += 1
                self._checkpoint(db)

    def _roll_back(self, db: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        if db.in_transaction and self.path is not None:  # only closing ends it now
            self._db = None
            db.close()

    def _checkpoint(self, db: sqlite3.Connection) -> None:
        """Copy the log into the database when it grew much, without waiting for readers."""
        if self.path is None:
            return
        size = _size(f"{self.path}-wal")
        if size < self._checkpointed:  # begun anew since
            self._checkpointed = 0
        if size - self._checkpointed > WAL_LIMIT:
            with suppress(sqlite3.Error):
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._checkpointed = size

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, StoreDeleted) and self._db is not None:
                self._db.close()
                self._db = None
            raise storage_error(error, self.path) from error
        except UnicodeEncodeError as error:
            raise Invalid("the text is not valid Unicode", "Send it as UTF-8") from error

    # Reading

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, self._translated():
            return self._connection.execute(sql, values).fetchall()

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        with self._lock, self._translated():
            return self._connection.execute(sql, values).fetchone()

    def _values(
        self, table: Table[E], tail: str, values: Sequence[Any] = (), extra: str = ""
    ) -> list[E]:
        rows = self._all(f"SELECT {table.select}{extra} FROM {table.name} {tail}", values)
        return [table.value(row) for row in rows]

    def _value(self, table: Table[E], key: str) -> E | None:
        found = self._values(table, f"WHERE {table.key_column} = ?", (key,))
        return found[0] if found else None

    def instance(self, key: str) -> Instance | None:
        """The instance with that id, if it is kept here."""
        return self._value(INSTANCES, key)

    def instances(self) -> list[Instance]:
        """All instances kept here, oldest first."""
        return self._values(INSTANCES, "ORDER BY created_at, instance_id")

    def task(self, key: str) -> Task | None:
        """The task with that full id."""
        return self._value(TASKS, key)

    def tasks(self, keys: Sequence[str]) -> list[Task]:
        """The tasks with those full ids, in the order of the ids; unknown ones are left out."""
        found: dict[str, Task] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ", ".join("?" * len(some))
            found |= {t.id: t for t in self._values(TASKS, f"WHERE id IN ({marks})", some)}
        return [found[key] for key in keys if key in found]

    def tasks_by_prefix(self, prefix: str, limit: int) -> list[Task]:
        """Tasks whose id starts with `prefix`."""
        return self._values(
            TASKS, f"WHERE id >= ? AND id < ? || '~' ORDER BY id LIMIT {limit:d}", (prefix, prefix)
        )

    def prefix_lengths(self, keys: Sequence[str], least: int) -> dict[str, int]:
        """The shortest unambiguous prefix length here for each key, at least `least`."""
        lengths: dict[str, int] = {}
        with self._lock, self._translated():
            execute = self._connection.execute
            for key in keys:
                before = execute("SELECT max(id) FROM tasks WHERE id < ?", (key,)).fetchone()[0]
                after = execute("SELECT min(id) FROM tasks WHERE id > ?", (key,)).fetchone()[0]
                shared = max(_shared(key, near or "") for near in (before, after))
                lengths[key] = max(least, shared + 1)
        return lengths

    def query(self, query: Query) -> list[Task]:
        """The tasks a query asks for, in its order."""
        clause, values = select.where(query)
        return self._values(TASKS, f"WHERE {clause}{select.tail(query)}", values)

    def ids(self, query: Query) -> list[str]:
        """The ids of the tasks a query asks for, in its order."""
        clause, values = select.where(query)
        rows = self._all(f"SELECT id FROM tasks WHERE {clause}{select.tail(query)}", values)
        return [row[0] for row in rows]

    def count(self, query: Query) -> int:
        """How many tasks a query asks for, its limit aside."""
        clause, values = select.where(query)
        return int(self._one(f"SELECT count(*) FROM tasks WHERE {clause}", values)[0])

    def counts(self, instance: str) -> dict[TaskStatus, int]:
        """The number of tasks of an instance by status; zero ones are left out."""
        rows = self._all(
            "SELECT status, n FROM status_counts WHERE instance_id = ? AND n <> 0", (instance,)
        )
        return {TaskStatus(status): n for status, n in rows}

    def all_counts(self) -> dict[str, dict[TaskStatus, int]]:
        """Counts by status of every instance with tasks here."""
        counts: dict[str, dict[TaskStatus, int]] = {}
        for instance, status, n in self._all("SELECT * FROM status_counts WHERE n <> 0"):
            counts.setdefault(instance, {})[TaskStatus(status)] = n
        return counts

    def next_task(
        self, instance: str, executor: str | None, capabilities: Sequence[str]
    ) -> Task | None:
        """The first ready task, in queue order, that this executor may take.

        `executor` None is a person: anything not reserved for a machine, whatever capabilities
        it requires. Executors and capabilities are compared without case.
        """
        role = (executor or "").casefold()
        mine = {c.casefold() for c in capabilities} | {role}
        with self._lock, self._translated():
            rows = self._connection.execute(
                "SELECT id, executor_preference, required_capabilities FROM tasks"
                f" WHERE instance_id = ? AND {select.IS_READY} ORDER BY priority, n",
                (instance,),
            )
            for key, preference, required in rows:
                if preference is not None and not may_take(preference, role):
                    continue
                if required != "[]" and executor is not None:
                    needed = json.loads(required)
                    if not {c.casefold() for c in needed} <= mine:
                        continue
                rows.close()
                return self.task(key)
        return None

    def waiting(self, instance: str, skip: int = 0, limit: int = -1) -> list[Task]:
        """Ready tasks to be offered, most urgent and oldest first, past the first `skip`."""
        return self._values(
            TASKS,
            "WHERE instance_id = ? AND waiting = 1 AND status = 'pending'"
            " AND open_deps = 0 ORDER BY priority, n LIMIT ? OFFSET ?",
            (instance, limit, skip),
        )

    def children(self, delegation: str) -> list[Task]:
        """The tasks here that a hop made, in order."""
        return self._values(TASKS, "WHERE origin = ? ORDER BY n", (delegation,))

    def dependents(self, task: str) -> list[Task]:
        """The tasks here that depend on that one."""
        return self._values(
            TASKS, "WHERE id IN (SELECT task FROM task_deps WHERE dep = ?) ORDER BY n", (task,)
        )

    def delegation(self, key: str) -> Delegation | None:
        """The hop with that id."""
        return self._value(DELEGATIONS, key)

    def delegations_by_prefix(self, prefix: str, limit: int) -> list[Delegation]:
        """Hops whose id starts with `prefix`."""
        return self._values(
            DELEGATIONS,
            f"WHERE id >= ? AND id < ? || '~' ORDER BY id LIMIT {limit:d}",
            (prefix, prefix),
        )

    def hops_of(self, task: str) -> list[Delegation]:
        """The hops whose source is that task, oldest first."""
        return self._values(DELEGATIONS, "WHERE task = ? ORDER BY delegated_at, rowid", (task,))

    def hops_of_root(self, root: str) -> list[Delegation]:
        """The hops of a root task that are known here, oldest first."""
        return self._values(
            DELEGATIONS, "WHERE root_task = ? ORDER BY delegated_at, rowid", (root,)
        )

    def delegations(self, statuses: Iterable[str] = ()) -> list[Delegation]:
        """The hops known here, oldest first; those of the given statuses only, if any."""
        chosen = tuple(statuses)
        clause = f"WHERE status IN ({', '.join('?' * len(chosen))})" if chosen else ""
        return self._values(DELEGATIONS, f"{clause} ORDER BY delegated_at, rowid", chosen)

    def unsettled(self) -> list[Delegation]:
        """The hops whose other side may not know their present status."""
        return self._values(DELEGATIONS, "WHERE told IS NOT status ORDER BY delegated_at, rowid")

    def events(
        self,
        *,
        key: str | None = None,
        group: str | None = None,
        kind: str | None = None,
        after: int = 0,
        newest: bool = False,
        limit: int | None = None,
    ) -> list[Event]:
        """Recorded events, oldest first unless `newest`."""
        clauses = ["seq > ?"]
        values: list[Any] = [after]
        for column, value in (("key", key), ("grp", group), ("kind", kind)):
            if value is not None:
                clauses.append(f"{column} = ?")
                values.append(value)
        tail = f" ORDER BY seq{' DESC' if newest else ''}"
        if limit:
            tail += f" LIMIT {limit:d}"
        rows = self._all(f"SELECT {_EVENT} FROM events WHERE {' AND '.join(clauses)}{tail}", values)
        return [_event(row) for row in rows]

    def local(self, name: str) -> str | None:
        """A local value that is no part of the record."""
        row = self._one("SELECT value FROM local WHERE name = ?", (name,))
        return row[0] if row else None

    def locals(self, prefix: str) -> dict[str, str]:
        """The local values whose name starts with `prefix`."""
        return dict(
            self._all(
                "SELECT name, value FROM local WHERE name >= ? AND name < ? || '~' ORDER BY name",
                (prefix, prefix),
            )
        )

    def set_local(self, name: str, value: str) -> None:
        """Keep a local value that is no part of the record; does nothing in a read-only store."""
        with self._lock:
            if self._connection and not self._read_only:
                with self._writing() as db:
                    db.execute("INSERT OR REPLACE INTO local VALUES (?, ?)", (name, value))

    def unset_local(self, name: str) -> None:
        """Forget a local value."""
        with self._writing() as db:
            db.execute("DELETE FROM local WHERE name = ?", (name,))

    def revision(self) -> int:
        """A number that changes when anybody committed to this store."""
        return int(self._one("PRAGMA data_version")[0]) * 1_000_000 + self._commits

    # Maintenance

    def rebuild(self) -> int:
        """Make the projections anew from the events; returns how many events were folded.

        What was purged comes back until the next purge. What is local stays.
        """
        with self._writing() as db:
            return self._refold(db)

    def _refold(self, db: sqlite3.Connection) -> int:
        states: dict[tuple[str, str], dict[str, Any]] = {}
        folded = 0
        for row in db.execute(f"SELECT {_EVENT} FROM events ORDER BY seq"):
            event, folded = _event(row), folded + 1
            place = (event.entity, event.key)
            if event.kind == "instance.removed":
                states.pop(place, None)
                for other in [p for p, s in states.items() if s.get("instance") == event.key]:
                    del states[other]
            elif event.entity in TABLES:
                state = fold.apply(states.get(place, {}), event.patch)
                if event.entity == "task" and event.patch != Patch():
                    state["updated_at"] = event.at
                states[place] = state
        told = db.execute("SELECT told, id FROM task_delegations").fetchall()
        for name in (*(t.name for t in TABLES.values()), "task_deps", "status_counts"):
            db.execute(f"DELETE FROM {name}")
        for (entity, key), state in states.items():
            table = TABLES[entity]
            if "id" in state:
                db.execute(table.insert, table.row(table.thaw({**state, "id": key})))
        tasks = [s for (entity, _), s in states.items() if entity == "task"]
        db.executemany(
            "INSERT OR IGNORE INTO task_deps VALUES (?, ?)",
            [(s["id"], dep) for s in tasks for dep in s.get("depends_on") or ()],
        )
        db.execute(f"UPDATE tasks SET open_deps = ({_OPEN_DEPS})")
        db.executemany("UPDATE task_delegations SET told = ? WHERE id = ?", told)
        purged = db.execute("SELECT name, value FROM local WHERE name LIKE ?", (f"{_PURGED}%",))
        for name, before in purged.fetchall():
            self._purge(db, name.removeprefix(_PURGED), before)
        return folded

    def purge(self, instance: str, before: str) -> int:
        """Remove tasks closed before that time from the projections; returns how many.

        Those that an open task still waits for stay.
        """
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO local VALUES (?, ?)", (f"{_PURGED}{instance}", before)
            )
            return self._purge(db, instance, before)

    def _purge(self, db: sqlite3.Connection, instance: str, before: str) -> int:
        done = db.execute(
            "DELETE FROM tasks WHERE instance_id = ? AND completed_at < ?"
            " AND status IN ('done', 'failed', 'cancelled') AND id NOT IN"
            " (SELECT dep FROM task_deps JOIN tasks AS t ON t.id = task WHERE t.open_deps > 0)",
            (instance, before),
        )
        db.execute(_FORGET_DEPS)
        return done.rowcount

    def check(self) -> list[str]:
        """What is wrong with the stored data, in sentences; empty when all is well."""
        found = [
            f"SQLite reports: {row[0]}"
            for row in self._all("PRAGMA quick_check(5)")
            if row[0] != "ok"
        ]
        for sql, sentence in _CHECKS:
            if wrong := self._one(sql)[0]:
                found.append(sentence.format(wrong))
        return found


_OPEN_DEPS = (
    "SELECT count(*) FROM task_deps AS d LEFT JOIN tasks AS t ON t.id = d.dep"
    " WHERE d.task = tasks.id AND t.status IS NOT NULL AND t.status <> 'done'"
)
"""A dependency that is not in this store was done before the task came here."""
_FORGET_DEPS = "DELETE FROM task_deps WHERE task NOT IN (SELECT id FROM tasks)"
_RECOUNT = "SELECT instance_id, status, count(*) AS n FROM tasks GROUP BY 1, 2"
_COUNTED = "SELECT instance_id, status, n FROM status_counts WHERE n <> 0"
_CHECKS = (
    (
        f"SELECT count(*) FROM (SELECT * FROM ({_RECOUNT} EXCEPT {_COUNTED})"
        f" UNION SELECT * FROM ({_COUNTED} EXCEPT {_RECOUNT}))",
        "{} counters differ from the tasks",
    ),
    (
        f"SELECT count(*) FROM tasks WHERE open_deps <> ({_OPEN_DEPS})",
        "{} tasks count their open dependencies wrongly",
    ),
)
_stores: WeakSet[SqliteStore] = WeakSet()


def _before_fork() -> None:
    for store in list(_stores):
        if store.path is not None:
            store.close()


def _after_fork_in_child() -> None:
    for store in list(_stores):  # a thread that is not here may have held its lock
        store._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)


def _size(path: str) -> int:
    """Bytes in a file, 0 if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def may_take(preference: str, executor: str) -> bool:
    """Whether an executor (a role or name, casefolded; "" for a person) may take a task that
    prefers `preference`.

    Work for a human may be taken by whoever asks, except by a pipeline; work for `ci` only by
    `ci`; manual work is never handed out; any other preference names a role or an executor.
    """
    wanted = preference.casefold()
    if wanted == "human":
        return executor not in _MACHINES
    if wanted == "manual":
        return False
    return wanted == executor


def _shared(one: str, other: str) -> int:
    """How many characters two ids share from the start."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(other))


def _event(row: Sequence[Any]) -> Event:
    seq, group, at, actor, kind, entity, key, patch, note = row
    return Event(
        seq, group, at, actor, kind, entity, key, read_patch(patch), note and json.loads(note)
    )


class SqliteTransaction:
    """Writes inside one transaction of a SqliteStore."""

    def __init__(
        self, store: SqliteStore, db: sqlite3.Connection, group: str, actor: str, at: str
    ) -> None:
        self._store = store
        self._execute = db.execute
        self._group = group
        self._actor = actor
        self._at = at

    def create(self, value: E, kind: str, note: Any = None) -> E:
        """Record a new entity; raises StorageError if its id is taken."""
        table = _table(value)
        if isinstance(value, Task):
            value = value._replace(updated_at=self._at)
        told = {f: getattr(value, f) for f in table.fields if f not in DERIVED}
        usual = table.defaults
        fresh = {f: v for f, v in told.items() if f not in usual or v != usual[f]}
        self._record(kind, table.entity, value.id, Patch(set=fresh), note)
        self._execute(table.insert, table.row(value))
        if isinstance(value, Task):
            self._recount_dependents(value.id)
            if value.depends_on:
                self._depend(value.id, value.depends_on)
                value = value._replace(open_deps=self._count_open_deps(value.id))
        return value

    def change(self, value: E, kind: str, note: Any = None, **fields: Any) -> E:
        """Record new values for some fields and return the entity as it is then."""
        table = _table(value)
        before = {f: getattr(value, f) for f in fields}
        patch = fold.changes(before, fields, table.sets)
        if patch == Patch():
            if note is not None:
                self._record(kind, table.entity, value.id, patch, note)
            return value
        self._record(kind, table.entity, value.id, patch, note)
        after = type(value)(**value._asdict() | fold.apply(before, patch))
        return self._project(table, value, after, (*patch.set, *patch.on, *patch.off))

    def patch(self, entity: str, key: str, patch: Patch, kind: str, note: Any = None) -> None:
        """Record a ready-made patch of an existing entity."""
        table = TABLES[entity]
        value = self._store._value(table, key)
        if value is None:
            return
        state = fold.apply({f: getattr(value, f) for f in table.fields}, patch)
        after = table.thaw(state)
        self._record(kind, entity, key, patch, note)
        self._project(table, value, after, (*patch.set, *patch.on, *patch.off))

    def _project(self, table: Table[E], before: E, after: E, changed: Iterable[str]) -> E:
        names = list(dict.fromkeys(changed))
        if isinstance(after, Task):
            after = after._replace(updated_at=self._at)
            names.append("updated_at")
        assignments = ", ".join(f"{table.column[f]} = ?" for f in names)
        cells = [table.cell(f, getattr(after, f)) for f in names]
        self._execute(
            f"UPDATE {table.name} SET {assignments} WHERE {table.key_column} = ?",
            (*cells, after.id),
        )
        if isinstance(after, Task) and isinstance(before, Task):
            open_deps = self._keep_dependencies(before, after)
            after = after._replace(open_deps=open_deps)
        return after

    def _keep_dependencies(self, before: Task, after: Task) -> int:
        """Keep the counts of open dependencies right; returns that of `after`."""
        if (before.status is TaskStatus.DONE) != (after.status is TaskStatus.DONE):
            self._recount_dependents(after.id)
        if before.depends_on != after.depends_on:
            self._execute("DELETE FROM task_deps WHERE task = ?", (after.id,))
            self._depend(after.id, after.depends_on)
            return self._count_open_deps(after.id)
        return after.open_deps

    def _recount_dependents(self, task: str) -> None:
        self._execute(
            f"UPDATE tasks SET open_deps = ({_OPEN_DEPS})"
            " WHERE id IN (SELECT task FROM task_deps WHERE dep = ?)",
            (task,),
        )

    def _depend(self, task: str, deps: Sequence[str]) -> None:
        for dep in deps:
            self._execute("INSERT OR IGNORE INTO task_deps VALUES (?, ?)", (task, dep))
        self._execute(f"UPDATE tasks SET open_deps = ({_OPEN_DEPS}) WHERE id = ?", (task,))

    def _count_open_deps(self, task: str) -> int:
        row = self._execute("SELECT open_deps FROM tasks WHERE id = ?", (task,)).fetchone()
        return int(row[0])

    def remark(self, entity: str, key: str, kind: str, note: Any) -> None:
        """Record something that changes no field: a note, a decision, an archived summary."""
        self._record(kind, entity, key, Patch(), note)

    def told(self, delegation: str, status: str | None) -> None:
        """Remember, locally, which status of a hop the other side is known to have."""
        self._execute("UPDATE task_delegations SET told = ? WHERE id = ?", (status, delegation))

    def remove_instance(self, key: str, kind: str) -> None:
        """Forget an instance and its tasks; the events stay."""
        self._record(kind, "instance", key, Patch(), None)
        self._execute("DELETE FROM tasks WHERE instance_id = ?", (key,))
        self._execute(_FORGET_DEPS)
        self._execute(f"UPDATE tasks SET open_deps = ({_OPEN_DEPS}) WHERE open_deps > 0")
        self._execute("DELETE FROM hopper_instances WHERE instance_id = ?", (key,))
        self._execute("DELETE FROM status_counts WHERE instance_id = ?", (key,))

    def _record(self, kind: str, entity: str, key: str, patch: Patch, note: Any) -> None:
        self._execute(
            _INSERT_EVENT,
            (
                self._group, self._at, self._actor, kind, entity, key, write_patch(patch),
                None if note is None else dumps(note),
            ),
        )  # fmt: skip


def _table(value: E) -> Table[E]:
    return next(table for table in TABLES.values() if isinstance(value, table.cls))

"""The SQLite store: events and projections together in one database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar, cast

from hopper_tui.model import fold
from hopper_tui.model.clock import seconds
from hopper_tui.model.conflict import Absorbed, Conflict
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.event import Event, Patch
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import PRIORITIES, TaskStatus
from hopper_tui.model.task import Task
from hopper_tui.store import select
from hopper_tui.store.database import Database, Writing
from hopper_tui.store.tables import DELEGATIONS, INSTANCES, TABLES, TASKS, Table, read_patch
from hopper_tui.store.writing import FORGET_DEPS, OPEN_DEPS, SqliteTransaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from hopper_tui.model.executor import Executor
    from hopper_tui.model.query import Query

E = TypeVar("E", bound=Task | Instance | Delegation)

_EVENT = "seq, grp, at, actor, kind, entity, key, patch, note"
_HOP_ORDER = "ORDER BY delegated_at, born, rowid"
_PURGED = "purged:"
"""Under this local name stands until when an instance was purged; a rebuild stops there too."""
_INSTANCE = f"SELECT {INSTANCES.select} FROM hopper_instances WHERE instance_id = ?"
_INSTANCES = f"SELECT {INSTANCES.select} FROM hopper_instances ORDER BY created_at, rowid"
_TASK = f"SELECT {TASKS.select} FROM tasks WHERE id = ?"
_SAME = (
    "SELECT 1 FROM tasks WHERE id = ? AND status = ? AND owner IS ? AND attempts = ?"
    " AND updated_at = ?"
)
_STATUS = {status.value: status for status in TaskStatus}
_QUEUED = f"SELECT priority, born, n, {TASKS.select} FROM tasks WHERE instance_id = ?"
_READY = f"{_QUEUED} AND {select.IS_READY} ORDER BY priority, born, n"
_READY_AT = f"{_QUEUED} AND priority = ? AND {select.IS_READY} ORDER BY priority, born, n"
_KINDS = (
    "SELECT executor_preference, required_capabilities, count(*) FROM tasks WHERE instance_id = ?"
    f" AND {select.IS_READY} AND (not_before IS NULL OR not_before <= ?) GROUP BY 1, 2"
)
"""How many tasks are ready for whom."""
_RETRY = (
    f"SELECT min(not_before) FROM tasks WHERE instance_id = ? AND {select.IS_READY}"
    " AND not_before > ?"
)
_PLACE = 3
_CREATED, _NOT_BEFORE, _PREFERENCE, _REQUIRED = (
    _PLACE + TASKS.fields.index(field)
    for field in ("created_at", "not_before", "executor_preference", "required_capabilities")
)
HEAD_ID = _PLACE + TASKS.fields.index("id")
Head = tuple[Any, ...]
"""A task in its queue: its place in the order (rank, born, n), and its row."""


class SqliteStore(Database):
    """Tasks, instances, delegations and their events in one SQLite database, which is the truth.

    `path` None keeps everything in memory.
    """

    travels = False
    replica = ""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(path)
        self._seen: dict[str, tuple[Any, Instance]] = {}

    # Writing

    def transaction(
        self, group: str, actor: str, at: str
    ) -> AbstractContextManager[SqliteTransaction]:
        """Begin writing: the events get this group, actor and time. Takes the write lock."""
        return Writing(self, lambda db: SqliteTransaction(self, db, group, actor, at))

    # Reading

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
        row = self._one(_INSTANCE, (key,))
        return None if row is None else self._instance(row)

    def instances(self) -> list[Instance]:
        """All instances kept here, oldest first."""
        return [self._instance(row) for row in self._all(_INSTANCES)]

    def _instance(self, row: Sequence[Any]) -> Instance:
        """The value in a row: the same one while the row is the same, so that what is derived
        from it can be kept."""
        known = self._seen.get(row[0])
        if known is None or known[0] != row:
            known = self._seen[row[0]] = (row, INSTANCES.value(row))
        return known[1]

    def task(self, key: str) -> Task | None:
        """The task with that full id."""
        row = self._one(_TASK, (key,))
        return None if row is None else TASKS.value(row)

    def is_current(self, task: Task) -> bool:
        """Whether a task is still held, or not, as when it was read."""
        values = (task.id, task.status, task.owner, task.attempts, task.updated_at)
        return self._one(_SAME, values) is not None

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
            execute = self._reading.execute
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
        sql = f"SELECT id FROM tasks WHERE {clause}{select.tail(query)}"
        with self._lock, self._translated():
            return [row[0] for row in self._reading.execute(sql, values)]

    def count(self, query: Query) -> int:
        """How many tasks a query asks for, its limit aside."""
        clause, values = select.where(query)
        return int(self._one(f"SELECT count(*) FROM tasks WHERE {clause}", values)[0])

    def words(self, instance: str, field: str) -> list[str]:
        """The values that a field has in the newest tasks of an instance, the most used first."""
        return [row[0] for row in self._all(select.words(field), (instance,))]

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
            counts.setdefault(instance, {})[_STATUS[status]] = n
        return counts

    def next_task(
        self, instances: Sequence[str], executor: Executor, now: str, ageing: float | None = None
    ) -> Task | None:
        """The first ready task of these instances, in queue order, that this executor may take.

        With `ageing`, in seconds, a task counts one priority higher for each such time it waited.
        """
        ranks = (None,) if ageing is None else range(len(PRIORITIES))
        firsts = [
            head
            for instance in instances
            for rank in ranks
            if (head := self._first(instance, executor, now, rank)) is not None
        ]
        if not firsts:
            return None
        if ageing is None:
            return TASKS.value(min(firsts)[_PLACE:])
        at = seconds(now)
        return TASKS.value(min((_aged(head, at, ageing), head) for head in firsts)[1][_PLACE:])

    def _is_taken(self) -> Callable[[str], bool] | None:
        """What tells of a task by its id whether it is taken elsewhere; None where none is."""
        return None

    def _first(
        self, instance: str, executor: Executor, now: str, rank: int | None = None
    ) -> Head | None:
        """The first ready task in queue order that an executor may take now, unless it is taken
        elsewhere; of one rank only, if it is given."""
        sql, values = (_READY, (instance,)) if rank is None else (_READY_AT, (instance, rank))
        is_taken = self._is_taken()
        with self._lock, self._translated():
            for head in self._reading.execute(sql, values):
                not_before, preference = head[_NOT_BEFORE], head[_PREFERENCE]
                if not_before is not None and not_before > now:
                    continue
                if preference is not None and not executor.prefers(preference):
                    continue
                required = head[_REQUIRED]
                if required != "[]" and executor.lacks(json.loads(required)):
                    continue
                if is_taken is None or not is_taken(head[HEAD_ID]):
                    return cast(Head, head)
        return None

    def ready_for(
        self, instances: Sequence[str], now: str
    ) -> list[tuple[str | None, tuple[str, ...], int]]:
        """Whom the ready tasks of these instances are for: the executor they prefer, the
        capabilities they require, and how many there are of each such kind."""
        return [
            (preference, tuple(json.loads(required)), number)
            for instance in instances
            for preference, required, number in self._all(_KINDS, (instance, now))
        ]

    def next_retry(self, instances: Sequence[str], now: str) -> str | None:
        """When the first of the ready tasks of these instances whose time has not come may be
        taken."""
        times = [self._one(_RETRY, (instance, now))[0] for instance in instances]
        return min((at for at in times if at is not None), default=None)

    def has_ready(self, instances: Sequence[str], besides: Iterable[str]) -> bool:
        """Whether any task of these instances is ready, now or when its time has come, `besides`
        those that prefer such an executor."""
        left_out = [*besides]
        marks = ", ".join("?" * len(left_out))
        wanted = f"coalesce(executor_preference, '') COLLATE NOCASE NOT IN ({marks})"
        sql = (
            f"SELECT 1 FROM tasks WHERE instance_id = ? AND {select.IS_READY} AND {wanted} LIMIT 1"
        )
        return any(self._all(sql, (instance, *left_out)) for instance in instances)

    def waiting(self, instance: str, skip: int = 0, limit: int = -1) -> list[Task]:
        """Ready tasks to be offered, most urgent and oldest first, past the first `skip`."""
        return self._values(
            TASKS,
            "WHERE instance_id = ? AND waiting = 1 AND status = 'pending'"
            " AND open_deps = 0 ORDER BY priority, born, n LIMIT ? OFFSET ?",
            (instance, limit, skip),
        )

    def children(self, delegation: str) -> list[Task]:
        """The tasks here that a hop made, in order."""
        return self._values(TASKS, "WHERE origin = ? ORDER BY born, n", (delegation,))

    def dependents(self, task: str) -> list[Task]:
        """The tasks here that depend on that one."""
        return self._values(
            TASKS,
            "WHERE id IN (SELECT task FROM task_deps WHERE dep = ?) ORDER BY born, n",
            (task,),
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
        return self._values(
            DELEGATIONS, "WHERE task = ? ORDER BY delegated_at, born, rowid", (task,)
        )

    def hops_of_root(self, root: str) -> list[Delegation]:
        """The hops of a root task that are known here, oldest first."""
        return self._values(DELEGATIONS, f"WHERE root_task = ? {_HOP_ORDER}", (root,))

    def delegations(self, statuses: Iterable[str] = ()) -> list[Delegation]:
        """The hops known here, oldest first; those of the given statuses only, if any."""
        chosen = tuple(statuses)
        clause = f"WHERE status IN ({', '.join('?' * len(chosen))})" if chosen else ""
        return self._values(DELEGATIONS, f"{clause} {_HOP_ORDER}", chosen)

    def unsettled(self) -> list[Delegation]:
        """The hops whose other side may not know their present status."""
        return self._values(
            DELEGATIONS, "WHERE told IS NOT status ORDER BY delegated_at, born, rowid"
        )

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
        if key is not None:
            about, its_values = self._about(key)
            clauses.append(about)
            values += its_values
        for column, value in (("grp", group), ("kind", kind)):
            if value is not None:
                clauses.append(f"{column} = ?")
                values.append(value)
        return self._events(" AND ".join(clauses), values, ("seq",), newest, limit)

    def _about(self, key: str) -> tuple[str, list[Any]]:
        """The condition, and its values, of the events about one entity."""
        return "key = ?", [key]

    def _events(
        self,
        clause: str,
        values: Sequence[Any],
        order: Sequence[str],
        newest: bool,
        limit: int | None,
    ) -> list[Event]:
        columns = ", ".join(f"{column} DESC" if newest else column for column in order)
        tail = f" ORDER BY {columns}" + (f" LIMIT {limit:d}" if limit else "")
        rows = self._all(f"SELECT {_EVENT} FROM events WHERE {clause}{tail}", values)
        return [self._event(row) for row in rows]

    def _event(self, row: Sequence[Any]) -> Event:
        seq, group, at, actor, kind, entity, key, patch, note = row
        return Event(
            seq, group, at, actor, kind, entity, key, read_patch(patch), note and json.loads(note)
        )

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
            event, folded = self._event(row), folded + 1
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
            "INSERT OR IGNORE INTO task_deps (task, dep) VALUES (?, ?)",
            [(s["id"], dep) for s in tasks for dep in s.get("depends_on") or ()],
        )
        db.execute(f"UPDATE tasks SET open_deps = ({OPEN_DEPS})")
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
        db.execute(FORGET_DEPS)
        return done.rowcount

    def absorb(self) -> Absorbed:
        """Take in what came or went without a command, as by a checkout: nothing, here."""
        return Absorbed()

    def conflicts(self, kind: str | None = None) -> list[Conflict]:
        """Changes that had not seen each other: there are none where all are made in turn."""
        return []

    def elsewhere(self, prefix: str) -> dict[str, str]:
        """Tasks known from another branch by a prefix of their id: id and title."""
        return {}

    def expired(self, now: str) -> list[Task]:
        """The tasks that somebody holds with a lease that ran out before `now`."""
        return self._values(
            TASKS,
            "WHERE lease_expires_at < ? AND status IN ('claimed', 'in_progress')"
            " ORDER BY lease_expires_at, n",
            (now,),
        )

    def skew(self, now: float) -> list[str]:
        """Whose clock differs from the others': there is but one, here."""
        return []

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


_RECOUNT = "SELECT instance_id, status, count(*) AS n FROM tasks GROUP BY 1, 2"
_COUNTED = "SELECT instance_id, status, n FROM status_counts WHERE n <> 0"
_CHECKS = (
    (
        f"SELECT count(*) FROM (SELECT * FROM ({_RECOUNT} EXCEPT {_COUNTED})"
        f" UNION SELECT * FROM ({_COUNTED} EXCEPT {_RECOUNT}))",
        "{} counters differ from the tasks",
    ),
    (
        f"SELECT count(*) FROM tasks WHERE open_deps <> ({OPEN_DEPS})",
        "{} tasks count their open dependencies wrongly",
    ),
)


def _aged(head: Head, now: float, ageing: float) -> float:
    """The rank of a task that counts one priority higher for each `ageing` seconds it waited."""
    return float(head[0]) - max(0.0, now - seconds(head[_CREATED])) / ageing


def _shared(one: str, other: str) -> int:
    """How many characters two ids share from the start."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(other))

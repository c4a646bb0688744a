"""Writing to a SQLite store: every change is an event and, at once, a change of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hopper_tui.model import fold
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.event import Patch
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import ACTIVE, TaskStatus
from hopper_tui.model.task import Task
from hopper_tui.store.tables import DERIVED, TABLES, Table, dumps, write_patch

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from hopper_tui.model.conflict import Conflict
    from hopper_tui.store.sqlite import SqliteStore

E = TypeVar("E", bound=Task | Instance | Delegation)

OPEN_DEPS = (
    "SELECT count(*) FROM task_deps AS d LEFT JOIN tasks AS t ON t.id = d.dep"
    " WHERE d.task = tasks.id AND d.inert = 0 AND t.status IS NOT NULL AND t.status <> 'done'"
)
"""A dependency that is not in this store was done before the task came here."""
FORGET_DEPS = "DELETE FROM task_deps WHERE task NOT IN (SELECT id FROM tasks)"
_INSERT_EVENT = (
    "INSERT INTO events (grp, at, actor, kind, entity, key, patch, note)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
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
        self.at = at

    def create(self, value: E, kind: str, note: Any = None) -> E:
        """Record a new entity; raises StorageError if its id is taken."""
        table = table_of(value)
        if isinstance(value, Task):
            value = value._replace(updated_at=self.at)
        told = {f: getattr(value, f) for f in table.fields if f not in DERIVED}
        usual = table.defaults
        fresh = {f: v for f, v in told.items() if f not in usual or v != usual[f]}
        self._record(kind, table.entity, value.id, Patch(set=fresh), note)
        return self._insert(table, value)

    def _insert(self, table: Table[E], value: E) -> E:
        self._insert_row(table, value)
        if isinstance(value, Task):
            self._recount_dependents(value.id)
            if value.depends_on:
                self._depend(value.id, value.depends_on)
                value = value._replace(open_deps=self._count_open_deps(value.id))
        return value

    def _insert_row(self, table: Table[E], value: E) -> None:
        self._execute(table.insert, table.row(value))

    def change(self, value: E, kind: str, note: Any = None, **fields: Any) -> E:
        """Record new values for some fields and return the entity as it is then."""
        table = table_of(value)
        before = {f: getattr(value, f) for f in fields}
        patch = fold.changes(before, fields, table.sets)
        if patch == Patch():
            if note is not None:
                self._remark(kind, table.entity, value.id, note)
            return value
        self._record(kind, table.entity, value.id, patch, note)
        changed = dict(patch.set)
        if patch.on or patch.off:
            after = fold.apply(before, patch)
            changed |= {name: after[name] for name in (*patch.on, *patch.off)}
        return self._project(table, value, changed)

    def patch(self, entity: str, key: str, patch: Patch, kind: str, note: Any = None) -> None:
        """Record a ready-made patch of an existing entity."""
        table = TABLES[entity]
        value = self._store._value(table, key)
        if value is None:
            return
        state = fold.apply({f: getattr(value, f) for f in table.fields}, patch)
        after = table.thaw(state)
        self._record(kind, entity, key, patch, note)
        names = (*patch.set, *patch.on, *patch.off)
        self._project(table, value, {name: getattr(after, name) for name in names})

    def _project(self, table: Table[E], before: E, changed: dict[str, Any]) -> E:
        if isinstance(before, Task):
            held = changed.get("status", before.status) in ACTIVE
            changed["updated_at"] = self.at
            changed["lease_expires_at"] = before.lease_expires_at if held else None
        after = table.changed(before, changed)
        self._update_row(table, after.id, changed)
        if isinstance(after, Task) and isinstance(before, Task):
            open_deps = self._keep_dependencies(before, after)
            if open_deps != after.open_deps:
                after = after._replace(open_deps=open_deps)
        return after

    def _update_row(self, table: Table[E], key: str, changed: dict[str, Any]) -> None:
        self._execute(*table.update(changed, key))

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
        if self._execute("SELECT 1 FROM task_deps WHERE dep = ?", (task,)).fetchone() is None:
            return
        self._execute(
            f"UPDATE tasks SET open_deps = ({OPEN_DEPS})"
            " WHERE id IN (SELECT task FROM task_deps WHERE dep = ?)",
            (task,),
        )

    def _depend(self, task: str, deps: Sequence[str]) -> None:
        for dep in deps:
            self._execute("INSERT OR IGNORE INTO task_deps (task, dep) VALUES (?, ?)", (task, dep))
        self._execute(f"UPDATE tasks SET open_deps = ({OPEN_DEPS}) WHERE id = ?", (task,))

    def _count_open_deps(self, task: str) -> int:
        row = self._execute("SELECT open_deps FROM tasks WHERE id = ?", (task,)).fetchone()
        return int(row[0])

    def remark(self, entity: str, key: str, kind: str, note: Any) -> None:
        """Record something that changes no field: a note, a decision, an archived summary."""
        self._remark(kind, entity, key, note)

    def _remark(self, kind: str, entity: str, key: str, note: Any) -> None:
        self._record(kind, entity, key, Patch(), note)

    def told(self, delegation: str, status: str | None) -> None:
        """Remember, locally, which status of a hop the other side is known to have."""
        self._execute("UPDATE task_delegations SET told = ? WHERE id = ?", (status, delegation))

    def lease(self, task: str, until: str | None) -> None:
        """Let whoever holds a task hold it until then: local to this machine, like every lease."""
        self._execute("UPDATE tasks SET lease_expires_at = ? WHERE id = ?", (until, task))

    def resolve(self, conflict: Conflict, *, take_loser: bool) -> None:
        """Record which of two values stands; nothing is in conflict where all is made in turn."""

    def remove_instance(self, key: str, kind: str) -> None:
        """Forget an instance and its tasks; the events stay."""
        self._record(kind, "instance", key, Patch(), None)
        self._execute("DELETE FROM tasks WHERE instance_id = ?", (key,))
        self._execute(FORGET_DEPS)
        self._execute(f"UPDATE tasks SET open_deps = ({OPEN_DEPS}) WHERE open_deps > 0")
        self._execute("DELETE FROM hopper_instances WHERE instance_id = ?", (key,))
        self._execute("DELETE FROM status_counts WHERE instance_id = ?", (key,))

    def _record(self, kind: str, entity: str, key: str, patch: Patch, note: Any) -> None:
        self._execute(_INSERT_EVENT, self._event(kind, entity, key, patch, note))

    def _event(
        self, kind: str, entity: str, key: str, patch: Patch, note: Any
    ) -> tuple[str | None, ...]:
        """The row of an event."""
        return (
            self._group, self.at, self._actor, kind, entity, key, write_patch(patch),
            None if note is None else dumps(note),
        )  # fmt: skip


_TABLE_OF: dict[type, Table[Any]] = {table.cls: table for table in TABLES.values()}


def table_of(value: E) -> Table[E]:
    return _TABLE_OF[type(value)]

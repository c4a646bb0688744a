"""Projecting: what folds say, put into the tables, with only what differs written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.journal import graph
from hopper_tui.store.tables import DERIVED, TABLES
from hopper_tui.store.writing import OPEN_DEPS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from hopper_tui.journal.fold import Fold
    from hopper_tui.store.tables import Table

_MANY = 400
"""With so many entities touched, it is cheaper to look at all dependencies at once."""
_NEEDED = {
    "delegation": ("task", "root_task", "source", "target", "type"),
    "instance": ("name", "scope"),
}
"""Without these nothing can be shown: the event that brings them is on another branch."""
_BORN = {"task": "born", "delegation": "born", "instance": "NULL"}
"""The column that orders what clones made apart."""
_BEGINS = {"task": "created_at", "delegation": "delegated_at", "instance": "created_at"}
"""The field that says since when it is there; who reads it computes with it."""
_ELSEWHERE = {"title": "(created on another branch)"}
"""How a task looks of which only later events are here."""
_MANUAL = {"executor_preference": "manual"}
"""What it is besides, whatever those events say: manual work is never handed out."""

_FORGET_CLASHES = "DELETE FROM clashes WHERE key = ? AND entity = ?"
_DEPS = "SELECT dep, since FROM task_deps WHERE task = ?"
_WITH_BORN = {
    entity: f"INSERT INTO {table.name} ({table.select}, born)"
    f" VALUES ({', '.join('?' * (len(table.fields) + 1))})"
    for entity, table in TABLES.items()
}


class Projection:
    """Some entities on their way into the tables; `finish` sees to what hangs together.

    With `empty` tables there is nothing to compare with.
    """

    def __init__(self, db: sqlite3.Connection, instance: str, *, empty: bool = False) -> None:
        self._db = db
        self._instance = instance
        self._empty = empty
        self._rewired: set[str] = set()
        self._moved: set[str] = set()

    def show(self, key: str, folded: Fold) -> None:
        """Make the row of an entity say what its fold says."""
        table = TABLES[folded.entity]
        state = self._presentable(folded)
        row = None if self._empty else self._row(table, key)
        if state is None:
            if row is not None:
                self._remove(table, key)
        else:
            value = table.thaw({**state, "id": key})
            born = "".join(folded.created[:2]) + key if folded.created else key
            if row is None:
                self._insert(table, value, born)
            else:
                self._update(table, row, value, born)
            if folded.entity == "task":
                self._wire(key, folded)
        self._list_clashes(key, folded, state is not None)

    def _row(self, table: Table[Any], key: str) -> Any:
        return self._db.execute(
            f"SELECT {table.select}, {_BORN[table.entity]} FROM {table.name}"
            f" WHERE {table.key_column} = ?",
            (key,),
        ).fetchone()

    def _presentable(self, folded: Fold) -> dict[str, Any] | None:
        state = folded.state
        if state is None or any(not state.get(f) for f in _NEEDED.get(folded.entity, ())):
            return None
        state = {_BEGINS[folded.entity]: folded.changed_at, **state}
        if folded.entity == "task":
            if folded.created is None:
                state = {**_ELSEWHERE, **state, **_MANUAL}
            state.setdefault("instance", self._instance)
            state["updated_at"] = folded.changed_at
        return state

    def _insert(self, table: Table[Any], value: Any, born: str) -> None:
        if table.entity == "instance":
            self._db.execute(table.insert, table.row(value))
        else:
            self._db.execute(_WITH_BORN[table.entity], (*table.row(value), born))
        if table.entity == "task":
            self._moved.add(value.id)

    def _update(self, table: Table[Any], before: Sequence[Any], after: Any, born: str) -> None:
        was = dict(zip(table.fields, before, strict=False))
        new = dict(zip(table.fields, table.row(after), strict=True))
        changed = {
            f: cell for f, cell in new.items()
            if (f not in DERIVED or f == "updated_at") and cell != was[f]
        }  # fmt: skip
        if table.entity == "task" and was["lease_expires_at"] and not after.is_active:
            changed["lease_expires_at"] = None
        if before[-1] not in (born, None):
            changed["born"] = born
        if not changed:
            return
        assignments = ", ".join(f"{table.column.get(f, f)} = ?" for f in changed)
        self._db.execute(
            f"UPDATE {table.name} SET {assignments} WHERE {table.key_column} = ?",
            (*changed.values(), after.id),
        )
        if table.entity == "task" and "done" in (was["status"], new["status"]):
            self._moved.add(after.id)

    def _remove(self, table: Table[Any], key: str) -> None:
        self._db.execute(f"DELETE FROM {table.name} WHERE {table.key_column} = ?", (key,))
        if table.entity == "task":
            self._moved.add(key)
            if self._db.execute("DELETE FROM task_deps WHERE task = ?", (key,)).rowcount:
                self._rewired.add(key)

    def _wire(self, key: str, folded: Fold) -> None:
        """The dependencies of a task as rows."""
        wanted = {dep: "".join(order) for order, dep in folded.edges()}
        here = {} if self._empty else dict(self._db.execute(_DEPS, (key,)))
        if wanted == here:
            return
        self._db.execute("DELETE FROM task_deps WHERE task = ?", (key,))
        self._db.executemany(
            "INSERT INTO task_deps (task, dep, since) VALUES (?, ?, ?)",
            [(key, dep, since) for dep, since in wanted.items()],
        )
        self._rewired.add(key)

    def _list_clashes(self, key: str, folded: Fold, is_here: bool) -> None:
        if not self._empty:
            self._db.execute(_FORGET_CLASHES, (key, folded.entity))
        if is_here and (clashes := folded.clashes()):
            self._db.executemany(
                "INSERT INTO clashes VALUES (?, ?, ?, ?, ?, ?)",
                [(folded.entity, key, c.register, c.winner, c.loser, c.kind) for c in clashes],
            )

    def finish(self) -> None:
        """Find the dependencies that close a circle, and count the open ones anew."""
        if self._rewired:
            self._break_circles()
        if len(self._rewired) + len(self._moved) > _MANY:
            self._db.execute(
                f"UPDATE tasks SET open_deps = ({OPEN_DEPS})"
                " WHERE open_deps > 0 OR id IN (SELECT task FROM task_deps)"
            )
            return
        recount = f"UPDATE tasks SET open_deps = ({OPEN_DEPS}) WHERE "
        for key in sorted(self._rewired):
            self._db.execute(recount + "id = ?", (key,))
        for key in sorted(self._moved):
            self._db.execute(
                recount + "id = ? OR id IN (SELECT task FROM task_deps WHERE dep = ?)", (key, key)
            )

    def _break_circles(self) -> None:
        before = set(self._db.execute("SELECT task, dep FROM task_deps WHERE inert = 1"))
        edges = self._db.execute("SELECT since, task, dep FROM task_deps").fetchall()
        after = graph.inert([((since,), (task, dep)) for since, task, dep in edges])
        self._db.executemany(
            "UPDATE task_deps SET inert = NOT inert WHERE task = ? AND dep = ?",
            sorted(before ^ after),
        )
        self._rewired.update(task for task, _ in before ^ after)

"""Databases of other versions: older ones are brought up to date, newer ones are left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hopper_tui.model.errors import StorageError
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.query import Query, Term
from hopper_tui.store import schema
from hopper_tui.store.database import SCHEMA_VERSION
from hopper_tui.store.sqlite import SqliteStore

from .conftest import of_first_schema
from .writing import tasks, titles


def test_the_version_is_the_number_of_migrations() -> None:
    assert len(schema.migrations._migrations) == SCHEMA_VERSION


def test_tasks_of_an_older_database_are_counted_and_found(tmp_path: Path) -> None:
    path = of_first_schema(tmp_path / "old.db")
    connection = sqlite3.connect(path)
    row = {
        "id": "abc", "title": "An old task", "description": "", "instance_id": "web",
        "tags": "[]", "priority": 1, "status": "pending", "required_capabilities": "[]",
        "depends_on": "[]", "needs_orchestration": 0, "metadata": "{}", "attempts": 0,
        "waiting": 0, "open_deps": 0, "created_at": "", "updated_at": "",
    }  # fmt: skip
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO tasks ({', '.join(row)}) VALUES ({marks})", row)
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    assert store.counts("web") == {TaskStatus.PENDING: 1}
    assert titles(store.query(Query(terms=(Term("text", ("old ta",)),)))) == ["An old task"]
    assert store.check() == []
    store.close()


def test_a_migration_that_died_half_way_goes_on(tmp_path: Path) -> None:
    path = of_first_schema(tmp_path / "half.db")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    store = SqliteStore(path)
    tasks(store, "one")
    assert store.counts("web") == {TaskStatus.PENDING: 1}
    store.close()


def test_a_newer_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    store = SqliteStore(path)
    tasks(store, "one")
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    newer = SqliteStore(path)
    for use in (newer.instances, newer.rebuild, lambda: tasks(newer, "two")):
        with pytest.raises(StorageError, match="newer Hopper") as refused:
            use()
        assert "Upgrade" in refused.value.hint
    newer.close()
    assert path.read_bytes() == before
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left in (["new.db"], ["new.db", "new.db.lock"])

"""The kinds of store that the contract is run against; a new kind is one more parameter."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from hopper_tui.journal.files import Journal
from hopper_tui.journal.replica import Replica
from hopper_tui.model.ids import system_entropy
from hopper_tui.store.journaled import JournaledStore
from hopper_tui.store.protocol import Store
from hopper_tui.store.run import RunStore
from hopper_tui.store.schema import migrations
from hopper_tui.store.sqlite import SqliteStore

Opener = Callable[[Path], Store]


def of_first_schema(path: Path) -> Path:
    """A database as the first version of the schema left it, before any migration."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    migrations.apply(Database(connection), stop_before="indexes")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    return path


def journaled(root: Path) -> JournaledStore:
    """The store of a project in `root`, outside of git."""
    directory = root / ".hopper"
    replica = Replica(root / "clone", system_entropy)
    path = directory / "web" / "tasks.db"
    return JournaledStore(path, Journal(directory / "journal"), replica, "web", system_entropy)


KINDS: dict[str, Opener] = {
    "file": lambda root: SqliteStore(root / "tasks.db"),
    "memory": lambda _root: SqliteStore(None),
    "journaled": journaled,
    "run": lambda root: RunStore(root / "run.db"),
    "upgraded": lambda root: SqliteStore(of_first_schema(root / "old.db")),
}


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = KINDS[request.param](tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def another(store: Store, tmp_path: Path) -> Iterator[Store]:
    """The same store, as another process has it open."""
    if store.path is None:
        pytest.skip("nobody else can open a store in memory")
    store.instances()
    opened = journaled(tmp_path) if store.travels else SqliteStore(store.path)
    yield opened
    opened.close()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store in a file, for what only files do."""
    opened = SqliteStore(tmp_path / "tasks.db")
    yield opened
    opened.close()

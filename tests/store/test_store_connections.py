"""Connections of a SQLite store: opened late, given back whole, shared by threads, not by forks."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from hopper_tui.model.errors import StorageError
from hopper_tui.model.query import Query
from hopper_tui.store import database as module
from hopper_tui.store.sqlite import SqliteStore

from .writing import first, task, tasks, titles, writing


def _descriptors(under: Path) -> list[str]:
    targets = []
    for number in os.listdir("/proc/self/fd"):
        try:
            targets.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue
    return sorted(t for t in targets if t.startswith(str(under)))


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc here")


@needs_proc
def test_closing_gives_every_descriptor_back(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "tasks.db")
    assert _descriptors(tmp_path) == []
    tasks(store, "one")
    assert len(_descriptors(tmp_path)) == 4
    store.close()
    assert _descriptors(tmp_path) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tasks.db", "tasks.db.lock"]


def test_a_closed_store_opens_again_by_itself(file_store: SqliteStore) -> None:
    tasks(file_store, "one")
    file_store.close()
    file_store.close()
    assert titles(file_store.query(Query())) == ["one"]


def test_closing_in_the_middle_of_a_transaction_waits(file_store: SqliteStore) -> None:
    with writing(file_store) as tx:
        tx.create(task("one"), "task.created")
        file_store.close()
        tx.create(task("two"), "task.created")
    assert titles(file_store.query(Query())) == ["one", "two"]


def test_closing_while_others_read_disturbs_nobody(file_store: SqliteStore) -> None:
    tasks(file_store, *(f"t{n}" for n in range(50)))
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                assert file_store.count(Query()) == 50
                assert first(file_store)
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(60):
        file_store.close()
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_opens_its_own_connection(file_store: SqliteStore) -> None:
    tasks(file_store, "before")
    child = os.fork()
    if not child:
        try:
            tasks(file_store, "by the child")
            file_store.close()
        finally:
            os._exit(0)
    for n in range(5):
        tasks(file_store, f"meanwhile {n}")
    os.waitpid(child, 0)
    assert set(titles(file_store.query(Query()))) == {
        "before", "by the child", *(f"meanwhile {n}" for n in range(5)),
    }  # fmt: skip
    assert file_store.check() == []


class Failing:
    """A connection that fails at some statements, as a disk does."""

    def __init__(self, connection: sqlite3.Connection, *statements: str) -> None:
        self.connection = connection
        self.statements = statements

    def execute(self, sql: str, *args: object) -> object:
        """Execute, unless it is one of the failing statements."""
        if sql in self.statements:
            raise sqlite3.OperationalError("disk I/O error")
        return self.connection.execute(sql, *args)

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)


@pytest.mark.parametrize("statements", [("COMMIT",), ("COMMIT", "ROLLBACK"), ("BEGIN IMMEDIATE",)])
def test_a_commit_that_fails_leaves_nothing_and_the_store_usable(
    file_store: SqliteStore, statements: tuple[str, ...]
) -> None:
    tasks(file_store, "before")
    revision = file_store.revision()
    file_store._db = Failing(file_store._connection, *statements)  # type: ignore[assignment]
    with pytest.raises(StorageError, match="input/output"):
        tasks(file_store, "lost")
    if isinstance(file_store._db, Failing):
        file_store._db = file_store._db.connection
        assert file_store.revision() == revision
    assert titles(file_store.query(Query())) == ["before"]
    tasks(file_store, "after")
    assert titles(file_store.query(Query())) == ["before", "after"]


def test_a_long_log_is_checkpointed_and_begun_anew(
    file_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAL_LIMIT", 100_000)
    assert file_store.path is not None
    reader = SqliteStore(file_store.path)
    log = Path(f"{file_store.path}-wal")
    sizes = []
    for n in range(60):
        tasks(file_store, f"t{n}", description="x" * 3000)
        assert reader.count(Query()) == n + 1
        sizes.append(log.stat().st_size)
    assert max(sizes) < 500_000
    assert min(sizes[10:]) < 100_000
    reader.close()


def test_a_removed_store_takes_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    ours, theirs = SqliteStore(path), SqliteStore(path)
    tasks(ours, "one")
    assert titles(theirs.query(Query())) == ["one"]
    tasks(theirs, "two")
    ours.delete()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError, match="was removed"):
        tasks(theirs, "three")
    assert list(tmp_path.iterdir()) == []
    theirs.close()


def test_a_memory_store_leaves_nothing_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore(None)
    tasks(store, "one")
    store.delete()
    assert list(tmp_path.iterdir()) == []

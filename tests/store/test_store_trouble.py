"""Files that cannot be written, grow or be read: one StorageError, and nothing changed.

Real means, also for root: mounts in a namespace of their own where that is permitted.
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mounting import mounting

from hopper_tui.model.errors import StorageError
from hopper_tui.model.query import Query
from hopper_tui.store.sqlite import SqliteStore

from .writing import tasks, titles

ATTEMPT = Path(__file__).with_name("attempt.py")
READ_ONLY = "mount --bind {0} {0} && mount -o remount,bind,ro {0}"
SMALL = "mount -t tmpfs -o size=700k tmpfs {0}"


def attempt(path: Path, *args: str, mount: str | None = None) -> dict[str, Any]:
    """What came of using a store, in a process that sees `mount` at the store's directory."""
    command = [sys.executable, str(ATTEMPT), str(path), *args]
    if mount is not None:
        script = mount.format(shlex.quote(str(path.parent)))
        command = ["unshare", "-rm", "sh", "-ec", f"{script} && exec {shlex.join(command)}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def only_error(outcome: dict[str, Any]) -> str:
    """The message of the one error that came."""
    (error,) = outcome["errors"]
    assert error["type"] == "StorageError"
    assert error["hint"]
    return str(error["message"])


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A database with one task, closed."""
    path = tmp_path / "store" / "tasks.db"
    store = SqliteStore(path)
    tasks(store, "kept")
    store.close()
    assert sorted(p.name for p in path.parent.iterdir()) == ["tasks.db", "tasks.db.lock"]
    return path


def killed_writer(path: Path) -> None:
    """Leave the files that a writer leaves when it is killed: its log and the log's index."""
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2]); import attempt; from pathlib import Path;"
        "store = attempt.SqliteStore(Path(sys.argv[1])); attempt.write(store, 0); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path), str(ATTEMPT.parent)], check=True)
    assert path.with_name("tasks.db-wal").stat().st_size


@mounting
def test_a_read_only_directory_is_read_and_not_written(kept: Path) -> None:
    before = kept.read_bytes()
    assert attempt(kept, "read", mount=READ_ONLY)["found"] == ["kept"]
    refused = attempt(kept, "write", mount=READ_ONLY)
    assert "read-only" in only_error(refused)
    assert refused["found"] == ["kept"]
    assert kept.read_bytes() == before


@mounting
def test_a_killed_writers_log_is_read_in_a_read_only_directory(kept: Path) -> None:
    killed_writer(kept)
    assert attempt(kept, "read", mount=READ_ONLY)["found"] == ["kept", "new 0"]
    assert "read-only" in only_error(attempt(kept, "write", mount=READ_ONLY))
    assert attempt(kept, "read")["found"] == ["kept", "new 0"]


@mounting
def test_a_log_that_cannot_be_read_is_an_error_and_never_left_out(kept: Path) -> None:
    killed_writer(kept)
    kept.with_name("tasks.db-shm").unlink()
    refused = attempt(kept, "read", mount=READ_ONLY)
    assert refused["found"] is None
    assert str(kept) in only_error(refused)


@mounting
def test_a_store_cannot_be_made_in_a_read_only_directory(tmp_path: Path) -> None:
    refused = attempt(tmp_path / "tasks.db", "read", mount=READ_ONLY)
    assert {e["type"] for e in refused["errors"]} == {"StorageError"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_a_file_without_write_permission_is_read_and_not_written(kept: Path) -> None:
    kept.chmod(0o444)
    assert attempt(kept, "read")["found"] == ["kept"]
    assert "read-only" in only_error(attempt(kept, "write"))


def test_an_immutable_file_is_read_and_not_written(kept: Path) -> None:
    try:
        set_flag = subprocess.run(["chattr", "+i", str(kept)], capture_output=True)
    except OSError:
        pytest.skip("no chattr here")
    if set_flag.returncode:
        pytest.skip("flags are not permitted here")
    try:
        assert attempt(kept, "read")["found"] == ["kept"]
        assert "read-only" in only_error(attempt(kept, "write"))
    finally:
        subprocess.run(["chattr", "-i", str(kept)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_an_open_file_is_written_once_it_may_be(kept: Path) -> None:
    kept.chmod(0o444)
    store = SqliteStore(kept)
    with pytest.raises(StorageError, match="read-only"):
        tasks(store, "new")
    assert store.is_read_only
    kept.chmod(0o644)
    tasks(store, "new")
    assert not store.is_read_only
    store.close()


@mounting
def test_a_full_disk_keeps_what_was_acknowledged_and_nothing_else(tmp_path: Path) -> None:
    outcome = attempt(tmp_path / "tasks.db", "fill", mount=SMALL)
    assert outcome["acknowledged"] >= 3
    assert "full" in only_error(outcome) or "input/output" in only_error(outcome)
    assert outcome["found"] == [f"new {n}" for n in range(outcome["acknowledged"])]
    assert outcome["counted"] == outcome["acknowledged"]


def test_a_file_size_limit_keeps_what_was_acknowledged_and_nothing_else(kept: Path) -> None:
    outcome = attempt(kept, "fill", "400000")
    only_error(outcome)
    assert outcome["acknowledged"] >= 3
    expected = ["kept", *(f"new {n}" for n in range(outcome["acknowledged"]))]
    assert outcome["found"] == expected
    again = attempt(kept, "read")
    assert (again["errors"], again["found"]) == ([], expected)


def test_no_room_for_the_schema_is_one_error_and_heals(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    refused = attempt(path, "read", "20000")
    assert {e["type"] for e in refused["errors"]} == {"StorageError"}
    healed = attempt(path, "write")
    assert (healed["errors"], healed["found"]) == ([], ["new 0"])


@pytest.mark.parametrize(
    "content", [b"this is no database" * 300, b"SQLite format 3\0" + b"x" * 900]
)
def test_a_file_that_is_no_database_is_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tasks.db"
    path.write_bytes(content)
    outcome = attempt(path, "write")
    assert {e["type"] for e in outcome["errors"]} == {"StorageError"}
    assert outcome["errors"][0]["message"] == f"{path} is damaged"
    assert path.read_bytes() == content


def test_a_page_torn_out_of_the_middle_is_found(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    store = SqliteStore(path)
    tasks(store, *(f"task {n}" for n in range(500)))
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xaa" * (len(content) - 8192 - 4096)
    path.write_bytes(content)

    try:
        found = store.check()
    except StorageError as error:
        found = [error.message]
    assert "damaged" in found[0] or "SQLite reports" in found[0]
    store.close()


def test_a_directory_in_the_place_of_the_file_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "tasks.db").mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        SqliteStore(tmp_path / "tasks.db").instances()


def test_a_file_in_the_place_of_the_directory_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        SqliteStore(tmp_path / "file" / "tasks.db").instances()


def test_a_lock_that_keeps_readers_out_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a screen with many stores does not stand still for one of them again and again."""
    monkeypatch.setattr("hopper_tui.store.database.BUSY_TIMEOUT", 2.0)
    store = SqliteStore(tmp_path / "tasks.db")
    tasks(store, "one")
    store.close()
    stranger = sqlite3.connect(tmp_path / "tasks.db", isolation_level=None)
    stranger.execute("PRAGMA locking_mode = EXCLUSIVE")
    stranger.execute("BEGIN EXCLUSIVE")
    waited = []
    for _ in range(3):
        begun = time.monotonic()
        with pytest.raises(StorageError, match="locked") as refused:
            store.query(Query())
        assert refused.value.state == "locked"
        waited.append(time.monotonic() - begun)
    assert waited[0] >= 2
    assert max(waited[1:]) < 2
    stranger.execute("ROLLBACK")
    stranger.close()
    assert titles(store.query(Query())) == ["one"]
    assert store._one("PRAGMA busy_timeout") == (2000,)
    store.close()


def test_a_lock_of_another_program_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hopper_tui.store.database.BUSY_TIMEOUT", 0.05)
    store = SqliteStore(tmp_path / "tasks.db")
    tasks(store, "one")
    stranger = sqlite3.connect(tmp_path / "tasks.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        tasks(store, "two")
    stranger.execute("ROLLBACK")
    stranger.close()
    tasks(store, "three")
    assert titles(store.query(Query())) == ["one", "three"]
    store.close()

"""How a command learns of one that died, and of a store that cannot be written now."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hopper_tui.engine.intent import Intents
from hopper_tui.engine.world import World
from hopper_tui.model.errors import StorageError
from hopper_tui.store.sqlite import SqliteStore

from .scenarios import SCENARIOS

pytest.importorskip("fcntl")


def _died(directory: Path, name: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).touch()


def test_a_living_command_is_not_taken_for_dead(tmp_path: Path) -> None:
    alive, other = Intents(tmp_path / "pending"), Intents(tmp_path / "pending")
    alive.begin("one")
    alive.begin("again")
    with alive.abandoned() as seen_by_itself, other.abandoned() as seen_by_another:
        assert seen_by_itself == seen_by_another == []
    alive.end()
    alive.end()
    assert list((tmp_path / "pending").iterdir()) == []


def test_a_dead_command_is_picked_up_once_and_then_forgotten(tmp_path: Path) -> None:
    _died(tmp_path, "dead")
    with Intents(tmp_path).abandoned() as first, Intents(tmp_path).abandoned() as second:
        assert (first, second) == (["dead"], [])
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_finished_is_tried_again(tmp_path: Path) -> None:
    _died(tmp_path, "dead")

    def fails() -> None:
        with Intents(tmp_path).abandoned():
            raise StorageError("no room")

    with pytest.raises(StorageError):
        fails()
    with Intents(tmp_path).abandoned() as dead:
        assert dead == ["dead"]


def test_without_a_directory_nothing_is_announced(tmp_path: Path) -> None:
    nowhere = Intents(None)
    nowhere.begin("one")
    with nowhere.abandoned() as dead:
        assert dead == []
    nowhere.end()
    with Intents(tmp_path / "missing").abandoned() as dead:
        assert dead == []


def test_a_hop_to_a_store_that_cannot_be_written_waits_and_arrives_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "home", tmp_path, actor="ann")
    SCENARIOS["add"].prepare(world)
    begin = SqliteStore._begin

    def refuse(self: SqliteStore) -> sqlite3.Connection:
        if self.path is not None and self.path.parent.name == "webapp":
            raise StorageError(f"{self.path} is read-only")
        return begin(self)

    with monkeypatch.context() as patched:
        patched.setattr(SqliteStore, "_begin", refuse)
        key = world.hopper("global").add_task(title="Build login page", tags=("react", "ui"))
    assert [hop.status for hop in world.chain(key)] == ["pending"]
    assert any("read-only" in warning for warning in world.warnings)
    assert world.hopper("webapp").is_empty()
    world.reconcile()
    assert [hop.status for hop in world.chain(key)] == ["accepted", "accepted"]
    world.close()

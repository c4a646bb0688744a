"""Stores that cannot be used: each says why and what to do, and the others go on working."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hopper_tui.engine.world import World

from .repositories import repository, world_of
from .story import Story, story
from .worlds import Clock, busy_world


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for shortly."""
    monkeypatch.setattr("hopper_tui.store.database.BUSY_TIMEOUT", 0.2)
    monkeypatch.setattr("hopper_tui.store.gate.PATIENCE", 0.5)


@pytest.fixture
def again(tmp_path: Path) -> Callable[[], World]:
    """The busy world, as the next process sees it."""
    world = busy_world(tmp_path)
    clock = world.now
    assert isinstance(clock, Clock)
    world.close()
    return lambda: World(tmp_path, tmp_path, actor="me", clock=clock)


@pytest.fixture
def database(again: Callable[[], World], tmp_path: Path) -> Path:
    """Where webapp keeps its tasks."""
    return tmp_path / "webapp" / "tasks.db"


def damage(database: Path) -> None:
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    database.write_bytes(b"this is no database" * 400)


def upgrade(database: Path) -> None:
    db = sqlite3.connect(database)
    db.execute("PRAGMA user_version = 9999")
    db.close()


@pytest.fixture
def locks() -> Iterator[list[sqlite3.Connection]]:
    """Connections of another program, which lets go at the end."""
    held: list[sqlite3.Connection] = []
    yield held
    for db in held:
        db.close()


def lock(database: Path, mode: str) -> sqlite3.Connection:
    """A connection that holds a lock: EXCLUSIVE keeps readers out, IMMEDIATE writers."""
    db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    if mode == "EXCLUSIVE":
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute(f"BEGIN {mode}")
    return db


def remove(database: Path) -> None:
    shutil.rmtree(database.parent)


TROUBLE = {
    "damaged": (damage, "put a backup in its place"),
    "newer": (upgrade, "Upgrade Hopper; nothing was changed"),
}


async def is_told(s: Story, word: str, fix: str) -> None:
    """The tree says what is wrong with webapp, its queue what to do; the others go on working."""
    await s.until(lambda: word in s.line("✗ webapp"), f"the tree does not say {word}")
    await s.until(lambda: fix in " ".join(s.screen.replace("│", " ").split()), "no fix is told")
    await s.press("a")
    await s.sees("This hopper cannot be used")
    await s.press("1", "g")
    await s.sees("hopper-global · 0 open")
    await s.adds("Call the plumber", to="hopper-global")


@pytest.mark.parametrize("word", TROUBLE)
async def test_a_store_that_cannot_be_read(again: Callable[[], World], database: Path, word: str):
    spoil, fix = TROUBLE[word]
    spoil(database)
    before = database.read_bytes()
    async with story(again(), (160, 48), instance="webapp") as s:
        await is_told(s, word, fix)
    assert database.read_bytes() == before


@pytest.mark.parametrize("word", TROUBLE)
async def test_a_store_that_is_spoilt_under_the_open_screen(
    again: Callable[[], World], database: Path, word: str
):
    spoil, fix = TROUBLE[word]
    async with story(again(), (160, 48), instance="webapp") as s:
        await s.sees("Fix login crash")
        spoil(database)
        await is_told(s, word, fix)


async def test_a_store_that_is_removed_under_the_open_screen_is_not_made_again(
    again: Callable[[], World], database: Path
):
    async with story(again(), (160, 48), instance="webapp") as s:
        await s.sees("Fix login crash")
        remove(database)
        await is_told(s, "gone", "was removed")
        assert not database.exists()


async def test_a_backup_that_takes_its_place_is_read(again: Callable[[], World], database: Path):
    backup = database.with_name("backup")
    shutil.copy(database, backup)
    async with story(again(), instance="webapp") as s:
        await s.sees("Fix login crash")
        damage(database)
        await s.sees("damaged")
        database.unlink()
        backup.rename(database)
        await s.sees("Fix login crash")
        await s.sees_no("damaged")
        await s.press("c")
        await s.sees("claimed web-")
    world = again()
    assert "me" in {task.owner for task in world.hopper("webapp").list()}
    world.close()


async def test_a_store_that_another_program_keeps_readers_out_of(
    again: Callable[[], World], database: Path, locks: list[sqlite3.Connection]
):
    locks.append(lock(database, "EXCLUSIVE"))
    async with story(again(), (160, 48), instance="webapp") as s:
        await is_told(s, "locked", "Try again in a moment")
        locks.pop().close()
        await s.press("1", "j", "j")
        await s.sees("webapp · 11 open", "Fix login crash")


async def test_what_was_typed_outlives_a_lock(
    again: Callable[[], World], database: Path, locks: list[sqlite3.Connection]
):
    async with story(again(), instance="webapp") as s:
        await s.press("a")
        await s.type("Sharpen the saw")
        locks.append(lock(database, "IMMEDIATE"))
        await s.press("enter")
        await s.sees("is locked by another program", "Sharpen the saw")
        locks.pop().close()
        await s.press("enter")
        await s.sees("added Sharpen the saw")


async def test_a_verb_that_cannot_write_says_why(
    again: Callable[[], World], database: Path, locks: list[sqlite3.Connection]
):
    async with story(again(), instance="webapp") as s:
        locks.append(lock(database, "IMMEDIATE"))
        await s.press("c")
        await s.sees("is locked by")
        locks.pop().close()
        await s.press("c")
        await s.sees("claimed web-")


@pytest.mark.parametrize("keys", [("c",), ("a", *"Sharpen the saw", "enter")])
async def test_what_could_not_be_written_is_told_after_the_screen_was_left(
    again: Callable[[], World],
    database: Path,
    locks: list[sqlite3.Connection],
    keys: tuple[str, ...],
):
    world = again()
    async with story(world, instance="webapp") as s:
        locks.append(lock(database, "IMMEDIATE"))
        await s.press(*keys[:-1])
        s.tap(keys[-1])
        while not (s.app.cockpit.underway or getattr(s.app.screen, "is_trying", False)):
            await asyncio.sleep(0.002)
        await asyncio.sleep(0)  # a task that is ended before its first step never began to write
        s.app.exit()
    assert [text for text in world.warnings if "not " in text and "is locked by" in text]


async def test_what_takes_time_says_so(
    again: Callable[[], World],
    database: Path,
    locks: list[sqlite3.Connection],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("hopper_tui.tui.working.SILENT_FOR", 0.02)
    async with story(again(), instance="webapp") as s:
        locks.append(lock(database, "IMMEDIATE"))
        s.tap("c")
        await s.glimpses("still at it")
        await s.sees("is locked by")


async def test_a_project_whose_directory_is_gone_and_comes_back(tmp_path: Path):
    clone = repository(tmp_path / "ann")
    world = world_of(clone)
    world.hopper("global")
    moved = clone.root.with_name("elsewhere")
    async with story(world, (160, 48), instance="web") as s:
        await s.sees("Fix login crash")
        clone.root.rename(moved)
        await s.press("c")
        await s.sees("gone")
        moved.rename(clone.root)
        await s.sees("Fix login crash")
        await s.sees_no("gone")


async def webapp_goes_on_without_its_home(s: Story) -> None:
    await s.until(lambda: "damaged" in s.line("✗ hopper-global"), "the tree shows no trouble")
    await s.sees("webapp · 11 open", "worker-1")
    await s.press("c")
    await s.sees("claimed web-")
    await s.press("1", "g")
    await s.sees("home.db is damaged", "put a backup in its place")
    await s.press("2", "a")
    await s.sees("This hopper cannot be used")


async def test_the_projects_of_a_home_that_is_damaged_are_found(
    again: Callable[[], World], tmp_path: Path
):
    damage(tmp_path / "home.db")
    async with story(again(), (160, 48), instance="webapp") as s:
        await webapp_goes_on_without_its_home(s)


async def test_a_home_that_is_damaged_under_the_open_screen(
    again: Callable[[], World], tmp_path: Path
):
    async with story(again(), (160, 48), instance="webapp") as s:
        await s.sees("Fix login crash")
        damage(tmp_path / "home.db")
        await webapp_goes_on_without_its_home(s)


async def test_a_damaged_home_without_projects_says_what_to_do(tmp_path: Path):
    damage(tmp_path / "home.db")
    async with story(World(tmp_path, tmp_path, actor="me"), (160, 48)) as s:
        await s.sees("home.db is damaged", "put a backup in its place")


@pytest.mark.parametrize(
    "keys",
    [
        ("a", "x", "y", "z"), ("/", "l", "o"), ("D",), ("?", "c"), (":", "s"), ("space", "d"),
        ("*", "d"), ("W",), ("z", "3"), ("1", "n", "x"), ("d",), ("u",), ("Z", "c"), ("1", "X"),
    ],
    ids="".join,
)  # fmt: skip
async def test_quitting_in_the_middle_of_anything(
    again: Callable[[], World], tmp_path: Path, keys: tuple[str, ...]
):
    async with story(again(), instance="webapp") as s:
        for key in keys:
            await s.strike(key)
        s.app.exit()
        await s.until(lambda: not s.app.is_running, "did not quit")
        assert s.app.return_code == 0
    world = again()
    assert world.store("webapp").check() == []
    world.close()

"""Watching a hopper: events arrive as they are recorded, by this process or another."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hopper_tui.engine import noticing
from hopper_tui.engine.noticing import IN_TURN
from hopper_tui.engine.places import OPEN_STORES
from hopper_tui.engine.world import World

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kept", ["files", "memory"])
def test_events_arrive_as_they_are_recorded(kept: str, tmp_path: Path) -> None:
    home = tmp_path / "home" if kept == "files" else None
    world = World(home)
    project = world.create_instance("web", "project")
    begin = project.store.events(newest=True, limit=1)[0].seq
    watched = project.watch(after=begin)
    other = project if home is None else World(home).hopper("web")
    adding = threading.Thread(target=lambda: [other.add_task(title=t) for t in ("one", "two")])
    adding.start()
    titles: list[str] = []
    while len(titles) < 2:
        event = next(watched)
        if event.kind == "task.created":
            titles.append(event.patch.set["title"])
    adding.join()
    assert titles == ["one", "two"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No commit takes longer than no time."""
    monkeypatch.setattr(noticing, "IN_FLIGHT", 0.0)


@pytest.mark.usefixtures("quick")
def test_reading_many_hoppers_is_no_change_and_a_change_in_any_of_them_is(tmp_path: Path) -> None:
    """More of them than are kept open, so that reading one closes another."""
    world = World(tmp_path, tmp_path)
    world.hopper()
    names = [f"project-{number}" for number in range(OPEN_STORES + 6)]
    for name in names:
        world.create_instance(name, "project")
    world.tree()
    world.tree()  # closing one that was just written moves its log into it
    before = world.revision()
    for _ in range(3):
        world.tree()
        assert world.revision() == before
    other = World(tmp_path, tmp_path, actor="other")
    for name in names:
        other.hopper(name).add_task(title=f"Tidy {name}")
        assert world.revision() > before
        before = world.revision()
    assert {path.name for path in world.watch_paths()} == {tmp_path.name, *names}
    other.close()
    world.close()


@pytest.mark.usefixtures("quick")
def test_who_does_not_look_everywhere_sees_a_change_of_any_hopper_in_its_turn(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, tmp_path)
    world.hopper()
    names = [f"project-{number}" for number in range(OPEN_STORES + 2 * IN_TURN + 1)]
    for name in names:
        world.create_instance(name, "project")
    world.tree()
    before = world.revision()
    other = World(tmp_path, tmp_path, actor="other")
    seen_at_once = 0
    for name in names:
        other.hopper(name).add_task(title=f"Tidy {name}")
        looks = [world.revision(everywhere=False) for _ in range(3)]
        assert looks[-1] > before
        seen_at_once += looks[0] > before
        before = looks[-1]
    assert seen_at_once < len(names)
    other.close()
    world.close()


def test_a_commit_is_seen_when_it_counts_not_when_its_file_was_written_to(tmp_path: Path) -> None:
    """A disk may take long to sync what was written; readers see none of it until then."""
    world = World(tmp_path, tmp_path)
    web = world.create_instance("web", "project")
    web.list()
    before = world.revision()
    assert web.store.path is not None
    writer = sqlite3.connect(web.store.path, isolation_level=None)
    writer.execute("PRAGMA cache_spill = 1")
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN IMMEDIATE")
    values = [(f"{number}", "x" * 500) for number in range(200)]
    writer.executemany("INSERT INTO local VALUES (?, ?)", values)  # more than stays in memory
    assert world.revision() == before
    assert web.store.local("199") is None
    writer.execute("COMMIT")
    assert world.revision() > before
    writer.close()
    world.close()


def test_a_closed_hopper_that_is_just_written_to_is_looked_at_once_more(tmp_path: Path) -> None:
    world, other = World(tmp_path, tmp_path), World(tmp_path, tmp_path, actor="other")
    world.create_instance("web", "project")
    world.places.close()
    other.hopper("web").add_task(title="Tidy")
    other.close()
    before = world.revision()
    assert world.revision() > before  # whoever wrote it may not have been through
    for file in tmp_path.rglob("*.db*"):
        os.utime(file, (time.time() - 60,) * 2)
    before = world.revision()
    assert world.revision() == before
    world.close()

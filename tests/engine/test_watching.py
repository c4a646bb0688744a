"""Watching a hopper: events arrive as they are recorded, by this process or another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from hopper_tui.engine.places import OPEN_STORES
from hopper_tui.engine.world import IN_TURN, World

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

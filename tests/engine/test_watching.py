"""Watching a hopper: events arrive as they are recorded, by this process or another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

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

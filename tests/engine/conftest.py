"""Worlds for stories: in files and in memory, with a clock that stands still until told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hopper_tui.engine.world import World

from .scene import Clock, Scene


@pytest.fixture
def clock() -> Clock:
    """A clock that moves only by `tick`."""
    return Clock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory."""
    return tmp_path / "home"


@pytest.fixture(params=["files", "memory"])
def scene(request: pytest.FixtureRequest, home: Path, clock: Clock) -> Iterator[Scene]:
    """A running global hopper, its stores in files and again in memory."""
    world = World(home if request.param == "files" else None, clock=clock)
    yield Scene(world, clock)
    world.close()


@pytest.fixture
def filed(home: Path, clock: Clock) -> Iterator[Scene]:
    """A running global hopper with its stores in files."""
    world = World(home, clock=clock)
    yield Scene(world, clock)
    world.close()

"""Projects in real git repositories, and the worlds of the people who work in them."""

from __future__ import annotations

import random
from pathlib import Path

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from tests.journal.clones import Clone

from .worlds import NOW, Clock


def world_of(clone: Clone, seed: int = 7) -> World:
    """The world as the one who works in a clone sees it; another seed is another machine."""
    home = clone.home / ".hopper"
    entropy = random.Random(seed).randbytes
    world = World(home, clone.root, actor=clone.actor, clock=Clock(), entropy=entropy, via="tui")
    world.now.now = NOW
    return world


def repository(root: Path) -> Clone:
    """The first clone, with the project `web` and its two tasks committed on `main`."""
    clone = Clone.first(root, init=False)
    world = world_of(clone)
    world.init_project(root, "web")
    web = world.hopper("web")
    for title, priority in (("Fix login crash", "high"), ("Tidy the docs", "medium")):
        add(web, title, priority=priority)
    world.close()
    clone.commit("tasks")
    return clone


def add(web: Hopper, title: str, **fields: str) -> str:
    """A task that stays where it is added."""
    return web.add_task(title=title, executor_preference="human", **fields)


def task(world: World, title: str) -> str:
    """The id of the task with that title."""
    return next(t.id for t in world.hopper("web").list(closed=True) if t.title == title)


def disagreement(ann: Clone, bob: Clone) -> None:
    """Both give the same task another priority; hers is committed, his is what she may pull."""
    for clone, seed, priority in ((ann, 11, "low"), (bob, 12, "urgent")):
        world = world_of(clone, seed)
        world.now.now = NOW + seed * 60
        world.hopper("web").update(task(world, "Fix login crash"), priority=priority)
        world.close()
        clone.commit(f"{priority}")


def pull(clone: Clone, other: Clone) -> None:
    """Merge what another clone has committed."""
    clone.git("pull", "-q", "--no-rebase", "--no-edit", str(other.root), "main")

"""Stories on a disk of their own that gets full or read-only: `mounted.py STORY DIRECTORY`, where a
small file system is mounted for this process alone.

Paths are long here and refusals wrap, so a story waits for their last word, with its full stop.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from hopper_tui.engine.world import World

from .repositories import repository, world_of
from .story import story
from .worlds import busy_world

WIDE = (120, 36)


class Disk:
    """A small file system with the home of the busy world on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = path / "home"
        self.webapp = self.home / "webapp"
        self._ballast = path / "ballast"
        world = busy_world(self.home)
        self._clock = world.now
        world.close()

    def world(self) -> World:
        """The world as the next process sees it."""
        return World(self.home, self.home, actor="me", clock=self._clock, via="tui")

    def fill(self, room: int = 0) -> None:
        """Leave so many bytes free."""
        with self._ballast.open("wb", buffering=0) as file:
            while (more := self._free - room) > 0:
                file.write(b"\0" * min(more, 1 << 16))

    @property
    def _free(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def make_room(self) -> None:
        """Let the disk be as empty as it was."""
        self._ballast.unlink()

    def forbid(self, directory: Path) -> None:
        """Mount a directory read-only."""
        _mount("--bind", directory, directory)
        _mount("-o", "remount,bind,ro", directory)

    def allow(self, directory: Path) -> None:
        """Let a directory be written again."""
        _mount("-o", "remount,bind,rw", directory)

    def states(self) -> dict[str, str]:
        """The state of each task of webapp by its title, as the next process finds it."""
        world = self.world()
        assert world.store("webapp").check() == []
        found = {task.title: str(task.status) for task in world.hopper("webapp").list(closed=True)}
        world.close()
        return found


def _mount(*args: str | Path) -> None:
    subprocess.run(["mount", *args], check=True)


async def a_read_only_project_says_so_and_the_others_go_on(disk: Disk) -> None:
    disk.forbid(disk.webapp)
    async with story(disk.world(), WIDE, instance="webapp") as s:
        await s.sees("Fix login crash", "read-only, make writable")
        assert "r/o" in s.line("● webapp")
        assert "r/o" not in s.line("hopper-global")
        await s.press("c")
        await s.sees("read-only.")
        await s.press("1", "g")
        await s.sees("hopper-global · 0 open")
        await s.adds("Call the plumber", to="hopper-global")
    assert disk.states()["Fix login crash"] == "pending"


async def a_read_only_home_can_be_looked_at(disk: Disk) -> None:
    disk.forbid(disk.home)
    async with story(disk.world(), WIDE, instance="webapp") as s:
        await s.sees("Fix login crash", "read-only, make writable")
        assert "r/o" in s.line("● hopper-g")
        await s.press("/")
        await s.type("oauth")
        await s.press("enter")
        await s.sees("1 of 11")
        await s.press("B")
        await s.sees("Ship OAuth")


async def what_was_typed_for_a_read_only_project_is_added_once_it_can_be_written(
    disk: Disk,
) -> None:
    disk.forbid(disk.webapp)
    async with story(disk.world(), WIDE, instance="webapp") as s:
        await s.press("a")
        await s.type("Sharpen the saw")
        await s.press("enter")
        await s.sees("read-only.", "Sharpen the saw", "add to webapp")
        disk.allow(disk.webapp)
        await s.press("enter")
        await s.sees("added Sharpen the saw")
        await s.sees_no("read-only, make writable")
        assert "r/o" not in s.line("● webapp")
    assert disk.states()["Sharpen the saw"] == "pending"


async def a_project_that_can_be_written_again_is_said_to_be_without_a_key(disk: Disk) -> None:
    disk.forbid(disk.webapp)
    async with story(disk.world(), WIDE, instance="webapp") as s:
        await s.sees("read-only, make writable")
        disk.allow(disk.webapp)
        await s.sees_no("read-only", "r/o")


async def a_read_only_checkout_is_worked_in_once_it_can_be_written(disk: Disk) -> None:
    clone = repository(disk.path / "ann")
    disk.forbid(clone.root)
    async with story(world_of(clone), WIDE, instance="web") as s:
        await s.sees("Fix login crash", "read-only, make writable")
        await s.press("c")
        await s.sees("read-only.")
        disk.allow(clone.root)
        await s.sees_no("read-only, make writable")
        await s.press("c")
        await s.sees("claimed web-")
    world = world_of(clone)
    assert "ann" in {task.owner for task in world.hopper("web").list()}
    assert (clone.root / ".hopper" / "web" / "tasks.db").exists()
    world.close()


async def a_full_disk_takes_no_verb_and_loses_nothing_typed(disk: Disk) -> None:
    before = disk.states()
    async with story(disk.world(), WIDE, instance="webapp") as s:
        disk.fill()
        await s.press("c")
        await s.sees("full.")
        await s.press("b")
        await s.type("no room")
        await s.press("enter")
        await s.sees("full.", "no room", "block web-")
        disk.make_room()
        await s.press("enter")
        await s.sees("blocked web-")
    assert disk.states() == before | {"Fix login crash": "blocked"}


async def a_disk_that_gets_full_under_a_verb_on_many_tasks(disk: Disk) -> None:
    before = disk.states()
    async with story(disk.world(), WIDE, instance="webapp") as s:
        disk.fill(room=48 << 10)
        await s.press("*", "b")
        await s.press("y")
        await s.sees("block 11 tasks")
        await s.type("no room")
        await s.press("enter")
        await s.sees("full.")
        told = s.screen
        disk.make_room()
    after = disk.states()
    done = [title for title in after if after[title] != before[title]]
    assert {after[title] for title in done} == {"blocked"}
    assert f"{len(done)} blocked, {11 - len(done)} refused" in told, told


STORIES: dict[str, Callable[[Disk], Awaitable[None]]] = {
    tell.__name__: tell
    for tell in (
        a_read_only_project_says_so_and_the_others_go_on,
        a_read_only_home_can_be_looked_at,
        what_was_typed_for_a_read_only_project_is_added_once_it_can_be_written,
        a_project_that_can_be_written_again_is_said_to_be_without_a_key,
        a_read_only_checkout_is_worked_in_once_it_can_be_written,
        a_full_disk_takes_no_verb_and_loses_nothing_typed,
        a_disk_that_gets_full_under_a_verb_on_many_tasks,
    )
}

if __name__ == "__main__":
    asyncio.run(STORIES[sys.argv[1]](Disk(Path(sys.argv[2]))))

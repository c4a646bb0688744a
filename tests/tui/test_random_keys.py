"""Any keys in any order: nothing breaks, nothing changes behind the log, all can be undone.

Each session strikes a few hundred keys; `pytest tests/tui/test_random_keys.py --keys 10000
--dice 7` strikes as many as one likes.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from hopper_tui.engine.undo import Undone
from hopper_tui.engine.world import World
from hopper_tui.model import fold
from hopper_tui.model.errors import HopperError, NotFound
from hopper_tui.model.event import Patch
from hopper_tui.model.task import Task
from hopper_tui.store.tables import DERIVED, TASKS
from hopper_tui.tui.commands import COMMANDS

from .story import Story, story
from .worlds import busy_world

BATCH = 25
"""Keys struck before somebody else changes the store."""
WORDS = (*"abcxyz01289 -:!~#@/\\", "é", "界", "[", "]")
EDITING = ("enter", "escape", "tab", "shift+tab", "backspace", "delete", "up", "down", "home")
STEERING = frozenset({"S", "X", "P", "E"})
"""Keys that start and stop hoppers, which is no change of a task and is not undone."""


def keys(seed: int, without: frozenset[str] = frozenset()) -> Iterator[str]:
    """Keys without end: most are those of commands, often one that answers what came up."""
    chance = random.Random(seed)
    commands = sorted({key for c in COMMANDS for key in c.keys} - {"q"} - without)
    while True:
        kind = chance.random()
        if kind < 0.55:
            yield chance.choice(commands)
        elif kind < 0.8:
            yield chance.choice(EDITING)
        else:
            yield chance.choice(WORDS)


def tasks_of(world: World) -> dict[str, Task]:
    """Every task of every hopper."""
    return {
        task.id: task
        for node in world.nodes()
        for task in world.hopper(node.instance.id).list(closed=True)
    }


def recorded(world: World, task: Task) -> Task:
    """A task as its events tell it."""
    state: dict[str, object] = {}
    for event in world.store(task.instance).events(key=task.id):
        state = fold.apply(state, event.patch)
    return TASKS.thaw(state)._replace(
        **{field: getattr(task, field) for field in DERIVED - {"told"}}
    )


class Somebody:
    """Somebody else who works on the same hopper meanwhile."""

    def __init__(self, home: Path, seed: int) -> None:
        self._world = World(home, home, actor="somebody")
        self._chance = random.Random(seed)
        self._numbers = count()

    def act(self) -> None:
        """Add, claim, finish, cancel or change a task, if that can be done."""
        webapp = self._world.hopper("webapp")
        known = webapp.list()
        chosen = self._chance.choice(known).id if known else ""
        try:
            match self._chance.randrange(5):
                case 0:
                    webapp.add_task(title=f"Another one {next(self._numbers)}")
                case 1:
                    webapp.claim_next("somebody")
                case 2:
                    webapp.complete(chosen)
                case 3:
                    webapp.cancel(chosen, "not wanted")
                case 4:
                    webapp.update(chosen, priority=self._chance.choice(["low", "urgent"]))
        except HopperError:  # done, held, at capacity: as it comes
            pass

    def leave(self) -> None:
        self._world.close()


@asynccontextmanager
async def a_session(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Story]:
    """The app at webapp, with an editor that changes nothing, in a directory of its own."""
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.chdir(home)
    async with story(busy_world(home), (100, 30), instance="webapp") as s:
        tick = count(1)
        clock = s.world.now
        s.world.now = lambda: clock() + next(tick) / 1000  # commands have an order in time
        monkeypatch.setattr(s.app, "exit", lambda: None)  # the palette may pick to quit
        yield s


async def play(s: Story, struck: Iterator[str], number: int, meanwhile: Somebody | None) -> None:
    """Strike keys; at the end every dialog is closed, and everything that was asked for is done."""
    for n in range(number):
        await s.strike(next(struck))
        if meanwhile is not None and n % BATCH == 0:
            meanwhile.act()
    for _ in range(20):
        if len(s.app.screen_stack) > 1:
            await s.press("escape")
    assert len(s.app.screen_stack) == 1, s.screen
    await s.app.cockpit.session.do(lambda world: None)


async def test_nothing_breaks_and_nothing_changes_without_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    async with a_session(tmp_path, monkeypatch) as s:
        number, seed = (request.config.getoption(name) for name in ("keys", "dice"))
        other = Somebody(tmp_path, seed)
        await play(s, keys(seed), number, other)
        for task in tasks_of(s.world).values():
            assert recorded(s.world, task) == task
        other.leave()


async def test_undoing_to_the_start_restores_every_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    async with a_session(tmp_path, monkeypatch) as s:
        before, started = tasks_of(s.world), positions(s.world)
        keep_what_was(s.world, started, monkeypatch)
        number, seed = (request.config.getoption(name) for name in ("keys", "dice"))
        await play(s, keys(seed, STEERING), number, None)
        while (newest := last_command(s.world, started)) is not None:
            s.world.undo(newest)
        after = tasks_of(s.world)
        for key, task in before.items():
            assert after[key]._replace(updated_at="") == task._replace(updated_at="")
        assert all(after[key].status == "cancelled" for key in after.keys() - before.keys())


def keep_what_was(world: World, started: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing from before the session be undone in it."""
    undo = world.undo

    def undo_what_is_new(ref: str | None = None) -> Undone:
        key = world.hopper(ref).id
        if not left_of(world, key, begun(world, started, key)):
            raise NotFound("there is nothing to undo")
        return undo(ref)

    monkeypatch.setattr(world, "undo", undo_what_is_new)


def positions(world: World) -> dict[str, int]:
    """How far the record of every hopper goes."""
    return {
        node.instance.id: max(e.seq for e in world.store(node.instance.id).events())
        for node in world.nodes()
    }


def begun(world: World, started: dict[str, int], hopper: str) -> int:
    """How far the record of a hopper went then; a phase made since is in the store of its run."""
    here = {instance.id for instance in world.store(hopper).instances()}
    return max((seq for key, seq in started.items() if key in here), default=0)


def last_command(world: World, started: dict[str, int]) -> str | None:
    """The hopper of the last command since then that changed a task and is not undone."""
    newest: tuple[str, str] | None = None
    for hopper in positions(world):  # also those made since
        left = left_of(world, hopper, begun(world, started, hopper))
        if left and (newest is None or max(left) > newest[0]):
            newest = max(left), hopper
    return newest and newest[1]


def left_of(world: World, hopper: str, seq: int) -> set[str]:
    """The commands at a hopper since then that changed a task and are not undone."""
    events = world.store(hopper).events(after=seq)
    undone = {e.group: e.note["takes_back"] for e in events if e.entity == "command"}
    left: set[str] = set()
    for event in events:
        if event.kind == "undo":
            left.discard(undone[event.group])
        elif event.kind == "redo":
            left.add(undone[undone[event.group]])
        elif event.group not in undone and event.patch != Patch():
            left |= {event.group} if event.entity in ("task", "delegation") else set()
    return left

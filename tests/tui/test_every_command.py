"""Every command of the registry, run by its key in one of a few tours: whoever adds a command adds
a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from hopper_tui.engine.world import World
from hopper_tui.tui.commands import BY_ID, COMMANDS

from .repositories import disagreement, pull, repository, world_of
from .story import Story, story
from .worlds import busy_world, offers_world, run_world

Seen = Callable[[Story], bool]


class Step(NamedTuple):
    """A command, and what is so when it has run but not before; keys before it and after it, and
    what others do before it."""

    command: str
    seen: Seen
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    meanwhile: Callable[[World], object] = lambda _: None


def text(*texts: str) -> Seen:
    """These are on the screen."""
    return lambda s: all(one in s.screen for one in texts)


def none(text: str) -> Seen:
    """That is not on the screen."""
    return lambda s: text not in s.screen


def line(number: int, view: str = "queue") -> Seen:
    """The cursor of a view is on that line."""
    return lambda s: s.app.cockpit.query_one(f"#{view}").cursor == number


def focus(widget: str) -> Seen:
    """A pane or a view has the focus."""
    return lambda s: s.app.focused is not None and s.app.focused.id == widget


def columns(pane: str, number: int) -> Seen:
    """A pane is so many cells wide."""
    return lambda s: s.app.cockpit.query_one(f"#{pane}").size.width == number


def lines(pane: str, number: int) -> Seen:
    """A pane is so many cells high."""
    return lambda s: s.app.cockpit.query_one(f"#{pane}").size.height == number


class Tour(NamedTuple):
    """A world, and what is done in it one after the other."""

    world: Callable[[Path], World]
    instance: str
    steps: Sequence[Step]
    size: tuple[int, int] = (160, 48)


def busy(path: Path) -> World:
    """The busy world, on disk: pictures and saved filters are kept there."""
    return busy_world(path)


def clashing(path: Path) -> World:
    """A project in which two clones disagree about a priority."""
    ann = repository(path / "ann")
    bob = ann.clone(path / "bob")
    disagreement(ann, bob)
    pull(ann, bob)
    return world_of(ann)


def later(world: World) -> None:
    """Make a project that nobody looked at yet."""
    world.create_instance("later", "project")


ENTER = ("enter",)
LEAVE = ("escape",)

TOURS: dict[str, Tour] = {
    "what a task goes through": Tour(busy, "webapp", (
        Step("task.claim", text("claimed web-")),
        Step("task.release", text("given back web-")),
        Step("task.start", text("started web-")),
        Step("task.block", text("blocked web-"), after=(*"wait", *ENTER)),
        Step("app.undo", text("undone: ")),
        Step("app.redo", text("redone: ")),
        Step("task.priority", text("now low web-"), after=("G", *ENTER)),
        Step("task.tag", text("tagged web-"), after=(*"ux", *ENTER)),
        Step("task.note", text("noted web-"), after=(*"hm", *ENTER)),
        Step("task.copy", text("copied web-")),
        Step("task.form", text("changed web-"), after=(*"er", *ENTER)),
        Step("task.edit", text("edit web-"), before=("j",)),
        Step("task.why", text("why web-"), before=LEAVE),
        Step("task.done", text("done web-"), before=LEAVE),
        Step("task.rate", text("rated web-"), after=("4",)),
        Step("task.fail", text("failed web-"), after=(*"no", *ENTER)),
        Step("task.reopen", text("reopened web-"), before=("/", *"status:failed", *ENTER)),
        Step("task.cancel", text("cancelled web-"), before=LEAVE, after=(*"no", *ENTER)),
        Step("task.delegate", text("delegated web-"), after=("down", *ENTER)),
        Step("task.recall", text("taken back web-"), before=("/", *"status:delegated", *ENTER)),
        Step("task.add", text("added Sharpen"), before=LEAVE, after=(*"Sharpen", *ENTER)),
    )),
    "many tasks": Tour(busy, "webapp", (
        Step("mark.toggle", text("1 marked")),
        Step("mark.range", text("3 marked"), after=("j",)),
        Step("mark.all", text("11 marked")),
        Step("find.back", none("marked")),
        Step("find.filter", text("1 of 11"), after=(*"oauth", *ENTER)),
        Step("find.saved", text("saved @mine"), after=(*"mine", *ENTER)),
    )),
    "about the queue": Tour(busy, "webapp", (
        Step("move.down", line(1)),
        Step("move.up", line(0)),
        Step("move.half_down", line(4)),
        Step("move.half_up", line(0)),
        Step("move.page_down", line(9)),
        Step("move.page_up", line(0)),
        Step("move.bottom", line(10)),
        Step("move.top", line(0)),
        Step("move.choose", focus("task")),
        Step("go.right", focus("chain")),
        Step("go.left", focus("task")),
        Step("go.queue", focus("queue")),
        Step("go.task", focus("task")),
        Step("go.chain", focus("chain")),
        Step("go.tree", focus("tree")),
        Step("go.tab", focus("queue")),
        Step("go.back", focus("chain"), before=("1",)),
        Step("view.jump", focus("tree"), after=("1",)),
        Step("tree.fold", text("▸ ●"), before=("g",)),
        Step("tree.unfold", text("▾ ●")),
        Step("tree.toggle", text("▸ ●")),
        Step("go.next_hopper", text("api · 0 open"), before=("space", "2")),
        Step("go.hopper_before", text("hopper-global · 0 open")),
    ), (80, 20)),
    "hoppers": Tour(busy, "webapp", (
        Step("hopper.start", text("api is running"), before=("1", "g", "j")),
        Step("hopper.pause", text("api is paused")),
        Step("hopper.resume", text("api is running")),
        Step("hopper.stop", text("api is stopped")),
        Step("hopper.create", text("created db"), after=(*"db", *ENTER)),
    )),
    "the panes": Tour(busy, "webapp", (
        Step("view.zoom", columns("queue", 158)),
        Step("view.wider", columns("queue", 78), before=("z",)),
        Step("view.narrower", columns("queue", 75)),
        Step("view.taller", lines("task", 28), before=("3",)),
        Step("view.shorter", lines("task", 27)),
        Step("view.usual_sizes", lines("task", 27), before=("+",)),
        Step("view.pause", text("paused")),
        Step("view.theme", lambda s: s.app.theme == "nord", after=(*"nord", *ENTER)),
        Step("app.screenshot", text("saved ")),
        Step("app.palette", text("Search for commands")),
        Step("app.help", text("commands  ", "Claim it for me"), before=LEAVE),
    )),
    "views": Tour(run_world, "webapp", (
        Step("view.choose", text("See the board")),
        Step("view.board", text("0 pending"), before=LEAVE),
        Step("view.log", text("log · webapp")),
        Step("log.pause", text("paused")),
        Step("log.only", text("o shows all")),
        Step("view.stats", text("the last day")),
        Step("stats.period", text("the last week")),
        Step("view.doctor", text("doctor")),
        Step("doctor.again", text("later"), meanwhile=later),
        Step("view.runs", focus("runs")),
        Step("runs.approve", text("approved "), before=("g", *"j" * 11)),
        Step("view.offers", focus("offers")),
        Step("view.leave", text("webapp · ")),
        Step("app.suspend", text("there is no shell to go to")),
        Step("app.quit", lambda s: not s.app.is_running),
    )),
    "the board": Tour(busy, "webapp", (
        Step("board.right", text("in progress  me"), before=("B",)),
        Step("board.left", none("in progress  me")),
    )),
    "offers": Tour(offers_world, "webapp", (
        Step("task.accept", text(" accepted Rotate"), before=("O",)),
        Step("task.reject", text(" rejected "), after=(*"no", *ENTER)),
    )),
    "conflicts": Tour(clashing, "web", (
        Step("view.conflicts", text("conflicts: web")),
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", TOURS)
async def test_a_tour(tmp_path: Path, name: str):
    tour = TOURS[name]
    async with story(tour.world(tmp_path), tour.size, instance=tour.instance) as s:
        for step in tour.steps:
            command = BY_ID[step.command]
            step.meanwhile(s.world)
            await s.press(*step.before)
            await s.until(lambda step=step: not step.seen(s), f"{command.id} has nothing to do")
            if command.keys:
                await s.press(command.keys[0])
            else:  # only the palette and the help have it
                await s.press("?")
                await s.type(command.id)
                await s.press("enter")
            await s.press(*step.after)
            await s.until(lambda step=step: step.seen(s), f"{command.id} did nothing")


@pytest.mark.parametrize("command", [command.id for command in COMMANDS])
def test_every_command_is_in_a_tour(command: str):
    assert command in {step.command for tour in TOURS.values() for step in tour.steps}

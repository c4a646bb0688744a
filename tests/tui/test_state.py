"""What is remembered from one run to the next, and what happens when it cannot be."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hopper_tui.engine.world import World
from hopper_tui.tui.opening import Opening
from hopper_tui.tui.state import FILE, Remembered, StateFile

from .story import Story, story
from .worlds import Clock, busy_world

LEFT = Remembered(
    "webapp", "k1", "hopper-light", {"webapp": "tag:api"}, {"webapp": "runs"}, {"tree": 30},
    {"webapp": {"title": "Sharpen \"the\" säw"}},
)  # fmt: skip


def test_what_is_written_is_read_again(tmp_path: Path):
    StateFile(tmp_path).write(LEFT)
    assert StateFile(tmp_path).read() == LEFT
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_where_one_is_depends_on_the_project_one_started_in(tmp_path: Path):
    StateFile(tmp_path).write(LEFT)
    shop = StateFile(tmp_path, Path("/src/shop"))
    assert shop.read() == LEFT._replace(hopper=None, task=None)
    shop.write(shop.read()._replace(hopper="shop"))
    assert StateFile(tmp_path, Path("/src/shop")).read().hopper == "shop"
    assert StateFile(tmp_path).read() == LEFT


def test_two_terminals_keep_what_the_other_wrote(tmp_path: Path):
    StateFile(tmp_path).write(LEFT)
    one, other = StateFile(tmp_path), StateFile(tmp_path)
    one.write(LEFT._replace(theme="high-contrast", filters={"webapp": "tag:api", "api": "old"}))
    other.write(LEFT._replace(hopper="api", task=None, views={}))
    found = StateFile(tmp_path).read()
    assert found.theme == "high-contrast"
    assert found.filters == {"webapp": "tag:api", "api": "old"}
    assert (found.hopper, found.task, found.views) == ("api", None, {})


def test_a_filter_that_was_dropped_is_forgotten(tmp_path: Path):
    StateFile(tmp_path).write(LEFT)
    StateFile(tmp_path).write(LEFT._replace(filters={}))
    assert StateFile(tmp_path).read().filters == {}


def test_a_draft_that_became_a_task_is_forgotten(tmp_path: Path):
    StateFile(tmp_path).write(LEFT)
    StateFile(tmp_path).write(LEFT._replace(drafts={}))
    assert StateFile(tmp_path).read().drafts == {}


def test_nothing_new_writes_nothing(tmp_path: Path):
    file = StateFile(tmp_path)
    file.write(LEFT)
    before = (tmp_path / FILE).stat()
    file.write(LEFT)
    assert (tmp_path / FILE).stat() == before


BROKEN = [
    b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"version": 1}', b'{"version": 1, "words": []}',
    b'{"version": 2, "words": {"theme": "nord"}}', b"[" * 5000,
    b'{"version": 1, "words": {"theme": 7, "hopper at ": null, "size of tree": "wide"}}',
    b'{"version": 1, "words": {"draft of webapp": "[", "draft of api": "[1]"}}',
    b'{"version": 1, "words": {"draft of webapp": "{\\"title\\": 7}"}}',
]  # fmt: skip


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_counts_as_empty_and_is_replaced(tmp_path: Path, content: bytes):
    (tmp_path / FILE).write_bytes(content)
    file = StateFile(tmp_path)
    assert file.read() == Remembered()
    file.write(LEFT)
    assert StateFile(tmp_path).read() == LEFT


def test_what_cannot_be_written_is_let_be(tmp_path: Path):
    (tmp_path / FILE).mkdir()
    file = StateFile(tmp_path)
    file.write(LEFT)
    assert file.read() == Remembered() or file.read() == LEFT
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    StateFile(tmp_path / "gone").write(LEFT)
    StateFile(None).write(LEFT)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_a_read_only_home_is_let_be(tmp_path: Path):
    tmp_path.chmod(0o555)
    StateFile(tmp_path).write(LEFT)
    tmp_path.chmod(0o755)
    assert not list(tmp_path.iterdir())


def test_what_is_said_comes_before_what_was_left():
    assert Opening().after(LEFT) == Opening("webapp", None, "k1")
    assert Opening("api").after(LEFT) == Opening("api")
    assert Opening(filter="old").after(LEFT) == Opening("webapp", "old", "k1")
    assert Opening(task="k2").after(LEFT) == Opening(None, "", "k2")
    assert Opening("api", "old", "k2").after(LEFT) == Opening("api", "old", "k2")


Again = Callable[[], World]


@pytest.fixture
def again(tmp_path: Path) -> Again:
    """The same home, as the next process sees it."""
    world = busy_world(tmp_path)
    clock = world.now
    assert isinstance(clock, Clock)
    world.close()
    return lambda: World(tmp_path, tmp_path, actor="me", clock=clock)


async def quit_by(s: Story, *keys: str) -> None:
    await s.press(*keys)
    await s.until(lambda: not s.app.is_running, "did not quit")


async def test_it_opens_where_it_was_left(again: Again):
    async with story(again(), instance="webapp") as s:
        await s.press("/")
        await s.type("login")
        await s.press("enter", "j")
        await s.selects("Build login page")
        s.app.theme = "hopper-light"
        await quit_by(s, "q")
    async with story(again()) as s:
        await s.sees("webapp · 2 of 11", "/login")
        await s.selects("Build login page")
        assert s.app.theme == "hopper-light"
        await s.press("escape")
        await s.sees("webapp · 11 open")
        await quit_by(s, "ctrl+q")
    async with story(again()) as s:
        await s.sees("webapp · 11 open")
        await s.selects("Build login page")


async def test_a_form_that_was_left_goes_on_in_the_next_run(again: Again, tmp_path: Path):
    async with story(again(), instance="webapp") as s:
        await s.press("a", *"Sharpen the", "tab", *"soon", "escape")
        await s.sees("kept what you typed")
        await quit_by(s, "q")
    file = StateFile(tmp_path)
    left = file.read()
    later = {"webapp": {**left.drafts["webapp"], "a field of a later version": "x"}}
    file.write(left._replace(drafts=later))
    async with story(again()) as s:
        await s.press("a")
        await s.sees("Sharpen the", "soon")
        await s.press(*" saw", "enter")
        await s.sees("added Sharpen the saw")
        await quit_by(s, "q")
    assert StateFile(tmp_path).read().drafts == {}


def test_a_draft_that_another_terminal_wrote_is_not_forgotten_here(tmp_path: Path):
    StateFile(tmp_path).write(LEFT._replace(drafts={}))
    one, other = StateFile(tmp_path), StateFile(tmp_path)
    one.write(LEFT._replace(drafts={"api": {"title": "of one"}}))
    other.write(LEFT._replace(drafts={"api": {"title": "of the other"}}))
    one.write(LEFT._replace(drafts={}))
    assert StateFile(tmp_path).read().drafts == {"api": {"title": "of the other"}}
    other.write(LEFT._replace(drafts={}))
    assert StateFile(tmp_path).read().drafts == {}


async def test_a_form_that_is_open_when_the_terminal_is_closed_goes_on_later(again: Again):
    async with story(again(), instance="webapp") as s:
        await s.press("a", *"Sharpen the")
        s.app.exit(return_code=129)
    async with story(again()) as s:
        await s.press("a", *" saw", "enter")
        await s.sees("added Sharpen the saw")


async def test_an_open_form_is_kept_for_when_the_program_is_killed(
    again: Again, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hopper_tui.tui.app.SAVE_EVERY", 0.05)
    async with story(again(), instance="webapp") as s:
        await s.press("a", *"Sharpen")
        await s.until(
            lambda: StateFile(tmp_path).read().drafts.get("webapp", {}).get("title") == "Sharpen",
            "what was typed is not kept",
        )
        await s.press("enter")
        await s.sees("added Sharpen")
        await s.until(lambda: not StateFile(tmp_path).read().drafts, "a task is kept as a draft")


@pytest.mark.parametrize("is_refused", [True, False])
async def test_a_form_that_is_left_at_work_is_kept_if_it_was_in_vain(
    again: Again, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_refused: bool
):
    monkeypatch.setattr("hopper_tui.store.database.BUSY_TIMEOUT", 0.5 if is_refused else 30)
    world = again()
    database = world.store("webapp").path
    assert database is not None
    async with story(world, instance="webapp") as s:
        other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        await s.press("a", *"Sharpen")
        s.tap("enter")
        await s.until(lambda: getattr(s.app.screen, "is_trying", False), "it does not try")
        s.app.exit()
        if not is_refused:
            asyncio.get_running_loop().run_in_executor(
                None, lambda: (time.sleep(0.2), other.close())
            )
    other.close()
    assert bool(StateFile(tmp_path).read().drafts) == is_refused


async def test_options_win_over_what_was_left(again: Again):
    async with story(again(), instance="webapp", filter="login") as s:
        await quit_by(s, "q")
    async with story(again(), instance="worker-1") as s:
        await s.sees("worker-1 · 2 open")
        await quit_by(s, "q")
    async with story(again(), instance="webapp", filter="docs") as s:
        await s.sees("webapp · 1 of 11", "Tidy the docs")


async def test_a_hopper_that_does_not_exist_is_not_where_it_was_left(again: Again):
    async with story(again(), instance="webapp") as s:
        await s.press("j")
        await s.selects("Rotate the")
        await quit_by(s, "q")
    async with story(again(), instance="nope") as s:
        await s.sees("there is no hopper 'nope'")
        await quit_by(s, "q")
    async with story(again()) as s:
        await s.selects("Rotate the")


async def test_a_filter_that_cannot_be_read_is_not_remembered(again: Again):
    async with story(again(), instance="webapp", filter="foo:bar") as s:
        await s.sees("there is no field 'foo'")
        await quit_by(s, "q")
    async with story(again(), instance="webapp") as s:
        await s.sees("webapp · 11 open")


async def test_a_task_is_opened_where_it_is(again: Again):
    world = again()
    task = next(t for t in world.hopper("webapp").list() if t.title == "Tidy the docs")
    async with story(world, instance="api", task=task.id) as s:
        await s.selects("Tidy the docs")
        await s.sees("webapp · 11 open")


async def test_a_task_that_is_named_is_not_hidden_by_a_filter(again: Again):
    async with story(again(), instance="webapp", filter="login") as s:
        await quit_by(s, "q")
    world = again()
    task = next(t for t in world.hopper("webapp").list() if t.title == "Tidy the docs")
    async with story(world, task=task.id) as s:
        await s.selects("Tidy the docs")


async def test_the_view_of_a_hopper_is_remembered(again: Again):
    async with story(again(), instance="webapp") as s:
        await s.press("W")
        await s.sees("runs")
        s.app.exit()
    async with story(again()) as s:
        await s.until(lambda: bool(s.app.cockpit.stage.shown), "the runs are not shown")


async def test_a_hopper_that_is_gone_since_is_no_trouble(again: Again, tmp_path: Path):
    words = {"hopper at ": "vanished", "task at ": "nothing", "theme": "no-such-theme"}
    (tmp_path / FILE).write_text(json.dumps({"version": 1, "words": words}))
    async with story(again()) as s:
        await s.sees("hopper-global · 0 open")
        assert s.app.theme == "hopper-dark"


async def test_a_task_that_is_gone_since_is_not_waited_for(again: Again, tmp_path: Path):
    words = {"hopper at ": "webapp", "task at ": "nothing"}
    (tmp_path / FILE).write_text(json.dumps({"version": 1, "words": words}))
    async with story(again()) as s:
        await s.selects("Fix login crash")


async def test_it_is_written_while_the_program_runs(
    again: Again, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hopper_tui.tui.app.SAVE_EVERY", 0.05)
    async with story(again(), instance="webapp") as s:
        await s.press("j", "j")
        await s.selects("Ship OAuth")
        selected = s.app.cockpit.queue_view.selected
        await s.until(lambda: StateFile(tmp_path).read().task == selected, "not written")

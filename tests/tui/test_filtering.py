"""Typing a filter: what is offered, what is wrong with it, and filters that have a name."""

from __future__ import annotations

import threading
from pathlib import Path

import launch
import pytest

from hopper_tui.engine.saved_filters import save, saved
from hopper_tui.engine.world import World

from .story import Story, story
from .worlds import busy_world


def typed(s: Story) -> str:
    """The text in the filter line."""
    return s.app.screen.query_one("#filter").value


async def test_field_names_are_completed(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("/")
        await s.type("sta")
        await s.sees("status:")
        await s.press("tab")
        assert typed(s) == "status:"
        await s.sees("pending  claimed  in_progress  blocked")
        await s.type("blo")
        await s.press("right")
        await s.sees("webapp · 1 of 11", "Renew the certificate")
        assert typed(s) == "status:blocked"


async def test_values_are_those_of_this_hopper(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("/")
        await s.type("login !tag:")
        await s.sees("auth  api  react  认证")
        await s.press("down", "down", "tab")
        assert typed(s) == "login !tag:react"
        await s.sees("webapp · 1 of 11", "Fix login crash")
        await s.press("enter")
        await s.sees("/login !tag:react")


async def test_what_is_wrong_is_said_while_typing_and_nothing_is_lost(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("/")
        await s.type("login")
        await s.sees("webapp · 2 of 11")
        await s.type(" colour:red")
        await s.sees("there is no field 'colour'", "webapp · 2 of 11", "Build login page")
        await s.press("enter")
        await s.sees("there is no field 'colour'")
        assert typed(s) == "login colour:red"
        await s.press(*["backspace"] * 11, "enter")
        await s.sees("/login")
        await s.sees_no("there is no field")


async def test_an_unfinished_term_is_refused_only_on_enter(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("/")
        await s.type("tag:")
        await s.sees_no("needs a value")
        await s.press("enter")
        await s.sees("tag: needs a value", "webapp · 11 open")
        await s.press("tab", "enter")
        await s.sees("/tag:auth")


async def test_escape_leaves_the_filter_as_it_was(webapp: World):
    async with story(webapp, instance="webapp", filter="login") as s:
        await s.press("/")
        await s.type(" react")
        await s.sees("webapp · 1 of 11")
        await s.press("escape")
        await s.sees("webapp · 2 of 11", "/login")
        await s.press("escape")
        await s.sees("webapp · 11 open")


async def test_a_filter_with_a_name_is_offered_and_used(webapp: World):
    save(webapp, "hot", "priority>=high")
    save(webapp, "mine", "owner:me")
    async with story(webapp, instance="webapp") as s:
        await s.press("/")
        await s.type("@h")
        await s.press("tab", "enter")
        await s.sees("/@hot", "webapp · 4 of 11")
        await s.sees_no("Tidy the docs")


async def test_an_unknown_name_is_said(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("/")
        await s.type("@nope")
        await s.sees("there is no saved filter @nope")


@pytest.mark.parametrize("size", [(50, 20), (80, 24)])
async def test_offers_that_do_not_fit_end_in_an_ellipsis(webapp: World, size: tuple[int, int]):
    async with story(webapp, size, instance="webapp") as s:
        await s.press("/")
        await s.sees("status:  priority:  tag:", "…")
        await s.press(*["down"] * 11)
        await s.sees("due:", "… ")


async def test_giving_the_filter_a_name_and_using_it_elsewhere(webapp: World):
    async with story(webapp, instance="webapp", filter="priority>=high") as s:
        await s.press("@")
        await s.sees("Type a name for the filter.")
        await s.type("hot")
        await s.sees("save as @hot", "priority>=high")
        await s.press("enter")
        await s.sees("saved @hot")
        await s.press("1", "j")
        await s.sees("worker-1 · 2 open")
        await s.press("2", "@", "enter")
        await s.sees("/@hot", "Run integration tests")


async def test_removing_a_saved_filter_asks_and_enter_says_no(webapp: World):
    save(webapp, "hot", "priority>=high")
    async with story(webapp, instance="webapp") as s:
        await s.press("@")
        await s.sees("@hot")
        await s.press("delete")
        await s.sees("Remove @hot, priority>=high?")
        await s.press("enter")
        await s.sees_no("Remove @hot")
        assert saved(webapp) == {"hot": "priority>=high"}
        await s.press("@", "delete", "y")
        await s.sees("removed @hot")
        await s.press("@")
        await s.sees("No filter is saved.")


@pytest.mark.parametrize(
    "text",
    [
        "login", "!login", "~lgn", '"Fix login"', "tag:auth", "!tag:auth api", "priority>=high",
        "status:blocked,delegated", "owner:claude", "age:>2h", "age:<1h", "ready", "!ready",
        "is:blocked", "due:<2027-01-01", "executor:human", "@hot !login", "id:v33b9",
    ],
)  # fmt: skip
async def test_screen_and_command_line_find_the_same(tmp_path: Path, text: str):
    world = busy_world(tmp_path / "home")
    save(world, "hot", "priority>=high")
    async with story(world, instance="webapp", filter=text) as s:
        env = launch.environment(tmp_path, tmp_path / "home")
        listed = launch.hopper(["list", text, "--instance", "webapp", "-q"], tmp_path, env)
        assert listed.returncode == 0, listed.stderr
        assert list(s.app.cockpit.queue_view.snapshot.ids) == listed.stdout.decode().split()
        assert not s.app.cockpit.queue_view.snapshot.problem


async def test_the_command_line_knows_what_the_screen_saved(tmp_path: Path):
    world = busy_world(tmp_path / "home")
    async with story(world, instance="webapp", filter="tag:auth") as s:
        await s.press("@")
        await s.type("mine")
        await s.press("enter")
        await s.sees("saved @mine")
        env = launch.environment(tmp_path, tmp_path / "home")
        listed = launch.hopper(["list", "@mine", "--instance", "webapp"], tmp_path, env)
        assert [line.split("  ")[-1].strip() for line in listed.stdout.decode().splitlines()] == [
            "Fix login crash #api #auth", "Ship OAuth #auth",
        ]  # fmt: skip
        launch.hopper(["filter", "save", "theirs", "tag:react"], tmp_path, env)
        await s.press("@")
        await s.sees("@theirs")


async def test_verbs_wait_for_the_filter_that_was_typed_before_them(webapp: World):
    async with story(webapp, instance="webapp") as s:
        read = s.app.cockpit.session._queue

        def slowly(*asked: object) -> object:
            release.wait(1.0)
            return read(*asked)

        release = threading.Event()
        s.app.cockpit.session._queue = slowly
        for key in ("/", *"login", "enter", "*"):
            s.tap(key)
        await s.until(lambda: s.app.cockpit.is_filtering, "it never waits")
        assert not s.app.cockpit.queue_view.marks
        release.set()
        await s.sees("2 marked")

"""Switching between views: a key for each, a list of all, and the one that a hopper was left in."""

from __future__ import annotations

import pytest

from hopper_tui.tui.views import VIEWS

from .story import story
from .worlds import busy_world, run_world


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
async def test_a_key_shows_a_view_and_the_same_key_leaves_it(view):
    async with story(busy_world(), instance="webapp") as told:
        await told.press(view.key)
        await told.until(lambda: told.app.cockpit.stage.shown is view, f"{view.name} never came")
        await told.until(lambda: told.app.cockpit.is_settled, "it was never read")
        await told.press(view.key)
        await told.sees("webapp · 11 open")
        assert told.app.cockpit.stage.shown is None
        assert told.app.focused is told.app.cockpit.queue_view


async def test_one_key_lists_all_views():
    async with story(run_world(), instance="search") as told:
        await told.press("V")
        await told.sees(*(view.about for view in VIEWS), "Settle the conflicts")
        await told.press("j", "enter")
        await told.until(lambda: told.app.cockpit.stage.shown is VIEWS[0], "it was never shown")


async def test_from_one_view_to_another_and_back():
    async with story(run_world(), instance="search") as told:
        for view in VIEWS:
            await told.press(view.key)
            await told.until(lambda v=view: told.app.cockpit.stage.shown is v, "never came")
        await told.press("escape")
        await told.sees("search · 2 open")


async def test_the_view_is_remembered_for_each_hopper():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("W")
        await told.sees("runs · 1 under way")
        await told.press("1")
        await told.sees_no("runs · 1 under way")
        await told.press("j", "enter")
        await told.sees("worker-1 · 2 open")
        await told.press("1", "k", "enter")
        await told.sees("runs · 1 under way")
        assert told.app.cockpit.view_of == {"webapp": "runs"}
        await told.press("escape")
        await told.sees("webapp · 11 open")
        assert told.app.cockpit.view_of == {}


async def test_the_next_hopper_is_seen_with_the_same_view():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B")
        await told.sees("webapp · 11 open", "Fix login crash")
        await told.press("]")
        await told.sees("worker-1 · 2 open", "Run integration tests")
        await told.press("]", "L")
        await told.sees("log · worker-1")
        await told.press("[")
        await told.sees("log · webapp")
        assert told.app.cockpit.view_of == {"webapp": "log", "worker-1": "log"}
        await told.press("escape", "[")
        await told.sees("api · 0 open")


async def test_what_stands_above_a_dialog_is_not_closed_in_its_place():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("n")
        await told.sees("note web-")
        dialog = told.app.screen
        await told.press("ctrl+p")
        await told.until(lambda: told.app.screen is not dialog, "no palette came")
        dialog.dismiss(None)
        await told.pilot.pause()
        assert dialog in told.app.screen_stack
        assert told.app.screen is not dialog
        await told.press("escape")
        await told.until(lambda: len(told.app.screen_stack) == 1, "the dialog never closed")


async def test_a_page_key_in_a_palette_without_commands_does_nothing():
    async with story(busy_world(), instance="webapp") as told:
        await told.press(":")
        await told.type("no such command")
        await told.press("pageup", "pagedown", "escape", "escape")
        await told.sees("webapp · 11 open")

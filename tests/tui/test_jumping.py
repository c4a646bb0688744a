"""Jump labels, the mouse, and pictures of the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from hopper_tui.tui.app import HopperApp
from hopper_tui.tui.commands import BY_ID
from hopper_tui.tui.jumping import labels

from .story import story
from .worlds import add, busy_world, guide_world


@pytest.mark.parametrize("number", [0, 1, 26, 27, 300])
def test_no_label_begins_another(number: int):
    found = labels(number)
    assert len(found) == len(set(found)) == number
    assert len({len(label) for label in found}) <= 1


async def test_a_label_leads_to_its_row():
    async with story(busy_world(), instance="webapp") as s:
        await s.press("'")
        await s.until(lambda: len(s.app.screen_stack) == 2, "no labels")
        marks = {mark.region.offset: str(mark.content) for mark in s.app.screen.query(".jump")}
        row = next(at for at in marks if at.y == s.height_of("Ship OAuth") and at.x > 20)
        await s.type(marks[row])
        await s.selects("Ship OAuth")


async def test_a_digit_leads_to_its_pane_and_escape_nowhere():
    async with story(busy_world(), instance="webapp") as s:
        await s.press("'", "4")
        await s.until(lambda: s.app.focused is s.app.cockpit.chain_view, "not there")
        await s.press("'", "escape")
        await s.until(lambda: len(s.app.screen_stack) == 1, "the labels stay")
        assert s.app.focused is s.app.cockpit.chain_view


async def test_a_label_in_the_tree_opens_that_hopper():
    async with story(busy_world(), instance="webapp") as s:
        await s.press("'")
        await s.until(lambda: len(s.app.screen_stack) == 2, "no labels")
        tree = s.app.cockpit.tree_view.content_region
        marks = [m for m in s.app.screen.query(".jump") if m.region.offset == tree.offset]
        await s.type(str(marks[0].content))
        await s.sees("hopper-global · 0 open")


async def test_more_rows_than_letters_have_labels_of_two():
    world = guide_world()
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    for number in range(40):
        add(webapp, f"Task number {number:02}")
    async with story(world, (160, 48), instance="webapp") as s:
        await s.press("'")
        await s.until(lambda: len(s.app.screen_stack) == 2, "no labels")
        height = s.height_of("Task number 30")
        mark = next(
            m for m in s.app.screen.query(".jump") if m.region.y == height and m.region.x > 30
        )
        assert len(str(mark.content)) == 2
        await s.type(str(mark.content))
        await s.selects("Task number 30")


async def test_a_click_selects_a_second_one_opens_and_the_wheel_moves_no_cursor():
    async with story(busy_world(), (120, 12), instance="webapp") as s:
        at = (60, s.height_of("Ship OAuth"))
        await s.pilot.click(offset=at)
        await s.selects("Ship OAuth")
        await s.pilot.double_click(offset=at)
        await s.until(lambda: s.app.focused is s.app.cockpit.task_view, "not opened")
        queue = s.app.cockpit.queue_view
        queue.on_mouse_scroll_down(_Wheel())
        await s.until(lambda: queue.scroll_offset.y > 0, "not scrolled")
        await s.selects("Ship OAuth")


class _Wheel:
    """What a turn of the wheel brings along."""

    def stop(self) -> None:
        """Nobody else hears of it."""


async def test_a_click_on_a_tab_shows_its_pane():
    async with story(busy_world(), (60, 20), instance="webapp") as s:
        await s.pilot.click(offset=(s.line("[2 queue]").index("3 task"), 0))
        await s.sees("[3 task]", "a polite login page")


async def test_a_picture_is_saved_in_the_home(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        await s.app.cockpit.action_command("app.screenshot")
        await s.sees("saved ")
        (picture,) = (tmp_path / "screenshots").iterdir()
        assert picture.name == "hopper-2026-11-20T120000.svg"
        assert "Ship" in picture.read_text("utf-8")


async def test_where_no_picture_can_be_written_it_says_so(tmp_path: Path):
    (tmp_path / "screenshots").write_text("in the way")
    async with story(busy_world(tmp_path), instance="webapp") as s:
        await s.app.cockpit.action_command("app.screenshot")
        await s.sees("The picture cannot be")
    async with story(busy_world(), instance="webapp") as s:
        await s.app.cockpit.action_command("app.screenshot")
        await s.sees("Nothing is kept on disk here.")


async def test_in_a_browser_no_file_is_written(tmp_path: Path):
    world = busy_world(tmp_path)
    app = HopperApp(world, instance="webapp", local=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        reason = app.cockpit.reason_against(BY_ID["app.screenshot"])
        assert reason == "In a browser no file is written."
    world.close()

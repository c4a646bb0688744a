"""The board: tasks in columns by their state, and the same verbs on the selected card."""

from __future__ import annotations

import pytest

from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.task import Task
from hopper_tui.tui.board_lines import card_line, card_lines, empty_column
from hopper_tui.tui.board_reading import COLUMNS
from hopper_tui.tui.pages import PAGE
from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line
from hopper_tui.tui.snapshot import TaskRow
from hopper_tui.tui.view_snapshot import ColumnSnapshot

from .story import Story, story
from .worlds import NOW, add, busy_world, empty_world

SIZES = [(160, 48), (80, 24), (50, 20)]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def card(told: Story) -> str:
    """The title of the selected card."""
    row = told.app.cockpit.tasks.selected_row
    return row.task.title if row else ""


def test_every_status_has_one_column():
    statuses = [status for column in COLUMNS for status in column.statuses]
    assert sorted(statuses) == sorted(TaskStatus)


@pytest.mark.parametrize("width", [6, 10, 24, 48, 158])
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_cards_fill_the_width(column, width: int):
    task = Task(
        id="x", title="\x1b[31m" + "修复" * 90, status=column.statuses[0], owner="o" * 90,
        tags=("漢字" * 9,), reason="because " * 40, created_at="2026-11-20T11:00:00.000Z",
    )  # fmt: skip
    for row in (TaskRow(task, "web-k7m2q"), TaskRow(task._replace(title="short"), "web-x")):
        line = card_line(row, column.name, width, NOW)
        assert line_width(line) == width
        below = card_lines(row, width, NOW)
        assert all(line_width(line) <= width for line in below)
        assert "\x1b" not in text(line) + "".join(map(text, below))


def test_an_empty_column_says_why():
    nothing = empty_column(ColumnSnapshot("blocked"), False, 40, {})
    assert [text(line) for line in nothing] == ["Nothing is blocked.", "b blocks a task"]
    hidden = empty_column(ColumnSnapshot("blocked", total=3), True, 40, {})
    assert [text(line) for line in hidden] == ["The filter hides 3 tasks."]


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_shows_the_board(size: tuple[int, int]):
    async with story(busy_world(), size, instance="webapp") as told:
        await told.press("B")
        await told.sees("webapp · 11 open", "7 pending", "Fix login crash")
        for expected in ("2 in p", "1 b", "1 d", "1 done"):
            await told.press("l")
            await told.sees(expected)


async def test_where_there_is_room_for_one_column_only_one_is_seen():
    async with story(busy_world(), (50, 20), instance="webapp") as told:
        await told.press("B")
        await told.sees("7 pending")
        assert "in progress" not in told.screen
        await told.press("right")
        await told.sees("2 in progress")
        await told.sees_no("7 pending")


async def test_the_cursor_begins_at_the_task_that_was_looked_at():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("j", "B")
        await told.until(lambda: card(told) == "Rotate the signing keys", "another is selected")


async def test_the_cursor_goes_around_the_columns():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B")
        await told.until(lambda: card(told) == "Fix login crash", "another is selected")
        await told.press("j")
        assert card(told) == "Tidy the docs"
        for title in ("Rotate the signing keys", "Renew the certificate", "Build login page",
                      "Set up CI", "Tidy the docs"):  # fmt: skip
            await told.press("l")
            assert card(told) == title
        await told.press("left")
        assert card(told) == "Set up CI"


async def test_a_click_selects_a_card():
    async with story(busy_world(), (160, 48), instance="webapp") as told:
        await told.press("B")
        await told.sees("Renew the ce")
        await told.pilot.click(offset=(75, 2))
        await told.until(lambda: card(told) == "Renew the certificate", "another is selected")


async def test_verbs_act_on_the_selected_card_and_are_undone():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B")
        await told.until(lambda: card(told) == "Fix login crash", "another is selected")
        await told.press("s")
        await told.sees("6 pending", "3 in progress")
        await told.until(lambda: card(told) == "Tidy the docs", "the cursor went along")
        await told.press("u")
        await told.sees("7 pending", "2 in progress")
        await told.press("x")
        await told.type("no longer wanted")
        await told.press("enter")
        await told.sees("2 done")
        cancelled = told.world.hopper("webapp").list("status:cancelled")
        assert [task.title for task in cancelled] == ["Tidy the docs"]


async def test_why_and_delegate_know_the_card():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B", "l", "l", "l")
        await told.until(lambda: card(told) == "Build login page", "another is selected")
        await told.until(lambda: told.app.cockpit.is_settled, "never read")
        await told.press("w")
        await told.sees("why web-", "Build login page")
        await told.press("escape", "D")
        await told.sees("is delegated already")
        await told.press("h", "D")
        await told.sees("delegate web-", "Renew the certificate", "worker-1")


async def test_it_keeps_to_the_filter_of_the_hopper():
    async with story(busy_world(), instance="webapp", filter="tag:auth") as told:
        await told.press("B")
        await told.sees("/tag:auth", "1 of 7 pending", "1 of 2 in")
        await told.sees("Fix login crash", "Ship OAuth")
        assert "Tidy the docs" not in told.screen
        await told.press("l", "l")
        await told.sees("The filter hides 1 task.")


async def test_a_filter_is_typed_on_the_board():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B")
        await told.sees("7 pending")
        await told.press("/")
        await told.type("docs")
        await told.press("enter")
        await told.sees("1 of 7 pending", "/docs")
        await told.press("j")
        assert card(told) == "Tidy the docs"


async def test_enter_goes_to_the_task():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B", "l", "l")
        await told.until(lambda: card(told) == "Renew the certificate", "another is selected")
        await told.press("enter")
        await told.selects("Renew the certificate")


async def test_enter_on_what_is_over_tells_all_about_it():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B", "left")
        await told.until(lambda: card(told) == "Set up CI", "another is selected")
        await told.until(lambda: told.app.cockpit.is_settled, "never read")
        await told.press("enter")
        await told.sees("history", "created")
        await told.press("escape")
        await told.sees("1 done")


async def test_it_follows_the_work_of_others_and_the_cursor_stays():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("B", "j", "j")
        selected = card(told)
        webapp = told.world.hopper("webapp")
        first = webapp.get_next()
        webapp.claim(first.id, role="human")
        told.app.cockpit.session.check()
        await told.sees("6 pending", "3 in progress")
        assert card(told) == selected


async def test_only_bodies_near_the_eye_are_read():
    world = empty_world()
    inbox = world.hopper()
    with world.command("many"):
        for number in range(4 * PAGE):
            add(inbox, f"task {number}", priority="low")
    async with story(world) as told:
        await told.press("B")
        await told.sees("512 pending", "task 0")
        column = told.app.cockpit.stage.view.snapshot.columns[0]
        assert len(column.ids) == 4 * PAGE
        assert len(column.rows) <= 2 * PAGE
        await told.press("G")
        await told.sees("task 511")


async def test_an_empty_board_names_the_key_that_fills_it():
    async with story(empty_world()) as told:
        await told.press("B")
        await told.sees("Nothing waits.", "a adds a task")
        await told.press("a")
        await told.type("Write it down")
        await told.press("enter")
        await told.sees("1 pending", "Write it down")

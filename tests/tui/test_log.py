"""The log: what happens at a hopper and below it, as it happens."""

from __future__ import annotations

import pytest

from hopper_tui.model.event import Event, Patch
from hopper_tui.model.task import Task
from hopper_tui.tui.log_lines import event_line
from hopper_tui.tui.log_reading import NEWEST
from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line
from hopper_tui.tui.snapshot import TaskRow
from hopper_tui.tui.view_snapshot import LogRow

from .story import Story, story
from .worlds import NOW, add, busy_world, empty_world

SIZES = [(160, 48), (80, 24), (50, 20)]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def event(kind: str, note: object = None, **fields: object) -> Event:
    return Event(1, "g", "2026-11-20T11:56:00.000Z", "ann", kind, "task", "x", Patch(fields), note)


def is_at_end(told: Story) -> bool:
    """Whether the cursor is on the newest event, and that is on the screen."""
    view = told.app.cockpit.stage.view
    last = view.line_count() - 1
    return view.cursor == last and last in view.visible_lines


@pytest.mark.parametrize("width", [48, 78, 158])
def test_lines_fill_the_width(width: int):
    task = TaskRow(Task(id="x", title="\x1b[31m" + "修复" * 90), "webapp-k7m2qxyz")
    for row in (
        LogRow(event("task.note", "漢字" * 90), "源" * 40, task, "a → b"),
        LogRow(event("task.created", title="t"), "webapp"),
        LogRow(event("instance.running")._replace(actor="漢" * 40), "webapp", way="webapp"),
    ):
        line = event_line(row, 16, width, NOW)
        assert line_width(line) == width
        assert "\x1b" not in text(line)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (event("task.blocked", reason="no answer"), "Fix it  no answer"),
        (event("task.note", "see the wiki"), "Fix it  see the wiki"),
        (event("task.changed", priority="high"), "Fix it  priority high"),
        (event("task.created", title="Fix it", priority="high"), "Fix it   "),
    ],
)
def test_a_line_tells_what_is_new(what: Event, expected: str):
    row = LogRow(what, "web", TaskRow(Task(id="x", title="Fix it"), "web-x"))
    assert expected in text(event_line(row, 5, 120, NOW))


def test_added_and_removed_tags_are_told():
    change = event("task.changed")._replace(
        patch=Patch(on={"tags": ("api",)}, off={"tags": ("ui",)})
    )
    row = LogRow(change, "web", TaskRow(Task(id="x", title="Fix it"), "web-x"))
    assert "+api −ui" in text(event_line(row, 5, 120, NOW))


@pytest.mark.parametrize("size", SIZES)
async def test_the_newest_is_last_and_the_cursor_is_there(size: tuple[int, int]):
    async with story(busy_world(), size, instance="webapp") as told:
        await told.press("L")
        await told.sees("log · webapp", "received", "Set up CI")
        await told.until(lambda: is_at_end(told), "the cursor is not at the end")


async def test_it_tells_of_the_hoppers_below_and_of_no_other():
    world = busy_world()
    add(world.hopper("api"), "Of no concern")
    async with story(world, instance="webapp") as told:
        await told.press("L")
        await told.sees("@ worker-1", "@ webapp")
        await told.press("g")
        assert "Of no concern" not in told.screen
        await told.press("escape", "1", "g", "enter", "L")
        await told.sees("log · hopper-global", "Of no concern")


async def test_it_follows_until_the_cursor_is_moved_up():
    async with story(busy_world(), (80, 24), instance="webapp") as told:
        await told.press("L")
        await told.until(lambda: is_at_end(told), "the cursor is not at the end")
        webapp = told.world.hopper("webapp")
        add(webapp, "The first of the day")
        told.app.cockpit.session.check()
        await told.sees("The first of the day")
        await told.until(lambda: is_at_end(told), "it does not follow")
        await told.press("k", "k", "k")
        view = told.app.cockpit.stage.view
        selected, lines = view.selected, view.line_count()
        for number in range(30):
            add(webapp, f"more {number}")
        told.app.cockpit.session.check()
        await told.until(lambda: view.line_count() > lines, "nothing came")
        assert view.selected == selected
        assert "more 29" not in told.screen
        await told.press("G")
        await told.sees("more 29")


async def test_paused_nothing_moves_and_what_is_new_is_counted():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("L", " ")
        await told.sees("paused, 0 new: space goes on")
        add(told.world.hopper("webapp"), "Came meanwhile", executor_preference="human")
        told.app.cockpit.session.check()
        await told.sees("paused, 2 new")
        assert "Came meanwhile" not in told.screen
        await told.press(" ")
        await told.sees("Came meanwhile")
        await told.sees_no("paused")


async def test_an_answer_is_told_once_though_both_ends_record_it():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("L")
        await told.sees("Build login page  webapp → worker-1")
        said = [line for line in told.screen.splitlines() if "accepted" in line]
        assert len([line for line in said if "Build login page" in line]) == 1


async def test_one_task_alone():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("L")
        await told.until(lambda: is_at_end(told), "the cursor is not at the end")
        row = next(row for row in told.app.cockpit.stage.view.rows if "vendor" in str(row.draw))
        while told.app.cockpit.stage.view.selected != row.key:
            await told.press("k")
        await told.press("o")
        await told.sees("only web-", "Renew the certificate")
        await told.sees_no("Set up CI")
        await told.press("o")
        await told.sees("Set up CI")


async def test_enter_goes_to_the_task():
    async with story(busy_world(), instance="webapp") as told:
        await told.press("L")
        await told.until(lambda: is_at_end(told), "the cursor is not at the end")
        view = told.app.cockpit.stage.view
        while view.selected_row is None or view.selected_row.task.title != "Run integration tests":
            await told.press("k")
        await told.press("enter")
        await told.selects("Run integration tests")
        await told.sees("worker-1 · 2 open")


async def test_a_long_history_is_read_from_its_end_only():
    world = empty_world()
    inbox = world.hopper()
    with world.command("many"):
        for number in range(NEWEST):
            add(inbox, f"task {number}", executor_preference="human")
    async with story(world) as told:
        await told.press("L")
        await told.sees(f"task {NEWEST - 1}")
        assert len(told.app.cockpit.stage.view.snapshot.rows) == NEWEST


async def test_a_busy_hopper_among_many_quiet_ones_is_told_in_full():
    world = busy_world()
    webapp = world.hopper("webapp")
    for number in range(200):
        add(webapp, f"busy {number}")
    async with story(world) as told:
        await told.press("1", "g", "enter", "L")
        await told.sees("log · hopper-global", "busy 199")
        rows = told.app.cockpit.stage.view.snapshot.rows
        assert len(rows) == NEWEST
        assert {row.where for row in rows} == {"webapp"}


async def test_an_undo_tells_of_the_tasks_and_not_of_itself():
    world = busy_world()
    webapp = world.hopper("webapp")
    webapp.claim(webapp.list()[0].id)
    world.undo(webapp.id)
    async with story(world, instance="webapp") as s:
        await s.press("L")
        await s.until(lambda: "undo" in s.screen, "no undo in the log")
        undone = [line for line in s.screen.splitlines() if "s  undo " in line]
        assert len(undone) == 1
        assert "Fix login crash" in undone[0]

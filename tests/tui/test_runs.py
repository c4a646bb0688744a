"""The view of runs: what is under way, by whom, and what waits for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import HopperScope, InstanceStatus, TaskStatus
from hopper_tui.model.task import Task
from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line
from hopper_tui.tui.run_lines import (
    approval_line,
    bar,
    held_line,
    phase_line,
    run_line,
    worker_line,
)
from hopper_tui.tui.snapshot import Problem, TaskRow
from hopper_tui.tui.view_snapshot import Held, PhaseRow, Progress, RunRow, WorkerRow

from .story import Story, story
from .worlds import NOW, empty_world, run_world

SIZES = [(160, 48), (80, 24), (50, 20)]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def line_with(told: Story, *texts: str) -> str:
    """The line of the screen that contains all these texts."""
    return next((ln for ln in told.screen.splitlines() if all(part in ln for part in texts)), "")


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (Progress(0, 0, 0, 0), "░░░░░░░░░░"),
        (Progress(5, 0, 0, 10), "█████░░░░░"),
        (Progress(4, 2, 2, 10), "████××▒▒░░"),
        (Progress(10, 0, 0, 10), "██████████"),
        (Progress(1, 1, 1, 3), "███×××▒▒▒▒"),
        (Progress(1, 1, 1, 1000), "█×▒░░░░░░░"),
        (Progress(998, 1, 1, 1000), "█████████×"),
    ],
)
def test_a_bar_shows_whatever_there_is_any_of(progress: Progress, expected: str):
    assert text(bar(progress, 10)) == expected


def test_bars_of_workers_compare_what_they_did():
    assert text(bar(Progress(4, 0, 0, 4), 8, 4)) == "████████"
    assert text(bar(Progress(1, 0, 1, 2), 8, 4)) == "██▒▒    "


@pytest.mark.parametrize("width", [48, 78, 158])
def test_lines_keep_within_the_width(width: int):
    run = Instance(
        "r" * 90, "漢字" * 40, HopperScope.ORCHESTRATION, started_at="2026-01-01T00:00:00Z"
    )
    progress = Progress(12345, 678, 90, 123456)
    task = Task(
        id="x", title="\x1b[31m" + "修复" * 200, status=TaskStatus.CLAIMED, attempts=2,
        lease_expires_at="2026-11-20T12:11:00.000Z",
    )  # fmt: skip
    held = Held(TaskRow(task, "webapp-k7m2qxyz"), "2026-11-20T11:00:00.000Z", 100)
    paused = run._replace(status=InstanceStatus.PAUSED)
    problem = Problem("storage", "gone " * 60, "look " * 60)
    for line in (
        run_line(RunRow(paused, "p" * 80, progress, waiting=(held,)), width, NOW, False),
        run_line(RunRow(run, "p", problem=problem), width, NOW, True),
        phase_line(PhaseRow(run, 12, progress, 3, True, True), width, NOW),
        worker_line(WorkerRow("w" * 100, progress, 99999, 7, (held,)), 99999, width, NOW),
        held_line(held, width, NOW),
        approval_line(held, "A", width, NOW),
    ):
        assert line_width(line) <= width
        assert "\x1b" not in text(line)


def test_a_lease_that_runs_out_stands_out():
    task = Task(id="x", title="t", status=TaskStatus.CLAIMED, attempts=1)

    def roles(until: str) -> dict[str, str]:
        held = Held(TaskRow(task._replace(lease_expires_at=until), "web-x"), None, 3)
        return {span.text.strip(): span.role for span in held_line(held, 120, NOW)}

    assert roles("2026-11-20T12:11:30.000Z")["lease 11m"] == "muted"
    assert roles("2026-11-20T12:00:30.000Z")["lease 30s"] == "warn"
    assert roles("2026-11-20T11:59:59.000Z")["lease over"] == "bad"


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_shows_the_runs(size: tuple[int, int]):
    async with story(run_world(), size, instance="search") as told:
        await told.press("W")
        await told.sees("runs · 2 under way, 1 over", "1 checkpoint waits for approval")
        assert "▶ 2 Build" in line_with(told, "0 of 3")
        assert "✓ 1 Design" in line_with(told, "2 of 2")
        assert "1 failed" in line_with(told, "coder-2", "0 done")
        assert "lease 30s" in line_with(told, "◇")
        assert "lease 11m" in line_with(told, "◆")
        assert "APPROVE" in line_with(told, "Review the d")
        assert "9 of 9" in line_with(told, "▸ ● login-page")
        await told.press("W")
        await told.sees_no("under way")


async def test_the_palette_shows_them_too():
    async with story(run_world(), instance="search") as told:
        await told.press(":")
        await told.type("see the runs")
        await told.sees("See the runs and who works on what")
        await told.press("enter")
        await told.sees("2 under way")


@pytest.mark.parametrize("key", ["escape", "q", "2"])
async def test_the_way_back(key: str):
    async with story(run_world(), instance="search") as told:
        await told.press("W")
        await told.sees("under way")
        await told.press(key)
        await told.sees_no("under way")
        assert told.app.focused is told.app.cockpit.queue_view


async def test_a_checkpoint_is_approved_with_one_key_and_that_can_be_undone():
    async with story(run_world(), instance="oauth") as told:
        await told.press("W")
        await told.sees("APPROVE")
        await told.press("A")
        await told.sees("The cursor is on no checkpoint")
        await told.press("j")
        await told.press("A")
        await told.sees_no("APPROVE")
        assert "active" in line_with(told, "▶ 2 Build", "0 of 3  active")
        run = told.world.hopper("oauth")
        assert run.children[0].is_empty()
        await told.press("u")
        await told.sees("APPROVE")
        assert not run.children[0].is_empty()


async def test_the_view_follows_the_work_and_the_cursor_stays():
    async with story(run_world(), instance="search") as told:
        await told.press("W")
        await told.sees("under way")
        await told.press("j", "j", "j")
        view = told.app.cockpit.stage.view
        selected = view.selected
        assert selected == "phase search-phase-3"
        run = told.world.hopper("search")
        held = next(t for t in run.children[1].list("status:in_progress"))
        run.complete(held.id, executor="coder-1")
        told.app.cockpit.session.check()
        await told.sees_no("lease 11m")
        assert "1 of 3" in line_with(told, "▶ 2 Build")
        assert view.selected == selected


async def test_leases_run_out_while_nothing_else_happens():
    world = run_world()
    async with story(world, instance="search") as told:
        await told.press("W")
        await told.sees("lease 30s")
        world.now.forward(31)
        await told.sees("lease over")


async def test_enter_goes_where_the_cursor_is():
    async with story(run_world(), instance="search") as told:
        await told.press("W")
        await told.sees("under way")
        await told.press("j", "j", "enter")
        await told.sees("Build · 2 open")
        await told.press("W")
        await told.sees("under way")
        view = told.app.cockpit.stage.view
        await told.press("j", "j", "j", "j")
        assert view.line is not None
        assert view.line.task is not None
        await told.press("enter")
        await told.selects("Add the tools")


async def test_a_run_that_is_over_can_be_unfolded():
    async with story(run_world(), instance="search") as told:
        await told.press("W")
        await told.sees("▸ ● login-page")
        await told.press("G", " ")
        await told.sees("▾ ● login-page", "tester-1")
        assert "3 done" in line_with(told, "coder-1", "3 done")
        await told.press(" ")
        await told.sees_no("tester-1")


async def test_where_there_are_no_runs_it_says_what_makes_one():
    async with story(empty_world()) as told:
        await told.press("W")
        await told.sees("No runs yet.", "hopper task break-down")


async def test_a_broken_run_hides_no_other(tmp_path: Path):
    world = run_world(tmp_path)
    world.close()
    path = world.hopper("oauth").store.path
    assert path is not None
    world.close()
    path.write_bytes(b"this is no database, " * 1000)
    async with story(world, instance="search") as told:
        await told.press("W")
        await told.sees("  ✗ oauth: ", "2 Build", "login-page")


async def test_what_needs_a_checkpoint_says_so_elsewhere():
    async with story(run_world(), instance="search") as told:
        await told.press("?")
        await told.type("approve")
        await told.sees("W shows the runs.")


async def test_a_small_terminal_shows_one_line():
    async with story(run_world(), (40, 10), instance="search") as told:
        await told.press("W")
        await told.sees("Hopper needs 50 columns")
        await told.sees_no("Build")


async def test_why_a_task_is_where_it_is_can_be_asked_here_too():
    async with story(run_world(), instance="search") as told:
        await told.press("W")
        await told.sees("under way")
        view = told.app.cockpit.stage.view
        await told.press("w")
        await told.sees("No task is selected.")
        while view.selected_row is None:
            await told.press("j")
        title = view.selected_row.task.title
        await told.until(lambda: told.app.cockpit.is_settled, "it was never read")
        await told.press("w")
        await told.sees("why web-")
        assert title[:8] in told.screen

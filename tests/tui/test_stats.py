"""Statistics: sparklines of what happened, and the numbers that `hopper stats` tells."""

from __future__ import annotations

import pytest

from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line
from hopper_tui.tui.snapshot import Question
from hopper_tui.tui.stats_lines import resampled, spark, stats_lines
from hopper_tui.tui.stats_reading import StatsReader

from .story import story
from .worlds import NOW, add, empty_world, run_world

SIZES = [(160, 48), (80, 24), (50, 20)]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ""),
        ((0, 0, 0), "▁▁▁"),
        ((0, 1, 2, 4), "▁▂▄█"),
        ((1, None, 1000), "▂ █"),
        ((None, None), "  "),
        ((7,), "█"),
    ],
)
def test_bars_tell_nothing_from_little_and_from_the_unknown(values, expected: str):
    assert spark(values) == (expected,)


def test_bars_of_several_rows():
    assert spark((0, 1, 8, 16), 2) == ("   █", "▁▂██")


def test_neighbours_are_merged_where_there_is_little_room():
    assert resampled((1, 2, 3, None, None, None), 3, sum) == [3, 3, None]
    assert resampled((1, 2, 3), 2, lambda some: some[-1]) == [2, 3]
    assert resampled((1, None), 5, sum) == [1, 1, None, None]
    assert resampled((1, 2), 2, sum) == [1, 2]


@pytest.mark.parametrize("width", [48, 78, 158])
def test_lines_keep_within_the_width(width: int):
    world = run_world()
    worker = "漢字" * 40 + "\x1b[31m"
    run = world.hopper("search")
    task = run.children[1].list("status:in_progress")[0]
    run.release(task.id, executor="coder-1")
    run.claim(task.id, executor=worker, role="coder")
    stats = StatsReader(world).read(1, Question("search", wanted=("month",)))
    assert stats.problem is None
    for rows in (1, 3):
        for line in stats_lines(stats, width, rows):
            assert line_width(line) <= width
            assert "\x1b" not in text(line)
    world.close()


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_shows_how_it_goes(size: tuple[int, int]):
    async with story(run_world(), size, instance="login-page") as told:
        await told.press("T")
        await told.sees("stats · login-page · the last day", "9 in all", "✓ 9 done", "█")
        await told.press("G")
        await told.sees("coder-1")


async def test_another_time():
    world = empty_world()
    add(world.hopper(), "Long ago", executor_preference="human")
    world.now.now = NOW + 3 * 86_400
    async with story(world) as told:
        await told.press("T")
        await told.sees("the last day", "0 in all")
        for period, number in (("week", 1), ("month", 1), ("hour", 0), ("day", 0)):
            await told.press(" ")
            await told.sees(f"the last {period}", f"{number} in all")
            went = told.app.cockpit.stage.view.snapshot.trend
            assert sum(went.added) == number


async def test_it_is_read_again_while_it_is_shown():
    async with story(empty_world()) as told:
        await told.press("T")
        await told.sees("no task yet")
        add(told.world.hopper(), "The first", executor_preference="human")
        await told.sees("1 pending")

"""Why a task is where it is: candidates, what their scores are made of, and bars to compare."""

from __future__ import annotations

import pytest

from hopper_tui.model.delegation import Candidate, Decision
from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line
from hopper_tui.tui.why_lines import score_bar, why_lines

from .story import story
from .worlds import NOW, add, guide_world


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def decision(*candidates: Candidate) -> Decision:
    return Decision("w1", "tags", 0.8, "worker-1 covers 1 tag", candidates)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, "██████████"),
        (1, "██▌       "),
        (0.001, "▏         "),
        (0, "          "),
        (-2, "          "),
        (9, "██████████"),
    ],
)
def test_bars_are_proportional_and_whatever_there_is_shows(value: float, expected: str):
    assert score_bar(value, 4, 10) == expected
    assert score_bar(1, 0, 4) == "▏   "


def test_it_names_candidates_factors_and_refusals():
    made = decision(
        Candidate("w1", 8, {"load": -1, "tags": 9}), Candidate("w2", 2, {"load": 2}, "it is paused")
    )
    said = [text(line) for line in why_lines([made], ["it waits"], {"w1": "one"}, 60, NOW)]
    assert said[:4] == ["it waits", "", said[2], "tags, 80% sure"]
    assert said[2].startswith("→ one")
    told = said[6:]
    assert [line.split()[0] for line in told if line] == ["one", "tags", "load", "w2", "it", "load"]
    assert told[0].endswith(" 8")
    assert told[1].endswith(" 9")
    assert told[2].endswith(" -1")


def test_the_scale_is_the_same_for_all():
    made = decision(Candidate("w1", 4, {"tags": 3, "load": 1}), Candidate("w2", 2, {"tags": 2}))
    bars = [text(line).count("█") for line in why_lines([made], [], {}, 60, NOW)[4:]]
    assert [cells for cells in bars if cells] == [20, 15, 5, 10, 10]


@pytest.mark.parametrize("width", [30, 44, 66, 94])
def test_lines_keep_within_the_width(width: int):
    made = decision(
        Candidate("漢字" * 40, 1e9, {"修复" * 30: -1e9, "b": 2}, "\x1b[31m" + "no " * 90)
    )
    for line in why_lines([made], ["because " * 40], {}, width, NOW):
        assert line_width(line) <= width
        assert "\x1b" not in text(line)


def test_where_nobody_decided_it_says_so():
    assert text(why_lines([], [], {}, 60, NOW)[0]) == "Nobody decided anything about it yet."


async def test_one_key_explains():
    world = guide_world()
    add(world.hopper(), "Build the login page", tags=("react", "auth"))
    async with story(world, instance="global") as told:
        await told.selects("Build the login page")
        await told.press("w")
        await told.sees("why ", "→ webapp", "webapp", "█")
        await told.press("escape")
        await told.sees_no("sure")

"""The sizes of panes: by keys, by dragging a border, kept for the next time."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.geometry import Size

from hopper_tui.tui.arrangement import border_at, cells, grown, layout_of, resized, without
from hopper_tui.tui.state import StateFile

from .story import Story, story
from .worlds import busy_world

WIDE, NORMAL = Size(160, 47), Size(80, 23)


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        ((160, 48), ("-wide", "-high")), ((120, 12), ("-wide", "-high")),
        ((119, 48), ("-normal", "-high")), ((80, 24), ("-normal", "-high")),
        ((79, 24), ("-narrow", "-high")), ((50, 12), ("-narrow", "-high")),
        ((49, 24), ("-tiny", "-high")), ((80, 11), ("-normal", "-flat")),
    ],
)  # fmt: skip
def test_the_layout_follows_from_the_terminal(size: tuple[int, int], layout: tuple[str, str]):
    assert layout_of(Size(*size)) == layout


def test_parts_have_their_usual_share_until_somebody_moves_a_border():
    assert [cells("-wide", part, {}, WIDE) for part in ("left", "right", "bottom")] == [32, 51, 18]
    assert [cells("-normal", part, {}, NORMAL) for part in ("left", "bottom")] == [24, 8]
    sizes = resized("-wide", "left", 40, {}, WIDE)
    assert cells("-wide", "left", sizes, WIDE) == 40
    assert cells("-normal", "left", sizes, NORMAL) == 24
    assert without("-wide", sizes) == {}


def test_a_pane_that_grows_takes_from_its_neighbour():
    sizes = grown("-wide", "tree", "x", 2, {}, WIDE)
    assert sizes == {"-wide left": 38}
    assert grown("-wide", "queue", "x", 1, sizes, WIDE) == {"-wide left": 38, "-wide right": 48}
    assert grown("-normal", "queue", "y", 1, {}, NORMAL) == {"-normal bottom": 7}
    assert grown("-wide", "queue", "y", 1, {}, WIDE) is None
    assert grown("-narrow", "queue", "x", 1, {}, Size(60, 20)) is None


@pytest.mark.parametrize("layout", ["-wide", "-normal"])
@pytest.mark.parametrize("by", [-100, 100])
def test_no_pane_vanishes_however_often_a_key_is_pressed(layout: str, by: int):
    room = Size(120, 39) if layout == "-wide" else NORMAL
    sizes = {}
    for pane in ("tree", "queue", "task", "chain"):
        for axis in ("x", "y"):
            sizes = grown(layout, pane, axis, by, sizes, room) or sizes
    left, right, bottom = (cells(layout, p, sizes, room) for p in ("left", "right", "bottom"))
    assert left >= 14
    assert right >= 20
    assert room.width - left - right >= (20 if layout == "-wide" else 2)
    assert 4 <= bottom <= room.height - 6


def test_sizes_that_were_chosen_on_a_large_terminal_fit_a_smaller_one():
    sizes = {"-wide left": 200, "-wide right": 200, "-wide bottom": 200}
    parts = [cells("-wide", part, sizes, Size(120, 20)) for part in ("left", "right", "bottom")]
    assert parts == [14, 86, 14]


def test_borders_are_where_panes_meet():
    assert border_at("-wide", 31, 5, {}, WIDE) == border_at("-wide", 32, 5, {}, WIDE) == "left"
    assert border_at("-wide", 109, 40, {}, WIDE) == "right"
    assert border_at("-wide", 120, 29, {}, WIDE) == "bottom"
    assert border_at("-wide", 60, 29, {}, WIDE) is None
    assert border_at("-normal", 24, 5, {}, NORMAL) == "left"
    assert border_at("-normal", 24, 20, {}, NORMAL) is None
    assert border_at("-normal", 40, 20, {}, NORMAL) == "right"
    assert border_at("-normal", 10, 15, {}, NORMAL) == "bottom"
    assert border_at("-narrow", 24, 5, {}, Size(60, 20)) is None


def widths(s: Story) -> list[int]:
    """The widths of tree, queue and task on the screen."""
    return [s.app.cockpit.query_one(f"#{pane}").size.width for pane in ("tree", "queue", "task")]


async def wider(s: Story, pane: int, than: int) -> None:
    """Wait until a pane is wider than that."""
    await s.until(lambda: widths(s)[pane] > than, f"never wider than {than}")


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_keys_resize_the_pane_that_has_the_focus(size: tuple[int, int]):
    async with story(busy_world(), size, instance="webapp") as s:
        before = widths(s)
        await s.press("1", ">", ">")
        await wider(s, 0, before[0] + 5)
        assert widths(s)[1] == before[1] - 6
        await s.press("<")
        await wider(s, 1, before[1] - 6)
        await s.press("=")
        await s.until(lambda: widths(s) == before, "never as before")


async def test_height_is_taken_from_the_pane_below(tmp_path: Path):
    async with story(busy_world(), (80, 24), instance="webapp") as s:
        queue = s.app.cockpit.queue_view
        before = queue.size.height
        await s.press("+", "+")
        await s.until(lambda: queue.size.height == before + 2, "never taller")
        await s.press("-")
        await s.until(lambda: queue.size.height == before + 1, "never shorter")


async def test_what_cannot_be_resized_says_why():
    async with story(busy_world(), instance="webapp") as s:
        await s.press("+")
        await s.sees("This pane has the whole height.")
        await s.press("z", ">")
        await s.sees("This pane has the whole screen.")


async def test_a_border_is_dragged_with_the_mouse():
    async with story(busy_world(), (160, 48), instance="webapp") as s:
        before = widths(s)
        x = s.app.cockpit.tree_view.region.right
        await s.drag((x, 20), (x + 15, 22))
        await s.until(lambda: widths(s)[0] == before[0] + 15, "never wider")
        assert sum(widths(s)) == sum(before)


async def test_sizes_are_kept(tmp_path: Path):
    async with story(busy_world(tmp_path), (160, 48), instance="webapp") as s:
        before = widths(s)
        await s.press("1", ">")
        await wider(s, 0, before[0])
        await s.press("q")
    assert StateFile(tmp_path).read().sizes == {"-wide left": 35}
    from hopper_tui.engine.world import World

    async with story(World(tmp_path, tmp_path), (160, 48)) as s:
        await s.until(lambda: widths(s)[0] == before[0] + 3, "not as it was left")
        await s.press("z", "z")
        await s.until(lambda: widths(s)[0] == before[0] + 3, "zooming forgot it")
        await s.pilot.resize_terminal(80, 24)
        await s.until(lambda: widths(s)[0] == 22, "not the usual size of another layout")

"""Arrangement: which panes the terminal has room for, and how large each is."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Literal, NamedTuple

from textual.geometry import Size

SMALLEST = Size(50, 12)
"""The smallest terminal that anything else than the status line is shown on."""
WIDTHS = [(0, "-tiny"), (SMALLEST.width, "-narrow"), (80, "-normal"), (120, "-wide")]
"""From how many columns which layout is used."""
HEIGHTS = [(0, "-flat"), (SMALLEST.height, "-high")]
"""From how many lines there is a layout at all."""

Axis = Literal["x", "y"]
Part = Literal["left", "right", "bottom"]
"""What has a size of its own: a column at either side, or the lower row. The rest gets the room
that is left."""
Sizes = Mapping[str, int]
"""Cells by layout and part, `-wide left`; parts that are not there have their usual share."""


class Usual(NamedTuple):
    """The parts of a layout as long as nobody moved a border: shares of the room, or cells; and the
    columns left between those at the sides.

    `growing` says what a pane that grows along an axis does: to which part, and whether that grows
    as well.
    """

    left: float
    right: float
    bottom: float
    middle: int
    growing: Mapping[tuple[str, Axis], tuple[Part, int]]


USUAL: Mapping[str, Usual] = {
    "-wide": Usual(11 / 54, 17 / 54, 3 / 8, 20, {
        ("tree", "x"): ("left", 1), ("queue", "x"): ("right", -1),
        ("task", "x"): ("right", 1), ("chain", "x"): ("right", 1),
        ("task", "y"): ("bottom", -1), ("chain", "y"): ("bottom", 1),
    }),
    "-normal": Usual(3 / 10, 1 / 2, 8, 2, {
        ("tree", "x"): ("left", 1), ("queue", "x"): ("left", -1),
        ("task", "x"): ("right", -1), ("chain", "x"): ("right", 1),
        ("tree", "y"): ("bottom", -1), ("queue", "y"): ("bottom", -1),
        ("task", "y"): ("bottom", 1), ("chain", "y"): ("bottom", 1),
    }),
}  # fmt: skip
"""In the wide layout tree and queue have the whole height, and the task stands above its chain. In
the normal one tree and queue stand above, task and chain below."""
LEAST: Mapping[Part, int] = {"left": 14, "right": 20, "bottom": 4}
"""Cells that are left of a part, however often somebody makes it smaller."""
TOP = 6
"""Lines that are left above the lower part."""
STEP: Mapping[Axis, int] = {"x": 3, "y": 1}
"""Cells by which a key moves a border."""


def layout_of(size: Size) -> tuple[str, str]:
    """The classes of the layout for a terminal of that size."""
    width = next((name for least, name in reversed(WIDTHS) if size.width >= least), WIDTHS[0][1])
    height = next(
        (name for least, name in reversed(HEIGHTS) if size.height >= least), HEIGHTS[0][1]
    )
    return width, height


def cells(layout: str, part: Part, sizes: Sizes, room: Size) -> int:
    """How many cells a part takes of the room."""
    return _fitting(layout, part, sizes.get(f"{layout} {part}"), sizes, room)


def _fitting(layout: str, part: Part, wanted: int | None, sizes: Sizes, room: Size) -> int:
    total = room.height if part == "bottom" else room.width
    if wanted is None:
        usual = getattr(USUAL[layout], part)
        round_ = floor if part == "left" else ceil  # as the style sheet's fractions come out
        wanted = round_(usual * total) if usual < 1 else usual
    if part == "bottom":
        most = total - TOP
    elif part == "right":
        most = total - USUAL[layout].middle - LEAST["left"]
    else:
        most = total - USUAL[layout].middle - cells(layout, "right", sizes, room)
    return max(LEAST[part], min(wanted, most))


def resized(layout: str, part: Part, to: int, sizes: Sizes, room: Size) -> Sizes:
    """The sizes once a part has that many cells, or as many as it can have."""
    return {**sizes, f"{layout} {part}": _fitting(layout, part, to, sizes, room)}


def grown(layout: str, pane: str, axis: Axis, by: int, sizes: Sizes, room: Size) -> Sizes | None:
    """The sizes once a pane has grown by some steps; None where its size is that of the screen."""
    found = USUAL[layout].growing.get((pane, axis)) if layout in USUAL else None
    if found is None:
        return None
    part, sign = found
    to = cells(layout, part, sizes, room) + sign * by * STEP[axis]
    return resized(layout, part, to, sizes, room)


def without(layout: str, sizes: Sizes) -> Sizes:
    """The sizes with those of a layout as usual."""
    return {name: size for name, size in sizes.items() if not name.startswith(layout)}


def border_at(layout: str, x: int, y: int, sizes: Sizes, room: Size) -> Part | None:
    """The part whose border is at that place; each border is two cells wide."""
    if layout not in USUAL:
        return None
    left = cells(layout, "left", sizes, room)
    right = room.width - cells(layout, "right", sizes, room)
    below = room.height - cells(layout, "bottom", sizes, room)
    is_wide = layout == "-wide"
    if x in (left - 1, left) and (is_wide or y < below - 1):
        return "left"
    if x in (right - 1, right) and (is_wide or y > below):
        return "right"
    return "bottom" if y in (below - 1, below) and (not is_wide or x > right) else None

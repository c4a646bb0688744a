"""Aligned plain columns, measured in terminal cells."""

from __future__ import annotations

from collections.abc import Sequence

GAP = "  "
COLORS: dict[str, str] = {
    "urgent": "1;31", "high": "33", "low": "2",
    "claimed": "36", "in_progress": "36", "blocked": "31", "failed": "31", "error": "31",
    "done": "32", "completed": "32", "cancelled": "2", "terminated": "2", "rejected": "31",
    "running": "32", "paused": "33", "warning": "33", "ok": "32",
}  # fmt: skip
"""SGR codes of words that are a whole column of their own; never the only carrier of meaning."""


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def cut(text: str, width: int) -> str:
    """`text` within `width` cells, with `…` in place of what does not fit."""
    if cells(text) <= width:
        return text
    room = width - 1
    kept = []
    for character in text:
        room -= _cells_of(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def align(
    rows: Sequence[Sequence[str]], width: int | None = None, *, color: bool = False
) -> list[str]:
    """The rows as lines of aligned columns; a column that is empty everywhere is left out.

    The last column is not padded, and cut so that lines fit into `width` (None: never cut).
    """
    used = [index for index, column in enumerate(zip(*rows, strict=True)) if any(column)]
    if not used:
        return ["" for _ in rows]
    *fixed, last = used
    widths = [max(cells(row[index]) for row in rows) for index in fixed]
    room = None if width is None else max(8, width - sum(widths) - len(GAP) * len(widths))
    lines = []
    for row in rows:
        cut_last = row[last] if room is None else cut(row[last], room)
        padded = (
            _painted(row[index], color) + " " * (size - cells(row[index])) + GAP
            for index, size in zip(fixed, widths, strict=True)
        )
        lines.append(("".join(padded) + cut_last).rstrip(" "))
    return lines


def _painted(text: str, color: bool) -> str:
    code = COLORS.get(text) if color else None
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


def _cells_of(character: str) -> int:
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1

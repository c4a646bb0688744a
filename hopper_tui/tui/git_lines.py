"""Where tasks stand in git, as lines: the branch, what is not committed, and conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hopper_tui.model.clock import age
from hopper_tui.model.text import plain
from hopper_tui.tui.presentation import (
    clip,
    clip_middle,
    count,
    fit,
    line_width,
    paragraph,
    status_word,
    wrap,
)
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import CheckoutSnapshot, ConflictRow

if TYPE_CHECKING:
    from hopper_tui.model.conflict import Conflict, Side

BRANCH_WIDTH = 24
"""Cells of a branch's name, which is cut in its middle."""
STUB_WIDTH = 12
"""Cells of it where there is little room."""
_PLACES = (
    ("marks", "who", "branch", "uncommitted", "conflicts"),
    ("marks", "where", "branch", "uncommitted", "conflicts"),
    ("marks", "branch", "uncommitted", "conflicts"),
    ("marks", "branch", "new", "conflicts"),
    ("branch", "new", "conflicts"),
    ("stub", "new", "conflicts"),
    ("new", "conflicts"),
    ("conflicts",),
)
"""What the right end of the status line tells, from the widest to what is never left out."""


def place_line(
    who: str, where: str, marked: int, checkout: CheckoutSnapshot | None, room: int
) -> Line:
    """`ann @ web · main · 3 uncommitted · 2 conflicts`, or as much of it as fits `room` cells."""
    who_where = f"{who} @ {where}" if where else who
    marks = f"{marked:,} marked" if marked else ""
    if checkout is None or checkout.project is None:
        checkout = CheckoutSnapshot()
    added, clashes = checkout.uncommitted, len(checkout.conflicts)
    known: dict[str, Span] = {
        "marks": Span(marks, "muted"),
        "who": Span(plain(who_where), "muted"),
        "where": Span(clip_middle(where, BRANCH_WIDTH), "muted"),
        "branch": Span(clip_middle(checkout.branch or "", BRANCH_WIDTH), "muted"),
        "stub": Span(clip_middle(checkout.branch or "", STUB_WIDTH), "muted"),
        "uncommitted": Span(f"{added:,} uncommitted" if added else "", "accent"),
        "new": Span(f"+{added:,}" if added else "", "accent"),
        "conflicts": Span(count(clashes, "conflict") if clashes else "", "warn"),
    }
    line: Line = ()
    for names in _PLACES:
        line = _dotted([known[name] for name in names if known[name].text])
        if line_width(line) <= room:
            return line
    return line


def _dotted(spans: Sequence[Span]) -> Line:
    """Some pieces with a dot between each two."""
    line: list[Span] = []
    for span in spans:
        line += [Span(" · ", "muted"), span] if line else [span]
    return tuple(line)


def _value(side: Side, register: str) -> str:
    """What a side of a conflict says, in words: the value, or the status and who has the task."""
    value = side.values.get(register)
    words = "nothing" if value in (None, "") else str(value)
    owner = side.values.get("owner") if register == "status" else None
    return status_word(words) if owner is None else f"{status_word(words)} by {owner}"


def _ago(side: Side, now: float) -> str:
    return f"{side.actor}, {age(side.at, now)} ago" if side.at else side.actor


def conflict_lines(conflict: Conflict, width: int, now: float, keys: str) -> list[Line]:
    """What became of a conflict, below the task it is about."""
    winner, loser = (_value(s, conflict.register) for s in (conflict.winner, conflict.loser))
    lost = f"{conflict.register} {clip(loser, 40)} ({_ago(conflict.loser, now)})"
    if not conflict.wants_attention:
        return paragraph(f"settled: {lost} gave way to {clip(winner, 40)}", width, "muted")
    press = f": press {keys}" if keys else ""
    return paragraph(f"conflict: {lost} lost to {clip(winner, 40)}{press}", width, "warn")


def conflict_row(row: ConflictRow, width: int, id_width: int) -> Line:
    """A conflict on one line: the task, and which of its fields."""
    register = fit(row.conflict.register, 12)
    title = fit(row.title, width - id_width - 18)
    return (
        Span(" "),
        Span(fit(row.short_id, id_width) + "  ", "id"),
        Span(title),
        Span(f"  {register}", "warn"),
    )


def conflict_sides(row: ConflictRow, width: int, now: float) -> tuple[Line, ...]:
    """Both values of a conflict, each with the key that takes it, who wrote it and when."""
    lines: list[Line] = []
    for key, side in (("m", row.mine), ("t", row.theirs)):
        stands = row.stands(side)
        head: Line = (
            Span(key, "accent"),
            Span(f"  {clip(_ago(side, now), width - 12)}", "muted"),
            Span("  stands" if stands else "  lost", "good" if stands else "warn"),
        )
        lines.append(head)
        for text in wrap(_value(side, row.conflict.register), width - 3):
            lines.append((Span("   "), Span(text, "strong" if stands else "text")))
    return tuple(lines)

"""The board to lines of text: cards, headings and what an empty column says; pure functions."""

from __future__ import annotations

from hopper_tui.model.text import plain
from hopper_tui.tui.commands import Keys, key_of
from hopper_tui.tui.presentation import (
    FRESH,
    PRIORITY,
    STATUS,
    clip,
    count,
    fit,
    line_width,
    status_word,
    what_matters,
    width_of,
    wrap,
)
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import TaskRow
from hopper_tui.tui.view_snapshot import BoardSnapshot, ColumnSnapshot

CARD_LINES = 4
"""Lines below the columns that tell about the selected card."""
_ROOMY = 22
"""Cells of a card from which on it tells more than the title."""
_MIXED = frozenset({"in progress", "done"})
"""The columns whose cards say which state they are in."""
_EMPTY: dict[str, tuple[str, str, str]] = {
    "pending": ("Nothing waits.", "task.add", "adds a task"),
    "in progress": ("Nobody works on anything.", "task.start", "starts a task"),
    "blocked": ("Nothing is blocked.", "task.block", "blocks a task"),
    "delegated": ("Nothing is delegated.", "task.delegate", "hands a task on"),
    "done": ("Nothing is done yet.", "task.done", "marks a task done"),
}
"""Why a column is empty, the command that changes it, and what that does."""


def card_line(row: TaskRow, column: str, width: int, now: float, fresh: bool = False) -> Line:
    """A task on one line of exactly `width` cells: priority, state where it is not that of the
    column, title, and where there is room what matters."""
    task = row.task
    head: list[Span] = [PRIORITY[task.priority], FRESH if fresh else Span(" ")]
    if column in _MIXED:
        head += [STATUS[task.status], Span(" ")]
    room = max(1, width - line_width(tuple(head)))
    text, role = what_matters(row, now)
    spare = room - 2 - width_of(clip(task.title, room))
    if width_of(text) > spare and role == "muted":
        text = text.rpartition(" ")[2]  # how old it is
    meta = clip(text, max(spare, room * 2 // 5)) if width >= _ROOMY else ""
    title = fit(task.title, room - (width_of(meta) + 2 if meta else 0))
    return (
        *head,
        Span(title, "text" if task.is_open else "muted"),
        Span(f"  {meta}" if meta else "", role),
    )


def card_lines(row: TaskRow | None, width: int, now: float) -> tuple[Line, ...]:
    """What there is to know about the selected card, on a few lines."""
    if row is None:
        return ()
    task = row.task
    sign, status = PRIORITY[task.priority], STATUS[task.status]
    facts = [
        Span(f"{row.short_id}  ", "id"),
        Span(f"{sign.text} {task.priority}", sign.role),
        Span(f"  {status_word(task.status)}", status.role),
    ]
    text, role = what_matters(row._replace(task=task._replace(tags=())), now)
    facts.append(Span(f"  {text}", role))
    if task.tags:
        facts.append(Span("  " + " ".join(f"#{tag}" for tag in task.tags), "medium"))
    first, *rest = wrap(task.title, width)
    lines: list[Line] = [(Span(first, "strong"),)]
    if rest:
        more = f"{rest[0]} {rest[1]}" if len(rest) > 1 else rest[0]
        lines.append((Span(clip(more, width), "strong"),))
    return (*lines, clipped(facts, width))


def clipped(spans: list[Span], width: int) -> Line:
    """Some pieces cut to at most `width` cells together."""
    line: list[Span] = []
    for text, role in spans:
        room = width - line_width(tuple(line))
        if room <= 0:
            break
        line.append(Span(clip(text, room), role))
    return tuple(line)


def board_head(board: BoardSnapshot, width: int) -> Line:
    """`webapp · 11 open · /tag:api`."""
    name = board.instance.name if board.instance else ""
    left: list[Span] = [Span(f" {plain(name)}", "strong")]
    if board.problem is None:
        still = sum(column.total for column in board.columns if column.name != "done")
        left.append(Span(f" · {still:,} open", "muted"))
    if board.filter:
        left.append(Span(f" · /{board.filter}", "accent"))
    return clipped(left, width)


def column_title(column: ColumnSnapshot, filtered: bool) -> str:
    """`3 blocked`, or how many of them the filter shows: the number first, for it is never cut."""
    if filtered:
        return f"{len(column.ids):,} of {column.total:,} {column.name}"
    return f"{column.total:,} {column.name}"


def column_note(column: ColumnSnapshot, filtered: bool) -> str:
    """That there are more than are listed."""
    if filtered or len(column.ids) >= column.total:
        return ""
    return f"the latest {len(column.ids):,}"


def empty_column(
    column: ColumnSnapshot, filtered: bool, width: int, keys: Keys
) -> tuple[Line, ...]:
    """Why a column is empty, and the key that changes it."""
    if filtered and column.total:
        text = f"The filter hides {count(column.total, 'task')}."
        return tuple((Span(line, "muted"),) for line in wrap(text, width))
    why, command, does = _EMPTY[column.name]
    lines: list[Line] = [(Span(line, "muted"),) for line in wrap(why, width)]
    key = key_of(command, keys)
    first, *rest = wrap(f"{key} {does}", width)
    if not first.startswith(f"{key} "):
        return tuple(lines)
    lines.append((Span(key, "accent"), Span(first[len(key) :], "muted")))
    return (*lines, *((Span(line, "muted"),) for line in rest))

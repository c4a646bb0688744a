"""The log to lines of text: what happened to what, when and by whom; pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from hopper_tui.model.clock import age
from hopper_tui.model.event import Event
from hopper_tui.model.text import plain
from hopper_tui.tui.commands import Keys, key_of
from hopper_tui.tui.presentation import clip, clip_middle, fit, width_of, wrap
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.view_snapshot import LogRow, LogSnapshot

ROLES: Mapping[str, Role] = {
    "created": "strong", "claimed": "accent", "started": "accent", "running": "accent",
    "accepted": "good", "completed": "good", "done": "good",
    "blocked": "bad", "failed": "bad", "rejected": "bad",
    "expired": "warn", "tried": "warn", "returned": "warn", "reopened": "warn",
}  # fmt: skip
"""How the last word of a kind of event is told; every other is muted."""
_NEWS = frozenset({"note", "blocked", "failed", "rejected", "cancelled"})
"""What is told with an event of these kinds matters as much as what it happened to."""
_ROOMY = 72
"""Cells of a line from which on it has room for ids and for where it happened."""
_TOLD = frozenset({"priority", "title", "due", "phase", "estimated_effort"})
"""Fields whose new value says what a change was."""


def event_line(row: LogRow, id_width: int, width: int, now: float) -> Line:
    """An event on one line of exactly `width` cells: how long ago, what, to which task, why, and
    who did it at which hopper."""
    event = row.event
    what = event.kind.partition(".")[2].replace("_", " ") or event.kind
    roomy = width >= _ROOMY
    who = plain(event.actor)
    if roomy and who != plain(row.where):
        who = f"{clip_middle(who, 14)} @ {clip_middle(row.where, 14)}"
    who = fit(clip_middle(who, width // 4), width // 4 if width < 120 else 28)
    short = fit(row.task.short_id if row.task else "", id_width) + "  " if roomy else ""
    room = max(1, width - 18 - width_of(short) - width_of(who) - 3)
    more = _more(row)
    split = more and (what in _NEWS or room >= _ROOMY)
    text = clip(_subject(row), room // 2 if split else room)
    spare = room - width_of(text) - 2
    told = f"  {clip(more, spare)}" if more and spare >= 6 else ""
    return (
        Span(f" {age(event.at, now):>4}  ", "muted"),
        Span(fit(what, 10) + " ", ROLES.get(what, "muted")),
        Span(short, "id"),
        Span(text),
        Span(fit(told, room - width_of(text)) if told else " " * (room - width_of(text)), "muted"),
        Span(f"  {who} ", "muted"),
    )


def _subject(row: LogRow) -> str:
    """What it happened to: the title of a task, or between which hoppers."""
    if row.task:
        return row.task.task.title
    return row.way or str(row.event.patch.set.get("title") or row.event.key)


def _more(row: LogRow) -> str:
    """What else there is to say: the way of a hop, a reason, a note, or what was changed."""
    parts = [row.way] if row.way and row.task else []
    parts.append(_said(row.event))
    return " · ".join(part for part in parts if part)


def _said(event: Event) -> str:
    if event.kind == "task.created":
        return ""
    note = event.note.get("reason") if isinstance(event.note, Mapping) else event.note
    said = note or event.patch.set.get("reason")
    if isinstance(said, str) and said:
        return said
    words = [f"{field} {event.patch.set[field]}" for field in event.patch.set if field in _TOLD]
    words += [f"+{word}" for some in event.patch.on.values() for word in some]
    words += [f"−{word}" for some in event.patch.off.values() for word in some]
    return " ".join(words)


def log_title(log: LogSnapshot, fresh: int, paused: bool, keys: Keys) -> tuple[str, str]:
    """`log · webapp`, and whether it follows, is paused, or tells of one task only."""
    name = f" · {plain(log.instance.name)}" if log.instance else ""
    pause, only = key_of("log.pause", keys), key_of("log.only", keys)
    notes = []
    if paused:
        notes.append(f"paused, {fresh:,} new: {pause} goes on")
    if log.only:
        short = next((row.task.short_id for row in log.rows if row.task), log.only)
        notes.append(f"only {short}: {only} shows all")
    return f"log{name}", " · ".join(notes)


def no_events(width: int, keys: Keys) -> tuple[Line, ...]:
    """That nothing happened yet, and the key that makes something happen."""
    lines: list[Line] = [
        (Span(line, "muted"),) for line in wrap("Nothing happened here yet.", width)
    ]
    help_ = (
        f"{key_of('view.leave', keys)} leads to the queue, {key_of('task.add', keys)} adds a task"
    )
    return (*lines, *((Span(line, "muted"),) for line in wrap(help_, width)))

"""A task as lines: everything about it, and the chain of its hops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hopper_tui.model.clock import age
from hopper_tui.model.lifecycle import DelegationType, TaskStatus
from hopper_tui.model.text import plain
from hopper_tui.tui.git_lines import conflict_lines
from hopper_tui.tui.presentation import (
    HOP,
    PRIORITY,
    STATUS,
    clip,
    count,
    paragraph,
    problem_lines,
    spread,
    status_word,
    width_of,
    wrap,
)
from hopper_tui.tui.roles import Line, Role, Span

if TYPE_CHECKING:
    from hopper_tui.model.event import Event
    from hopper_tui.model.task import Task
    from hopper_tui.tui.snapshot import DetailSnapshot, Hop


def _facts(task: Task, now: float) -> list[tuple[str, str]]:
    """Label and value of what is known about a task beyond its first lines."""
    facts: list[tuple[str, str | None]] = [
        ("owner", task.owner),
        ("for", task.executor_preference),
        ("needs", " ".join(task.required_capabilities) or None),
        ("phase", task.phase),
        ("effort", task.estimated_effort),
        ("due", task.due[:10] if task.due else None),
        ("waits for", count(task.open_deps, "task") if task.open_deps else None),
        ("tries", str(task.attempts) if task.attempts > 1 else None),
        ("from", task.requester or task.source),
        ("link", str(task.external.get("url") or "") if task.external else None),
        ("added", f"{age(task.created_at, now)} ago" if task.created_at else None),
    ]
    return [(label, value) for label, value in facts if value]


def _labelled(label: str, value: str, width: int, role: Role = "text") -> list[Line]:
    first, *rest = wrap(value, width - 10) or [""]
    lines: list[Line] = [(Span(f"{label:<10}", "muted"), Span(first, role))]
    return lines + [(Span(" " * 10), Span(text, role)) for text in rest]


def _heading(text: str) -> list[Line]:
    return [(), (Span(text, "accent"),)]


def detail_lines(
    detail: DetailSnapshot, width: int, now: float, key_to_settle: str = ""
) -> tuple[Line, ...]:
    """Everything about one task, most useful first; `key_to_settle` opens its conflicts."""
    if detail.problem:
        return problem_lines(detail.problem, width)
    if detail.row is None:
        return ()
    task = detail.row.task
    lines = paragraph(task.title, width, "strong")
    state: Line = (
        PRIORITY[task.priority],
        Span(f" {task.priority}   ", PRIORITY[task.priority].role),
        Span(f"{STATUS[task.status].text.strip() or '○'} ", STATUS[task.status].role),
        Span(status_word(task.status), STATUS[task.status].role),
    )
    lines.append(state)
    where = detail.names.get(task.instance, task.instance)
    lines.append((Span(clip(f"{detail.row.short_id} in {where}", width), "muted"),))
    if task.tags:
        lines += paragraph(" ".join(f"#{tag}" for tag in task.tags), width, "medium")
    if task.reason:
        role: Role = "bad" if task.status in (TaskStatus.BLOCKED, TaskStatus.FAILED) else "warn"
        lines += paragraph(task.reason, width, role)
    for conflict in detail.conflicts:
        lines += conflict_lines(conflict, width, now, key_to_settle)
    lines.append(())
    for label, value in _facts(task, now):
        lines += _labelled(label, value, width)
    if task.description.strip():
        lines += [(), *paragraph(task.description.strip(), width)]
    if detail.reasons or detail.decisions:
        lines += _heading("why it is here")
        for reason in detail.reasons:
            lines += paragraph(reason, width)
        if detail.decisions:
            lines += paragraph(detail.decisions[-1].reason, width, "muted")
    if task.result is not None:
        lines += [*_heading("result"), *paragraph(str(task.result), width)]
    if detail.events:
        lines += _heading("history")
        for event in detail.events:
            if event.kind != "task.decided":  # told above
                lines += _event(event, width, now)
    return tuple(lines)


def _event(event: Event, width: int, now: float) -> list[Line]:
    what = event.kind.partition(".")[2].replace("_", " ") or event.kind
    line: Line = (
        Span(f"{age(event.at, now):>4}  ", "muted"),
        Span(clip(what, width - 6)),
        Span(clip(f"  {event.actor}", max(0, width - 6 - width_of(what))), "muted"),
    )
    said = event.note if isinstance(event.note, str) else _reason_of(event)
    return [line, *((Span(" " * 6), Span(text)) for text in wrap(said, width - 6) if said)]


def _reason_of(event: Event) -> str:
    """The reason an event carries, in its note or as the field it set."""
    note = event.note if isinstance(event.note, Mapping) else event.patch.set
    return str(note.get("reason") or "")


def chain_lines(hops: Iterable[Hop], width: int, now: float) -> tuple[tuple[str, Line], ...]:
    """The hops of a chain in order, each line with the id of its hop; reasons below."""
    lines: list[tuple[str, Line]] = []
    for hop in hops:
        it = hop.delegation
        glyph = HOP[it.status]
        when = it.completed_at or it.accepted_at or it.delegated_at
        word = Span(f" {it.status}", glyph.role)
        way = clip(f"{plain(hop.source)} → {plain(hop.target)}", width - 4 - len(word.text))
        left = [Span(" "), glyph, Span(f" {way}"), word]
        right = [Span(f"{age(when, now)} ", "muted")] if when else []
        lines.append((it.id, spread(left, right, width)))
        kind = None if it.type is DelegationType.ROUTE else str(it.type)
        for text in (kind, it.reason, it.notes):
            if text:
                lines += [(it.id, (Span("   "), Span(p, "muted"))) for p in wrap(text, width - 4)]
    return tuple(lines)

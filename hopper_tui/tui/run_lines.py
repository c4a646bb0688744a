"""Runs to lines of text: bars of progress, phases, workers and what they hold; pure functions."""

from __future__ import annotations

from hopper_tui.model.clock import age, seconds
from hopper_tui.model.lifecycle import InstanceStatus
from hopper_tui.model.text import plain
from hopper_tui.tui.presentation import (
    INSTANCE,
    STATUS,
    clip,
    clip_middle,
    count,
    fit,
    line_width,
    width_of,
)
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.view_snapshot import Held, PhaseRow, Progress, RunRow, RunsSnapshot, WorkerRow

NAME_MOST = 46
"""Cells of the column of names where there is room."""
BAR_MOST = 48
"""Cells of a bar where there is room."""
NUMBERS = 33
"""Cells that are left for numbers beside a bar where there is room."""
HURRY = 60.0
"""Seconds of a lease from which on it is shown as running out."""
_PIECES: tuple[tuple[str, str, Role], ...] = (
    ("done", "█", "good"),
    ("failed", "×", "bad"),
    ("held", "▒", "accent"),
)
"""What a bar is made of, in order: told apart by shape as well as by colour."""
_REST = "░"


def bar(progress: Progress, width: int, most: int | None = None) -> Line:
    """A bar of `width` cells for its own tasks, or as long a part of it as it has of `most`;
    whatever there is any of shows."""
    whole = max(1, progress.total if most is None else most)
    spans, seen, used = [], 0, 0
    for name, sign, role in _PIECES:
        number = getattr(progress, name)
        seen += number
        cells = max(1, seen * width // whole - used) if number else 0
        cells = min(cells, width - used)
        used += cells
        spans.append(Span(sign * cells, role))
    rest = _REST if most is None else " "
    return (*spans, Span(rest * (width - used), "muted"))


def _columns(width: int) -> tuple[int, int]:
    """Cells of names and of bars in lines of that width."""
    name = max(18, min(NAME_MOST, width * 3 // 8))
    return name, max(8, min(BAR_MOST, width - name - NUMBERS))


def _told(progress: Progress) -> list[Span]:
    """`5 of 14`, and what has failed and is held."""
    spans = [Span(f"{progress.done} of {progress.total}")]
    if progress.failed:
        spans.append(Span(f"{progress.failed} failed", "bad"))
    if progress.held:
        spans.append(Span(f"{progress.held} held", "accent"))
    return spans


def _row(head: list[Span], barred: Line, tail: list[Span], width: int, end: str = "") -> Line:
    """Name, bar and numbers below those of the other rows; what does not fit is left out, and
    `end`, at the right, first of all. Without a bar the head is as wide as name and bar."""
    name, _ = _columns(width)
    gap = max(1 if barred else 0, name - line_width(tuple(head)))
    line: Line = (*head, Span(" " * gap), *barred)
    for span in tail:
        if line_width(line) + 2 + width_of(span.text) <= width:
            line = (*line, Span("  "), span)
    room = width - line_width(line) - len(end) - 1
    return (*line, Span(" " * room), Span(f"{end} ", "muted")) if end and room > 0 else line


def run_line(run: RunRow, width: int, now: float, folded: bool) -> Line:
    """A run: its state, name and project, and how far it is with all its phases."""
    name, cells = _columns(width)
    fold = Span("▸ " if folded else "▾ ", "muted")
    if run.problem:
        what = clip(f"{run.instance.name}: {run.problem.sentence}", width - 4)
        return (Span("  "), Span("✗ ", "bad"), Span(what, "bad"))
    glyph = INSTANCE[run.instance.status]
    room = name - 5
    title = clip_middle(run.instance.name, room)
    where = f" in {plain(run.project)}"
    if width_of(title) + width_of(where) > room:
        where = ""
    head = [fold, glyph, Span(" "), Span(title, "strong"), Span(where, "muted")]
    tail = _told(run.progress)
    if run.waiting:
        tail.append(Span(f"⚑ {len(run.waiting)}", "urgent"))
    if run.instance.status is not InstanceStatus.RUNNING:
        tail.append(Span(str(run.instance.status), glyph.role))
    since = run.instance.started_at or run.instance.created_at
    until = seconds(run.instance.stopped_at) if run.instance.stopped_at else now
    return _row(head, bar(run.progress, cells), tail, width, age(since, until) if since else "")


def approval_line(held: Held, key: str, width: int, now: float) -> Line:
    """A checkpoint that only a person can pass, by that key, and that all after it waits for."""
    name, cells = _columns(width)
    since = f"for {age(held.since, now)}" if held.since else ""
    told = "  ⚑ APPROVE  "
    title = fit(held.row.task.title, name + cells - len(told))
    return _row([Span(told, "urgent"), Span(title, "urgent")], (),
                [Span(f"{key} approves it", "warn"), Span(since, "warn")], width)  # fmt: skip


def phase_line(phase: PhaseRow, width: int, now: float) -> Line:
    """A phase: whether it is passed, active or still to come, and how far it is."""
    name, cells = _columns(width)
    passed = not phase.left
    sign = Span("▶", "accent") if phase.is_active else Span("✓" if passed else " ", "good")
    role: Role = "strong" if phase.is_active else "text" if passed else "muted"
    title = clip(f"{phase.number} {phase.instance.name}", name - 6)
    head = [Span("   "), sign, Span(" "), Span(title, role)]
    tail = _told(phase.progress) + ([Span("active", "accent")] if phase.is_active else [])
    if phase.waiting:
        tail.append(Span("⚑", "urgent"))
    return _row(head, bar(phase.progress, cells), tail, width)


def worker_line(worker: WorkerRow, most: int, width: int, now: float) -> Line:
    """A worker: its share of the work, measured by whoever did `most`."""
    name, cells = _columns(width)
    head = [Span("     "), Span(clip(worker.name, name - 6), "id")]
    done = [Span(f"{worker.progress.done} done")]
    if worker.progress.failed:
        done.append(Span(f"{worker.progress.failed} failed", "bad"))
    if worker.expired:
        done.append(Span(f"{count(worker.expired, 'lease')} ran out", "warn"))
    if worker.attempts > worker.progress.total:
        done.append(Span(f"{worker.attempts} tries", "muted"))
    if not worker.progress.held:
        done.append(Span("idle", "muted"))
    return _row(head, bar(worker.progress, cells, most), done, width)


def held_line(held: Held, width: int, now: float) -> Line:
    """A task that a worker holds: since when, how long its lease lasts, which attempt it is."""
    task = held.row.task
    name, cells = _columns(width)
    since = f"for {age(held.since, now)}" if held.since else ""
    tail = [Span(f"{since:<7}", "muted")]
    if task.lease_expires_at is not None:
        left = seconds(task.lease_expires_at) - now
        role: Role = "bad" if left <= 0 else "warn" if left < HURRY else "muted"
        told = f"lease {_left(left)}" if left > 0 else "lease over"
        tail.append(Span(f"{told:<9}", role))
    attempt = f"try {task.attempts} of {held.most_attempts}"
    tail.append(Span(attempt, "warn" if task.attempts > 1 else "muted"))
    head = [Span("       "), STATUS[task.status], Span(f" {held.row.short_id}  ", "id")]
    title = fit(task.title, max(4, name + cells - line_width(tuple(head))))
    return _row([*head, Span(title)], (), tail, width)


def _left(left: float) -> str:
    """`45s`, `11m`, `2h`: what is left of a time, in one unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if left >= size:
            return f"{int(left // size)}{unit}"
    return f"{int(left)}s"


def nobody_line(width: int) -> Line:
    """Below a run that nobody has worked on."""
    return (
        Span("     "),
        Span(clip("No worker yet: hopper work takes its tasks", width - 6), "muted"),
    )


def runs_title(runs: RunsSnapshot) -> tuple[str, str]:
    """`runs · 2 under way, 1 over`, and how many checkpoints wait."""
    over = sum(run.is_over for run in runs.runs)
    parts = [f"{len(runs.runs) - over} under way" if len(runs.runs) > over else "",
             f"{over} over" if over else ""]  # fmt: skip
    told = ", ".join(filter(None, parts))
    waiting = sum(len(run.waiting) for run in runs.runs)
    verb = "waits" if waiting == 1 else "wait"
    note = f"⚑ {count(waiting, 'checkpoint')} {verb} for approval" if waiting else ""
    return (f"runs · {told}" if told else "runs", note)


def no_runs() -> tuple[Line, ...]:
    """Why there is nothing to see, and what makes a run."""
    return (
        (Span("No runs yet.", "muted"),),
        (Span("A run is made when a task is broken down:", "muted"),),
        (Span("hopper task break-down ID --template feature", "accent"),),
    )

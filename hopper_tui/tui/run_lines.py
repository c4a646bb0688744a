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
from hopper_tui.tui.snapshot import Held, PhaseRow, Progress, RunRow, RunsSnapshot, WorkerRow

BAR_MOST = 40
"""Cells of a bar where there is room."""
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
    """A bar of `width` cells for `most` tasks (None: its own); whatever there is of shows."""
    most = max(1, progress.total if most is None else most)
    room, spans = width, []
    parts = [(getattr(progress, name), sign, role) for name, sign, role in _PIECES]
    for number, sign, role in parts:
        cells = min(room, max(1, number * width // most)) if number else 0
        room -= cells
        spans.append(Span(sign * cells, role))
    rest = room if most == progress.total else 0
    return (*spans, Span(_REST * rest, "muted"), Span(" " * (room - rest)))


def _columns(width: int) -> tuple[int, int]:
    """Cells of names and of bars in lines of that width."""
    name = max(18, width * 3 // 8)
    return name, max(8, min(BAR_MOST, (width - name) // 2))


def _told(progress: Progress) -> list[Span]:
    """`5 of 14`, and what of the rest is held or has failed."""
    spans = [Span(f"{progress.done} of {progress.total}")]
    if progress.held:
        spans.append(Span(f"  {progress.held} held", "accent"))
    if progress.failed:
        spans.append(Span(f"  {progress.failed} failed", "bad"))
    return spans


def _row(head: list[Span], barred: Line, tail: list[Span], width: int, end: str = "") -> Line:
    """Name, bar and numbers below those of the other rows; `end` at the right if it fits."""
    name, _ = _columns(width)
    gap = Span(" " * max(1, name - line_width(tuple(head))))
    line = (*head, gap, *barred, Span("  "), *tail)
    room = width - line_width(line) - len(end) - 1
    return (*line, Span(" " * room), Span(f"{end} ", "muted")) if end and room > 0 else line


def run_line(run: RunRow, width: int, now: float, folded: bool) -> Line:
    """A run: its state, name and project, and how far it is with all its phases."""
    name, cells = _columns(width)
    fold = Span("▸ " if folded else "▾ ", "muted")
    if run.problem:
        what = clip(f"{run.instance.name}: {run.problem.sentence}", width - 4)
        return (fold, Span("✗ ", "bad"), Span(what, "bad"))
    glyph = INSTANCE[run.instance.status]
    room = name - 5
    title = clip_middle(run.instance.name, room)
    where = f" in {plain(run.project)}"
    if width_of(title) + width_of(where) > room:
        where = ""
    head = [fold, glyph, Span(" "), Span(title, "strong"), Span(where, "muted")]
    tail = _told(run.progress)
    if run.waiting:
        tail.append(Span(f"  ⚑ {len(run.waiting)}", "urgent"))
    if run.instance.status is not InstanceStatus.RUNNING:
        tail.append(Span(f"  {run.instance.status}", glyph.role))
    since = run.instance.started_at or run.instance.created_at
    until = seconds(run.instance.stopped_at) if run.instance.stopped_at else now
    return _row(head, bar(run.progress, cells), tail, width, age(since, until) if since else "")


def approval_line(held: Held, width: int, now: float) -> Line:
    """A checkpoint that only a person can pass, and that everything after it waits for."""
    since = age(held.since, now) if held.since else ""
    end = f" {since}  A approves it "
    told = "  ⚑ APPROVE  "
    title = fit(held.row.task.title, max(4, width - len(told) - len(end)))
    return (Span(told, "urgent"), Span(title, "urgent"), Span(end, "warn"))


def phase_line(phase: PhaseRow, width: int, now: float) -> Line:
    """A phase: whether it is passed, active or still to come, and how far it is."""
    name, cells = _columns(width)
    passed = not phase.left
    sign = Span("▶", "accent") if phase.is_active else Span("✓" if passed else " ", "good")
    role: Role = "strong" if phase.is_active else "text" if passed else "muted"
    title = clip(f"{phase.number} {phase.instance.name}", name - 6)
    head = [Span("   "), sign, Span(" "), Span(title, role)]
    tail = _told(phase.progress) + ([Span("  active", "accent")] if phase.is_active else [])
    if phase.waiting:
        tail.append(Span("  ⚑", "urgent"))
    return _row(head, bar(phase.progress, cells), tail, width)


def worker_line(worker: WorkerRow, most: int, width: int, now: float) -> Line:
    """A worker: its share of the work, measured by whoever did `most`."""
    name, cells = _columns(width)
    head = [Span("     "), Span(clip(worker.name, name - 6), "id")]
    done = [Span(f"{worker.progress.done} done")]
    if worker.progress.failed:
        done.append(Span(f"  {worker.progress.failed} failed", "bad"))
    if worker.expired:
        done.append(Span(f"  {count(worker.expired, 'lease')} ran out", "warn"))
    if not worker.progress.held:
        done.append(Span("  idle", "muted"))
    return _row(head, bar(worker.progress, cells, most), done, width)


def held_line(held: Held, width: int, now: float) -> Line:
    """A task that a worker holds: since when, how long its lease lasts, which attempt it is."""
    task = held.row.task
    facts: list[Span] = [Span(age(held.since, now) if held.since else "", "muted")]
    if task.lease_expires_at is not None:
        left = seconds(task.lease_expires_at) - now
        role: Role = "bad" if left <= 0 else "warn" if left < HURRY else "muted"
        facts.append(Span(f"lease {_left(left)}" if left > 0 else "lease over", role))
    attempt = f"try {task.attempts} of {held.most_attempts}"
    facts.append(Span(attempt, "warn" if task.attempts > 1 else "muted"))
    tail: list[Span] = []
    for size, fact in zip((4, 10, 0), (*facts[:1], *(facts[1:-1] or [Span("")]), facts[-1]),
                          strict=True):  # fmt: skip
        tail += [Span("  "), Span(fit(fact.text, size) if size else fact.text, fact.role)]
    sign = STATUS[task.status]
    head = (Span("       "), sign, Span(f" {held.row.short_id}  ", "id"))
    room = width - line_width(head) - line_width(tuple(tail)) - 1
    return (*head, Span(fit(task.title, max(4, room))), *tail)


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

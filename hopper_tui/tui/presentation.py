"""Values to lines of text, given a width and the time: pure functions, no widget, no colour.

All text from tasks passes through `plain`; widths are terminal cells, never characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size

from hopper_tui.model.clock import age
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    HopperScope,
    InstanceStatus,
    Priority,
    TaskStatus,
)
from hopper_tui.model.text import plain, plain_block
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.snapshot import (
    Problem,
    QueueSnapshot,
    Report,
    TaskRow,
    TreeRow,
)

PRIORITY: dict[Priority, Span] = {
    Priority.URGENT: Span("!", "urgent"),
    Priority.HIGH: Span("▲", "high"),
    Priority.MEDIUM: Span("●", "medium"),
    Priority.LOW: Span("·", "low"),
}
STATUS: dict[TaskStatus, Span] = {
    TaskStatus.PENDING: Span(" ", "muted"),
    TaskStatus.CLAIMED: Span("◇", "accent"),
    TaskStatus.IN_PROGRESS: Span("◆", "accent"),
    TaskStatus.BLOCKED: Span("■", "bad"),
    TaskStatus.DELEGATED: Span("→", "muted"),
    TaskStatus.DONE: Span("✓", "good"),
    TaskStatus.FAILED: Span("✗", "bad"),
    TaskStatus.CANCELLED: Span("−", "muted"),
}
INSTANCE: dict[InstanceStatus, Span] = {
    InstanceStatus.CREATED: Span("○", "muted"),
    InstanceStatus.STARTING: Span("◌", "accent"),
    InstanceStatus.RUNNING: Span("●", "good"),
    InstanceStatus.PAUSED: Span("‖", "warn"),
    InstanceStatus.STOPPING: Span("◌", "warn"),
    InstanceStatus.STOPPED: Span("■", "muted"),
    InstanceStatus.ERROR: Span("✗", "bad"),
    InstanceStatus.TERMINATED: Span("†", "muted"),
}
HOP: dict[DelegationStatus, Span] = {
    DelegationStatus.PENDING: Span("…", "warn"),
    DelegationStatus.ACCEPTED: Span("→", "accent"),
    DelegationStatus.REJECTED: Span("✗", "bad"),
    DelegationStatus.COMPLETED: Span("✓", "good"),
    DelegationStatus.FAILED: Span("✗", "bad"),
    DelegationStatus.CANCELLED: Span("−", "muted"),
}

REASONS = 2
"""Different reasons of refusal that are told at once."""
Words = Mapping[str, str]
"""Names of instances by id."""


def width_of(text: str) -> int:
    """Cells that `text` takes on the terminal."""
    return len(text) if text.isascii() else cell_len(text)


def clip(text: str, width: int) -> str:
    """`text` made harmless and cut to at most `width` cells, with an ellipsis where it was cut."""
    text = plain(text[: 4 * width + 4])
    if width_of(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def clip_middle(text: str, width: int) -> str:
    """Like `clip`, but cuts in the middle: the ends of names tell `worker-1` from `worker-2`."""
    text = plain(text)
    if width_of(text) <= width or width < 5:
        return clip(text, width)
    head = clip(text, (width + 1) // 2)
    tail = text
    while width_of(head) + width_of(tail) > width:
        tail = tail[1:]
    return head + tail


def fit(text: str, width: int) -> str:
    """Like `clip`, but padded to exactly `width` cells."""
    text = clip(text, width)
    return text + " " * (width - width_of(text))


def wrap(text: str, width: int) -> list[str]:
    """`text` made harmless and broken into lines of at most `width` cells, at spaces if it can."""
    width = max(width, 4)
    lines: list[str] = []
    for paragraph in plain_block(text).expandtabs(4).splitlines():
        line = ""
        for word in paragraph.split(" "):
            joined = f"{line} {word}" if line else word
            if width_of(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            *full, line = chop_cells(word, width) or [""]
            lines.extend(full)
        lines.append(line)
    return lines


def paragraph(text: str, width: int, role: Role = "text") -> list[Line]:
    """`text` wrapped, in one role."""
    return [(Span(line, role),) for line in wrap(text, width)]


def line_width(line: Line) -> int:
    """Cells that a line takes."""
    return sum(width_of(span.text) for span in line)


def spread(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """`left` and `right` at the two ends of a line, or `left` alone where both do not fit."""
    gap = width - line_width(tuple(left)) - line_width(tuple(right))
    if gap < 1 and right:
        return tuple(left)
    return (*left, Span(" " * gap), *right)


def count(number: int, noun: str) -> str:
    """`1 task`, `7 tasks`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def status_word(status: str) -> str:
    """A status as people read it."""
    return status.replace("_", " ")


# --- the queue ---------------------------------------------------------------------------------


def what_matters(row: TaskRow, now: float) -> tuple[str, Role]:
    """What the right end of a row tells: the one thing that matters most in that state."""
    task = row.task
    since = age(task.updated_at or task.created_at, now) if task.created_at else ""
    match task.status:
        case TaskStatus.CLAIMED | TaskStatus.IN_PROGRESS:
            return f"{task.owner or '?'} {since}", "accent"
        case TaskStatus.BLOCKED | TaskStatus.FAILED if task.reason:
            return task.reason, "bad"
        case TaskStatus.DELEGATED:
            return f"{row.target} {since}".strip(), "muted"
        case TaskStatus.PENDING if task.open_deps:
            return f"waits for {task.open_deps} {since}", "warn"
        case TaskStatus.PENDING if task.waiting:
            return f"nobody fits {since}", "warn"
    return " ".join((*task.tags, since)), "muted"


FRESH = Span("▎", "accent")
"""What marks a line that others have just changed."""


def queue_row(
    row: TaskRow,
    width: int,
    now: float,
    id_width: int,
    marked: bool = False,
    fresh: bool = False,
) -> Line:
    """A task on one line of exactly `width` cells: priority, status, id, title, what matters."""
    task = row.task
    head = 6 + id_width + 1
    room = width - head
    text, role = what_matters(row, now)
    spare = room - 2 - width_of(clip(task.title, room))
    meta = clip(text, max(0, spare, min(room * 2 // 5, room - 20)))
    title_width = room - (width_of(meta) + 2 if meta else 0)
    return (
        Span("◉", "accent") if marked else FRESH if fresh else Span(" "),
        PRIORITY[task.priority],
        Span(" "),
        STATUS[task.status],
        Span(" " + fit(row.short_id, id_width) + "  ", "id"),
        Span(fit(task.title, title_width), "text" if task.is_open else "muted"),
        Span(f"  {meta}" if meta else "", role),
    )


def loading_row(width: int) -> Line:
    """The place of a row whose body is still on its way."""
    return (Span(fit("      ·", width), "muted"),)


def queue_title(queue: QueueSnapshot, name: str) -> str:
    """`webapp · 214 open`, or how many of them the filter shows."""
    if queue.problem:
        return plain(name)
    if queue.filter:
        return f"{plain(name)} · {len(queue.ids):,} of {queue.total:,}"
    return f"{plain(name)} · {queue.total:,} open"


def empty_queue(queue: QueueSnapshot, key_to_clear: str, key_to_add: str) -> tuple[Line, ...]:
    """Why there is nothing to see, and the key that changes it."""
    if queue.instance is None:
        return ((Span("Choose a hopper on the left.", "muted"),),)
    if queue.filter and queue.total:
        return (
            (Span(f"The filter hides {count(queue.total, 'task')}.", "muted"),),
            (Span(key_to_clear, "accent"), Span(" shows them again", "muted")),
        )
    return (
        (Span("Nothing waits here.", "muted"),),
        (Span(key_to_add, "accent"), Span(" adds a task", "muted")),
    )


def problem_lines(problem: Problem, width: int) -> tuple[Line, ...]:
    """A problem and its fix, wrapped."""
    lines: list[Line] = [(Span(text, "bad"),) for text in wrap("✗ " + problem.message, width)]
    lines += [(Span(text, "muted"),) for text in wrap(problem.hint, width)]
    return tuple(lines)


# --- the tree ----------------------------------------------------------------------------------


WAITING_FROM = 28
"""Cells from which on a tree row has room for words, and for how many tasks wait behind those
being worked on."""


def _load(row: TreeRow, width: int) -> str:
    """`3/10 +4` where work is executed, the number of open tasks elsewhere, nothing for none; or
    what is wrong."""
    load = row.load
    if row.problem:
        return row.problem.state
    if row.read_only:
        return "read-only" if width >= WAITING_FROM else "r/o"
    if row.instance.scope is HopperScope.ORCHESTRATION and load.capacity is not None:
        waits = f" +{load.queued}" if load.queued and width >= WAITING_FROM else ""
        return f"{load.active}/{load.capacity}{waits}"
    return f"{load.open:,}" if load.open else ""


def tree_row(row: TreeRow, width: int, folded: bool = False, fresh: bool = False) -> Line:
    """A hopper on one line of exactly `width` cells: fold, status, name, load."""
    fold = ("▸ " if folded else "▾ ") if row.has_children else "  "
    glyph = Span("✗", "bad") if row.problem else INSTANCE[row.instance.status]
    load = _load(row, width)
    head = "  " * min(row.depth, 6) + fold
    tail = f" {load}" if load else ""
    room = max(4, width - len(head) - 3 - len(tail))
    name = fit(clip_middle(row.instance.name, room), room)
    faint = row.problem is not None or not row.instance.is_running
    return (
        Span(head, "muted"),
        glyph,
        Span(f" {name}", "muted" if faint else "text"),
        Span(tail, "bad" if row.problem else "warn" if row.read_only else "muted"),
        FRESH if fresh else Span(" "),
    )


# --- reports -----------------------------------------------------------------------------------


def offers_line(words: Sequence[str], chosen: int, width: int) -> Line:
    """Words to choose from, as far as they fit; the chosen one is always among them."""
    texts = [plain(word) for word in words]
    first = 0
    while first < chosen and sum(width_of(t) + 2 for t in texts[first : chosen + 1]) > width - 2:
        first += 1
    spans = [Span("… ", "muted")] if first else []
    for index in range(first, len(texts)):
        room = width - line_width(tuple(spans))
        rest = 3 if index + 1 < len(texts) else 0
        if width_of(texts[index]) + rest > room and index > first:
            spans.append(Span("…", "muted"))
            break
        spans.append(Span(clip(texts[index], room), "strong" if index == chosen else "muted"))
        spans.append(Span("  "))
    return tuple(spans)


def _kind(problem: Problem) -> str:
    """What refusals for the same reason have in common: all but ids, names and numbers."""
    words = problem.message.split()
    return " ".join(word for word in words if not any(c.isdigit() or c == "-" for c in word))


def report_text(report: Report) -> str:
    """`7 done, 1 refused: web-k7m2q is done`; one line, harmless."""
    if report.undone:
        total = len(report.done) + len(report.refused) + report.left
        return f"undone meanwhile; stopped after {total - report.left:,} of {total:,}"
    parts = []
    if len(report.done) == 1 and not report.refused:
        parts.append(f"{report.verb} {report.done[0]}")
    elif report.done or not report.refused:
        parts.append(f"{len(report.done):,} {report.verb}")
    if report.refused:
        number = len(report.refused)
        kinds: dict[str, Problem] = {}
        for refusal in report.refused:
            kinds.setdefault(_kind(refusal.problem), refusal.problem)
        said = [problem.sentence for problem in kinds.values()][:REASONS]
        more = [f"{number - len(said):,} more"] if number > len(said) else []
        refused = f"{number:,} refused: " if report.done or number > 1 else ""
        parts.append(refused + "; ".join(said + more))
    if report.left:
        parts.append(f"stopped before {count(report.left, 'task')}")
    return plain(", ".join(parts))

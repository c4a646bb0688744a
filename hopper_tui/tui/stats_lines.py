"""Statistics to lines of text: sparklines of what happened, and the numbers; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.summary import length
from hopper_tui.model.text import counted, plain
from hopper_tui.tui.presentation import (
    STATUS,
    clip,
    clip_middle,
    fit,
    line_width,
    status_word,
    wrap,
)
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.view_snapshot import StatsSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.trends import Trend

LEVELS = "▁▂▃▄▅▆▇█"
LABEL = 9
"""Cells before a sparkline."""
TAIL = 18
"""Cells behind a sparkline where there is room."""
Values = Sequence[float | None]
Merge = Callable[[Sequence[float]], float]
"""What some neighbouring values are together, where there is no room for each."""


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _last(values: Sequence[float]) -> float:
    return values[-1]


def resampled(values: Values, cells: int, merge: Merge) -> list[float | None]:
    """Values for at most so many cells: neighbours merged where there are too many, each taking
    several cells where there is room."""
    size = -(-len(values) // max(1, cells))
    if size > 1:
        groups = [
            [value for value in values[at : at + size] if value is not None]
            for at in range(0, len(values), size)
        ]
        return [merge(group) if group else None for group in groups]
    times = cells // max(1, len(values))
    return [value for value in values for _ in range(times)]


def spark(values: Values, rows: int = 1) -> tuple[str, ...]:
    """Bars beside each other on some rows, the highest value as high as they are; what is not
    known is blank, and nothing is told from little."""
    most = max((value for value in values if value is not None), default=0.0)
    steps = 8 * rows
    heights = [
        0 if value is None else 1 if not value else max(2, round(value / most * steps))
        for value in values
    ]
    lines = []
    for row in reversed(range(rows)):
        filled = (min(8, max(0, height - 8 * row)) for height in heights)
        lines.append("".join(LEVELS[n - 1] if n else " " for n in filled))
    return tuple(lines)


def stats_lines(stats: StatsSnapshot, width: int, rows: int) -> tuple[Line, ...]:
    """All there is to know, with sparklines of so many rows."""
    assert stats.trend is not None
    lines = [(), *_trend(stats.trend, stats.period, width, rows), (), *_numbers(stats, width)]
    for title, name in (("workers", "worker"), ("phases", "name")):
        found = stats.numbers.get(title) or ()
        if found:
            lines += [(), *_table(title, found, name, width)]
    if stats.numbers.get("sampled"):
        read = counted(stats.numbers["events"], "event")
        told = f"Times, attempts and what is drawn are those of the latest {read}."
        lines += [(), *((Span(f" {text}", "muted"),) for text in wrap(told, width - 2))]
    return tuple(lines)


def _trend(trend: Trend, period: str, width: int, rows: int) -> Iterator[Line]:
    cells = max(12, width - LABEL - min(TAIL, width // 3) - 2)
    bars = len(resampled(trend.done, cells, sum))
    drawn: tuple[tuple[str, Values, Merge, Role, str], ...] = (
        ("done", trend.done, sum, "good", _in_all(trend.done)),
        ("added", trend.added, sum, "accent", _in_all(trend.added)),
        ("open", trend.open, _last, "medium", _now(trend.open)),
        ("wait", trend.waits, _mean, "warn", _longest(trend.waits)),
    )
    for name, values, merge, role, tail in drawn:
        *above, last = spark(resampled(values, cells, merge), rows)
        for text in above:
            yield (Span(" " * LABEL), Span(text, role))
        room = width - LABEL - bars - 3
        yield (
            Span(fit(f" {name}", LABEL), "muted"),
            Span(last, role),
            Span(f"  {clip(tail, room)}"),
        )
        if rows > 1:
            yield ()
    ago = f"a {period} ago" if period != "hour" else "an hour ago"
    yield (Span(" " * LABEL), Span(ago, "muted"), Span(f"{'now':>{bars - len(ago)}}", "muted"))


def _known(values: Values) -> list[float]:
    return [value for value in values if value is not None]


def _in_all(values: Values) -> str:
    known = _known(values)
    return f"{sum(known):,.0f} in all"


def _now(values: Values) -> str:
    known = _known(values)
    return f"{known[-1]:,.0f} now, {max(known):,.0f} at most" if known else ""


def _longest(values: Values) -> str:
    known = _known(values)
    return f"{length(max(known))} at most" if known else "nobody claimed any"


def _numbers(stats: StatsSnapshot, width: int) -> Iterator[Line]:
    """How things stand now, and how long they take."""
    numbers = stats.numbers
    states: list[Span] = []
    for status in TaskStatus:
        if number := numbers.get(status):
            sign = STATUS[status]
            text = f"{sign.text.strip()} {number:,} {status_word(status)}".strip()
            states += [Span("   "), Span(text, sign.role if sign.text.strip() else "text")]
    yield from _flowed("now", states[1:] or [Span("no task yet", "muted")], width)
    capacity = numbers.get("capacity")
    facts = {
        "an hour": f"{numbers['throughput_per_hour']:,} done in the last hour",
        "wait": _times(numbers, "wait"),
        "run": _times(numbers, "run"),
        "oldest": f"pending for {length(numbers['oldest_pending_s'])}"
        if numbers.get("oldest_pending_s") is not None
        else "",
        "room": f"{numbers['active']} of {capacity} at once" if capacity is not None else "",
        "tries": _tries(numbers),
    }
    for name, text in facts.items():
        if text:
            yield (Span(fit(f" {name}", LABEL), "muted"), Span(clip(text, width - LABEL - 1)))


def _flowed(label: str, spans: Sequence[Span], width: int) -> Iterator[Line]:
    """Some pieces behind a label, on as many lines as they need."""
    line: list[Span] = [Span(fit(f" {label}", LABEL), "muted")]
    for span in spans:
        if line_width((*line, span)) > width - 1:
            yield tuple(line)
            line = [Span(" " * LABEL)]
        if span.text.strip() or len(line) > 1:
            line.append(span)
    yield tuple(line)


def _times(numbers: Mapping[str, Any], what: str) -> str:
    middle, most = (length(numbers.get(f"{which}_{what}_s")) for which in ("median", "p90"))
    return f"{middle} in the middle, {most} for the slowest tenth" if middle else ""


def _tries(numbers: Mapping[str, Any]) -> str:
    found = [
        f"{numbers[name]:,} {word}"
        for name, word in (("attempts", "in all"), ("retries", "again"), ("expired", "ran out"))
        if numbers.get(name)
    ]
    return ", ".join(found)


_COLUMNS: tuple[tuple[str, str], ...] = (
    ("done", "done"), ("failed", "failed"), ("active", "holds"), ("throughput_per_hour", "an hour"),
    ("median_wait_s", "wait"), ("median_run_s", "run"), ("retries", "again"),
    ("expired", "ran out"),
)  # fmt: skip
"""What is told of each worker and phase: the key of the number, and the head of its column."""


def _table(title: str, found: Sequence[Mapping[str, Any]], name: str, width: int) -> Iterator[Line]:
    """A line for each worker or phase; columns from the right are left out where none fits."""
    heads = [(key, head) for key, head in _COLUMNS if any(one.get(key) for one in found)]
    first = max(12, min(30, width - 2 - 9 * len(heads)))
    heads = heads[: max(1, (width - first - 2) // 9)]
    yield (
        Span(fit(f" {title}", first + 1), "accent"),
        Span("".join(f"{head:>9}" for _, head in heads), "muted"),
    )
    for one in found:
        label = clip_middle(plain(str(one.get(name) or "?")), first - 1)
        cells = "".join(f"{_cell(key, one.get(key)):>9}" for key, _ in heads)
        yield (Span(fit(f" {label}", first + 1)), Span(cells))


def _cell(key: str, value: object) -> str:
    return length(value) if key.endswith("_s") else str(value or "")


def stats_title(stats: StatsSnapshot) -> str:
    """`stats · webapp · the last day`."""
    name = f" · {plain(stats.instance.name)}" if stats.instance else ""
    return f"stats{name} · the last {stats.period}"

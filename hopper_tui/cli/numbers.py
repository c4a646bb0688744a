"""Numbers as text: how work goes, by worker and by phase, and the summary of a run that ended.

A summary may come from another clone, so its values are taken as whatever they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hopper_tui.cli.columns import align
from hopper_tui.cli.output import counted, given, pairs
from hopper_tui.model.summary import length, sentence, work_of
from hopper_tui.model.text import plain

BAR = 20
"""Columns of a whole bar of progress."""
_COUNTS = ("done", "failed", "active", "attempts", "retries", "expired")
_TIMES = ("median_wait_s", "p90_wait_s", "median_run_s", "p90_run_s")
_HEADS = (
    "", *_COUNTS, "an hour", "wait", "wait p90", "run", "run p90",
)  # fmt: skip


def progress_bar(done: int, failed: int, total: int) -> str:
    """`######x.....`: done, failed, and what is left of a total."""
    filled = done * BAR // total if total else 0
    lost = min(BAR - filled, -(-failed * BAR // total)) if total else 0
    return "#" * filled + "x" * lost + "." * (BAR - filled - lost)


def table(rows: Iterable[Any], name: str, width: int | None) -> list[str]:
    """A line for each worker or phase with its counts and times, below a line of headings."""
    lines: list[Sequence[str]] = [_HEADS]
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        cells = [_count(row.get(key)) for key in (*_COUNTS, "throughput_per_hour")]
        times = [length(row.get(key)) for key in _TIMES]
        lines.append((plain(str(row.get(name) or "?")), *cells, *times))
    shown = [
        index for index, _ in enumerate(_HEADS) if index == 0 or any(r[index] for r in lines[1:])
    ]
    return align([[line[index] for index in shown] for line in lines], width)


def _count(value: object) -> str:
    return str(value) if value and isinstance(value, int) else ""


def stats_lines(numbers: Mapping[str, Any], width: int | None) -> Iterator[str]:
    """The numbers of an instance, then those of its workers and phases."""
    times = {
        "wait": _times(numbers, "wait"),
        "run": _times(numbers, "run"),
        "oldest pending": length(numbers["oldest_pending_s"]),
    }
    own = {
        key.replace("_", " "): value
        for key, value in numbers.items()
        if key not in (*_TIMES, "workers", "phases", "events", "sampled", "oldest_pending_s")
        and (value or key in ("done", "pending"))
    }
    yield from pairs(own | times)
    for title, name in (("workers", "worker"), ("phases", "name")):
        if numbers[title]:
            yield f"{title}:"
            yield from (f"  {line}" for line in table(numbers[title], name, width and width - 2))
    if numbers["sampled"]:
        yield f"attempts and times are those of the latest {counted(numbers['events'], 'event')}"


def _times(numbers: Mapping[str, Any], what: str) -> str:
    median, p90 = (length(numbers.get(f"{which}_{what}_s")) for which in ("median", "p90"))
    return f"{median} median, {p90} p90" if median and p90 else median


def summary_lines(summary: Mapping[str, Any], width: int | None) -> Iterator[str]:
    """What a run did: all in all, its phases, its workers, and what failed."""
    identity, name, status = (
        plain(str(summary.get(key) or "")) for key in ("instance_id", "name", "status")
    )
    yield f"{identity}  {name} [{status}]" if name != identity else f"{identity} [{status}]"
    yield f"  {plain(sentence(summary))}"
    work = work_of(summary)
    feedback = summary.get("feedback")
    facts = {
        "attempts": work.get("attempts"),
        "retries": work.get("retries") or None,
        "leases expired": work.get("expired") or None,
        "wait": _times(work, "wait"),
        "run": _times(work, "run"),
        "feedback": given(feedback) if isinstance(feedback, Mapping) else None,
        "started": summary.get("started_at"),
        "stopped": summary.get("stopped_at"),
    }
    yield from (f"  {line}" for line in pairs(facts))
    phases = [
        {"name": child.get("name"), **work_of(child)}
        for child in _list(summary, "children")
        if isinstance(child, Mapping)
    ]
    for title, rows, key in (
        ("phases", phases, "name"), ("workers", _list(summary, "workers"), "worker"),
    ):  # fmt: skip
        if rows:
            yield f"{title}:"
            yield from (f"  {line}" for line in table(rows, key, width and width - 2))
    failures = [one for one in _list(summary, "failures") if isinstance(one, Mapping)]
    if failures:
        yield "failed:"
        for one in failures:
            reason = f": {one['reason']}" if one.get("reason") else ""
            yield plain(f"  {one.get('title')}{reason}")
    left_out = summary.get("left_out")
    if isinstance(left_out, Mapping):
        yield plain(
            "left out: " + ", ".join(f"{number} {name}" for name, number in left_out.items())
        )


def _list(summary: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = summary.get(name)
    return value if isinstance(value, list | tuple) else ()

"""Trends: how the work of a hopper went, by spans of time of equal length."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine import measuring
from hopper_tui.model.clock import seconds
from hopper_tui.model.lifecycle import CLOSED, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.model.event import Event

SPANS = 48
"""Into how many spans a time is divided."""


class Trend(NamedTuple):
    """What happened in each of some spans of `length` seconds, the last of which ends now: tasks
    added and done, the median seconds that those first claimed had waited, and how many tasks
    were open at its end. None where the events that were read do not reach back so far."""

    length: float
    added: tuple[int | None, ...]
    done: tuple[int | None, ...]
    waits: tuple[float | None, ...]
    open: tuple[int | None, ...]


def trend(hopper: Hopper, period: float) -> Trend:
    """How a hopper, a run with its phases, went over the last `period` seconds, told by the latest
    `measuring.SAMPLE` events."""
    store, now = hopper.store, hopper.world.now()
    ids = frozenset(member.id for member in measuring.family(store, hopper.instance))
    newest = store.events(newest=True, limit=measuring.SAMPLE + 1)
    known = 0.0 if len(newest) <= measuring.SAMPLE else seconds(newest[-1].at)
    begin, length = now - period, period / SPANS
    events = [
        event
        for event in reversed(newest[: measuring.SAMPLE])
        if event.entity == "task" and seconds(event.at) > begin
    ]
    places = _places(hopper, events)
    added, done, change = [0] * SPANS, [0] * SPANS, [0] * SPANS
    waits: list[list[float]] = [[] for _ in range(SPANS)]
    ended: dict[str, list[int]] = {}  # in which spans a task was done, that may be undone
    for event in events:
        instance, born = places.get(event.key, ("", ""))
        if instance not in ids:
            continue
        span = min(SPANS - 1, int((seconds(event.at) - begin) / length))
        added[span] += "instance" in event.patch.set
        if event.kind == measuring.UNDONE:
            if event.patch.base.get("status") == TaskStatus.DONE and ended.get(event.key):
                done[ended[event.key].pop()] -= 1
        elif event.patch.set.get("status") == TaskStatus.DONE:
            ended.setdefault(event.key, []).append(span)
            done[span] += 1
        change[span] += _change(event)
        if event.kind == "task.claimed" and event.patch.set.get("attempts") == 1:
            waits[span].append(max(0.0, seconds(event.at) - seconds(born)))
    still = sum(
        number
        for key in ids
        for status, number in store.counts(key).items()
        if status not in CLOSED
    )
    opened = [still]
    for number in reversed(change[1:]):
        opened.append(opened[-1] - number)
    is_known = [begin + (index + 1) * length > known for index in range(SPANS)]
    return Trend(
        length,
        _where(is_known, added),
        _where(is_known, done),
        tuple(measuring.median(some) for some in waits),
        _where(is_known, opened[::-1]),
    )


def _places(hopper: Hopper, events: Sequence[Event]) -> dict[str, tuple[str, str]]:
    """At which instance each task was, and since when it was there."""
    found: dict[str, tuple[str, str]] = {}
    for event in events:
        if "instance" in event.patch.set:
            found.setdefault(event.key, (str(event.patch.set["instance"]), event.at))
    older = sorted({event.key for event in events} - found.keys())
    return found | {task.id: (task.instance, task.created_at) for task in hopper.store.tasks(older)}


def _change(event: Event) -> int:
    """By how many an event changed the number of open tasks."""
    status = event.patch.set.get("status")
    if "instance" in event.patch.set:
        return int(str(status or TaskStatus.PENDING) not in CLOSED)
    before = event.patch.base.get("status")
    if status is None or before is None:
        return 0
    return int(str(status) not in CLOSED) - int(str(before) not in CLOSED)


def _where(is_known: Sequence[bool], numbers: Sequence[int]) -> tuple[int | None, ...]:
    return tuple(n if known else None for known, n in zip(is_known, numbers, strict=True))

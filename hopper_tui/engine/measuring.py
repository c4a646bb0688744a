"""Measuring: how the work of a hopper goes, told by its events, by worker and by phase."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine import phases
from hopper_tui.engine.undo import REDO, UNDO
from hopper_tui.model.clock import seconds, stamp
from hopper_tui.model.lifecycle import ACTIVE, HopperScope, TaskStatus
from hopper_tui.model.query import Query, Term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.model.event import Event
    from hopper_tui.model.instance import Instance
    from hopper_tui.store.protocol import Store

SAMPLE = 10_000
"""Events that one answer reads, the latest ones: its cost stays the same as a hopper grows old."""
_HOUR = 3600.0
_LEASE_RAN_OUT = re.compile(r"given up after \d+ attempts?: the lease of .* ran out", re.DOTALL)
"""The reason of a failure that an expired lease brought, the last of the attempts."""


Counts = Mapping[str, int | float]
"""What an event adds to a tally, by its fields: to a number, or one more time to a list."""


@dataclass(slots=True)
class Tally:
    """What was counted: how tasks ended, attempts (of which retries were not the first of their
    task), leases that ran out; seconds from added to claimed and from claimed to done; and when
    tasks were done."""

    done: int = 0
    failed: int = 0
    attempts: int = 0
    retries: int = 0
    expired: int = 0
    waits: list[float] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what the other counted as well."""
        self.done += other.done
        self.failed += other.failed
        self.attempts += other.attempts
        self.retries += other.retries
        self.expired += other.expired
        self.waits += other.waits
        self.spans += other.spans
        self.ends += other.ends

    def count(self, counts: Counts) -> None:
        """Count what one event means."""
        for name, amount in counts.items():
            if isinstance(amount, int):
                setattr(self, name, getattr(self, name) + amount)
            else:
                getattr(self, name).append(amount)

    def discount(self, counts: Counts) -> None:
        """Take back what was counted."""
        for name, amount in counts.items():
            if isinstance(amount, int):
                setattr(self, name, getattr(self, name) - amount)
            else:
                getattr(self, name).remove(amount)

    def json(self) -> dict[str, Any]:
        """The counts, and the median and the ninetieth percentile of both times."""
        return {
            "done": self.done,
            "failed": self.failed,
            "attempts": self.attempts,
            "retries": self.retries,
            "expired": self.expired,
            **self.times(),
        }

    def times(self) -> dict[str, float | None]:
        """The median and the ninetieth percentile, in seconds, of waiting and of running."""
        return {
            "median_wait_s": median(self.waits),
            "p90_wait_s": _p90(self.waits),
            "median_run_s": median(self.spans),
            "p90_run_s": _p90(self.spans),
        }


class _Hold(NamedTuple):
    """Since when a task could be had, and who has it since when."""

    ready_at: str | None
    claimed_at: str | None = None
    owner: str | None = None


class _Change(NamedTuple):
    """What an event changed: who had the task before and after, and what was counted for whom."""

    before: _Hold
    after: _Hold
    tally: Tally | None = None
    counts: Mapping[str, int | float] = {}


@dataclass(slots=True)
class _Track:
    """A task on its way: where it is, who has it, and what can be undone and redone."""

    instance: str
    hold: _Hold
    done: list[_Change] = field(default_factory=list)
    undone: list[_Change] = field(default_factory=list)


class Meter:
    """Counts the events of a store as they are fed, the older first, by instance and worker.

    The worker is whoever held the task, a person who ticked it off without, or "" where a task was
    done because its parts were.
    """

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}
        self._tallies: dict[tuple[str, str], Tally] = {}
        self.events = 0

    def feed(self, store: Store, events: Sequence[Event]) -> None:
        """Count more events of a store."""
        self.events += len(events)
        self._look_up(store, events)
        for event in events:
            track = self._tracks.get(event.key)
            if track is None:
                continue
            if event.kind == UNDONE:
                self._undo(track)
            elif event.kind == REDONE:
                self._redo(track)
            elif event.patch.set or event.patch.on or event.patch.off:
                track.done.append(self._step(event, track))

    def _look_up(self, store: Store, events: Iterable[Event]) -> None:
        """Begin with the tasks that these events are about and none before was."""
        begun: dict[str, Event] = {}
        for event in events:
            if event.entity == "task" and event.key not in self._tracks:
                begun.setdefault(event.key, event)
        older = [key for key, event in begun.items() if "instance" not in event.patch.set]
        for key, event in begun.items():
            if (where := event.patch.set.get("instance")) is not None:
                self._tracks[key] = _Track(str(where), _Hold(event.at))
        for task in store.tasks(older):
            self._tracks[task.id] = _Track(task.instance, _Hold(task.created_at))

    def of(self, instances: Iterable[str]) -> Tally:
        """What happened at some instances."""
        chosen, total = set(instances), Tally()
        for (instance, _), tally in self._tallies.items():
            if instance in chosen:
                total.add(tally)
        return total

    def workers(self, instances: Iterable[str]) -> dict[str, Tally]:
        """What each worker did at some instances, by name."""
        chosen = set(instances)
        found: dict[str, Tally] = {}
        for (instance, worker), tally in sorted(self._tallies.items()):
            if instance in chosen and worker and tally != Tally():  # all of it may be undone
                found.setdefault(worker, Tally()).add(tally)
        return found

    def claimed_at(self, task: str) -> str | None:
        """Since when somebody holds a task."""
        track = self._tracks.get(task)
        return track.hold.claimed_at if track else None

    # Steps of a task

    def _step(self, event: Event, track: _Track) -> _Change:
        """Go on with a task, and count what that means."""
        before, step = track.hold, _STEPS.get(event.kind)
        if step is None:
            return _Change(before, before)
        track.hold, counts = step(event, before)
        tally = self._tally(track, event, before) if counts else None
        if tally is not None:
            tally.count(counts)
        return _Change(before, track.hold, tally, counts)

    def _tally(self, track: _Track, event: Event, before: _Hold) -> Tally:
        """Whose doing an event is: of whoever takes the task, or had it."""
        worker = track.hold.owner or before.owner
        if worker is None:
            handed_on = event.patch.base.get("status") == TaskStatus.DELEGATED
            worker = "" if handed_on else event.actor
        return self._tallies.setdefault((track.instance, worker), Tally())

    def _undo(self, track: _Track) -> None:
        if track.done:
            change = track.done.pop()
            track.undone.append(change)
            track.hold = change.before
            if change.tally is not None:
                change.tally.discount(change.counts)

    def _redo(self, track: _Track) -> None:
        if track.undone:
            change = track.undone.pop()
            track.done.append(change)
            track.hold = change.after
            if change.tally is not None:
                change.tally.count(change.counts)


def _claimed(event: Event, hold: _Hold) -> tuple[_Hold, Counts]:
    counts: dict[str, int | float] = {"attempts": 1}
    if event.patch.set.get("attempts", 1) != 1:
        counts["retries"] = 1
    elif hold.ready_at is not None:
        counts["waits"] = _between(hold.ready_at, event.at)
    owner = str(event.patch.set.get("owner") or event.actor)
    return _Hold(hold.ready_at, event.at, owner), counts


def _done(event: Event, hold: _Hold) -> tuple[_Hold, Counts]:
    counts: dict[str, int | float] = {"done": 1, "ends": seconds(event.at)}
    if hold.claimed_at is not None:
        counts["spans"] = _between(hold.claimed_at, event.at)
    return _Hold(hold.ready_at), counts


def _failed(event: Event, hold: _Hold) -> tuple[_Hold, Counts]:
    counts = {"failed": 1}
    if _LEASE_RAN_OUT.fullmatch(str(event.patch.set.get("reason"))):
        counts["expired"] = 1
    return _Hold(hold.ready_at), counts


def _expired(event: Event, hold: _Hold) -> tuple[_Hold, Counts]:
    return _Hold(hold.ready_at), {"expired": 1}


def _freed(event: Event, hold: _Hold) -> tuple[_Hold, Counts]:
    return _Hold(hold.ready_at), {}


def _reopened(event: Event, hold: _Hold) -> tuple[_Hold, Counts]:
    return _Hold(event.at), {}


_STEPS = {
    "task.claimed": _claimed,
    "task.done": _done,
    "task.failed": _failed,
    "task.expired": _expired,
    "task.tried": _freed,
    "task.released": _freed,
    "task.blocked": _freed,
    "task.delegated": _freed,
    "task.reopened": _reopened,
}
"""What the kinds of events mean: who has the task then, and what counts; others mean nothing."""
UNDONE, REDONE = f"task.{UNDO}", f"task.{REDO}"
"""The kinds of what takes back the last change of a task, and of what takes that back."""


def _between(one: str, other: str) -> float:
    """Seconds from one moment to another; none where clocks disagree."""
    return max(0.0, seconds(other) - seconds(one))


def median(values: Sequence[float]) -> float | None:
    from statistics import median

    return round(median(values), 3) if values else None


def _p90(values: Sequence[float]) -> float | None:
    """The least value that nine tenths of all do not exceed."""
    return round(sorted(values)[-(-9 * len(values) // 10) - 1], 3) if values else None


def family(store: Store, instance: Instance) -> list[Instance]:
    """A run with its phases, and theirs; any other hopper alone."""
    found = [instance]
    if instance.scope is HopperScope.ORCHESTRATION:
        for member in found:  # grows meanwhile
            found += phases.of(store, member.id)
    return found


def read(store: Store, limit: int | None = None) -> tuple[Meter, bool]:
    """A meter that was fed the latest `limit` events of a store (None: all), and whether there
    are older ones."""
    events = store.events(newest=True, limit=None if limit is None else limit + 1)
    sampled = limit is not None and len(events) > limit
    meter = Meter()
    meter.feed(store, events[:limit][::-1])
    return meter, sampled


def stats(hopper: Hopper) -> dict[str, Any]:
    """How the work goes, of a run with its phases; see the interface of `hopper stats --json`.

    Numbers by worker and by phase, attempts and times are those of the latest `SAMPLE` events;
    `events` says how many were read, and `sampled` whether there are more.
    """
    store, instance, now = hopper.store, hopper.instance, hopper.world.now()
    members = family(store, instance)
    ids = [member.id for member in members]
    counts: dict[TaskStatus, int] = {}
    for key in ids:
        for status, number in store.counts(key).items():
            counts[status] = counts.get(status, 0) + number
    meter, sampled = read(store, SAMPLE)
    total = meter.of(ids)
    held = _held(store, ids)
    oldest = min((at for key in ids if (at := _oldest_pending(store, key))), default=None)
    return {
        "instance_id": hopper.id,
        **{str(status): counts.get(status, 0) for status in TaskStatus},
        "active": sum(counts.get(status, 0) for status in ACTIVE),
        "capacity": hopper.settings.capacity,
        "queued": counts.get(TaskStatus.PENDING, 0),
        "throughput_per_hour": sum(_done_since(store, key, now - _HOUR) for key in ids),
        **total.times(),
        "oldest_pending_s": None if oldest is None else round(now - seconds(oldest), 3),
        "attempts": total.attempts,
        "retries": total.retries,
        "expired": total.expired,
        "workers": [
            {
                "worker": worker,
                **tally.json(),
                "active": held.get(worker, 0),
                "throughput_per_hour": sum(end >= now - _HOUR for end in tally.ends),
            }
            for worker, tally in _everybody(meter.workers(ids), held).items()
        ],
        "phases": [
            {
                "instance_id": phase.id,
                "name": phase.name,
                **meter.of([phase.id]).json(),
                "throughput_per_hour": _done_since(store, phase.id, now - _HOUR),
            }
            for phase in members[1:]
        ],
        "events": meter.events,
        "sampled": sampled,
    }


def _everybody(tallies: dict[str, Tally], held: dict[str, int]) -> dict[str, Tally]:
    """Also those who hold something and were not seen to take it."""
    return {worker: tallies.get(worker, Tally()) for worker in sorted({*tallies, *held})}


def _held(store: Store, instances: Iterable[str]) -> dict[str, int]:
    """How many tasks each worker holds now."""
    found: dict[str, int] = {}
    for key in instances:
        for task in store.query(Query(key, (Term("status", tuple(ACTIVE)),))):
            found[task.owner or ""] = found.get(task.owner or "", 0) + 1
    return found


def _oldest_pending(store: Store, instance: str) -> str | None:
    pending = store.query(Query(instance, (Term("status", ("pending",)),), sort="created", limit=1))
    return pending[0].created_at if pending else None


def _done_since(store: Store, instance: str, since: float) -> int:
    terms = (Term("status", ("done",)), Term("completed", (stamp(since),), ">="))
    return store.count(Query(instance, terms, closed=True))

"""Trends: what happened in each of some spans of time, told by the events."""

from __future__ import annotations

import random

import pytest

from hopper_tui.engine import measuring
from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.trends import SPANS, trend
from hopper_tui.engine.world import World

NOW = 1_795_176_000.0
HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def queue():
    """A queue of workers in memory, and its clock."""
    clock = Clock()
    world = World(None, None, actor="me", clock=clock, entropy=random.Random(7).randbytes)
    world.hopper()
    world.create_instance("web", "project")
    world.create_instance("run", "orchestration", "web")
    world.move_instance("web", "start")
    world.move_instance("run", "start")
    yield world.hopper("run"), clock
    world.close()


def last(values, number: int) -> list:
    return list(values[-number:])


def test_an_empty_queue_went_nowhere(queue: tuple[Hopper, Clock]):
    went = trend(queue[0], SPANS * HOUR)
    assert went.length == HOUR
    assert set(went.added) == set(went.done) == set(went.open) == {0}
    assert set(went.waits) == {None}


def test_each_span_has_what_happened_in_it(queue: tuple[Hopper, Clock]):
    hopper, clock = queue
    for title in ("a", "b", "c"):
        hopper.add_task(title=title)
    clock.now += HOUR
    first = hopper.claim_next("ann")
    clock.now += HOUR
    hopper.complete(first.id, executor="ann")
    second = hopper.claim_next("ann")
    clock.now += HOUR / 2
    hopper.cancel(second.id, "not wanted")
    went = trend(hopper, SPANS * HOUR)
    assert last(went.added, 4) == [0, 3, 0, 0]
    assert last(went.done, 4) == [0, 0, 0, 1]
    assert last(went.open, 4) == [0, 3, 3, 1]
    assert last(went.waits, 4) == [None, None, HOUR, 2 * HOUR]


def test_what_is_reopened_is_open_again(queue: tuple[Hopper, Clock]):
    hopper, clock = queue
    task = hopper.add_task(title="a")
    clock.now += HOUR
    hopper.complete(task)
    clock.now += HOUR
    hopper.reopen(task)
    clock.now += HOUR / 2
    assert last(trend(hopper, SPANS * HOUR).open, 4) == [0, 1, 0, 1]


def test_what_is_undone_was_not_done_and_what_is_redone_is_done_then(queue: tuple[Hopper, Clock]):
    hopper, clock = queue
    task = hopper.add_task(title="a")
    seen = []
    for change in (
        lambda: hopper.complete(task),
        lambda: hopper.world.undo(hopper.id),
        lambda: hopper.world.redo(hopper.id),
        lambda: hopper.reopen(task),
        lambda: hopper.world.undo(hopper.id),
        lambda: hopper.world.undo(hopper.id),
    ):
        clock.now += HOUR
        change()
        seen.append(sum(trend(hopper, SPANS * HOUR).done))
    assert seen == [1, 0, 1, 1, 1, 0]


def test_what_was_there_before_counts_as_open(queue: tuple[Hopper, Clock]):
    hopper, clock = queue
    hopper.add_task(title="old")
    clock.now += 100 * HOUR
    went = trend(hopper, SPANS * HOUR)
    assert set(went.open) == {1}
    assert set(went.added) == {0}


def test_other_hoppers_count_nothing(queue: tuple[Hopper, Clock]):
    hopper, clock = queue
    hopper.world.hopper("web").add_task(title="elsewhere", executor_preference="human")
    clock.now += 60
    assert set(trend(hopper, SPANS * HOUR).added) == {0}


def test_before_the_events_that_are_read_nothing_is_known(
    queue: tuple[Hopper, Clock], monkeypatch: pytest.MonkeyPatch
):
    hopper, clock = queue
    for number in range(10):
        clock.now += HOUR
        hopper.add_task(title=f"task {number}")
    clock.now += HOUR / 2
    monkeypatch.setattr(measuring, "SAMPLE", 4)
    went = trend(hopper, SPANS * HOUR)
    assert went.open[0] is None
    assert went.added[0] is None
    assert went.open[-1] == 10
    assert sum(n for n in went.added if n is not None) <= 4

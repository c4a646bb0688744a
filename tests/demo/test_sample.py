"""The sample world: the same every time, and with something of everything to look at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hopper_tui.demo import build
from hopper_tui.engine.world import World
from hopper_tui.model.clock import stamp
from hopper_tui.model.event import KINDS
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    DelegationType,
    HopperScope,
    TaskStatus,
)
from hopper_tui.model.task import Task

NOW = 1_795_176_000.0
"""2026-11-20T12:00:00Z."""
PATIENCE = 10.0
"""Seconds for building it on a busy machine; alone it takes less than one."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The sample world, read only in these tests."""
    began = time.perf_counter()
    world = build(tmp_path_factory.mktemp("demo"), clock=lambda: NOW)
    assert time.perf_counter() - began < PATIENCE
    yield world
    world.close()


def test_every_kind_of_event_is_one_that_watch_knows(world: World) -> None:
    kinds = {event.kind for store in world.stores() for event in store.events()}
    assert kinds <= {*KINDS}


def _tasks(world: World) -> list[Task]:
    return [
        task for node in world.nodes() for task in world.hopper(node.instance.id).list(closed=True)
    ]


def _titled(world: World, title: str, instance: str) -> Task:
    hopper = world.hopper(instance)
    return next(task for task in hopper.list(closed=True) if title in task.title)


def test_the_hierarchies_of_both_documents(world: World) -> None:
    below = {
        node.instance.name: {child.instance.name for child in node.children}
        for node in world.nodes()
    }
    assert below["global"] == {
        *("webapp", "api-backend"),
        *("czarina", "sark", "symposium", "waypoint"),
    }
    assert below["webapp"] == {"webapp-worker-1"}
    assert below["api-backend"] == {"api-worker-1", "api-worker-2"}
    assert below["czarina"] == {"czarina-run-abc123"}
    assert below["czarina-run-abc123"] == {"phase-1", "phase-2", "phase-3"}
    assert world.hopper("hopper-czarina").name == "czarina"
    assert world.hopper().scope is HopperScope.GLOBAL


def test_tasks_in_every_state(world: World) -> None:
    tasks = _tasks(world)
    assert {task.status for task in tasks} == set(TaskStatus)
    assert len([task for task in tasks if task.parent_task is None]) >= 60
    assert {hop.status for hop in world.delegations()} == set(DelegationStatus) - {
        DelegationStatus.CANCELLED
    }
    assert {hop.type for hop in world.delegations()} == set(DelegationType)


def test_details_to_look_at(world: World) -> None:
    tasks = _tasks(world)
    assert any(task.feedback and task.feedback["quality"] for task in tasks)
    assert any(task.open_deps for task in tasks)
    assert any(task.due and task.due < stamp(NOW) and task.is_open for task in tasks)
    assert any(task.external for task in tasks)
    assert any(not task.title.isascii() for task in tasks)
    assert {"alice", "claude/wt-3", "ci"} <= {task.owner for task in tasks}
    assert all(task.reason for task in tasks if task.status is TaskStatus.BLOCKED)


def test_what_waits_says_why(world: World) -> None:
    waiting = {task.title: task.reason for task in world.hopper("global").list("is:waiting")}
    assert "lacks capability gpu" in (waiting.pop("Fine-tune the ranking model") or "")
    assert list(waiting.values()) == ["it is for symposium, but symposium is paused"]


def test_a_rejected_hop_fell_back_to_the_next(world: World) -> None:
    chain = world.chain(_titled(world, "billing provider", "global").id)
    assert [(world.name(hop.target), hop.status) for hop in chain] == [
        ("api-backend", DelegationStatus.ACCEPTED),
        ("api-worker-2", DelegationStatus.REJECTED),
        ("api-worker-1", DelegationStatus.ACCEPTED),
    ]
    assert chain[1].reason == "no access to the provider's sandbox"


def test_one_hop_waits_for_an_answer(world: World) -> None:
    (hop,) = world.delegations(status="pending")
    assert world.name(hop.target) == "api-worker-2"


def test_two_of_three_parts_are_done(world: World) -> None:
    whole = _titled(world, "Build user dashboard", "webapp")
    assert whole.status is TaskStatus.DELEGATED
    hop = next(hop for hop in world.chain(whole.id) if hop.type is DelegationType.DECOMPOSE)
    parts = [world.find_task(key)[1].status for key in hop.child_tasks]
    assert parts == [TaskStatus.DONE, TaskStatus.DONE, TaskStatus.CLAIMED]


def test_its_history_ends_now_and_never_runs_backwards(world: World) -> None:
    assert world.now() == NOW
    for node in world.nodes():
        times = [event.at for event in world.store(node.instance.id).events()]
        assert times == sorted(times)
        assert times[-1] < stamp(NOW)


def test_it_is_the_same_every_time(world: World, tmp_path: Path) -> None:
    again = build(tmp_path, clock=lambda: NOW)
    try:
        assert _tasks(again) == _tasks(world)
    finally:
        again.close()


def test_it_needs_no_attention(world: World) -> None:
    assert world.reconcile() == 0
    assert {finding.level for finding in world.doctor()} == {"ok"}

"""Workers of a run that die, stand still or come late, and a clock that jumps: every task is done
once, by whoever holds it then."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .run_harness import WORKER, Plan, Team, check_answers, make, replay, torment
from .run_worker import SHIFT, Clock

LEASE = 0.6
"""Seconds; short, so that many run out in a test."""


@contextmanager
def obeying(root: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that does what it is told."""
    process = subprocess.Popen(
        [sys.executable, str(WORKER), str(root / "home"), name, "obey"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def order(process: subprocess.Popen[str], *orders: str) -> list[str]:
    """What a worker answers to orders."""
    assert process.stdin is not None
    assert process.stdout is not None
    answers = []
    for one in orders:
        process.stdin.write(f"{one}\n")
        process.stdin.flush()
        answers.append(process.stdout.readline().strip())
    return answers


@pytest.fixture
def one_task(tmp_path: Path) -> Path:
    """A directory with a run of one task, held for 15 minutes by who takes it."""
    world = make(tmp_path, Plan(0, 0, 2, 10, "15m", 0), random.Random(1))
    world.hopper("run").add_task(title="x")
    world.close()
    return tmp_path


def test_a_killed_worker_s_task_goes_to_another_when_its_lease_is_over(one_task: Path) -> None:
    clock = Clock(one_task / SHIFT)
    with obeying(one_task, "bot-1") as first, obeying(one_task, "bot-2") as second:
        (claimed,) = order(first, "claim")
        assert claimed.endswith(" 1")
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert order(second, "claim") == ["nothing"]
        clock.shift = 899
        assert order(second, "claim") == ["nothing"]
        clock.shift = 902
        assert order(second, "claim", "complete") == [claimed.replace(" 1", " 2"), "done"]


def test_a_worker_that_stood_still_for_too_long_is_refused(one_task: Path) -> None:
    clock = Clock(one_task / SHIFT)
    with obeying(one_task, "bot-1") as first, obeying(one_task, "bot-2") as second:
        (claimed,) = order(first, "claim")
        key = claimed.split()[0]
        os.kill(first.pid, signal.SIGSTOP)
        clock.shift = 902
        order(second, "claim")
        os.kill(first.pid, signal.SIGCONT)
        lost = f"lease_lost: bot-1 does not hold web-{key[:5]}: bot-2 does"
        assert order(first, "heartbeat", "complete", "release") == [lost] * 3
        assert order(second, "complete") == ["done"]
        assert (
            order(first, "complete", "heartbeat")
            == [f"lease_lost: bot-1 does not hold web-{key[:5]}: it is done, by bot-2"] * 2
        )


def test_a_heartbeat_keeps_a_task_although_the_clock_goes_wrong(one_task: Path) -> None:
    clock = Clock(one_task / SHIFT)
    with obeying(one_task, "bot-1") as first, obeying(one_task, "bot-2") as second:
        order(first, "claim")
        for shift in (800, 1600, -5000, -4200, 4000, 4800):
            clock.shift = shift
            assert order(first, "heartbeat") == ["claimed"]
            assert order(second, "claim") == ["nothing"]
        assert order(first, "complete") == ["done"]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_task_is_done_once_whatever_happens(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    plan = Plan(tasks=400, phases=2, workers=4, capacity=3, lease=f"{LEASE}s", pace=0.01)
    world = make(tmp_path, plan, rng)
    world.close()
    team = Team(tmp_path, plan.workers, plan.pace)
    try:
        team.begin()
        torment(team, Clock(tmp_path / SHIFT), rng, LEASE, patience=50)
    finally:
        team.end()
    run = world.hopper("run")
    verdict = replay(run, plan.capacity)
    told = check_answers(team, verdict)
    assert (verdict.tasks, verdict.most_held) == (400, 3)
    assert verdict.expired > 0, "no lease ran out: the test was too kind"
    assert told["done"] <= 400 <= told["done"] + team.evils["killed"]
    assert run.store.check() == []
    world.close()

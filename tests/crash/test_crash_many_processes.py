"""Many processes on the same stores: nothing is lost, nothing is handed out twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import launch
import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.lifecycle import HopperScope, TaskStatus
from hopper_tui.model.query import Query
from hopper_tui.model.task import Task

WORKER = Path(__file__).with_name("queue_worker.py")
AT_ONCE = 8


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A home with the guide's hierarchy, its worker without a limit."""
    made = World(tmp_path / "home", tmp_path, actor="ann")
    made.make_global()
    web = made.create_instance("webapp", HopperScope.PROJECT)
    made.move_instance(web.id, "start")
    config = {"max_concurrent_tasks": 1000}
    worker = made.create_instance("worker-1", HopperScope.ORCHESTRATION, web.id, config)
    made.move_instance(worker.id, "start")
    yield made
    made.close()


def _worker(world: World, name: str, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), str(world.home), name, mode],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _add(home: Path, number: int) -> str:
    env = launch.environment(home.parent, home)
    done = launch.hopper(["-q", "add", f"task {number}"], home.parent, env, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


def test_a_hundred_adds_at_once_keep_a_hundred_tasks(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        keys = list(pool.map(lambda n: _add(home, n), range(100)))
    world = World(home, tmp_path)
    tasks = [t for store in world.stores() for t in store.query(Query(closed=True))]
    assert {t.id for t in tasks} == set(keys)
    assert {t.title for t in tasks} == {f"task {n}" for n in range(100)}
    assert len(world.nodes(scope="global")) == 1
    world.close()


def test_nothing_is_handed_out_twice(world: World) -> None:
    hopper = world.hopper("worker-1")
    keys = hopper.add_tasks([Task(title=f"task {n}") for n in range(240)])
    workers = [_worker(world, f"bot-{n}", "drain") for n in range(AT_ONCE)]
    claimed = [key for worker in workers for key in worker.communicate(timeout=60)[0].split()]
    assert [worker.returncode for worker in workers] == [0] * AT_ONCE
    assert sorted(claimed) == sorted(keys)
    assert hopper.counts() == {TaskStatus.DONE: 240}
    for key in keys[::40]:
        kinds = [e.kind for e in hopper.store.events(key=key)]
        assert kinds == ["task.created", "task.claimed", "task.done"]


def test_what_killed_writers_were_told_is_there(world: World) -> None:
    hopper = world.hopper("worker-1")
    acknowledged: set[str] = set()
    for round_ in range(3):
        writers = [_worker(world, f"bot-{round_}-{n}", "fill") for n in range(3)]
        for writer in writers:
            assert writer.stdout is not None
            acknowledged.add(writer.stdout.readline().strip())
        time.sleep(0.05 * round_)  # the moment of the kill shall differ
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
        for writer in writers:
            assert writer.stdout is not None
            acknowledged |= set(writer.stdout.read().split())
            writer.stdout.close()
            writer.wait()
    kept = {t.id for t in hopper.list()}
    assert acknowledged <= kept
    assert len(kept) <= len(acknowledged) + 9, "at most the one each was about to tell"
    assert hopper.counts() == {TaskStatus.PENDING: len(kept)}
    assert hopper.store.check() == []

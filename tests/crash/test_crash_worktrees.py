"""Twelve processes in three worktrees of one clone, killed at random: no task is handed out
twice, none that was acknowledged is missing, and what the dead held comes back."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.query import Query
from tests.journal.clones import Clone

WORKER = Path(__file__).with_name("worktree_worker.py")
TASKS = 240
PROCESSES = 12
KILLS = 24
LEASE = 1.5
"""Seconds; the test waits for it once, at the end."""


def _start(place: Clone, name: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, str(WORKER), str(place.home / ".hopper"), str(place.root), name,
             str(LEASE)],
            stdout=out, stderr=subprocess.PIPE,
        )  # fmt: skip


def _said(logs: list[Path], word: str) -> list[str]:
    """What the workers told, a torn last line left out."""
    lines = [line for log in logs for line in log.read_text().splitlines(keepends=True)]
    return [line.split()[1] for line in lines if line.startswith(word) and line.endswith("\n")]


def _due(kills: int) -> int:
    """After how many finished tasks the next kill comes."""
    return kills * TASKS // (2 * KILLS)


@pytest.fixture
def places(tmp_path: Path) -> list[Clone]:
    """Three worktrees of a clone with all the tasks."""
    first = Clone.first(tmp_path / "ann")
    batch = "\n".join(f"Fix typo {n}" for n in range(TASKS))
    first.hopper("add", "--batch", stdin=batch)
    first.hopper("instance", "config", "hopper-web", f"max_concurrent_tasks={TASKS}")
    first.commit("the work")
    return [first, *(first.worktree(tmp_path / f"tree{n}", f"side{n}") for n in (1, 2))]


def test_each_task_is_done_once_whatever_is_killed(places: list[Clone], tmp_path: Path) -> None:
    chance = random.Random(7)
    names = iter(range(10_000))
    logs: list[Path] = []
    running: dict[int, subprocess.Popen[bytes]] = {}

    def begin(slot: int) -> None:
        log = tmp_path / f"log{next(names)}"
        logs.append(log)
        running[slot] = _start(places[slot % len(places)], log.name, log)

    for slot in range(PROCESSES):
        begin(slot)
    killed: set[str] = set()
    give_up = time.monotonic() + 100
    while running and time.monotonic() < give_up:
        slot = chance.choice(sorted(running))
        worker = running[slot]
        if worker.poll() is not None:
            assert worker.returncode == 0, worker.stderr and worker.stderr.read().decode()
            del running[slot]
        elif len(killed) < KILLS and len(_said(logs, "done")) > _due(len(killed)):
            worker.kill()
            worker.wait()
            killed.add(str(worker.args[4]))
            begin(slot)
        else:
            time.sleep(0.01)
    assert not running
    assert len(killed) == KILLS
    # what the dead held comes back after its lease
    time.sleep(LEASE)
    begin(0)
    assert running[0].wait(60) == 0

    done = _said(logs, "done")
    assert max(Counter(done).values()) == 1
    living = [log for log in logs if log.name not in killed]
    kept = Counter(_said(living, "claimed")) - Counter(_said(living, "lost"))
    assert max(kept.values()) == 1
    for number, place in enumerate(places):
        place.commit(f"work {number}")
    for side in ("side1", "side2"):
        places[0].git("merge", "-q", "--no-edit", side)
    world = World(places[0].home / ".hopper", places[0].root)
    store = world.hopper().store
    tasks = store.query(Query(closed=True))
    assert len(tasks) == TASKS
    assert {str(t.status) for t in tasks} == {"done"}
    assert set(done) <= {t.id for t in tasks}
    finished = Counter(e.key for e in store.events(kind="task.done"))
    assert max(finished.values()) == 1
    assert not [c for c in store.conflicts() if c.wants_attention]
    world.close()

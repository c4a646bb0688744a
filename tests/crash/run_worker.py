"""A worker of a run, in a process of its own: `run_worker.py HOME NAME MODE`.

`drain` works as badly as workers do until nothing is left: it takes its time, forgets heartbeats,
gives up, lets go. `obey` does what each line of stdin says. Every line printed is something that
the store has answered: a verb, the task and the attempt.
"""

from __future__ import annotations

import mmap
import os
import random
import struct
import sys
import time
from pathlib import Path

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.errors import AtCapacity, HopperError, LeaseLost, StorageError
from hopper_tui.model.task import Task

ROLES = ("coder", "tester", "builder", "coder")
SHIFT = "clock"
"""The file, beside the home, that says by how many seconds the clock of this machine is wrong."""


class Clock:
    """The time of a machine whose clock somebody sets while everybody works."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(struct.pack("d", 0.0))
        with open(file, "r+b") as opened:
            self._shift = mmap.mmap(opened.fileno(), 8)

    def __call__(self) -> float:
        return time.time() + self.shift

    @property
    def shift(self) -> float:
        """Seconds by which it is wrong."""
        return float(struct.unpack_from("d", self._shift)[0])

    @shift.setter
    def shift(self, seconds: float) -> None:
        struct.pack_into("d", self._shift, 0, seconds)


def traits(name: str) -> tuple[str, tuple[str, ...]]:
    """The role of the worker `bot-N`, and what it can do."""
    number = int(name.rpartition("-")[2])
    return ROLES[number % len(ROLES)], ("gpu",) if number % 4 == 0 else ()


def tell(verb: str, key: str, attempt: int) -> None:
    """Print what the store answered, at once and as a whole."""
    os.write(1, f"{verb} {key} {attempt}\n".encode())


def claimed(run: Hopper, name: str) -> Task | None:
    """The next task for this worker; None when there is none, or no room."""
    role, able = traits(name)
    try:
        task = run.claim_next(executor=name, role=role, capabilities=able)
    except (AtCapacity, StorageError):  # somebody who is stopped may keep the gate
        return None
    if task is not None:
        tell("claimed", task.id, task.attempts)
    return task


def work(run: Hopper, name: str, task: Task, pace: float) -> None:
    """Do a task, or not; seconds of `pace` are how long it takes on average."""
    key, attempt = task.id, task.attempts
    dice = random.random()
    time.sleep(random.expovariate(1 / pace) if pace else 0)
    if dice < 0.2:
        run.heartbeat(key, executor=name)
        time.sleep(random.expovariate(1 / pace) if pace else 0)
    if dice > 0.97:
        run.fail(key, "no luck", executor=name, retry=True, attempt=attempt)
        tell("tried", key, attempt)
    elif dice > 0.95:
        run.release(key, executor=name, attempt=attempt)
        tell("released", key, attempt)
    else:
        run.complete(key, executor=name, attempt=attempt)
        tell("done", key, attempt)


def drain(run: Hopper, name: str, pace: float) -> None:
    """Work until no task is left in the run and its phases."""
    while True:
        task = claimed(run, name)
        if task is None:
            if not any(h.is_empty() is False for h in (run, *run.children)):
                return
            time.sleep(random.uniform(0.002, 0.02))
            continue
        while True:
            try:
                work(run, name, task, pace)
            except LeaseLost:
                tell("refused", task.id, task.attempts)
            except StorageError:  # not known whether it got through: it says so when asked again
                continue
            break


def obey(run: Hopper, name: str) -> None:
    """Do what each line of stdin says, with the task that was claimed last."""
    task: Task | None = None
    verbs = {"heartbeat": run.heartbeat, "complete": run.complete, "release": run.release}
    print("ready", flush=True)
    for line in sys.stdin:
        order = line.strip()
        try:
            if order == "claim":
                task = run.claim_next(executor=name)
                answer = "nothing" if task is None else f"{task.id} {task.attempts}"
            else:
                assert task is not None
                answer = str(verbs[order](task.id, executor=name).status)
        except HopperError as error:
            answer = f"{error.code}: {error.message}"
        print(answer, flush=True)


def main(home: Path, name: str, mode: str) -> None:
    """Run until there is nothing left, or until killed."""
    random.seed(os.urandom(8))
    world = World(home, home.parent, actor=name, clock=Clock(home.parent / SHIFT))
    run = world.hopper("run")
    if mode == "obey":
        obey(run, name)
    else:
        drain(run, name, float(mode))
    world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])

"""How fast a run hands out work: `python tests/bench/work_queue.py [PART...] [--check]`.

    one      5,000 tasks by one worker: claim plus complete in multiples of what cannot be avoided;
             the part to run while optimising (`work_queue.py one --no-peers`, seconds)
    many     the same by 4 and 8 workers
    backlog  claiming at 1,000, 100,000 and 1,000,000 open tasks
    writers  the slowest steps of 8 workers at once, and how the work is spread over them

What cannot be avoided is a bare queue in sqlite3: a table, an index of what is open and one of what
is leased, an event per step, two transactions a job. It is measured in the same run, in turn with
Hopper and, where pip can install them, with huey and litequeue; every queue is worked on by
processes of its own. `hopper` works as its workers do, who finish a task and take the next at once;
`hopper-apart` claims and completes by two commands.
Figures are medians over rounds; with --check a missed limit makes the exit code 1.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

SHARE = 0.4
"""Of the bare queue's jobs a second, at least."""
GROWTH = 1.3
"""Claiming from a million open tasks, in multiples of claiming from a thousand, at most."""
SLOWEST = 60.0
"""Milliseconds: the 99.9th percentile of a step with 8 workers, at most."""
PEERS = {"huey": "huey", "huey-normal": "huey", "litequeue": "litequeue"}
"""Other queues, and the package that each comes in."""
LIMITS: dict[str, float | None] = {
    "bare": SHARE, "huey": 1.0, "litequeue": 1.0, "huey-normal": None,
}  # fmt: skip
"""Of each queue's jobs a second Hopper shall do this share at least. huey syncs each commit as it
comes; synced like the others it is shown, and held to nothing: it keeps neither owner nor lease nor
events, and forgets what it hands out."""
JOBS = 5_000
"""In a run, until it is empty. A queue that looks through all its tasks for the first, as litequeue
does, is quick while it has few hundred: --jobs 500 shows it."""
WARM = 500
PRIORITIES = ("medium", "medium", "high", "low", "medium", "urgent")
BODY = "some body text " * 4
LEASE = 300.0
"""Seconds."""


# The queues, each as one worker sees it


class Queue(Protocol):
    """A queue opened by one worker."""

    def fill(self, tasks: int) -> None:
        """Add that many tasks."""

    def claim(self) -> Any:
        """Take the next task; None when there is none."""

    def complete(self, job: Any) -> None:
        """Finish a claimed task."""

    def go_on(self, job: Any) -> Any:
        """Finish a claimed task and take the next one, as workers do; None when there is none."""


class Apart:
    """What claims and completes by two calls."""

    def go_on(self: Queue, job: Any) -> Any:
        self.complete(job)
        return self.claim()


class HopperApart(Apart):
    """A run in a file, as `hopper` keeps it: events, validation, leases, capacity."""

    def __init__(self, place: Path, who: str) -> None:
        from hopper_tui.engine.world import World
        from hopper_tui.model.lifecycle import HopperScope

        world = World(place / "home", place, actor=who)
        if not (place / "home").exists():
            world.make_global()
            web = world.create_instance("web", HopperScope.PROJECT)
            world.move_instance(web.id, "start")
            run = world.create_instance(
                "run", HopperScope.ORCHESTRATION, web.id, {"max_concurrent_tasks": 1000}
            )
            world.move_instance(run.id, "start")
        self.who = who
        self.run = world.hopper("run")

    def fill(self, tasks: int) -> None:
        """A few are added as anybody adds them; very many as rows, without events or text."""
        from hopper_tui.model.lifecycle import Priority
        from hopper_tui.model.task import Task

        few = tasks <= 10_000
        fresh = (
            Task(
                title=f"task number {n}" if few else "task",
                description=BODY if few else "",
                priority=Priority(PRIORITIES[n % len(PRIORITIES)]),
            )
            for n in range(tasks)
        )
        if few:
            self.run.add_tasks(fresh)
            return
        from hopper_tui.store.sqlite import SqliteStore
        from hopper_tui.store.tables import TASKS

        store, new_id, at = self.run.store, self.run.world.new_id, "2026-01-01T00:00:00.000Z"
        assert isinstance(store, SqliteStore)
        with store._writing() as db:
            db.executemany(
                TASKS.insert,
                (
                    TASKS.row(t._replace(id=new_id(), instance=self.run.id, created_at=at))
                    for t in fresh
                ),
            )

    def claim(self) -> Any:
        return self.run.claim_next(executor=self.who)

    def complete(self, job: Any) -> None:
        self.run.complete(job.id, executor=self.who)


class Hopper(HopperApart):
    """The same, as a worker uses it."""

    def go_on(self, job: Any) -> Any:
        return self.run.complete_and_claim(job, executor=self.who)[1]


class Bare(Apart):
    """The least that a queue of this kind does."""

    def __init__(self, place: Path, who: str) -> None:
        self.who = who
        self.db = sqlite3.connect(place / "bare.db", timeout=30, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(
            "CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,"
            " title TEXT NOT NULL, body TEXT NOT NULL, priority INTEGER NOT NULL,"
            " status TEXT NOT NULL DEFAULT 'open', owner TEXT, lease_until REAL,"
            " attempts INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, updated REAL) STRICT;"
            "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, job INTEGER NOT NULL,"
            " at REAL NOT NULL, kind TEXT NOT NULL, who TEXT) STRICT;"
            "CREATE INDEX IF NOT EXISTS job_open ON job (priority, id) WHERE status = 'open';"
            "CREATE INDEX IF NOT EXISTS job_leased ON job (lease_until) WHERE status = 'claimed';"
            "CREATE INDEX IF NOT EXISTS event_job ON event (job);"
        )

    def fill(self, tasks: int) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        now = time.time()
        self.db.executemany(
            "INSERT INTO job (uid, title, body, priority, created) VALUES (?, ?, ?, ?, ?)",
            (
                (
                    f"{random.getrandbits(64):016x}",
                    f"task number {n}",
                    BODY,
                    (2, 2, 1, 3)[n % 4],
                    now,
                )
                for n in range(tasks)
            ),
        )
        self.db.execute("COMMIT")

    def claim(self) -> Any:
        now = time.time()
        self.db.execute("BEGIN IMMEDIATE")
        job = self.db.execute(
            "UPDATE job SET status = 'claimed', owner = ?, lease_until = ?,"
            " attempts = attempts + 1, updated = ? WHERE id = (SELECT id FROM job"
            " WHERE status = 'open' ORDER BY priority, id LIMIT 1) RETURNING id, title",
            (self.who, now + LEASE, now),
        ).fetchone()
        if job is not None:
            self._record(job[0], now, "claimed")
        self.db.execute("COMMIT")
        return job

    def complete(self, job: Any) -> None:
        now = time.time()
        self.db.execute("BEGIN IMMEDIATE")
        done = self.db.execute(
            "UPDATE job SET status = 'done', lease_until = NULL, updated = ?"
            " WHERE id = ? AND status = 'claimed' AND owner = ?",
            (now, job[0], self.who),
        )
        assert done.rowcount == 1
        self._record(job[0], now, "done")
        self.db.execute("COMMIT")

    def _record(self, job: int, at: float, kind: str) -> None:
        self.db.execute(
            "INSERT INTO event (job, at, kind, who) VALUES (?, ?, ?, ?)", (job, at, kind, self.who)
        )


class Huey(Apart):
    """huey's SQLite storage: what is taken is gone, and its result is put aside."""

    synchronous = "FULL"

    def __init__(self, place: Path, who: str) -> None:
        from huey import SqliteHuey  # type: ignore[import-not-found]

        self.storage = SqliteHuey(who, filename=str(place / "huey.db")).storage
        self.storage.name = "jobs"
        self.storage.conn.execute(f"PRAGMA synchronous = {self.synchronous}")
        self.numbers = count()
        self.who = who

    def fill(self, tasks: int) -> None:
        for n in range(tasks):
            self.storage.enqueue(f"task number {n} {BODY}".encode(), n % 4)

    def claim(self) -> Any:
        return self.storage.dequeue()

    def complete(self, job: Any) -> None:
        self.storage.put_data(f"{self.who}-{next(self.numbers)}", b"done", is_result=True)


class HueyNormal(Huey):
    """The same, synced like the others."""

    synchronous = "NORMAL"


class LiteQueue(Apart):
    """litequeue: no lease, no owner."""

    def __init__(self, place: Path, _who: str) -> None:
        from litequeue import LiteQueue as Library  # type: ignore[import-not-found]

        self.queue = Library(place / "lite.db")
        self.queue.conn.execute("PRAGMA busy_timeout = 30000")

    def fill(self, tasks: int) -> None:
        for n in range(tasks):
            self.queue.put(f"task number {n} {BODY}")

    def claim(self) -> Any:
        return self.queue.pop()

    def complete(self, job: Any) -> None:
        self.queue.done(job.message_id)


QUEUES: dict[str, Callable[[Path, str], Queue]] = {
    "hopper": Hopper,
    "hopper-apart": HopperApart,
    "bare": Bare,
    "huey": Huey,
    "huey-normal": HueyNormal,
    "litequeue": LiteQueue,
}


# Workers: processes that do as they are told, a line each


class Drained(NamedTuple):
    """What one worker did: when it was through, how long it computed for, in seconds, and how
    long each step took, in microseconds: to claim, or to finish a task and take the next."""

    end: float
    cpu: float
    steps: list[float]


def worker(kind: str, place: Path, who: str) -> None:
    """Obey `fill N`, `work N AT`: up to N jobs, from that moment of the monotonic clock on, and
    `claim N`, which only claims."""
    queue = QUEUES[kind](place, who)
    clock = time.perf_counter
    print("ready", flush=True)
    for line in sys.stdin:
        order, *numbers = line.split()
        if order == "fill":
            queue.fill(int(numbers[0]))
            print("{}", flush=True)
            continue
        jobs = int(numbers[0])
        steps: list[float] = []
        time.sleep(max(0.0, float(numbers[1]) - time.monotonic()))
        computed = time.process_time()
        if order == "claim":
            for _ in range(jobs):
                began = clock()
                job = queue.claim()
                steps.append((clock() - began) * 1e6)
                queue.complete(job)
        else:
            job = queue.claim()
            while job is not None:
                began = clock()
                if is_last := len(steps) + 1 == jobs:
                    queue.complete(job)
                else:
                    job = queue.go_on(job)
                steps.append((clock() - began) * 1e6)
                if is_last:
                    break
        computed = time.process_time() - computed
        print(json.dumps([time.monotonic(), computed, steps]), flush=True)


class Crew:
    """Some workers on one queue."""

    def __init__(self, kind: str, python: str, place: Path, size: int) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.kind = kind
        self.workers: list[subprocess.Popen[str]] = []
        for n in range(size):  # one after the other: the first makes the file
            command = [python, __file__, "--worker", kind, str(place), f"w{n}"]
            made = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self.workers.append(made)
            assert self._answer(made) == "ready\n", f"{kind} cannot be used"

    @staticmethod
    def _answer(worker: subprocess.Popen[str]) -> str:
        assert worker.stdout is not None
        return worker.stdout.readline()

    @staticmethod
    def _tell(worker: subprocess.Popen[str], order: str) -> None:
        assert worker.stdin is not None
        worker.stdin.write(order + "\n")
        worker.stdin.flush()

    def fill(self, tasks: int) -> None:
        """Add tasks to the queue."""
        self._tell(self.workers[0], f"fill {tasks}")
        self._answer(self.workers[0])

    def work(self, jobs: int, order: str = "work") -> tuple[float, list[Drained]]:
        """Let each do up to that many jobs; when they began, and what each did."""
        begin = time.monotonic() + 0.05
        for one in self.workers:
            self._tell(one, f"{order} {jobs} {begin}")
        return begin, [Drained(*json.loads(self._answer(one))) for one in self.workers]

    def dismiss(self) -> None:
        """Let them end."""
        for one in self.workers:
            assert one.stdin is not None
            one.stdin.close()
            one.wait()


@contextmanager
def crews(
    pythons: dict[str, str], size: int, names: Sequence[str] = ()
) -> Iterator[dict[str, Crew]]:
    """A crew for every queue, each in a directory of its own."""
    made: dict[str, Crew] = {}
    with tempfile.TemporaryDirectory() as root:
        try:
            for name in names or pythons:
                kind = name.partition(" ")[0]
                made[name] = Crew(kind, pythons[kind], Path(root) / name, size)
            yield made
        finally:
            for crew in made.values():
                crew.dismiss()


@contextmanager
def interpreters(wanted: bool) -> Iterator[dict[str, str]]:
    """The Python by which each queue is used; peers get a virtual environment for a while."""
    found = dict.fromkeys(("hopper", "hopper-apart", "bare"), sys.executable)
    with tempfile.TemporaryDirectory() as place:
        if wanted:
            venv.create(place, with_pip=True)
            python = str(Path(place) / "bin" / "python")
            for package in dict.fromkeys(PEERS.values()):
                install = [python, "-m", "pip", "install", "-q", package]
                if subprocess.run(install, capture_output=True).returncode:
                    print(f"pip cannot install {package}: it is not compared")
                else:
                    found |= {peer: python for peer, of in PEERS.items() if of == package}
        yield found


# What is measured


def in_turn(names: Sequence[str], rounds: int) -> Iterator[str]:
    """Every name once a round, in changing order."""
    for _ in range(rounds):
        yield from random.sample(list(names), len(names))


def one(pythons: dict[str, str], rounds: int, jobs: int) -> list[str]:
    """Claim plus complete by one worker."""
    rates: dict[str, list[float]] = {name: [] for name in pythons}
    costs: dict[str, list[float]] = {name: [] for name in pythons}
    with crews(pythons, 1) as teams:
        for team in teams.values():  # warms the caches
            team.fill(WARM)
            team.work(WARM)
        for name in in_turn(list(teams), rounds):
            teams[name].fill(jobs)
            begin, (did,) = teams[name].work(jobs)
            assert len(did.steps) == jobs
            rates[name].append(jobs / (did.end - begin))
            costs[name].append(did.cpu / jobs * 1e6)
    least = statistics.median(costs["bare"])
    print("1 worker       jobs/s   CPU us a job   x bare")
    for name in pythons:
        cost = statistics.median(costs[name])
        print(f"{name:12} {statistics.median(rates[name]):8.0f} {cost:14.1f} {cost / least:8.2f}")
    return _compare("1 worker", rates)


def many(pythons: dict[str, str], rounds: int, jobs: int) -> list[str]:
    """The same by several workers at once."""
    return [m for size in (4, 8) for m in _many(pythons, rounds, jobs, size)]


def _many(pythons: dict[str, str], rounds: int, jobs: int, size: int) -> list[str]:
    rates: dict[str, list[float]] = {name: [] for name in pythons}
    with crews(pythons, size) as teams:
        for name in in_turn(list(teams), rounds):
            teams[name].fill(jobs)
            begin, all_did = teams[name].work(jobs)
            done = sum(len(did.steps) for did in all_did)
            assert done == jobs, f"{name}: {done} of {jobs} jobs were done"
            rates[name].append(jobs / (max(did.end for did in all_did) - begin))
    for name in pythons:
        print(f"{size} workers {name:10} {statistics.median(rates[name]):7.0f} jobs/s")
    return _compare(f"{size} workers", rates)


def backlog(pythons: dict[str, str], rounds: int, _jobs: int) -> list[str]:
    """Claiming at growing numbers of open tasks."""
    sizes = (1_000, 100_000, 1_000_000)
    jobs = 100
    times: dict[str, list[float]] = {}
    with crews(pythons, 1, [f"{kind} {n}" for kind in ("hopper", "bare") for n in sizes]) as teams:
        for name, team in teams.items():
            team.fill(int(name.partition(" ")[2]))
            team.work(jobs)
        for name in in_turn(list(teams), rounds):
            _, (did,) = teams[name].work(jobs, "claim")
            teams[name].fill(jobs)
            times.setdefault(name, []).append(statistics.median(did.steps))
    medians = {name: statistics.median(of) for name, of in times.items()}
    missed = []
    for kind in ("hopper", "bare"):
        few, some, all_ = (medians[f"{kind} {n}"] for n in sizes)
        sentence = (
            f"backlog: {kind} claims in {few:.1f} us from 1,000 open tasks, in"
            f" {some / few:.2f} times that from 100,000, {all_ / few:.2f} times from 1,000,000;"
            f" at most {GROWTH:g}"
        )
        print(sentence)
        if kind == "hopper" and max(some, all_) / few > GROWTH:
            missed.append(sentence)
    return missed


def writers(pythons: dict[str, str], rounds: int, jobs: int) -> list[str]:
    """The slowest steps of 8 workers, and how the work is spread."""
    size = 8
    missed = []
    slowest: dict[str, list[float]] = {}
    least: dict[str, list[int]] = {}
    kinds = {name: pythons[name] for name in ("hopper", "bare")}
    with crews(kinds, size) as teams:
        for name in in_turn(list(teams), rounds):
            teams[name].fill(jobs)
            _, all_did = teams[name].work(jobs)
            steps = sorted(step for did in all_did for step in did.steps)
            slowest.setdefault(name, []).append(steps[int(len(steps) * 0.999)] / 1000)
            least.setdefault(name, []).append(min(len(did.steps) for did in all_did))
    for name in kinds:
        late, few = statistics.median(slowest[name]), min(least[name])
        sentence = (
            f"writers: the 99.9th percentile of a step of {name} with {size} workers is"
            f" {late:.1f} ms (at most {SLOWEST:g}); who did least did {few} of {jobs} jobs,"
            f" {few / (jobs / size):.0%} of an equal share (more than none)"
        )
        print(sentence)
        if name == "hopper" and (late > SLOWEST or not few):
            missed.append(sentence)
    return missed


def _compare(what: str, rates: dict[str, list[float]]) -> list[str]:
    """Hopper's share of each queue's rate, round by round; what is missed."""
    missed = []
    for other, limit in LIMITS.items():
        if other not in rates:
            continue
        shares = [a / b for a, b in zip(rates["hopper"], rates[other], strict=True)]
        share = statistics.median(shares)
        held = "no limit" if limit is None else f"at least {limit:g}"
        sentence = (
            f"{what}: hopper does {share:.2f} times the jobs of {other}"
            f" ({min(shares):.2f} to {max(shares):.2f}); {held}"
        )
        print(sentence)
        if limit is not None and share < limit:
            missed.append(sentence)
    return missed


PARTS: dict[str, Callable[[dict[str, str], int, int], list[str]]] = {
    "one": one,
    "many": many,
    "backlog": backlog,
    "writers": writers,
}


def main() -> int:
    """Measure, print, and return 1 when a limit is missed and --check was given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--jobs", type=int, default=JOBS, help=f"to be worked on in each round ({JOBS:,})"
    )
    parser.add_argument("--no-peers", action="store_true", help="do not install huey, litequeue")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a limit is missed")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    missed = []
    with interpreters(not chosen.no_peers) as pythons:
        for part in chosen.parts or PARTS:
            missed += PARTS[part](pythons, chosen.rounds, chosen.jobs)
    for sentence in missed:
        print(f"MISSED {sentence}")
    return int(chosen.check and bool(missed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        with suppress(BrokenPipeError, KeyboardInterrupt):
            worker(sys.argv[2], Path(sys.argv[3]), sys.argv[4])
    else:
        sys.exit(main())

"""A run under bad workers: many processes on its file, killed, stopped and lied to about the time;
then the events are read again, one by one, to see whether all went as it should."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.event import Event
from hopper_tui.model.lifecycle import HopperScope, Priority
from hopper_tui.model.task import Task

from .run_worker import SHIFT, Clock, traits

WORKER = Path(__file__).with_name("run_worker.py")
HELD = frozenset({"claimed", "in_progress"})
PASSED = frozenset({"done", "cancelled"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run holds and who works on it. `lease` and `pace`, how long a task takes, are in
    seconds."""

    tasks: int
    phases: int
    workers: int
    capacity: int
    lease: str
    pace: float


def make(root: Path, plan: Plan, rng: random.Random) -> World:
    """The hopper `run` with its phases, filled; tasks wait for each other, are for some roles, and
    differ in priority."""
    world = World(root / "home", root, actor="ann", clock=Clock(root / SHIFT))
    world.make_global()
    web = world.create_instance("web", HopperScope.PROJECT)
    world.move_instance(web.id, "start")
    work = {"lease": plan.lease, "max_attempts": 1000, "backoff": "1s"}
    made = world.create_instance(
        "run", HopperScope.ORCHESTRATION, web.id,
        {"max_concurrent_tasks": plan.capacity, "work": work},
    )  # fmt: skip
    world.move_instance(made.id, "start")
    run = world.hopper("run")
    phases = [run.get_child_hopper(f"phase-{n + 1}") for n in range(plan.phases)]
    share = plan.tasks // (plan.phases + 1)
    for number, hopper in enumerate((run, *phases)):
        size = plan.tasks - share * plan.phases if number == 0 else share
        for start in range(0, size, 500):
            hopper.add_tasks([_task(rng, n) for n in range(min(500, size - start))])
    return world


def _task(rng: random.Random, number: int) -> Task:
    some = rng.random() < 0.3 and number
    deps = {f"#{rng.randint(max(1, number - 40), number)}" for _ in range(2)} if some else ()
    wanted = rng.choice(["coder", "tester", None, None, None, None])
    return Task(
        title=f"task {number}",
        priority=rng.choice(list(Priority)),
        depends_on=tuple(deps),
        executor_preference=wanted,
        required_capabilities=("gpu",) if wanted is None and rng.random() < 0.1 else (),
    )


# The bad times


@dataclass(slots=True)
class Team:
    """Workers on a run, started again whenever they die before the work is done."""

    root: Path
    size: int
    pace: float
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    evils: Counter[str] = field(default_factory=Counter)
    _stopped: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        """Start everybody."""
        for n in range(self.size):
            self._start(f"bot-{n}")

    def _start(self, name: str) -> None:
        log, errors = self.root / f"{name}.log", self.root / "errors"
        with log.open("ab") as out, errors.open("ab") as wrong:
            self.running[name] = subprocess.Popen(
                [sys.executable, str(WORKER), str(self.root / "home"), name, str(self.pace)],
                stdout=out, stderr=wrong,
            )  # fmt: skip

    def look(self) -> bool:
        """Wake whoever was stopped for long enough, start the dead again; whether some work on."""
        now = time.monotonic()
        for name in [n for n, until in self._stopped.items() if until <= now]:
            del self._stopped[name]
            self.running[name].send_signal(signal.SIGCONT)
        for name, process in list(self.running.items()):
            code = process.poll()
            if code == -signal.SIGKILL:
                self._start(name)
            elif code is not None:
                assert code == 0, (self.root / "errors").read_text()[-3000:]
                del self.running[name]
        return bool(self.running)

    def kill(self, name: str) -> None:
        """End a worker in the middle of whatever it does."""
        self._stopped.pop(name, None)
        self.running[name].kill()
        self.evils["killed"] += 1

    def stop(self, name: str, seconds: float) -> None:
        """Let a worker stand still in the middle of whatever it does."""
        if name not in self._stopped:
            self.running[name].send_signal(signal.SIGSTOP)
            self._stopped[name] = time.monotonic() + seconds
            self.evils["stopped"] += 1

    def end(self) -> None:
        """Leave nobody behind."""
        for process in self.running.values():
            process.kill()
            process.wait()

    def answers(self) -> Counter[tuple[str, str, str, int]]:
        """What the workers were told: who, verb, task, attempt."""
        told: Counter[tuple[str, str, str, int]] = Counter()
        for name in (f"bot-{n}" for n in range(self.size)):
            for line in (self.root / f"{name}.log").read_text().splitlines():
                verb, key, attempt = line.split()
                told[name, verb, key, int(attempt)] += 1
        return told


def torment(team: Team, clock: Clock, rng: random.Random, lease: float, patience: float) -> None:
    """Let a team work off its run while now and then one is killed or stopped, or the clock is
    set, by up to thrice a lease; at most `patience` seconds."""
    give_up = time.monotonic() + patience
    next_evil = time.monotonic()
    while team.look():
        now = time.monotonic()
        assert now < give_up, f"still at work: {sorted(team.running)}; {team.evils}"
        time.sleep(0.01)
        if now < next_evil:
            continue
        next_evil = now + rng.uniform(0.02, 0.3)
        name = rng.choice(sorted(team.running))
        dice = rng.random()
        if dice < 0.35:
            team.kill(name)
        elif dice < 0.7:
            team.stop(name, rng.uniform(0.1, 2 * lease))
        else:
            clock.shift += rng.uniform(-2 * lease, 3 * lease)
            team.evils["clock set"] += 1


# What the events say


@dataclass(slots=True)
class _Story:
    """One task as the events tell of it so far."""

    task: Task
    place: int
    status: str = "pending"
    owner: str | None = None
    attempt: int = 0
    held_back: bool = False
    done: int = 0

    @property
    def order(self) -> tuple[int, int]:
        return Priority(self.task.priority).rank, self.place


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a replay found; `most_held` is at one time, `done` who finished which attempt."""

    tasks: int
    events: int
    claims: int
    expired: int
    most_held: int
    done: dict[str, tuple[str, int]]


def replay(run: Hopper, capacity: int) -> Verdict:
    """Read the events of a finished run again; raises AssertionError at the first that is wrong.

    Every task is done once, by who held it; never is more held than may be; never is a task taken
    whose dependencies or whose phase wait, nor one while another that suits its taker was free
    and comes before it.
    """
    phases = [phase.id for phase in run.children]
    events = run.store.events()
    keys = [e.key for e in events if e.kind == "task.created"]
    known = {task.id: task for task in run.store.tasks(keys)}
    assert len(known) == len(keys), "tasks are missing"
    stories = {key: _Story(known[key], place) for place, key in enumerate(keys)}
    claims = expired = most = held = 0
    for event in (e for e in events if e.entity == "task" and e.kind != "task.created"):
        story = stories[event.key]
        before = story.status
        if event.kind == "task.claimed":
            claims += 1
            _check_claim(event, story, stories, run.id, phases)
        elif event.kind == "task.expired":
            expired += 1
            assert before in HELD, f"{event}: nobody held it"
        elif event.kind in ("task.done", "task.started", "task.tried", "task.released"):
            who = event.actor
            assert before in HELD, f"{event}: {before}, not held"
            assert story.owner == who, f"{event}: {story.owner} held it"
            story.done += event.kind == "task.done"
        told = event.patch.set
        story.status = told.get("status", before)
        story.owner = told.get("owner", story.owner)
        story.attempt = told.get("attempts", story.attempt)
        if "not_before" in told:
            story.held_back = told["not_before"] is not None
        held += (story.status in HELD) - (before in HELD)
        most = max(most, held)
        assert held <= capacity, f"{event}: {held} tasks are held, {capacity} may be"
    undone = [s.task for s in stories.values() if s.status != "done"]
    assert not undone, f"{len(undone)} tasks are not done: {undone[:3]}"
    again = [s.task for s in stories.values() if s.done != 1]
    assert not again, f"{len(again)} tasks were done more than once: {again[:3]}"
    differ = [
        s.task for s in stories.values() if (s.task.status, s.task.attempts) != ("done", s.attempt)
    ]
    assert not differ, f"{len(differ)} tasks are not what their events say: {differ[:3]}"
    done = {key: (story.owner or "", story.attempt) for key, story in stories.items()}
    return Verdict(len(keys), len(events), claims, expired, most, done)


def _check_claim(
    event: Event,
    story: _Story,
    stories: dict[str, _Story],
    run: str,
    phases: Sequence[str],
) -> None:
    who = event.patch.set["owner"]
    assert who == event.actor, f"{event}: taken for {who}"
    assert event.patch.set["attempts"] == story.attempt + 1, f"{event}: after {story.attempt}"
    left = {s.task.instance for s in stories.values() if s.status not in PASSED}
    active = next((phase for phase in phases if phase in left), None)
    free = [
        other
        for other in stories.values()
        if other.status == "pending"
        and other.task.instance in (run, active)
        and _suits(other.task, who)
        and all(stories[dep].status == "done" for dep in other.task.depends_on)
    ]
    assert story in free, f"{event}: {story} was not free"
    first = min((s for s in free if not s.held_back or s is story), key=lambda s: s.order)
    assert first is story, f"{event}: {first} was free and comes first"


def _suits(task: Task, who: str) -> bool:
    role, able = traits(who)
    return task.executor_preference in (None, who, role) and set(task.required_capabilities) <= {
        *able
    }


def check_answers(team: Team, verdict: Verdict) -> Counter[str]:
    """Compare what workers were told with what happened; returns how often each was told.

    Who was told `done` had done it; who was refused had not; nobody got the same attempt twice.
    """
    told = team.answers()
    assert all(times == 1 for times in told.values()), "an attempt was told of twice"
    for name, verb, key, attempt in told:
        finished = verdict.done[key] == (name, attempt)
        if verb == "done":
            assert finished, f"{name} was told that it did {key}: {verdict.done[key]} did"
        if verb == "refused":
            assert not finished, f"{name} was refused and did {key}"
    return Counter(verb for _, verb, _, _ in told)

"""Claiming: whom a task suits, how long it is held, what becomes of attempts, and capacity."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.clock import seconds
from hopper_tui.model.errors import (
    AtCapacity,
    InvalidTransition,
    LeaseLost,
    NotAllowed,
)
from hopper_tui.model.task import Task

from .scene import Clock, Scene

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
PLACES = ("run in memory", "run in a file", "project in a file", "project in git")


class Place:
    """A hopper that hands out work, wherever it keeps it; `work` is its configuration for that."""

    def __init__(self, kind: str, root: Path, clock: Clock) -> None:
        self.clock = clock
        memory = kind == "run in memory"
        if kind == "project in git":
            root.mkdir()
            subprocess.run(["git", "init", "-q", str(root)], check=True)
        world = World(None if memory else root.with_name("home"), root, clock=clock)
        self.scene = Scene(world, clock)
        if kind == "project in git":
            self.hopper = world.init_project(root, "web").hopper
        else:
            self.hopper = self.scene.project("web")
        self.hopper.configure({"auto_delegate": False, "child_instances.auto_create": False})
        if kind.startswith("run"):
            self.hopper = self.scene.worker("w1")
        self.name = self.hopper.name

    def work(self, **rules: Any) -> None:
        """Set how work is held and tried again."""
        self.hopper.configure({f"work.{name}": value for name, value in rules.items()})

    def add(self, title: str = "x", **fields: Any) -> str:
        """Add a task that stays here, for anybody unless it says otherwise."""
        return self.for_anybody(self.hopper.add_task(title=title, **fields), **fields)

    def for_anybody(self, key: str, executor_preference: str | None = None, **_: Any) -> str:
        """Give a task to nobody special: a project keeps its simple ones for people."""
        return self.hopper.update(key, executor_preference=executor_preference).id

    def get(self, key: str) -> Task:
        """A task as it is now."""
        return self.hopper.get(key)

    def taken(self, who: str | None = "bot", **more: Any) -> str | None:
        """The title of what somebody gets who asks for the next task."""
        task = self.hopper.claim_next(who, **more)
        return task and task.title

    def left(self, key: str) -> float | None:
        """For how many seconds from now a task is held; None is without end."""
        until = self.get(key).lease_expires_at
        return None if until is None else seconds(until) - self.clock()

    def history(self, key: str) -> list[str]:
        """The kinds of what happened to a task, oldest first."""
        return [e.kind.removeprefix("task.") for e in self.hopper.store.events(key=key)]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """A project or a run, in every kind of store."""
    made = Place(request.param, tmp_path / "web", clock)
    yield made
    made.scene.world.close()


@pytest.fixture
def run(tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """A run in a file."""
    made = Place("run in a file", tmp_path / "web", clock)
    yield made
    made.scene.world.close()


# Whom a task suits


FIT: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {"executor": "bot"}, True),
    ({}, {}, True),
    ({"executor_preference": "bot-7"}, {"executor": "Bot-7", "role": "coder"}, True),
    ({"executor_preference": "coder"}, {"executor": "bot-7", "role": "Coder"}, True),
    ({"executor_preference": "coder"}, {"executor": "coder"}, True),
    ({"executor_preference": "coder"}, {"executor": "bot-7", "role": "tester"}, False),
    ({"executor_preference": "coder"}, {"executor": "bot-7", "capabilities": ["coder"]}, False),
    ({"executor_preference": "coder"}, {"executor": "coder-2"}, False),
    ({"executor_preference": "coder"}, {}, False),
    ({"required_capabilities": ("GPU",)}, {"executor": "bot", "capabilities": ["gpu"]}, True),
    ({"required_capabilities": ("gpu", "cuda")}, {"executor": "b", "capabilities": ["gpu"]}, False),
    ({"required_capabilities": ("gpu",)}, {"executor": "bot"}, False),
    ({"required_capabilities": ("gpu",)}, {}, True),
    ({"executor_preference": "human"}, {}, True),
    ({"executor_preference": "human"}, {"executor": "ann", "role": "human"}, True),
    ({"executor_preference": "human"}, {"executor": "bot"}, False),
    ({"executor_preference": "ann"}, {"executor": "ann", "role": "human"}, True),
    ({"executor_preference": "ann"}, {"executor": "bob", "role": "human"}, False),
    ({"executor_preference": "manual"}, {"executor": "bot"}, False),
    ({"executor_preference": "manual"}, {}, False),
]  # fmt: skip
"""What a task asks for, who asks for work, and whether it is handed out to them."""


@pytest.mark.parametrize(("asked", "who", "fits"), FIT)
def test_a_task_is_handed_out_to_whom_it_suits(
    run: Place, asked: dict[str, Any], who: dict[str, Any], fits: bool
) -> None:
    wanted = run.add("wanted", priority="urgent", **asked)
    run.add("for anybody", priority="low")
    got = run.hopper.get_next(**who)
    assert got is not None
    assert got.title == ("wanted" if fits else "for anybody")
    taken = run.hopper.claim_next(**who)
    assert taken is not None
    assert taken.id == got.id
    assert (run.get(wanted).owner is not None) is fits


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"executor_preference": "human"}, "is for human, and bot is coder"),
        ({"executor_preference": "manual"}, "is for manual"),
        ({"executor_preference": "tester"}, "is for tester, and bot is coder"),
        ({"required_capabilities": ("gpu", "ssh")}, "requires gpu, ssh"),
    ],
)
def test_a_worker_cannot_name_a_task_to_get_what_does_not_suit_it(
    run: Place, asked: dict[str, Any], said: str
) -> None:
    task = run.add(**asked)
    for take in (run.hopper.claim, run.hopper.start):
        with pytest.raises(NotAllowed, match=said):
            take(task, "bot", role="coder")
    assert (run.get(task).status, run.get(task).attempts) == ("pending", 0)
    assert run.hopper.claim(task).owner == "me", "a person knows what they do"


def test_manual_work_is_closed_by_hand(place: Place) -> None:
    task = place.add(executor_preference="manual")
    assert place.taken(None) is None
    assert place.hopper.complete(task).status == "done"


def test_a_task_given_to_a_person_by_name_is_for_that_person(run: Place) -> None:
    task = run.add()
    run.hopper.assign_to_human(task, "me")
    assert run.taken("bot") is None
    assert run.taken(None) == "x"


# How long it is held


def test_a_worker_holds_a_task_for_a_quarter_of_an_hour(place: Place) -> None:
    first, second = place.add(), place.add()
    place.hopper.claim_next("bot")
    assert place.left(first) == 15 * MINUTE
    place.hopper.claim(second, "bot", lease=90)
    assert place.left(second) == 90


def test_the_configuration_says_how_long_a_worker_holds_a_task(place: Place) -> None:
    place.work(lease="2h")
    first, second = place.add(), place.add()
    place.hopper.claim_next("bot")
    place.hopper.start(second, "bot")
    assert [place.left(first), place.left(second)] == [2 * HOUR, 2 * HOUR]


def test_a_person_holds_a_task_without_end(place: Place) -> None:
    task = place.add()
    assert place.taken(None) == "x"
    assert place.left(task) is None
    place.clock.tick(1000 * DAY)
    assert place.taken("bot") is None
    assert place.get(task).owner == "me"
    with pytest.raises(InvalidTransition, match="is held by me"):
        place.hopper.claim(task, "bot")
    assert place.hopper.complete(task).status == "done"


def test_a_person_s_heartbeat_gives_no_lease_unless_it_says_so(place: Place) -> None:
    task = place.add()
    place.hopper.claim(task)
    assert place.hopper.heartbeat(task).lease_expires_at is None
    assert place.left(task) is None
    place.hopper.heartbeat(task, lease=60)
    assert place.left(task) == 60
    place.clock.tick(30)
    place.hopper.heartbeat(task)
    assert place.left(task) == 15 * MINUTE


def test_a_person_holds_a_task_for_as_long_as_configured(place: Place) -> None:
    place.work(human_lease="1d")
    task = place.add()
    place.hopper.claim_next()
    assert place.left(task) == DAY
    place.clock.tick(DAY + 1)
    assert place.taken("bot") == "x"
    with pytest.raises(LeaseLost, match=r"me does not hold .*: bot does"):
        place.hopper.complete(task)


def test_a_heartbeat_holds_a_task_for_longer(place: Place) -> None:
    place.work(lease="10m")
    task = place.add()
    place.hopper.claim_next("bot")
    for _ in range(5):
        place.clock.tick(9 * MINUTE)
        beaten = place.hopper.heartbeat(task, "bot")
        assert beaten.lease_expires_at is not None
        assert seconds(beaten.lease_expires_at) == place.clock() + 10 * MINUTE
        assert place.taken("other") is None
    place.hopper.heartbeat(task, "bot", lease=HOUR)
    assert place.left(task) == HOUR
    place.hopper.start(task, "bot")
    assert place.left(task) == HOUR, "starting it does not shorten the lease"
    place.clock.tick(HOUR + 1)
    assert place.taken("other") == "x"


def test_a_heartbeat_is_no_event(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    before = place.history(task)
    place.hopper.heartbeat(task, "bot")
    assert place.history(task) == before


def test_a_lease_holds_to_its_last_moment(place: Place) -> None:
    place.work(lease="10m")
    place.add()
    place.hopper.claim_next("bot")
    place.clock.tick(10 * MINUTE)
    assert place.taken("other") is None
    place.clock.tick(0.001)
    assert place.taken("other") == "x"


def test_what_was_held_for_too_long_goes_to_the_next_who_asks(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    place.hopper.start(task, "bot")
    place.clock.tick(15 * MINUTE + 1)
    taken = place.hopper.claim_next("other")
    assert taken is not None
    assert (taken.id, taken.owner, taken.attempts, taken.status) == (task, "other", 2, "claimed")
    assert place.left(task) == 15 * MINUTE
    assert place.history(task)[-4:] == ["claimed", "started", "expired", "claimed"]


def test_what_was_held_for_too_long_is_free_for_who_names_it(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    place.clock.tick(15 * MINUTE + 1)
    assert (place.hopper.claim(task, "other").owner, place.get(task).attempts) == ("other", 2)


def test_who_is_late_may_finish_what_nobody_else_took(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    place.clock.tick(DAY)
    assert place.hopper.heartbeat(task, "bot").owner == "bot"
    place.clock.tick(DAY)
    assert place.hopper.complete(task, executor="bot", attempt=1).status == "done"
    place.clock.tick(DAY)
    assert place.taken("other") is None
    assert place.get(task).status == "done", "a lease that ran out undoes nothing"
    assert place.history(task).count("done") == 1


# Only the holder


Late = Callable[[Hopper, str], object]
VERBS: dict[str, Late] = {
    "heartbeat": lambda hopper, key: hopper.heartbeat(key, "bot"),
    "start": lambda hopper, key: hopper.start(key, "bot"),
    "complete": lambda hopper, key: hopper.complete(key, executor="bot", result="late"),
    "fail": lambda hopper, key: hopper.fail(key, "late", executor="bot"),
    "try again": lambda hopper, key: hopper.fail(key, "late", executor="bot", retry=True),
    "release": lambda hopper, key: hopper.release(key, "bot"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_who_lost_a_task_is_told_who_has_it(place: Place, verb: str) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    place.clock.tick(15 * MINUTE + 1)
    place.hopper.claim_next("other")
    before = place.get(task)
    with pytest.raises(
        LeaseLost, match=r"^bot does not hold .*: other does\. Take another"
    ) as lost:
        VERBS[verb](place.hopper, task)
    assert lost.value.code == "lease_lost"
    assert place.get(task) == before
    place.hopper.complete(task, executor="other", result="in time")
    said = r"^bot does not hold .*: it is done, by other\. Take|is done and cannot become claimed"
    with pytest.raises((LeaseLost, InvalidTransition), match=said):
        VERBS[verb](place.hopper, task)
    assert (place.get(task).status, place.get(task).result) == ("done", "in time")


@pytest.mark.parametrize("verb", ["heartbeat", "complete", "fail", "release"])
def test_an_attempt_that_is_over_is_refused_although_the_name_is_the_same(
    place: Place, verb: str
) -> None:
    task = place.add()
    assert place.hopper.claim(task, "bot").attempts == 1
    place.clock.tick(15 * MINUTE + 1)
    assert place.hopper.claim(task, "bot").attempts == 2
    with pytest.raises(LeaseLost, match=r"attempt 1 of bot does not hold .*: attempt 2 does"):
        getattr(place.hopper, verb)(task, executor="bot", attempt=1)
    assert (place.get(task).status, place.get(task).owner) == ("claimed", "bot")
    ended = getattr(place.hopper, verb)(task, executor="bot", attempt=2)
    after = {"complete": "done", "fail": "failed", "release": "pending"}
    assert ended.status == after.get(verb, "claimed")
    if verb in ("complete", "fail"):
        again = getattr(place.hopper, verb)(task, executor="bot", attempt=2)
        assert again.updated_at == ended.updated_at, "saying it twice is no other answer"
        with pytest.raises(LeaseLost, match=rf"bot does not hold .*: it is {ended.status}"):
            getattr(place.hopper, verb)(task, executor="bot", attempt=1)


def test_what_is_reopened_is_for_none_of_those_who_had_it(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    place.hopper.complete(task, executor="bot")
    place.hopper.reopen(task)
    for verb in ("heartbeat", "complete", "fail"):
        with pytest.raises(LeaseLost, match=r"bot does not hold .*: it is pending"):
            VERBS[verb](place.hopper, task)
    assert place.hopper.claim(task, "other").attempts == 1, "its attempts are counted anew"


def test_people_sort_out_among_themselves_who_does_it(place: Place) -> None:
    task = place.add()
    place.hopper.claim(task, "ann", role="human")
    assert place.hopper.complete(task).owner == "ann"
    lent = place.add()
    place.hopper.claim(lent, "bot")
    with pytest.raises(LeaseLost, match=r"me does not hold .*: bot does"):
        place.hopper.complete(lent)
    assert place.hopper.release(lent).owner is None, "a person may take it from a worker first"


# Attempts


def test_what_nobody_finishes_fails_with_its_history(place: Place) -> None:
    task = place.add()
    for attempt, who in enumerate(("a", "b", "c"), 1):
        taken = place.hopper.claim_next(who)
        assert taken is not None
        assert taken.attempts == attempt
        place.clock.tick(15 * MINUTE + 1)
    assert place.taken("d") is None
    given_up = place.get(task)
    assert (given_up.status, given_up.reason, given_up.attempts) == (
        "failed", "given up after 3 attempts: the lease of c ran out", 3,
    )  # fmt: skip
    assert place.history(task)[-6:] == [
        "claimed", "expired", "claimed", "expired", "claimed", "failed",
    ]  # fmt: skip
    said = [e.patch.set.get("reason") for e in place.hopper.store.events(key=task)]
    assert [s for s in said if s] == [
        "the lease of a ran out", "the lease of b ran out",
        "given up after 3 attempts: the lease of c ran out",
    ]  # fmt: skip
    assert place.scene.world.diagnose(task) == [
        f"at {place.name} it is failed: given up after 3 attempts: the lease of c ran out"
    ]
    place.hopper.reopen(task)
    assert place.hopper.claim_next("d").attempts == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("most", [1, 5])
def test_the_configuration_says_how_often_it_is_tried(place: Place, most: int) -> None:
    place.work(max_attempts=most)
    task = place.add()
    for _ in range(most):
        assert place.get(task).status == "pending"
        place.clock.tick(HOUR)
        place.hopper.claim_next("bot")
        place.hopper.fail(task, "no network", executor="bot", retry=True)
    times = "1 attempt" if most == 1 else f"{most} attempts"
    assert (place.get(task).status, place.get(task).reason) == (
        "failed", f"given up after {times}: no network",
    )  # fmt: skip


def test_a_failed_attempt_waits_twice_as_long_each_time_up_to_an_hour(place: Place) -> None:
    place.work(max_attempts=20, backoff="10m")
    task = place.add()
    waits = []
    for _ in range(6):
        assert place.taken("bot") == "x"
        place.hopper.fail(task, "no network", executor="bot", retry=True)
        not_before = place.get(task).not_before
        assert not_before is not None
        waits.append(seconds(not_before) - place.clock())
        place.clock.tick(waits[-1] - 0.001)
        assert place.taken("other") is None
        place.clock.tick(0.001)
    assert [wait / MINUTE for wait in waits] == [10, 20, 40, 60, 60, 60]
    assert place.taken("bot") == "x"
    assert place.get(task).not_before is None


def test_why_says_until_when_a_failed_attempt_waits(place: Place) -> None:
    place.work(backoff="90s")
    task = place.add()
    place.hopper.claim_next("bot")
    place.hopper.fail(task, "no network", executor="bot", retry=True)
    not_before = place.get(task).not_before
    assert place.scene.world.diagnose(task) == [
        f"at {place.name} attempt 1 failed: no network; it is handed out again in 1m, at"
        f" {not_before}"
    ]
    place.clock.tick(90)
    assert place.scene.world.diagnose(task) == [
        f"it is ready at {place.name}; nobody has claimed it"
    ]


def test_others_do_not_wait_for_what_failed(place: Place) -> None:
    first = place.add("first", priority="urgent")
    place.add("second")
    place.hopper.claim(first, "bot")
    place.hopper.fail(first, "no network", executor="bot", retry=True)
    assert place.taken("bot") == "second"
    place.clock.tick(10)
    assert place.taken("bot") == "first"


def test_a_lease_that_ran_out_was_the_wait(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    place.clock.tick(15 * MINUTE + 1)
    assert place.taken("other") == "x"
    assert place.get(task).not_before is None


def test_failing_without_trying_again_is_for_good(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    failed = place.hopper.fail(task, "impossible", executor="bot")
    assert (failed.status, failed.reason) == ("failed", "impossible")
    place.clock.tick(DAY)
    assert place.taken("other") is None


def test_letting_go_costs_no_wait_and_counts_as_an_attempt(place: Place) -> None:
    task = place.add()
    place.hopper.claim_next("bot")
    place.hopper.release(task, "bot")
    assert place.taken("other") == "x"
    assert place.get(task).attempts == 2


def test_what_failed_for_good_blocks_what_it_came_from(scene: Scene) -> None:
    web, worker = scene.team("w1")
    worker.configure({"work.max_attempts": 1})
    task = scene.top.add_task(title="Implement OAuth")
    worker.claim_next("bot")
    scene.clock.tick(15 * MINUTE + 1)
    assert worker.claim_next("other") is None
    assert scene.leaf(task).status == "failed"
    (above,) = web.list()
    assert (above.status, above.reason) == (
        "blocked", "failed: given up after 1 attempt: the lease of bot ran out",
    )  # fmt: skip
    assert scene.settled()


# Order


def test_equals_leave_in_the_order_they_came_within_one_millisecond(place: Place) -> None:
    one_by_one = [place.add(f"task {n}") for n in range(15)]
    together = place.hopper.add_tasks([Task(title=f"task {n}") for n in range(15, 30)])
    for key in together:
        place.for_anybody(key)
    assert len({place.get(key).created_at for key in (*one_by_one, *together)}) == 1
    place.hopper.configure({"max_concurrent_tasks": 30})
    assert [place.taken() for _ in range(30)] == [f"task {n}" for n in range(30)]


def test_what_comes_back_takes_its_old_place(place: Place) -> None:
    keys = [place.add(f"task {n}") for n in range(3)]
    place.hopper.claim_next("bot")
    place.hopper.release(keys[0], "bot")
    assert [place.taken() for _ in range(3)] == ["task 0", "task 1", "task 2"]


def test_nothing_ages_unless_it_is_configured(place: Place) -> None:
    old = place.add("old", priority="low")
    place.clock.tick(1000 * DAY)
    place.add("new", priority="medium")
    assert [place.taken(), place.taken()] == ["new", "old"]
    assert not any("ageing" in said for said in place.scene.world.diagnose(old))


def test_what_waits_counts_higher_with_time_where_it_ages(place: Place) -> None:
    place.work(ageing="1d")
    old = place.add("old", priority="low")
    place.clock.tick(DAY - 1)
    assert place.scene.world.diagnose(old) == [
        f"it is ready at {place.name}; nobody has claimed it"
    ]
    place.clock.tick(2 + DAY)
    place.add("urgent", priority="urgent")
    place.add("high", priority="high")
    place.add("medium", priority="medium")
    assert place.scene.world.diagnose(old) == [
        f"it is ready at {place.name}; nobody has claimed it",
        "it is 2d old and counts 2 priorities higher in the queue: work.ageing",
    ]
    assert [place.taken() for _ in range(4)] == ["urgent", "old", "high", "medium"]


def test_an_aged_task_still_has_to_suit(place: Place) -> None:
    place.work(ageing="1h")
    place.add("for coders", priority="low", executor_preference="coder")
    place.clock.tick(DAY)
    place.add("for anybody")
    assert place.taken("tester") == "for anybody"
    assert place.taken("coder") == "for coders"


# Capacity


def test_a_full_hopper_says_how_full_it_is(place: Place) -> None:
    place.hopper.configure({"max_concurrent_tasks": 2})
    first, second, third = (place.add(f"task {n}") for n in range(3))
    place.hopper.claim_next("a")
    place.hopper.start(second, "b")
    for take in (
        lambda: place.hopper.claim_next("c"),
        lambda: place.hopper.claim(third, "c"),
        lambda: place.hopper.start(third),
    ):
        with pytest.raises(AtCapacity, match=f"{place.name} is at capacity: 2/2"):
            take()
    assert place.get(third).attempts == 0
    place.hopper.complete(first, executor="a")
    assert place.taken("c") == "task 2"


def test_what_is_held_for_too_long_takes_no_room(place: Place) -> None:
    place.hopper.configure({"max_concurrent_tasks": 1})
    place.add("first")
    place.add("second")
    assert place.taken("a") == "first"
    with pytest.raises(AtCapacity):
        place.taken("b")
    place.clock.tick(15 * MINUTE + 1)
    assert place.taken("b") == "first"


def test_offers_wait_at_the_project_and_go_to_the_worker_that_frees_up(scene: Scene) -> None:
    web = scene.project(child_instances={"auto_create": False})
    one, two = (scene.worker(name, max_concurrent_tasks=1) for name in ("w1", "w2"))
    keys = [web.add_task(title=f"Implement part {n}") for n in range(2)]
    assert sorted(scene.holder(key) for key in keys) == ["w1", "w2"]
    for worker in (one, two):
        worker.claim_next("bot")
    late = web.add_task(title="Implement the rest")
    waiting = scene.task(late)
    assert (waiting.status, waiting.instance, waiting.waiting) == ("pending", web.id, True)
    assert "w1 is at capacity: 1/1" in (waiting.reason or "")
    assert "w2 is at capacity: 1/1" in (waiting.reason or "")
    two.complete(two.list()[0].id, executor="bot")
    assert scene.holder(late) == "w2"
    assert two.claim_next("bot").title == "Implement the rest"  # type: ignore[union-attr]


@pytest.mark.parametrize("end", ["fail", "release", "lease"])
def test_room_is_offered_however_an_attempt_ends(scene: Scene, end: str) -> None:
    web = scene.project(child_instances={"auto_create": False})
    worker = scene.worker("w1", max_concurrent_tasks=1, work={"max_attempts": 1})
    first = web.add_task(title="Implement part 1")
    worker.claim_next("bot")
    late = web.add_task(title="Implement part 2")
    assert scene.holder(late) == "web"
    if end == "lease":
        scene.clock.tick(15 * MINUTE + 1)
        assert worker.claim_next("bot") is None, "the work that waits comes when there is room"
    else:
        getattr(worker, end)(scene.leaf(first).id, executor="bot")
    assert scene.holder(late) == "w1"


def test_an_error_leaves_nothing_half_taken(place: Place) -> None:
    place.hopper.configure({"max_concurrent_tasks": 1})
    place.add(priority="urgent")
    task = place.add()
    place.hopper.claim_next("other")
    with pytest.raises(AtCapacity):
        place.taken()
    assert (place.get(task).status, place.get(task).attempts) == ("pending", 0)
    assert "claimed" not in place.history(task)


# Going on: finishing a task and taking the next


def going_on(place: Place, key: str, who: str = "bot", **more: Any) -> str | None:
    """Finish a task and return the title of what was taken with it."""
    done, taken = place.hopper.complete_and_claim(key, who, **more)
    assert (done.id, done.status) == (key, "done")
    if taken is not None:
        assert (taken.status, taken.owner) == ("claimed", who)
    return taken and taken.title


def test_whoever_finishes_a_task_takes_the_next_with_it(place: Place) -> None:
    keys = [place.add(f"task {n}") for n in range(2)]
    assert place.taken() == "task 0"
    assert going_on(place, keys[0], result={"n": 0}) == "task 1"
    assert place.get(keys[0]).result == {"n": 0}
    assert place.left(keys[1]) == 15 * MINUTE
    assert going_on(place, keys[1]) is None
    for key in keys:
        assert place.history(key)[-2:] == ["claimed", "done"]


def test_going_on_is_one_command(run: Place) -> None:
    first, second = run.add("first"), run.add("second")
    run.taken()
    going_on(run, first)
    run.hopper.world.undo(run.hopper.id)
    assert [run.get(key).status for key in (first, second)] == ["claimed", "pending"]


def test_what_cannot_be_finished_takes_nothing(place: Place) -> None:
    held, free = place.add("held"), place.add("free")
    place.taken("somebody")
    with pytest.raises(LeaseLost, match="somebody does"):
        place.hopper.complete_and_claim(held, "bot")
    assert place.get(held).status == "claimed"
    assert place.get(free).attempts == 0


def test_going_on_gets_what_suits(place: Place) -> None:
    first = place.add("first")
    place.add("for others", required_capabilities=("rust",))
    place.add("for coders", executor_preference="coder")
    assert place.taken("bot", role="coder") == "first"
    assert going_on(place, first, role="coder", lease=60.0) == "for coders"


def test_going_on_leaves_a_task_finished_where_no_more_is_handed_out(place: Place) -> None:
    place.hopper.configure({"max_concurrent_tasks": 2})
    one, two, late = place.add("one"), place.add("two"), place.add("late")
    place.taken("a")
    place.taken("b")
    place.hopper.configure({"max_concurrent_tasks": 1})
    assert going_on(place, one, "a") is None
    assert going_on(place, two, "b") == "late"
    place.hopper.world.move_instance(place.hopper.id, "pause")
    assert going_on(place, late, "b") is None


def test_going_on_gives_others_tasks_back_whose_lease_ran_out(place: Place) -> None:
    place.hopper.configure({"max_concurrent_tasks": 2})
    lost, kept = place.add("lost"), place.add("kept")
    place.taken("gone")
    place.taken("bot", lease=DAY)
    place.clock.tick(HOUR)
    assert going_on(place, kept) == "lost"
    assert "expired" in place.history(lost)


def test_going_on_bubbles_up_before_it_takes_the_next(scene: Scene) -> None:
    web = scene.project(child_instances={"auto_create": False})
    worker = scene.worker("w1", max_concurrent_tasks=1)
    first = web.add_task(title="Implement part 1")
    worker.claim_next("bot")
    second = web.add_task(title="Implement part 2")
    assert scene.holder(second) == "web"
    done, taken = worker.complete_and_claim(scene.leaf(first), "bot")
    assert taken is not None
    assert (taken.title, scene.holder(second)) == ("Implement part 2", "w1")
    assert (done.status, scene.task(first).status) == ("done", "done")

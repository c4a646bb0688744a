"""A worker in Python: handlers in threads, leases that are renewed, and waits without spinning."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.waiting import Lookout, first
from hopper_tui.engine.worker import Attempt, CannotWork, Worker
from hopper_tui.engine.world import World
from hopper_tui.model.errors import Invalid, NotAllowed
from hopper_tui.model.executor import Executor
from hopper_tui.model.plan import Goal, Plan
from hopper_tui.model.task import Task

PATIENCE = 20
"""Seconds; nothing here takes as long unless it hangs."""


@pytest.fixture(params=["files", "memory"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hopper]:
    """An empty run, in a file and again in memory; what failed is tried again soon."""
    world = World(tmp_path / "home" if request.param == "files" else None)
    world.create_instance("web", "project", config={"child_instances": {"auto_create": False}})
    made = world.create_instance(
        "w1", "orchestration", "web", {"work": {"backoff": "0.01s"}, "max_concurrent_tasks": 50}
    )
    world.move_instance("web", "start")
    world.move_instance("w1", "start")
    yield made
    world.close()


def _elsewhere(run: Hopper) -> Hopper:
    """The same run as another process sees it; in memory there is only one."""
    home = run.world.home
    return run if home is None else World(home).hopper(run.id)


class _Running(threading.Thread):
    """A worker that runs in a thread of its own."""

    def __init__(self, worker: Worker, **how: Any) -> None:
        super().__init__(daemon=True)
        self._worker, self._how = worker, how
        self._fault: BaseException | None = None

    def run(self) -> None:
        try:
            self._worker.run(**self._how)
        except BaseException as fault:
            self._fault = fault

    def ended(self) -> None:
        """Wait until it is through; raises what it raised."""
        self.join(PATIENCE)
        assert not self.is_alive()
        if self._fault is not None:
            raise self._fault


def _started(worker: Worker, **how: Any) -> _Running:
    thread = _Running(worker, **how)
    thread.start()
    return thread


def test_what_the_handler_returns_becomes_the_result(run: Hopper) -> None:
    keys = run.add_tasks([Task(title=f"Task {n}") for n in range(3)])
    worker = Worker(run, lambda task: {"title": task.title}, role="coder")
    assert worker.run(until_empty=True) == 3
    done = [run.get(key) for key in keys]
    assert [task.status for task in done] == ["done"] * 3
    assert [task.result for task in done] == [{"title": f"Task {n}"} for n in range(3)]
    assert {task.owner for task in done} == {worker.name}
    assert worker.name.startswith("coder-")


def test_what_the_handler_raises_becomes_the_reason_of_each_attempt(run: Hopper) -> None:
    key = run.add_task(title="Impossible")
    told: list[Attempt] = []

    def fail(task: Task) -> None:
        raise ValueError(f"no way, time {task.attempts}")

    assert Worker(run, fail, told=told.append).run(until_empty=True) == 3
    task = run.get(key)
    assert (task.status, task.attempts) == ("failed", 3)
    assert task.reason == "given up after 3 attempts: no way, time 3"
    assert [(a.outcome, a.reason) for a in told] == [
        ("retry", "no way, time 1"),
        ("retry", "no way, time 2"),
        ("failed", "no way, time 3"),
    ]


@pytest.mark.parametrize("result", [object(), float("nan"), {1, 2}])
def test_a_result_that_is_no_json_fails_the_attempt(run: Hopper, result: object) -> None:
    key = run.add_task(title="Strange")
    Worker(run, lambda _: result, retry=False).run(until_empty=True)
    assert run.get(key).status == "failed"
    assert run.get(key).reason


def test_a_handler_that_exits_fails_its_attempt_and_no_more(run: Hopper) -> None:
    keys = run.add_tasks([Task(title="Leave"), Task(title="Stay")])

    def handle(task: Task) -> None:
        if task.title == "Leave":
            sys.exit("cannot go on")

    assert Worker(run, handle, retry=False).run(until_empty=True) == 2
    assert [run.get(key).status for key in keys] == ["failed", "done"]
    assert run.get(keys[0]).reason == "exit cannot go on"


def test_of_a_long_reason_the_beginning_and_the_end_are_kept(run: Hopper) -> None:
    key = run.add_task(title="Talk")

    def talk(task: Task) -> None:
        raise ValueError(f"no way: {'x' * 9000} at the end")

    Worker(run, talk, retry=False).run(until_empty=True)
    reason = str(run.get(key).reason)
    assert reason.startswith("no way: x")
    assert reason.endswith("x at the end")
    assert len(reason) == 2000


def test_a_result_too_long_for_a_record_fails_the_task(run: Hopper) -> None:
    key = run.add_task(title="Talk")
    Worker(run, lambda task: "x" * 40_000).run(until_empty=True)
    task = run.get(key)
    assert (task.status, task.attempts) == ("failed", 1)
    assert "more than 32768" in str(task.reason)


@pytest.mark.parametrize(
    "wrong",
    [
        {"jobs": "x"}, {"jobs": 0}, {"jobs": 1.5}, {"lease": "x"}, {"lease": 0}, {"role": ""},
        {"role": "a\nb"}, {"executor": "a\nb"}, {"executor": " "},
    ],
)  # fmt: skip
def test_a_worker_that_cannot_be_is_refused_in_a_sentence(
    run: Hopper, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Invalid, match=r"\w+ \w+ \w+"):
        Worker(run, print, **wrong)


def test_a_handler_may_add_tasks_to_its_own_run(run: Hopper) -> None:
    def handle(task: Task) -> None:
        if task.title == "Plan":
            run.add_tasks([Task(title="Build"), Task(title="Test")])

    run.add_task(title="Plan")
    assert Worker(run, handle).run(until_empty=True) == 3
    assert run.is_empty()


def test_as_many_handlers_run_at_once_as_there_are_jobs(run: Hopper) -> None:
    """Three meet at a barrier, which fewer at a time would never pass."""
    barrier = threading.Barrier(3)
    run.add_tasks([Task(title=f"Task {n}") for n in range(6)])
    worker = Worker(run, lambda _: barrier.wait(PATIENCE), jobs=3, retry=False)
    assert worker.run(until_empty=True) == 6
    assert run.summary()["done"] == 6


def test_several_workers_do_each_task_once(run: Hopper) -> None:
    keys = run.add_tasks([Task(title=f"Task {n}") for n in range(30)])
    done: list[str] = []
    workers = [Worker(_elsewhere(run), lambda task: done.append(task.id), jobs=2) for _ in "abc"]
    threads = [_started(worker, until_empty=True) for worker in workers]
    for thread in threads:
        thread.ended()
    assert sorted(done) == sorted(keys)


def test_a_lease_is_renewed_while_the_handler_works(run: Hopper) -> None:
    """It works three leases long, and nobody else gets the task meanwhile."""
    key = run.add_task(title="Long")
    other = _elsewhere(run)
    begun, tried = threading.Event(), []

    def handle(_: Task) -> str:
        begun.set()
        give_up = time.monotonic() + 1.5
        while time.monotonic() < give_up:
            tried.append(other.claim_next("thief"))
        return "mine"

    Worker(run, handle, lease=0.5).run(until_empty=True)
    assert tried
    assert set(tried) == {None}
    assert (run.get(key).result, run.get(key).attempts) == ("mine", 1)


def test_whoever_loses_the_lease_learns_it_and_its_result_is_dropped(run: Hopper) -> None:
    key = run.add_task(title="Contested")
    other = _elsewhere(run)
    told: list[Attempt] = []
    lost = threading.Event()

    def handle(task: Task) -> str:
        assert not worker.lost(task)
        other.release(key)
        other.claim(key, "thief")
        assert lost.wait(PATIENCE)
        assert worker.lost(task)
        return "too late"

    worker = Worker(run, handle, lease=0.6, told=told.append, on_lost=lambda _: lost.set())
    worker.run(max_tasks=1)
    assert [a.outcome for a in told] == ["lost"]
    assert "thief" in told[0].reason
    task = run.get(key)
    assert (task.status, task.owner, task.result) == ("claimed", "thief", None)


def test_a_second_attempt_of_the_same_name_does_not_count_for_the_first(run: Hopper) -> None:
    key = run.add_task(title="Twice")
    other = _elsewhere(run)
    told: list[Attempt] = []

    def handle(task: Task) -> str:
        other.release(key)
        other.claim(key, "coder")
        return "of the first attempt"

    Worker(run, handle, "coder", told=told.append).run(max_tasks=1)
    assert [a.outcome for a in told] == ["lost"]
    assert (run.get(key).status, run.get(key).attempts) == ("claimed", 2)


def _split(_: Task) -> Plan:
    return Plan((Goal("One half"), Goal("The other half")))


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (lambda hopper, key: hopper.complete(key, result="by hand", executor="coder"), "done"),
        (lambda hopper, key: hopper.block(key, "no access"), "passed on"),
        (lambda hopper, key: hopper.fail(key, "hopeless", "coder"), "failed"),
        (lambda hopper, key: hopper.break_down(key, _split, executor="coder"), "passed on"),
    ],
    ids=["done", "blocked", "failed", "broken down"],
)
@pytest.mark.parametrize("lingers", [False, True], ids=["at once", "lingers"])
def test_a_handler_may_end_its_attempt_by_itself(
    run: Hopper, end: Any, outcome: str, lingers: bool
) -> None:
    """Also when a heartbeat comes between that and the end of the handler."""
    key = run.add_task(title="By itself")
    told: list[Attempt] = []

    heard = threading.Event()

    def handle(task: Task) -> None:
        end(run, task.id)
        if lingers:
            assert heard.wait(PATIENCE)

    def tell(attempt: Attempt) -> None:
        told.append(attempt)
        heard.set()

    lost: list[Task] = []
    worker = Worker(run, handle, "coder", lease=0.3, told=tell, on_lost=lost.append)
    worker.run(max_tasks=1)
    assert [(a.task.id, a.outcome) for a in told] == [(key, outcome)]
    assert lost == []
    assert run.get(key).result == ("by hand" if outcome == "done" else None)


def test_a_waiting_worker_wakes_up_for_a_new_task(run: Hopper) -> None:
    """It wakes up long before it would look again unasked, and other processes are heard too."""
    done = threading.Event()
    worker = Worker(run, lambda _: done.set())
    thread = _started(worker)
    other = _elsewhere(run)
    for _ in range(3):
        done.clear()
        thread.join(0.2)  # it waits by then
        other.add_task(title="Late")
        assert done.wait(1.0)
    worker.stop()
    thread.ended()
    assert run.is_empty()


def test_a_waiting_worker_takes_a_task_when_somebody_elses_lease_ends(run: Hopper) -> None:
    key = run.add_task(title="Left behind")
    run.claim_next("dead", lease=1.0)
    began = time.monotonic()
    assert Worker(run, lambda _: "rescued").run(until_empty=True) == 1
    assert 0.8 < time.monotonic() - began < 5
    assert (run.get(key).result, run.get(key).attempts) == ("rescued", 2)


def test_a_waiting_worker_takes_a_failed_task_when_its_time_has_come(run: Hopper) -> None:
    run.configure({"work.backoff": "1s"})
    attempts: list[float] = []

    def handle(_: Task) -> None:
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            raise RuntimeError("not yet")

    run.add_task(title="At the second try")
    Worker(run, handle).run(until_empty=True)
    assert 0.9 < attempts[1] - attempts[0] < 5
    assert run.is_empty()


def test_waiting_costs_next_to_nothing(run: Hopper) -> None:
    worker = Worker(run, lambda _: None)
    thread = _started(worker)
    used = time.process_time()
    thread.join(1.5)  # the time over which it is measured
    used = time.process_time() - used
    worker.stop()
    thread.ended()
    assert used < 0.3, f"{used:.2f} s of processor time in 1.5 s"


def test_until_empty_waits_for_the_work_of_other_roles(run: Hopper) -> None:
    """A coder stays while an architect's task is open, for the next phase may need it."""
    design = run.get_child_hopper("design")
    build = run.get_child_hopper("build")
    design.add_task(title="Design", executor_preference="architect")
    build.add_task(title="Build", executor_preference="coder")
    order: list[str] = []
    coder = Worker(run, lambda task: order.append(task.title), role="coder")
    thread = _started(coder, until_empty=True)
    architect = Worker(_elsewhere(run), lambda task: order.append(task.title), role="architect")
    _started(architect, until_empty=True).ended()
    thread.ended()
    assert order == ["Design", "Build"]


@pytest.mark.parametrize("preference", ["human", "manual"])
def test_until_empty_does_not_wait_for_people(run: Hopper, preference: str) -> None:
    run.add_task(title="Approve", executor_preference=preference)
    run.add_task(title="Build")
    assert Worker(run, lambda _: None).run(until_empty=True) == 1


def test_until_empty_ends_when_what_is_left_cannot_be_done(run: Hopper) -> None:
    run.add_tasks([Task(title="Broken"), Task(title="After it", depends_on=("#1",))])

    def fail(_: Task) -> None:
        raise RuntimeError("broken")

    assert Worker(run, fail, retry=False).run(until_empty=True) == 1
    assert not run.is_empty()


def test_a_worker_gets_only_what_suits_it(run: Hopper) -> None:
    suits = run.add_task(title="Suits", executor_preference="coder", required_capabilities=("py",))
    run.add_task(title="Design", executor_preference="architect")
    run.add_task(title="Rust", required_capabilities=("rust",))
    seen: list[str] = []
    Worker(run, lambda t: seen.append(t.id), role="coder", capabilities=["py"]).run(max_tasks=1)
    assert seen == [suits]


def test_stop_lets_the_running_handler_finish(run: Hopper) -> None:
    run.add_tasks([Task(title="First"), Task(title="Second")])
    begun, go_on = threading.Event(), threading.Event()

    def handle(_: Task) -> str:
        begun.set()
        assert go_on.wait(PATIENCE)
        return "finished"

    worker = Worker(run, handle)
    thread = _started(worker)
    assert begun.wait(PATIENCE)
    worker.stop()
    go_on.set()
    thread.ended()
    assert [t.status for t in run.list(closed=True, sort="created")] == ["done", "pending"]


def test_stop_now_releases_what_is_running(run: Hopper) -> None:
    key = run.add_task(title="Long")
    begun, told = threading.Event(), []

    def handle(task: Task) -> str:
        begun.set()
        while not worker.lost(task):
            time.sleep(0.01)
        return "half of it"

    worker = Worker(run, handle, told=told.append)
    thread = _started(worker)
    assert begun.wait(PATIENCE)
    worker.stop(now=True)
    thread.ended()
    task = run.get(key)
    assert (task.status, task.owner, task.result) == ("pending", None, None)
    assert [a.outcome for a in told] == ["released"]


def test_a_handler_that_can_do_no_task_ends_the_worker(run: Hopper) -> None:
    key = run.add_task(title="Anything")

    def handle(_: Task) -> None:
        raise CannotWork("out of credit")

    with pytest.raises(CannotWork, match="out of credit"):
        Worker(run, handle).run()
    assert (run.get(key).status, run.get(key).reason) == ("pending", None)


def test_a_full_hopper_is_waited_for(run: Hopper) -> None:
    run.configure({"max_concurrent_tasks": 1})
    held = run.add_task(title="Held")
    run.claim(held, "somebody", lease=60)
    key = run.add_task(title="Waits for room")
    other = _elsewhere(run)
    worker = Worker(run, lambda _: "through")
    thread = _started(worker, max_tasks=1)
    used = time.process_time()
    thread.join(1.0)  # the time over which it is measured
    assert thread.is_alive()
    assert time.process_time() - used < 0.15
    other.complete(held, executor="somebody")
    thread.ended()
    assert run.get(key).result == "through"


def test_a_paused_run_is_waited_for(run: Hopper) -> None:
    key = run.add_task(title="Later")
    run.world.move_instance("w1", "pause")
    warned = threading.Event()
    worker = Worker(run, lambda _: None, warn=lambda _: warned.set())
    thread = _started(worker, max_tasks=1)
    assert warned.wait(PATIENCE)
    assert run.get(key).status == "pending"
    _elsewhere(run).world.move_instance("w1", "resume")
    thread.ended()
    assert run.get(key).status == "done"


def _waiting(run: Hopper) -> _Running:
    """A worker that has done all there was."""
    done = threading.Event()
    run.add_task(title="First")
    worker = Worker(run, lambda _: None, told=lambda _: done.set())
    thread = _started(worker)
    assert done.wait(PATIENCE)
    return thread


def test_a_worker_ends_with_its_run(run: Hopper) -> None:
    thread = _waiting(run)
    _elsewhere(run).world.move_instance("w1", "terminate")
    thread.ended()


def test_a_worker_ends_when_its_run_is_archived(run: Hopper) -> None:
    thread = _waiting(run)
    _elsewhere(run).archive_and_delete()
    thread.ended()


def test_a_worker_ends_when_the_database_of_its_run_is_removed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = World(home)
    made.create_instance("web", "project")
    run = made.create_instance("w1", "orchestration", "web")
    for name in ("web", "w1"):
        made.move_instance(name, "start")
    thread = _waiting(run)
    (database,) = home.rglob("w1.db")
    database.unlink()
    thread.ended()


def test_a_worker_is_refused_where_nothing_is_executed(tmp_path: Path) -> None:
    world = World(tmp_path / "home")
    with pytest.raises(NotAllowed):
        Worker(world.hopper(), lambda _: None).run()
    with pytest.raises(Invalid):
        Worker(world.hopper(), lambda _: None, jobs=0)


def test_one_who_waits_for_a_task_gets_it_or_nothing(run: Hopper) -> None:
    who = Executor.of("coder")
    began = time.monotonic()
    assert first(Lookout(run, who), lambda: run.claim_next("coder"), 0.3) is None
    assert 0.3 <= time.monotonic() - began < 3
    adding = threading.Thread(target=lambda: _elsewhere(run).add_task(title="New"))
    adding.start()
    task = first(Lookout(run, who), lambda: run.claim_next("coder"), PATIENCE)
    adding.join()
    assert task is not None
    assert task.title == "New"

"""The end of a run: summed up, archived, removed; by hand, by maintenance, by schedule. And the
numbers that events tell."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from hopper_tui.config.cron import check_cron, next_time
from hopper_tui.engine import measuring
from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.errors import ConfigError, HopperError, InvalidTransition, NotFound
from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.model.plan import Goal, Plan, Step
from hopper_tui.store.sqlite import SqliteStore

from .scene import Scene

PLAN = Plan(
    (
        Goal("Design", phase="Design", executor="architect", tasks=(Step("Draw it"),)),
        Goal("Build", phase="Build", executor="coder", tasks=(Step("Write it"), Step("Try it"))),
    )
)


def started(scene: Scene, **config: object) -> tuple[str, Hopper]:
    """A task of the project `web`, and the run that it made by itself for it."""
    web = scene.project(**{"auto_delegate": False} | config)
    key = web.add_task(title="Add search")
    return key, scene.world.hopper(web.break_down(key, lambda _: PLAN).target)


def work(scene: Scene, run: Hopper, worker: str, role: str, seconds: float = 60) -> str:
    """A worker takes the next task and finishes it after some seconds; returns its id."""
    task = run.claim_next(worker, role=role)
    assert task is not None
    scene.clock.tick(seconds)
    run.complete(task.id, executor=worker)
    return task.id


def finish(scene: Scene, run: Hopper) -> None:
    """All of the plan is done."""
    work(scene, run, "ada", "architect", 30)
    work(scene, run, "bob", "coder", 60)
    work(scene, run, "bob", "coder", 120)


def database(scene: Scene, run: Hopper) -> Path:
    path = run.store.path
    assert path is not None
    return path


def left_behind(scene: Scene) -> list[str]:
    """The files of runs in the home."""
    assert scene.world.home is not None
    return [path.name for path in scene.world.home.glob("*/runs/*")]


# What a run did


def test_a_summary_counts_tasks_times_workers_and_phases(scene: Scene) -> None:
    _, run = started(scene)
    finish(scene, run)
    told = run.summary()
    assert (told["done"], told["total"], told["open"]) == (2, 2, 0)
    work_done = told["work"]
    assert (work_done["total"], work_done["done"], work_done["attempts"]) == (5, 5, 3)
    assert (work_done["median_run_s"], work_done["p90_run_s"]) == (60, 120)
    assert {w["worker"]: (w["done"], w["median_run_s"]) for w in told["workers"]} == {
        "ada": (1, 30),
        "bob": (2, 90),
    }
    assert [(c["name"], c["done"], c["work"]["done"]) for c in told["children"]] == [
        ("Design", 1, 1),
        ("Build", 2, 2),
    ]
    assert (told["duration_s"], told["failures"], told["feedback"]) == (210, [], None)


def test_a_summary_names_what_failed_and_why(scene: Scene) -> None:
    _, run = started(scene)
    work(scene, run, "ada", "architect")
    task = run.claim_next("bob", role="coder")
    run.fail(task.id, "no compiler\x1b[31m", executor="bob")
    failures = run.summary()["failures"]
    assert [(f["title"], f["worker"], f["attempts"], f["reason"]) for f in failures] == [
        ("Write it", "bob", 1, "no compiler\x1b[31m"),
    ]


def test_feedback_on_parts_counts_once(scene: Scene) -> None:
    _, run = started(scene)
    for worker, role, quality in (("ada", "architect", 5), ("b", "coder", 3), ("b", "coder", 1)):
        task = run.claim_next(worker, role=role)
        run.complete(task.id, TaskFeedback(quality=quality, actual_duration="1h"), executor=worker)
    feedback = run.summary()["feedback"]
    assert (feedback["quality"], feedback["tasks"], feedback["actual_duration"]) == (3, 3, 10800)


# Its end


def test_an_archived_run_leaves_its_summary_and_nothing_else(filed: Scene) -> None:
    key, run = started(filed)
    path = database(filed, run)
    finish(filed, run)
    assert path.exists()
    told = filed.world.archive(run.id)
    assert left_behind(filed) == []
    assert filed.world.archived(run.id) == told
    assert (told["status"], told["work"]["done"]) == ("terminated", 5)
    assert filed.status(key) == "done"
    assert filed.world.hopper("web").children == []
    with pytest.raises(NotFound):
        filed.world.hopper(run.id)
    kinds = [e.kind for e in filed.world.log("web") if e.key == run.id]
    assert kinds == ["run.archived"]
    assert [f for f in filed.world.doctor() if f.level == "error"] == []


def test_a_run_in_memory_leaves_no_file(scene: Scene) -> None:
    web = scene.project(auto_delegate=False)
    run = Hopper("orchestration", "quick", parent=web, world=scene.world,
                 config={"persistence": {"storage": "memory"}})  # fmt: skip
    run.complete(run.add_task(title="Think"))
    told = run.archive_and_delete()
    assert told["done"] == 1
    assert scene.world.archived("quick") == told
    if scene.world.home is not None:
        assert list(scene.world.home.rglob("*quick*")) == []


def test_kept_data_stays_where_it_is(scene: Scene) -> None:
    _, run = started(scene)
    finish(scene, run)
    told = scene.world.archive(run.id, keep=True)
    assert scene.world.archived(run.id) == told
    assert run.status == "terminated"
    assert scene.titles(run, closed=True) == ["Design", "Build"]
    scene.world.doctor(maintain=True)
    assert run.status == "terminated"
    again = scene.world.archive(run.id)
    assert again == told
    events = run.world.hopper("web").store.events(key=run.id, kind="run.archived")
    assert len(events) == 1
    with pytest.raises(NotFound):
        scene.world.hopper(run.id)


def test_a_run_with_open_work_is_not_ended(scene: Scene) -> None:
    key, run = started(scene)
    for keep in (False, True):
        with pytest.raises(InvalidTransition, match="still has 2 open tasks"):
            scene.world.archive(run.id, keep=keep)
    assert run.status == "running"
    assert scene.world.archived(run.id) is None
    finish(scene, run)
    assert scene.status(key) == "done"


def test_a_run_whose_project_is_away_is_not_ended(filed: Scene) -> None:
    key, run = started(filed)
    store = filed.world.hopper("web").store
    work(filed, run, "ada", "architect")
    work(filed, run, "bob", "coder")
    web = store.path
    assert web is not None
    store.close()
    away = web.with_suffix(".away")
    web.rename(away)
    web.mkdir()  # what stands there now is no database
    apart = World(filed.world.home, clock=filed.clock)
    bob = apart.hopper(run.id)
    last = bob.claim_next("bob", role="coder")
    with suppress(HopperError):  # done, and its project cannot be told
        bob.complete(last.id, executor="bob")
    assert bob.get(last.id).status == "done"
    with pytest.raises(HopperError):
        apart.archive(run.id)
    assert database(filed, run).exists()
    apart.close()
    web.rmdir()
    away.rename(web)
    assert filed.world.archive(run.id)["work"]["done"] == 5
    assert filed.status(key) == "done"


def test_a_summary_of_any_run_fits_into_an_event(filed: Scene) -> None:
    web = filed.project(auto_delegate=False)
    run = filed.worker("w1", web.id, max_concurrent_tasks=500, work={"max_attempts": 1})
    keys = [run.add_task(title=f"{n} " + "漢" * 900) for n in range(60)]
    for key in keys:
        run.fail(key, "字" * 5000)
    told = filed.world.archive(run.id)
    assert told["work"]["failed"] == 60
    assert 0 < len(told["failures"]) < 50
    assert told["left_out"]["failures"] + len(told["failures"]) == 50
    assert filed.world.archived(run.id) == told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.parametrize("where", ["before it is archived", "before it is deleted"])
def test_who_dies_ending_a_run_loses_nothing(filed: Scene, where: str) -> None:
    key, run = started(filed)
    finish(filed, run)
    assert filed.world.home is not None
    home, moment = filed.world.home, filed.clock
    filed.world.close()
    child = os.fork()
    if not child:
        try:
            _die(where)
            World(home, clock=moment).archive(run.id)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status)
    survivor = World(home, clock=moment)
    assert (survivor.archived(run.id) is None) == (where == "before it is archived")
    survivor.nodes()  # any command
    told = survivor.archived(run.id)
    assert told is not None
    assert told["work"]["done"] == 5
    assert len(survivor.hopper("web").store.events(key=run.id, kind="run.archived")) == 1
    assert left_behind(filed) == []
    assert survivor.find_task(key)[1].status == "done"
    survivor.close()


def _die(where: str) -> None:
    """From now on this process is killed at that point of an end."""

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "before it is deleted":
        SqliteStore.delete = die  # type: ignore[method-assign]
    else:
        from hopper_tui.engine import ending

        ending._keep_summary = die


# Maintenance


def test_maintenance_ends_runs_that_are_over(scene: Scene) -> None:
    key, run = started(scene)
    name = run.name
    work(scene, run, "ada", "architect")
    scene.world.doctor(maintain=True)
    assert run.status == "running"
    work(scene, run, "bob", "coder")
    work(scene, run, "bob", "coder")
    said = [f.message for f in scene.world.doctor(maintain=True) if f.subject == name]
    assert "is finished: archived and removed" in said
    told = scene.world.archived(run.id)
    assert told is not None
    assert told["work"]["done"] == 5
    assert scene.status(key) == "done"


def test_maintenance_leaves_workers_alone_until_they_are_stopped(scene: Scene) -> None:
    web, worker = scene.team("w1")
    worker.complete(worker.add_task(title="x"))
    scene.world.doctor(maintain=True)
    assert worker.status == "running"
    scene.world.move_instance(worker.id, "stop")
    scene.world.doctor(maintain=True)
    assert web.children == []


def test_a_failure_that_somebody_has_to_mend_keeps_its_run(scene: Scene) -> None:
    key, run = started(scene)
    work(scene, run, "ada", "architect")
    work(scene, run, "bob", "coder")
    task = run.claim_next("bob", role="coder")
    run.fail(task.id, "no idea", executor="bob")
    assert scene.status(key) == "delegated"
    scene.world.doctor(maintain=True)
    run.reopen(task.id)
    work(scene, run, "bob", "coder")
    assert scene.status(key) == "done"
    scene.world.doctor(maintain=True)
    assert scene.world.archived(run.id) is not None


def test_a_run_that_failed_stays_until_its_task_is_settled(scene: Scene) -> None:
    web, worker = scene.team("w1")
    key = web.add_task(title="Hard", executor_preference="human")
    web.delegate(key, worker.id)
    task = worker.claim_next("bob")
    worker.fail(task.id, "no idea", executor="bob")
    scene.world.move_instance(worker.id, "stop")
    assert scene.status(key) == "blocked"
    scene.world.doctor(maintain=True)
    assert worker.status == "stopped"
    web.cancel(key)
    scene.world.doctor(maintain=True)
    assert web.children == []
    told = scene.world.archived(worker.id)
    assert told is not None
    assert told["failures"][0]["reason"] == "no idea"


def test_a_run_whose_task_is_on_another_branch_stays(filed: Scene, tmp_path: Path) -> None:
    def git(*args: str) -> None:
        subprocess.run(("git", *args), cwd=tmp_path / "web", check=True, capture_output=True)

    (tmp_path / "web").mkdir()
    git("init", "-b", "main")
    git("config", "user.name", "ann")
    git("config", "user.email", "ann@example.org")
    filed.world.init_project(tmp_path / "web")
    git("add", ".")
    git("commit", "-m", "begin")
    git("checkout", "-b", "feature")
    web = filed.world.hopper("web")
    key = web.add_task(title="Add search", executor_preference="human")
    run = filed.world.hopper(web.break_down(key, lambda _: PLAN).target)
    git("add", ".")
    git("commit", "-m", "break it down")
    git("checkout", "main")
    filed.world.close()

    elsewhere = World(filed.world.home, tmp_path / "web", clock=filed.clock)
    there = Scene.__new__(Scene)
    there.world, there.clock = elsewhere, filed.clock
    finish(there, elsewhere.hopper(run.id))
    elsewhere.doctor(maintain=True)
    assert elsewhere.archived(run.id) is None
    with pytest.raises(InvalidTransition, match="web does not know yet"):
        elsewhere.archive(run.id)
    assert elsewhere.hopper(run.id).status == "running"
    elsewhere.close()
    git("stash", "-u")
    git("checkout", "feature")
    back = World(filed.world.home, tmp_path / "web", clock=filed.clock)
    assert back.hopper("web").get(key).status == "done"
    assert back.archive(run.id)["work"]["done"] == 5
    back.close()


def test_other_retentions_remove_old_tasks_and_no_run(scene: Scene) -> None:
    web, worker = scene.team("w1")
    worker.configure({"persistence": {"retention": "90_days"}})
    web.configure({"persistence": {"retention": "forever"}})
    kept = web.add_task(title="kept", executor_preference="human")
    old, new = worker.add_task(title="old"), worker.add_task(title="new")
    web.complete(kept)
    worker.complete(old)
    scene.clock.tick(100 * 86400)
    worker.complete(new)
    scene.world.move_instance(worker.id, "stop")
    scene.world.doctor(maintain=True)
    assert scene.titles(worker, closed=True) == ["new"]
    assert scene.titles(web, closed=True) == ["kept"]


# By schedule

NIGHTLY = {"persistence": {"maintenance_schedule": "0 2 * * *"}}


def test_maintenance_is_done_once_each_time_it_is_due(filed: Scene) -> None:
    filed.top.configure(NIGHTLY)
    _, run = started(filed)
    finish(filed, run)
    assert filed.world.keep_up() == []
    due = filed.world.maintenance_due(filed.top.id)
    assert due is not None
    assert datetime.fromisoformat(due).astimezone().strftime("%H:%M") == "02:00"
    filed.clock.tick(86400)
    assert [swept.subject for swept in filed.world.keep_up()] == [run.id]
    assert filed.world.archived(run.id) is not None
    later = filed.world.maintenance_due(filed.top.id)
    assert later is not None
    assert later > due
    assert filed.world.keep_up() == []


def test_of_many_that_find_it_due_one_does_it(filed: Scene) -> None:
    filed.top.configure(NIGHTLY)
    _, run = started(filed)
    finish(filed, run)
    filed.world.keep_up()
    filed.clock.tick(86400)
    others = [World(filed.world.home, clock=filed.clock) for _ in range(3)]
    did = [bool(world.keep_up()) for world in others]
    assert sorted(did) == [False, False, True]
    for world in others:
        world.close()


def test_a_project_has_a_schedule_of_its_own(filed: Scene) -> None:
    filed.top.configure(NIGHTLY)
    _, run = started(filed, persistence={"maintenance_schedule": "0 0 1 1 *"})
    finish(filed, run)
    assert filed.world.maintenance_due(run.id) != filed.world.maintenance_due(filed.top.id)
    filed.world.keep_up()
    filed.clock.tick(2 * 86400)
    assert filed.world.keep_up() == []
    assert run.status == "running"


def test_without_a_schedule_nothing_is_due(scene: Scene) -> None:
    _, run = started(scene)
    finish(scene, run)
    scene.clock.tick(86400 * 400)
    assert scene.world.keep_up() == []
    assert scene.world.maintenance_due(run.id) is None


def test_a_wrong_schedule_names_its_line(filed: Scene) -> None:
    assert filed.world.home is not None
    file = filed.world.home / "hopper.yaml"
    file.write_text('scope: global\npersistence:\n  maintenance_schedule: "0 25 * * *"\n')
    with pytest.raises(ConfigError, match=r"hopper\.yaml:3: .*'25' is no hour"):
        filed.world.maintenance_due(filed.top.id)
    assert filed.world.keep_up() == []
    assert "'25' is no hour" in filed.world.warnings[-1]
    file.unlink()
    with pytest.raises(ConfigError, match="never comes"):
        filed.top.configure({"persistence": {"maintenance_schedule": "0 0 31 2 *"}})


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 2 * * *", "2026-11-20 01:59", "2026-11-20 02:00"),
        ("0 2 * * *", "2026-11-20 02:00", "2026-11-21 02:00"),
        ("*/15 9-17 * * mon-fri", "2026-11-20 17:45", "2026-11-23 09:00"),
        ("5/20 * * * *", "2026-11-20 10:26", "2026-11-20 10:45"),
        ("0 0 29 feb *", "2026-01-01 00:00", "2028-02-29 00:00"),
        ("0 0 13 * fri", "2026-11-20 00:00", "2026-11-27 00:00"),
        ("0 0 * * 7", "2026-11-20 00:00", "2026-11-22 00:00"),
        ("30 23 31 12 *", "2026-12-31 23:30", "2027-12-31 23:30"),
    ],
)
def test_when_a_schedule_comes_next(schedule: str, after: str, expected: str) -> None:
    moment = next_time(check_cron(schedule), datetime.fromisoformat(after).timestamp())
    assert moment == datetime.fromisoformat(expected).timestamp()


# Numbers


def test_counters_equal_the_events_after_a_restart(filed: Scene) -> None:
    _, run = started(filed, child_instances={"template": {"scope": "orchestration"}})
    run.configure({"work": {"backoff": "1s", "lease": "5m", "max_attempts": 2}})
    work(filed, run, "ada", "architect")
    first = run.claim_next("bob", role="coder")
    run.fail(first.id, "flaky", executor="bob", retry=True)
    filed.clock.tick(10)
    run.claim_next("cyd", role="coder")
    run.claim_next("dan", role="coder")
    filed.clock.tick(301)  # both leases run out: one task has an attempt left
    again = run.claim_next("cyd", role="coder")
    assert again is not None
    filed.clock.tick(5)
    run.complete(again.id, executor="cyd")
    filed.world.close()

    later = World(filed.world.home, clock=filed.clock)
    told = later.hopper(run.id).stats()
    events = later.store(run.id).events()
    kinds = Counter(event.kind for event in events)
    claims = [e for e in events if e.kind == "task.claimed"]
    assert told["attempts"] == len(claims) == 5
    assert told["retries"] == sum(e.patch.set["attempts"] > 1 for e in claims) == 2
    assert told["expired"] == 2
    assert told["failed"] == kinds["task.failed"] + kinds["task.blocked"] - 1 == 1
    assert sum(worker["done"] for worker in told["workers"]) == 2
    by_worker = {w["worker"]: w for w in told["workers"]}
    assert (by_worker["cyd"]["expired"], by_worker["dan"]["expired"]) == (1, 1)
    assert (by_worker["cyd"]["failed"], by_worker["bob"]["attempts"]) == (1, 1)
    assert [(p["name"], p["done"], p["failed"]) for p in told["phases"]] == [
        ("Design", 1, 0),
        ("Build", 1, 1),
    ]
    assert told["events"] == len(events)
    later.close()


def test_times_by_worker(scene: Scene) -> None:
    _web, run = scene.team("w1")
    for n in range(10):
        run.add_task(title=f"{n}")
    for n in range(10):
        work(scene, run, "bob" if n % 2 else "cyd", "coder", seconds=n + 1)
    told = run.stats()
    assert (told["median_run_s"], told["p90_run_s"]) == (5.5, 9)
    assert (told["median_wait_s"], told["p90_wait_s"]) == (12.5, 36)
    assert told["throughput_per_hour"] == 10
    scene.clock.tick(3601)
    told = run.stats()
    assert told["throughput_per_hour"] == 0
    assert {w["worker"]: w["median_run_s"] for w in told["workers"]} == {"bob": 6, "cyd": 5}


def _told(run: Hopper) -> object:
    """What `stats` says of the work, but for what time alone changes and how many events there are,
    with who holds what since when."""
    meter = measuring.Meter()
    meter.feed(run.store, run.store.events())
    held = {task.id: (task.owner, meter.claimed_at(task.id)) for task in run.list()}
    return {**run.stats(), "events": None, "oldest_pending_s": None}, held


def test_what_was_undone_does_not_count_and_what_was_redone_does(scene: Scene) -> None:
    _web, run = scene.team("w1")
    for title in ("First", "Second"):
        run.add_task(title=title)
    work(scene, run, "ann", "coder")
    scene.clock.tick(7)
    taken = run.claim_next("bob", role="coder")
    assert taken is not None
    seen = [_told(run)]
    for change in (
        lambda: run.update(taken.id, priority="urgent"),
        lambda: run.complete(taken.id, executor="bob"),
        lambda: run.reopen(taken.id),
        lambda: run.claim_next("cyd", role="coder"),
        lambda: run.fail(taken.id, "no", "cyd", retry=False),
    ):
        scene.clock.tick(5)
        change()
        seen.append(_told(run))
    for before in reversed(seen[:-1]):
        scene.world.undo(run.id)
        assert _told(run) == before
    for after in seen[1:]:
        scene.world.redo(run.id)
        assert _told(run) == after


def test_what_somebody_holds_is_counted(scene: Scene) -> None:
    _web, run = scene.team("w1")
    run.add_task(title="x")
    run.claim_next("bob", role="coder")
    [bob] = run.stats()["workers"]
    assert (bob["worker"], bob["active"], bob["done"]) == ("bob", 1, 0)


def test_a_long_history_is_sampled_and_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _web, run = scene.team("w1")
    for n in range(20):
        run.add_task(title=f"{n}")
        work(scene, run, "bob", "coder", seconds=n + 1)
    assert run.stats()["sampled"] is False
    monkeypatch.setattr(measuring, "SAMPLE", 30)
    told = run.stats()
    assert (told["events"], told["sampled"]) == (30, True)
    assert (told["done"], told["attempts"], told["median_run_s"]) == (20, 10, 15.5)


def test_a_meter_counts_the_same_in_one_go_and_bit_by_bit(scene: Scene) -> None:
    _, run = started(scene)
    finish(scene, run)
    events = run.store.events()
    whole, bits = measuring.Meter(), measuring.Meter()
    whole.feed(run.store, events)
    for event in events:
        bits.feed(run.store, [event])
    ids = [run.id, *(phase.id for phase in run.children)]
    assert whole.of(ids) == bits.of(ids)
    assert whole.workers(ids) == bits.workers(ids)

"""Runs on the command line: progress by phase, numbers, the end, and maintenance by schedule."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from .conftest import Shell

PLAN = """
goals:
  - title: Design
    phase: Design
    executor: architect
    tasks: [Draw it]
  - title: Build
    phase: Build
    executor: coder
    tasks: [Write it, Try it]
"""


@pytest.fixture
def run(guide: Shell) -> str:
    """The id of a run in two phases that webapp made for a task."""
    plan = guide.cwd / "plan.yaml"
    plan.write_text(PLAN)
    guide("instance", "stop", "worker-1")
    task = guide("add", "Add search", "--instance", "webapp", "--executor", "human", "-q").id
    guide("task", "break-down", task, "--plan", str(plan))
    runs = guide("instance", "list", "--scope", "orchestration", "-q").lines
    return next(key for key in runs if key.startswith("hopper-webapp-run-") and "phase" not in key)


def do_next(guide: Shell, run: str, worker: str, role: str) -> None:
    """A worker takes the next task and finishes it."""
    who = ("--executor", worker)
    task = guide("next", "--claim", "--instance", run, *who, "--role", role, "-q").id
    guide("task", "done", task, *who)


def do_all(guide: Shell, run: str) -> None:
    do_next(guide, run, "ada", "architect")
    do_next(guide, run, "bob", "coder")
    do_next(guide, run, "bob", "coder")


def test_status_shows_how_far_each_phase_is(guide: Shell, run: str) -> None:
    do_next(guide, run, "ada", "architect")
    do_next(guide, run, "bob", "coder")
    lines = guide("status", "--instance", run).lines
    assert "    Phase 1 (Design)  [####################]  1 of 1 done" in lines
    assert "  > Phase 2 (Build)   [##########..........]  1 of 2 done" in lines
    told = guide("status", "--instance", run, "--json").json
    assert [(p["name"], p["done"], p["total"], p["active"]) for p in told["phases"]] == [
        ("Design", 1, 1, False),
        ("Build", 1, 2, True),
    ]
    assert guide("status", "--instance", "webapp", "--json").json["phases"] == []


def test_a_failed_task_shows_and_keeps_its_phase_the_current_one(guide: Shell, run: str) -> None:
    task = guide("next", "--claim", "--instance", run, "--executor", "ada", "--role", "architect",
                 "-q").id  # fmt: skip
    guide("task", "fail", task, "--executor", "ada", "--reason", "no idea")
    shown = guide("status", "--instance", run).lines
    assert "  > Phase 1 (Design)  [xxxxxxxxxxxxxxxxxxxx]  0 of 1 done  1 failed" in shown


def test_stats_by_worker_and_phase(guide: Shell, run: str) -> None:
    do_all(guide, run)
    told = guide("stats", "--instance", run, "--json").json
    assert {w["worker"]: w["done"] for w in told["workers"]} == {"ada": 1, "bob": 2}
    assert [(p["name"], p["done"]) for p in told["phases"]] == [("Design", 1), ("Build", 2)]
    assert (told["attempts"], told["retries"], told["expired"], told["sampled"]) == (3, 0, 0, False)
    log = guide("log", "--instance", run, "--limit", "500", "--json").json
    assert told["attempts"] == sum(event["kind"] == "task.claimed" for event in log)
    lines = guide("stats", "--instance", run).lines
    assert "workers:" in lines
    assert any(line.split()[:3] == ["bob", "2", "2"] for line in lines)


def test_what_is_kept_of_a_run_can_be_read(guide: Shell, run: str) -> None:
    do_all(guide, run)
    shown = guide("instance", "archive", run)
    assert shown.lines[0] == f"{run} [terminated]"
    assert shown.lines[1].startswith("  5 done in ")
    assert shown.lines[1].endswith(", 2 workers")
    assert any(line.split()[:2] == ["Build", "2"] for line in shown.lines)
    assert guide("instance", "show", run).out == shown.out
    logged = next(ln for ln in guide("log", "--instance", "webapp").lines if "run.archived" in ln)
    assert "5 done in " in logged
    assert run in logged
    assert list(guide.home.rglob(f"{run}*")) == []


def test_a_run_can_be_ended_and_its_data_kept(guide: Shell, run: str) -> None:
    do_all(guide, run)
    kept = guide("instance", "archive", run, "--keep", "--json").json
    assert kept["work"]["done"] == 5
    assert guide("instance", "show", run, "--json").json["status"] == "terminated"
    titles = [t["title"] for t in guide("list", "--instance", run, "--all", "--json").json]
    assert titles == ["Design", "Build"]
    refused = guide("instance", "archive", "webapp", check=1)
    assert "Only runs are archived" in refused.err


def test_doctor_ends_what_is_over(guide: Shell, run: str) -> None:
    do_all(guide, run)
    assert "is finished: archived and removed" in guide("doctor", "--maintain").out
    assert guide("instance", "show", run, "--json").json["work"]["done"] == 5


def nightly(guide: Shell) -> Path:
    """The global hopper gets a schedule; returns its file."""
    file = Path(guide("doctor", "--json").json[1]["message"]) / "hopper.yaml"
    file.write_text('scope: global\npersistence:\n  maintenance_schedule: "0 2 * * *"\n')
    return file


def due_long_ago(file: Path) -> None:
    """Nobody was here when it was due."""
    with sqlite3.connect(file.with_name("home.db")) as db:
        changed = db.execute(
            "UPDATE local SET value = '2026-01-01T02:00:00.000Z 0 2 * * *'"
            " WHERE name LIKE 'maintenance:%'"
        )
        assert changed.rowcount == 1
    db.close()


def test_an_everyday_command_does_what_is_due(guide: Shell, run: str) -> None:
    do_all(guide, run)
    file = nightly(guide)
    first = guide("status")
    assert "maintenance" not in first.err
    assert any(line.startswith("  maintenance is due 2") for line in first.lines)
    assert guide("status", "--json").json["maintenance_due"].endswith(":00.000Z")
    due_long_ago(file)
    found = guide("list")
    assert f"maintenance: {run}: is finished: archived and removed" in found.err
    assert "maintenance" not in guide("list").err
    assert guide("instance", "show", run, "--json").json["work"]["done"] == 5


def test_status_tells_of_nothing_that_its_own_maintenance_removed(guide: Shell, run: str) -> None:
    do_all(guide, run)
    file = nightly(guide)
    guide("status")
    due_long_ago(file)
    told = guide("status", "--instance", "webapp")
    assert f"maintenance: {run}: is finished" in told.err
    assert run not in told.out


def test_programs_hear_nothing_of_it(guide: Shell, run: str) -> None:
    do_all(guide, run)
    file = nightly(guide)
    guide("status")
    due_long_ago(file)
    assert guide("list", "--json").err == ""
    assert guide("instance", "show", run, "--json").json["status"] == "terminated"


def test_a_wrong_schedule_is_an_error_with_its_line(guide: Shell) -> None:
    file = nightly(guide)
    file.write_text('scope: global\npersistence:\n  maintenance_schedule: "0 2 * *"\n')
    wrong = guide("status", check=1)
    assert "hopper.yaml:3: persistence.maintenance_schedule: a schedule has 5 fields" in wrong.err


@pytest.mark.parametrize(
    "note",
    [
        '"text"', "7", "[]", "{}", '{"work": [], "workers": 3, "children": [1, {"work": "x"}]}',
        '{"failures": [null, {"title": "\\u001b[31m", "reason": {"a": 1}}], "duration_s": 1e999}',
        '{"workers": [{"worker": {"a": 1}, "done": "x"}], "left_out": "x", "feedback": [1]}',
    ],
)  # fmt: skip
def test_a_summary_from_anywhere_is_shown_without_harm(guide: Shell, note: str) -> None:
    database = next(guide.home.rglob("webapp/tasks.db"))
    with sqlite3.connect(database) as db:
        db.execute(
            "INSERT INTO events (grp, at, actor, kind, entity, key, patch, note) VALUES"
            " ('g', '2026-11-20T12:00:00.000Z', 'eve', 'run.archived', 'instance', 'old', '{}', ?)",
            (note,),
        )
    db.close()
    assert "\x1b" not in guide("log", "--instance", "webapp").out
    assert "\x1b" not in guide("instance", "show", "old", check=None).out


def done_by_a_run(guide: Shell) -> tuple[str, str]:
    """A task of the global hopper that worker-1 has done, and its copy at the project."""
    top = guide("add", "Implement OAuth", "--project", "webapp", "-q").id
    work = guide("next", "--claim", "--instance", "worker-1", "--executor", "x", "-q").id
    guide("task", "done", work, "--executor", "x")
    return top, guide("list", "--all", "--instance", "webapp", "-q").id


@pytest.mark.parametrize("ended", ["archive", "terminate"])
@pytest.mark.parametrize("place", ["webapp", "global"])
def test_undo_gives_no_work_back_to_a_run_that_has_ended(
    guide: Shell, place: str, ended: str
) -> None:
    top, middle = done_by_a_run(guide)
    guide("instance", ended, "worker-1")
    refused = guide("undo", "--instance", place, check=1)
    assert "worker-1 is" in refused.err
    assert "cannot take" in refused.err
    states = [guide("task", "show", key, "--json").json["status"] for key in (top, middle)]
    assert states == ["done", "done"]
    command = refused.err.strip().partition("hopper task ")[2].split()
    guide("task", *command)
    assert guide("task", "show", top, "--json").json["status"] == "delegated"
    again = guide("next", "--claim", "--instance", "webapp", "--executor", "y", check=4).err
    run = again.split()[-1]
    guide("task", "done", guide("next", "--claim", "--instance", run, "--executor", "y", "-q").id,
          "--executor", "y")  # fmt: skip
    assert guide("task", "show", top, "--json").json["status"] == "done"


def test_a_task_whose_run_is_gone_says_how_to_get_it_back(guide: Shell) -> None:
    top = guide("add", "Implement OAuth", "--project", "webapp", "-q").id
    for path in guide.home.rglob("worker-1.db*"):
        path.unlink()
    refused = guide("task", "release", top, check=1).err
    assert "worker-1 took task" in refused
    command = refused.strip().partition("hopper delegation ")[2].split()
    assert command[0] == "cancel"
    guide("delegation", *command)
    assert "webapp" in guide("task", "why", top).out
    (left,) = guide("list", "--instance", "webapp", "--json").json
    assert left["status"] == "pending"


def test_what_a_run_handed_back_is_not_in_the_way_of_its_end(guide: Shell) -> None:
    guide("add", "Buy paper", "--instance", "worker-1")
    guide("instance", "terminate", "worker-1")
    (back,) = guide("list", "--instance", "webapp", "-q").lines
    guide("instance", "archive", "worker-1")
    guide("task", "done", back)
    checked = guide("doctor")
    assert "waits for the other side" not in checked.out
    assert "worker-1" in guide("task", "delegations", back).out


def test_a_run_waits_for_an_answer_from_above_before_it_ends(guide: Shell) -> None:
    asked = guide("add", "Which licence?", "--instance", "worker-1", "-q").id
    guide("task", "delegate", asked, "--type", "escalate")
    assert "1 open task" in guide("instance", "archive", "worker-1", check=1).err

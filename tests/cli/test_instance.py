"""`hopper instance`, `hopper project` and `hopper init`."""

from __future__ import annotations

import json

import pytest

from cli.conftest import AddTask, Shell


@pytest.mark.installed
def test_create_prints_the_id_first(hopper: Shell) -> None:
    made = hopper("instance", "create", "My Team", "--scope", "GLOBAL")
    assert made.lines == [
        "my-team  My Team (GLOBAL) [created]",
        "  start it: hopper instance start my-team",
    ]
    quiet = hopper("instance", "create", "web app", "--scope", "project", "-q")
    assert quiet.out == "web-app\n"


def test_lifecycle(guide: Shell) -> None:
    for verb, after in (
        ("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("start", "running"),
        ("terminate", "terminated"),
    ):  # fmt: skip
        assert guide("instance", verb, "worker-1").out == f"worker-1  {after}\n"
    final = guide("instance", "start", "worker-1", check=1)
    assert "Terminated is final" in final.err


def test_several_at_once(guide: Shell) -> None:
    paused = guide("instance", "pause", "webapp", "worker-1", "--json").json
    assert [node["status"] for node in paused] == ["paused", "paused"]
    said = guide("instance", "resume", "webapp", "global", check=1)
    assert said.out == "webapp  running\n"
    assert said.err.startswith("hopper: 1 resumed, 1 refused: ")


def test_list(guide: Shell) -> None:
    rows = [line.split() for line in guide("instance", "list").lines]
    assert [row[:4] for row in rows] == [
        ["global", "global", "global", "running"],
        ["webapp", "webapp", "project", "running"],
        ["worker-1", "worker-1", "orchestration", "running"],
    ]
    assert rows[2][-2:] == ["in", "webapp"]
    guide("instance", "pause", "worker-1")
    for args, ids in (
        (("--scope", "Project"), ["webapp"]),
        (("--status", "running"), ["global", "webapp"]),
        (("--parent", "global"), ["webapp"]),
        (("--scope", "orchestration", "--status", "paused"), ["worker-1"]),
        (("--scope", "orchestration", "--status", "running"), []),
    ):
        assert guide("instances", "list", *args, "-q").lines == ids


def test_show(guide: Shell, queued: AddTask) -> None:
    queued("Fix login")
    guide("task", "claim", queued("Fix logout"))
    shown = guide("instance", "show", "worker-1").out
    for line in ("worker-1  worker-1 (ORCHESTRATION)", "parent      webapp", "open tasks  2",
                 "queued      1", "active      1 of 10", "children    0"):  # fmt: skip
        assert line in shown.splitlines()


def test_tree_counts_what_is_held(guide: Shell, queued: AddTask) -> None:
    for number in range(3):
        queued(f"Task {number}")
    assert (
        guide("instances", "tree")
        .lines[-1]
        .endswith("worker-1 (ORCHESTRATION) [running] - 3 tasks")
    )
    (root,) = guide("instance", "tree", "--json").json
    assert root["instance_id"] == "global"
    assert root["children"][0]["children"][0]["tasks"] == 3


def test_tree_with_branches(guide: Shell) -> None:
    guide("instance", "create", "worker-2", "--scope", "orchestration", "--parent", "webapp")
    guide("project", "register", "api")
    assert [line.rpartition("── ")[0] for line in guide("instance", "tree").lines] == [
        "",
        "├",
        "└",
        "    ├",
        "    └",
    ]


def test_config(guide: Shell) -> None:
    guide("instance", "config", "webapp", 'capabilities=["python"]', "max_concurrent_tasks=3")
    config = guide("instance", "config", "webapp", "--json").json
    assert config["capabilities"] == ["python"]
    assert config["max_concurrent_tasks"] == 3
    assert "max_concurrent_tasks  3" in guide("instance", "config", "webapp").lines
    guide("instance", "config", "webapp", "max_concurrent_tasks=null")
    assert "max_concurrent_tasks" not in guide("instance", "config", "webapp", "--json").json
    refused = guide("instance", "config", "webapp", "max_concurrent_tasks=0", check=1)
    assert "max_concurrent_tasks" in refused.err


def test_nothing_asks_without_a_terminal(guide: Shell) -> None:
    run = guide("add", "Implement OAuth", "--instance", "webapp", "-q").id
    guide("task", "done", run)
    guide("instance", "archive", "worker-1")
    assert guide("instance", "list", "-q").lines == ["global", "webapp"]


def test_init(hopper: Shell) -> None:
    made = hopper("init", "--name", "webapp")
    assert made.id == "hopper-webapp"
    assert made.lines[1] == f"  made {hopper.cwd / '.hopper'}"
    assert (hopper.cwd / ".hopper" / "hopper.yaml").is_file()
    again = hopper("init", "--json").json
    assert again == {
        "instance_id": "hopper-webapp", "name": "webapp", "created": False, "root": str(hopper.cwd),
        "offers": [], "agents": None,
    }  # fmt: skip
    assert hopper("add", "Fix typo in README").lines[1] == "  kept for a human at webapp"


def test_adding_from_elsewhere(hopper: Shell) -> None:
    hopper("init", "--name", "webapp")
    elsewhere = hopper.cwd / ".." / "elsewhere"
    elsewhere.mkdir()
    hopper("-C", str(elsewhere), "add", "Fix bug", "--project", "webapp")
    assert "Fix bug" in hopper("list").out


def test_project(guide: Shell) -> None:
    made = guide("project", "register", "api", "--capability", "python", "--capability", "sql")
    assert made.id == "api"
    assert guide("project", "show", "api", "--json").json["config"] == {
        "capabilities": ["python", "sql"]
    }
    assert guide("projects", "list", "-q").lines == ["api", "webapp"]


def test_doctor(guide: Shell) -> None:
    found = guide("doctor", "--json").json
    assert all(set(finding) == {"level", "subject", "message"} for finding in found)
    assert guide("doctor", "--rebuild").lines[0].startswith("ok")
    database = guide.home / ".hopper" / "webapp" / "tasks.db"
    database.write_bytes(b"this is no database" * 100)
    broken = guide("doctor", check=1)
    assert any(line.startswith("error") and "webapp" in line for line in broken.lines)


def test_export(guide: Shell, queued: AddTask) -> None:
    done = queued("Fix login")
    guide("task", "done", done)
    queued("Fix logout")
    exported = [json.loads(line) for line in guide("export", "--instance", "worker-1").lines]
    assert [task["title"] for task in exported] == ["Fix login", "Fix logout"]


@pytest.mark.parametrize("args", [(), ("--hierarchy",)])
def test_tasks(guide: Shell, queued: AddTask, args: tuple[str, ...]) -> None:
    queued("Design API schema", "--executor", "architect")
    shown = guide("tasks", "--instance", "worker-1", *args).out
    assert "Design API schema" in shown
    assert "architect" in shown


def test_task_hierarchy(guide: Shell, queued: AddTask) -> None:
    task = queued("Design API schema", "--executor", "architect")
    short = guide("list", "--instance", "worker-1").id
    assert guide("tasks", "--instance", "webapp", "--hierarchy").out == (
        "webapp (PROJECT) [running]\n"
        "└── worker-1 (ORCHESTRATION) [running] - 1 task\n"
        f"    └── {short}  Design API schema → architect [pending]\n"
    )
    tree = guide("tasks", "--instance", "webapp", "--hierarchy", "--json").json
    assert tree["children"][0]["held_tasks"][0]["id"] == task


def test_status(guide: Shell, queued: AddTask) -> None:
    guide("task", "done", queued("One"))
    guide("task", "claim", queued("Two"), "--executor", "coder")
    guide("task", "block", queued("Three"), "--reason", "no access")
    queued("Four")
    shown = guide("status", "--instance", "worker-1").out
    assert "  1 of 4 tasks done (25 %)\n" in shown
    assert "  claimed by coder  Two\n" in shown
    assert "  blocked  Three: no access\n" in shown
    progress = guide("status", "--instance", "worker-1", "--json").json
    assert (progress["done"], progress["total"]) == (1, 4)
    assert progress["counts"]["blocked"] == 1
    assert [node["instance_id"] for node in guide("status", "--json").json["children"]] == [
        "webapp"
    ]


def test_feedback(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    assert "no feedback at worker-1 yet" in guide("feedback", "list", "--instance", "worker-1").err
    guide("task", "done", task)
    guide("feedback", "add", task, "--bad", "--should-be", "webapp", "--quality", "2")
    (rated,) = guide("feedback", "list", "--instance", "worker-1", "--json").json
    assert rated["feedback"]["should_have_routed_to"] == "webapp"
    assert "  quality" in guide("feedback", "list", "--instance", "worker-1").out
    report = guide("feedback", "report", "--instance", "worker-1", "--json").json
    assert (report["feedback"], report["mean_quality"]) == (1, 2)
    assert "mean_quality" in guide("feedback", "report", "--instance", "worker-1").out


def test_removing_a_project(guide: Shell) -> None:
    guide("project", "register", "api")
    guide("instance", "start", "api")
    task = guide("add", "Fix typo", "--instance", "api")
    assert guide("project", "remove", "api").out == "api  removed\n"
    assert guide("project", "list", "-q").lines == ["webapp"]
    assert task.lines[0].endswith("Fix typo")
    assert "Fix typo" in guide("list", "--instance", "global").out
    assert "is no project" in guide("project", "remove", "worker-1", check=1).err
    assert "worker-1" in guide("project", "remove", "webapp", check=1).err
    guide("project", "register", "docs")
    removed = guide("project", "remove", "docs", "--yes", "--json").json
    assert removed == {"instance_id": "docs", "name": "docs", "removed": True}


def test_adding_where_nothing_runs(guide: Shell) -> None:
    guide("instance", "stop", "worker-1")
    added = guide("add", "Fix login", "--instance", "worker-1")
    assert added.lines[1] == "  queued for worker-1 (stopped)"
    guide("instance", "pause", "webapp")
    added = guide("add", "Fix typo in README", "--instance", "webapp", "--executor", "human")
    assert "webapp is paused" in added.lines[1]


def test_stopping_says_what_is_still_held(guide: Shell, queued: AddTask) -> None:
    for title in ("One", "Two"):
        guide("task", "claim", queued(title))
    queued("Three")
    assert (
        guide("instance", "stop", "worker-1").out.split(None, 2)[2]
        == "2 tasks are still held, 1 waits\n"
    )


def test_progress_of_a_run_with_phases(guide: Shell, queued: AddTask) -> None:
    queued("Plan")
    for phase in ("design", "build"):
        made = ("--scope", "orchestration", "--parent", "worker-1")
        guide("instance", "create", phase, *made)
        guide("instance", "start", phase)
        guide("add", f"Do the {phase}", "--instance", phase)
    progress = guide("status", "--instance", "worker-1", "--json").json
    assert (progress["done"], progress["total"], progress["phase"]) == (0, 3, "design")
    guide("task", "done", guide("list", "--instance", "design", "-q").id)
    shown = guide("status", "--instance", "worker-1").lines
    assert "  1 of 3 tasks done (33 %)" in shown
    assert "  phase: build" in shown
    assert guide("status", "--instance", "webapp", "--json").json["phase"] is None


def test_showing_a_run_that_was_archived(guide: Shell) -> None:
    task = guide("add", "Implement OAuth", "--instance", "webapp", "-q").id
    guide("task", "done", task)
    summary = guide("instance", "archive", "worker-1", "--json").json
    assert guide("instance", "show", "worker-1", "--json").json == summary
    assert guide("instance", "show", "worker-1").lines
    assert guide("instance", "show", "worker-1", "-q").out == "worker-1\n"

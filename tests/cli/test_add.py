"""`hopper add`: what is stored, where it goes, and batches that are added whole or not at all."""

from __future__ import annotations

import json
import subprocess

import pytest

from cli.conftest import COMMAND, Shell

WORKER = ("--instance", "worker-1")


@pytest.mark.installed
def test_every_option_is_stored(guide: Shell) -> None:
    first = guide("add", "First", *WORKER, "-q").id
    task = guide(
        *("add", "Build it", *WORKER, "--json", "-d", "All of it", "-p", "HIGH"),
        *("-t", "api", "-t", "web", "--tags", "css, html", "--project", "webapp"),
        *("--depends-on", first, "--executor", "coder", "--capability", "python"),
        *("--needs-orchestration", "--effort", "4h", "--due", "2026-12-24", "--phase", "build"),
    ).json
    assert task["description"] == "All of it"
    assert task["priority"] == "high"
    assert task["tags"] == ["api", "web", "css", "html"]
    assert task["project"] == "webapp"
    assert task["depends_on"] == [first]
    assert task["executor_preference"] == "coder"
    assert task["required_capabilities"] == ["python"]
    assert task["needs_orchestration"] is True
    assert task["estimated_effort"] == "4h"
    assert task["due"] == "2026-12-24T00:00:00.000Z"
    assert task["phase"] == "build"
    assert task["source"] == "cli"
    assert task["requester"] == "alice"
    assert task["routed_to"] == "worker-1"
    assert task["delegations"] == []


def test_json_says_where_it_went(guide: Shell) -> None:
    task = guide("add", "Implement OAuth", "--json", "--instance", "global").json
    assert task["instance"] == "global"
    assert task["routed_to"] == "worker-1"
    assert [hop["target"] for hop in task["delegations"]] == ["webapp", "worker-1"]
    assert {hop["status"] for hop in task["delegations"]} == {"accepted"}


def test_title_of_several_words(guide: Shell) -> None:
    assert guide("add", "Fix", "the", "login", *WORKER, "--json").json["title"] == "Fix the login"


def test_description_from_stdin(guide: Shell) -> None:
    task = guide("add", "Review", "-d", "-", *WORKER, "--json", stdin="line 1\nline 2\n").json
    assert task["description"] == "line 1\nline 2\n"


def test_stdin_closed(hopper: Shell) -> None:
    done = subprocess.run(
        [COMMAND, "task", "add", "X"], stdin=subprocess.DEVNULL, capture_output=True,
        cwd=hopper.cwd, env=hopper.env,
    )  # fmt: skip
    assert done.returncode == 0
    assert "X" in hopper("list").out


def test_batch(guide: Shell) -> None:
    lines = [
        "Plain title",
        "",
        json.dumps({"title": "With fields", "tags": "one", "priority": "urgent", "effort": "2h"}),
        json.dumps({"title": "Later", "depends_on": ["#1"], "executor": "coder"}),
    ]
    tasks = guide("add", "--batch", *WORKER, "-t", "all", "--json", stdin="\n".join(lines)).json
    assert [task["title"] for task in tasks] == ["Plain title", "With fields", "Later"]
    assert [task["tags"] for task in tasks] == [["all"], ["one"], ["all"]]
    assert tasks[1]["priority"] == "urgent"
    assert tasks[1]["estimated_effort"] == "2h"
    assert tasks[2]["depends_on"] == [tasks[0]["id"]]
    assert [task["routed_to"] for task in tasks] == ["worker-1"] * 3
    text = guide("add", "--batch", *WORKER, stdin="A\nB\n").lines
    assert [line.split("  ")[-1] for line in text] == [
        "A", "queued for worker-1", "B", "queued for worker-1",
    ]  # fmt: skip


BAD_LINES = [
    ('{"title": "x"', "line 2: the line is not valid JSON"),
    ('{"titel": "x"}', "line 2: unknown key 'titel'"),
    ('{"tags": ["x"]}', "line 2: a task needs a title"),
    ('{"title": 5}', "line 2: "),
    ('{"title": "x", "tags": 5}', "line 2: 'tags' cannot be int"),
    ('{"title": "x", "due": 5}', "line 2: 'due' cannot be int"),
    ('{"title": "x", "needs_orchestration": "yes"}', "line 2: 'needs_orchestration'"),
    ('{"title": "x", "priority": "someday"}', "line 2: unknown priority 'someday'"),
    ('{"title": "x", "depends_on": ["zzzzz"]}', "line 2: there is no task 'zzzzz'"),
    ('{"title": "x", "metadata": []}', "line 2: 'metadata' cannot be list"),
    ("x" * 1001, "line 2: the title has 1001 characters"),
    ('{"title": ' + "[" * 5000, "line 2: "),
]


@pytest.mark.parametrize(("line", "says"), BAD_LINES, ids=[says for _, says in BAD_LINES])
def test_bad_line_adds_nothing(guide: Shell, line: str, says: str) -> None:
    outcome = guide("add", "--batch", *WORKER, stdin=f"good\n{line}\ngood\n", check=1)
    assert outcome.err.startswith(f"hopper: {says}")
    assert outcome.err.count("\n") == 1
    assert guide("list", *WORKER, "-q").out == ""


def test_empty_batch(guide: Shell) -> None:
    assert "the batch is empty" in guide("add", "--batch", stdin="\n \n", check=1).err


def test_batch_is_one_undo(guide: Shell) -> None:
    guide("add", "--batch", *WORKER, stdin="A\nB\nC\n")
    guide("undo", *WORKER)
    assert guide("list", *WORKER).out == ""


def test_local_cli_off(guide: Shell) -> None:
    guide("instance", "config", "webapp", "integrations.local_cli=false")
    refused = guide("add", "x", "--instance", "webapp", check=1)
    assert "takes no tasks from the command line" in refused.err
    assert guide("add", "Fix typo in README").lines[1] == "  routed to webapp"


def test_a_project_is_named(guide: Shell) -> None:
    guide("project", "register", "api", "--capability", "python")
    guide("instance", "start", "api")
    added = guide("add", "Fix bug", "--project", "api", "-t", "frontend")
    assert added.lines[1].startswith("  routed to api")


def test_stdin_is_read_no_further_than_anything_can_be_long(guide: Shell) -> None:
    many, large = "y\n" * (33 << 20), "y\n" * (1 << 20)
    for words, told in (
        (("add", "--batch"), "the batch on stdin has more than 65536 KiB"),
        (("add", "Fix it", "-d", "-"), "the description on stdin has more than"),
    ):
        assert told in guide(*words, stdin=many if "--batch" in words else large, check=1).err
    long_line = "{" + " " * (1 << 20) + '"title": "x"}'
    assert "line 2: it has more" in guide("add", "--batch", stdin=f"a\n{long_line}", check=1).err
    task = guide("add", "Open a shop", "--instance", "webapp", "--executor", "human", "-q").id
    for plan in ("/dev/zero", "-"):
        refused = guide("task", "break-down", task, "--plan", plan, stdin=large, check=1)
        assert "more than" in refused.err
    assert len(guide("list", "--all", "--instance", "webapp", "-q").lines) == 1

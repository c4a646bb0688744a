"""`hopper task`: each verb, several ids at once, and looking at one task."""

from __future__ import annotations

import json

import pytest

from cli.conftest import AddTask, Shell

WORKER = ("--instance", "worker-1")


def status_of(shell: Shell, task: str) -> str:
    """The status of a task, as scripts see it."""
    return str(shell("task", "show", task, "--json").json["status"])


MOVES = [
    (("claim",), "claimed"),
    (("start",), "in_progress"),
    (("done",), "done"),
    (("complete",), "done"),
    (("fail", "--reason", "gone"), "failed"),
    (("block", "--reason", "waits"), "blocked"),
    (("cancel", "--reason", "duplicate"), "cancelled"),
]


@pytest.mark.parametrize(("verb", "after"), MOVES, ids=[verb[0] for verb, _ in MOVES])
def test_verbs(guide: Shell, queued: AddTask, verb: tuple[str, ...], after: str) -> None:
    task = queued("Fix login")
    said = guide("task", *verb, task[:6])
    assert task.startswith(said.id.removeprefix("web-"))
    assert said.out.endswith("  Fix login\n")
    assert status_of(guide, task) == after


WORDS = ["claimed", "in_progress", "blocked", "completed", "done", "failed", "cancelled", "DONE"]


@pytest.mark.parametrize("word", WORDS)
def test_status(guide: Shell, queued: AddTask, word: str) -> None:
    task = queued("Fix login")
    guide("task", "status", task, word)
    assert status_of(guide, task) == {"completed": "done"}.get(word.lower(), word.lower())


@pytest.mark.installed
def test_back_into_the_queue(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    guide("task", "claim", task)
    guide("task", "release", task)
    assert status_of(guide, task) == "pending"
    guide("task", "done", task)
    assert "Reopen it first" in guide("task", "claim", task, check=1).err
    guide("task", "reopen", task)
    assert status_of(guide, task) == "pending"
    guide("task", "start", task)
    guide("task", "status", task, "open")
    assert status_of(guide, task) == "pending"


def test_done_again_changes_nothing(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    first = guide("task", "done", task, "--json").json
    assert guide("task", "done", task, "--json").json == first


def test_only_the_holder_finishes(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    guide("task", "claim", task, "--executor", "coder")
    assert "is held by coder" in guide("task", "claim", task, check=1).err
    lost = guide("task", "done", task, "--executor", "tester", "--json", check=1)
    assert lost.error["code"] == "lease_lost"
    assert guide("task", "done", task, "--executor", "coder", "--json").json["owner"] == "coder"


def test_capacity(guide: Shell, queued: AddTask) -> None:
    guide("instance", "config", "worker-1", "max_concurrent_tasks=1")
    first, second = queued("One"), queued("Two")
    guide("task", "claim", first)
    full = guide("task", "claim", second, "--json", check=1)
    assert full.error["code"] == "at_capacity"
    assert "1/1" in full.error["message"]


def test_done_with_result_and_feedback(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    done = guide(
        *("task", "done", task, "--json", "--result", '{"url": "x"}', "--good"),
        *("--quality", "4.5", "--duration", "1h30m", "--rework", "--notes", "fine"),
    ).json
    assert done["result"] == {"url": "x"}
    assert done["feedback"]["was_good_match"] is True
    assert done["feedback"]["quality"] == 4.5
    assert done["feedback"]["actual_duration"] == 5400
    assert done["feedback"]["rework"] is True
    assert done["feedback"]["notes"] == "fine"


def test_update(guide: Shell, queued: AddTask) -> None:
    other, task = queued("Other"), queued("Fix login", "-t", "api", "--executor", "coder")
    changed = guide(
        *("task", "update", task, "--json", "--title", "Fix logout", "-d", "text", "-p", "low"),
        *("--add-tag", "web,css", "--remove-tag", "api", "--due", "2026-12-24", "--effort", "1d"),
        *("--executor", "", "--add-depends-on", other, "--phase", "2"),
    ).json
    assert changed["title"] == "Fix logout"
    assert changed["description"] == "text"
    assert changed["priority"] == "low"
    assert changed["tags"] == ["web", "css"]
    assert changed["due"] == "2026-12-24T00:00:00.000Z"
    assert changed["estimated_effort"] == "1d"
    assert not changed["executor_preference"]
    assert changed["depends_on"] == [other]
    assert changed["phase"] == "2"
    cleared = guide("task", "update", task, "--json", "--due", "", "--remove-depends-on", other)
    assert not cleared.json["due"]
    assert cleared.json["depends_on"] == []


def test_several_ids_are_one_undo(guide: Shell, queued: AddTask) -> None:
    tasks = [queued(f"Task {number}") for number in range(3)]
    said = guide("task", "done", *tasks)
    assert [line.split("  ")[1:] for line in said.lines] == [
        ["done", f"Task {number}"] for number in range(3)
    ]
    guide("undo", *WORKER)
    assert {status_of(guide, task) for task in tasks} == {"pending"}
    guide("redo", *WORKER)
    assert {status_of(guide, task) for task in tasks} == {"done"}


def test_some_of_several_are_refused(guide: Shell, queued: AddTask) -> None:
    good, bad = queued("Good"), queued("Bad")
    guide("task", "done", bad)
    said = guide("task", "claim", good, bad, "zzzzz", check=1)
    assert len(said.lines) == 1
    assert said.err.startswith("hopper: 1 claimed, 2 refused: ")
    assert "'zzzzz'" in said.err
    assert said.err.count("\n") == 1
    assert status_of(guide, good) == "claimed"
    as_json = guide("task", "release", good, "zzzzz", "--json", check=1)
    assert [task["id"] for task in as_json.json] == [good]
    assert as_json.error["code"] == "partly_refused"


def test_one_id_gives_an_object_several_an_array(guide: Shell, queued: AddTask) -> None:
    first, second = queued("One"), queued("Two")
    assert guide("task", "claim", first, "--json").json["id"] == first
    both = guide("task", "claim", first, second, "--json").json
    assert [task["id"] for task in both] == [first, second]


def test_every_verb_takes_the_instance(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    for verb in (
        "show",
        "claim",
        "start",
        "release",
        "done",
        "reopen",
        "delegations",
        "why",
        "log",
    ):
        guide("task", verb, task, *WORKER)
    guide("task", "note", task, "seen", *WORKER)
    guide("task", "update", task, "-p", "low", *WORKER)
    guide("task", "show", task, "--instance", "nope", check=1)


def test_any_task_of_the_chain(guide: Shell) -> None:
    task = guide("add", "Implement OAuth", "-q").id
    at_worker = guide("list", *WORKER, "-q").id
    assert at_worker != task
    chain = guide("task", "delegations", task).out
    assert guide("task", "delegations", at_worker).out == chain
    done = guide("task", "done", task, "--json").json
    assert (done["id"], done["status"]) == (task, "done")
    assert status_of(guide, at_worker) == "done"


def test_show(guide: Shell) -> None:
    task = guide("add", "Implement OAuth", "-d", "First line\nsecond line", "-t", "api", "-q").id
    guide("task", "note", task, "asked", "the", "team")
    shown = guide("task", "show", task).out
    said = [" ".join(line.split()) for line in shown.splitlines()]
    for line in (
        "status delegated",
        "tags api",
        "First line",
        "second line",
        "1. global → webapp (route) [accepted]",
        "it is ready at worker-1; nobody has claimed it",
    ):
        assert line in said
    assert "asked the team" in shown
    assert guide("task", "get", task).out == shown


def test_why(guide: Shell) -> None:
    task = guide("add", "Build login page", "-t", "frontend", "-t", "react", "-q").id
    first, *_ = guide("task", "why", task).lines
    assert first.startswith("global → webapp (")
    assert "confidence" in first
    decisions = guide("task", "why", task, "--json").json
    assert [decision["target"] for decision in decisions] == ["webapp", "worker-1"]
    assert decisions[0]["candidates"][0]["factors"]


def test_stuck_at_global_is_explained(guide: Shell) -> None:
    guide("instance", "pause", "webapp")
    task = guide("add", "Draw a logo", "-q").id
    assert "it waits at global: " in guide("task", "why", task).out


def test_log(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    guide("task", "claim", task)
    guide("task", "note", task, "half way")
    kinds = [event["kind"] for event in guide("task", "log", task, "--json").json]
    assert kinds == ["task.note", "task.claimed", "task.created"]
    newest = guide("task", "log", task, "--limit", "1").out
    assert newest.rstrip().endswith("half way")
    assert json.loads(guide("log", *WORKER, "--limit", "1", "--json").out)[0]["kind"] == "task.note"


@pytest.mark.parametrize("words", [("done", "ID"), ("status", "ID", "completed")])
def test_done_already(guide: Shell, queued: AddTask, words: tuple[str, ...]) -> None:
    task = queued("Fix login")
    guide("task", "done", task)
    events = guide("task", "log", task).out
    again = guide("task", *(task if word == "ID" else word for word in words))
    assert again.out.split(maxsplit=1)[1] == "already done  Fix login\n"
    assert guide("task", "log", task).out == events

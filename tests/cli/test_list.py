"""list, search and next: what is shown, in which order, and what an empty answer says."""

from __future__ import annotations

import pytest

from cli.conftest import AddTask, Shell

WORKER = ("--instance", "worker-1")


@pytest.fixture
def queue(guide: Shell, queued: AddTask) -> Shell:
    """A worker's queue with four tasks of different kinds."""
    queued("Write docs", "-p", "low", "-t", "docs")
    queued("Fix login", "-p", "urgent", "-t", "api")
    queued("Tidy up")
    claimed = queued("Ship it", "-p", "high", "-t", "api")
    guide("task", "claim", claimed, "--executor", "coder")
    return guide


def titles(shell: Shell, *args: str) -> list[str]:
    """The titles that `hopper list` gives, in order."""
    return [task["title"] for task in shell("list", *WORKER, *args, "--json").json]


def test_rows(queue: Shell) -> None:
    rows = [line.split() for line in queue("list", *WORKER).lines]
    assert [row[1:3] for row in rows] == [
        ["urgent", "pending"],
        ["high", "claimed"],
        ["medium", "pending"],
        ["low", "pending"],
    ]
    assert rows[1][4:] == ["coder", "Ship", "it", "#api"]
    starts = {line.index(title) for line, title in zip(
        queue("list", *WORKER).lines, ("Fix", "Ship", "Tidy", "Write"), strict=True)}  # fmt: skip
    assert len(starts) == 1
    assert queue("task", "show", rows[0][0], "--json").json["title"] == "Fix login"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), ["Fix login", "Ship it", "Tidy up", "Write docs"]),
        (("--sort", "created"), ["Write docs", "Fix login", "Tidy up", "Ship it"]),
        (("--sort", "title"), ["Fix login", "Ship it", "Tidy up", "Write docs"]),
        (("--limit", "2"), ["Fix login", "Ship it"]),
        (("--ready",), ["Fix login", "Tidy up", "Write docs"]),
        (("--status", "claimed"), ["Ship it"]),
        (("--status", "Open"), ["Fix login", "Tidy up", "Write docs"]),
        (("--priority", "low"), ["Write docs"]),
        (("--tag", "api"), ["Fix login", "Ship it"]),
        (("--owner", "coder"), ["Ship it"]),
        (("tag:api", "login"), ["Fix login"]),
        (("tag:api login",), ["Fix login"]),
        (("priority>=high",), ["Fix login", "Ship it"]),
        (("!tag:api",), ["Tidy up", "Write docs"]),
    ],
)
def test_narrowing(queue: Shell, args: tuple[str, ...], expected: list[str]) -> None:
    assert titles(queue, *args) == expected


def test_done_and_completed_are_one_word(queue: Shell) -> None:
    task = queue("list", *WORKER, "-q").lines[0]
    queue("task", "done", task)
    assert titles(queue) == ["Ship it", "Tidy up", "Write docs"]
    assert titles(queue, "--status", "done") == ["Fix login"]
    assert titles(queue, "--status", "COMPLETED") == ["Fix login"]
    assert "Fix login" in titles(queue, "--all")


@pytest.mark.installed
def test_delegated_tasks_say_where_the_work_is(guide: Shell) -> None:
    guide("add", "Implement OAuth")
    (line,) = guide("list").lines
    assert "  delegated  " in line
    assert "  → worker-1  Implement OAuth" in line


def test_a_long_list_is_cut_for_people_only(guide: Shell) -> None:
    guide("add", "--batch", *WORKER, stdin="".join(f"Task {n}\n" for n in range(120)))
    shown = guide("list", *WORKER)
    assert len(shown.lines) == 100
    assert shown.err == "the first 100 tasks; --limit 0 shows all\n"
    assert len(guide("list", *WORKER, "--limit", "0").lines) == 120
    assert len(guide("list", *WORKER, "-q").lines) == 120
    assert len(guide("list", *WORKER, "--json").json) == 120


def test_an_empty_answer_says_why(guide: Shell, queued: AddTask) -> None:
    nothing = guide("list", *WORKER)
    assert (nothing.out, nothing.err) == (
        "", 'no tasks at worker-1 yet. Add one: hopper add "..."\n',
    )  # fmt: skip
    queued("Fix login")
    hidden = guide("list", *WORKER, "tag:docs")
    assert "the filter hides 1 task of worker-1" in hidden.err
    assert guide("list", *WORKER, "tag:docs", "--json").out == "[]\n"
    assert guide("list", *WORKER, "tag:docs", "--json").err == ""


def test_search_looks_everywhere(guide: Shell, queued: AddTask) -> None:
    done = queued("Fix login")
    guide("task", "done", done)
    guide("add", "Fix typo in README", "--instance", "webapp")
    assert {task["title"] for task in guide("search", "fix", "--json").json} == {
        "Fix login", "Fix typo in README",
    }  # fmt: skip
    assert guide("task", "search", "login").lines[0].endswith("Fix login")
    assert "no task contains 'nothing'" in guide("search", "nothing").err


def test_next(queue: Shell) -> None:
    shown = queue("next", *WORKER)
    assert shown.lines[0].endswith("  urgent  Fix login")
    assert shown.lines[-1] == f"  take it: hopper task claim {shown.id}"
    assert queue("next", *WORKER).id == shown.id
    taken = queue("next", *WORKER, "--claim", "--executor", "coder")
    assert taken.id == shown.id
    assert taken.lines[-1] == f"  when it is done: hopper task done {shown.id} --executor coder"
    assert queue("task", "show", taken.id, "--json").json["owner"] == "coder"
    assert queue("next", *WORKER, "--json").json["title"] == "Tidy up"


def test_next_finishes_a_task_and_goes_on_where_that_one_was(queue: Shell) -> None:
    coder = ("--executor", "coder")
    first = queue("next", *WORKER, "--claim", *coder).id
    second = queue("next", "--done", first, "--result", '{"n": 1}', *coder)
    assert second.lines[0].endswith("  Tidy up")
    assert second.err == f"done: {first}\n"
    shown = queue("task", "show", first, "--json").json
    assert (shown["status"], shown["result"]) == ("done", {"n": 1})
    assert queue("task", "show", second.id, "--json").json["owner"] == "coder"
    refused = queue("next", "--done", second.id, "--executor", "other", check=1)
    assert "coder does" in refused.err
    last = second
    while (after := queue("next", "--done", last.id, *coder, check=None)).code == 0:
        last = after
    assert (after.code, after.err.splitlines()[0]) == (4, f"done: {last.id}")
    assert titles(queue) == ["Ship it"]


def test_a_result_needs_the_task_that_it_is_of(queue: Shell) -> None:
    assert "name it with --done" in queue("next", "--result", "1", check=2).err


def test_next_says_what_waits_elsewhere(guide: Shell, queued: AddTask) -> None:
    queued("Fix login")
    nothing = guide("next", "--instance", "webapp", check=4)
    assert nothing.err == (
        "hopper: nothing to do at webapp. "
        "1 task waits at worker-1: hopper next --instance worker-1\n"
    )
    assert guide("next", "--instance", "webapp", "--json", check=4).error["code"] == "nothing_there"


def test_next_fits_the_executor(guide: Shell, queued: AddTask) -> None:
    queued("For the tester", "--executor", "tester", "-p", "urgent")
    queued("Needs rust", "--capability", "rust")
    queued("For anybody", "-p", "low")
    assert guide("next", *WORKER, "--executor", "coder", "--json").json["title"] == "For anybody"
    fitting = guide("next", *WORKER, "--executor", "coder", "--capability", "rust", "--json").json
    assert fitting["title"] == "Needs rust"

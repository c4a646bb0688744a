"""Delegating by hand, answering, and seeing every attempt."""

from __future__ import annotations

import pytest

from cli.conftest import Shell


@pytest.fixture
def two(guide: Shell) -> Shell:
    """The guide's hierarchy with a second worker."""
    guide("instance", "create", "worker-2", "--scope", "orchestration", "--parent", "webapp")
    guide("instance", "start", "worker-2")
    return guide


def kept(shell: Shell) -> str:
    """A task that stays at the project."""
    return shell("add", "Fix typo in README", "--instance", "webapp", "-q").id


def test_route(two: Shell) -> None:
    task = kept(two)
    made = two("task", "delegate", task, "--to", "worker-2", "--notes", "please")
    assert made.out.endswith("  webapp → worker-2 (route) [accepted]\n")
    assert two("task", "delegations", task, "-q").lines == [made.id]
    assert two("task", "delegations", task).out == "1. webapp → worker-2 (route) [accepted]\n"


@pytest.mark.installed
def test_the_router_chooses_where_nobody_does(guide: Shell) -> None:
    task = guide("add", "Implement OAuth", "--instance", "webapp", "-q").id
    (hop,) = guide("delegation", "list", "--status", "accepted", "-q").lines
    guide("delegation", "cancel", hop)
    assert "webapp → worker-1 (route)" in guide("task", "delegate", task).out


def test_decompose(two: Shell) -> None:
    task = kept(two)
    parts = ("--subtask", "Design", "--subtask", "Build", "--subtask", "Test")
    two("task", "delegate", task, "--to", "worker-1", "--type", "decompose", *parts)
    children = two("list", "--instance", "worker-1", "--json").json
    assert [child["title"] for child in children] == ["Design", "Build", "Test"]
    for child in children:
        assert two("task", "show", task, "--json").json["status"] == "delegated"
        two("task", "done", child["id"])
    assert two("task", "show", task, "--json").json["status"] == "done"


def test_a_failed_part_blocks_the_whole(two: Shell) -> None:
    task = kept(two)
    two(
        *("task", "delegate", task, "--to", "worker-1", "--type", "decompose"),
        *("--subtask", "Design", "--subtask", "Build"),
    )
    first, second = two("list", "--instance", "worker-1", "-q").lines
    two("task", "fail", first, "--reason", "no idea")
    two("task", "done", second)
    blocked = two("task", "show", task, "--json").json
    assert blocked["status"] == "blocked"
    assert "no idea" in blocked["reason"]


def test_escalate_and_reassign(two: Shell) -> None:
    task = two("add", "Run tests", "--instance", "worker-1", "-q").id
    two("task", "delegate", task, "--to", "worker-2", "--type", "reassign")
    (moved,) = two("list", "--instance", "worker-2", "-q").lines
    two("task", "delegate", moved, "--type", "escalate")
    assert two("task", "delegations", task).lines[:2] == [
        "1. worker-1 → worker-2 (reassign) [accepted]",
        "2. worker-2 → webapp (escalate) [accepted]",
    ]


REFUSED = [
    (("--to", "webapp"), "cannot delegate to itself"),
    (("--to", "global"), "is not below webapp"),
    (("--to", "worker-1", "--type", "reassign"), "is not a sibling of webapp"),
    (("--to", "worker-1", "--type", "decompose"), "needs at least one subtask"),
    (("--to", "worker-1", "--subtask", "x"), "takes no subtasks"),
    (("--to", "nope"), "'nope'"),
]


@pytest.mark.parametrize(("args", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_refused(two: Shell, args: tuple[str, ...], says: str) -> None:
    assert says in two("task", "delegate", kept(two), *args, check=1).err


def test_refused_twice_and_when_done(two: Shell) -> None:
    task = kept(two)
    two("task", "delegate", task, "--to", "worker-1")
    assert "already delegated" in two("task", "delegate", task, "--to", "worker-2", check=1).err
    two("task", "done", task)
    assert "Reopen it first" in two("task", "delegate", task, "--to", "worker-2", check=1).err


@pytest.fixture
def asking(two: Shell) -> Shell:
    """Two workers that want to be asked."""
    for worker in ("worker-1", "worker-2"):
        two("instance", "config", worker, "auto_accept=false")
    return two


def test_accept(asking: Shell) -> None:
    task = asking("add", "Implement OAuth", "--instance", "webapp")
    assert task.lines[1].startswith("  offered to worker-")
    (hop,) = asking("delegation", "list", "--status", "pending", "-q").lines
    asking("delegation", "accept", hop)
    assert asking("task", "delegations", task.id).out.endswith("(route) [accepted]\n")
    assert (
        "accepted it already" in asking("delegation", "reject", hop, "--reason", "no", check=1).err
    )


def test_reject_then_fallback_then_nobody_fits(asking: Shell) -> None:
    task = asking("add", "Implement OAuth", "--instance", "webapp", "-q").id
    for number in (1, 2):
        (hop,) = asking("delegation", "list", "--status", "pending", "-q").lines
        asking("delegation", "reject", hop, "--reason", f"no time {number}")
    chain = asking("task", "delegations", task).lines
    assert all(line.endswith("(route) [rejected]") for line in chain[:2])
    assert len({line.split(" → ")[1].split()[0] for line in chain[:2]}) == 2
    verbose = asking("task", "delegations", task, "-v").out
    assert "no time 1" in verbose
    assert "s ago" in verbose
    rejected = asking("delegation", "list", "--status", "rejected", "--json").json
    assert [hop["reason"] for hop in rejected] == ["no time 1", "no time 2"]


def test_complete_and_cancel(two: Shell) -> None:
    first, second = kept(two), kept(two)
    hop = two("task", "delegate", first, "--to", "worker-1", "-q").id
    done = two("delegation", "complete", hop, "--result", '{"output": "ok"}', "--json").json
    assert (done["status"], done["result"]) == ("completed", {"output": "ok"})
    assert two("task", "show", first, "--json").json["status"] == "done"
    hop = two("task", "delegate", second, "--to", "worker-1", "-q").id
    assert two("delegations", "cancel", hop, "--json").json["status"] == "cancelled"
    assert two("task", "show", second, "--json").json["status"] == "pending"


def test_list(two: Shell) -> None:
    assert two("delegation", "list").err == "no delegations yet\n"
    two("add", "Implement OAuth")
    rows = two("delegations", "ls").lines
    assert [row.split()[1:3] for row in rows] == [["accepted", "route"]] * 2
    assert "global → webapp" in rows[0]
    assert len(two("delegation", "list", "--instance", "global").lines) == 1


def test_delegating_to_who_rejects_it(two: Shell) -> None:
    task = kept(two)
    two("instance", "pause", "worker-2")
    said = two("task", "delegate", task, "--to", "worker-2", check=1)
    assert "webapp → worker-2 (route) [rejected]" in said.out
    (line,) = said.err.splitlines()
    assert "worker-2 is paused" in line
    assert "it is back at webapp" in line
    said = two("task", "delegate", task, "--to", "worker-2", "--json", check=1)
    assert said.json["status"] == "rejected"
    assert said.error["code"] == "rejected"
    assert two("task", "show", task, "--json").json["status"] == "pending"


def test_delegating_several_to_who_rejects_them(two: Shell) -> None:
    two("instance", "pause", "worker-2")
    said = two("task", "delegate", kept(two), kept(two), "--to", "worker-2", check=1)
    assert len(said.lines) == 2
    assert said.err.startswith("hopper: 0 delegated, 2 refused: ")

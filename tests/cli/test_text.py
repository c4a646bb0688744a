"""The pure functions behind the text: columns, trees, words."""

from __future__ import annotations

import pytest

from hopper_tui.cli.columns import align, cells, cut
from hopper_tui.cli.output import (
    chain_lines,
    draw_tree,
    event_json,
    event_rows,
    pairs,
    placement,
    task_rows,
)  # fmt: skip
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.event import Event, Patch
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    TaskStatus,
)
from hopper_tui.model.task import Task

NOW = 1_800_000_000.0
THEN = "2027-01-15T07:58:00.000Z"


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("→", 1),
        ("日本", 4),
        ("é", 1),
        ("e\u0301", 1),
        ("👍", 2),
        ("\u200b", 0),
    ],
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


def test_cut() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 5) == "abcd…"
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"
    assert cut("abc", 0) == ""


def test_align() -> None:
    assert align([("a", "", "日本", "x"), ("bb", "", "c", "y")]) == ["a   日本  x", "bb  c     y"]
    assert align([("a", "long title")], width=11) == ["a  long ti…"]
    assert align([("", "")]) == [""]
    assert align([]) == []
    assert align([("urgent", "x")], color=True) == ["\x1b[1;31murgent\x1b[0m  x"]


def test_pairs_leave_out_what_says_nothing() -> None:
    assert pairs({"a": None, "bb": "", "c": [], "d": 0, "e": False, "f": 1.50, "g": {"x": 1}}) == [
        "d  0",
        "e  false",
        "f  1.5",
        'g  {"x": 1}',
    ]


def test_tree() -> None:
    tree = {"a": ["b", "c"], "b": ["d"], "c": ["e"]}
    drawn = list(draw_tree(["a"], str.upper, lambda node: tree.get(node, [])))
    assert drawn == ["A", "├── B", "│   └── D", "└── C", "    └── E"]


def hop(status: DelegationStatus, target: str = "webapp", accepted: bool = True) -> Delegation:
    """A hop from global."""
    return Delegation(
        "d1", "t1", "t1", "global", target, DelegationType.ROUTE, status=status,
        delegated_at=THEN, accepted_at=THEN if accepted else None, reason="it fits",
    )  # fmt: skip


def test_chain() -> None:
    chain = [hop(DelegationStatus.REJECTED, "api"), hop(DelegationStatus.ACCEPTED)]
    assert chain_lines(chain, str) == [
        "1. global → api (route) [rejected]",
        "2. global → webapp (route) [accepted]",
    ]
    assert chain_lines(chain[:1], str, NOW)[1] == "   2m ago: it fits"


@pytest.mark.parametrize(
    ("task", "chain", "scope", "expected"),
    [
        (Task(instance="g"), [hop(DelegationStatus.ACCEPTED)], "global", "routed to webapp"),
        (Task(instance="g"), [hop(DelegationStatus.PENDING, accepted=False)], "global",
         "offered to webapp"),
        (Task(instance="g", reason="nobody"), [hop(DelegationStatus.REJECTED)], "global",
         "waits at g: nobody"),
        (Task(instance="p", waiting=True, reason="all full"), [], "project",
         "waits at p: all full"),
        (Task(instance="p", executor_preference="human"), [], "project",
         "kept for a human at p"),
        (Task(instance="p", executor_preference="ci"), [], "project", "kept for ci at p"),
        (Task(instance="p"), [], "project", "kept at p"),
        (Task(instance="w"), [], "orchestration", "queued for w"),
    ],
)  # fmt: skip
def test_placement(task: Task, chain: list[Delegation], scope: str, expected: str) -> None:
    holder = Instance(
        task.instance, task.instance, HopperScope(scope), status=InstanceStatus.RUNNING
    )
    assert placement(task, chain, holder, str) == expected


def test_placement_says_when_nothing_runs_there() -> None:
    project = Instance("p", "p", HopperScope.PROJECT, status=InstanceStatus.STOPPED)
    assert placement(Task(instance="p"), [], project, str) == "kept at p (stopped)"
    worker = Instance("w", "w", HopperScope.ORCHESTRATION)
    assert placement(Task(instance="w"), [], worker, str) == "queued for w (created)"


def test_task_rows() -> None:
    tasks = [
        Task("One", id="a", tags=("x", "y"), created_at=THEN, owner="bob"),
        Task("Two", id="b", status=TaskStatus.DELEGATED, created_at=THEN),
    ]
    assert task_rows(tasks, {"a": "w-a", "b": "w-b"}, {"b": "worker"}, NOW) == [
        "w-a  medium  pending    2m  bob       One #x #y",
        "w-b  medium  delegated  2m  → worker  Two",
    ]


def test_events() -> None:
    patch = Patch({"status": "done", "id": "x"}, {"status": "claimed"}, {"tags": ("a",)}, {})
    event = Event(7, "g", THEN, "bob", "task.done", "task", "k1", patch, {"reason": "because"})
    assert event_rows([event], None) == [
        "2027-01-15T07:58:00Z  bob  task.done  k1  because status=done +a"
    ]
    assert event_json(event)["changes"] == {
        "status": {"to": "done", "from": "claimed"},
        "id": {"to": "x", "from": None},
        "tags": {"added": ["a"]},
    }

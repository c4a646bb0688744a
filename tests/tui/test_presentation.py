"""What the screen says about a value, without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hopper_tui.model.clock import stamp
from hopper_tui.model.conflict import Conflict, Side
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.instance import Instance, Load
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    Priority,
    TaskStatus,
)
from hopper_tui.model.task import Task
from hopper_tui.tui.git_lines import place_line
from hopper_tui.tui.presentation import (
    HOP,
    INSTANCE,
    PRIORITY,
    STATUS,
    clip,
    clip_middle,
    empty_queue,
    fit,
    line_width,
    problem_lines,
    queue_row,
    queue_title,
    report_text,
    tree_row,
    wrap,
)
from hopper_tui.tui.roles import Line
from hopper_tui.tui.snapshot import (
    CheckoutSnapshot,
    ConflictRow,
    DetailSnapshot,
    Hop,
    Problem,
    QueueSnapshot,
    Refusal,
    Report,
    TaskRow,
    TreeRow,
)
from hopper_tui.tui.task_lines import chain_lines, detail_lines

from .worlds import NOW

AGO = stamp(NOW - 240)
HOSTILE = [
    "[/x]",
    "[bold]not bold[/bold]",
    "\x1b[31mred\x1b[0m\x07",
    "abc \u202egnirts",
    "修复登录崩溃" * 20,
    "🚀👩‍👩‍👧‍👦 launch",
    "x" * 400,
    "two\nlines\tand tabs",
    "",
    "\ud800 lone",
]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def row(title: str = "Fix login", **fields: object) -> TaskRow:
    task = Task(title=title, id="k7m2q", created_at=AGO, updated_at=AGO, **fields)  # type: ignore[arg-type]
    return TaskRow(task, "web-k7m2q", "worker-1")


def harmless(shown: str) -> bool:
    return not any(c in shown for c in "\x1b\x07\n\t\u202e\ud800")


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("width", [20, 34, 80, 200])
def test_a_row_is_harmless_and_exactly_as_wide_as_asked(title: str, width: int):
    line = queue_row(row(title, tags=(title[:50],), reason=title), width, NOW, 9)
    assert harmless(text(line))
    assert line_width(line) == max(width, 16)


@given(st.text(max_size=200), st.integers(0, 120))
def test_fit_is_exact_for_any_text(value: str, width: int):
    assert cell_len(fit(value, width)) == width


@given(st.text(max_size=200), st.integers(4, 60))
def test_wrapped_lines_fit_and_are_harmless(value: str, width: int):
    for line in wrap(value, width):
        assert cell_len(line) <= width
        assert harmless(line)


def test_clip_marks_where_it_cut():
    assert clip("a long title", 7) == "a long…"
    assert clip("short", 7) == "short"
    assert clip("修复登录", 5) == "修复…"


def test_names_are_cut_in_the_middle():
    assert clip_middle("hopper-webapp-run-7f2", 11) == "hoppe…n-7f2"
    assert clip_middle("worker-1", 11) == "worker-1"
    assert cell_len(clip_middle("修复登录崩溃修复登录", 9)) <= 9


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": TaskStatus.CLAIMED, "owner": "claude"}, "claude 4m"),
        ({"status": TaskStatus.BLOCKED, "reason": "no access"}, "no access"),
        ({"status": TaskStatus.DELEGATED}, "worker-1 4m"),
        ({"open_deps": 2}, "waits for 2 4m"),
        ({"waiting": True}, "nobody fits 4m"),
        ({"tags": ("api", "auth")}, "api auth 4m"),
    ],
)
def test_a_row_ends_with_what_matters_in_its_state(fields: dict[str, object], said: str):
    assert text(queue_row(row(**fields), 80, NOW, 9)).endswith(said)


def test_a_marked_row_says_so_without_colour():
    assert text(queue_row(row(), 60, NOW, 9, marked=True)).startswith("◉")


@pytest.mark.parametrize(
    "table", [PRIORITY, STATUS, INSTANCE, HOP], ids=["priority", "status", "instance", "hop"]
)
def test_every_state_has_one_cell(table: dict[object, object]):
    assert all(cell_len(span.text) == 1 for span in table.values())  # type: ignore[attr-defined]


def test_tables_are_complete():
    assert set(PRIORITY) == set(Priority)
    assert set(STATUS) == set(TaskStatus)
    assert set(INSTANCE) == set(InstanceStatus)
    assert set(HOP) == set(DelegationStatus)


def worker(**fields: object) -> TreeRow:
    instance = Instance("w", "worker-1", HopperScope.ORCHESTRATION, "p", InstanceStatus.RUNNING)
    return TreeRow(instance, Load(7, 4, 3, 10), 2)._replace(**fields)


def test_a_worker_shows_how_full_it_is():
    assert text(tree_row(worker(), 30)).split() == ["●", "worker-1", "3/10", "+4"]
    assert text(tree_row(worker(), 24)).split() == ["●", "worker-1", "3/10"]


def test_a_folded_hopper_and_a_broken_one():
    assert text(tree_row(worker(has_children=True), 30, folded=True)).split()[0] == "▸"
    broken = worker(problem=Problem("storage", "locked"))
    assert text(tree_row(broken, 30)).split() == ["✗", "worker-1", "broken"]


@pytest.mark.parametrize("width", [20, 30, 60])
def test_tree_rows_are_exactly_as_wide_as_asked(width: int):
    assert line_width(tree_row(worker(), width)) == width


def test_no_tasks_differs_from_a_filter_that_hides_them():
    here = Instance("w", "webapp", HopperScope.PROJECT)
    assert "Nothing waits" in text(empty_queue(QueueSnapshot(1, here), "esc", "a")[0])
    filtered = QueueSnapshot(1, here, "x", total=214)
    assert text(empty_queue(filtered, "esc", "a")[0]) == "The filter hides 214 tasks."
    assert queue_title(filtered, "webapp") == "webapp · 0 of 214"


def hop(status: DelegationStatus, **fields: object) -> Hop:
    it = Delegation("h", "t", "t", "a", "b", DelegationType.ROUTE, status=status, **fields)  # type: ignore[arg-type]
    return Hop(it, "webapp", "worker-1")


def test_a_rejected_hop_keeps_its_reason():
    lines = [
        text(line)
        for _, line in chain_lines([hop(DelegationStatus.REJECTED, reason="full")], 40, NOW)
    ]
    assert lines[0].split() == ["✗", "webapp", "→", "worker-1", "rejected"]
    assert lines[1].strip() == "full"


def test_details_show_hostile_text_as_text():
    for title in HOSTILE:
        detail = DetailSnapshot(1, "k", row(title, description=title, reason=title))
        for line in detail_lines(detail, 36, NOW):
            assert harmless(text(line))
            assert line_width(line) <= 36


def test_reports():
    no = Refusal("web-a", Problem("x", "web-a is done", "Reopen it"))
    assert report_text(Report("claimed", ("web-k",))) == "claimed web-k"
    assert report_text(Report("claimed", ("a", "b"))) == "2 claimed"
    assert report_text(Report("claimed", (), (no,))) == "web-a is done. Reopen it"
    assert (
        report_text(Report("done", tuple("abcdefg"), (no,)))
        == "7 done, 1 refused: web-a is done. Reopen it"
    )


def test_a_report_says_each_reason_once():
    done = [Refusal(f"k{n}", Problem("x", f"web-k{n} is done", "Reopen it")) for n in range(3)]
    held = Refusal("h", Problem("x", "bob works on it at worker-1"))
    assert report_text(Report("claimed", (), (*done, held))) == (
        "4 refused: web-k0 is done. Reopen it; bob works on it at worker-1; 2 more"
    )
    assert report_text(Report("claimed", ("a",), tuple(done))) == (
        "1 claimed, 3 refused: web-k0 is done. Reopen it; 2 more"
    )


def test_a_problem_comes_with_its_fix():
    lines = [text(line) for line in problem_lines(Problem("x", "locked", "Wait"), 30)]
    assert lines == ["✗ locked", "Wait"]


@pytest.mark.parametrize("room", range(8, 80))
@pytest.mark.parametrize("branch", ["main", "feature/分支-with-a-name-that-goes-on-and-on", None])
def test_the_place_never_takes_more_room_than_there_is(room: int, branch: str | None):
    checkout = CheckoutSnapshot(1, "hopper-web", "web", branch, 1234)
    line = place_line("ann", "web", 3, checkout, room)
    assert line_width(line) <= max(room, len("+1,234"))


def test_the_place_drops_what_matters_least_first():
    side = Side("e", "ann", "", "r", {"priority": "low"})
    row = ConflictRow(Conflict("task", "k", "priority", "field", side, side), side, side, "k", "t")
    checkout = CheckoutSnapshot(1, "hopper-web", "web", "main", 3, (row, row))

    def at(room: int) -> str:
        return "".join(span.text for span in place_line("ann", "web", 0, checkout, room))

    assert at(60) == "ann @ web · main · 3 uncommitted · 2 conflicts"
    assert at(40) == "web · main · 3 uncommitted · 2 conflicts"
    assert at(39) == "main · 3 uncommitted · 2 conflicts"
    assert at(25) == "main · +3 · 2 conflicts"
    assert at(20) == "+3 · 2 conflicts"
    checkout = checkout._replace(branch="feature/a-name-with-a-few-words")
    assert at(33) == "featu…-words · +3 · 2 conflicts"
    assert at(5) == "2 conflicts"

"""Complexity: its calibration at the default threshold 3, and its laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopper_tui.model.lifecycle import Priority
from hopper_tui.model.task import Task
from hopper_tui.routing.complexity import complexity


def score(task: Task) -> float:
    return complexity(task).score


@pytest.mark.parametrize(
    "task",
    [
        Task("Build login page", tags=("frontend", "react")),
        Task("Build user dashboard"),
        Task("Implement OAuth"),
        Task("implement structured logging"),
        Task("Add MCP server support to SARK", tags=("security", "mcp", "integration")),
        Task("Add MCP Integration to SARK"),
        Task("Tidy up", needs_orchestration=True),
    ],
    ids=lambda task: task.title,
)
def test_much_work_reaches_the_default_threshold(task: Task) -> None:
    assert score(task) >= 3


@pytest.mark.parametrize(
    "title",
    [
        "Fix typo in README",
        "Fix bug",
        "Fix login bug",
        "Fix the build",
        "X",
        "Write blog post about Hopper",
        "Update changelog",
        "Run integration tests",
        "Rebuild trust",
        "",
    ],
)
def test_little_work_does_not(title: str) -> None:
    assert 1 <= score(Task(title)) < 3


def test_factors_are_named_and_sum_up_to_the_score() -> None:
    found = complexity(Task("Implement OAuth", tags=("auth",), priority=Priority.URGENT))
    assert found.factors == {"base": 1, "verb": 2, "scope": 1, "tags": 0.5, "priority": 0.5}
    assert found.score == 5
    assert str(found) == "verb 2, scope 1, tags 0.5, priority 0.5"


def test_needs_orchestration_is_a_factor() -> None:
    assert complexity(Task("X", needs_orchestration=True)).factors["needs_orchestration"] > 0


tasks = st.builds(
    Task,
    title=st.text(max_size=60) | st.sampled_from(["Fix typo", "Build api", "Add test", "Update"]),
    description=st.text(max_size=3000),
    tags=st.lists(st.text(min_size=1, max_size=8), max_size=8).map(tuple),
    depends_on=st.lists(st.text(min_size=1, max_size=8), max_size=8).map(tuple),
    priority=st.sampled_from(Priority),
    needs_orchestration=st.booleans(),
)


@given(tasks)
def test_every_task_is_between_delegated_at_1_and_kept_at_99(task: Task) -> None:
    assert 1 <= score(task) < 99


@given(tasks, st.text(max_size=500))
def test_a_longer_description_never_lowers_it(task: Task, more: str) -> None:
    assert score(task._replace(description=task.description + more)) >= score(task)


@given(st.text(min_size=10, max_size=500))
def test_doubling_the_description_raises_it(text: str) -> None:
    assert score(Task("X", description=text * 2)) > score(Task("X", description=text))


@given(tasks, st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_more_tags_never_lower_it(task: Task, more: list[str]) -> None:
    assert score(task._replace(tags=(*task.tags, *more))) >= score(task)


@given(tasks, st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_more_dependencies_never_lower_it(task: Task, more: list[str]) -> None:
    assert score(task._replace(depends_on=(*task.depends_on, *more))) >= score(task)


@given(tasks)
def test_five_dependencies_count_more_than_one(task: Task) -> None:
    one = task._replace(depends_on=("a",))
    assert score(task._replace(depends_on=tuple("abcde"))) > score(one)


@given(tasks)
def test_more_priority_never_lowers_it(task: Task) -> None:
    scores = [score(task._replace(priority=priority)) for priority in Priority]
    assert scores == sorted(scores, reverse=True)


@given(tasks)
def test_case_makes_no_difference(task: Task) -> None:
    assert score(task._replace(title="IMPLEMENT OAUTH")) == score(
        task._replace(title="implement oauth")
    )

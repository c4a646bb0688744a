"""Feedback of several tasks as one, and as a report."""

from __future__ import annotations

import json

import pytest

from hopper_tui.memory.feedback import NOTES_LENGTH, aggregate, report
from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.model.task import Task


def test_parts_make_a_whole() -> None:
    whole = aggregate(
        [
            TaskFeedback(
                True, quality=4, complexity=2, actual_duration="1h", blockers=("db",), notes="fast"
            ),
            TaskFeedback(
                True, quality=1, actual_duration="30m", estimated_duration=60, rework=True,
                rework_reason="flaky", blockers=("db", "vpn"), notes="fast", tasks=2,
            ),
        ]
    )  # fmt: skip
    assert whole == TaskFeedback(
        was_good_match=True,
        quality=2,
        complexity=2,
        estimated_duration=60,
        actual_duration=5400,
        rework=True,
        rework_reason="flaky",
        blockers=("db", "vpn"),
        notes="fast",
        tasks=3,
    )


@pytest.mark.parametrize(
    ("answers", "whole"),
    [([None, None], None), ([True, None], True), ([True, False], False), ([False, None], False)],
)
def test_one_bad_match_is_a_bad_match(answers: list[bool | None], whole: bool | None) -> None:
    assert aggregate([TaskFeedback(answer) for answer in answers]).was_good_match is whole


def test_nothing_said_is_nothing_learned() -> None:
    assert aggregate([TaskFeedback(), TaskFeedback()]) == TaskFeedback(tasks=2)
    assert aggregate([]) == TaskFeedback(tasks=0)


def test_one_part_is_the_whole() -> None:
    part = TaskFeedback(False, "sark", 3.5, 2, 10, 20, False, None, ("a",), ("b",), "n", 4)
    assert aggregate([part]) == part


def test_notes_are_joined_briefly() -> None:
    whole = aggregate([TaskFeedback(notes=f"{number} " + "x" * 90) for number in range(20)])
    assert whole.notes is not None
    assert len(whole.notes) == NOTES_LENGTH
    assert whole.notes.startswith("0 xx")


def test_a_report_on_nothing() -> None:
    found = report([])
    assert found["tasks"] == 0
    assert found["good_matches"] is None
    assert found["should_have_routed_to"] == []


def test_a_report_counts_and_ranks() -> None:
    at_web, at_api = Task("t", instance="web"), Task("t", instance="api")
    found = report(
        [
            (at_web, TaskFeedback(False, "sark", quality=2, actual_duration=30)),
            (at_web, TaskFeedback(False, "sark", estimated_duration=60, actual_duration=90)),
            (at_api, TaskFeedback(False, "api", rework=True, missing_skills=("css",))),
            (at_api, TaskFeedback(True, quality=5, rework=False, tasks=2)),
            (at_api, TaskFeedback()),
        ]
    )
    assert json.loads(json.dumps(found)) == {
        "tasks": 6,
        "feedback": 5,
        "good_matches": 0.25,
        "rework_rate": 0.5,
        "mean_quality": 4.0,
        "mean_complexity": None,
        "mean_duration": 60.0,
        "duration_ratio": 1.5,
        "should_have_routed_to": [{"name": "sark", "count": 2}, {"name": "api", "count": 1}],
        "misrouted_from": [{"name": "web", "count": 2}, {"name": "api", "count": 1}],
        "blockers": [],
        "missing_skills": [{"name": "css", "count": 1}],
    }

"""Rules: when they match, and what they are worth."""

from __future__ import annotations

from typing import Any

import pytest

from hopper_tui.model.lifecycle import Priority
from hopper_tui.model.task import Task
from hopper_tui.routing.rules import DEFAULT_RULES, Rule, match, matches, priority_set


def matched(task: Task, **rule: Any) -> float:
    found = match(Rule.of({"name": "r", **rule}), task)
    return found.score if found else 0


def test_keywords_match_whole_words_of_title_and_description() -> None:
    task = Task("Rapid prototype", description="of the REST interface")
    assert matched(task, keywords=["rest"])
    assert not matched(task, keywords=["api", "proto"])


def test_keywords_may_be_phrases() -> None:
    assert matched(Task("Replace the payment provider"), keywords=["Payment Provider"])
    assert not matched(Task("Pay the provider"), keywords=["payment provider"])


def test_every_condition_must_hold_by_any_of_its_words() -> None:
    rule = {"keywords": ["leak", "breach"], "tags": ["security"], "priority": ["urgent", "high"]}
    task = Task("Data leak", tags=("Security",), priority=Priority.HIGH)
    assert matched(task, **rule)
    assert not matched(Task("Data leak", priority=Priority.HIGH), **rule)
    assert not matched(Task("Data leak", tags=("security",)), **rule)


def test_one_word_may_stand_for_a_list() -> None:
    assert matched(Task("x", priority=Priority.URGENT), priority="critical")
    assert matched(Task("x", required_capabilities=("GPU",)), capabilities="gpu")


def test_verbs_begin_the_title() -> None:
    assert matched(Task("Re-run it"), verbs=["re-run"])
    assert not matched(Task("Do not run it"), verbs=["run"])


def test_the_score_is_the_weight_times_the_words_that_matched() -> None:
    task = Task("Fix the login page", tags=("web", "auth"))
    assert matched(task, keywords=["login", "page", "form"], tags=["auth"], weight=2) == 6


def test_a_rule_without_conditions_never_matches() -> None:
    assert match(Rule("empty"), Task("anything")) is None


def test_the_best_comes_first_and_equal_ones_as_given() -> None:
    rules = [
        {"name": "first", "keywords": ["login"]},
        {"name": "second", "keywords": ["login"], "set_priority": "low"},
        {"name": "heavy", "keywords": ["login"], "weight": 3, "set_priority": "urgent"},
        {"name": "other", "keywords": ["logout"], "weight": 9},
    ]
    found = matches(rules, Task("Fix login"))
    assert [m.rule.name for m in found] == ["heavy", "first", "second"]
    assert priority_set(found) == "urgent"
    assert str(found[0]) == "rule 'heavy' matches login"


@pytest.mark.parametrize(
    "title",
    ["Run integration tests", "run the test suite", "Execute the nightly pipeline", "Rerun CI",
     "Re-run the linters", "Run build", "Kick off the deploy"],
)  # fmt: skip
def test_running_tests_is_for_ci(title: str) -> None:
    assert [m.rule.executor for m in matches(DEFAULT_RULES, Task(title))] == ["ci"]


@pytest.mark.parametrize(
    "title",
    ["Write integration tests", "Build login page", "Fix the tests", "Run a workshop",
     "Running late", "Test with real MCP client"],
)  # fmt: skip
def test_other_work_is_not(title: str) -> None:
    assert not matches(DEFAULT_RULES, Task(title, description="then run the tests"))

"""To a project: the strategies in their order, and who is passed over and why."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_world import full, project, the_global

from hopper_tui.model.delegation import Candidate, Decision
from hopper_tui.model.instance import Load
from hopper_tui.model.lifecycle import Priority
from hopper_tui.model.task import Task
from hopper_tui.routing.option import Option
from hopper_tui.routing.projects import to_project


def route(task: Task, *options: Option, rules: tuple[dict[str, Any], ...] = ()) -> Decision:
    return to_project(task, the_global(*rules), options)


def candidate(decision: Decision, target: str) -> Candidate:
    return next(c for c in decision.candidates if c.target == target)


# The project the task names


@pytest.mark.parametrize("named", ["b", "B", "hopper-b", "HOPPER-B"])
def test_the_named_project_wins_over_better_tags(named: str) -> None:
    key = "hopper-b" if named.lower().startswith("hopper") else "b"
    a = project("a", capabilities=["x", "y"])
    decision = route(Task("t", project=named, tags=("x", "y")), a, project(key))
    assert (decision.target, decision.strategy, decision.confidence) == (key, "explicit", 1)


def test_a_named_project_is_found_by_the_id_made_of_it() -> None:
    assert route(Task("t", project="czarina"), project("hopper-czarina")).target == "hopper-czarina"


@pytest.mark.parametrize(
    ("taken", "why"),
    [
        ({"status": "paused"}, "webapp is paused"),
        ({"status": "stopped"}, "webapp is stopped"),
        ({"load": full(2)}, "webapp is at capacity: 2/2"),
        ({"refused": "not our job"}, "webapp refused it: not our job"),
    ],
)
def test_a_named_project_that_cannot_take_it_is_waited_for(taken: dict[str, Any], why: str) -> None:
    decision = route(Task("t", project="webapp"), project("webapp", **taken), project("free"))
    assert decision.target is None
    assert decision.strategy == "none"
    assert why in decision.reason


def test_an_unknown_project_is_never_replaced_by_another() -> None:
    decision = route(Task("t", project="nowhere"), project("webapp"))
    assert decision.target is None
    assert decision.reason == "no project is called nowhere; there are: webapp"


# Rules, tags, content, load


def test_a_rule_wins_over_tags_and_says_so() -> None:
    rules = ({"name": "billing", "keywords": ["invoice"], "target": "Billing"},)
    shop = project("shop", capabilities=["a", "b", "c"])
    decision = route(
        Task("Fix invoice", tags=("a", "b", "c")), shop, project("billing"), rules=rules
    )
    assert (decision.target, decision.strategy) == ("billing", "rules")
    assert decision.reason == "rule 'billing' matches invoice and names billing"


def test_a_rule_may_set_the_priority_wherever_the_task_goes() -> None:
    rules = ({"name": "leaks", "keywords": ["leak"], "set_priority": "urgent"},)
    assert route(Task("Data leak"), project(), rules=rules).priority == "urgent"
    assert route(Task("Data leak", project="webapp"), project(), rules=rules).priority == "urgent"
    assert route(Task("Data link"), project(), rules=rules).priority is None


@pytest.mark.parametrize("reverse", [False, True])
def test_the_most_tags_win_whatever_the_order_and_case(reverse: bool) -> None:
    options = [
        project("one", capabilities=["React"]),
        project("three", capabilities=["REACT", "Front-End", "css"]),
    ]
    decision = route(
        Task("t", tags=("react", "frontend", "CSS")), *options[:: -1 if reverse else 1]
    )
    assert (decision.target, decision.strategy) == ("three", "tags")
    assert candidate(decision, "three").factors["tags"] == 300
    assert decision.reason == "three covers 3 tags: react, frontend, css"


def test_one_tag_outweighs_any_content_and_load() -> None:
    spoken = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota"]
    talks = project("talks", domains=spoken, velocity="fast")
    tagged = project("tagged", capabilities=["x"], load=Load(open=1000))
    task = Task(" ".join(spoken), tags=("x",), priority=Priority.URGENT)
    assert route(task, talks, tagged).target == "tagged"


def test_content_decides_without_tags() -> None:
    api = project("backend", capabilities=["fastapi"], load=Load(open=50))
    decision = route(Task("Add fastapi endpoint"), project("website"), api)
    assert (decision.target, decision.strategy) == ("backend", "content")


def test_content_is_compared_by_words_not_letters() -> None:
    decision = route(Task("Rapid prototyping"), project("x1", domains=["api"]), project("a1"))
    assert (decision.target, decision.strategy) == ("a1", "load")


def test_what_the_thing_is_counts_more_than_what_it_is_about() -> None:
    waypoint = project("waypoint", domains=["blog", "writing"], load=Load(open=9))
    hopper = project("hopper", capabilities=["hopper", "queue", "routing"])
    assert route(Task("Write blog post about Hopper queue routing"), hopper, waypoint).target == (
        "waypoint"
    )


def test_a_project_named_in_the_title_is_meant() -> None:
    decision = route(Task("Add MCP integration to SARK"), project("czarina"), project("sark"))
    assert (decision.target, decision.strategy) == ("sark", "content")


@pytest.mark.parametrize(
    "task",
    [Task("Fix urgent production bug"), Task("Fix production bug", priority=Priority.URGENT)],
)
@pytest.mark.parametrize("fast", [{"velocity": "fast"}, {"capabilities": ["urgent"]}])
def test_urgent_work_goes_to_the_fast_project(task: Task, fast: dict[str, Any]) -> None:
    slow, czarina = project("atlas"), project("czarina", load=Load(open=20), **fast)
    assert route(task, slow, czarina).target == "czarina"
    assert route(Task("Fix production bug"), slow, czarina).target == "atlas"


def test_equal_projects_share_the_work() -> None:
    held = {"a1": 0, "b1": 0, "c1": 0}
    for number in range(6):
        options = [project(name, load=Load(open=open_)) for name, open_ in held.items()]
        target = route(Task(f"t{number}"), *options).target
        assert target is not None
        held[target] += 1
    assert held == {"a1": 2, "b1": 2, "c1": 2}


# Who cannot take it


def test_the_passed_over_are_listed_with_their_reasons() -> None:
    decision = route(
        Task("t", required_capabilities=("gpu",)),
        project("busy", load=full(2), capabilities=["gpu"]),
        project("plain"),
        project("asleep", status="paused"),
        project("queue", capabilities=["GPU"], max_queued_tasks=3, load=Load(queued=3)),
        project("declined", capabilities=["gpu"], refused="no time"),
        project("fit", capabilities=["Gpu"]),
    )
    assert decision.target == "fit"
    assert {c.target: c.refused for c in decision.candidates} == {
        "fit": None,
        "busy": "busy is at capacity: 2/2",
        "plain": "plain lacks capability gpu",
        "asleep": "asleep is paused",
        "queue": "queue has a full queue: 3/3",
        "declined": "declined refused it: no time",
    }


def test_a_better_one_that_was_passed_over_is_named() -> None:
    decision = route(
        Task("t", tags=("x",)), project("best", capabilities=["x"], status="paused"), project("b1")
    )
    assert decision.target == "b1"
    assert "a better fit was passed over: best is paused" in decision.reason


def test_reasons_when_nobody_can_take_it() -> None:
    paused, stopped = project("a", status="paused"), project("b", status="stopped")
    task = Task("t", required_capabilities=("gpu",))
    refused = project("c", refused="too big", capabilities=["gpu"])

    def reason(*options: Option) -> str:
        decision = route(task, *options)
        assert decision.target is None
        assert decision.confidence == 0
        return decision.reason

    assert reason() == "no project exists"
    assert reason(paused, stopped) == "no running project: a is paused; b is stopped"
    assert reason(paused, project("d")) == (
        "no running project has the capability: d lacks capability gpu"
    )
    assert reason(refused) == "every running project refused it: c refused it: too big"
    assert reason(refused, project("d")) == (
        "no running project can take it now: c refused it: too big; d lacks capability gpu"
    )


def test_a_reason_lists_a_few_of_many() -> None:
    many = [project(f"p{number:03}", status="stopped") for number in range(200)]
    decision = route(Task("t"), *many)
    assert decision.reason.endswith("p004 is stopped; and 195 more")
    assert len(decision.candidates) == 50


# Laws

labels = st.sampled_from(["api", "web", "blog", "mcp", "urgent", "docs"])
some_labels = st.lists(labels, max_size=4, unique=True)
options_ = st.lists(
    st.builds(
        lambda name, skills, open_, status, refused: project(
            name, capabilities=skills, load=Load(open=open_), status=status, refused=refused
        ),
        st.sampled_from([f"p{number}" for number in range(8)]),
        some_labels,
        st.integers(0, 3),
        st.sampled_from(["running", "running", "running", "paused"]),
        st.sampled_from([None, None, "busy"]),
    ),
    max_size=8,
    unique_by=lambda option: option.instance.id,
)
tasks = st.builds(
    Task,
    title=st.lists(labels | st.sampled_from(["fix", "about", "p1"]), min_size=1).map(" ".join),
    tags=some_labels.map(tuple),
    project=st.none() | st.sampled_from(["p1", "p9"]),
    priority=st.sampled_from(Priority),
)


@given(tasks, options_, st.randoms(use_true_random=False))
def test_the_order_of_projects_makes_no_difference(
    task: Task, options: list[Option], random: Random
) -> None:
    decision = route(task, *options)
    shuffled = list(options)
    random.shuffle(shuffled)
    assert route(task, *shuffled) == decision


@given(tasks, options_)
def test_the_chosen_one_has_the_best_score_of_those_that_can_take_it(
    task: Task, options: list[Option]
) -> None:
    decision = route(task, *options)
    fit = [c for c in decision.candidates if c.refused is None]
    for scored in decision.candidates:
        assert scored.score == pytest.approx(sum(scored.factors.values()))
    if decision.target is None:
        assert task.project or not fit
    else:
        chosen = candidate(decision, decision.target)
        assert chosen.refused is None
        assert chosen.score == max(c.score for c in fit)
        assert decision.candidates[0] is chosen
    assert decision.reason

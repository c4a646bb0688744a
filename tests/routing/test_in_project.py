"""In a project: kept and for whom, handed to a worker, a new run, or waiting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_world import full, option, project, worker

from hopper_tui.model.delegation import Decision
from hopper_tui.model.instance import Load
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.task import Task
from hopper_tui.routing.fit import can_take
from hopper_tui.routing.option import NEW_RUN, Option
from hopper_tui.routing.workers import in_project

NO_RUNS = {"child_instances": {"auto_create": False}}
HARD = Task("Implement OAuth")
EASY = Task("Fix typo in README")


def decide(task: Task, *workers: Option, **config: Any) -> Decision:
    return in_project(task, project("webapp", **config), workers)


def ruled(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"intelligence": {"rules": list(rules)}}


# Kept


def test_simple_work_stays_for_a_human() -> None:
    decision = decide(EASY, worker())
    assert (decision.target, decision.strategy, decision.executor) == ("webapp", "kept", "human")
    assert decision.reason == (
        "kept for human: complexity 1 is below the threshold 3 (nothing adds to it)"
    )


def test_running_tests_is_for_ci() -> None:
    assert decide(Task("Run integration tests"), worker()).executor == "ci"


def test_three_example_tasks_get_three_executors() -> None:
    assert decide(EASY).executor == "human"
    assert decide(Task("Run integration tests")).executor == "ci"
    assert decide(Task("Implement structured logging")).target == NEW_RUN


@pytest.mark.parametrize("kind", ["human", "ci", "manual", "Manual"])
def test_the_executor_the_task_prefers_keeps_it(kind: str) -> None:
    decision = decide(Task("Implement OAuth", executor_preference=kind), worker())
    assert (decision.target, decision.executor) == ("webapp", kind.lower())


def test_another_preference_decides_nothing() -> None:
    task = Task("Implement OAuth", executor_preference="coder")
    assert decide(task, worker()).target == "worker-1"


def test_auto_delegate_off_keeps_everything() -> None:
    for task in (HARD, Task("x", needs_orchestration=True)):
        assert decide(task, worker(), auto_delegate=False).target == "webapp"


@pytest.mark.parametrize(("threshold", "target"), [(1, "worker-1"), (99, "webapp")])
@pytest.mark.parametrize("task", [HARD, EASY, Task("Run integration tests")])
def test_the_extreme_thresholds_delegate_all_or_nothing(
    task: Task, threshold: int, target: str
) -> None:
    assert decide(task, worker(), orchestration_threshold=threshold).target == target


# Delegated


def test_complex_work_goes_to_the_worker_with_the_least_to_do() -> None:
    busy, idle = worker("w1", load=Load(open=3)), worker("w2", load=Load(open=1))
    decision = decide(HARD, busy, idle)
    assert (decision.target, decision.strategy, decision.executor) == ("w2", "complexity", None)
    assert decision.reason == (
        "complexity 4 reaches the threshold 3 (verb 2, scope 1): w2 has the least to do"
    )


def test_equal_workers_are_taken_in_the_order_of_their_ids() -> None:
    assert decide(HARD, worker("w2"), worker("w1")).target == "w1"


def test_full_lacking_and_refusing_workers_are_passed_over() -> None:
    task = Task("Implement OAuth", required_capabilities=("python",))
    decision = decide(
        task,
        worker("full", load=full(2), capabilities=["python"]),
        worker("lacking"),
        worker("refusing", refused="no", capabilities=["python"]),
        worker("queueing", max_queued_tasks=1, load=Load(queued=1), capabilities=["python"]),
        worker("fit", capabilities=["Python"], load=Load(open=9, capacity=10)),
    )
    assert decision.target == "fit"
    assert sum(c.refused is not None for c in decision.candidates) == 4


def test_it_waits_when_the_running_workers_are_full() -> None:
    decision = decide(HARD, worker(load=full(2)), worker("w2", status="paused"))
    assert (decision.target, decision.strategy) == (None, "none")
    assert decision.reason.endswith("but worker-1 is at capacity: 2/2")


def test_without_a_running_worker_it_gets_a_run() -> None:
    for workers in ([], [worker(status="paused")], [worker(status="created")]):
        assert decide(HARD, *workers).target == NEW_RUN


def test_without_runs_it_is_kept_and_says_why() -> None:
    decision = decide(HARD, worker(status="stopped"), **NO_RUNS)
    assert (decision.target, decision.strategy, decision.executor) == ("webapp", "kept", "human")
    assert decision.reason.endswith("but no worker is running and auto_create is off")


def test_a_capability_no_worker_has_is_waited_for() -> None:
    task = Task("Implement OAuth", required_capabilities=("gpu",))
    assert "worker-1 lacks capability gpu" in decide(task, worker()).reason
    assert "a new run would lack capability gpu" in decide(task).reason
    assert decide(task).target is None


def test_a_run_whose_template_has_the_capability_is_made() -> None:
    children = {"auto_create": True, "template": {"capabilities": ["gpu"]}}
    task = Task("Implement OAuth", required_capabilities=("gpu",))
    assert decide(task, child_instances=children).target == NEW_RUN


def test_a_task_that_needs_orchestration_gets_its_own_run() -> None:
    task = Task("x", needs_orchestration=True)
    assert decide(task, worker()).target == NEW_RUN
    assert decide(task, worker(), **NO_RUNS).target == "worker-1"
    assert decide(task, **NO_RUNS).target == "webapp"


def test_a_task_its_run_refused_gets_no_second_one() -> None:
    task = Task("x", needs_orchestration=True)
    decision = decide(task, worker(refused="cannot"))
    assert decision.target is None
    assert decision.reason == "it needs orchestration, but worker-1 refused it: cannot"
    assert decide(task, worker(refused="cannot"), worker("w2")).target == "w2"


# Rules


def test_a_rule_names_the_executor() -> None:
    rule = {"name": "releases", "tags": ["release"], "executor": "manual"}
    decision = decide(Task("Implement OAuth", tags=("release",)), worker(), **ruled(rule))
    assert (decision.target, decision.strategy, decision.executor) == ("webapp", "rules", "manual")
    assert decision.reason == "kept for manual: rule 'releases' matches release"


def test_a_rule_sends_simple_work_to_orchestration() -> None:
    rule = {"name": "docs", "keywords": ["readme"], "executor": "orchestration"}
    decision = decide(EASY, worker(), **ruled(rule))
    assert (decision.target, decision.strategy) == ("worker-1", "rules")
    assert decide(EASY, **ruled(rule)).target == NEW_RUN


def test_a_rule_names_a_worker_and_is_passed_over_when_it_is_full() -> None:
    rule = {"name": "auth", "keywords": ["oauth"], "target": "w2", "set_priority": "high"}
    free = decide(HARD, worker("w1"), worker("w2", load=Load(open=5)), **ruled(rule))
    assert (free.target, free.strategy, free.priority) == ("w2", "rules", "high")
    assert decide(HARD, worker("w1"), worker("w2", load=full()), **ruled(rule)).target == "w1"


def test_a_rule_may_name_the_project_itself() -> None:
    rule = {"name": "auth", "keywords": ["oauth"], "target": "webapp"}
    assert decide(HARD, worker(), **ruled(rule)).target == "webapp"


def test_the_heavier_rule_wins() -> None:
    light = {"name": "light", "keywords": ["oauth"], "executor": "ci"}
    heavy = {"name": "heavy", "keywords": ["oauth"], "executor": "manual", "weight": 2}
    assert decide(HARD, **ruled(light, heavy)).executor == "manual"


# Fit and laws


def test_can_take_names_state_numbers_and_capability() -> None:
    task = Task("t", required_capabilities=("gpu", "tpu"))
    able = {"capabilities": ["gpu", "tpu"]}
    assert can_take(task, worker(**able)) is None
    assert can_take(task, worker(refused="before", **able)) is None
    assert can_take(task, worker(status="paused", **able)) == "worker-1 is paused"
    assert can_take(task, worker(status="terminated")) == "worker-1 is terminated"
    assert can_take(task, worker(load=full(3), **able)) == "worker-1 is at capacity: 3/3"
    assert can_take(task, worker(capabilities=["GPU"])) == "worker-1 lacks capability tpu"
    assert can_take(task, worker()) == "worker-1 lacks capabilities gpu, tpu"
    unlimited = worker(load=Load(active=500), **able)
    assert can_take(task, unlimited) is None
    the_global = option("g", HopperScope.GLOBAL, **able)
    assert can_take(task, the_global) == "g is a global hopper and only routes"


@given(
    st.sampled_from([HARD, EASY, Task("x", needs_orchestration=True)]),
    st.lists(
        st.builds(
            lambda name, open_, status, held: worker(
                name, status=status, load=Load(open=open_, active=held, capacity=2)
            ),
            st.sampled_from("abcdef"),
            st.integers(0, 3),
            st.sampled_from(["running", "paused"]),
            st.integers(0, 2),
        ),
        max_size=5,
        unique_by=lambda w: w.instance.id,
    ),
)
def test_the_order_of_workers_makes_no_difference_and_nobody_is_overloaded(
    task: Task, workers: list[Option]
) -> None:
    decision = decide(task, *workers)
    assert decide(task, *reversed(workers)) == decision
    chosen = [w for w in workers if w.instance.id == decision.target]
    assert all(can_take(task, w) is None for w in chosen)
    assert decision.reason

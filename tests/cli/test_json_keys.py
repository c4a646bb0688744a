"""The keys of every JSON answer: a contract with scripts; add, never change."""

from __future__ import annotations

import pytest

from cli.conftest import AddTask, Shell

pytestmark = pytest.mark.installed

TASK = [
    "id", "short_id", "title", "description", "instance", "project", "status", "priority", "tags",
    "owner", "executor_preference", "required_capabilities", "depends_on", "needs_orchestration",
    "phase", "estimated_effort", "due", "requester", "source", "external", "parent_task",
    "root_task", "attempts", "lease_expires_at", "result", "feedback", "reason", "metadata",
    "created_at", "updated_at", "started_at", "completed_at", "not_before",
]  # fmt: skip
INSTANCE = [
    "instance_id", "name", "scope", "parent", "status", "config", "tasks", "active", "capacity",
    "queued", "children", "path", "created_at", "started_at", "stopped_at",
]  # fmt: skip
DELEGATION = [
    "id", "task", "root_task", "source", "target", "child_tasks", "type", "status", "notes",
    "reason", "result", "decision", "delegated_at", "accepted_at", "completed_at",
]  # fmt: skip
DECISION = [
    "task", "target", "strategy", "confidence", "reason", "candidates", "decided_by", "decided_at",
    "duration_ms",
]  # fmt: skip


def test_task(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    assert list(guide("task", "show", task, "--json").json) == TASK
    assert list(guide("list", "--instance", "worker-1", "--json").json[0]) == TASK
    assert list(guide("next", "--instance", "worker-1", "--json").json) == TASK
    assert list(guide("task", "claim", task, "--json").json) == TASK
    added = guide("add", "Implement OAuth", "--json").json
    assert list(added) == [*TASK, "routed_to", "delegations"]
    assert added["created_at"].endswith("Z")
    assert added["due"] is None


def test_instance(guide: Shell) -> None:
    for node in (
        guide("instance", "show", "webapp", "--json").json,
        guide("instance", "list", "--json").json[0],
        guide("instance", "pause", "worker-1", "--json").json,
        guide("project", "register", "api", "--json").json,
    ):
        assert list(node)[: len(INSTANCE)] == INSTANCE
    shown = guide("instance", "show", "global", "--json").json
    assert sorted(shown["children"]) == ["api", "webapp"]
    assert shown["capacity"] is None
    assert shown["scope"] == "global"


def test_delegation_and_decision(guide: Shell) -> None:
    task = guide("add", "Implement OAuth", "-q").id
    for hops in (
        guide("task", "delegations", task, "--json").json,
        guide("delegation", "list", "--json").json,
        guide("add", "Implement OAuth again", "--json").json["delegations"],
    ):
        assert list(hops[0]) == DELEGATION
    (decision, *_) = guide("task", "why", task, "--json").json
    assert set(DECISION) <= set(decision)
    assert {"target", "score", "factors"} <= set(decision["candidates"][0])


def test_stats(guide: Shell, queued: AddTask) -> None:
    guide("task", "done", queued("Fix login"))
    stats = guide("stats", "--instance", "worker-1", "--json").json
    assert stats["done"] == 1
    for key in ("pending", "throughput_per_hour", "median_wait_s", "median_run_s",
                "oldest_pending_s", "queued"):  # fmt: skip
        assert key in stats


def test_log(guide: Shell, queued: AddTask) -> None:
    (event,) = guide("task", "log", queued("Fix login"), "--json").json
    assert list(event) == [
        "seq", "at", "actor", "kind", "entity", "key", "changes", "note", "replica",
    ]  # fmt: skip


def test_lists_are_arrays_at_the_top(guide: Shell) -> None:
    for args in (("list",), ("ls",), ("task", "list"), ("instance", "list"), ("instance", "tree"),
                 ("delegation", "list"), ("feedback", "list"), ("project", "list"), ("log",),
                 ("search", "x"), ("doctor",), ("tasks",)):  # fmt: skip
        assert isinstance(guide(*args, "--json").json, list)

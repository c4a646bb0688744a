"""The guide's "Example: Full Workflow", with the ids as printed."""

from __future__ import annotations

import pytest

from cli.conftest import Shell

pytestmark = pytest.mark.installed

TREE = """\
global (GLOBAL) [running]
└── webapp (PROJECT) [running]
    └── worker-1 (ORCHESTRATION) [running] - 1 task
"""
ACCEPTED = """\
1. global → webapp (route) [accepted]
2. webapp → worker-1 (route) [accepted]
"""


def test_full_workflow(hopper: Shell) -> None:
    top = hopper("instance", "create", "global", "--scope", "global").id
    project = hopper("instance", "create", "webapp", "--scope", "project", "--parent", top).id
    worker = hopper(
        *("instance", "create", "worker-1", "--scope", "orchestration", "--parent", project)
    ).id
    for instance in (top, project, worker):
        hopper("instance", "start", instance)

    added = hopper(
        *("task", "add", "Build login page", "-t", "frontend", "-t", "react", "--instance", top)
    )
    assert added.lines[0] == f"{added.id}  Build login page"
    assert added.lines[1] == "  routed to webapp → worker-1"

    assert hopper("instance", "tree").out == TREE
    assert hopper("task", "delegations", added.id).out == ACCEPTED

    hopper("task", "status", added.id, "completed")
    assert hopper("task", "delegations", added.id).out == ACCEPTED.replace("accepted", "completed")
    assert hopper("instance", "tree").out == TREE.removesuffix(" - 1 task\n") + "\n"

    (seen,) = hopper("list", "--instance", top, "--all", "--json").json
    assert seen["status"] == "done"
    assert seen["title"] == "Build login page"


def test_the_ids_as_the_guide_writes_them(hopper: Shell) -> None:
    hopper("instance", "create", "global", "--scope", "global")
    hopper("instance", "create", "webapp", "--scope", "PROJECT", "--parent", "global-id")
    hopper("instance", "create", "worker-1", "--scope", "Orchestration", "--parent", "webapp-id")
    for instance in ("global-id", "webapp-id", "worker-1-id"):
        hopper("instance", "start", instance)
    hopper(
        *("task", "add", "Build login page", "-t", "frontend", "-t", "react"),
        *("--instance", "global-id"),
    )
    assert hopper("instance", "tree").out == TREE


def test_entering_at_each_level(guide: Shell) -> None:
    at_project = guide("add", "Implement OAuth", "--instance", "webapp")
    assert at_project.lines[1] == "  routed to worker-1"
    simple = guide("add", "Fix typo in README", "--instance", "webapp")
    assert simple.lines[1] == "  kept for a human at webapp"
    at_worker = guide("add", "Run tests", "--instance", "worker-1")
    assert at_worker.lines[1] == "  queued for worker-1"
    assert guide("task", "delegations", at_worker.id).out == ""


def test_waits_at_global_until_a_project_runs(hopper: Shell) -> None:
    hopper("instance", "create", "global", "--scope", "global")
    hopper("instance", "start", "global")
    hopper("instance", "create", "webapp", "--scope", "project")
    added = hopper("add", "Draw a logo")
    assert added.lines[1].startswith("  waits at global: ")
    hopper("instance", "start", "webapp")
    assert hopper("task", "delegations", added.id).out.startswith("1. global → webapp (route)")

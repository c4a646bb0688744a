"""`hopper task break-down`, and the tree it makes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import Shell

SARK = """\
goals:
  - title: Design MCP server API
    phase: Design
    executor: architect
    tasks: [Research MCP protocol, Design API schema, Create implementation plan]
  - title: Implement server
    phase: Implementation
    executor: coder
    tasks: [Implement MCP server class, Add tool registration]
  - title: Add authentication
    phase: Implementation
    executor: coder
    tasks: [Implement authentication]
  - title: Write tests
    phase: Testing
    executor: tester
    tasks: [Write unit tests, Write integration tests, Test with real MCP client]
"""
DRAWN = """\
├── Design MCP server API
├── Implement server
├── Add authentication
├── Write tests
├── Phase 1 (Design)
│   ├── Research MCP protocol → architect
│   ├── Design API schema → architect
│   └── Create implementation plan → architect
├── Phase 2 (Implementation)
│   ├── Implement MCP server class → coder
│   ├── Add tool registration → coder
│   └── Implement authentication → coder
└── Phase 3 (Testing)
    ├── Write unit tests → tester
    ├── Write integration tests → tester
    └── Test with real MCP client → tester
"""
"""The addendum's drawing."""
ADD = ("add", "Add MCP server support to SARK", "-t", "security", "-t", "mcp", "-t", "integration")


@pytest.fixture
def sark(hopper: Shell) -> Shell:
    """A shell in the directory of the project sark, whose runs get its template `mcp`."""
    hopper("init", "--name", "sark")
    folder = hopper.cwd / ".hopper"
    (folder / "templates").mkdir()
    (folder / "templates" / "mcp.yaml").write_text(SARK)
    config = (folder / "hopper.yaml").read_text()
    config = config.replace("capabilities: []", "capabilities: [security, mcp]\ndecomposer: mcp")
    (folder / "hopper.yaml").write_text(config)
    return hopper


def kept(shell: Shell, title: str = "Fix typo in README") -> str:
    """A task that stays at the project."""
    return shell("add", title, "--executor", "human", "-q").id


def run_of(shell: Shell) -> str:
    return next(i for i in shell("instance", "list", "-q").lines if i.startswith("hopper-sark-run"))


def bare(tree: str) -> str:
    """A tree of tasks without its root, and without ids, states and counts."""
    lines = [re.sub(r"sar-\w+  | \[\w+\]| - \d+ tasks?$", "", line) for line in tree.splitlines()]
    return "".join(f"{line}\n" for line in lines[1:])


def test_the_example_flows_down_and_up_again(sark: Shell) -> None:
    above = Shell(sark.home, sark.cwd.parent, sark.env)
    task = above(*ADD)
    run = run_of(sark)
    assert task.lines[1] == f"  routed to sark → {run}"
    tree = sark("tasks", "--hierarchy", "--instance", run)
    assert tree.lines[0] == f"{run} (ORCHESTRATION) [running]"
    assert bare(tree.out) == DRAWN
    assert "── Phase 1 (Design) [running] - 3 tasks\n" in tree.out
    hops = [f"{run} → {name}" for name in ("Design", *["Implementation"] * 2, "Testing")]
    chain = ["hopper-global → sark (route)", f"sark → {run} (decompose)"]
    chain += [f"{hop} (decompose)" for hop in hops]
    said = above("task", "delegations", task.id).lines
    assert said == [f"{n}. {hop} [accepted]" for n, hop in enumerate(chain, 1)]
    for number, role in enumerate(("architect", "coder", "tester"), 1):
        phase = f"{run}-phase-{number}"
        for key in sark("list", "--instance", phase, "-q").lines:
            sark("task", "done", key, "--quality", "4", "--notes", role)
        done = sark("list", "--instance", run, "--all", "--json").json
        assert sum(goal["status"] == "done" for goal in done) == [1, 3, 4][number - 1]
    for place in (above, sark):
        (one,) = place("list", "--all", "--json").json
        assert (one["status"], one["feedback"]["quality"], one["feedback"]["tasks"]) == (
            "done", 4, 9,
        )  # fmt: skip
    assert sark("doctor").code == 0
    assert bare(sark("tasks", "--hierarchy", "--instance", run).out) == DRAWN


def test_a_dry_run_draws_the_plan_and_changes_nothing(sark: Shell) -> None:
    task = kept(sark)
    drawn = sark("task", "break-down", task, "--dry-run")
    assert drawn.lines[0] == "Fix typo in README"
    assert "".join(f"{line}\n" for line in drawn.lines[1:]) == DRAWN
    goals = sark("task", "break-down", task, "--dry-run", "--json").json["goals"]
    assert goals[0]["title"] == "Design MCP server API"
    assert sark("list", "--json").json[0]["status"] == "pending"
    assert sark("instance", "list", "-q").lines == ["hopper-global", "hopper-sark"]


def test_by_a_template(sark: Shell) -> None:
    task = kept(sark)
    done = sark("task", "break-down", task, "--template", "feature")
    run = run_of(sark)
    assert done.lines[0].endswith(f"broken down to {run}  Fix typo in README")
    assert done.lines[1] == "  3 goals and 10 tasks in 3 phases"
    (check,) = sark("list", "tag:checkpoint", "--instance", f"{run}-phase-1", "--json").json
    assert (check["title"], check["executor_preference"], len(check["depends_on"])) == (
        "Review the design: Fix typo in README", "human", 3,
    )  # fmt: skip


@pytest.mark.installed
def test_by_a_plan_on_stdin_to_a_run_that_is_named(guide: Shell) -> None:
    task = guide("add", "x", "--instance", "webapp", "--executor", "human", "-q").id
    plan = json.dumps({"goals": ["one", {"title": "two 🎉", "depends_on": [1]}]}, indent="\t")
    hop = guide(
        "task", "break-down", task, "--plan", "-", "--to", "worker-1", "--json", stdin=plan
    ).json
    assert (hop["target"], hop["type"], hop["status"]) == ("worker-1", "decompose", "accepted")
    assert hop["plan"] == [{"title": "one"}, {"title": "two 🎉", "depends_on": ["#1"]}]
    one, two = guide("list", "--instance", "worker-1", "--json").json
    assert (one["title"], two["title"], two["depends_on"]) == ("one", "two 🎉", [one["id"]])


def test_a_worker_breaks_down_what_it_holds(guide: Shell) -> None:
    guide("add", "x", "--instance", "worker-1")
    task = guide("next", "--instance", "worker-1", "--executor", "ann", "--claim", "-q").id
    how = ("task", "break-down", task, "--template", "bugfix")
    assert "bob does not hold" in guide(*how, "--executor", "bob", check=1).err
    done = guide(*how, "--executor", "ann", "-q").id
    assert guide("task", "delegations", task, "-q").lines[0] == done


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ((), 1, "webapp names no decomposer in its configuration. Say how: --template"),
        (("--template", "featre"), 1, "there is no template 'featre'. Did you mean feature?"),
        (("--template", "../x"), 1, "'../x' is no name of a template"),
        (("--template", "feature", "--plan", "-"), 2, "not both"),
        (("--plan", "nowhere.yaml"), 1, "cannot read nowhere.yaml"),
        (("--plan", "-"), 1, "<stdin>:2: unknown key 'tile' in goals[0]. Did you mean title?"),
        (("--template", "feature", "--to", "nobody"), 1, "there is no hopper 'nobody'"),
        (("--template", "feature", "--to", "webapp"), 1, "webapp is no run of webapp"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    guide: Shell, args: tuple[str, ...], code: int, said: str
) -> None:
    task = guide("add", "x", "--instance", "webapp", "--executor", "human", "-q").id
    done = guide("task", "break-down", task, *args, stdin="goals:\n  - tile: x\n", check=code)
    assert said in done.err
    assert guide("list", "--instance", "webapp", "--json").json[0]["status"] == "pending"


def test_a_wrong_template_is_named_with_its_line(sark: Shell) -> None:
    path = Path(".hopper/templates/mcp.yaml")
    (sark.cwd / path).write_text("goals:\n  - title: x\n    tasks:\n      - {titel: y}\n")
    refused = sark("task", "break-down", kept(sark), "--template", "mcp", check=1)
    assert f"{path}:4: unknown key 'titel' in goals[0].tasks[0]. Did you mean title?" in refused.err
    whole = sark(*ADD)
    assert whole.lines[1] == f"  routed to {run_of(sark)}"
    assert "is handed on as a whole" in whole.err
    assert f"{path}:4: unknown key" in whole.err


def test_hostile_titles_stay_titles(sark: Shell) -> None:
    title = "{title} {0.__class__} \x1b[31mred\n- b: #1"
    task = kept(sark, title)
    drawn = sark("task", "break-down", task, "--template", "bugfix", "--dry-run")
    assert "\x1b" not in drawn.out
    goals = sark("task", "break-down", task, "--template", "bugfix", "--dry-run", "--json").json
    assert goals["goals"][0]["title"] == f"Understand: {title}"
    done = sark("task", "break-down", task, "--template", "bugfix")
    tree = sark("tasks", "--hierarchy", "--instance", run_of(sark))
    assert "\x1b" not in done.out + done.err + tree.out
    assert len(tree.lines) == 1 + 3 + 2 + 6


def test_why_names_the_part_it_speaks_of_and_says_whom_it_waits_for(guide: Shell) -> None:
    plan = "goals: [{title: Draw, executor: artist}, {title: Bake, capabilities: [oven]}]"
    whole = guide("add", "Open a shop", "--instance", "webapp", "--executor", "human", "-q").id
    guide("instance", "config", "worker-1", 'capabilities=["oven"]')
    guide("task", "break-down", whole, "--plan", "-", "--to", "worker-1", stdin=plan)
    draw, bake = (
        task["short_id"] for task in guide("list", "--instance", "worker-1", "--json").json
    )
    asked = guide("task", "why", draw).out
    assert "it is ready at worker-1 for artist; nobody" in asked
    assert f"{bake} is ready at worker-1 for anybody with oven; nobody" in asked
    guide("task", "done", draw)
    done = guide("task", "why", draw).out
    assert "it is done at worker-1" in done
    assert "ready" not in done
    assert f"{bake} is ready" in guide("task", "why", whole).out

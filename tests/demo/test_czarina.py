"""The example of an orchestrator, with real worker processes: every task once, phase by phase."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "czarina.py"

DRIVER = """
import json, runpy, sys
from hopper import Task
example = runpy.run_path(sys.argv[1])
czarina = example["CzarinaOrchestrator"](agent=sys.argv[3:], lease=sys.argv[2])
print(json.dumps(czarina.orchestrate(Task(title="Add MCP server support"))))
"""

AGENT = """
import json, os, signal, sys
task = json.load(sys.stdin)
if [task["title"], task["attempts"]] == [sys.argv[2], 1]:
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()
with open(sys.argv[1], "a") as log:
    log.write(json.dumps([task["instance"][-1], task["title"], task["owner"]]) + "\\n")
"""
"""Notes what it did; takes its worker down at the first attempt at the task of that title."""


@pytest.mark.parametrize(("lease", "deadly"), [("1m", ""), ("2s", "Implement the core")])
def test_every_task_is_done_once_and_phases_follow_each_other(
    tmp_path: Path, lease: str, deadly: str
) -> None:
    log = tmp_path / "log"
    agent = [sys.executable, "-S", "-c", AGENT, str(log), deadly]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(EXAMPLE), lease, *agent],
        cwd=tmp_path,
        env=os.environ | {"HOPPER_HOME": str(tmp_path / "home"), "HOPPER_ACTOR": "ann"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    phases = [phase for phase, _, _ in lines]
    assert phases == ["1"] * 2 + ["2"] * 3 + ["3"] * 2
    assert sorted(title for _, title, _ in lines) == [
        "Design the solution",
        "Document the changes",
        "Implement the core",
        "Implement the interface",
        "Research the field",
        "Write integration tests",
        "Write unit tests",
    ]
    roles = {owner.split("-")[0] for _, _, owner in lines}
    assert roles == {"architect", "coder", "tester"}
    assert [phase["done"] for phase in summary["children"]] == [2, 3, 2]
    assert (summary["done"], summary["open"]) == (3, 0)


def test_without_a_title_it_says_how_it_is_used(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, EXAMPLE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")

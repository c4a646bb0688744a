"""Czarina: an orchestrator that breaks a task into phases and lets worker processes do the work.

    python docs/examples/czarina.py "Add MCP server support"

The plan goes into a run of its own in one step. Workers are processes that run a command for each
task; any number of them, on the roles the plan names, started here or by hand:

    hopper work --instance hopper-czarina-run-... --role coder -- ./my-agent {}

A worker that is killed loses nothing: its task goes to another one when its lease is over.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from hopper import Goal, Hopper, HopperScope, Plan, Step, Task

PHASES: dict[str, tuple[str, ...]] = {
    "architect": ("Research the field", "Design the solution"),
    "coder": ("Implement the core", "Implement the interface", "Document the changes"),
    "tester": ("Write unit tests", "Write integration tests"),
}
"""The tasks of each phase, by the role whose workers do them."""
AGENT = (sys.executable, "-c", "import json, sys; print('did', json.load(sys.stdin)['title'])")
"""What works on a task when no command is given: it reads the task as JSON."""


class CzarinaOrchestrator:
    """Runs a task of the project `czarina` through the phases of a run.

    `agent` is the command that works on a task: `{}` stands for its id, the task is on its stdin.
    `crew` says how many workers of each role there are, `lease` how long the task of a worker that
    died waits for another one.
    """

    def __init__(
        self,
        agent: Sequence[str] = AGENT,
        crew: Mapping[str, int] | None = None,
        phases: Mapping[str, Sequence[str]] = PHASES,
        lease: str = "1m",
    ) -> None:
        self.agent = tuple(agent)
        self.phases = phases
        self.lease = lease
        self.crew = crew or dict.fromkeys(phases, 2)
        self.project_hopper = Hopper(
            HopperScope.PROJECT, "hopper-czarina", config={"auto_delegate": False}
        )

    def orchestrate(self, task: Task) -> dict[str, Any]:
        """Do a task; returns how many tasks of the run and of each phase came to which end."""
        run_id = token_hex(4)
        run_hopper = Hopper(
            scope=HopperScope.ORCHESTRATION,
            instance_id=f"hopper-czarina-run-{run_id}",
            parent=self.project_hopper,
            config={
                "persistence": {"storage": "sqlite"},  # other processes work on it
                "max_concurrent_tasks": sum(self.crew.values()),
                "work": {"lease": self.lease, "max_attempts": 3},
            },
        )
        key = self.project_hopper.add_task(task)
        self.project_hopper.break_down(key, self.plan, to=run_hopper.id)
        workers = [self.worker(run_hopper, role) for role, n in self.crew.items() for _ in range(n)]
        for worker in workers:
            worker.wait()
        return run_hopper.summary()

    def plan(self, task: Task) -> Plan:
        """One goal, and one phase, for each role."""
        return Plan(
            tuple(
                Goal(
                    f"{role.capitalize()} part of: {task.title}",
                    phase=f"Phase {number} ({role})",
                    executor=role,
                    tasks=tuple(Step(title) for title in titles),
                )
                for number, (role, titles) in enumerate(self.phases.items(), 1)
            )
        )

    def worker(self, run: Hopper, role: str) -> subprocess.Popen[bytes]:
        """A worker process, which ends when nothing is left in the run."""
        words = ["work", "--instance", run.id, "--role", role, "--until-empty", "--", *self.agent]
        return subprocess.Popen([sys.executable, "-m", "hopper_tui", *words])  # noqa: S603


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python czarina.py TITLE")
    summary = CzarinaOrchestrator().orchestrate(Task(title=sys.argv[1]))
    for phase in summary["children"]:
        print(f"{phase['name']}: {phase['done']} of {phase['total']} tasks done")

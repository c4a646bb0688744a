"""A run under bad workers for minutes: `python tests/bench/torture.py [--tasks 5000] [--seed N]`.

16 workers, each a process, share one run with dependencies, roles, four phases and room for 12.
All the while workers are killed, or stopped for up to two leases, and the clock of the machine is
set by up to three leases, forward and back. Then every event is read again: each task done once by
who held it, none lost, never more held than there is room for, order kept among what was free,
late acknowledgements refused. Prints a summary; exits non-zero at the first thing that is wrong.
The same in small runs with the tests: tests/crash/test_crash_run.py.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crash.run_harness import Plan, Team, check_answers, make, replay, torment
from crash.run_worker import SHIFT, Clock

LEASE = 2.0
"""Seconds."""


def main() -> int:
    """Run, read the events again, print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--pace", type=float, default=0.2, help="seconds a task takes on average")
    parser.add_argument("--patience", type=float, default=660, help="seconds until it gives up")
    parser.add_argument("--seed", type=int, default=None)
    chosen = parser.parse_args()
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    rng = random.Random(seed)
    plan = Plan(chosen.tasks, 4, chosen.workers, 12, f"{LEASE:g}s", chosen.pace)
    print(f"seed {seed}: {plan}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        world = make(root, plan, rng)
        world.close()
        team = Team(root, plan.workers, plan.pace)
        began = time.monotonic()
        try:
            team.begin()
            torment(team, Clock(root / SHIFT), rng, LEASE, chosen.patience)
        finally:
            team.end()
        took = time.monotonic() - began
        run = world.hopper("run")
        verdict = replay(run, plan.capacity)
        told = check_answers(team, verdict)
        problems = run.store.check()
        world.close()
    evils = ", ".join(f"{times} times {evil}" for evil, times in sorted(team.evils.items()))
    print(f"{verdict.tasks} tasks in {took:.0f} s by {plan.workers} workers, {evils}")
    print(
        f"{verdict.events} events: {verdict.claims} claims, {verdict.expired} leases ran out,"
        f" {told['tried']} attempts failed, {told['released']} let go"
    )
    print(
        f"done once each: {verdict.tasks}; lost: 0; at most {verdict.most_held} of {plan.capacity}"
        f" held at a time; order kept at every claim; {told['refused']} late acknowledgements"
        f" refused; {told['done']} acknowledged, {verdict.tasks - told['done']} done by workers"
        " that died before they heard of it"
    )
    print("the database is sound" if not problems else "\n".join(problems))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())

"""One-shot commands against an empty interpreter, at growing backlogs: prints ratios.

    python tests/bench/oneshot.py [--rounds 21] [--tasks 100000]

The baseline is `python -c pass` of the same environment, interleaved with what is measured; the
medians of one run are compared. The last part starts 100 `hopper add` 8 at a time and counts what
was kept.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOPPER = str(Path(sys.executable).with_name("hopper"))
LIMITS = {"add": 6.0, "next --claim": 6.0, "list": 7.0}
"""Times `python -c pass`; see docs/speed.md."""
GROWTH = 1.15


def environment(home: Path) -> dict[str, str]:
    """The environment of a user with that home, with bytecode written as usual."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "HOPPER_HOME": str(home), "HOPPER_ACTOR": "bench", "NO_COLOR": "1"}


def project(root: Path, tasks: int) -> tuple[Path, dict[str, str]]:
    """A project directory holding that many simple tasks, and the environment to use it."""
    from hopper_tui.engine.world import World
    from hopper_tui.model.task import Task

    root.mkdir()
    env = environment(root / "home")
    directory = root / "project"
    directory.mkdir()
    world = World(root / "home", directory, actor="bench")
    hopper = world.init_project(directory).hopper
    hopper.configure({"max_concurrent_tasks": 10**9, "auto_delegate": False})
    made = 0
    while made < tasks:
        some = min(5000, tasks - made)
        words = ("login", "report", "cache", "invoice", "search")
        with world.command("fill"), world.writing(hopper.store) as tx:
            for n in range(made, made + some):
                task = Task(
                    title=f"Fix the {words[n % 5]} number {n}",
                    id=world.new_id(),
                    instance=hopper.id,
                    priority=("urgent", "high", "medium", "low")[n % 4],  # type: ignore[arg-type]
                    created_at="2026-01-01T00:00:00.000Z",
                )
                tx.create(task, "task.created")
        made += some
    world.close()
    return directory, env


def timed(command: list[str], cwd: Path, env: dict[str, str]) -> float:
    """Milliseconds of one run."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000


def measure(
    places: dict[int, tuple[Path, dict[str, str]]], rounds: int
) -> dict[tuple[str, int], float]:
    """Median milliseconds of every command at every backlog, and of the baseline."""
    runs: list[tuple[tuple[str, int], list[str], Path, dict[str, str]]] = []
    for tasks, (directory, env) in places.items():
        runs.append((("pass", tasks), [sys.executable, "-c", "pass"], directory, env))
        runs.append((("add", tasks), [HOPPER, "add", "Fix a typo"], directory, env))
        runs.append((("next --claim", tasks), [HOPPER, "next", "--claim"], directory, env))
        runs.append((("list", tasks), [HOPPER, "list"], directory, env))
    times: dict[tuple[str, int], list[float]] = {key: [] for key, *_ in runs}
    for number in range(rounds + 2):
        random.shuffle(runs)
        for key, command, directory, env in runs:
            took = timed(command, directory, env)
            if number >= 2:  # the first rounds warm the caches
                times[key].append(took)
    return {key: statistics.median(values) for key, values in times.items()}


def concurrent(root: Path) -> int:
    """How many of 100 adds, 8 at a time, are kept."""
    directory, env = project(root, 0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: timed([HOPPER, "add", f"Task {n}"], directory, env), range(100)))
    listed = subprocess.run(
        [HOPPER, "list", "--json", "--limit", "0"],
        cwd=directory, env=env, capture_output=True, check=True, text=True,
    )  # fmt: skip
    import json

    return len(json.loads(listed.stdout))


def main() -> int:
    """Measure, print, and return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--tasks", type=int, default=100_000)
    chosen = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        places = {n: project(root / f"p{n}", n) for n in (100, chosen.tasks)}
        medians = measure(places, chosen.rounds)
        small, large = places
        base = statistics.median([medians["pass", small], medians["pass", large]])
        print(f"python -c pass: {base:.1f} ms")
        for command, limit in LIMITS.items():
            ratio = medians[command, small] / base
            growth = medians[command, large] / medians[command, small]
            late = ratio > limit or growth > GROWTH
            missed += late
            print(
                f"hopper {command:14} {medians[command, small]:6.1f} ms  {ratio:4.2f} x (limit"
                f" {limit:g})   at {large} tasks {growth:5.3f} x (limit {GROWTH})"
                f"{'   MISSED' if late else ''}"
            )
        kept = concurrent(root / "concurrent")
        missed += kept != 100
        print(f"100 concurrent adds keep {kept}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())

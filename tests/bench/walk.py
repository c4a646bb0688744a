"""Make many long random walks with git and tell how they went.

python tests/bench/walk.py [--walks 300] [--steps 60] [--seed N] [--jobs 1]

The seeds of those that go astray are put into tests/journal/walk_seeds.txt, which the tests walk
again.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from journal.walk import SEEDS, Walk, quick_directory


def walk(seed: int, steps: int) -> tuple[Counter[str], int, str]:
    """Make one walk; returns how often each step was made, the number of events that there were
    in the end, and what went wrong, "" if nothing did."""
    with quick_directory() as directory:
        made = Walk(seed, directory)
        try:
            events = made.run(steps)
        except Exception:
            return made.made, 0, traceback.format_exc()
        return made.made, events, ""


def main() -> int:
    """Walk, print a summary; returns 1 when a walk went astray."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walks", type=int, default=300)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first walk")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    total: Counter[str] = Counter()
    events = done = astray = 0
    began = time.monotonic()
    with ProcessPoolExecutor(asked.jobs) as pool:
        seeds = range(asked.seed, asked.seed + asked.walks)
        walks = {pool.submit(walk, seed, asked.steps): seed for seed in seeds}
        for future in as_completed(walks):
            made, found, fault = future.result()
            done += 1
            total += made
            events += found
            if fault:
                astray += 1
                with SEEDS.open("a", encoding="utf-8") as kept:
                    kept.write(f"{walks[future]} {asked.steps}\n")
                print(fault, flush=True)
            if done % 10 == 0:
                print(f"{done} walks, {astray} astray", flush=True)
    print(", ".join(f"{name} {count}" for name, count in total.most_common()))
    print(
        f"{done} walks of {asked.steps} steps from seed {asked.seed}, {sum(total.values())} steps"
        f" made, {events} events in the end, {time.monotonic() - began:.0f} s: {astray} astray"
    )
    return 1 if astray else 0


if __name__ == "__main__":
    sys.exit(main())

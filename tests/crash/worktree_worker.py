"""A worker that is killed at any moment: `worktree_worker.py HOME WORKTREE NAME LEASE`.

Claims with a lease and completes until nothing is left, telling of each step once it is through.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hopper_tui.engine.world import World
from hopper_tui.model.errors import LeaseLost


def main(home: str, worktree: str, name: str, lease: float) -> None:
    """Work until nothing is left to claim."""
    world = World(Path(home), Path(worktree), actor=name)
    hopper = world.hopper()
    while (task := hopper.claim_next(name, lease=lease, role="human")) is not None:
        print("claimed", task.id, flush=True)
        try:
            hopper.complete(task.id, executor=name)
        except LeaseLost:  # the machine was busy for longer than the lease
            print("lost", task.id, flush=True)
        else:
            print("done", task.id, flush=True)
    world.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))

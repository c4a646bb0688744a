"""Work on one queue in a process of its own: `queue_worker.py HOME NAME MODE`.

`drain` claims and completes until nothing is left; `fill` adds without end and is killed. Every
line printed is something that the store has acknowledged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hopper_tui.engine.world import World


def main(home: Path, name: str, mode: str) -> None:
    """Run until there is nothing left, or until killed."""
    world = World.from_environment(home, home.parent, name)
    worker = world.hopper("worker-1")
    number = 0
    while mode == "fill":
        number += 1
        key = worker.add_task(title=f"{name} {number}")
        os.write(1, f"{key}\n".encode())
    while (task := worker.claim_next(executor=name)) is not None:
        os.write(1, f"{task.id}\n".encode())
        worker.complete(task.id, executor=name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])

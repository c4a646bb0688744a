"""Kill a scenario's command at every commit: `harness.py SCENARIO BASE OUT`.

The home in BASE is copied once for every step; a child process runs the command there and is
killed `before` its n-th commit, or after it, and then `again` the next command, which picks up the
pieces, after its first. Prints the copies made, as JSON: [name, killed], in order.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from launch import warm_up

from hopper_tui.engine.world import World
from hopper_tui.store.database import Database

from .scenarios import SCENARIOS, Step

_end = Database._end


def _die_at(step: int, *, before: bool) -> None:
    """From now on, this process is killed at its n-th commit."""
    commits = 0

    def end(self: Database, db: sqlite3.Connection, error: BaseException | None) -> None:
        nonlocal commits
        commits += error is None
        if before and commits == step:
            os.kill(os.getpid(), signal.SIGKILL)
        _end(self, db, error)
        if commits == step:
            os.kill(os.getpid(), signal.SIGKILL)

    Database._end = end  # type: ignore[method-assign]


def _killed(home: Path, command: Step, step: int, *, before: bool) -> bool:
    """Whether the child that ran `command` died of the kill; False means that it was through."""
    child = os.fork()
    if not child:
        code = 1
        try:
            _die_at(step, before=before)
            world = World.from_environment(home, home.parent, "ann")
            command(world)
            world.close()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"the command failed at step {step}")
    return False


def main(name: str, base: Path, out: Path) -> None:
    """Make a copy of the home for every step."""
    for package in ("engine", "routing", "store"):
        warm_up(f"hopper_tui.{package}")
    gc.freeze()  # a collection in a child would copy all that is loaded
    command = SCENARIOS[name].command
    made = []
    for kind in ("before", "again"):
        step, killed = 0, True
        while killed:
            step += 1
            where = out / f"{kind} {step}"
            shutil.copytree(base, where)
            killed = _killed(where / "home", command, step, before=kind == "before")
            if killed and kind == "again":
                _killed(where / "home", lambda world: world.nodes(), 1, before=False)
            made.append([where.name, killed])
    print(json.dumps(made))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))

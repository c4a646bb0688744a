"""Use a store in a process of its own and say, as JSON, what came of it.

`attempt.py PATH read|write|fill [LIMIT]`: the error if any, and the titles found afterwards. LIMIT
is the size in bytes to which a file may grow.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hopper_tui.model.errors import HopperError
from hopper_tui.model.query import Query
from hopper_tui.model.task import Task
from hopper_tui.store.sqlite import SqliteStore


def limit_file_size(size: int) -> None:
    """Let files of this process grow to `size` bytes and no more, without a signal."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def write(store: SqliteStore, n: int, text: str = "") -> None:
    """Add one task."""
    with store.transaction(f"g{n}", "ann", "2030-01-01T00:00:00.000Z") as tx:
        made = Task(id=f"n{n}", title=f"new {n}", description=text, instance="web")
        tx.create(made, "task.created")


def main(path: str, mode: str, limit: str = "") -> None:
    """Make the attempt."""
    if limit:
        limit_file_size(int(limit))
    store = SqliteStore(Path(path))
    errors: list[dict[str, str]] = []
    acknowledged = 0
    try:
        if mode == "write":
            write(store, 0)
        while mode == "fill" and acknowledged < 10_000:
            write(store, acknowledged, "x" * 5000)
            acknowledged += 1
    except HopperError as error:
        errors.append({"type": type(error).__name__, "message": error.message, "hint": error.hint})
    found: list[str] | None
    try:
        found = [task.title for task in store.query(Query(sort="created"))]
        counted = sum(store.counts("web").values())
    except HopperError as error:
        errors.append({"type": type(error).__name__, "message": error.message, "hint": error.hint})
        found, counted = None, 0
    store.close()
    print(json.dumps({
        "errors": errors, "found": found, "counted": counted, "acknowledged": acknowledged,
    }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])

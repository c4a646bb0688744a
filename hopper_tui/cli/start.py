"""Start: the first and the last instructions of the `hopper` process.

A one-shot command lives for some hundredths of a second: it never pays for a garbage collection,
nor for taking the interpreter apart at its end.
"""

from __future__ import annotations

import gc

gc.disable()

import os  # noqa: E402 - imports shall already run without collections
import sys  # noqa: E402


def run() -> None:
    """Entry of the console script: run the command line, then leave at once."""
    from hopper_tui.cli.main import run as run_command

    code: object = 0
    try:
        run_command()
    except SystemExit as leaving:
        code = leaving.code
    except KeyboardInterrupt:
        code = 130
    _leave(code if isinstance(code, int) else int(code is not None))


def _leave(code: int) -> None:
    """Flush what was written and end the process; a reader that went away is no failure of ours
    worth a message."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
    os._exit(code)

"""Guard: a small process that outlives a worker and ends the commands it leaves behind.

It reads `+PID` and `-PID` lines about process groups that began and ended. At the end of its input,
which comes when the worker is gone in whichever way, it ends those that are left. It runs as a
program of its own: `python guard.py SECONDS`, the time between the request to end and the end.
"""

from __future__ import annotations

import os
import signal
import sys
import time


def main(grace: float) -> None:
    """Watch until the worker is gone, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    running: set[int] = set()
    for line in sys.stdin:
        change, group = line[0], int(line[1:])
        (running.add if change == "+" else running.discard)(group)
    give_up = time.monotonic() + grace
    _send(running, signal.SIGTERM)
    while running and time.monotonic() < give_up:
        time.sleep(0.05)
        running = _send(running, 0)
    _send(running, signal.SIGKILL)


def _send(groups: set[int], number: int) -> set[int]:
    """Send a signal to process groups; returns those that are there."""
    there = set()
    for group in groups:
        try:
            os.killpg(group, number)
            there.add(group)
        except OSError:
            continue
    return there


if __name__ == "__main__":
    main(float(sys.argv[1]))

"""Guard: a small process that runs the commands of a worker, and ends them when the worker is gone.

It is their parent, so none ever runs that it does not know. It is a program of its own, `python
guard.py SECONDS`, the time between the request to end and the end. Its stdin is a socket on which
lines of JSON are exchanged:

    the worker says  {"job": 7, "words": […], "env": {…}}  run it, on three descriptors
                     {"job": 7}                            end it
    the guard says   {"job": 7, "pid": 123}                it runs, in a session of its own
                     {"job": 7, "error": "…"}              it cannot be run
                     {"job": 7, "code": 0}                 it ended, and so did what it left running

The end of what the worker says, which comes when it is gone in whichever way, ends them all.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_STREAMS = 3
"""File descriptors that come along with a command."""


class _Command:
    """A command at work. Its process is the first of a session."""

    def __init__(self, process: subprocess.Popen[bytes], grace: float) -> None:
        self._process = process
        self._grace = grace
        self._has_ended = self._is_asked = False
        self._lock = threading.Lock()

    def send(self, number: int) -> None:
        """Signal all of its session, while it is there: the number of one that ended may be
        another's by now."""
        with self._lock:
            if not self._has_ended:
                with suppress(OSError):
                    os.killpg(self._process.pid, number)

    def end(self) -> None:
        """Ask it to end, and end it after a while."""
        if not self._is_asked:
            self._is_asked = True
            self.send(signal.SIGTERM)
            last = threading.Timer(self._grace, self.send, (signal.SIGKILL,))
            last.daemon = True
            last.start()

    def wait(self) -> int:
        """Its exit code; what it left running is ended."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:  # its number is free for a moment before the rest of its session is ended
            self._process.wait()
        self.send(signal.SIGKILL)
        with self._lock:
            self._has_ended = True
            return self._process.wait()


class Guard:
    """Does what a worker says on a socket, until it says no more."""

    def __init__(self, worker: socket.socket, grace: float) -> None:
        self._worker = worker
        self._grace = grace
        self._streams: deque[int] = deque()
        self._commands: dict[int, _Command] = {}
        self._saying = threading.Lock()

    def watch(self) -> None:
        """Return when the worker is gone and nothing runs any more."""
        try:
            for order in self._orders():
                job = order["job"]
                if "words" in order:
                    self._start(job, order["words"], order["env"])
                elif command := self._commands.get(job):
                    command.end()
        finally:
            self._end_all()

    def _orders(self) -> Iterator[dict[str, Any]]:
        begun = b""
        with suppress(ConnectionError):
            # descriptors arrive with the first byte of what they were sent with, or before
            while received := socket.recv_fds(self._worker, 1 << 16, _STREAMS):
                data, streams, *_ = received
                if not data:
                    return
                self._streams += streams
                *lines, begun = (begun + data).split(b"\n")
                yield from map(json.loads, lines)

    def _start(self, job: int, words: list[str], env: dict[str, str]) -> None:
        stdin, stdout, stderr = streams = [self._streams.popleft() for _ in range(_STREAMS)]
        try:
            process = subprocess.Popen(  # noqa: S603 - what the person said, without a shell
                words, stdin=stdin, stdout=stdout, stderr=stderr,
                env=os.environ | env, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            self._say(job=job, error=getattr(error, "strerror", None) or str(error))
            return
        finally:
            for stream in streams:
                os.close(stream)
        command = self._commands[job] = _Command(process, self._grace)
        self._say(job=job, pid=process.pid)
        threading.Thread(target=self._wait_for, args=(job, command), daemon=True).start()

    def _wait_for(self, job: int, command: _Command) -> None:
        code = command.wait()
        del self._commands[job]
        self._say(job=job, code=code)

    def _say(self, **reply: Any) -> None:
        with self._saying, suppress(OSError):  # nobody may be there any more
            self._worker.sendall(json.dumps(reply).encode() + b"\n")

    def _end_all(self) -> None:
        for command in list(self._commands.values()):
            command.send(signal.SIGTERM)
        give_up = time.monotonic() + self._grace
        while self._commands and time.monotonic() < give_up:
            time.sleep(0.05)
        for command in list(self._commands.values()):
            command.send(signal.SIGKILL)


def _outlive_signals() -> None:
    """Who ends the worker by a signal to its group does not end the guard. They are handled, not
    ignored: commands would inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


if __name__ == "__main__":
    _outlive_signals()
    with socket.socket(fileno=sys.stdin.fileno()) as worker:
        Guard(worker, float(sys.argv[1])).watch()

"""Guard: a small process that runs the commands of a worker, and ends them when the worker is gone.

It is their parent, so none ever runs that it does not know. It is a program of its own, `python
guard.py SECONDS`, the time between the request to end and the end. Its stdin is a socket on which
lines of JSON are exchanged:

    the worker says  {"job": 7, "words": […], "env": {…}}  run it, on four descriptors
                     {"job": 7, "lease": 60}               end it unless this comes again in time
                     {"job": 7}                            end it
    the guard says   {"job": 7, "pid": 123}                it runs, in a session of its own
                     {"job": 7, "error": "…"}              it cannot be run
                     {"job": 7, "code": 0}                 it ended, and so did what it left running

Three of the descriptors are the streams of the command; the fourth is closed when it has ended.
The end of what the worker says, which comes when it is gone in whichever way, ends them all.
"""

from __future__ import annotations

import json
import math
import os
import select
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

_DESCRIPTORS = 4
"""That come along with a command."""


class _Command:
    """A command at work. Its process is the first of a session, of which all others are ended with
    it; who leaves the session goes on."""

    def __init__(self, process: subprocess.Popen[bytes], end: int, grace: float) -> None:
        self._process = process
        self._end = end
        self._grace = grace
        self._has_ended = self._is_asked = False
        self._lock = threading.Lock()
        self.give_up = math.inf

    def send(self, number: int) -> None:
        """Signal all of its session, while it is there: the number of one that ended may be
        another's by now."""
        with self._lock:
            if not self._has_ended:
                for process in members(self._process.pid):
                    with suppress(OSError):
                        os.kill(process, number)

    def end(self) -> None:
        """Ask it to end, and end it after a while."""
        if not self._is_asked:
            self._is_asked = True
            self.send(signal.SIGTERM)
            last = threading.Timer(self._grace, self.kill)
            last.daemon = True
            last.start()

    def kill(self) -> None:
        """End all of its session, also what is begun while we do."""
        known: set[int] = set()
        while not self._has_ended and (found := set(members(self._process.pid))) - known:
            known |= found
            self.send(signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code; what it left running is ended."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:  # its number is free for a moment before the rest of its session is ended
            self._process.wait()
        self.kill()
        with self._lock:
            self._has_ended = True
            code = self._process.wait()
        os.close(self._end)
        return code


def members(session: int) -> list[int]:
    """The processes of a session; where the system does not list them, those of its first process
    group."""
    if not os.path.isdir("/proc/self"):
        return [-session]
    there = []
    for name in os.listdir("/proc"):
        with suppress(ValueError, OSError):
            if os.getsid(int(name)) == session:
                there.append(int(name))
    return there


class Guard:
    """Does what a worker says on a socket, until it says no more."""

    def __init__(self, worker: socket.socket, grace: float) -> None:
        self._worker = worker
        self._grace = grace
        self._received: deque[int] = deque()
        self._commands: dict[int, _Command] = {}
        self._saying = threading.Lock()

    def watch(self) -> None:
        """Return when the worker is gone and nothing runs any more."""
        try:
            for order in self._orders():
                job = order["job"]
                command = self._commands.get(job)
                if "words" in order:
                    self._start(job, order["words"], order["env"])
                elif command and "lease" in order:
                    command.give_up = time.monotonic() + order["lease"]
                elif command:
                    command.end()
        finally:
            self._end_all()

    def _orders(self) -> Iterator[dict[str, Any]]:
        begun = b""
        with suppress(ConnectionError):
            while True:
                self._await_order()
                # descriptors arrive with the first byte of what they were sent with, or before
                data, received, *_ = socket.recv_fds(self._worker, 1 << 16, _DESCRIPTORS)
                if not data:
                    return
                self._received += received
                *lines, begun = (begun + data).split(b"\n")
                yield from map(json.loads, lines)

    def _await_order(self) -> None:
        """Wait until the worker says something, and end what it does not ask for any longer: it may
        be stopped, while its tasks go to others."""
        while True:
            commands = list(self._commands.values())
            soonest = min([command.give_up for command in commands], default=math.inf)
            left = None if soonest == math.inf else max(0.0, soonest - time.monotonic())
            if select.select([self._worker], [], [], left)[0]:
                return
            for command in commands:
                if command.give_up <= time.monotonic():
                    command.give_up = math.inf
                    command.end()

    def _start(self, job: int, words: list[str], env: dict[str, str]) -> None:
        *streams, end = (self._received.popleft() for _ in range(_DESCRIPTORS))
        stdin, stdout, stderr = streams
        try:
            process = subprocess.Popen(  # noqa: S603 - what the person said, without a shell
                words, stdin=stdin, stdout=stdout, stderr=stderr,
                env=os.environ | env, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            self._say(job=job, error=getattr(error, "strerror", None) or str(error))
            os.close(end)
            return
        finally:
            for stream in streams:
                os.close(stream)
        command = self._commands[job] = _Command(process, end, self._grace)
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
            command.kill()


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

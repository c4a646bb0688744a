"""Guarded: commands that run under a guard, so that they end when this process does."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from hopper_tui.cli import guard
from hopper_tui.engine.worker import CannotWork

Reply = Mapping[str, Any]
GRACE = 5.0
"""Seconds between the request to end and the end of a command."""
SHORTEST_LEASE = 1.0
"""Seconds that a command has at least: where a clock was set, leases are renewed at once."""


class Job:
    """A command that was started. `ended` is a file descriptor at whose end it has ended; who
    started it closes that."""

    def __init__(self, number: int, ended: int, runner: Runner) -> None:
        self.number = number
        self.ended = ended
        self.pid = 0
        self._runner = runner
        self._replies: SimpleQueue[Reply] = SimpleQueue()

    def wait(self) -> int:
        """Its exit code, negative for a signal; nothing of its session runs any more. Raises
        CannotWork when the guard is gone."""
        code: int = self.hear()["code"]
        return code

    def renew(self, lease: float) -> None:
        """End it in so many seconds, unless this is said again."""
        self._runner.say({"job": self.number, "lease": max(lease, SHORTEST_LEASE)})

    def end(self) -> None:
        """Ask its session to end, and end it after a while."""
        self._runner.say({"job": self.number})

    def tell(self, reply: Reply) -> None:
        """What the guard says of it; nothing, when it is gone."""
        self.pid = reply.get("pid", self.pid)
        self._replies.put(reply)

    def hear(self) -> Reply:
        """The next that the guard says of it; raises CannotWork when it is gone."""
        if not (reply := self._replies.get()):
            raise CannotWork("the process that runs commands was ended", "Start the worker again")
        return reply


class Runner:
    """Runs commands, each in a session of its own; a context manager.

    Another process is their parent, and ends them should this one die in whichever way.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._is_gone = False
        self._knowing, self._saying = threading.Lock(), threading.Lock()

    def __enter__(self) -> Runner:
        self._line, theirs = socket.socketpair()
        with theirs:
            self._guard = subprocess.Popen(  # noqa: S603 - a program of ours
                [sys.executable, "-I", "-S", guard.__file__, str(GRACE)],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        threading.Thread(target=self._listen, name="guard", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)

    def start(
        self, words: Sequence[str], env: Mapping[str, str], stdin: int, stdout: int, stderr: int
    ) -> Job:
        """Run a command, with what `env` adds to the environment, on file descriptors that may be
        closed then. Raises CannotWork."""
        ended, end = os.pipe()
        try:
            job = Job(next(self._numbers), ended, self)
            with self._knowing:
                self._jobs[job.number] = job
                if self._is_gone:
                    job.tell({})
            order = {"job": job.number, "words": words, "env": env}
            self.say(order, (stdin, stdout, stderr, end))
            if error := job.hear().get("error"):
                del self._jobs[job.number]
                raise CannotWork(f"cannot run {words[0]}: {error}", "Check the command")
        except BaseException:
            os.close(ended)
            raise
        finally:
            os.close(end)
        return job

    def say(self, order: Mapping[str, Any], streams: Sequence[int] = ()) -> None:
        """Give the guard an order, and file descriptors with it."""
        text = json.dumps(order).encode() + b"\n"
        with self._saying, suppress(OSError):  # that it is gone is heard by who waits for a reply
            sent = socket.send_fds(self._line, [text], streams)
            self._line.sendall(text[sent:])

    def _listen(self) -> None:
        for reply in self._replies():
            job = self._jobs[reply["job"]]
            if "code" in reply:
                del self._jobs[job.number]
            job.tell(reply)
        with self._knowing:
            self._is_gone = True
            for job in self._jobs.values():
                for process in guard.members(job.pid) if job.pid else ():  # nobody else ends them
                    with suppress(OSError):
                        os.kill(process, signal.SIGKILL)
                job.tell({})

    def _replies(self) -> Iterator[Reply]:
        begun = b""
        while True:
            try:
                data = self._line.recv(1 << 16)
            except ConnectionResetError:  # it left orders unread; what it said before comes now
                continue
            except OSError:
                return
            if not data:
                return
            *lines, begun = (begun + data).split(b"\n")
            yield from map(json.loads, lines)

"""Running: a command for each task, in a session of its own, its output kept within limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hopper_tui.cli import guard
from hopper_tui.cli.parameters import read_json
from hopper_tui.engine.worker import REASON_LIMIT, RESULT_LIMIT, AttemptFailed, CannotWork
from hopper_tui.model.errors import Invalid
from hopper_tui.model.task import Task, task_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hopper_tui.engine.worker import Worker

GRACE = 5.0
"""Seconds between the request to end and the end of a command."""
OUTPUT_LIMIT = 16 << 10
"""Bytes of stdout that are kept, its end."""
_DEPTH_LIMIT = 16
"""A JSON value nested deeper is kept as text."""
_TEMPORARY_FAILURE = 75
"""EX_TEMPFAIL of sysexits: whoever exits with it wants to be tried again."""
_LINE = 8192
"""Bytes of a line of stderr that are passed on in one piece."""
PLACE = "{}"
"""What stands for the id of the task in a command."""


class Tail:
    """The last `limit` bytes of a stream."""

    def __init__(self, limit: int) -> None:
        self.total = 0
        self._limit = limit
        self._kept = bytearray()

    def add(self, data: bytes) -> None:
        """More came."""
        self.total += len(data)
        self._kept += data
        if len(self._kept) > 2 * self._limit:
            del self._kept[: -self._limit]

    @property
    def is_cut(self) -> bool:
        """Whether there was more than is kept."""
        return self.total > self._limit

    def text(self) -> str:
        """What is kept; bytes that are no UTF-8 are replaced."""
        return bytes(self._kept[-self._limit :]).decode("utf-8", "replace")


@dataclass(eq=False)
class _Running:
    """A command at work. `ending` is whether it was asked to end."""

    process: subprocess.Popen[bytes]
    ended: bool = False
    ending: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, number: int) -> None:
        """Signal all of its session, while it is there: the number of one that ended may be
        another's by now."""
        with self.lock:
            if not self.ended:
                with suppress(OSError):
                    os.killpg(self.process.pid, number)

    def wait(self) -> int:
        """Its exit code; what it left running is ended."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        else:  # its number is free for a moment before the rest of its session is ended
            self.process.wait()
        self.send(signal.SIGKILL)
        with self.lock:
            self.ended = True
            return self.process.wait()


class Commands:
    """A handler that runs `words` for each task of its `worker`, which is set before it runs.

    A context manager: should this process die in whichever way, the commands are ended. With
    `retry` false only a temporary failure is tried again.
    """

    def __init__(self, words: Sequence[str], retry: bool) -> None:
        self.worker: Worker | None = None
        self._words = tuple(words)
        self._retry = retry
        self._running: dict[tuple[str, int], _Running] = {}
        self._guard: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Commands:
        self._guard = subprocess.Popen(  # noqa: S603 - a program of ours
            [sys.executable, "-I", "-S", str(Path(guard.__file__)), str(GRACE)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", start_new_session=True, bufsize=0,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._guard is not None
        assert self._guard.stdin is not None
        self._guard.stdin.close()

    def __call__(self, task: Task) -> Any:
        """Run the command; returns its output, raises AttemptFailed with the end of its stderr."""
        running = self._start(task)
        self._running[_key(task)] = running
        out, err = Tail(OUTPUT_LIMIT), Tail(REASON_LIMIT)
        readers = [
            threading.Thread(target=_keep, args=(running.process.stdout, out), daemon=True),
            threading.Thread(target=_pass_on, args=(running.process.stderr, err), daemon=True),
        ]
        try:
            for reader in readers:
                reader.start()
            if self.worker is not None and self.worker.lost(task):  # before we knew the command
                self.end(task)
            code = running.wait()
        finally:
            self._tell_guard(f"-{running.process.pid}")
            del self._running[_key(task)]
        for reader in readers:  # who left the session may hold them open
            reader.join(1.0)
        if code == 0:
            return _result(out)
        retry = True if code == _TEMPORARY_FAILURE else self._retry
        raise AttemptFailed(f"{_how(code)}: {err.text().strip()}".rstrip(": \n"), retry)

    def _start(self, task: Task) -> _Running:
        assert self.worker is not None
        words = [word.replace(PLACE, task.id) for word in self._words]
        with tempfile.TemporaryFile() as told:  # a pipe would have to be fed
            world = self.worker.hopper.world
            told.write(dumps(task_json(task, world.short_id(task))).encode() + b"\n")
            told.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 - what the person said, without a shell
                    words, stdin=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    env=os.environ | _environment(self.worker, task), start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise CannotWork(
                    f"cannot run {words[0]}: {error.strerror}", "Check the command"
                ) from error
        self._tell_guard(f"+{process.pid}")
        return _Running(process)

    def _tell_guard(self, line: str) -> None:
        assert self._guard is not None
        assert self._guard.stdin is not None
        with self._lock, suppress(OSError, ValueError):
            self._guard.stdin.write(f"{line}\n".encode())

    def end(self, task: Task) -> None:
        """Ask the command for a task to end, and end it after a while."""
        running = self._running.get(_key(task))
        if running is not None and not running.ending:
            running.ending = True
            running.send(signal.SIGTERM)
            last = threading.Timer(GRACE, running.send, (signal.SIGKILL,))
            last.daemon = True
            last.start()


def _key(task: Task) -> tuple[str, int]:
    return task.id, task.attempts


def _environment(worker: Worker, task: Task) -> Mapping[str, str]:
    """What a command may know about its task; `hopper` in it acts as the worker, at home."""
    world = worker.hopper.world
    return {
        "HOPPER_TASK_ID": task.id,
        "HOPPER_INSTANCE": task.instance,
        "HOPPER_EXECUTOR": worker.name,
        "HOPPER_ROLE": worker.role,
        "HOPPER_ATTEMPT": str(task.attempts),
        "HOPPER_ACTOR": world.actor,
        "HOPPER_HOME": str(world.home),
    }


def _keep(stream: IO[bytes] | None, tail: Tail) -> None:
    assert stream is not None
    with suppress(OSError, ValueError):
        # what a process writes is a buffered reader, though Popen's types do not say so
        while data := stream.read1(65536):  # type: ignore[attr-defined]
            tail.add(data)


def _pass_on(stream: IO[bytes] | None, tail: Tail) -> None:
    """Write what a command says on stderr to our own, line by line."""
    assert stream is not None
    with suppress(OSError, ValueError):
        while line := stream.readline(_LINE):
            tail.add(line)
            with suppress(OSError, ValueError):
                sys.stderr.buffer.write(line)
                sys.stderr.buffer.flush()


def _result(out: Tail) -> Any:
    """What a command printed: a JSON value, else text; None for nothing."""
    text = out.text()
    if not out.is_cut:
        with suppress(Invalid):
            value = read_json(text, "stdout")
            if _fits(value):
                return value
    return _shortened(text.rstrip("\r\n"), out.is_cut) or None


def _fits(value: Any) -> bool:
    """Whether a JSON value can be kept in any record."""
    try:
        dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return len(dumps(value)) <= RESULT_LIMIT and _depth(value) <= _DEPTH_LIMIT


def _depth(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list) or not value:
        return 0
    return 1 + max(_depth(part) for part in parts)


def _shortened(text: str, cut: bool) -> str:
    """The end of a text that a record can hold, with a mark if there was more."""
    while len(dumps(kept := f"[the beginning is cut]\n{text}" if cut else text)) > RESULT_LIMIT:
        text, cut = text[len(text) // 2 :], True
    return kept


def _how(code: int) -> str:
    """How a command ended."""
    if code >= 0:
        return f"exit {code}"
    with suppress(ValueError):
        return f"ended by {signal.Signals(-code).name}"
    return f"ended by signal {-code}"

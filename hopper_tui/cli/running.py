"""Running: a command for each task, in a session of its own, its output kept within limits."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack, suppress
from io import BufferedReader, BufferedWriter
from json import dumps
from typing import TYPE_CHECKING, Any

from hopper_tui.cli.guarded import Job, Runner
from hopper_tui.cli.parameters import read_json
from hopper_tui.engine.worker import REASON_LIMIT, RESULT_LIMIT, AttemptFailed
from hopper_tui.model.errors import Invalid
from hopper_tui.model.task import Task, task_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hopper_tui.engine.worker import Worker

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


class Commands:
    """A handler that runs `words` for each task of its `worker`, which is set before it runs.

    A context manager: should this process die in whichever way, the commands are ended. With
    `retry` false only a temporary failure is tried again.
    """

    def __init__(self, words: Sequence[str], retry: bool) -> None:
        self.worker: Worker | None = None
        self._words = tuple(words)
        self._retry = retry
        self._runner = Runner()
        self._running: dict[tuple[str, int], Job] = {}

    def __enter__(self) -> Commands:
        self._runner.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.__exit__(*error)

    def __call__(self, task: Task) -> Any:
        """Run the command; returns its output, raises AttemptFailed with the end of its stderr."""
        out, err = Tail(OUTPUT_LIMIT), Tail(REASON_LIMIT)
        job, stdout, stderr = self._start(task)
        self._running[_key(task)] = job
        readers = [
            threading.Thread(target=_keep, args=(stdout, out), daemon=True),
            threading.Thread(target=_pass_on, args=(stderr, err), daemon=True),
        ]
        try:
            for reader in readers:
                reader.start()
            if self.worker is not None and self.worker.lost(task):  # before we knew the command
                job.end()
            code = job.wait()
        finally:
            del self._running[_key(task)]
        for reader in readers:  # who left the session may hold them open
            reader.join(1.0)
        if code == 0:
            return _result(out)
        retry = True if code == _TEMPORARY_FAILURE else self._retry
        raise AttemptFailed(f"{_how(code)}: {err.text().strip()}".rstrip(": \n"), retry)

    def _start(self, task: Task) -> tuple[Job, BufferedReader, BufferedReader]:
        """Run the command for a task; what it writes on stdout and stderr can be read."""
        assert self.worker is not None
        words = [word.replace(PLACE, task.id) for word in self._words]
        world = self.worker.hopper.world
        with ExitStack() as ours, ExitStack() as theirs:
            told = theirs.enter_context(tempfile.TemporaryFile())  # a pipe would have to be fed
            told.write(dumps(task_json(task, world.short_id(task))).encode() + b"\n")
            told.seek(0)
            (stdout, out), (stderr, err) = (_pipe(ours, theirs) for _ in range(2))
            env = _environment(self.worker, task)
            job = self._runner.start(words, env, told.fileno(), out.fileno(), err.fileno())
            ours.pop_all()
        return job, stdout, stderr

    def end(self, task: Task) -> None:
        """Ask the command for a task to end, and end it after a while."""
        if job := self._running.get(_key(task)):
            job.end()


def _pipe(reading: ExitStack, writing: ExitStack) -> tuple[BufferedReader, BufferedWriter]:
    """Both ends of a pipe, each closed with whom it belongs to."""
    read, write = os.pipe()
    return reading.enter_context(open(read, "rb")), writing.enter_context(open(write, "wb"))


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


def _keep(stream: BufferedReader, tail: Tail) -> None:
    with stream, suppress(OSError, ValueError):
        while data := stream.read1(65536):
            tail.add(data)


def _pass_on(stream: BufferedReader, tail: Tail) -> None:
    """Write what a command says on stderr to our own, line by line."""
    with stream, suppress(OSError, ValueError):
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

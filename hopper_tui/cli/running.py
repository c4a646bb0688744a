"""Running: a command for each task, in a session of its own, its output kept within limits."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from json import dumps
from typing import TYPE_CHECKING, Any

from hopper_tui.cli.guarded import Job, Runner
from hopper_tui.cli.parameters import read_json
from hopper_tui.engine.worker import REASON_LIMIT, RESULT_LIMIT, AttemptFailed, CannotWork
from hopper_tui.model.errors import Invalid
from hopper_tui.model.task import Task, task_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hopper_tui.engine.worker import Worker

OUTPUT_LIMIT = 16 << 10
"""Bytes of stdout that are kept, its end."""
_DEPTH_LIMIT = 16
"""A JSON value nested deeper is kept as text."""
_TEMPORARY_FAILURE = 75
"""EX_TEMPFAIL of sysexits: whoever exits with it wants to be tried again."""
_LINE = 8192
"""Bytes of a line of stderr that are passed on before it is complete."""
_LINGER = 1.0
"""Seconds that output is read after its command has ended."""
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
        assert self.worker is not None
        out, err = Tail(OUTPUT_LIMIT), Tail(REASON_LIMIT)
        said = _PassedOn(err)
        with ExitStack() as files:
            job, streams = self._start(task, files)
            self._running[_key(task)] = job
            try:
                if (lease := self.worker.lease_left(task)) is not None:
                    job.renew(lease)
                if self.worker.lost(task):  # before we knew the command
                    job.end()
                _read(job.ended, dict(zip(streams, (out.add, said.add), strict=True)))
                code = job.wait()
            except BaseException:
                job.end()
                raise
            finally:
                del self._running[_key(task)]
        said.end()
        if code == 0:
            return _result(out)
        retry = True if code == _TEMPORARY_FAILURE else self._retry
        raise AttemptFailed(f"{_how(code)}: {err.text().strip()}".rstrip(": \n"), retry)

    def _start(self, task: Task, files: ExitStack) -> tuple[Job, Sequence[int]]:
        """Run the command for a task; what it writes on stdout and stderr can be read, until
        `files` are closed."""
        assert self.worker is not None
        words = [word.replace(PLACE, task.id) for word in self._words]
        world = self.worker.hopper.world
        try:
            with ExitStack() as theirs:
                told = theirs.enter_context(tempfile.TemporaryFile())  # a pipe would have to be fed
                told.write(dumps(task_json(task, world.short_id(task))).encode() + b"\n")
                told.seek(0)
                (stdout, out), (stderr, err) = (_pipe(files, theirs) for _ in range(2))
                env = _environment(self.worker, task)
                job = self._runner.start(words, env, told.fileno(), out, err)
                files.callback(os.close, job.ended)
        except OSError as error:
            raise CannotWork(
                f"cannot run {words[0]}: {error.strerror}", "Make room, or run fewer jobs at a time"
            ) from error
        return job, (stdout, stderr)

    def renewed(self, task: Task, lease: float) -> None:
        """The lease of a task goes on for so many seconds: its command may, too."""
        if job := self._running.get(_key(task)):
            job.renew(lease)

    def end(self, task: Task) -> None:
        """Ask the command for a task to end, and end it after a while."""
        if job := self._running.get(_key(task)):
            job.end()


def _pipe(reading: ExitStack, writing: ExitStack) -> tuple[int, int]:
    """Both ends of a pipe, each closed with whom it belongs to."""
    read, write = os.pipe()
    reading.callback(os.close, read)
    writing.callback(os.close, write)
    return read, write


def _read(ended: int, streams: Mapping[int, Callable[[bytes], object]]) -> None:
    """Hand on what comes from each stream until all are at their end, or until a moment after
    `ended` is: who left the session of a command may hold them open."""
    open_streams, give_up = set(streams), math.inf
    poll = select.poll()
    for stream in (*streams, ended):
        poll.register(stream, select.POLLIN)
    while open_streams and (left := give_up - time.monotonic()) > 0:
        for stream, _ in poll.poll(None if left == math.inf else left * 1000):
            if stream == ended:
                give_up = time.monotonic() + _LINGER
            elif data := os.read(stream, 1 << 16):
                streams[stream](data)
                continue
            open_streams.discard(stream)
            poll.unregister(stream)


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


class _PassedOn:
    """What a command says on stderr: its end is kept, and all goes to our own, line by line."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._begun = b""

    def add(self, data: bytes) -> None:
        """More came."""
        self._tail.add(data)
        *lines, self._begun = (self._begun + data).split(b"\n")
        if lines:
            self._write(b"\n".join(lines) + b"\n")
        if len(self._begun) >= _LINE:
            self.end()

    def end(self) -> None:
        """Pass on the line that is not complete."""
        self._write(self._begun)
        self._begun = b""

    def _write(self, data: bytes) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.buffer.write(data)
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

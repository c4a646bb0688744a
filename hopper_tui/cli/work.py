"""`hopper work`: a command for each task, by a worker with leases and heartbeats."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli.command import command
from hopper_tui.cli.failure import PartlyRefused
from hopper_tui.cli.parameters import (
    MOST,
    instance_option,
    lease_option,
    seconds_of,
    worker_options,
)
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import Invalid
from hopper_tui.model.text import counted, plain

if TYPE_CHECKING:
    from hopper_tui.engine.worker import Attempt, Worker

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OVER = 0
"""Stands for the end of the worker among the numbers of signals."""


@command
@instance_option()
@worker_options
@click.option("-j", "--jobs", type=click.IntRange(1, 1000), default=1, metavar="N",
              help="Run so many commands at a time.")  # fmt: skip
@lease_option()
@click.option("--until-empty/--wait", default=False,
              help="End when nothing is left for workers, or wait for more (default).")  # fmt: skip
@click.option("--max-tasks", type=click.IntRange(1, MOST), metavar="N",
              help="End after so many tasks.")  # fmt: skip
@click.option("--no-retry", is_flag=True,
              help="Try no task again whose command failed, unless it exits with 75.")  # fmt: skip
@click.argument("words", metavar="COMMAND [ARG]...", nargs=-1, required=True,
                type=click.UNPROCESSED)  # fmt: skip
def work(
    session: Session,
    instance: str | None,
    executor: str | None,
    role: str | None,
    capability: tuple[str, ...],
    jobs: int,
    lease: str | None,
    until_empty: bool,
    max_tasks: int | None,
    no_retry: bool,
    words: tuple[str, ...],
) -> None:
    """Run a command for each task of an instance, as a worker.

    {} in COMMAND stands for the id of the task; no shell reads it. The command gets the task as
    JSON on stdin, and HOPPER_TASK_ID, HOPPER_INSTANCE, HOPPER_EXECUTOR and HOPPER_ATTEMPT in its
    environment. Exit 0 completes the task, with stdout as the result; any other exit fails the
    attempt, with the end of stderr as the reason, and the task is tried again while attempts
    remain. While the command runs, heartbeats renew the lease; if it is lost all the same, the
    command is ended and what it did is not counted.

    One signal (Ctrl-C, SIGTERM) lets the running commands finish, a second one ends them and
    releases their tasks. Exits with 1 if a task was left failed, after a second signal with 128 and
    its number.

    \b
    Examples:
      hopper work --instance worker-1 -- ./solve {}
      hopper work --role coder --capability python -j 4 --until-empty -- ./agent
      hopper work --instance worker-1 --lease 5m --max-tasks 1 -- make -C build check
    """
    from hopper_tui.cli.running import Commands
    from hopper_tui.engine.worker import Worker

    hopper = session.world.hopper(instance)
    _check(words[0])
    commands = Commands(words, retry=not no_retry)
    log = _Log(session)
    worker = commands.worker = Worker(
        hopper, commands, executor, role, capability, jobs, seconds_of(lease),
        told=log.ended, on_lost=commands.end, on_renewed=commands.renewed, warn=session.warn,
    )  # fmt: skip
    with commands:
        number = _run(worker, session, until_empty=until_empty, max_tasks=max_tasks)
    if number:
        raise click.exceptions.Exit(128 + number)
    log.sum_up()


work.allow_interspersed_args = False


def _check(program: str) -> None:
    """Raise Invalid for a program that cannot be run, before a task is taken."""
    from shutil import which

    if which(program) is None:
        raise Invalid(f"there is no program {program!r}", "Give a command that can be run")


class _Log:
    """Says how each attempt ended, and at the end which tasks were left failed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._failed: dict[str, bool] = {}
        self._lock = threading.Lock()

    def ended(self, attempt: Attempt) -> None:
        """Print one attempt: on stdout what was decided, on stderr what was not."""
        session, task = self._session, attempt.task
        short_id = session.world.short_id(task)
        with self._lock:
            if attempt.outcome in ("lost", "released"):
                session.warn(
                    f"{short_id} lost, its command is ended: {attempt.reason}"
                    if attempt.outcome == "lost"
                    else f"{short_id} released"
                )
                return
            is_done = attempt.outcome == "done"
            self._failed[task.id] = attempt.outcome in ("failed", "retry")
            session.answer(
                json=lambda: {
                    "id": task.id, "short_id": short_id, "attempt": task.attempts,
                    "outcome": attempt.outcome, "reason": attempt.reason or None,
                },
                ids=lambda: [task.id] if is_done else [],
                text=lambda: [_line(short_id, attempt)],
            )  # fmt: skip

    def sum_up(self) -> None:
        """Raise PartlyRefused if tasks were left failed."""
        if failed := [key for key, has_failed in self._failed.items() if has_failed]:
            well = len(self._failed) - len(failed)
            raise PartlyRefused(
                f"{counted(len(failed), 'task')} failed, {well} went well",
                f"See why: hopper task log {failed[0]}",
            )


def _line(short_id: str, attempt: Attempt) -> str:
    word = {"retry": "failed, tried again"}.get(attempt.outcome, attempt.outcome)
    return plain(f"{short_id}  {word}  {attempt.task.title}")


def _run(worker: Worker, session: Session, **how: Any) -> int:
    """Let a worker work in a thread, and pass signals on to it; returns the number of a second
    signal. Raises what the worker raises."""
    import gc

    faults: list[BaseException] = []
    with _signals() as (numbers, over):

        def run() -> None:
            try:
                worker.run(**how)
            except BaseException as fault:
                faults.append(fault)
            finally:
                over()

        gc.enable()
        threading.Thread(target=run, name="worker", daemon=True).start()
        stopped = 0
        for number in numbers:
            stopped += 1
            if stopped == 1:
                worker.stop()
                if worker.is_busy:
                    session.warn("the running commands finish; the next signal ends them")
            elif stopped == 2:
                last = number
                worker.stop(now=True)
            else:
                break
    if stopped > 1:
        return last
    if faults:
        raise faults[0]
    return 0


@contextmanager
def _signals() -> Iterator[tuple[Iterator[int], Any]]:
    """The numbers of the signals that come, until the function beside them is called.

    The handlers do nothing, for they might interrupt anything: the numbers come through a pipe.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: None) for number in heeded}
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def numbers() -> Iterator[int]:
        while (number := os.read(reading, 1)[0]) != _OVER:
            if number in heeded:
                yield number

    try:
        yield numbers(), lambda: os.write(writing, bytes([_OVER]))
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)

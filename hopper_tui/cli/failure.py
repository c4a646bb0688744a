"""How a command fails: the exit codes, and the one line that says what happened and what to do."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from json import dumps

import click

from hopper_tui.cli.session import complain
from hopper_tui.model.errors import AmbiguousId, HopperError

DONE, REFUSED, USAGE, AMBIGUOUS, NOTHING = 0, 1, 2, 3, 4
INTERRUPTED, BROKEN_PIPE = 130, 141
"""As shells report a program ended by SIGINT or SIGPIPE."""


class NothingThere(HopperError):
    """There is nothing to hand out."""

    code = "nothing_there"


class PartlyRefused(HopperError):
    """Some of several tasks were refused; the others are done."""

    code = "partly_refused"


class Rejected(HopperError):
    """The target of a delegation did not take the task."""

    code = "rejected"


class UsageProblem(HopperError):
    """The command line cannot be understood."""

    code = "usage"


class InternalError(HopperError):
    """A fault of Hopper itself."""

    code = "internal"


EXITS: tuple[tuple[type[HopperError], int], ...] = (
    (AmbiguousId, AMBIGUOUS),
    (NothingThere, NOTHING),
    (UsageProblem, USAGE),
    (HopperError, REFUSED),
)
"""The first that fits decides."""


def report(error: BaseException, *, json: bool) -> int:
    """Say on stderr what went wrong; returns the exit code."""
    if isinstance(error, BrokenPipeError):
        return discard_output()
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return USAGE
    if os.environ.get("HOPPER_DEBUG"):
        from traceback import print_exception

        print_exception(error)
    known = explain(error)
    end = "" if known.message.endswith(("?", "!", ".")) else "."
    complain(f"hopper: {known.message}{end} {known.hint}".rstrip())
    candidates = known.candidates if isinstance(known, AmbiguousId) else ()
    for key, title in candidates:
        complain(f"  {key}  {title}")
    if json:
        complain(_as_json(known, candidates))
    return next(code for kind, code in EXITS if isinstance(known, kind))


def explain(error: BaseException) -> HopperError:
    """Any error as one of Hopper's own, with a message and a hint."""
    if isinstance(error, HopperError):
        return error
    if isinstance(error, click.UsageError):
        return _usage(error)
    if isinstance(error, sqlite3.Error):
        from hopper_tui.store.failure import storage_error

        return storage_error(error, None)
    if isinstance(error, OSError):
        from hopper_tui.model.errors import StorageError

        where = f"{error.filename}: " if error.filename else ""
        return StorageError(f"{where}{error.strerror or error}")
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return InternalError(
        f"internal error, {what}", "Run it again with HOPPER_DEBUG=1 and report what it shows"
    )


def _usage(error: click.UsageError) -> UsageProblem:
    message = error.format_message()
    path = error.ctx.command_path if error.ctx else "hopper"
    return UsageProblem(message[:1].lower() + message[1:], f"See: {path} --help")


def _as_json(error: HopperError, candidates: Sequence[tuple[str, str]]) -> str:
    body: dict[str, object] = {"code": error.code, "message": error.message, "hint": error.hint}
    if candidates:
        body["candidates"] = [{"id": key, "title": title} for key, title in candidates]
    return dumps({"error": body})


def discard_output() -> int:
    """Nobody reads any more: keep the interpreter from failing when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE

"""Editor: a task edited as a text in $VISUAL or $EDITOR, with nothing lost whatever happens."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual.app import App, SuspendNotSupported

from hopper_tui.engine import draft_text, drafting
from hopper_tui.engine.drafting import Draft
from hopper_tui.model.errors import HopperError, Invalid
from hopper_tui.tui.dialogs.confirm import ConfirmDialog
from hopper_tui.tui.snapshot import Problem, TaskRow

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.tui.cockpit import Cockpit

FOLDER = "edits"
"""Where in the home the texts are while they are edited, and stay if they cannot be saved."""


class Text(NamedTuple):
    """A task on its way through an editor: as it was, as a text, and where that is."""

    draft: Draft
    text: str
    path: Path


def command(environ: Mapping[str, str]) -> list[str] | None:
    """The editor that the environment names, None if it names none."""
    named = environ.get("VISUAL") or environ.get("EDITOR") or ""
    with suppress(ValueError):  # quotes that do not match: whatever it is, it is one word
        return shlex.split(named) or None
    return [named]


async def edit(cockpit: Cockpit, row: TaskRow, editor: Sequence[str]) -> None:
    """Edit a task; what cannot be saved is offered for another try, and stays in its file."""
    key = row.task.id
    try:
        given = await cockpit.session.do(lambda world: _write(world, key))
    except (HopperError, OSError) as error:
        cockpit.warn(Problem.of(error).sentence)
        return
    if not cockpit.is_current:  # something else was opened meanwhile
        _remove(given.path)
        return
    while problem := await _edit_once(cockpit, row, given, editor):
        if _is_untouched(given):
            _remove(given.path)
            cockpit.warn(problem.sentence)
            return
        question = f"{problem.sentence}\n\nEdit it again? Otherwise it stays in {given.path}"
        if not await cockpit.app.push_screen_wait(ConfirmDialog("not saved", question)):
            cockpit.warn(f"Not saved. The text is in {given.path}")
            return
        with suppress(HopperError):  # saving again knows what it overwrites
            given = given._replace(draft=await cockpit.session.draft(key))
    _remove(given.path)


async def _edit_once(
    cockpit: Cockpit, row: TaskRow, given: Text, editor: Sequence[str]
) -> Problem | None:
    """Let the editor have the file, and save what it left there; why not, if that failed."""
    problem = await _run(cockpit.app, [*editor, str(given.path)])
    if problem is not None:
        return problem
    try:
        text = _read(given.path)
        if text is None:
            raise Invalid(f"{given.path} is gone")
        changed = draft_text.changes(given.text, text)
    except Invalid as error:
        return Problem.of(error)
    if not changed:
        cockpit.say("nothing was changed")
        return None
    after = given.draft._replace(**changed)
    return await cockpit.attempt(
        lambda world: drafting.save(world, row.task.id, given.draft, after),
        lambda _: f"changed {row.short_id}",
    )


async def _run(app: App[None], argv: Sequence[str]) -> Problem | None:
    """Hand the terminal to a program until it ends; where it has none it runs beside the app."""
    try:
        with app.suspend(), _undisturbed():
            ended = _run_here(argv)
    except SuspendNotSupported:
        ended = await _run_beside(argv)
    if isinstance(ended, OSError):
        hint = "Set VISUAL or EDITOR to a program that is there"
        return Problem("editor", f"{argv[0]} cannot be run: {ended.strerror}", hint)
    if ended:
        return Problem("editor", f"{argv[0]} ended with {ended}, so nothing was saved")
    return None


def _run_here(argv: Sequence[str]) -> int | OSError:
    """What a program ended with, or why it cannot be run: returned, for what is raised while the
    app is suspended leaves it suspended."""
    try:
        return subprocess.run(argv, check=False).returncode  # noqa: S603 - the user's own
    except OSError as error:
        return error


async def _run_beside(argv: Sequence[str]) -> int | OSError:
    """The same without a terminal to hand over."""
    try:
        process = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.DEVNULL)
    except OSError as error:
        return error
    return await process.wait()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl+C is for the editor as long as it has the terminal."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _write(world: World, key: str) -> Text:
    """Write a task into a file of its own; raises HopperError, OSError."""
    task = world.find_task(key)[1]
    draft = drafting.read_draft(world, task)
    short = world.short_id(task)
    text = draft_text.to_text(draft, short)
    descriptor, path = tempfile.mkstemp(".md", f"{short}-", _folder(world))
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return Text(draft, _in_lines(text), Path(path))


def _folder(world: World) -> Path | None:
    """Where texts are kept: in the home if it can be written to, else where the system keeps such
    files."""
    if world.home is None:
        return None
    folder = world.home / FOLDER
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
    return folder if os.access(folder, os.W_OK) else None


def _is_untouched(given: Text) -> bool:
    """Whether the editor left nothing in the file that could be lost."""
    with suppress(Invalid):
        return _read(given.path) in (given.text, None)
    return False


def _read(path: Path) -> str | None:
    """What an editor left in a file, None if it took it away; raises Invalid."""
    try:
        return _in_lines(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Invalid(f"the text cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Invalid("the text is not UTF-8") from error


def _in_lines(text: str) -> str:
    """A text whose lines end as they do here, whatever an editor made of them."""
    return text.replace("\r\n", "\n")


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()

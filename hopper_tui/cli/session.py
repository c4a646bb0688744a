"""Session: one run of the command line, its global options, its world and where output goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hopper_tui.model.errors import NotAllowed, NotFound
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.world import World
    from hopper_tui.model.task import Task

_WITHOUT_UNICODE = str.maketrans(
    {"→": "->", "└": "`", "├": "|", "─": "-", "│": "|", "…": "...", "·": "-"}
)
"""What Hopper's own signs become where the terminal cannot show them."""


class Session:
    """The global options as given so far; opens the world when a verb first asks for it."""

    def __init__(self) -> None:
        self.home: str | None = None
        self.directory: str | None = None
        self.actor: str | None = None
        self.json = False
        self.no_color = False
        self.verbose = False
        self.quiet = False

    def enter(self) -> None:
        """Go to the directory of `-C`, once all options are known."""
        if self.directory is not None:
            os.chdir(self.directory)
            self.directory = None
        try:
            os.getcwd()
        except FileNotFoundError:
            raise NotFound(
                "the current directory is gone", "Go to another one, or use -C"
            ) from None

    @cached_property
    def world(self) -> World:
        """The world of hoppers that home, directory and actor select."""
        from pathlib import Path

        from hopper_tui.engine.world import World

        return World.from_environment(home=Path(self.home) if self.home else None, actor=self.actor)

    def close(self) -> None:
        """Close the world if it was opened, and pass its warnings on."""
        if "world" in self.__dict__:
            self.world.close()
            for warning in self.world.warnings:
                self.warn(warning)

    def keep_up(self) -> None:
        """Do the maintenance that is due, once the answer is given."""
        if "world" in self.__dict__:
            for swept in self.world.keep_up():
                self.hint(f"maintenance: {swept.subject}: {swept.message}")

    def find(self, ref: str, instance: str | None = None) -> tuple[Hopper, Task]:
        """The task that `ref` names, and the hopper that holds it.

        With `instance` given, its own tasks come first.
        """
        if instance is None:
            return self.world.find_task(ref)
        hopper = self.world.hopper(instance)
        task = hopper.get(ref)
        return (hopper if task.instance == hopper.id else self.world.hopper(task.instance)), task

    @cached_property
    def interactive(self) -> bool:
        """Whether a person sits there: both input and output are terminals."""
        return sys.stdin.isatty() and sys.stdout.isatty()

    @cached_property
    def has_screen(self) -> bool:
        """Whether the terminal UI can run: a person sits there, and it paints on stderr."""
        return self.interactive and sys.stderr.isatty()

    @cached_property
    def width(self) -> int | None:
        """Columns of the terminal; None where output is no terminal and is never cut."""
        if not sys.stdout.isatty():
            return None
        from shutil import get_terminal_size

        return get_terminal_size().columns

    @cached_property
    def color(self) -> bool:
        """Whether output may be coloured."""
        plain_wanted = self.no_color or os.environ.get("NO_COLOR")
        return sys.stdout.isatty() and not plain_wanted and os.environ.get("TERM") != "dumb"

    def answer(
        self,
        *,
        json: Callable[[], Any],
        text: Callable[[], Iterable[str]],
        ids: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        """Print the answer the way the options ask for: as JSON, as ids only, or as text."""
        if self.json:
            self.print_json(json())
        elif self.quiet and ids is not None:
            self.print(ids())
        else:
            self.print(text())

    def print(self, lines: Iterable[str]) -> None:
        """Print lines that are harmless already."""
        if block := "".join(f"{line}\n" for line in lines):
            _write(block)

    def print_json(self, value: Any) -> None:
        """Print a value as JSON: indented for a person, on one line for a program."""
        from json import dumps

        text = dumps(value, indent=2 if sys.stdout.isatty() else None)
        _write(text.replace("\x7f", "\\u007f") + "\n")

    def confirm(self, question: str, yes: bool) -> None:
        """Ask before something destructive, if a person sits there and did not say `--yes`."""
        if self.interactive and not yes:
            import click

            if not click.confirm(plain(question)):
                raise NotAllowed("nothing was done", "Say yes, or give --yes")

    def warn(self, message: str) -> None:
        """Say something beside the answer."""
        complain(f"hopper: {message}")

    def hint(self, message: str) -> None:
        """Say something helpful to a person; programs are spared."""
        if not self.json and not self.quiet:
            complain(message)


def complain(line: str) -> None:
    """Print one harmless line on stderr; a closed stderr is no reason to stop."""
    with suppress(OSError):
        _write(plain(line) + "\n", sys.stderr)


def _write(text: str, stream: Any = None) -> None:
    out = stream or sys.stdout
    if (out.encoding or "").lower().replace("-", "") != "utf8":
        text = text.translate(_WITHOUT_UNICODE)
        text = text.encode(out.encoding or "ascii", "replace").decode(out.encoding or "ascii")
    out.write(text)
    out.flush()

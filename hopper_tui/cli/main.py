"""The `hopper` command: parse, run one verb, and end with an exit code, never with a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from hopper_tui.cli.command import Group
from hopper_tui.cli.session import Session
from hopper_tui.cli.verbs import ALIASES, NOUNS, VERBS

_HELP = """A task queue for people and coding agents, from all projects down to one worker.

\b
Examples:
  hopper add "Fix login" -t api      add a task; it goes where it belongs
  hopper next --claim                take the next task to do
  hopper task done ID                mark it done; completion bubbles up
  hopper instance tree               see all hoppers
  hopper                             open the terminal UI
"""


@click.pass_context
def _without_verb(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        session: Session = ctx.obj
        session.enter()
        if session.has_screen:
            from hopper_tui.cli.screen import open_tui

            open_tui(session)
        else:
            click.echo(ctx.get_help())


ROOT = Group(
    "hopper",
    {**VERBS, **NOUNS},
    ALIASES,
    help=_HELP,
    invoke_without_command=True,
    callback=_without_verb,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(args: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    session = Session()
    try:
        try:
            with ROOT.make_context("hopper", list(args), obj=session) as ctx:
                ROOT.invoke(ctx)
            session.keep_up()
        finally:
            session.close()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (Exception, KeyboardInterrupt) as error:
        from hopper_tui.cli.failure import report

        return report(error, json=session.json or "--json" in args)
    return 0


def run() -> NoReturn:
    """Run the command line of this process and exit."""
    _replace_closed_streams()
    if instruction := os.environ.get("_HOPPER_COMPLETE"):
        from hopper_tui.cli.completion import complete

        sys.exit(complete(ROOT, instruction))
    sys.exit(main(sys.argv[1:]))


def _replace_closed_streams() -> None:
    """A standard stream that the caller closed reads as empty and swallows what is written."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - stays open

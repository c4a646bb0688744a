"""Verbs about what happened: log, undo, redo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.session import Session
from hopper_tui.model.event import Event
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.undo import Undone


@command
@instance_option()
@click.option("--limit", type=click.IntRange(min=1), default=50, help="At most so many.")
def log(session: Session, instance: str | None, limit: int) -> None:
    """Show what happened, newest first.

    \b
    Examples:
      hopper log
      hopper log --instance webapp --limit 10 --json
    """
    print_events(session, session.world.log(instance, limit))


@command
@click.argument("ref", metavar="[ID]", required=False)
def undo(session: Session, ref: str | None) -> None:
    """Take back the last command.

    With the ID of a task it takes back the last command that touched that task. Undoing is itself
    recorded, so that redo can repeat what was taken back.

    \b
    Examples:
      hopper undo
      hopper undo web-k7m2q
    """
    _print_undone(session, "undone", session.world.undo, ref)


@command
@click.argument("ref", metavar="[ID]", required=False)
def redo(session: Session, ref: str | None) -> None:
    """Repeat what was taken back.

    \b
    Examples:
      hopper redo
    """
    _print_undone(session, "redone", session.world.redo, ref)


def print_events(session: Session, events: Sequence[Event]) -> None:
    """Print events one a line, or as the options ask."""
    session.answer(
        json=lambda: [output.event_json(event) for event in events],
        text=lambda: output.event_rows(events, session.width),
    )


def _print_undone(
    session: Session, word: str, act: Callable[[str | None], Undone], ref: str | None
) -> None:
    undone = act(ref)
    session.answer(
        json=lambda: {"summary": undone.summary, "tasks": list(undone.tasks)},
        ids=lambda: undone.tasks,
        text=lambda: [plain(f"{word}: {undone.summary}")],
    )

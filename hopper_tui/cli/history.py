"""Verbs about what happened: log, undo, redo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option, limit_option
from hopper_tui.cli.session import Session
from hopper_tui.model.event import Event
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.undo import Undone


@command
@instance_option()
@limit_option(50)
def log(session: Session, instance: str | None, limit: int) -> None:
    """Show what happened, newest first.

    Each line says when, who, in which clone, and what.

    \b
    Examples:
      hopper log
      hopper log --instance webapp --limit 10 --json
    """
    print_events(session, session.world.log(instance, limit))


@command
@instance_option()
def undo(session: Session, instance: str | None) -> None:
    """Take back the last command.

    Undoing is recorded too, so that redo can repeat what was taken back. It is refused once
    somebody has gone on from there.

    \b
    Examples:
      hopper undo
      hopper undo --instance webapp
    """
    _print_undone(session, session.world.undo(instance))


@command
@instance_option()
def redo(session: Session, instance: str | None) -> None:
    """Repeat what was taken back.

    \b
    Examples:
      hopper redo
    """
    _print_undone(session, session.world.redo(instance))


def print_events(session: Session, events: Sequence[Event]) -> None:
    """Print events one a line, or as the options ask."""
    session.answer(
        json=lambda: [output.event_json(event) for event in events],
        text=lambda: output.event_rows(events, session.width, session.world.replicas()),
    )


def _print_undone(session: Session, undone: Undone) -> None:
    session.answer(
        json=lambda: {"summary": undone.summary, "tasks": list(undone.tasks)},
        ids=lambda: undone.tasks,
        text=lambda: [plain(undone.summary)],
    )

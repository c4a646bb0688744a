"""Choosing: a command to run, out of a list of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from hopper_tui.tui.commands import BY_ID, CHOOSABLE, COMMANDS, PANES, Command, Keys, keys_of
from hopper_tui.tui.dialogs.choice import Choice, ChoiceDialog
from hopper_tui.tui.presentation import clip, fit
from hopper_tui.tui.roles import Line, Span

if TYPE_CHECKING:
    from hopper_tui.tui.cockpit import Cockpit

TYPED_ABOVE = 12
"""Of more lines than this one is found by typing."""
_KEYS = 10
"""Cells for the keys of a command."""


def _help_line(command: Command, keys: Keys, reason: str | None, width: int) -> Line:
    shown = Span(f"{fit(keys_of(command, keys), _KEYS)} ", "muted" if reason else "accent")
    room = width - _KEYS - 1
    title = Span(clip(command.title, room), "muted" if reason else "text")
    if reason is None:
        return (shown, title)
    return (shown, title, Span(clip(f"  {reason}", room - len(command.title)), "warn"))


async def _run_one(cockpit: Cockpit, title: str, commands: Sequence[Command], verb: str) -> None:
    """Run the one of some commands that is picked."""
    choices = []
    for command in commands:
        reason = cockpit.reason_against(command)
        line = partial(_help_line, command, cockpit.keys, reason)
        words = f"{keys_of(command, cockpit.keys)} {command.title} {command.group} {command.id}"
        choices.append(Choice(command.id, line, words, f"Not now: {reason}" if reason else ""))
    dialog = ChoiceDialog(title, choices, verb, typing=len(choices) > TYPED_ABOVE)
    if picked := await cockpit.app.push_screen_wait(dialog):
        await cockpit.action_command(picked)


async def every(cockpit: Cockpit) -> None:
    """List all commands, those of this pane first; runs the one that is picked."""
    pane = cockpit.situation.pane
    ranked = sorted(
        COMMANDS, key=lambda c: (pane not in c.panes, c.panes == PANES, COMMANDS.index(c))
    )
    await _run_one(cockpit, "commands", ranked, "run")


async def views(cockpit: Cockpit) -> None:
    """List all views; shows the one that is picked."""
    await _run_one(cockpit, "views", [BY_ID[name] for name in CHOOSABLE], "show")

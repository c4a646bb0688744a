"""The command palette: every command of the registry, with the reason where one is disabled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import ClassVar, Protocol, runtime_checkable

from textual.binding import Binding, BindingType
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from hopper_tui.tui.commands import COMMANDS, Command, Keys, keys_of


@runtime_checkable
class Runner(Protocol):
    """A screen that runs commands by id, and knows the `keys` that differ from the table."""

    @property
    def keys(self) -> Keys:
        """The keys of commands that have others than the table says."""

    async def action_command(self, command_id: str) -> None:
        """Run the command, or say why it is disabled."""

    def reason_against(self, command: Command) -> str | None:
        """Why the command makes no sense now, None if it does."""


class Palette(CommandPalette):
    """Textual's palette; turning the page of a list that is not laid out yet does nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "turn(1)", show=False),
        Binding("pageup", "turn(-1)", show=False),
    ]

    def action_turn(self, step: int) -> None:
        """Go a page down or up in the list."""
        with suppress(KeyError):  # Textual looks for lines that it has not made
            self._action_command_list("page_down" if step > 0 else "page_up")


class CommandProvider(Provider):
    """Offers what the screen below the palette can do."""

    def _offers(self) -> Iterator[tuple[Command, str]]:
        screen = self.screen
        for command in COMMANDS:
            if not command.direct and isinstance(screen, Runner):
                reason = screen.reason_against(command)
                yield command, f"not now: {reason}" if reason else keys_of(command, screen.keys)

    async def _run(self, command: Command) -> None:
        if isinstance(self.screen, Runner):
            await self.screen.action_command(command.id)

    async def discover(self) -> Hits:
        for command, note in self._offers():
            yield DiscoveryHit(command.title, partial(self._run, command), help=note)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command, note in self._offers():
            if (score := matcher.match(command.title)) > 0:
                yield Hit(
                    score,
                    matcher.highlight(command.title),
                    partial(self._run, command),
                    text=command.title,
                    help=note,
                )

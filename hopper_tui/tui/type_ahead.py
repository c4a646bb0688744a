"""TypeAhead: keys typed faster than the screen follows go where they were meant to go.

Textual hands a key to whatever has the focus when it arrives. Who types `a` and a title at once, or
pastes a line of commands, would have the title's letters taken as commands of the queue, for the
form is not open yet: `d` would finish a task. And what comes after Enter would still go into the
title. Here a key waits until the one before it is dealt with, and until what that one opens has
the focus or what it tries is done.
"""

from __future__ import annotations

from collections import deque

from textual import events
from textual.app import App
from textual.dom import DOMNode

PATIENCE = 2.0
"""Seconds a key waits at most: rather a key at the wrong place than a program that is deaf."""
AGAIN = 0.01
"""Seconds until it is tried again."""
ROUNDS = 3
"""A key rises from who has the focus to the app, whose binding sends a message that rises again,
and whoever answers that may send one more: Enter submits an input, its form tries."""
LINE_FEED = "ctrl+j"
"""What a terminal makes of Enter as long as no program has asked it for the keys as they are."""


class TypeAhead(App[None]):
    """An app of which one key is dealt with at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key] = deque()
        self._underway: events.Key | None = None
        self._waited = 0.0

    @property
    def is_opening(self) -> bool:
        """Whether something is about to take the focus, or to give it back."""
        if len(self.screen_stack) == 1 or self.screen.focused is not None:
            return False
        return not self.screen.is_mounted or bool(self.screen.focus_chain)

    def is_wanted(self, key: str) -> bool:
        """Whether a key may do anything now."""
        return True

    @property
    def is_through(self) -> bool:
        """Whether every key is dealt with."""
        return self._underway is None and not self._typed

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and event.key == LINE_FEED:
            event = events.Key("enter", "\r")
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif not self.is_wanted(event.key):
            event.stop()
        elif self._typed or self._must_wait:
            self._typed.append(event)
            if len(self._typed) == 1:
                self.set_timer(AGAIN, self._go_on)
        else:
            await self._deal_with(event)

    @property
    def _must_wait(self) -> bool:
        return self._underway is not None or self.is_opening

    async def _deal_with(self, event: events.Key) -> None:
        self._underway = event
        target = self.focused or self.screen
        await super().on_event(event)
        self._come_after(event, target.ancestors_with_self, 1 if event.is_printable else ROUNDS)

    def _come_after(self, event: events.Key, path: list[DOMNode], rounds: int, at: int = 0) -> None:
        """Take the way of a key, behind it, and so arrive when all have seen it."""
        if at == len(path):
            at, rounds = 0, rounds - 1
        node = path[at]
        goes_on = rounds and node.call_later(self._come_after, event, path, rounds, at + 1)
        if not goes_on and self._underway is event:
            self._underway = None

    async def _go_on(self) -> None:
        """Deal with what was typed meanwhile, as far as nothing has to be waited for."""
        while self._typed and self.is_running:
            if self._must_wait and self._waited < PATIENCE:
                self._waited += AGAIN
                self.set_timer(AGAIN, self._go_on)
                return
            self._waited = 0.0
            await self._deal_with(self._typed.popleft())

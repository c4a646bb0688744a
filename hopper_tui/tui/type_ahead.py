"""TypeAhead: keys typed faster than the screen follows go where they were meant to go.

Textual hands a key to whatever has the focus when it arrives. Who types `a` and a title at once, or
pastes a line of commands, would have the title's letters taken as commands of the queue, for the
form is not open yet: `d` would finish a task. Here a key waits until the one before it is dealt
with, and until what that one opens has the focus.
"""

from __future__ import annotations

from collections import deque

from textual import events
from textual.app import App
from textual.widgets import Input

PATIENCE = 2.0
"""Seconds a key waits at most: rather a key at the wrong place than a program that is deaf."""
AGAIN = 0.01
"""Seconds until it is tried again."""


class TypeAhead(App[None]):
    """An app of which one key is dealt with at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key] = deque()
        self._underway: events.Key | None = None
        self._waited = 0.0

    @property
    def is_opening(self) -> bool:
        """Whether something is about to open that takes the focus."""
        return len(self.screen_stack) > 1 and self.screen.focused is None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key):
            await super().on_event(event)
        elif event.is_forwarded:  # it comes back from who has the focus: commands see it now
            await super().on_event(event)
            if event is self._underway:
                self._underway = None
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
        if len(self.screen_stack) == 1 and not isinstance(self.focused, Input):
            self._underway = event  # dialogs and inputs take their keys in order by themselves
        await super().on_event(event)

    async def _go_on(self) -> None:
        """Deal with what was typed meanwhile, as far as nothing has to be waited for."""
        while self._typed:
            if self._must_wait and self._waited < PATIENCE:
                self._waited += AGAIN
                self.set_timer(AGAIN, self._go_on)
                return
            self._underway = None
            self._waited = 0.0
            await self._deal_with(self._typed.popleft())

"""Delays: what is done once nothing else was asked for during a while."""

from __future__ import annotations

from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.timer import Timer


class Delays:
    """The last thing asked of each matter is done; what was asked before it is dropped."""

    def __init__(self, owner: MessagePump) -> None:
        self._owner = owner
        self._timers: dict[str, Timer] = {}

    def after(self, seconds: float, matter: str, do: Callable[[], object]) -> None:
        """Do something once nothing else was asked of a matter for some seconds, or at once."""
        if timer := self._timers.pop(matter, None):
            timer.stop()
        if seconds:
            self._timers[matter] = self._owner.set_timer(seconds, do)
        else:
            do()

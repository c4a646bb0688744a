"""What stories need of a screen, whatever draws it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

PATIENCE = 20.0
"""Seconds to wait for something to appear before the story has failed."""
PAUSE = 0.03
"""Seconds between two looks at the screen."""


class Display(ABC):
    """A screen on which the app can be opened, with keys to press."""

    @abstractmethod
    def opens(self, *args: str) -> None:
        """Open `hopper ARGS`."""

    @abstractmethod
    def type(self, text: str) -> None:
        """Type a text as it is; a line feed is Enter."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Press keys, by the names tmux gives them."""

    @property
    @abstractmethod
    def screen(self) -> str:
        """What stands on the screen."""

    @property
    @abstractmethod
    def row(self) -> int:
        """The line of the screen on which the cursor of the terminal is, from 0."""

    @abstractmethod
    def is_back(self) -> bool:
        """Whether the app has ended and given back where it ran."""

    @abstractmethod
    def close(self) -> None:
        """End everything that runs in it."""

    @property
    def cursor(self) -> str:
        """What stands on the line where the cursor is."""
        return self.screen.splitlines()[self.row]

    def line(self, text: str) -> str:
        """The line of the screen that contains a text; empty if none does."""
        return next((line for line in self.screen.splitlines() if text in line), "")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"{what}\n{self.screen}"
            self.pause()

    def pause(self) -> None:
        """Let a moment pass."""
        time.sleep(PAUSE)

    def sees(self, *texts: str) -> None:
        """Wait until all these texts are on the screen."""
        for text in texts:
            self.until(lambda text=text: text in self.screen, f"never saw {text!r}")

    def sees_no(self, *texts: str) -> None:
        """Wait until none of these texts is on the screen."""
        for text in texts:
            self.until(lambda text=text: text not in self.screen, f"still sees {text!r}")

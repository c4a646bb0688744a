"""Jumping: labels on panes and rows, one of which is typed to go there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Click, Key
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import Static

from hopper_tui.resources import STYLES

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Those under the fingers come first."""


class Target(NamedTuple):
    """A place of the screen and what leads there, by a `label` of its own or the next free one."""

    at: Offset
    go: Callable[[], object]
    label: str = ""


def labels(number: int) -> list[str]:
    """So many labels, all of one letter if they suffice, else all of two: none begins another."""
    if number <= len(LETTERS):
        return list(LETTERS[:number])
    return ["".join(pair) for pair in product(LETTERS, repeat=2)][:number]


class JumpScreen(ModalScreen[Target]):
    """The result is the target whose label was typed, None if none has such a label."""

    CSS_PATH = STYLES / "dialogs.tcss"

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        free = iter(labels(sum(not target.label for target in targets)))
        named = [(target.label or next(free, ""), target) for target in targets]
        self._targets = {label: target for label, target in named if label}
        self._typed = ""

    def compose(self) -> ComposeResult:
        for label, target in self._targets.items():
            mark = Static(Content(label), classes="jump")
            mark.absolute_offset = target.at
            mark.can_focus = True  # a key that is typed ahead waits until something has the focus
            yield mark

    def on_key(self, event: Key) -> None:
        event.stop()
        self._typed += event.character or "\0"
        if (target := self._targets.get(self._typed)) is not None:
            self.dismiss(target)
        elif not any(label.startswith(self._typed) for label in self._targets):
            self.dismiss(None)

    def on_click(self, event: Click) -> None:
        self.dismiss(None)

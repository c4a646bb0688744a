"""ConfirmDialog: a question whose default is no."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from hopper_tui.model.text import plain_block
from hopper_tui.tui.dialogs.dialog import Dialog


class ConfirmDialog(Dialog[bool]):
    """Only `y` says yes; Enter, Escape and `n` say no. No command is bound to `y` that asks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,enter", "answer(False)", "No", show=False),
    ]

    def __init__(self, title: str, question: str) -> None:
        super().__init__(title, "y yes   n no (also enter, esc)")
        self._question = question

    def body(self) -> list[Widget]:
        return [Static(Content(plain_block(self._question)), id="question")]

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)

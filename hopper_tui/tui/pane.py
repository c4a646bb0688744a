"""Pane: a titled frame around one view."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from hopper_tui.model.text import plain


class Pane(Vertical):
    """The border belongs to the frame, so that repainting a line of the view never repaints it."""

    def __init__(self, title: str, *children: Widget, id: str) -> None:  # noqa: A002
        super().__init__(*children, id=id)
        self._title = ""
        self.show_title(title)

    def show_title(self, title: str) -> None:
        """Show a title, as text."""
        if title != self._title:
            self._title = title
            self.border_title = Content(f" {plain(title)} ")

    def show_note(self, note: str) -> None:
        """Show something in the lower border, as text."""
        self.border_subtitle = Content(f" {plain(note)} ") if note else None

"""Tabs: the names of the panes, where only one of them fits on the screen."""

from __future__ import annotations

from textual.events import Click
from textual.message import Message

from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line, Span


class Tabs(LineView, can_focus=False):
    """One line; the shown pane stands in brackets."""

    class Picked(Message):
        """A tab was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, names: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names = names
        self._active = 0

    def show(self, active: int) -> None:
        """Mark the pane that is shown."""
        self._active = active
        self.lines_changed()

    def line_count(self) -> int:
        return 1

    def line_at(self, index: int, width: int) -> Line:
        return tuple(span for number in range(len(self._names)) for span in self._tab(number))

    def _tab(self, number: int) -> Line:
        title = self._names[number]
        if number == self._active:
            return (
                Span("[", "accent"),
                Span(f"{number + 1} {title}", "strong"),
                Span("]", "accent"),
            )
        return (Span(f" {number + 1} {title} ", "muted"),)

    def on_click(self, event: Click) -> None:
        x = event.x
        for number in range(len(self._names)):
            x -= line_width(self._tab(number))
            if x < 0:
                self.post_message(self.Picked(number))
                return

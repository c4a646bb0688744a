"""TextPane: a text to read, made for the width there is; scrolls, has no cursor."""

from __future__ import annotations

from collections.abc import Callable

from hopper_tui.tui.commands import Keys
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.roles import Line


class TextPane(LineView):
    """Subclasses give `text_lines`, and call `text_changed` when they would differ."""

    def __init__(self, clock: Callable[[], float], keys: Keys, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.clock = clock
        self.keys = keys
        self._lines: tuple[Line, ...] = ()
        self._width = 0

    def text_lines(self, width: int) -> tuple[Line, ...]:
        """The whole text."""
        raise NotImplementedError

    def text_changed(self, from_top: bool = False) -> None:
        """Show the text as it is now."""
        self._compose_lines(self.line_width)
        if from_top:
            self.scroll_to(y=0, animate=False)
        self.lines_changed()

    def line_count(self) -> int:
        if self._width != self.line_width:
            self._compose_lines(self.line_width)
        return len(self._lines)

    def line_at(self, index: int, width: int) -> Line:
        return self._lines[index]

    def _compose_lines(self, width: int) -> None:
        self._width = width
        self._lines = self.text_lines(width) if width else ()

    def action_cursor(self, step: int) -> None:
        """Scroll by `step` lines."""
        self.scroll_relative(y=step, animate=False)

    def action_page(self, pages: float) -> None:
        """Scroll by `pages` heights of the view."""
        self.scroll_relative(y=round(pages * self.size.height), animate=False)

    def action_edge(self, last: bool) -> None:
        """Scroll to the first or the last line."""
        self.scroll_to(y=self.max_scroll_y if last else 0, animate=False)

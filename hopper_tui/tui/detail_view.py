"""DetailView: everything about the selected task."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import Keys, bindings_of, key_of
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.presentation import detail_lines
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import DetailSnapshot


class DetailView(LineView):
    """A text to read: scrolls, has no cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("task")

    def __init__(
        self,
        clock: Callable[[], float],
        keys: Keys,
        *,
        id: str | None = None,  # noqa: A002 - the name Textual uses
    ) -> None:
        super().__init__(id=id)
        self._key_to_settle = key_of("view.conflicts", keys)
        self.snapshot: DetailSnapshot | None = None
        self.notice = ((Span("No task selected.", "muted"),),)
        self._clock = clock
        self._lines: tuple[Line, ...] = ()
        self._width = 0

    def show(self, detail: DetailSnapshot | None) -> None:
        """Show a task, from its top unless it is the same one."""
        before, self.snapshot = self.snapshot, detail
        self._compose_lines(self.line_width)
        if (before and before.task_id) != (detail and detail.task_id):
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
        self._lines = (
            detail_lines(self.snapshot, width, self._clock(), self._key_to_settle)
            if self.snapshot and width
            else ()
        )

    def action_cursor(self, step: int) -> None:
        """Scroll by `step` lines."""
        self.scroll_relative(y=step, animate=False)

    def action_page(self, pages: float) -> None:
        """Scroll by `pages` heights of the view."""
        self.scroll_relative(y=round(pages * self.size.height), animate=False)

    def action_edge(self, last: bool) -> None:
        """Scroll to the first or the last line."""
        self.scroll_to(y=self.max_scroll_y if last else 0, animate=False)

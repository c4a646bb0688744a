"""LineList: a LineView with a cursor that stays on what it selected."""

from __future__ import annotations

from collections.abc import Iterable

from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer

from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.roles import Role

FRESH_FOR = 1.0
"""Seconds that a line which others changed is marked."""


class LineList(LineView):
    """Lines with keys, one of which is selected.

    Moving the cursor within the view repaints two lines. The terminal's own cursor sits on the
    selected line of the focused list, where screen readers look.
    """

    cursor: var[int] = var(0, init=False)
    fresh: frozenset[str] = frozenset()
    """The keys of lines that others have just changed."""
    _growing_stale: Timer | None = None

    class Highlighted(Message):
        """The cursor is on another line; `key` is None when there is none."""

        def __init__(self, view: LineList, key: str | None) -> None:
            super().__init__()
            self.view = view
            self.key = key

        @property
        def control(self) -> LineList:
            return self.view

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineList.Highlighted) and message.view is self.view

    class Chosen(Message):
        """Enter or a second click on a line."""

        def __init__(self, view: LineList, key: str) -> None:
            super().__init__()
            self.view = view
            self.key = key

        @property
        def control(self) -> LineList:
            return self.view

    def id_at(self, index: int) -> str | None:
        """The key of a line."""
        raise NotImplementedError

    @property
    def selected(self) -> str | None:
        """The key under the cursor, None when there are no lines."""
        return self.id_at(self.cursor) if 0 <= self.cursor < self.line_count() else None

    def freshen(self, keys: Iterable[str]) -> None:
        """Show for a moment that others changed these lines. They are not repainted here."""
        if self._growing_stale is not None:
            self._growing_stale.stop()
        self.fresh |= frozenset(keys)
        self._growing_stale = self.set_timer(FRESH_FOR, self._grow_stale)

    def _grow_stale(self) -> None:
        self.fresh, self._growing_stale = frozenset(), None
        self.lines_changed()

    def line_role(self, index: int) -> Role | None:
        if index != self.cursor:
            return None
        return "cursor" if self.has_focus else "resting"

    def place_cursor(self, index: int, above: int | None = None) -> None:
        """Put the cursor on a line after the lines changed, without a repaint of its own.

        `above` is the number of lines to keep between the top of the view and the cursor.
        """
        index = max(0, min(index, self.line_count() - 1))
        self.set_reactive(LineList.cursor, index)
        if above is not None:
            self.scroll_to(y=max(0, index - above), animate=False)
        self._reveal(index)
        self._point()

    def validate_cursor(self, index: int) -> int:
        return max(0, min(index, self.line_count() - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        self._reveal(new)
        self._point()
        self.post_message(self.Highlighted(self, self.selected))

    def _reveal(self, index: int) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if not height:
            return
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False)

    def _point(self) -> None:
        """Move the terminal's cursor to the selected line."""
        if self.has_focus:
            row = self.cursor - self.scroll_offset.y
            self.app.cursor_position = self.content_region.offset + Offset(0, row)

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self._reveal(self.cursor)
        self._point()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._point()
        self.refresh_line(self.cursor)

    def line_under(self, event: Click) -> int | None:
        """The line that was clicked, None for the border and what is below the last."""
        place = event.get_content_offset(self)
        index = None if place is None else place.y + self.scroll_offset.y
        return index if index is not None and index < self.line_count() else None

    def on_click(self, event: Click) -> None:
        index = self.line_under(event)
        if index is None:
            return
        if index == self.cursor and event.chain > 1:
            self.action_choose()
        self.cursor = index

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self.scroll_relative(y=3, animate=False)
        event.stop()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self.scroll_relative(y=-3, animate=False)
        event.stop()

    def action_cursor(self, step: int) -> None:
        """Move the cursor by `step` lines."""
        self.cursor += step

    def action_page(self, pages: float) -> None:
        """Move the cursor by `pages` heights of the view."""
        step = max(1, round(abs(pages) * self.size.height))
        self.cursor += step if pages > 0 else -step

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or the last line."""
        self.cursor = self.line_count() - 1 if last else 0

    def action_choose(self) -> None:
        """Choose the selected line."""
        if (key := self.selected) is not None:
            self.post_message(self.Chosen(self, key))

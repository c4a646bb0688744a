"""TextDialog: something to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.widget import Widget

from hopper_tui.tui.dialogs.dialog import Dialog, room
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.roles import Line


class TextView(LineView):
    """Lines made for the width there is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("pagedown,ctrl+d,space", "move(10)", show=False),
        Binding("pageup,ctrl+u", "move(-10)", show=False),
        Binding("g,home", "edge(False)", show=False),
        Binding("G,end", "edge(True)", show=False),
    ]

    def __init__(self, lines: Callable[[int], tuple[Line, ...]]) -> None:
        super().__init__(id="text")
        self._lines_for = lines
        self._made: tuple[int, tuple[Line, ...]] = (0, ())

    def show(self, lines: Callable[[int], tuple[Line, ...]]) -> None:
        """Show another text from its top."""
        self._lines_for = lines
        self._made = (0, ())
        self.scroll_to(y=0, animate=False)
        self.refresh(layout=True)

    def line_count(self) -> int:
        width = self.line_width
        if self._made[0] != width:
            self._made = (width, self._lines_for(width) if width else ())
        return len(self._made[1])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(len(self._lines_for(width)), room(viewport))

    def line_at(self, index: int, width: int) -> Line:
        return self._made[1][index]

    def action_move(self, step: int) -> None:
        """Scroll by `step` lines."""
        self.scroll_relative(y=step, animate=False)

    def action_edge(self, last: bool) -> None:
        """Scroll to the first line, or to the last."""
        if last:
            self.scroll_end(animate=False)
        else:
            self.scroll_home(animate=False)


class TextDialog(Dialog[None]):
    """Closed by Escape, Enter or `q`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q", "leave", show=False)]

    def __init__(self, title: str, lines: Callable[[int], tuple[Line, ...]]) -> None:
        super().__init__(title, "↑↓ scroll   esc leave")
        self._view = TextView(lines)

    def body(self) -> list[Widget]:
        return [self._view]

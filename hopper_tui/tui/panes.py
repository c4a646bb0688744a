"""Panes: where tree, queue, task and chain stand, with borders that keys and the mouse move."""

from __future__ import annotations

from textual.containers import Container
from textual.events import MouseDown, MouseMove, MouseUp, Resize

from hopper_tui.tui.arrangement import (
    USUAL,
    Axis,
    Part,
    Sizes,
    border_at,
    cells,
    grown,
    layout_of,
    resized,
    without,
)


class Panes(Container):
    """The style sheet arranges the panes; sizes that somebody chose come first."""

    def __init__(self, sizes: Sizes, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.sizes = sizes
        self._dragged: Part | None = None

    @property
    def arranged(self) -> str:
        """The layout whose borders can be moved; "" where one pane has all the room."""
        layout = layout_of(self.app.size)[0]
        return layout if layout in USUAL and not self.screen.has_class("-zoom") else ""

    def grow(self, pane: str, axis: Axis, by: int) -> None:
        """Make a pane larger by some steps, or smaller."""
        sizes = grown(self.arranged, pane, axis, by, self.sizes, self.size)
        self._adopt(sizes or self.sizes)

    def reset(self) -> None:
        """Let all panes have their usual sizes."""
        self._adopt(without(self.arranged, self.sizes))

    def _adopt(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.lay_out()

    def lay_out(self) -> None:
        """Give the panes their sizes in the layout there is."""
        layout, room = self.arranged, self.size
        if layout and any(name.startswith(layout) for name in self.sizes):
            left, right, bottom = (
                cells(layout, part, self.sizes, room) for part in ("left", "right", "bottom")
            )
            self.styles.grid_columns = f"{left} 1fr {right}"
            self.styles.grid_rows = f"1fr {bottom}"
        elif self.styles.inline.has_rule("grid_columns"):
            self.styles.grid_columns = self.styles.grid_rows = None

    def on_resize(self, event: Resize) -> None:
        self.lay_out()

    def on_mouse_down(self, event: MouseDown) -> None:
        x, y = event.screen_x - self.region.x, event.screen_y - self.region.y
        self._dragged = border_at(self.arranged, int(x), int(y), self.sizes, self.size)
        if self._dragged:
            event.stop()
            self.capture_mouse()

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._dragged and self.arranged:
            event.stop()
            x, y = int(event.screen_x - self.region.x), int(event.screen_y - self.region.y)
            to = {"left": x, "right": self.size.width - x, "bottom": self.size.height - y}
            part = self._dragged
            self._adopt(resized(self.arranged, part, to[part], self.sizes, self.size))

    def on_mouse_up(self, event: MouseUp) -> None:
        if self._dragged:
            event.stop()
            self._dragged = None
            self.release_mouse()

"""RowList: a view of rows that draw themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.binding import BindingType

from hopper_tui.tui.commands import Keys
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.roles import Line
from hopper_tui.tui.snapshot import Hop, TaskRow
from hopper_tui.tui.stage import Place, Staged
from hopper_tui.tui.view_snapshot import Held

TICK = 1.0
"""Seconds between two looks at the clock: ages grow and leases run out while nothing else
happens."""


class Row(NamedTuple):
    """A row: what tells it from the others, how it is drawn at a width and a time, where Enter
    leads, what it is about, and what is folded with it. One that is `below` another belongs to it,
    and the cursor passes over it."""

    key: str
    draw: Callable[[int, float], Line]
    place: Place | None = None
    task: TaskRow | None = None
    hop: Hop | None = None
    approval: Held | None = None
    group: str = ""
    below: bool = False


class RowList(LineList, Staged):
    """The cursor stays on its row, by key, when others come and go."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        clock: Callable[[], float],
        keys: Keys,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.clock = clock
        self.keys = keys
        self.rows: Sequence[Row] = ()

    def on_mount(self) -> None:
        self.set_interval(TICK, self._tick)

    def _tick(self) -> None:
        if self.display:
            self.lines_changed()

    def lay_out(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        selected, above = self.selected, self.cursor - self.scroll_offset.y
        self.rows = rows
        self.lines_changed()
        if not self.find(lambda row: row.key == selected, above):
            self.place_cursor(self.cursor)
        self.lines_changed()

    def validate_cursor(self, index: int) -> int:
        return self._head(super().validate_cursor(index))

    def place_cursor(self, index: int, above: int | None = None) -> None:
        super().place_cursor(self._head(max(0, min(index, len(self.rows) - 1))), above)

    def _head(self, index: int) -> int:
        """The row that a row belongs to."""
        while 0 < index < len(self.rows) and self.rows[index].below:
            index -= 1
        return index

    def action_cursor(self, step: int) -> None:
        heads = [index for index, row in enumerate(self.rows) if not row.below]
        if self.cursor in heads:
            at = heads.index(self.cursor) + step
            self.cursor = heads[max(0, min(at, len(heads) - 1))]

    def find(self, wanted: Callable[[Row], bool], above: int | None = None) -> bool:
        """Put the cursor on the first such row, if there is one."""
        index = next((i for i, row in enumerate(self.rows) if wanted(row)), None)
        if index is None:
            return False
        self.place_cursor(index, above)
        self.lines_changed()
        return True

    @property
    def line(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    @property
    def place(self) -> Place | None:
        return self.line.place if self.line else None

    @property
    def selected_row(self) -> TaskRow | None:
        return self.line.task if self.line else None

    @property
    def hop(self) -> Hop | None:
        return self.line.hop if self.line else None

    @property
    def approval(self) -> Held | None:
        return self.line.approval if self.line else None

    def line_count(self) -> int:
        return len(self.rows)

    def id_at(self, index: int) -> str | None:
        return self.rows[index].key

    def line_at(self, index: int, width: int) -> Line:
        return self.rows[index].draw(width, self.clock())

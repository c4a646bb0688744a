"""ChainView: the way of the selected task from hopper to hopper."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import bindings_of
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.snapshot import Hop
from hopper_tui.tui.task_lines import chain_lines


class ChainView(LineList):
    """The hops in order, rejected ones included, each with its reason."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("chain")

    def __init__(self, clock: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._hops: tuple[Hop, ...] = ()
        self._lines: tuple[tuple[str, Line], ...] = ()
        self._width = 0
        self.notice = ((Span("Not delegated.", "muted"),),)

    def show(self, hops: tuple[Hop, ...]) -> None:
        """Show the hops of another task, or another state of the same."""
        selected = self.selected
        self._hops = hops
        self._compose_lines(self.line_width)
        index = next((i for i, (key, _) in enumerate(self._lines) if key == selected), 0)
        self.place_cursor(index)
        self.lines_changed()

    def line_role(self, index: int) -> Role | None:
        """A cursor only while the chain has the focus: it is read more often than used."""
        return super().line_role(index) if self.has_focus else None

    @property
    def hop(self) -> Hop | None:
        """The selected hop."""
        return next((hop for hop in self._hops if hop.delegation.id == self.selected), None)

    def line_count(self) -> int:
        if self._width != self.line_width:
            self._compose_lines(self.line_width)
        return len(self._lines)

    def id_at(self, index: int) -> str | None:
        return self._lines[index][0]

    def line_at(self, index: int, width: int) -> Line:
        return self._lines[index][1]

    def _compose_lines(self, width: int) -> None:
        self._width = width
        self._lines = chain_lines(self._hops, width, self._clock()) if width else ()

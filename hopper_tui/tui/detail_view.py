"""DetailView: everything about the selected task."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import Keys, bindings_of, key_of
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import DetailSnapshot
from hopper_tui.tui.task_lines import detail_lines
from hopper_tui.tui.text_pane import TextPane


class DetailView(TextPane):
    """What there is to know, the most useful first."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("task")

    def __init__(self, clock: Callable[[], float], keys: Keys, *, id: str | None = None) -> None:
        super().__init__(clock, keys, id=id)
        self._key_to_settle = key_of("view.conflicts", keys)
        self.snapshot: DetailSnapshot | None = None
        self.notice = ((Span("No task selected.", "muted"),),)

    def show(self, detail: DetailSnapshot | None) -> None:
        """Show a task, from its top unless it is the same one."""
        before, self.snapshot = self.snapshot, detail
        self.text_changed((before and before.task_id) != (detail and detail.task_id))

    def text_lines(self, width: int) -> tuple[Line, ...]:
        if self.snapshot is None:
            return ()
        return detail_lines(self.snapshot, width, self.clock(), self._key_to_settle)

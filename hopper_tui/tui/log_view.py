"""LogView: what happens at a hopper and below it, as it happens."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import bindings_of
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.log_lines import event_line, log_title, no_events
from hopper_tui.tui.presentation import problem_lines, width_of
from hopper_tui.tui.roles import Line
from hopper_tui.tui.row_list import Row, RowList
from hopper_tui.tui.stage import Place
from hopper_tui.tui.view_snapshot import LogRow, LogSnapshot


class LogView(RowList):
    """The newest event is last; the cursor follows it until it is moved up.

    While it is paused nothing moves, and what is new is counted.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("log")

    snapshot = LogSnapshot(0)
    _latest = LogSnapshot(0)
    _paused = False
    _only: str | None = None

    def show(self, log: LogSnapshot) -> None:
        """Show what happened since; keeps it for later while paused."""
        self._latest = log
        same = log.only == self.snapshot.only and log.instance == self.snapshot.instance
        if self._paused and same and self.snapshot.revision:
            self._entitle()
            return
        follows = not same or self.cursor >= len(self.rows) - 1
        self.snapshot = log
        self.notice = self._explanation
        ids = max((width_of(row.task.short_id) for row in log.rows if row.task), default=0)
        self.lay_out([_row(row, ids) for row in log.rows])
        if follows:
            self.place_cursor(len(self.rows) - 1)
            self.lines_changed()
            self.call_after_refresh(self._reveal, self.cursor)  # once there is room to scroll
        self._entitle()

    @property
    def wanted(self) -> tuple[str, ...]:
        """The task that is told of, if it is only one."""
        return (self._only,) if self._only else ()

    @property
    def lacks(self) -> bool:
        return self._only != self._latest.only

    def action_pause(self) -> None:
        """Let nothing move, or go on."""
        self._paused = not self._paused
        if not self._paused:
            self.show(self._latest)
        self._entitle()

    def action_only(self) -> None:
        """Tell of the task under the cursor only, or of all again."""
        if self._only:
            self._only = None
        elif row := self.selected_row:
            self._only = row.task.id
        self.post_message(LineList.Highlighted(self, self.selected))

    def _entitle(self) -> None:
        known = {row.key for row in self.rows}
        fresh = sum(_key(row) not in known for row in self._latest.rows)
        self.show_title(*log_title(self.snapshot, fresh, self._paused, self.keys))

    def _explanation(self, width: int) -> tuple[Line, ...]:
        problem = self.snapshot.problem
        return problem_lines(problem, width) if problem else no_events(width, self.keys)


def _key(row: LogRow) -> str:
    """What tells an event from the others."""
    return f"{row.where} {row.event.seq}"


def _row(row: LogRow, id_width: int) -> Row:
    place = Place(row.task.task.instance, row.task.task.id) if row.task else None
    return Row(_key(row), partial(event_line, row, id_width), place, row.task)

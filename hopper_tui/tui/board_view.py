"""BoardView: the tasks of a hopper in columns by their state."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import ClassVar, Self

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.widget import Widget

from hopper_tui.tui.board_lines import (
    board_head,
    card_line,
    card_lines,
    column_note,
    column_title,
    empty_column,
)
from hopper_tui.tui.board_reading import COLUMNS, Column
from hopper_tui.tui.commands import Keys, bindings_of
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.pages import Pages
from hopper_tui.tui.presentation import loading_row, problem_lines
from hopper_tui.tui.queue_view import REPAINT_AGES
from hopper_tui.tui.roles import Line, Role
from hopper_tui.tui.snapshot import PageSnapshot, TaskRow
from hopper_tui.tui.stage import Place, Staged
from hopper_tui.tui.view_snapshot import BoardSnapshot, ColumnSnapshot

EXPLAINED_FROM = 12
"""Cells of a column from which on it says why it is empty."""


class BoardColumn(LineList):
    """The cards in one state, however many; keeps the bodies near the eye."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("board")

    class Left(Message):
        """The cursor is to go to another column, `step` to the right."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class PageWanted(Message):
        """Bodies of these tasks are needed soon."""

        def __init__(self, ids: tuple[str, ...]) -> None:
            super().__init__()
            self.ids = ids

    def __init__(self, name: str, clock: Callable[[], float], keys: Keys) -> None:
        super().__init__()
        self.column = ColumnSnapshot(name)
        self._board = BoardSnapshot(0)
        self._clock = clock
        self._keys = keys
        self._pages = Pages()
        self._painted_at = 0.0
        self.notice = self._explanation

    def show(self, column: ColumnSnapshot, board: BoardSnapshot, by_others: bool = False) -> None:
        """Show another state of the column; the cursor stays on its task, else on its line. What
        others changed is marked for a moment."""
        selected, above = self.selected, self.cursor - self.scroll_offset.y
        if by_others:
            self.freshen(key for key, row in column.rows.items() if row != self._pages.row(key))
        self.column, self._board = column, board
        self._pages.replace(column.ids, column.rows)
        self._pages.have(column.rows)
        filtered = bool(board.filter)
        self.show_title(column_title(column, filtered), column_note(column, filtered))
        self.repaint()
        try:
            self.place_cursor(column.ids.index(selected or ""), above)
        except ValueError:
            self.place_cursor(self.cursor)
        self._prefetch()
        self.lines_changed()

    def add_page(self, page: PageSnapshot) -> None:
        """Take in bodies that were wanted."""
        self._pages.add(page.rows)
        self.repaint()

    def repaint(self) -> None:
        """Paint every card anew, as when ages have changed."""
        self._painted_at = self._clock()
        self.forget_strips()
        self.lines_changed()

    def select(self, task_id: str) -> None:
        """Put the cursor on a task."""
        self.cursor = self.column.ids.index(task_id)

    @property
    def row(self) -> TaskRow | None:
        """The selected task, if its body is here."""
        return self._pages.row(self.selected)

    def line_count(self) -> int:
        return len(self.column.ids)

    def id_at(self, index: int) -> str | None:
        return self.column.ids[index]

    def line_key(self, index: int) -> Hashable:
        key = self.column.ids[index]
        return (key, key in self.fresh)

    def line_at(self, index: int, width: int) -> Line:
        row = self._pages.get(index)
        if row is None:
            return loading_row(width)
        fresh = row.task.id in self.fresh
        return card_line(row, self.column.name, width, self._painted_at, fresh)

    def line_role(self, index: int) -> Role | None:
        return super().line_role(index) if self.has_class("-current") else None

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._prefetch()

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self._prefetch()

    def on_focus(self) -> None:
        self.post_message(self.Highlighted(self, self.selected))

    def action_step(self, step: int) -> None:
        """Go to another column."""
        self.post_message(self.Left(step))

    def _prefetch(self) -> None:
        if ids := self._pages.wanted(self.visible_lines):
            self.post_message(self.PageWanted(tuple(ids)))

    def _explanation(self, width: int) -> tuple[Line, ...]:
        """Why there is nothing to see, where there is room to say it."""
        if self._board.problem:
            return problem_lines(self._board.problem, width)
        if width < EXPLAINED_FROM:
            return ()
        return empty_column(self.column, bool(self._board.filter), width, self._keys)


class _Lines(LineView, can_focus=False):
    """Some lines above or below the columns, made for the width there is."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines_for: Callable[[int], tuple[Line, ...]] = _nothing

    def show(self, lines_for: Callable[[int], tuple[Line, ...]]) -> None:
        """Show other lines."""
        self._lines_for = lines_for
        self.lines_changed()

    def line_count(self) -> int:
        return len(self._lines_for(self.line_width)) if self.line_width else 0

    def line_at(self, index: int, width: int) -> Line:
        return self._lines_for(width)[index]


def _nothing(width: int) -> tuple[Line, ...]:
    return ()


class BoardView(Vertical, Staged):
    """Columns side by side, of which the one with the cursor is wider; below, the selected card.

    A card that changes its state goes to another column, the cursor stays where it was.
    """

    head = getters.query_one("#board-head", _Lines)
    card = getters.query_one("#board-card", _Lines)

    def __init__(self, clock: Callable[[], float], keys: Keys, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.snapshot = BoardSnapshot(0)
        self._clock = clock
        self._columns = tuple(BoardColumn(column.name, clock, keys) for column in COLUMNS)
        self._current = self._columns[0]

    def compose(self) -> ComposeResult:
        yield _Lines(id="board-head")
        with Horizontal(id="columns"):
            yield from self._columns
        yield _Lines(id="board-card")

    def on_mount(self) -> None:
        self._turn_to(self._current)
        self.set_interval(REPAINT_AGES, self._tick)

    def _tick(self) -> None:
        for column in self._columns:
            column.repaint()

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the column with the cursor."""
        self._current.focus(scroll_visible)
        return self

    def show(self, board: BoardSnapshot) -> None:
        """Show another state of the board, or that of another hopper from its tops."""
        before, self.snapshot = self.snapshot, board
        by_others = self.by_others and _hopper(before) == _hopper(board)
        for column, seen in zip(self._columns, board.columns or map(_empty, COLUMNS), strict=True):
            column.show(seen, board, by_others)
        self.set_class(board.problem is not None, "-broken")
        if _hopper(before) != _hopper(board):
            self._begin(board)
        self.head.show(partial(_head, board))
        self._show_card()

    def _begin(self, board: BoardSnapshot) -> None:
        """Put the cursor on the task that was looked at, else into the first column with any."""
        for column in self._columns:
            column.place_cursor(0, 0)
        for column in self._columns:
            if board.begin in column.column.ids:
                column.select(str(board.begin))
                return self._turn_to(column)
        return self._turn_to(next((c for c in self._columns if c.column.ids), self._columns[0]))

    def add_page(self, page: PageSnapshot) -> None:
        if page.revision == self.snapshot.revision:
            for column in self._columns:
                column.add_page(page)
            self._show_card()

    @property
    def with_cursor(self) -> Widget:
        return self._current

    @property
    def wanted(self) -> tuple[str, ...]:
        """The selected tasks: their bodies are read first."""
        return tuple(column.selected for column in self._columns if column.selected)

    @property
    def selected_row(self) -> TaskRow | None:
        return self._current.row

    @property
    def place(self) -> Place | None:
        board = self.snapshot
        return Place(board.instance.id, self._current.selected) if board.instance else None

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        if isinstance(event.widget, BoardColumn):
            self._turn_to(event.widget)

    def _turn_to(self, column: BoardColumn) -> None:
        """Let a column have the cursor."""
        had_focus = self._current.has_focus
        self._current = column
        for other in self._columns:
            other.set_class(other is column, "-current")
        if had_focus and not column.has_focus:
            column.focus()
        self._show_card()

    def _show_card(self) -> None:
        row, now = self._current.row, self._clock()
        self.card.show(lambda width: card_lines(row, width, now))

    @on(BoardColumn.Left)
    def _left(self, message: BoardColumn.Left) -> None:
        message.stop()
        at = self._columns.index(self._current) + message.step
        self._turn_to(self._columns[at % len(self._columns)])

    @on(BoardColumn.PageWanted)
    def _page_wanted(self, message: BoardColumn.PageWanted) -> None:
        message.stop()
        board = self.snapshot
        if board.instance:
            self.post_message(self.PageWanted(board.instance.id, board.revision, message.ids))

    @on(LineList.Highlighted)
    def _highlighted(self) -> None:
        self._show_card()


def _head(board: BoardSnapshot, width: int) -> tuple[Line, ...]:
    return (board_head(board, width),)


def _empty(column: Column) -> ColumnSnapshot:
    return ColumnSnapshot(column.name)


def _hopper(board: BoardSnapshot) -> str | None:
    return board.instance.id if board.instance else None

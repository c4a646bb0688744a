"""QueueView: the tasks of one hopper in the order they are worked on, however many."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar, NamedTuple

from textual.binding import BindingType
from textual.events import Click
from textual.message import Message

from hopper_tui.tui.commands import Keys, bindings_of, key_of
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.pages import Pages
from hopper_tui.tui.presentation import (
    empty_queue,
    loading_row,
    problem_lines,
    queue_row,
    width_of,
)
from hopper_tui.tui.roles import Line
from hopper_tui.tui.snapshot import PageSnapshot, QueueSnapshot, TaskRow

REPAINT_AGES = 60.0
"""Seconds after which ages on the screen are painted anew."""


class Range(NamedTuple):
    """Marks that follow the cursor: those from a task on, which is at `line`, beside those that
    were set `before`."""

    task: str
    line: int
    before: frozenset[str]


class QueueView(LineList):
    """Keeps all ids, the bodies near the eye, the cursor by task and the marks.

    A refresh moves neither cursor nor scroll: the selected task stays where it was on the screen,
    and if it is gone, the cursor stays on its line.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("queue")

    class PageWanted(Message):
        """Bodies of these tasks are needed soon."""

        def __init__(self, ids: tuple[str, ...]) -> None:
            super().__init__()
            self.ids = ids

    class MarksChanged(Message):
        """Another number of tasks is marked."""

    def __init__(
        self,
        clock: Callable[[], float],
        keys: Keys,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._keys = keys
        self.marks: set[str] = set()
        self.snapshot = QueueSnapshot(0, None)
        self._clock = clock
        self._range: Range | None = None
        self._pages = Pages()
        self._revision = 0
        self._id_width = 5
        self._now = 0.0

    def on_mount(self) -> None:
        self.set_interval(REPAINT_AGES, self._tick)

    def show(self, queue: QueueSnapshot, by_others: bool = False) -> None:
        """Show another state of the same queue, or another queue from its top. What others changed
        is marked for a moment."""
        before, selected, above = self.snapshot, self.selected, self.cursor - self.scroll_offset.y
        same = (before.instance and before.instance.id) == (queue.instance and queue.instance.id)
        self.snapshot = queue
        self._now = self._clock()
        self._revision += 1
        if same and by_others:
            self.freshen(key for key, row in queue.rows.items() if row != self._pages.row(key))
        self._pages.replace(queue.ids, queue.rows)
        self._pages.have(queue.rows)
        self._id_width = max((width_of(row.short_id) for row in queue.rows.values()), default=5)
        self.notice = (
            problem_lines(queue.problem, max(20, self.line_width - 8))
            if queue.problem
            else empty_queue(queue, key_of("find.back", self._keys), key_of("task.add", self._keys))
        )
        if self.marks:
            self.marks = self.marks.intersection(queue.ids) if same else set()
            self.post_message(self.MarksChanged())
        self._range = self._range and self._moved(self._range, queue)
        self.lines_changed()
        if not same:
            self.place_cursor(0, 0)
        elif selected is not None and (index := _index(queue, selected, self.cursor)) is not None:
            self.place_cursor(index, above)
        else:
            self.place_cursor(self.cursor)
        self._prefetch()
        self.lines_changed()
        self.post_message(self.Highlighted(self, self.selected))

    def add_page(self, page: PageSnapshot) -> None:
        """Take in bodies that were wanted."""
        if page.revision != self.snapshot.revision:
            return
        self._pages.add(page.rows)
        self._revision += 1
        self.lines_changed()
        if self.selected in page.rows:
            self.post_message(self.Highlighted(self, self.selected))

    def select(self, task_id: str) -> bool:
        """Put the cursor on a task; False if it is not in this queue."""
        index = _index(self.snapshot, task_id, self.cursor)
        if index is not None:
            self.cursor = index
        return index is not None

    @property
    def task_id(self) -> str | None:
        """The selected task, whether or not its body is here."""
        return self.selected

    @property
    def selected_row(self) -> TaskRow | None:
        """The selected task, if its body is here."""
        return self._pages.row(self.selected)

    def row(self, task_id: str) -> TaskRow | None:
        """The body of a task, if it is here."""
        return self._pages.row(task_id)

    @property
    def chosen(self) -> tuple[str, ...]:
        """What a verb acts on: the marked tasks in order, otherwise the selected one."""
        if self.marks:
            return tuple(key for key in self.snapshot.ids if key in self.marks)
        return (self.selected,) if self.selected is not None else ()

    def toggle_mark(self) -> None:
        """Mark or unmark the selected task and move on."""
        if self.selected is None:
            return
        self._range = None
        self.marks = self.marks ^ {self.selected}
        self.refresh_line(self.cursor)
        self.cursor += 1
        self.post_message(self.MarksChanged())

    def toggle_range(self) -> None:
        """Mark from here to wherever the cursor goes, until this is called again."""
        if self._range is not None:
            self._range = None
        elif self.selected is not None:
            self._range = Range(self.selected, self.cursor, frozenset(self.marks))
            self._extend()

    def _moved(self, marks: Range, queue: QueueSnapshot) -> Range | None:
        """A range in another state of the queue; it ends with the task it began at."""
        line = _index(queue, marks.task, marks.line)
        return None if line is None else marks._replace(line=line)

    def _extend(self) -> None:
        if self._range is not None:
            first, last = sorted((self._range.line, self.cursor))
            self.marks = {*self._range.before, *self.snapshot.ids[first : last + 1]}
            self.lines_changed()
            self.post_message(self.MarksChanged())

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._extend()

    def on_click(self, event: Click) -> None:
        """A click with ctrl marks; one with shift marks all from the cursor to there."""
        index = self.line_under(event)
        if index is None or not (event.ctrl or event.shift):
            return
        event.prevent_default()  # LineList would only move the cursor
        self._range = None
        if event.shift:
            first, last = sorted((self.cursor, index))
            self.marks = {*self.marks, *self.snapshot.ids[first : last + 1]}
        else:
            self.marks = self.marks ^ {self.snapshot.ids[index]}
        self.cursor = index
        self.lines_changed()
        self.post_message(self.MarksChanged())

    def mark_all(self) -> None:
        """Mark all that the filter shows, or none if all are marked."""
        self._range = None
        everything = set(self.snapshot.ids)
        self.marks = set() if self.marks == everything else everything
        self.lines_changed()
        self.post_message(self.MarksChanged())

    def clear_marks(self, kept: Iterable[str] = ()) -> bool:
        """Unmark everything but some tasks; False if nothing was marked."""
        self._range = None
        if not self.marks:
            return False
        self.marks = self.marks.intersection(kept)
        self.lines_changed()
        self.post_message(self.MarksChanged())
        return True

    def line_count(self) -> int:
        return len(self._pages.ids)

    def id_at(self, index: int) -> str | None:
        return self._pages.ids[index]

    def line_key(self, index: int) -> Hashable:
        key = self._pages.ids[index]
        return (key, self._revision, key in self.marks, key in self.fresh)

    def line_at(self, index: int, width: int) -> Line:
        row = self._pages.get(index)
        if row is None:
            return loading_row(width)
        key = row.task.id
        return queue_row(
            row, width, self._now, self._id_width, key in self.marks, key in self.fresh
        )

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._prefetch()

    def _prefetch(self) -> None:
        if ids := self._pages.wanted(self.visible_lines):
            self.post_message(self.PageWanted(tuple(ids)))

    def _tick(self) -> None:
        self._now = self._clock()
        self._revision += 1
        self.lines_changed()


def _index(queue: QueueSnapshot, task_id: str, guess: int) -> int | None:
    """Where a task stands; the guess is tried first, for most refreshes change nothing above."""
    if guess < len(queue.ids) and queue.ids[guess] == task_id:
        return guess
    try:
        return queue.ids.index(task_id)
    except ValueError:
        return None

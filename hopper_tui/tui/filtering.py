"""FilteringScreen: the filter of each hopper, typed in a line while the queue follows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on

from hopper_tui.tui.delays import Delays
from hopper_tui.tui.messages import WordsLoaded
from hopper_tui.tui.moving import MovingScreen

if TYPE_CHECKING:
    from hopper_tui.tui.filter_line import FilterLine

FILTER_AFTER = 0.06
"""Seconds without a key before a filter that is being typed is tried."""


class FilteringScreen(MovingScreen):
    """A screen with a queue that is asked for with a filter, and answered later."""

    delays: Delays
    _filters: dict[str | None, str]
    _filter_before: tuple[str | None, str] = (None, "")
    _filter_line: FilterLine | None = None
    """Where a filter is typed, while it is."""
    _asked_for = 0
    """The question about the queue that was asked last."""
    _answered = -1
    """The question whose answer is shown; before there is one, keys wait for it."""
    _filtering = 0
    """The question about the queue that keys wait for."""
    _view_filtering = 0
    """The question about the view shown that keys wait for."""

    @property
    def now(self) -> float:
        """The time, in seconds."""
        raise NotImplementedError

    def load_queue(self) -> None:
        """Read the queue of the hopper that is shown, with its filter."""
        raise NotImplementedError

    async def action_filter(self) -> None:
        """Type a filter; the queue follows."""
        from hopper_tui.tui.filter_line import FilterLine

        await self._close_filter()
        self._focus_filtered()
        self._filter_before = (self._hopper, self.filter_text)
        self.add_class("-filtering")
        self.is_opening = True
        self._filter_line = FilterLine(self.filter_text, lambda: self.now)
        await self.mount(self._filter_line, before=self.status)
        self.session.load_words(self._hopper)

    async def _close_filter(self) -> None:
        if (line := self._filter_line) is not None:
            self._filter_line = None
            self.remove_class("-filtering")
            self.set_focus(None)  # else Textual picks who has it next
            await line.remove()
            self._focus_filtered()

    @on(WordsLoaded)
    def _complete_filter(self, message: WordsLoaded) -> None:
        if (line := self._filter_line) is not None:
            line.know(message.words)

    def on_filter_line_typed(self, event: FilterLine.Typed) -> None:
        self.delays.after(FILTER_AFTER, "filter", partial(self.filter_by, event.text))

    async def on_filter_line_entered(self, event: FilterLine.Entered) -> None:
        self.delays.after(0, "filter", partial(self.filter_by, event.text))
        await self._close_filter()

    async def on_filter_line_left(self) -> None:
        await self._close_filter()
        hopper, text = self._filter_before
        if hopper == self._hopper:
            self.delays.after(0, "filter", partial(self.filter_by, text))

    @property
    def filter_text(self) -> str:
        """The filter of the hopper that is shown."""
        return self._filters.get(self._hopper, "")

    def filter_by(self, text: str) -> None:
        """Show only what a filter finds."""
        self._filters[self._hopper] = text.strip()
        self.load_queue()
        self.load_view()
        self.await_rows()

    def await_rows(self) -> None:
        """Let keys wait for the rows that were asked for last."""
        self._filtering = self._asked_for
        self._view_filtering = self._view_asked_for

    @property
    def is_filtering(self) -> bool:
        """Whether the rows are still those from before a filter, or of the hopper before: no key
        is meant for them."""
        view = self.stage.view
        is_old = view is not None and view.snapshot.revision < self._view_filtering
        return self._filter_line is None and (is_old or self._answered < self._filtering)

    def _focus_filtered(self) -> None:
        """Focus what a filter narrows: the queue, or the view in its place."""
        if self.stage.view:
            self.stage.view.focus()
        else:
            self.action_go("queue")

    async def action_clear(self) -> None:
        """Take one level away: what is being typed, a verb on many tasks, the marks, the filter."""
        if self._filter_line is not None:
            await self.on_filter_line_left()
        elif self.underway is not None:
            self.underway.stop()
        elif not self.queue_view.clear_marks():
            self.filter_by("")

"""CompletingInput: a field that knows what its text may go on with, and the line that shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.reactive import var

from hopper_tui.tui.line_input import LineInput
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.presentation import clip, offers_line, spread
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import Problem

if TYPE_CHECKING:
    from hopper_tui.engine.completing import Completion

Complete = Callable[[str], Sequence["Completion"]]
"""What a text may go on with, the likeliest first."""


class CompletingInput(LineInput):
    """`right` at the end of a word takes the completion that is chosen, `action_accept` any time.

    `Offered` is posted whenever there is something else to offer.
    """

    chosen: var[int] = var(0, init=False)

    class Offered(Message):
        """What the text may go on with; the one at `chosen` would be taken."""

        def __init__(self, offered: Sequence[Completion], chosen: int) -> None:
            super().__init__()
            self.offered = tuple(offered)
            self.chosen = chosen

    def __init__(self, value: str, complete: Complete, **options: Any) -> None:
        super().__init__(value, **options)
        self._complete = complete

    @property
    def offered(self) -> Sequence[Completion]:
        """What the text may go on with now."""
        return self._complete(self.value)

    def know(self, complete: Complete) -> None:
        """Complete by something else from now on."""
        self._complete = complete
        self._offer()

    def watch_value(self) -> None:
        self.set_reactive(CompletingInput.chosen, 0)
        self._offer()

    def watch_chosen(self) -> None:
        self._offer()

    def on_focus(self) -> None:
        self._offer()

    def _offer(self) -> None:
        if self.is_attached:
            self.post_message(self.Offered(self.offered, self.chosen))

    def action_choose(self, step: int) -> None:
        """Choose the next completion, or the one before."""
        if offered := self.offered:
            self.chosen = (self.chosen + step) % len(offered)

    def action_accept(self) -> None:
        """Take the chosen completion; without one nothing happens."""
        if offered := self.offered:
            self.value = offered[self.chosen].text
            self.cursor_position = len(self.value)

    def action_cursor_right(self, select: bool = False) -> None:
        typing = self.cursor_at_end and not select and self.value[-1:].strip()
        if typing and self.offered:
            self.action_accept()
        else:
            super().action_cursor_right(select)


class Offers(LineView, can_focus=False):
    """One line: what a text may go on with and the key that takes it, else what is wrong with it,
    else what to type."""

    def __init__(self, help_text: str, key: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._key = key
        self._help = help_text
        self._words: tuple[str, ...] = ()
        self._chosen = 0
        self._problem: Problem | None = None

    def offer(self, message: CompletingInput.Offered) -> None:
        """Show other completions."""
        self._words = tuple(one.word for one in message.offered)
        self._chosen = message.chosen
        self.lines_changed()

    def complain(self, problem: Problem | None) -> None:
        """Show what is wrong, or that nothing is any more."""
        self._problem = problem
        self.lines_changed()

    def insist(self, problem: Problem | None) -> None:
        """Show what is wrong even where something could be offered."""
        if problem is not None:
            self._words = ()
        self.complain(problem)

    def line_count(self) -> int:
        return 1

    def line_at(self, index: int, width: int) -> Line:
        if self._words:
            offers = offers_line(self._words, self._chosen, width)
            return spread(offers, [Span(f"{self._key} takes it", "muted")], width)
        if self._problem is not None:
            return (Span(clip(self._problem.sentence, width), "bad"),)
        return (Span(clip(self._help, width), "muted"),)

"""FilterLine: where a filter is typed, with what it may go on with or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from hopper_tui.model.errors import HopperError
from hopper_tui.tui.completing_input import CompletingInput, Offers
from hopper_tui.tui.snapshot import Problem

if TYPE_CHECKING:
    from hopper_tui.engine.completing import Words

HELP = "words, !not, ~fuzzy, tag:api, status:blocked, priority>=high, age:>2d, ready, @saved"


class FilterLine(Vertical):
    """Posts `Typed` for what can be understood so far, `Entered` when all of it can, and `Left`
    when the filter shall be as before. What cannot be understood stays, with what is wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("up", "choose(-1)", show=False),
        Binding("escape", "leave", show=False),
    ]

    field = getters.query_one(CompletingInput)
    offers = getters.query_one(Offers)

    class Typed(Message):
        """The text so far."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Entered(Message):
        """The text that shall be the filter; not Typed, whose handler would try it once more."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The filter shall be as it was before."""

    def __init__(self, text: str, clock: Callable[[], float]) -> None:
        super().__init__(id="filter-line")
        self._text = text
        self._clock = clock
        self._words: Words | None = None

    def compose(self) -> ComposeResult:
        from hopper_tui.engine.completing import filter_completions

        yield Offers(HELP, "tab", id="completions")
        yield CompletingInput(
            self._text,
            partial(filter_completions, words={}),
            placeholder="filter",
            id="filter",
            compact=True,
            select_on_focus=False,
        )

    def on_mount(self) -> None:
        self.field.focus()

    def know(self, words: Words) -> None:
        """Offer these values from now on."""
        from hopper_tui.engine.completing import filter_completions

        self._words = words
        self.field.know(partial(filter_completions, words=words))
        self.offers.complain(self._problem(self.field.value))

    def _problem(self, text: str) -> Problem | None:
        """Why a text is no filter. The names of saved filters are known a moment later."""
        from hopper_tui.engine.filter import SAVED, parse

        if SAVED in text and self._words is None:
            return None
        names = (self._words or {}).get(SAVED, ())
        try:
            parse(text, self._clock(), dict.fromkeys(names, ""))
        except HopperError as error:
            return Problem.of(error)
        return None

    @on(CompletingInput.Offered)
    def _offer(self, message: CompletingInput.Offered) -> None:
        self.offers.offer(message)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        from hopper_tui.engine.completing import last_term

        event.stop()
        problem = self._problem(event.value)
        self.offers.complain(problem)
        text = event.value
        if problem is not None:  # most often the last term is not finished: the others hold
            text = text[: len(text) - len(last_term(text))]
        if text != self._text and self._problem(text) is None:
            self._text = text
            self.post_message(self.Typed(text))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        problem = self._problem(event.value)
        self.offers.insist(problem)
        if problem is None:
            self.post_message(self.Entered(event.value))

    def action_accept(self) -> None:
        """Take what is offered."""
        self.field.action_accept()

    def action_choose(self, step: int) -> None:
        """Choose what is offered after, or before."""
        self.field.action_choose(step)

    def action_leave(self) -> None:
        """Leave the filter as it was."""
        self.post_message(self.Left())

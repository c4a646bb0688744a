"""ConflictsDialog: what two people changed at once, and taking one side or the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual import getters
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from hopper_tui.tui.dialogs.choice import Choice, ChoiceList
from hopper_tui.tui.dialogs.text import TextView
from hopper_tui.tui.dialogs.trying import TryingDialog
from hopper_tui.tui.git_lines import conflict_row, conflict_sides
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.presentation import width_of
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import CheckoutSnapshot, ConflictRow, Problem, Take

Settle = Callable[[ConflictRow, Take], Awaitable[Problem | None]]
"""Tries to settle a conflict by a side."""


class ConflictsDialog(TryingDialog):
    """The fields in conflict above, the two values of the selected one below.

    Begins at those of the task `about`. Stays open while conflicts are settled, so that the last
    value taken can be given back; follows what git and others do meanwhile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "take('mine')", show=False),
        Binding("t", "take('theirs')", show=False),
        Binding("u", "undo", show=False),
        Binding("q", "leave", show=False),
    ]

    choices = getters.query_one(ChoiceList)
    sides = getters.query_one(TextView)
    closes = False

    def __init__(
        self,
        checkout: CheckoutSnapshot,
        now: float,
        settle: Settle,
        take_back: Callable[[], Awaitable[Problem | None]],
        about: str | None = None,
    ) -> None:
        super().__init__(
            f"conflicts: {checkout.name}", "m take mine   t take theirs   u undo   esc leave"
        )
        self._rows = {row.key: row for row in checkout.conflicts}
        self._now = now
        self._settle = settle
        self._take_back = take_back
        self._about = about

    def body(self) -> list[Widget]:
        choices = ChoiceList(self._choices(), id="choices")
        choices.notice = ((Span("No conflicts are left.", "muted"),),)
        return [choices, TextView(self._sides_of(next(iter(self._rows.values()), None))),
                Static("", id="problem")]  # fmt: skip

    def on_mount(self) -> None:
        tasks = [row.conflict.key for row in self._rows.values()]
        if self._about in tasks:
            self.choices.cursor = tasks.index(self._about)

    def _choices(self) -> list[Choice]:
        ids = max((width_of(row.short_id) for row in self._rows.values()), default=0)
        return [Choice(key, partial(_line, row, ids_width=ids)) for key, row in self._rows.items()]

    def _sides_of(self, row: ConflictRow | None) -> Callable[[int], tuple[Line, ...]]:
        return lambda width: conflict_sides(row, width, self._now) if row else ()

    def show_checkout(self, checkout: CheckoutSnapshot) -> None:
        """Show the conflicts that are there now."""
        self._rows = {row.key: row for row in checkout.conflicts}
        self.choices.offer(self._choices())
        self._show_sides()

    def _show_sides(self) -> None:
        self.sides.show(self._sides_of(self._rows.get(self.choices.selected or "")))

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        self._show_sides()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        event.stop()  # Enter takes no side

    def action_take(self, take: Take) -> None:
        """Let the selected field have one of its two values."""
        row = self._rows.get(self.choices.selected or "")
        if row and not self.is_trying:
            self.attempt(self._settle(row, take))

    def action_undo(self) -> None:
        """Take the last command back."""
        if not self.is_trying:
            self.attempt(self._take_back())


def _line(row: ConflictRow, width: int, ids_width: int) -> Line:
    return conflict_row(row, width, ids_width)

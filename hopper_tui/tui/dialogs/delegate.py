"""DelegateDialog: where a task shall go, and as what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, NamedTuple

from textual import getters
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from hopper_tui.model.lifecycle import DelegationType
from hopper_tui.model.text import plain
from hopper_tui.tui.dialogs.choice import Choice, ChoiceList
from hopper_tui.tui.dialogs.form import row
from hopper_tui.tui.dialogs.trying import TryingDialog
from hopper_tui.tui.line_input import LineInput
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.presentation import count
from hopper_tui.tui.snapshot import Problem, Targets
from hopper_tui.tui.target_lines import best_of, routing_line, target_line

BY_ROUTING = ""
"""The key of the choice that leaves the target to routing."""


class Order(NamedTuple):
    """What to delegate as: `target` None lets routing choose."""

    kind: DelegationType
    target: str | None
    subtasks: tuple[str, ...]
    notes: str | None


class DelegateDialog(TryingDialog):
    """The kind follows from what is chosen: a child is routed to, a sibling is reassigned to, the
    parent is escalated to; subtasks, one a line, decompose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", show=False),
    ]

    targets = getters.query_one(ChoiceList)
    subtasks = getters.query_one("#subtasks", TextArea)
    notes = getters.query_one("#notes", Input)
    order_line = getters.query_one("#order", Static)

    def __init__(
        self,
        title: str,
        targets: Targets,
        attempt: Callable[[Order], Awaitable[Problem | None]],
    ) -> None:
        super().__init__(title, "ctrl+s or enter delegate   tab next field   esc leave")
        self._choice = targets.choice
        self._targets = {target.id: target for target in targets.rows}
        self._attempt = attempt

    def body(self) -> list[Widget]:
        targets = tuple(self._targets.values())
        best = best_of(targets)
        choices = [Choice(BY_ROUTING, partial(routing_line, self._choice))]
        choices += [Choice(one.id, partial(target_line, one, best)) for one in targets]
        return [
            ChoiceList(choices, id="choices"),
            row("Notes", LineInput(id="notes", compact=True, placeholder="for whoever gets it")),
            row("Subtasks", TextArea(id="subtasks", compact=True, placeholder="one a line")),
            Static("", id="order"),
            Static("", id="problem"),
        ]

    def on_mount(self) -> None:
        self._tell()

    def order(self) -> Order:
        """What the fields mean."""
        target = self._targets.get(self.targets.selected or BY_ROUTING)
        lines = tuple(line.strip() for line in self.subtasks.text.splitlines() if line.strip())
        kind = target.kind if target else DelegationType.ROUTE
        return Order(
            DelegationType.DECOMPOSE if lines else kind,
            target.id if target else None,
            lines,
            self.notes.value.strip() or None,
        )

    def _tell(self) -> None:
        order = self.order()
        name = self._targets[order.target].name if order.target else "whoever fits best"
        parts = f" into {count(len(order.subtasks), 'task')}" if order.subtasks else ""
        self.order_line.update(Content(f"{order.kind}{parts} → {plain(name)}"))

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        self._tell()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._tell()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        event.stop()
        self.action_submit()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def action_submit(self) -> None:
        """Try; at most one attempt at a time."""
        if not self.is_trying:
            self.attempt(self._attempt(self.order()))

"""FormDialog: a few fields, and an attempt that keeps them when it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Input, Label, Static, TextArea

from hopper_tui.engine.completing import Completion
from hopper_tui.model.text import plain, plain_block
from hopper_tui.tui.completing_input import Complete, CompletingInput, Offers
from hopper_tui.tui.dialogs.trying import TryingDialog
from hopper_tui.tui.line_input import LineInput
from hopper_tui.tui.snapshot import Problem

Values = Mapping[str, str]
Search = Callable[[str], Awaitable[Sequence[Completion]]]
Attempt = Callable[[Values], Awaitable[Problem | None]]
"""Tries to do what the form is for; a Problem keeps the form open."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `complete` says at once what its text may go on with, `search` after a look into a
    store; `lines` above 1 makes it a text area. What is typed first takes the place of a value that
    is `replaced`."""

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    required: bool = False
    complete: Complete | None = None
    search: Search | None = None
    lines: int = 1
    replaced: bool = False

    @property
    def is_completed(self) -> bool:
        """Whether something is offered while one types."""
        return bool(self.complete or self.search)

    @property
    def shown(self) -> str:
        """The value as it stands in the form at first: harmless."""
        return plain_block(self.value) if self.lines > 1 else plain(self.value)


def row(label: str, widget: Widget) -> Horizontal:
    """A widget with its name before it."""
    return Horizontal(Label(Content(label)), widget, classes="row")


def _forget(values: Values) -> None:
    """What most forms do with what was typed and not submitted."""


def _nothing(text: str) -> Sequence[Completion]:
    """What is offered until something is found."""
    return ()


class FormDialog(TryingDialog):
    """Enter in a one-line field, or ctrl+s anywhere, tries; the result is True once it is done.

    `keep` gets what the fields hold when the form is left, and now and then before.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Save", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        verb: str,
        attempt: Attempt,
        keep: Callable[[Values], None] = _forget,
    ) -> None:
        save = "ctrl+s" if fields[0].lines > 1 else "enter"
        hints = [f"{save} {verb}", "esc leave"]
        if any(field.is_completed for field in fields):
            hints.insert(1, "→ takes")
        if len(fields) > 1:
            hints.insert(1, "tab next")
        super().__init__(title, "  ".join(hints))
        self._fields = fields
        self._attempt = attempt
        self._keep = keep

    def body(self) -> list[Widget]:
        rows: list[Widget] = [row(field.label, self._widget(field)) for field in self._fields]
        if any(field.is_completed for field in self._fields):
            rows.append(Offers("", "→", id="offers"))
        return [*rows, Static("", id="problem")]

    def _widget(self, field: Field) -> Widget:
        if field.lines > 1:
            area = TextArea(field.shown, id=field.name, compact=True, placeholder=field.placeholder)
            area.styles.height = field.lines
            return area
        options: dict[str, Any] = {
            "placeholder": field.placeholder,
            "id": field.name,
            "compact": True,
            "select_on_focus": field.replaced,
        }
        if field.is_completed:
            return CompletingInput(field.shown, field.complete or _nothing, **options)
        return LineInput(field.shown, **options)

    def values(self) -> dict[str, str]:
        """What the fields hold now."""
        found: dict[str, str] = {}
        for field in self._fields:
            widget = self.query_one(f"#{field.name}")
            if isinstance(widget, TextArea):
                found[field.name] = widget.text
            elif isinstance(widget, Input):
                found[field.name] = widget.value
        return found

    def on_completing_input_offered(self, message: CompletingInput.Offered) -> None:
        if isinstance(self.focused, CompletingInput):
            self.query_one(Offers).offer(message)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        if not isinstance(event.widget, CompletingInput):
            for offers in self.query(Offers):
                offers.offer(CompletingInput.Offered((), 0))

    def on_input_changed(self, event: Input.Changed) -> None:
        field = next(field for field in self._fields if field.name == event.input.id)
        if field.search and isinstance(event.input, CompletingInput):
            self._search(event.input, field.search)

    @work(group="search", exclusive=True)
    async def _search(self, widget: CompletingInput, search: Search) -> None:
        text = widget.value
        found = await search(text)
        widget.know(lambda typed: found if typed == text else ())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def keep(self) -> None:
        """Keep what was typed so far."""
        if self.is_mounted:
            self._keep(self.values())

    def action_leave(self) -> None:
        """Leave without effect."""
        self.keep()
        super().action_leave()

    def action_submit(self) -> None:
        """Try; at most one attempt at a time."""
        if self.is_trying:
            return
        values = self.values()
        for field in self._fields:
            if field.required and not values[field.name].strip():
                self.say(f"{field.label} is missing.")
                self.query_one(f"#{field.name}").focus()
                return
        self.attempt(self._attempt(values))

"""FormDialog: a few fields, and an attempt that keeps them when it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Label, Static, TextArea

from hopper_tui.model.text import plain
from hopper_tui.tui.dialogs.trying import TryingDialog
from hopper_tui.tui.snapshot import Problem

Values = Mapping[str, str]
Attempt = Callable[[Values], Awaitable[Problem | None]]
"""Tries to do what the form is for; a Problem keeps the form open."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `choices` are completed while typing; `lines` above 1 makes it a text area."""

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    required: bool = False
    choices: Sequence[str] = ()
    lines: int = 1


class FormDialog(TryingDialog):
    """Enter in a one-line field, or ctrl+s anywhere, tries; the result is True once it is done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Save", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(self, title: str, fields: Sequence[Field], verb: str, attempt: Attempt) -> None:
        moves = "   tab next field" if len(fields) > 1 else ""
        save = "ctrl+s" if fields[0].lines > 1 else "enter"
        super().__init__(title, f"{save} {verb}{moves}   esc leave")
        self._fields = fields
        self._attempt = attempt

    def body(self) -> list[Widget]:
        widgets: list[Widget] = []
        for field in self._fields:
            widgets += [Label(Content(field.label)), self._widget(field)]
        return [*widgets, Static("", id="problem")]

    def _widget(self, field: Field) -> Widget:
        if field.lines > 1:
            area = TextArea(field.value, id=field.name, compact=True, placeholder=field.placeholder)
            area.styles.height = field.lines
            return area
        return Input(
            plain(field.value),
            placeholder=field.placeholder,
            id=field.name,
            compact=True,
            select_on_focus=False,
            suggester=SuggestFromList(field.choices) if field.choices else None,
        )

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

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

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

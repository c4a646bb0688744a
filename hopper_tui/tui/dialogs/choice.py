"""ChoiceDialog: pick one line of a list, narrowed by typing when there are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import getters
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Input, Static

from hopper_tui.tui.dialogs.dialog import FRAME, Dialog, room
from hopper_tui.tui.line_input import LineInput
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.roles import Line, Role, Span

NOTE_LINES = 3
"""Lines of the note below a list, with one that is empty."""


class Choice(NamedTuple):
    """Something to pick. `line` draws it at a width; `words` is what typing is compared with;
    `note` is told below the list while the cursor is on it."""

    key: str
    line: Callable[[int], Line]
    words: str = ""
    note: str = ""


class ChoiceList(LineList):
    """The lines to pick from; `around` them the dialog has other lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", show=False),
        Binding("j,down", "cursor(1)", show=False),
        Binding("k,up", "cursor(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("g,home", "edge(False)", show=False),
        Binding("G,end", "edge(True)", show=False),
    ]

    def __init__(
        self,
        choices: Sequence[Choice],
        *,
        id: str | None = None,
        around: int = FRAME,
    ) -> None:
        super().__init__(id=id)
        self._around = around
        self._choices = tuple(choices)
        self._shown = self._choices
        self.notice = ((Span("Nothing like that.", "muted"),),)

    @property
    def note(self) -> str:
        """What is to be told of the selected choice."""
        return self._shown[self.cursor].note if self.cursor < len(self._shown) else ""

    def offer(self, choices: Sequence[Choice]) -> None:
        """Show other choices; the cursor stays on what it selected, else on its line."""
        selected = self.selected
        self._choices = self._shown = tuple(choices)
        keys = [choice.key for choice in choices]
        self.forget_strips()
        self.place_cursor(keys.index(selected) if selected in keys else self.cursor)
        self.lines_changed()

    def begin_at(self, key: str | None) -> None:
        """Let the cursor begin on a choice, if it is there."""
        keys = [choice.key for choice in self._shown]
        if key in keys:
            self.set_reactive(LineList.cursor, keys.index(key))

    def narrow(self, typed: str) -> None:
        """Show only the choices that contain every typed word."""
        words = typed.casefold().split()
        self._shown = tuple(
            choice
            for choice in self._choices
            if all(word in choice.words.casefold() for word in words)
        )
        self.place_cursor(0, 0)
        self.lines_changed()
        self.post_message(self.Highlighted(self, self.selected))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(max(1, self.line_count()), room(viewport, self._around))

    def line_role(self, index: int) -> Role | None:
        return "cursor" if index == self.cursor else None

    def line_count(self) -> int:
        return len(self._shown)

    def id_at(self, index: int) -> str | None:
        return self._shown[index].key

    def line_at(self, index: int, width: int) -> Line:
        return self._shown[index].line(width)


class ChoiceDialog(Dialog[str]):
    """The result is the key of what was picked; the cursor begins on `present`. With `typing` the
    list has a search field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    choices = getters.query_one(ChoiceList)

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        verb: str,
        typing: bool = False,
        present: str | None = None,
    ) -> None:
        find = "type to find   " if typing else ""
        super().__init__(title, f"{find}↑↓ move   enter {verb}   esc leave")
        self._has_notes = any(choice.note for choice in choices)
        around = FRAME + (2 if typing else 0) + (NOTE_LINES if self._has_notes else 0)
        self._list = ChoiceList(choices, id="choices", around=around)
        self._typing = typing
        self._list.begin_at(present)

    def body(self) -> list[Widget]:
        search = LineInput(placeholder="search", id="search", compact=True)
        note = Static("", id="note")
        return [*[search][: self._typing], self._list, *[note][: self._has_notes]]

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        for note in self.query("#note").results(Static):
            note.update(Content(self.choices.note))

    def on_input_changed(self, event: Input.Changed) -> None:
        self.narrow(event.value)

    def narrow(self, typed: str) -> None:
        """Show only what goes with the words that were typed."""
        self.choices.narrow(typed)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.choices.action_choose()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        event.stop()
        self.dismiss(event.key)

    def action_move(self, step: int) -> None:
        """Move the cursor of the list, also from the search field."""
        self.choices.action_cursor(step)

"""SavedFiltersDialog: use a filter by its name, or give the present one a name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from hopper_tui.engine.filter import SAVED
from hopper_tui.tui.dialogs.choice import Choice, ChoiceDialog
from hopper_tui.tui.presentation import clip, fit
from hopper_tui.tui.roles import Line, Span

NEW, GONE = "+", "-"
"""What the result begins with for a name to save under and for one to remove; SAVED for one to
use."""


class SavedFiltersDialog(ChoiceDialog):
    """A name that is typed narrows the list; one that is not there yet can be given to `text`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("delete", "remove", show=False, priority=True)]

    def __init__(self, known: Mapping[str, str], text: str) -> None:
        self._known = known
        self._text = text
        super().__init__("saved filters", self._choices(""), "use", typing=True)
        self._hints = f"enter use{' or save' if text else ''}   ↑↓ move   del remove   esc leave"
        self._list.notice = (
            (Span("Type a name for the filter." if text else "No filter is saved.", "muted"),),
            *(() if text else ((Span("/ filters; @ then names the filter.", "muted"),),)),
        )

    def _choices(self, typed: str) -> list[Choice]:
        name = typed.strip().removeprefix(SAVED)
        found = [
            Choice(SAVED + one, partial(_line, SAVED + one, text))
            for one, text in self._known.items()
            if name.casefold() in one.casefold()
        ]
        if name and self._text and name not in self._known:
            found.append(Choice(NEW + name, partial(_line, f"save as {SAVED}{name}", self._text)))
        return found

    def narrow(self, typed: str) -> None:
        self.choices.offer(self._choices(typed))

    def action_remove(self) -> None:
        """Remove the selected one."""
        selected = self.choices.selected or ""
        if selected.startswith(SAVED):
            self.dismiss(GONE + selected.removeprefix(SAVED))


def _line(name: str, text: str, width: int) -> Line:
    return (Span(f"{fit(name, 20)} ", "accent"), Span(clip(text, width - 21), "muted"))

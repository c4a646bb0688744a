"""Dialog: a titled box over the screen that Escape always leaves without effect."""

from __future__ import annotations

import re
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget

from hopper_tui.model.text import plain
from hopper_tui.resources import STYLES
from hopper_tui.tui.presentation import width_of

R = TypeVar("R")

FRAME = 6
"""Lines of a dialog around what it shows: border, padding and hints."""
LEAST = 3
"""Lines of the tallest thing in a dialog where there is no room; the dialog scrolls then."""


def room(viewport: Size, around: int = FRAME) -> int:
    """How many lines the tallest dialog has that are left by what is around them, and `LEAST`."""
    return max(LEAST, viewport.height * 9 // 10 - around)


class Hints(Widget):
    """Keys and what they do, two spaces or more between them: as many as fit, and the last."""

    def __init__(self, hints: str) -> None:
        super().__init__(id="hints")
        self._hints = re.findall(r"\S+(?: \S+)*\s*", hints)

    def render(self) -> Content:
        *hints, last = self._hints
        used, shown = width_of(last), ""
        for hint in hints:
            used += width_of(hint)
            if used > self.size.width:
                break
            shown += hint
        return Content(shown + last)


class Dialog(ModalScreen[R]):
    """Subclasses give `body()` and a line of `hints`; the result is None when it was left."""

    CSS_PATH = STYLES / "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, title: str, hints: str) -> None:
        super().__init__()
        self._title = title
        self._hints = hints
        self._result: tuple[R | None] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as box:
            box.border_title = Content(f" {plain(self._title)} ")
            yield from self.body()
            yield Hints(self._hints)

    def body(self) -> list[Widget]:
        """The widgets between title and hints."""
        raise NotImplementedError

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        """Close, as soon as nothing is above: Textual would close that in its place."""
        if self.app.screen is self:
            return super().dismiss(result)
        self._result = (result,)
        return AwaitComplete()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be done before all is there: a key that was underway may come as early."""
        return self.is_mounted and super().check_action(action, parameters)

    def on_resize(self) -> None:
        """Keep what has the focus in sight."""
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def on_screen_resume(self) -> None:
        """Close if that was to be done meanwhile."""
        if self._result is not None:
            self.dismiss(*self._result)

    def action_leave(self) -> None:
        """Leave without effect."""
        self.dismiss(None)

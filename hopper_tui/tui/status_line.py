"""StatusLine: the last line of the screen: keys that work here, or what just happened."""

from __future__ import annotations

from textual.timer import Timer

from hopper_tui.tui.arrangement import SMALLEST
from hopper_tui.tui.commands import Hint
from hopper_tui.tui.git_lines import place_line
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.presentation import clip, line_width, width_of
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.snapshot import CheckoutSnapshot

SAID_FOR = 6.0
"""Seconds a message stays."""


class StatusLine(LineView, can_focus=False):
    """Hints from the left as far as they fit; who, where and on which branch on the right.

    Never wraps.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hints: tuple[Hint, ...] = ()
        self._who, self._where, self._marked = "", "", 0
        self._checkout: CheckoutSnapshot | None = None
        self._is_paused = False
        self._said: Span | None = None
        self._timer: Timer | None = None

    def show(
        self,
        hints: tuple[Hint, ...],
        who: str,
        where: str = "",
        marked: int = 0,
        checkout: CheckoutSnapshot | None = None,
        is_paused: bool = False,
    ) -> None:
        """Show keys and what they do, who we are at which hopper, how many tasks are marked,
        where that hopper's tasks stand in git, and whether the screen is held still."""
        self._hints, self._who, self._where, self._marked = hints, who, where, marked
        self._checkout, self._is_paused = checkout, is_paused
        self.lines_changed()

    def say(self, text: str, role: Role = "good") -> None:
        """Show a message instead of the hints for a while."""
        self._said = Span(text, role)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SAID_FOR, self.hush)
        self.lines_changed()

    def hush(self) -> None:
        """Take the message away."""
        self._said = None
        self.lines_changed()

    def line_count(self) -> int:
        return 1

    def line_at(self, index: int, width: int) -> Line:
        terminal = self.app.size
        if terminal.width < SMALLEST.width or terminal.height < SMALLEST.height:
            needs = f" Hopper needs {SMALLEST.width} columns and {SMALLEST.height} lines."
            return (Span(clip(needs, width), "warn"),)
        travels = self._checkout is not None and self._checkout.project is not None
        share = 2 if travels and self._said is None else 3
        place = place_line(self._who, self._where, self._marked, self._checkout, width // share)
        if self._is_paused:
            place = (Span("‖ paused", "warn"), Span(" · ", "muted"), *place)
        room = width - line_width(place) - 3
        if self._said is not None:
            text = clip(self._said.text, room)
            left = [Span(" "), Span(text, self._said.role)]
            used = 1 + width_of(text)
        else:
            left = [Span(" "), *self._fitting(room)]
            used = sum(width_of(span.text) for span in left)
        gap = max(1, width - used - line_width(place) - 1)
        return (*left, Span(" " * gap), *place, Span(" "))

    def _fitting(self, room: int) -> list[Span]:
        """The hints that fit into `room` cells; the last one is never left out."""
        hints: list[Line] = []
        for hint in self._hints:
            key = Span(hint.key, "accent" if hint.enabled else "muted")
            hints.append((key, Span(f" {hint.title}  ", "muted")))
        last = hints.pop() if hints else ()
        used = 1 + line_width(last)
        spans: list[Span] = []
        for line in hints:
            used += line_width(line)
            if used > room:
                break
            spans += line
        return [*spans, *last]

"""StatusLine: the last line of the screen: keys that work here, or what just happened."""

from __future__ import annotations

from textual.geometry import Size
from textual.timer import Timer

from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.presentation import clip, line_width, width_of
from hopper_tui.tui.roles import Line, Role, Span

SMALLEST = Size(50, 12)
"""The smallest terminal that anything else than this line is shown on."""
SAID_FOR = 6.0
"""Seconds a message stays."""


class StatusLine(LineView, can_focus=False):
    """Hints from the left as far as they fit, who and where on the right; never wraps."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the name Textual uses
        super().__init__(id=id)
        self._hints: tuple[tuple[str, str], ...] = ()
        self._place = ""
        self._said: Span | None = None
        self._timer: Timer | None = None

    def show(self, hints: tuple[tuple[str, str], ...], place: str) -> None:
        """Show (key, what it does) pairs and who we are where."""
        self._hints, self._place = hints, place
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
        place = clip(self._place, width // 3)
        room = width - width_of(place) - 3
        if self._said is not None:
            text = clip(self._said.text, room)
            left = [Span(" "), Span(text, self._said.role)]
            used = 1 + width_of(text)
        else:
            left = [Span(" "), *self._fitting(room)]
            used = sum(width_of(span.text) for span in left)
        gap = max(1, width - used - width_of(place) - 1)
        return (*left, Span(" " * gap), Span(place, "muted"), Span(" "))

    def _fitting(self, room: int) -> list[Span]:
        """The hints that fit into `room` cells; the last one is never left out."""
        hints: list[Line] = [
            (Span(key, "accent"), Span(f" {title}  ", "muted")) for key, title in self._hints
        ]
        last = hints.pop() if hints else ()
        used = 1 + line_width(last)
        spans: list[Span] = []
        for hint in hints:
            used += line_width(hint)
            if used > room:
                break
            spans += hint
        return [*spans, *last]

"""FeedbackDialog: how a task went, said by one key, with more detail for those who want."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from hopper_tui.model.clock import duration
from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.tui.dialogs.form import Attempt, Field, FormDialog, Values
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.roles import Line, Span

_MARKS: tuple[tuple[str, str], ...] = (
    ("5", "excellent"), ("4", "good"), ("3", "fair"), ("2", "weak"), ("1", "poor"),
    ("0", "useless"), ("g", "right place"), ("b", "wrong place"), ("r", "rework"),
)  # fmt: skip
"""The keys that say it all, and what each says."""


class Marks(LineView):
    """The keys to choose from; each of them is the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"screen.mark('{key}')", show=False) for key, _ in _MARKS
    ]

    def line_count(self) -> int:
        return 3

    def line_at(self, index: int, width: int) -> Line:
        column = max(12, width // 3)
        spans: list[Span] = []
        for key, said in _MARKS[index::3]:
            spans += [Span(key, "accent"), Span(f" {said}".ljust(column - 1))]
        return tuple(spans)


class FeedbackDialog(FormDialog):
    """A mark is tried with whatever the fields hold; the fields alone will do as well."""

    def __init__(self, title: str, fields: Sequence[Field], verb: str, attempt: Attempt) -> None:
        super().__init__(title, fields, verb, attempt)
        self._hints = "key, or enter in field  → takes  esc leave"
        self._mark = ""

    def body(self) -> list[Widget]:
        return [Marks(id="marks"), *super().body()]

    def values(self) -> dict[str, str]:
        return super().values() | {"mark": self._mark}

    def action_mark(self, key: str) -> None:
        """Say it by that key."""
        self._mark = key
        self.action_submit()


def read_feedback(values: Values) -> TaskFeedback:
    """What the dialog said; raises Invalid."""
    mark = values["mark"]
    took, elsewhere = values["took"].strip(), values["elsewhere"].strip()
    return TaskFeedback(
        was_good_match=True if mark == "g" else False if mark == "b" or elsewhere else None,
        should_have_routed_to=elsewhere or None,
        quality=float(mark) if mark.isdigit() else None,
        actual_duration=duration(took) if took else None,
        rework=True if mark == "r" else None,
        notes=values["notes"].strip() or None,
    )

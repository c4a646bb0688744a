"""DoctorView: what is wrong with the stores and configurations, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import Keys, bindings_of
from hopper_tui.tui.doctor_lines import doctor_lines, doctor_title
from hopper_tui.tui.presentation import problem_lines
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.row_list import TICK
from hopper_tui.tui.stage import Staged
from hopper_tui.tui.text_pane import TextPane
from hopper_tui.tui.view_snapshot import DoctorSnapshot


class DoctorView(TextPane, Staged):
    """Looks when it is opened and when it is asked to: a look reads every store."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("doctor")

    def __init__(self, clock: Callable[[], float], keys: Keys, *, id: str | None = None) -> None:
        super().__init__(clock, keys, id=id)
        self.snapshot = DoctorSnapshot(0)
        self.show_title("doctor", "looking …")

    def on_mount(self) -> None:
        self.set_interval(TICK, self._tick)

    def _tick(self) -> None:
        if self.display:
            self.text_changed()

    def show(self, doctor: DoctorSnapshot) -> None:
        """Show what was found."""
        self.snapshot = doctor
        self.show_title(doctor_title(doctor))
        self.text_changed()

    def text_lines(self, width: int) -> tuple[Line, ...]:
        doctor = self.snapshot
        if doctor.problem:
            return problem_lines(doctor.problem, width)
        if not doctor.revision:
            return ((Span(" Looking at every store …", "muted"),),)
        return doctor_lines(doctor, width, self.clock(), self.keys)

    def action_again(self) -> None:
        """Look again."""
        self.show_title(doctor_title(self.snapshot), "looking …")
        self.post_message(self.Wanted())

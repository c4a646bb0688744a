"""StatsView: how the work of a hopper goes, drawn and in numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import Keys, bindings_of, key_of
from hopper_tui.tui.presentation import problem_lines
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.stage import Staged
from hopper_tui.tui.stats_lines import stats_lines, stats_title
from hopper_tui.tui.text_pane import TextPane
from hopper_tui.tui.view_snapshot import PERIODS, StatsSnapshot

READ_EVERY = 5.0
"""Seconds between two looks: each reads many events, so not every change is worth one."""
HIGH = 36
"""Lines of the view from which on the sparklines are several lines high."""


class StatsView(TextPane, Staged):
    """Sparklines over an hour, a day, a week or a month, and the numbers below."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("stats")

    def __init__(self, clock: Callable[[], float], keys: Keys, *, id: str | None = None) -> None:
        super().__init__(clock, keys, id=id)
        self.snapshot = StatsSnapshot(0)
        self._period = next(iter(PERIODS))

    def on_mount(self) -> None:
        self.set_interval(READ_EVERY, self._tick)

    def _tick(self) -> None:
        if self.display:
            self.post_message(self.Wanted())

    def show(self, stats: StatsSnapshot) -> None:
        """Show other numbers."""
        self.snapshot = stats
        other = f"{key_of('stats.period', self.keys)} shows another time"
        self.show_title(stats_title(stats), other)
        self.text_changed()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Over which time."""
        return (self._period,)

    def text_lines(self, width: int) -> tuple[Line, ...]:
        stats = self.snapshot
        if stats.problem:
            return problem_lines(stats.problem, width)
        if stats.trend is None:
            return ((Span(" Reading …", "muted"),),)
        return stats_lines(stats, width, 3 if self.size.height >= HIGH else 1)

    def action_period(self) -> None:
        """Show the next longer time, after the longest the shortest."""
        periods = list(PERIODS)
        self._period = periods[(periods.index(self._period) + 1) % len(periods)]
        self.post_message(self.Wanted())

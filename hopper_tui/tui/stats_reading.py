"""Reading statistics: the numbers of `hopper stats`, and how they became what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.engine.trends import trend
from hopper_tui.tui.snapshot import PERIODS, Problem, Question, StatsSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.world import World


class StatsReader:
    """Reads the numbers of one hopper."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, number: int, question: Question) -> StatsSnapshot:
        """The numbers, and the trend over the wanted period."""
        period = next(iter(question.wanted), next(iter(PERIODS)))
        try:
            hopper = self._world.hopper(question.hopper)
            went = trend(hopper, PERIODS[period])
            return StatsSnapshot(number, hopper.instance, period, hopper.stats(), went)
        except Exception as error:
            return StatsSnapshot(number, period=period, problem=Problem.of(error))

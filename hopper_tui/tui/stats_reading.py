"""Reading statistics: the numbers of `hopper stats`, and how they became what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.engine.trends import trend
from hopper_tui.tui.snapshot import Problem, Question
from hopper_tui.tui.view_snapshot import PERIODS, StatsSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.world import World


AGED = 60.0
"""Seconds after which numbers are read again although nothing happened."""


class StatsReader:
    """Reads the numbers of one hopper; again only when something happened, or after a minute."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: tuple[object, StatsSnapshot] = (None, StatsSnapshot(0))

    def read(self, number: int, question: Question) -> StatsSnapshot:
        """The numbers, and the trend over the wanted period."""
        period = next(iter(question.wanted), next(iter(PERIODS)))
        try:
            hopper = self._world.hopper(question.hopper)
            now = self._world.now() // AGED
            state = (hopper.id, hopper.store.path, period, hopper.store.revision(), now)
            if self._read[0] != state:
                went = trend(hopper, PERIODS[period])
                stats = StatsSnapshot(number, hopper.instance, period, hopper.stats(), went)
                self._read = (state, stats)
            return self._read[1]._replace(revision=number)
        except Exception as error:
            return StatsSnapshot(number, period=period, problem=Problem.of(error))

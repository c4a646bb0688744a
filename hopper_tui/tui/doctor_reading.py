"""Reading the doctor: what it finds, the worst first. In a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.tui.snapshot import Problem, Question
from hopper_tui.tui.view_snapshot import DoctorSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.world import World

_LEVELS = ("error", "warning", "ok")


class DoctorReader:
    """Has the doctor look, and remove nothing."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, number: int, question: Question) -> DoctorSnapshot:
        """What is found, and when it was looked for."""
        now = self._world.now()
        world = self._world.apart()  # fresh: what a connection remembers tells nothing of the file
        try:
            found = world.doctor()
        except Exception as error:
            return DoctorSnapshot(number, at=now, problem=Problem.of(error))
        finally:
            if world is not self._world:
                world.close()
        found.sort(key=lambda finding: _LEVELS.index(finding.level))
        return DoctorSnapshot(number, tuple(found), now)

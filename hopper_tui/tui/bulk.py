"""Bulk: one verb on many tasks, done in portions and yet one command."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hopper_tui.tui.snapshot import Problem, Refusal, Report
from hopper_tui.tui.verbs import Verb

if TYPE_CHECKING:
    from hopper_tui.engine.world import World


class Bulk:
    """All portions record under the group of the first: one step of undo, wherever it stops.

    It ends where somebody takes it back meanwhile, rather than to go on under a command that is
    undone.
    """

    def __init__(self, world: World, verb: Verb, task_ids: Sequence[str], summary: str) -> None:
        self._world = world
        self._verb = verb
        self._ids = task_ids
        self._summary = summary
        self._group: str | None = None
        self._done: list[str] = []
        self._refused: list[Refusal] = []
        self._touched: set[str] = set()
        self._undone = False
        self.through = 0

    def go_on(self, seconds: float) -> bool:
        """Do the verb to the tasks that come next, for so long; whether there are more."""
        from hopper_tui.engine import undo

        world, end = self._world, time.monotonic() + seconds
        with world.command(self._summary) as command:
            self._group = self._group or command.group
            with world.grouped(self._group):
                while self.through < len(self._ids):
                    self._do(self._ids[self.through])
                    self.through += 1
                    touched = [world.store(key) for key in self._touched]
                    if undo.overtaken(world, self._group, touched):
                        self._undone = True
                        return False
                    if time.monotonic() > end:
                        break
        return self.through < len(self._ids)

    def _do(self, task_id: str) -> None:
        world, short = self._world, task_id
        try:
            hopper, task = world.find_task(task_id)
            if len(self._ids) == 1:
                short = world.short_id(task)
            self._verb.change(hopper, task.id)
        except Exception as error:
            self._refused.append(Refusal(task_id, Problem.of(error)))
        else:
            self._done.append(short)
            self._touched.add(hopper.id)

    @property
    def report(self) -> Report:
        """What was done so far."""
        left = len(self._ids) - self.through
        done = tuple(self._done)
        return Report(self._verb.past, done, tuple(self._refused), left, self._undone)

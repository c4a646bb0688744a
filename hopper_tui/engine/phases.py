"""Phases: the parts of a run, one after the other.

Phases are the orchestration instances below a run, in its store, in the order they were made. One
is passed when each of its tasks is done or cancelled: a failed task holds the next phase back
until it is reopened or cancelled. Source of the rule: the addendum, "Workers pull from active
phase".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.model.errors import AtCapacity, InvalidTransition, NotFound
from hopper_tui.model.lifecycle import ACTIVE, HopperScope, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store

_PASSED = frozenset({TaskStatus.DONE, TaskStatus.CANCELLED})


Room = tuple["Instance", int, "int | None"]
"""An instance, how many tasks are held there, and how many may be."""


def of(store: Store, run: str) -> list[Instance]:
    """The phases of a run in their order."""
    return [i for i in store.instances() if i.parent == run]


class Layout(NamedTuple):
    """An instance as it hands out work: the store that keeps it, the run it is or is part of, the
    phases of that in order, and the counts by status of each. Outside runs it is alone."""

    store: Store
    instance: Instance
    run: Instance
    phases: tuple[Instance, ...]
    counts: Mapping[str, Mapping[TaskStatus, int]]

    @classmethod
    def read(cls, world: World, key: str) -> Layout:
        """The layout around an instance; raises NotFound."""
        store = world.store(key)
        here = store.instances()
        instance = next((i for i in here if i.id == key), None) or world.instance(key)
        if instance.scope is not HopperScope.ORCHESTRATION:
            return cls(store, instance, instance, (), {key: store.counts(key)})
        run = next((i for i in here if i.id == instance.parent), instance)
        phases = tuple(i for i in here if i.parent == run.id)
        return cls(store, instance, run, phases, store.all_counts())

    def place(self, name: str) -> Instance:
        """Where a new task that names a phase belongs: in a run the phase of that name, id, or
        number as in `phase-2`; the instance itself where there are none, and in a phase. Raises
        NotFound."""
        known = {f"phase-{number}": phase for number, phase in enumerate(self.phases, 1)}
        known |= {phase.name.casefold(): phase for phase in reversed(self.phases)}
        known |= {phase.id.casefold(): phase for phase in self.phases}
        if not known or self.instance is not self.run:
            return self.instance
        if place := known.get(name.casefold()):
            return place
        raise NotFound(
            f"{self.run.name} has no phase {name!r}",
            f"Choose one of: {', '.join(phase.name for phase in self.phases)}",
        )

    @property
    def active(self) -> Instance | None:
        """The first phase with tasks that are neither done nor cancelled."""
        return next((phase for phase in self.phases if self.left(phase)), None)

    def left(self, phase: Instance) -> int:
        """How many of its tasks keep a phase from being passed."""
        counts = self.counts.get(phase.id, {})
        return sum(n for status, n in counts.items() if status not in _PASSED)

    def queues(self) -> list[str]:
        """The instances whose tasks somebody gets who asks: a run's own and those of its active
        phase; a phase's own while no earlier one is open."""
        now = self.active
        if self.instance is self.run:
            return [self.run.id, now.id] if now is not None and now.is_running else [self.run.id]
        return [self.instance.id] if now is self.instance and self.run.is_running else []

    def room(self, world: World) -> Room:
        """Where there is least room, how many tasks are held there, and how many may be."""
        here = self._room_of(world, self.instance)
        if self.instance is self.run:
            return here
        return min(here, self._room_of(world, self.run), key=_left)

    def _room_of(self, world: World, instance: Instance) -> Room:
        parts = (instance, *self.phases) if instance is self.run else (instance,)
        held = 0
        for part in parts:
            counts = self.counts.get(part.id, {})
            held += sum([counts.get(status, 0) for status in ACTIVE])
        return instance, held, world.settings(instance).capacity

    def is_full(self, world: World, but: int = 0) -> bool:
        """Whether as much is held as may be, `but` so many: here, or in the run of a phase."""
        _, held, capacity = self.room(world)
        return capacity is not None and held + but >= capacity

    def check_room(self, world: World) -> None:
        """Raise AtCapacity when as much is held as may be."""
        where, held, capacity = self.room(world)
        if capacity is not None and held >= capacity:
            raise AtCapacity(
                f"{where.name} is at capacity: {held}/{capacity}",
                f"Finish or release a task first; see which: hopper list --instance {where.id}",
            )

    def check_active(self, world: World, task: Task) -> None:
        """Raise InvalidTransition while an earlier phase than that of the task is open."""
        now = self.active
        if self.instance is self.run or now is None or now is self.instance:
            return
        left = self.left(now)
        raise InvalidTransition(
            f"{world.short_id(task)} is of {self.instance.name}, which waits for {now.name}:"
            f" {left} task{'' if left == 1 else 's'} left there",
            f"Finish those first: hopper list --instance {now.id}",
        )


def _left(room: Room) -> float:
    """How many more may be held."""
    _, held, capacity = room
    return float("inf") if capacity is None else capacity - held

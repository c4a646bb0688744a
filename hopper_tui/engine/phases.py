"""Phases: the parts of a run, one after the other.

Phases are the orchestration instances below a run, in its store, in the order they were made. One
is passed when each of its tasks is done or cancelled: a failed task holds the next phase back
until it is reopened or cancelled. Source of the rule: the addendum, "Workers pull from active
phase".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.model.errors import InvalidTransition
from hopper_tui.model.lifecycle import ACTIVE, HopperScope, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store

_PASSED = frozenset({TaskStatus.DONE, TaskStatus.CANCELLED})

Counts = dict[str, dict[TaskStatus, int]]


def of(store: Store, run: str) -> list[Instance]:
    """The phases of a run in their order."""
    return [i for i in store.instances() if i.parent == run]


def run_of(store: Store, instance: Instance) -> Instance:
    """The run that a phase is part of; the instance itself if it is none."""
    above = store.instance(instance.parent) if instance.parent else None
    is_phase = above is not None and above.scope is HopperScope.ORCHESTRATION
    return above if above is not None and is_phase else instance


def active(phases: Sequence[Instance], counts: Counts) -> Instance | None:
    """The first phase with tasks that are neither done nor cancelled."""
    return next((p for p in phases if not _is_passed(counts.get(p.id, {}))), None)


def _is_passed(counts: Mapping[TaskStatus, int]) -> bool:
    return all(n == 0 or status in _PASSED for status, n in counts.items())


def queues(world: World, store: Store, instance: Instance) -> list[str]:
    """The instances whose tasks somebody gets who asks this one: a run's own and those of its
    active phase; a phase's own while no earlier one is open."""
    if instance.scope is not HopperScope.ORCHESTRATION:
        return [instance.id]
    run = run_of(store, instance)
    phases = of(store, run.id)
    if not phases:
        return [instance.id]
    now = active(phases, store.all_counts())
    if now is not None and not now.is_running:
        now = None
    if run.id == instance.id:
        return [run.id] + ([now.id] if now else [])
    if now is not None and now.id == instance.id and run.is_running:
        return [instance.id]
    return []


def check_active(world: World, store: Store, task: Task) -> None:
    """Raise InvalidTransition while an earlier phase than that of the task is open."""
    instance = store.instance(task.instance)
    if instance is None or instance.scope is not HopperScope.ORCHESTRATION:
        return
    run = run_of(store, instance)
    if run.id == instance.id:
        return
    counts = store.all_counts()
    now = active(of(store, run.id), counts)
    if now is not None and now.id != instance.id:
        left = sum(n for status, n in counts[now.id].items() if status not in _PASSED)
        raise InvalidTransition(
            f"{world.short_id(task)} is of {instance.name}, which waits for {now.name}:"
            f" {left} task{'s' if left > 1 else ''} left there",
            f"Finish those first: hopper list --instance {now.id}",
        )


def loads(world: World, store: Store, instance: Instance) -> Iterator[tuple[str, int, int | None]]:
    """Name, tasks held and capacity of an instance; of its run with all phases, if it is one."""
    counts = store.all_counts()
    yield _load(world, counts, instance, _parts(store, instance))
    if instance.scope is HopperScope.ORCHESTRATION:
        run = run_of(store, instance)
        if run.id != instance.id:
            yield _load(world, counts, run, _parts(store, run))


def _parts(store: Store, instance: Instance) -> list[str]:
    if instance.scope is not HopperScope.ORCHESTRATION:
        return [instance.id]
    return [instance.id, *(p.id for p in of(store, instance.id))]


def _load(
    world: World, counts: Counts, instance: Instance, parts: Sequence[str]
) -> tuple[str, int, int | None]:
    held = sum(counts.get(part, {}).get(status, 0) for part in parts for status in ACTIVE)
    return instance.name, held, world.settings(instance).capacity

"""Upkeep: what is over leaves: runs that are finished, tasks whose retention has passed. On request
or by a schedule, which everyday commands look at when they are through.

A project with a schedule of its own, and its runs, follow it; all else follows the global hopper's.
When it is next due stands in the home, so that of many commands one does it, and the others lose no
time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.model.clock import duration, seconds, stamp
from hopper_tui.model.errors import HopperError
from hopper_tui.model.lifecycle import CLOSED, LEFT, DelegationStatus, HopperScope
from hopper_tui.model.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.store.protocol import Store

_MARK = "maintenance:"
"""Under this local name of the home stands when a hopper's schedule is next due, and by which."""


class Swept(NamedTuple):
    """What maintenance did, or could not do (`is_trouble`), to what is named `subject`."""

    subject: str
    message: str
    is_trouble: bool = False


# What is over


def maintain(world: World, instances: Iterable[Instance]) -> Iterator[Swept]:
    """Archive and remove finished runs, and remove closed tasks whose retention has passed."""
    from hopper_tui.engine import ending

    for name in ending.finish(world):
        yield Swept(name, "the end that was begun is complete: archived and removed")
    for instance in instances:
        try:
            yield from _sweep(world, instance)
        except HopperError as error:
            yield Swept(instance.name, f"stays as it is: {error.message}", is_trouble=True)


def _sweep(world: World, instance: Instance) -> Iterator[Swept]:
    from hopper_tui.engine import ending
    from hopper_tui.engine.hopper import Hopper

    if not world.has(instance.id):  # it was of a run that has just been removed
        return
    store = world.store(instance.id)
    retention = world.settings(instance).retention
    if retention == "run_duration":
        if is_over(world, store, instance):
            ending.end(Hopper.open(world, instance.id), ending.Ending())
            yield Swept(instance.name, "is finished: archived and removed")
    elif retention != "forever":
        before = stamp(world.now() - duration(retention))
        if removed := store.purge(instance.id, before):
            tasks = counted(removed, "finished task")
            yield Swept(instance.name, f"{tasks} older than {retention} left")


def is_over(world: World, store: Store, run: Instance) -> bool:
    """Whether a run has done what it was for: it and its phases have tasks, none of them open; it
    was made by its project itself, or stopped; its project knows, and no task there is blocked by
    a failure that may still be mended here; nobody wants its data kept."""
    from hopper_tui.engine import ending, instances, measuring

    above = None if run.parent is None else world.instance(run.parent)
    if run.scope is not HopperScope.ORCHESTRATION or above is None:
        return False
    if above.scope is not HopperScope.PROJECT:
        return False
    counts = [store.counts(member.id) for member in measuring.family(store, run)]
    statuses = {status for some in counts for status in some}
    if not statuses or not statuses <= CLOSED:
        return False
    if run.status not in LEFT and not instances.made_by_itself(above, run.id):
        return False
    said = ending.ending_of(store, run.id)
    return not (said is not None and said.keep) and not _is_awaited(world, store, run)


def _is_awaited(world: World, store: Store, run: Instance) -> bool:
    """Whether something above may still need a run: who has not heard what became of its work, or
    is blocked by what failed."""
    from hopper_tui.engine import ending

    if ending.uninformed(world, store, run):
        return True
    for hop in store.delegations((DelegationStatus.FAILED,)):
        if hop.target == run.id:
            task = world.store(hop.source).task(hop.task)
            if task is not None and task.is_open:
                return True
    return False


# When


def keep_up(world: World) -> list[Swept]:
    """Do the maintenance that is due, once for each time that it is."""
    done: list[Swept] = []
    for keeper, schedule in _schedules(world, world.here):
        if _take(world, keeper, schedule):
            done += maintain(world, list(_kept(world, keeper)))
    return done


def next_due(world: World, instance: Instance) -> str | None:
    """When the schedule that an instance follows is next due; None without one."""
    for keeper, schedule in _schedules(world, _project_of(world, instance)):
        return _mark(world, keeper, schedule)
    return None


def _project_of(world: World, instance: Instance) -> str | None:
    while instance.scope is HopperScope.ORCHESTRATION and instance.parent is not None:
        instance = world.instance(instance.parent)
    return instance.id if instance.scope is HopperScope.PROJECT else None


def _schedules(world: World, project: str | None) -> Iterator[tuple[str, str]]:
    """The schedules there are, that of a project before the global hopper's: whose, and the cron
    expression."""
    for keeper in (project, world.global_id):
        if keeper is None or world.home is None:
            continue
        schedule = world.settings(world.instance(keeper)).maintenance
        if schedule is not None:
            yield keeper, schedule


def _kept(world: World, keeper: str) -> Iterator[Instance]:
    """What follows the schedule of a hopper."""
    for node in world.nodes():
        if node.error is not None:
            continue
        project = _project_of(world, node.instance)
        own = None if project is None else world.settings(world.instance(project)).maintenance
        if keeper == (project if own is not None else world.global_id):
            yield node.instance


def _mark(world: World, keeper: str, schedule: str) -> str | None:
    """When a schedule is next due: as it stands in the home, or reckoned from now where it is new
    or another than before."""
    known = world.places.home_store.local(_MARK + keeper)
    if known is not None and known.partition(" ")[2] == schedule:
        return known.partition(" ")[0]
    due = _reckon(world, schedule)
    if due is not None:
        world.places.home_store.set_local(_MARK + keeper, f"{due} {schedule}")
    return due


def _reckon(world: World, schedule: str) -> str | None:
    from hopper_tui.config.cron import next_time

    due = next_time(schedule, world.now())
    return None if due is None else stamp(due)


def _take(world: World, keeper: str, schedule: str) -> bool:
    """Whether a schedule is due and it is up to us: whoever asks later has to wait for the next
    time."""
    due = _mark(world, keeper, schedule)
    if due is None or seconds(due) > world.now():
        return False
    from hopper_tui.store.gate import Gate

    assert world.home is not None
    gate = Gate(world.home / "maintenance")
    try:
        with gate:
            if _mark(world, keeper, schedule) != due:
                return False
            following = _reckon(world, schedule) or due
            world.places.home_store.set_local(_MARK + keeper, f"{following} {schedule}")
    finally:
        gate.close()
    return True

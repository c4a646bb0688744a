"""Ending: what a run did, summed up; kept by its parent, and the run removed.

First the run is terminated and says in the same transaction what is to become of it; then its
parent keeps the summary; then the run's database goes. Whoever dies in between leaves a run that
the next command ends in the same way: no step is harmful when it is repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine import flow, measuring, runs
from hopper_tui.model.clock import seconds, stamp
from hopper_tui.model.errors import HopperError, InvalidTransition, NotAllowed, StorageError
from hopper_tui.model.lifecycle import (
    CLOSED,
    DelegationStatus,
    HopperScope,
    InstanceStatus,
    TaskStatus,
)
from hopper_tui.model.query import Query, Term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.measuring import Meter
    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store

FAILURES = 50
"""Failed tasks that a summary names."""
WORDS = 300
"""Characters of a title or reason in a summary."""
LARGEST = 24_000
"""Characters of a summary as JSON: it must fit into one event of the journal in any script."""
ENDING = "run.ending"


class Ending(NamedTuple):
    """What becomes of a run: whether its summary is archived, and whether its data is kept."""

    archive: bool = True
    keep: bool = False


# What it did


def summary(hopper: Hopper) -> dict[str, Any]:
    """Counts by status, times and duration in seconds, who did what, what failed and why, the
    feedback as one, and the counts of each phase.

    `work` counts a run and its phases together; so do `workers`, `failures` and `feedback`.
    """
    store, instance = hopper.store, hopper.instance
    members = measuring.family(store, instance)
    meter, _ = measuring.read(store)
    ids = [member.id for member in members]
    told = _counted(hopper.world, store, instance, meter)
    told["workers"] = [
        {"worker": worker, **tally.json()} for worker, tally in meter.workers(ids).items()
    ]
    told["failures"] = [_failure(hopper.world, task) for task in _failed(store, ids)]
    told["feedback"] = _feedback(store, ids)
    return told


def _counted(world: World, store: Store, instance: Instance, meter: Meter) -> dict[str, Any]:
    counts = store.counts(instance.id)
    members = measuring.family(store, instance)
    total = meter.of(member.id for member in members)
    everywhere = [store.counts(member.id) for member in members]
    begin = instance.started_at or instance.created_at
    end = instance.stopped_at or stamp(world.now())
    children = [member for member in members if member.parent == instance.id]
    return {
        "instance_id": instance.id,
        "name": instance.name,
        "status": str(instance.status),
        "total": sum(counts.values()),
        "open": sum(n for status, n in counts.items() if status not in CLOSED),
        **{str(status): counts.get(status, 0) for status in TaskStatus},
        "duration_s": round(seconds(end) - seconds(begin), 3),
        "created_at": instance.created_at,
        "started_at": instance.started_at,
        "stopped_at": instance.stopped_at,
        "work": {
            "total": sum(sum(some.values()) for some in everywhere),
            **total.json(),
            **{str(s): sum(some.get(s, 0) for some in everywhere) for s in sorted(CLOSED)},
        },
        "children": [_counted(world, store, child, meter) for child in children],
    }


def _failed(store: Store, ids: Sequence[str]) -> list[Task]:
    terms = (Term("status", ("failed",)),)
    found = [
        t for key in ids for t in store.query(Query(key, terms, sort="created", limit=FAILURES))
    ]
    return found[:FAILURES]


def _failure(world: World, task: Task) -> dict[str, Any]:
    return {
        "task": task.id,
        "title": task.title[:WORDS],
        "instance": task.instance,
        "worker": task.owner,
        "attempts": task.attempts,
        "reason": (task.reason or "")[:WORDS] or None,
    }


def _feedback(store: Store, ids: Sequence[str]) -> dict[str, Any] | None:
    """The feedback of a run as one. A goal whose parts were done in a phase is left out: its own
    was made of theirs."""
    from hopper_tui.memory.feedback import aggregate
    from hopper_tui.model.feedback import TaskFeedback

    made_of_parts = {hop.task for hop in store.delegations(("completed",))}
    rated = (Term("rated", ("1",)),)
    given = [
        TaskFeedback.from_json(task.feedback)
        for key in ids
        for task in store.query(Query(key, rated, closed=True))
        if task.feedback and task.id not in made_of_parts
    ]
    return aggregate(given).json() if given else None


# The end


def end(hopper: Hopper, ending: Ending) -> dict[str, Any]:
    """End a run, or a phase; see `Hopper.archive_and_delete`. Ending it again goes on from where
    it is."""
    world, instance = hopper.world, hopper.instance
    if instance.scope is not HopperScope.ORCHESTRATION:
        raise NotAllowed(
            f"{instance.name} is a {instance.scope} hopper and permanent",
            "Only runs are archived and deleted",
        )
    with world.command("archive"):
        world.announce()
        store = hopper.store
        flow.drive(world, [store])
        _close(world, store, instance, ending)
        return _carry_out(world, hopper, ending)


def _close(world: World, store: Store, run: Instance, ending: Ending) -> None:
    """Terminate a run and its phases, which share its store, if all are done with: from then on
    nothing can be added to them any more."""
    with world.writing(store) as tx:
        members = measuring.family(store, run)
        for one in members:
            if left := _left(store, one):
                raise InvalidTransition(
                    f"{one.name} still has {left} open task{'s' if left > 1 else ''}",
                    f"Finish or cancel them first: hopper list --instance {one.id}",
                )
        for source in uninformed(world, store, run):
            raise InvalidTransition(
                f"{world.name(source)} does not know yet what became of its work in {run.name}",
                "Make it reachable, on the branch that has the work; then: hopper doctor",
            )
        for one in members:
            if one.status is not InstanceStatus.TERMINATED:
                tx.change(
                    one, "instance.terminated", status=InstanceStatus.TERMINATED,
                    stopped_at=stamp(world.now()),
                )  # fmt: skip
        tx.remark("instance", run.id, ENDING, ending._asdict())


def _left(store: Store, one: Instance) -> int:
    """How many tasks of a run are open. What it handed to its parent when it was terminated is in
    the hands of that."""
    counts = store.counts(one.id)
    left = sum(n for status, n in counts.items() if status not in CLOSED)
    if left and one.status is InstanceStatus.TERMINATED:
        terms = (Term("status", (TaskStatus.DELEGATED,)),)
        hops = [flow.current_hop(store, task) for task in store.query(Query(one.id, terms))]
        left -= sum(
            hop is not None and hop.target == one.parent and hop.status is DelegationStatus.ACCEPTED
            for hop in hops
        )
    return left


def uninformed(world: World, store: Store, run: Instance) -> list[str]:
    """The hoppers above that do not know what became of the work they handed down: they are away,
    or on another branch."""
    own = {member.id for member in measuring.family(store, run)}
    found = []
    for hop in store.delegations():
        if hop.target not in own or hop.source in own:
            continue
        try:
            above = world.store(hop.source)
            is_elsewhere = above.travels and above.delegation(hop.id) is None
        except HopperError:
            is_elsewhere = True
        if is_elsewhere or hop.told != hop.status:
            found.append(hop.source)
    return found


def _carry_out(world: World, hopper: Hopper, ending: Ending) -> dict[str, Any]:
    """Do what is to become of a run that is closed."""
    told = _fitted(summary(hopper))
    parent = hopper.parent
    if ending.archive and parent is not None:
        _keep_summary(world, parent.store, hopper.id, told)
    if not ending.keep:
        _remove(world, hopper)
    return told


def _remove(world: World, hopper: Hopper) -> None:
    """Remove a run; somebody who ends it at the same time may be faster."""
    store = hopper.store
    try:
        runs.remove(world, hopper.instance)
    except StorageError:
        if store.path is None or store.path.exists():
            raise
        world.forget(hopper.id)


def _keep_summary(world: World, above: Store, run: str, told: dict[str, Any]) -> None:
    """Record a summary, unless somebody did already; an earlier run of that id is another."""
    with world.writing(above) as tx:
        for event in above.events(key=run, kind=flow.ARCHIVED, newest=True, limit=1):
            if isinstance(event.note, dict) and event.note.get("created_at") == told["created_at"]:
                return
        tx.remark("instance", run, flow.ARCHIVED, told)


def _fitted(told: dict[str, Any]) -> dict[str, Any]:
    """A summary that fits into an event: of long lists the last entries are left out, and
    counted."""
    from json import dumps

    left_out: dict[str, int] = {}
    while len(dumps(told)) > LARGEST:
        name = max(("failures", "workers", "children"), key=lambda n: len(dumps(told[n])))
        half = len(told[name]) // 2
        left_out[name] = left_out.get(name, 0) + len(told[name]) - half
        told = {**told, name: told[name][:half], "left_out": left_out}
        if not half and all(not told[n] for n in ("failures", "workers", "children")):
            break
    return told


# What a dead command left


def ending_of(store: Store, run: str) -> Ending | None:
    """What is to become of a run, as whoever began to end it said; None while nobody did."""
    for event in store.events(key=run, kind=ENDING, newest=True, limit=1):
        return Ending(bool(event.note["archive"]), bool(event.note["keep"]))
    return None


def finish(world: World) -> list[str]:
    """End the runs that somebody began to end and died; returns their names."""
    ended = []
    for project in world.places.projects().values():
        for key in world.places.runs(project):
            try:
                name = _finish(world, key)
            except HopperError as error:
                world.warnings.append(f"{key} is not archived yet: {error.message}")
            else:
                ended += [name] if name else []
    return ended


def _finish(world: World, key: str) -> str | None:
    """End a run if somebody began to; its name when it is gone."""
    from hopper_tui.engine.hopper import Hopper

    store = world.store(key)
    run = store.instance(key)
    if run is None or run.status is not InstanceStatus.TERMINATED:
        return None
    ending = ending_of(store, key)
    if ending is None:
        return None
    with world.command("archive"):
        _carry_out(world, Hopper.open(world, key), ending)
    return None if ending.keep else run.name

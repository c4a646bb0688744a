"""Runs and other children: opened, made, summed up, archived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hopper_tui.engine import instances, routes
from hopper_tui.engine.world import GLOBAL_ID, World
from hopper_tui.model import ids
from hopper_tui.model.clock import seconds, stamp
from hopper_tui.model.errors import Invalid, InvalidTransition, NotAllowed, NotFound
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import CLOSED, HopperScope, InstanceStatus, TaskStatus
from hopper_tui.model.query import Query, Term

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.model.delegation import Decision
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store

SAMPLE = 1000
"""Medians are taken over at most so many tasks, the ones finished last."""
_CHILD_SCOPE = {
    HopperScope.GLOBAL: HopperScope.PROJECT,
    HopperScope.PROJECT: HopperScope.ORCHESTRATION,
    HopperScope.ORCHESTRATION: HopperScope.ORCHESTRATION,
}


def open_or_make(
    world: World,
    scope: HopperScope,
    key: str | None,
    parent: str | None,
    config: dict[str, Any] | None,
    name: str | None,
) -> str:
    """The id of an existing hopper, or of a new one that runs already."""
    if key is None:
        key = GLOBAL_ID if scope is HopperScope.GLOBAL else f"hopper-{scope}-{world.new_id()[:6]}"
    if ids.slug(key) != key:
        raise Invalid(f"{key!r} is not an id", f"Ids are lower case, like {ids.slug(key)}")
    if world._locate(key) is not None:
        known = world.instance(key)
        if known.scope is not scope:
            raise Invalid(f"{key} is a {known.scope} hopper, not a {scope} one")
        return key
    own = {k: v for k, v in (config or {}).items() if k not in ("scope", "instance_id", "parent")}
    storage = (own.get("persistence") or {}).get("storage")
    in_memory = scope is HopperScope.ORCHESTRATION and storage in (None, "memory")
    with world.command(f"create {key}"):
        if scope is HopperScope.ORCHESTRATION and parent is None:
            _stand_alone(world, key, name, own)
        else:
            instances.create(
                world, name or key, scope, parent, own, None, key=key, in_memory=in_memory
            )
        instances.move(world, key, "start")
    return key


def _stand_alone(world: World, key: str, name: str | None, config: dict[str, Any]) -> None:
    """An orchestration without a parent, in memory, as only Python may make it."""
    store = world.places.in_memory(key)
    at = stamp(world.now())
    checked = instances.checked(config, HopperScope.ORCHESTRATION)
    fresh = Instance(key, name or key, HopperScope.ORCHESTRATION, config=checked, created_at=at)
    with world.writing(store) as tx:
        tx.create(fresh, "instance.created")


def child(world: World, instance: Instance, ref: str) -> Instance:
    """The child that a reference means, made and started if there is none."""
    slug = ids.slug(ref)
    for known in world.children(instance.id):
        if slug in (known.id, ids.slug(known.name), known.id.removeprefix(f"{instance.id}-")):
            return known
        if known.id == f"hopper-{slug}":
            return known
    if instance.scope is HopperScope.GLOBAL:
        return instances.create_project(world, ref)
    key = slug if slug.startswith(instance.id) else f"{instance.id}-{slug}"
    in_memory = world.store(instance.id).path is None
    with world.command(f"create {key}"):
        instances.create(
            world, ref, _CHILD_SCOPE[instance.scope], instance.id, None, None, key=key,
            in_memory=in_memory,
        )  # fmt: skip
        return instances.move(world, key, "start")


def register_child(parent: Hopper, hopper: Hopper) -> None:
    """Make a hopper a child of another; one that stood alone in memory moves into its world."""
    above, own = parent.instance, hopper.instance
    parent.world.check_parent_scope(own.scope, above)
    if hopper.world is not parent.world:
        if hopper.world.home is not None:
            raise NotAllowed(f"{own.name} lives in another home", "Make it with parent=...")
        parent.world.places.adopt(own.id, hopper.world.places)
        hopper.world = parent.world
    if own.parent != above.id:
        with parent.world.command("register"), parent.world.writing(hopper.store) as tx:
            tx.change(own, "instance.registered", parent=above.id)


def unregister_child(world: World, parent: Instance, ref: str) -> None:
    """Remove a child and its tasks; the directory of a project stays as it is."""
    known = world.instance(world.find_instance(ref))
    if known.parent != parent.id:
        raise NotFound(f"{known.name} is no child of {parent.name}", "See: hopper instance tree")
    if known.status is not InstanceStatus.TERMINATED:
        instances.move(world, known.id, "terminate", "unregistered", now=True)
    remove(world, known)


def remove(world: World, instance: Instance) -> None:
    """Forget an instance: delete a run's database, leave a project's directory alone."""
    places, store = world.places, world.store(instance.id)
    whole = instance.scope is HopperScope.ORCHESTRATION and [
        i.id for i in store.instances() if i.parent == instance.id or i.id == instance.id
    ] == [i.id for i in store.instances()]
    if instance.scope is HopperScope.PROJECT:
        places.unregister(instance.id)
    if whole and store.path is not None:
        store.delete()
    elif whole:
        places.forget_memory(instance.id)
    else:
        with world.command("remove"), world.writing(store) as tx:
            tx.remove_instance(instance.id, "instance.removed")
    world.forget(instance.id)


def archive_and_delete(hopper: Hopper, archive: bool) -> dict[str, Any]:
    """End a run; see `Hopper.archive_and_delete`."""
    world, instance = hopper.world, hopper.instance
    if instance.scope is not HopperScope.ORCHESTRATION:
        raise NotAllowed(
            f"{instance.name} is a {instance.scope} hopper and permanent",
            "Only runs are archived and deleted",
        )
    with world.command("archive"):
        _close(world, hopper.store, instance, [below.instance for below in hopper.children])
        summary = hopper.summary()
        parent = hopper.parent
        if parent is not None and archive:
            parent.archive_child_run(instance.id, summary)
        for below in hopper.children:
            remove(world, below.instance)
        remove(world, instance)
    return summary


def _close(world: World, store: Store, run: Instance, phases: Sequence[Instance]) -> None:
    """Terminate a run and its phases, which share its store, if all are empty: from then on
    nothing can be added to them any more."""
    with world.writing(store) as tx:
        for one in (*phases, run):
            counts = store.counts(one.id)
            if left := sum(n for status, n in counts.items() if status not in CLOSED):
                raise InvalidTransition(
                    f"{one.name} still has {left} open task{'s' if left > 1 else ''}",
                    "Finish or cancel them first",
                )
        for one in (*phases, run):
            if one.status is not InstanceStatus.TERMINATED:
                tx.change(
                    one, "instance.terminated", status=InstanceStatus.TERMINATED,
                    stopped_at=stamp(world.now()),
                )  # fmt: skip


def summary(hopper: Hopper) -> dict[str, Any]:
    """Counts by status, duration in seconds, and the same of each child."""
    counts = hopper.counts()
    instance = hopper.instance
    end = instance.stopped_at or stamp(hopper.world.now())
    begin = instance.started_at or instance.created_at
    return {
        "instance_id": instance.id,
        "name": instance.name,
        "status": str(instance.status),
        "total": sum(counts.values()),
        "open": sum(n for status, n in counts.items() if status not in CLOSED),
        **{str(status): counts.get(status, 0) for status in TaskStatus},
        "duration_s": round(seconds(end) - seconds(begin), 3),
        "children": [summary(below) for below in hopper.children],
    }


def stats(hopper: Hopper) -> dict[str, Any]:
    """Counts by status, tasks done in the last hour, median seconds of waiting and running."""
    from statistics import median

    now = hopper.world.now()
    counts = hopper.counts()
    done = hopper.list(
        query=Query(terms=(Term("status", ("done",)),), closed=True, sort="updated", limit=SAMPLE)
    )
    waits = [seconds(t.started_at) - seconds(t.created_at) for t in done if t.started_at]
    spans = [
        seconds(t.completed_at) - seconds(t.started_at)
        for t in done
        if t.started_at and t.completed_at
    ]
    recent = hopper.count(
        Query(
            terms=(Term("status", ("done",)), Term("completed", (stamp(now - 3600),), ">=")),
            closed=True,
        )
    )
    pending = hopper.list(
        query=Query(terms=(Term("status", ("pending",)),), sort="created", limit=1)
    )
    load = hopper.load()
    return {
        "instance_id": hopper.id,
        **{str(status): counts.get(status, 0) for status in TaskStatus},
        "active": load.active,
        "capacity": load.capacity,
        "queued": load.queued,
        "throughput_per_hour": recent,
        "median_wait_s": round(median(waits), 3) if waits else None,
        "median_run_s": round(median(spans), 3) if spans else None,
        "oldest_pending_s": round(now - seconds(pending[0].created_at), 3) if pending else None,
    }


def changed_config(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration after changes by dotted key; None removes a key."""
    result: dict[str, Any] = {**config}
    for path, value in changes.items():
        section = result
        *above, last = path.split(".")
        for name in above:
            inner = section.get(name)
            section[name] = dict(inner) if isinstance(inner, Mapping) else {}
            section = section[name]
        if value is None:
            section.pop(last, None)
        else:
            section[last] = value
    return result


@dataclass(frozen=True, slots=True)
class Intelligence:
    """The routing of a hopper, under the addendum's name."""

    hopper: Hopper

    def decide_routing(self, task: Task) -> Decision:
        """Where a task would go from here, and why; changes nothing."""
        return routes.decide(self.hopper.world, self.hopper.instance, task)

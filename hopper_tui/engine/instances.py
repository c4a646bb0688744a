"""Instances: made, started, stopped, and what happens to their tasks then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.engine import flow
from hopper_tui.engine.places import Project, project_name
from hopper_tui.model import ids
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import Invalid, InvalidTransition, NotAllowed
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import (
    OPEN,
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    TaskStatus,
    instance_steps,
)
from hopper_tui.model.query import Query, Term

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hopper_tui.engine.world import World
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store, Transaction

_S = InstanceStatus
_T = TaskStatus
_GAINS_ROOM = ("start", "resume")


def create(
    world: World,
    name: str,
    scope: HopperScope,
    parent: str | None,
    config: Mapping[str, Any] | None,
    path: Path | None,
    *,
    key: str | None = None,
    in_memory: bool = False,
) -> Instance:
    """Make an instance in state created; see `World.create_instance`."""
    key = key or ids.slug(name)
    settings = checked(config or {}, scope)
    above = _parent(world, scope, parent)
    if scope is HopperScope.GLOBAL and world.global_id is not None:
        raise NotAllowed(
            f"this home already has a global hopper: {world.global_id}",
            "One home has one global hopper; use another HOPPER_HOME for a second",
        )
    if world._locate(key) is not None:
        raise Invalid(f"there is already a hopper {key!r}", "Choose another name")
    if above is not None and above.status is _S.TERMINATED:
        raise NotAllowed(f"{above.name} is terminated", "Choose another parent")
    _check_depth(world, scope, above)
    at = stamp(world.now())
    fresh = Instance(key, name, scope, above.id if above else None, config=settings, created_at=at)
    with world.command(f"create {key}"):
        store = _new_store(world, fresh, above, path, in_memory)
        with world.writing(store) as tx:
            return tx.create(fresh, "instance.created")


def checked(config: Mapping[str, Any], scope: HopperScope) -> dict[str, Any]:
    """A configuration given inline, validated; raises ConfigError."""
    if not config:
        return {}
    from hopper_tui.config.load import validate

    return validate(config, scope)


def _parent(world: World, scope: HopperScope, ref: str | None) -> Instance | None:
    if ref is None and scope is HopperScope.PROJECT:
        return world.make_global()
    above = None if ref is None else world.instance(world.find_instance(ref))
    world.check_parent_scope(scope, above)
    return above


def _check_depth(world: World, scope: HopperScope, above: Instance | None) -> None:
    """A run may own phases, and no deeper than its max_depth (addendum, max_depth: 2)."""
    depth, at = 1, above
    while at is not None and at.scope is HopperScope.ORCHESTRATION:
        depth += 1
        if depth > world.settings(at).max_depth:
            raise NotAllowed(
                f"{above.name if above else ''} is as deep as max_depth allows",
                f"max_depth of {at.name} is {world.settings(at).max_depth}",
            )
        at = world.instance(at.parent) if at.parent else None


def _new_store(
    world: World, fresh: Instance, above: Instance | None, path: Path | None, in_memory: bool
) -> Store:
    places = world.places
    if fresh.scope is HopperScope.GLOBAL:
        return places.home_store
    if fresh.scope is HopperScope.PROJECT:
        project = places.home_project(fresh.id) if path is None else _at_path(fresh, path)
        places.register(project)
        return places.store_of(project)
    if above is not None and above.scope is HopperScope.ORCHESTRATION:
        store = world.store(above.id)
        world.place_at(fresh.id, lambda: store)
        return store
    project_above = None if above is None else places.project(above.id)
    run_path = None if project_above is None else places.run_path(project_above, fresh.id)
    if run_path is None or in_memory:
        return places.in_memory(fresh.id)
    return places.at(run_path)


def _at_path(fresh: Instance, path: Path) -> Project:
    root = path.absolute()
    name = project_name(fresh.id)
    database = root / ".hopper" / name / "tasks.db"
    return Project(fresh.id, fresh.name, root, database, (str(root),))


def create_project(world: World, name: str) -> Instance:
    """Make and start the project that a task names (addendum, "Automatic Creation")."""
    parent = world.make_global()
    template = world.settings(parent).child_config
    slug = ids.slug(name)
    return _started(
        world, f"hopper-{slug}", name, HopperScope.PROJECT, parent.id,
        _filled(template, {"project_name": slug}),
    )  # fmt: skip


def create_run(world: World, project: Instance) -> Instance:
    """Make and start an orchestration run of a project."""
    name = project_name(project.id)
    run = world.new_id()[:6]
    template = world.settings(project).child_config
    key = f"hopper-{name}-run-{run}"
    return _started(
        world, key, key, HopperScope.ORCHESTRATION, project.id,
        _filled(template, {"project_name": name, "run_id": run}),
    )  # fmt: skip


def _filled(
    template: Mapping[str, Any] | None, variables: Mapping[str, str]
) -> dict[str, Any] | None:
    if template is None:
        return None
    from hopper_tui.config.expand import fill

    own = ("scope", "instance_id", "parent")
    return {k: v for k, v in fill(template, variables).items() if k not in own}


def _started(
    world: World,
    key: str,
    name: str,
    scope: HopperScope,
    parent: str,
    config: Mapping[str, Any] | None,
) -> Instance:
    with world.command(f"create {key}"):
        create(world, name, scope, parent, config, None, key=key)
        return move(world, key, "start")


# Lifecycle


def move(
    world: World, key: str, verb: str, reason: str | None = None, now: bool = False
) -> Instance:
    """Take an instance through the steps of a lifecycle verb.

    Stopping or terminating hands unclaimed tasks back to where they came from; with `now` the
    claimed ones too. Raises InvalidTransition.
    """
    instance = world.instance(key)
    steps = instance_steps(instance.name, instance.status, verb)
    store = world.store(key)
    leaves = verb in ("stop", "terminate")
    if verb == "terminate":
        _check_childless(world, instance)
    if leaves and not now:
        _check_idle(world, store, instance, verb)
    with world.command(f"{verb} {key}"):
        if leaves:
            world.announce()
        with world.writing(store) as tx:
            for step in steps:
                instance = tx.change(instance, f"instance.{step}", **_fields(world, step, reason))
            if leaves:
                _hand_back(world, tx, store, instance, now)
        offers = [key] if verb in _GAINS_ROOM else []
        if instance.parent is not None:
            offers.append(instance.parent)
        stores = [store] if leaves else _both(world, store, instance)
        flow.drive(world, stores, offers)
    return world.instance(key)


def _fields(world: World, step: InstanceStatus, reason: str | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"status": step, "reason": reason}
    if step is _S.RUNNING:
        fields["started_at"] = stamp(world.now())
    elif step in (_S.STOPPED, _S.TERMINATED):
        fields["stopped_at"] = stamp(world.now())
    return fields


def _both(world: World, store: Store, instance: Instance) -> list[Store]:
    return [store] if instance.parent is None else [world.store(instance.parent), store]


def _check_childless(world: World, instance: Instance) -> None:
    alive = [c.name for c in world.children(instance.id) if c.status is not _S.TERMINATED]
    if alive:
        raise InvalidTransition(
            f"{instance.name} still has hoppers below it: {', '.join(alive)}",
            "Terminate those first",
        )


def _check_idle(world: World, store: Store, instance: Instance, verb: str) -> None:
    if verb != "terminate":
        return
    held = _tasks(store, instance.id, (_T.CLAIMED, _T.IN_PROGRESS))
    if held:
        holders = ", ".join(sorted({t.owner or "somebody" for t in held}))
        raise InvalidTransition(
            f"{len(held)} tasks of {instance.name} are held by {holders}",
            "Let them finish, or release them at once with --now",
        )


def _tasks(store: Store, instance: str, statuses: tuple[TaskStatus, ...]) -> list[Task]:
    return store.query(Query(instance, (Term("status", statuses),)))


def _hand_back(world: World, tx: Transaction, store: Store, instance: Instance, now: bool) -> None:
    """Give the tasks nobody has claimed back to where they came from.

    A task that came from nowhere else stays in a stopped hopper; from a terminated one it is
    escalated to the parent.
    """
    reason = f"{instance.name} was {instance.status}"
    at = stamp(world.now())
    leaving = [t for t in _tasks(store, instance.id, OPEN) if t.status is not _T.DELEGATED]
    if now:
        for task in [t for t in leaving if t.is_active]:
            tx.change(task, "task.released", status=_T.PENDING, owner=None, lease_expires_at=None)
    held = set() if now else {t.origin or t.id for t in leaving if t.is_active}
    for task in leaving:
        current = store.task(task.id)
        if current is None or not current.is_open or (task.origin or task.id) in held:
            continue
        hop = store.delegation(task.origin) if task.origin else None
        if hop is not None and hop.status is DelegationStatus.ACCEPTED:
            for child in store.children(hop.id):
                if child.is_open:
                    flow.cancel(tx, store, child, f"handed back: {reason}", world)
            tx.change(
                hop, "delegation.cancelled", status=DelegationStatus.CANCELLED, reason=reason,
                completed_at=at,
            )  # fmt: skip
        elif instance.status is _S.TERMINATED and instance.parent is not None:
            flow.offer(world, tx, current, instance.parent, DelegationType.ESCALATE, notes=reason)

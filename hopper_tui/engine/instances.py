"""Instances: made, started, stopped, and what happens to their tasks then."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from hopper_tui.engine import flow, phases
from hopper_tui.engine.backends import stand_ins
from hopper_tui.engine.directory import start_new
from hopper_tui.engine.places import Project, project_name
from hopper_tui.model import ids
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import HopperError, Invalid, InvalidTransition, NotAllowed
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import (
    LEFT,
    OPEN,
    PARENT_SCOPES,
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
    from hopper_tui.model.delegation import Delegation
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
    settings = checked(config or {}, scope)
    above = _parent(world, scope, parent)
    key = key or _composed(ids.slug(name), above)
    if scope is HopperScope.GLOBAL and world.global_id is not None:
        raise NotAllowed(
            f"this home already has a global hopper: {world.global_id}",
            "One home has one global hopper; use another HOPPER_HOME for a second",
        )
    if world.has(key):
        raise _taken(key)
    if above is not None and above.status is _S.TERMINATED:
        raise NotAllowed(f"{above.name} is terminated", "Choose another parent")
    check_depth(world, above)
    fresh = Instance(key, name, scope, above.id if above else None, config=settings)
    made, is_new = _stored(world, fresh, above, path, in_memory, running=False)
    if not is_new:
        raise _taken(key)
    return made


def _stored(
    world: World,
    blank: Instance,
    above: Instance | None,
    path: Path | None = None,
    in_memory: bool = False,
    *,
    running: bool,
) -> tuple[Instance, bool]:
    """A new instance in its store, and whether it is new: another process may have been faster,
    or have died before it registered its project."""
    fresh = blank._replace(created_at=stamp(world.now()))
    world.warnings += [f"{fresh.id}: {sentence}" for sentence in stand_ins(fresh.config)]
    with world.command(f"create {fresh.id}"):
        project = _new_project(world, fresh, path) if fresh.scope is HopperScope.PROJECT else None
        store = _new_store(world, fresh, above, project, in_memory)
        with world.writing(store) as tx:
            known = store.instance(fresh.id)
            made = known or (
                start_new(tx, fresh) if running else tx.create(fresh, "instance.created")
            )
        if project is not None:
            world.places.register(project)
    return made, known is None


def _composed(slug: str, above: Instance | None) -> str:
    """The id of a new instance: a phase's begins with that of its run, where its store is."""
    if above is None or above.scope is not HopperScope.ORCHESTRATION or slug.startswith(above.id):
        return slug
    return f"{above.id}-{slug}"


def _taken(key: str) -> Invalid:
    return Invalid(f"there is already a hopper {key!r}", "Choose another name")


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
    check_parent_scope(scope, above)
    return above


def check_parent_scope(scope: HopperScope, parent: Instance | None) -> None:
    """Raise Invalid unless an instance of `scope` may hang below `parent`."""
    allowed = PARENT_SCOPES[scope]
    if parent is None and allowed:
        hint = "Name one with --parent"
        raise Invalid(f"{_a(scope)} hopper needs a parent", hint)
    if parent is not None and parent.scope not in allowed:
        hint = f"Its parent is {_a(allowed[0])} hopper" if allowed else "It has no parent"
        raise Invalid(f"{_a(scope)} hopper cannot be below {_a(parent.scope)} hopper", hint)


def _a(scope: HopperScope) -> str:
    return f"an {scope}" if scope is HopperScope.ORCHESTRATION else f"a {scope}"


def check_depth(world: World, above: Instance | None) -> None:
    """Raise NotAllowed where no phase may be below `above`: a run may own phases, and no deeper
    than its max_depth (addendum, max_depth: 2)."""
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
    world: World,
    fresh: Instance,
    above: Instance | None,
    project: Project | None,
    in_memory: bool,
) -> Store:
    places = world.places
    if fresh.scope is HopperScope.GLOBAL:
        return places.home_store
    if project is not None:
        return places.store_of(project)
    if above is not None and above.scope is HopperScope.ORCHESTRATION:
        store = world.store(above.id)
        world.place_at(fresh.id, lambda: store)
        return store
    project_above = None if above is None else places.project(above.id)
    run_path = None if project_above is None else places.run_path(project_above, fresh.id)
    if run_path is None or in_memory:
        return places.in_memory(fresh.id)
    return places.run_at(run_path)


def _new_project(world: World, fresh: Instance, path: Path | None) -> Project:
    if path is None:
        return world.places.home_project(fresh.id)
    root = path.absolute()
    name = project_name(fresh.id)
    database = root / ".hopper" / name / "tasks.db"
    return Project(fresh.id, fresh.name, root, database, (str(root),))


def create_project(world: World, name: str) -> Instance:
    """Make and start the project that a task names (addendum, "Automatic Creation")."""
    parent = world.make_global()
    slug = ids.slug(name)
    config = _filled(world, parent, {"project_name": slug}, HopperScope.PROJECT)
    blank = Instance(f"hopper-{slug}", name, HopperScope.PROJECT, parent.id, config=config)
    return _stored(world, blank, parent, running=True)[0]


def create_run(world: World, project: Instance) -> Instance:
    """Make and start an orchestration run of a project."""
    name = project_name(project.id)
    run = world.new_id()[:6]
    key = f"{_runs_of(project)}{run}"
    variables = {"project_name": name, "run_id": run}
    config = _filled(world, project, variables, HopperScope.ORCHESTRATION)
    blank = Instance(key, key, HopperScope.ORCHESTRATION, project.id, config=config)
    return _stored(world, blank, project, running=True)[0]


def _runs_of(project: Instance) -> str:
    """How the ids of the runs begin that a project makes itself."""
    return f"hopper-{project_name(project.id)}-run-"


def made_by_itself(project: Instance, run: str) -> bool:
    """Whether a project made that run by itself, not somebody by hand."""
    return run.startswith(_runs_of(project))


def open_phase(world: World, tx: Transaction, store: Store, run: Instance, name: str) -> Instance:
    """The phase of a run with that name, made and started in this transaction if there is none.

    Its id is that of the run and its number.
    """
    known_phases = phases.of(store, run.id)
    for known in known_phases:
        if known.name.casefold() == name.casefold() and known.status not in LEFT:
            return known
    taken = {known.id for known in store.instances()}
    number = next(n for n in count(len(known_phases) + 1) if f"{run.id}-phase-{n}" not in taken)
    fresh = Instance(
        f"{run.id}-phase-{number}", name, HopperScope.ORCHESTRATION, run.id,
        created_at=stamp(world.now()),
    )  # fmt: skip
    return start_new(tx, fresh)


def _filled(
    world: World, above: Instance, variables: Mapping[str, str], scope: HopperScope
) -> dict[str, Any]:
    """The configuration of a child that is made automatically, by the template of its parent."""
    template = world.settings(above).child_config
    if not template:
        return {}
    from hopper_tui.config.expand import fill

    own = ("scope", "instance_id", "parent")
    return checked({k: v for k, v in fill(template, variables).items() if k not in own}, scope)


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
        _check_leavable(store, instance, now)
    with world.command(f"{verb} {key}"):
        if leaves:
            world.announce()
        with world.writing(store) as tx:
            for step in steps:
                instance = tx.change(instance, f"instance.{step}", **_fields(world, step, reason))
            if leaves and now:
                _release_held(tx, store, instance)
            if leaves:
                hand_back(world, tx, store, instance)
        offers = [key] if verb in _GAINS_ROOM else []
        if instance.parent is not None:
            offers.append(instance.parent)
        stores = [store] if leaves else _both(world, store, instance)
        flow.drive(world, stores, offers, most=None)
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


def _check_leavable(store: Store, instance: Instance, now: bool) -> None:
    """Nothing may be left at a terminated hopper: no claimed task, and without a parent none."""
    held = [] if now else _tasks(store, instance.id, (_T.CLAIMED, _T.IN_PROGRESS))
    if held:
        holders = ", ".join(sorted({t.owner or "somebody" for t in held}))
        raise InvalidTransition(
            f"{len(held)} tasks of {instance.name} are held by {holders}",
            f"Let them finish: hopper list --instance {instance.id}; --now releases them at once",
        )
    left = _tasks(store, instance.id, OPEN) if instance.parent is None else []
    if left:
        raise InvalidTransition(
            f"{instance.name} has {len(left)} open tasks and no parent to give them to",
            f"Finish or cancel them first: hopper list --instance {instance.id}",
        )


def _tasks(store: Store, instance: str, statuses: tuple[TaskStatus, ...]) -> list[Task]:
    return store.query(Query(instance, (Term("status", statuses),)))


def _release_held(tx: Transaction, store: Store, instance: Instance) -> None:
    for task in _tasks(store, instance.id, (_T.CLAIMED, _T.IN_PROGRESS)):
        tx.change(task, "task.released", status=_T.PENDING, owner=None)


_RETURNABLE = (DelegationStatus.ACCEPTED, DelegationStatus.FAILED)


def _takes_back(world: World, hop: Delegation) -> bool:
    """Whether a task can return by the hop it came by: not down to a hopper that has ended."""
    if hop.type is not DelegationType.ESCALATE:
        return True
    try:
        return world.instance(hop.source).status is not _S.TERMINATED
    except HopperError:
        return True  # it is away, and takes its task back when it is here again


def hand_back(world: World, tx: Transaction, store: Store, instance: Instance) -> None:
    """Give the tasks that nobody has claimed back to where they came from.

    A task that came from nowhere else stays in a stopped hopper; from a terminated one it is
    escalated to the parent.
    """
    reason = f"{instance.name} was {instance.status}"
    at = stamp(world.now())
    leaving = [t for t in _tasks(store, instance.id, OPEN) if t.status is not _T.DELEGATED]
    held = {t.origin or t.id for t in leaving if t.is_active}
    for task in leaving:
        current = store.task(task.id)
        if current is None or not current.is_open or (task.origin or task.id) in held:
            continue
        hop = store.delegation(task.origin) if task.origin else None
        returns = hop is not None and hop.status in _RETURNABLE and _takes_back(world, hop)
        if hop is not None and returns:
            for child in store.children(hop.id):
                if child.is_open:
                    flow.cancel(tx, store, child, f"handed back: {reason}", world)
            if hop.is_open:
                flow.cancel_hop(tx, hop, reason, at)
        elif instance.status is _S.TERMINATED and instance.parent is not None:
            flow.offer(world, tx, current, instance.parent, DelegationType.ESCALATE, notes=reason)

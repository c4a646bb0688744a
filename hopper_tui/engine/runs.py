"""Runs and other children: opened, made, registered, removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hopper_tui.engine import instances, measuring, routes
from hopper_tui.engine.configuring import GLOBAL_ID
from hopper_tui.engine.world import World
from hopper_tui.model import ids
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import Invalid, NotAllowed, NotFound
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import HopperScope, InstanceStatus

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.model.delegation import Decision
    from hopper_tui.model.task import Task

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
    if world.has(key):
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
    instances.check_parent_scope(own.scope, above)
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
    members = measuring.family(store, instance)
    whole = instance.scope is HopperScope.ORCHESTRATION and len(members) == len(store.instances())
    if instance.scope is HopperScope.PROJECT:
        places.unregister(instance.id)
    if whole and store.path is not None:
        store.delete()
    elif whole:
        places.forget_memory(instance.id)
    else:
        with world.command("remove"), world.writing(store) as tx:
            for member in reversed(members):
                tx.remove_instance(member.id, "instance.removed")
    for member in members:
        world.forget(member.id)


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

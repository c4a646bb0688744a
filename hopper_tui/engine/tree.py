"""The tree of instances, as shown to people and scripts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hopper_tui.engine.configuring import GLOBAL_ID
from hopper_tui.model.errors import HopperError
from hopper_tui.model.instance import Instance, Load
from hopper_tui.model.lifecycle import HopperScope, InstanceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hopper_tui.engine.places import Project
    from hopper_tui.engine.world import World


@dataclass(frozen=True, slots=True)
class Node:
    """An instance with its load and children.

    `path` is the directory of a project; `error` says why its store cannot be read, and
    `instance` then holds what is known from outside. `read_only` says that its store cannot be
    written.
    """

    instance: Instance
    load: Load
    children: tuple[Node, ...] = ()
    path: str | None = None
    error: HopperError | None = None
    read_only: bool = False

    def json(self, nested: bool = False) -> dict[str, Any]:
        """The instance as scripts see it; `nested` gives the children as objects, not ids."""
        one = self.instance
        return {
            "instance_id": one.id,
            "name": one.name,
            "scope": one.scope,
            "parent": one.parent,
            "status": one.status,
            "config": dict(one.config),
            "tasks": self.load.open,
            "active": self.load.active,
            "capacity": self.load.capacity,
            "queued": self.load.queued,
            "children": [
                child.json(nested=True) if nested else child.instance.id for child in self.children
            ],
            "path": self.path,
            "created_at": one.created_at or None,
            "started_at": one.started_at,
            "stopped_at": one.stopped_at,
            "error": None if self.error is None else self.error.message,
        }


def roots(world: World) -> list[Node]:
    """The roots of the tree, children nested: the global hopper, and what has no known parent."""
    flat = list(_flat(world))
    known = {node.instance.id for node in flat}
    below: dict[str, list[Node]] = {}
    for node in flat:
        if node.instance.parent in known:
            below.setdefault(str(node.instance.parent), []).append(node)

    def grown(node: Node) -> Node:
        return replace(node, children=tuple(grown(n) for n in below.get(node.instance.id, ())))

    return [grown(node) for node in flat if node.instance.parent not in known]


def nodes(
    world: World,
    scope: HopperScope | str | None,
    status: InstanceStatus | str | None,
    parent: str | None,
) -> list[Node]:
    """Every instance known, parents before children, narrowed by the filters given."""
    wanted_scope = None if scope is None else HopperScope.read(str(scope))
    wanted_status = None if status is None else InstanceStatus.read(str(status))
    wanted_parent = None if parent is None else world.find_instance(parent)
    return [
        node
        for root in roots(world)
        for node in _walk(root)
        if wanted_scope in (None, node.instance.scope)
        and wanted_status in (None, node.instance.status)
        and wanted_parent in (None, node.instance.parent)
    ]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _flat(world: World) -> Iterator[Node]:
    places = world.places
    projects = places.projects()
    try:
        for instance in places.home_store.instances():
            if instance.scope is HopperScope.GLOBAL:
                yield _node(world, instance)
    except HopperError as error:
        key = world.global_id or GLOBAL_ID
        yield _broken(key, key, HopperScope.GLOBAL, None, None, error)
    for project in projects.values():
        yield from _project(world, project)
    for name in places.memory_instances():
        if places.project(name) is None:
            for instance in places.in_memory(name).instances():
                yield _node(world, instance)


def _project(world: World, project: Project) -> Iterator[Node]:
    path = None if project.root is None else str(project.root)
    try:
        yield replace(_node(world, world.instance(project.id)), path=path)
    except HopperError as error:
        yield _broken(project.id, project.name, HopperScope.PROJECT, world.global_id, path, error)
        return
    for run in world.places.runs(project):
        try:
            run_path = world.places.run_path(project, run)
            assert run_path is not None
            for instance in world.places.run_at(run_path).instances():
                yield _node(world, instance)
        except HopperError as error:
            yield _broken(run, run, HopperScope.ORCHESTRATION, project.id, None, error)


def _node(world: World, instance: Instance) -> Node:
    load = world.load(instance)
    return Node(instance, load, read_only=world.store(instance.id).is_read_only)


def _broken(
    key: str,
    name: str,
    scope: HopperScope,
    parent: str | None,
    path: str | None,
    error: HopperError,
) -> Node:
    unknown = Instance(key, name, scope, parent, InstanceStatus.ERROR, reason=error.message)
    return Node(unknown, Load(), path=path, error=error)

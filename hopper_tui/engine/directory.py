"""Directory: where each hopper of a world is kept, and who is below whom."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hopper_tui.engine.configuring import GLOBAL_ID, check_identity
from hopper_tui.engine.places import gone
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import HopperError, NotFound, StorageError
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import HopperScope, InstanceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hopper_tui.engine.places import Project
    from hopper_tui.engine.world import World
    from hopper_tui.store.protocol import Store, Transaction


class Directory:
    """The hoppers of a world by their ids; no store is opened before it is asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._places = world.places
        self._where: dict[str, Callable[[], Store]] = {}
        self._global: str | None = None

    @property
    def global_id(self) -> str | None:
        """The id of this home's global hopper, None while there is none."""
        if self._global is None:
            try:
                known = self._places.home_store.instances()
            except HopperError:
                if not self._places.projects():
                    raise
                return None  # a project works without its home
            for instance in known:
                if instance.scope is HopperScope.GLOBAL:
                    self._global = instance.id
        return self._global

    def store(self, instance: str) -> Store:
        """The store that keeps an instance; raises NotFound, or StorageError when it is gone."""
        known = self._where.get(instance)
        if known is None:
            known = self._locate(instance)
            if known is None:
                raise gone("hopper", instance)
            self._where[instance] = known
        return known()

    def has(self, key: str) -> bool:
        """Whether there is a hopper with that full id."""
        return self._locate(key) is not None

    def _locate(self, key: str) -> Callable[[], Store] | None:
        places = self._places
        if key in places.memory_instances():
            return lambda: places.in_memory(key)
        known = places.project(key)
        if known is not None:
            return lambda: places.store_of(known)
        if key == self.global_id or (key == GLOBAL_ID and self._home_is_broken):
            return lambda: places.home_store
        for project in self._nearest_projects():
            for run in places.runs(project):
                path = places.run_path(project, run)
                assert path is not None
                if run == key or (key.startswith(f"{run}-") and places.run_at(path).instance(key)):
                    return partial(places.run_at, path)
        for name in places.memory_instances():
            if places.in_memory(name).instance(key):
                return partial(places.in_memory, name)
        return None

    @property
    def _home_is_broken(self) -> bool:
        try:
            self._places.home_store.instances()
        except HopperError:
            return True
        return False

    def _nearest_projects(self) -> list[Project]:
        around = self._places.around
        projects = list(self._places.projects().values())
        return sorted(projects, key=lambda p: around is None or p.id != around.id)

    def place_at(self, instance: str, where: Callable[[], Store]) -> None:
        """Remember where a new instance's store is."""
        self._where[instance] = where

    def forget(self, instance: str) -> None:
        """Forget where an instance was."""
        self._where.pop(instance, None)
        if self._global == instance:
            self._global = None

    def instance(self, key: str) -> Instance:
        """The instance with that full id; raises NotFound."""
        found = self.store(key).instance(key)
        if found is None:
            project = self._places.project(key)
            if project is None:
                raise gone("hopper", key)
            found = self._revive(project)
        if found.scope is HopperScope.PROJECT:  # a project hangs below whatever global is here
            found = found._replace(parent=self.global_id)
        return found

    def _revive(self, project: Project) -> Instance:
        """The instance of a project known by its directory only, as in a fresh clone."""
        if project.root is None and self._world.home is not None:
            self._world.warnings.append(
                f"the database of {project.name} was missing or empty: {project.database}. What"
                " was delegated there is made again by: hopper doctor"
            )
        at = stamp(self._world.now())
        fresh = Instance(project.id, project.name, HopperScope.PROJECT, created_at=at)
        if project.root is not None:
            check_identity(self._world, self._places.file_config(project.root), fresh)
        try:
            with self._world.command("init"), self._world.writing(self.store(project.id)) as tx:
                known = self.store(project.id).instance(project.id)
                return known or start_new(tx, fresh)
        except StorageError as error:  # it can be looked at all the same
            self._world.warnings.append(error.message)
            return fresh._replace(status=InstanceStatus.RUNNING, started_at=at)

    def children(self, key: str) -> list[Instance]:
        """The instances whose parent that is, as far as they can be read."""
        found: list[Instance] = []
        if key == self.global_id:
            for project in self._places.projects().values():
                with_errors = self._readable(project.id)
                found += [with_errors] if with_errors else []
            return found + [i for i in self._memory_children(key) if i not in found]
        known = self._places.project(key)
        if known is not None:
            for run in self._places.runs(known):
                instance = self._readable(run)
                if instance is not None and instance.parent == key:
                    found.append(instance)
        elif self.store(key).path is not None:
            found += [i for i in self.store(key).instances() if i.parent == key]
        return found + [i for i in self._memory_children(key) if i not in found]

    def _memory_children(self, key: str) -> list[Instance]:
        return [
            instance
            for name in self._places.memory_instances()
            for instance in self._places.in_memory(name).instances()
            if instance.parent == key
        ]

    def _readable(self, key: str) -> Instance | None:
        try:
            return self.instance(key)
        except NotFound:  # the database of a run whose maker died before it was recorded
            return None
        except HopperError as error:
            if not self._world.warnings or self._world.warnings[-1] != error.message:
                self._world.warnings.append(error.message)
            return None

    def make_global(self, key: str = GLOBAL_ID, name: str | None = None) -> Instance:
        """The global hopper of this home, made and started if there is none."""
        if self.global_id is not None:
            return self.instance(self.global_id)
        at = stamp(self._world.now())
        fresh = Instance(key, name or key, HopperScope.GLOBAL, created_at=at)
        home = self._places.home_store
        with self._world.command("create the global hopper"), self._world.writing(home) as tx:
            others = [i for i in home.instances() if i.scope is HopperScope.GLOBAL]
            return others[0] if others else start_new(tx, fresh)


def start_new(tx: Transaction, fresh: Instance) -> Instance:
    """Record a new instance and start it, both steps in the history."""
    made = tx.create(fresh, "instance.created")
    made = tx.change(made, "instance.starting", status=InstanceStatus.STARTING)
    running = InstanceStatus.RUNNING
    return tx.change(made, "instance.running", status=running, started_at=fresh.created_at)

"""World: every hopper a home and a working directory know of, and the way to any of their tasks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine.intent import Intents
from hopper_tui.engine.places import Places, Project, gone, project_name
from hopper_tui.model import ids
from hopper_tui.model.clock import Clock, stamp, system_clock
from hopper_tui.model.errors import (
    ConfigError,
    HopperError,
    Invalid,
    NotAllowed,
    NotFound,
    StorageError,
)
from hopper_tui.model.instance import Instance, Load
from hopper_tui.model.lifecycle import (
    ACTIVE,
    CLOSED,
    PARENT_SCOPES,
    HopperScope,
    InstanceStatus,
    TaskStatus,
)

if TYPE_CHECKING:
    from hopper_tui.engine.doctor import Finding
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.noticing import Notices
    from hopper_tui.engine.projects import InitReport
    from hopper_tui.engine.tree import Node
    from hopper_tui.engine.undo import Undone
    from hopper_tui.engine.upkeep import Swept
    from hopper_tui.model.delegation import Decision, Delegation
    from hopper_tui.model.event import Event
    from hopper_tui.model.settings import Settings
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store, Transaction

GLOBAL_ID = "hopper-global"
"""The id of a global hopper that is made automatically (addendum, `Hopper.global_instance`)."""
IN_TURN = 16
"""At so many stores that are not kept open is looked at a time."""
_SEEN = "journal:"
"""Under this local name of the home stands which journal files of a project were seen last."""


class Command(NamedTuple):
    """What one user command records under: its events share the group, the unit of undo."""

    group: str
    summary: str


class Commanding:
    """The block of one command, or a part of the one that runs already."""

    __slots__ = ("_is_outermost", "_summary", "_world")

    def __init__(self, world: World, summary: str) -> None:
        self._world = world
        self._summary = summary

    def __enter__(self) -> Command:
        command, self._is_outermost = self._world._begin(self._summary)
        return command

    def __exit__(self, *_: object) -> None:
        self._world._end(is_outermost=self._is_outermost)


# What a world does is loaded when it is first done: the terminal UI paints its frame before that,
# and a one-shot command does few of these things.


class World:
    """All hoppers known to one home directory, as seen from one working directory.

    `home` None keeps everything in memory. `start` is where to look for a project's `.hopper/`.
    `actor` is who acts; `via` names the door (`cli`, `tui`, `python`). A world is safe to share
    between threads: one command runs at a time. Each sets the `waiters` when it is through.
    """

    def __init__(
        self,
        home: Path | None,
        start: Path | None = None,
        *,
        actor: str = "me",
        clock: Clock = system_clock,
        entropy: ids.Entropy = ids.system_entropy,
        via: str = "python",
    ) -> None:
        self.home = home
        self.actor = actor
        self.via = via
        self.now = clock
        self.entropy = entropy
        self.places = Places(home, start, entropy)
        self.warnings: list[str] = []
        self.waiters: set[threading.Event] = set()
        self.memory_filters: Mapping[str, str] = {}
        self._intents = Intents(None if home is None else home / "pending")
        self._lock = threading.RLock()
        self._command: Command | None = None
        self._where: dict[str, Callable[[], Store]] = {}
        self.last_found: dict[str, Store] = {}
        self._global: str | None = None
        self._settings: dict[str, tuple[Instance, Instance | None, Settings]] = {}
        self._notices: Notices | None = None
        self._changes = 0
        self._turn = 0
        self._settled_down = False
        self._absorbed = False

    @classmethod
    def from_environment(
        cls,
        home: Path | None = None,
        start: Path | None = None,
        actor: str | None = None,
        via: str = "cli",
    ) -> World:
        """The world of the environment: HOPPER_HOME or ~/.hopper, the working directory, and
        HOPPER_ACTOR or the login name; each may be given instead."""
        environ = os.environ
        if home is None:
            home = Path(environ.get("HOPPER_HOME") or os.path.expanduser("~/.hopper"))
        name = actor or environ.get("HOPPER_ACTOR") or _login_name()
        return cls(home.absolute(), start or Path.cwd(), actor=name, via=via)

    @classmethod
    def memory(cls, actor: str = "me") -> World:
        """A world that leaves nothing on disk."""
        return cls(None, actor=actor)

    def apart(self) -> World:
        """The same home as another World, for reading that takes long and shall hold up nobody;
        this one itself where everything is in memory."""
        if self.home is None:
            return self
        start = self.places.start
        return World(self.home, start, actor=self.actor, clock=self.now, via=self.via)

    def close(self) -> None:
        """Close every store."""
        self.places.close()

    # Commands

    def command(self, summary: str) -> Commanding:
        """Everything inside is one command: one group of events, one step of undo."""
        return Commanding(self, summary)

    def _begin(self, summary: str) -> tuple[Command, bool]:
        """The command that runs, and whether it is a new one; the lock is held until `_end`."""
        self._lock.acquire()
        if self._command is not None:
            return self._command, False
        try:
            self._settle_down()
            self._command = Command(self._new_group(), summary)
        except BaseException:
            self._lock.release()
            raise
        return self._command, True

    def _end(self, *, is_outermost: bool) -> None:
        try:
            if is_outermost:
                self._command = None
                for waiter in tuple(self.waiters):
                    waiter.set()
                self._intents.end()
        finally:
            self._lock.release()

    def _new_group(self) -> str:
        return f"{int(self.now() * 1000):011x}-{self.entropy(5).hex()}"

    def writing(self, store: Store) -> AbstractContextManager[Transaction]:
        """A transaction on a store, recorded under the present command."""
        assert self._command is not None, "writing outside a command"
        return store.transaction(self._command.group, self.actor, stamp(self.now()))

    @contextmanager
    def grouped(self, group: str) -> Iterator[None]:
        """Record under another group for a while: a command that finishes an earlier one."""
        before, self._command = self._command, Command(group, "")
        try:
            yield
        finally:
            self._command = before

    def announce(self) -> None:
        """The present command is about to touch a second store: see `intent`."""
        assert self._command is not None
        self._intents.begin(self._command.group)

    def new_id(self) -> str:
        """A fresh random id."""
        return ids.new_key(self.entropy)

    def _settle_down(self) -> None:
        """Before the first use: finish what a dead command left, register the project around."""
        if self._settled_down:
            return
        self._settled_down = True
        with self._lock:
            self._enrol()
            try:
                with self._intents.abandoned() as dead:
                    if dead:
                        self._finish(dead)
            except HopperError as error:  # the next command tries again
                self.warnings.append(f"an earlier command is not finished: {error.message}")
            if self.places.around is not None:
                self._absorb(self.places.around)

    def _absorb(self, project: Project) -> None:
        """Take in what git brought to a project, and let it take its way through the hoppers."""
        try:
            store = self.places.store_of(project)
            if store.travels:
                self._settle_absorbed(store)
        except HopperError as error:
            if error.message not in self.warnings:
                self.warnings.append(error.message)

    def _settle_absorbed(self, store: Store) -> None:
        found = store.absorb()
        self.warnings += found.notices
        if found.changed or store.unsettled():
            from hopper_tui.engine import flow

            with self.command("absorb"):
                flow.drive(self, [store])
        if store.conflicts("claim"):  # who lost one may come when others have seen it
            from hopper_tui.engine import conflicts

            conflicts.contested(self, store)
        if found.changed:
            from hopper_tui.engine import recovering
            from hopper_tui.store.journaled import JournaledStore

            if isinstance(store, JournaledStore):
                recovering.warn_of_loss(self, store)

    def _absorb_projects(self) -> None:
        """Take in what git brought to any project, for who looks from above: once, and only where
        the names of the journal's files are others than they were."""
        if self._absorbed:
            return
        self._absorbed = True
        home = self.places.home_store
        seen = home.locals(_SEEN)
        for project in self.places.projects().values():
            if project.root is None or not project.root.is_dir():
                continue
            mark = self.places.journal_mark(project)
            if seen.get(_SEEN + project.id) != mark:
                self._absorb(project)
                with suppress(HopperError):
                    home.set_local(_SEEN + project.id, mark)

    def _finish(self, commands: Sequence[str]) -> None:
        """Do what dead commands left undone."""
        from hopper_tui.engine import ending, flow, undo

        for command in commands:
            undo.finish(self, command)
        with self.command("reconcile"):
            flow.reconcile(self)
            ending.finish(self)

    def _enrol(self) -> None:
        project = self.places.around
        if project is None:
            return
        try:
            self.places.register(project)
        except HopperError as error:  # the project works without its home
            self.warnings.append(f"not registered: {error.message}")

    # Instances and their stores

    @property
    def here(self) -> str | None:
        """The id of the project whose directory we are in."""
        self._settle_down()
        return self.places.around.id if self.places.around else None

    @property
    def global_id(self) -> str | None:
        """The id of this home's global hopper, None while there is none."""
        if self._global is None:
            try:
                known = self.places.home_store.instances()
            except HopperError:
                if not self.places.projects():
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

    def _locate(self, key: str) -> Callable[[], Store] | None:
        places = self.places
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
            self.places.home_store.instances()
        except HopperError:
            return True
        return False

    def _nearest_projects(self) -> list[Project]:
        around = self.places.around
        projects = list(self.places.projects().values())
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
            project = self.places.project(key)
            if project is None:
                raise gone("hopper", key)
            found = self._revive(project)
        if found.scope is HopperScope.PROJECT:  # a project hangs below whatever global is here
            found = found._replace(parent=self.global_id)
        return found

    def _revive(self, project: Project) -> Instance:
        """The instance of a project known by its directory only, as in a fresh clone."""
        if project.root is None and self.home is not None:
            self.warnings.append(
                f"the database of {project.name} was missing or empty: {project.database}. What"
                " was delegated there is made again by: hopper doctor"
            )
        at = stamp(self.now())
        fresh = Instance(project.id, project.name, HopperScope.PROJECT, created_at=at)
        if project.root is not None:
            self._check_identity(self.places.file_config(project.root), fresh)
        try:
            with self.command("init"), self.writing(self.store(project.id)) as tx:
                known = self.store(project.id).instance(project.id)
                return known or self.start_new(tx, fresh)
        except StorageError as error:  # it can be looked at all the same
            self.warnings.append(error.message)
            return fresh._replace(status=InstanceStatus.RUNNING, started_at=at)

    def _check_identity(self, filed: Mapping[str, Any], instance: Instance) -> None:
        """Raise ConfigError when a configuration file is about another hopper than it is for."""
        scope, parent = filed.get("scope"), filed.get("parent")
        if scope not in (None, instance.scope):
            raise ConfigError(
                f"the configuration of {instance.name} says scope: {scope}",
                f"Write scope: {instance.scope}",
            )
        if parent not in (None, GLOBAL_ID, self.global_id):
            raise ConfigError(
                f"the parent {parent!r} of {instance.name} is not known here",
                f"The global hopper is {self.global_id or GLOBAL_ID}",
            )

    def start_new(self, tx: Transaction, fresh: Instance) -> Instance:
        """Record a new instance and start it, both steps in the history."""
        made = tx.create(fresh, "instance.created")
        made = tx.change(made, "instance.starting", status=InstanceStatus.STARTING)
        return tx.change(
            made,
            "instance.running",
            status=InstanceStatus.RUNNING,
            started_at=stamp(self.now()),
        )

    def settings(self, instance: Instance) -> Settings:
        """What an instance's configuration file and its own settings together mean."""
        if instance.scope is not HopperScope.ORCHESTRATION:
            return self._read_settings(instance)
        known = self._settings.get(instance.id)
        run = known[1] if known is not None else None
        if known is None or known[0] is not instance or (run and run is not self._run_of(instance)):
            made = self._read_settings(instance)
            known = self._settings[instance.id] = (instance, self._run_of(instance), made)
        return known[2]

    def _read_settings(self, instance: Instance) -> Settings:
        from hopper_tui.model.settings import Settings

        return Settings.of(instance.scope, self.full_config(instance))

    def _run_of(self, phase: Instance) -> Instance | None:
        """The run that an orchestration is a phase of, which is in the same store."""
        return self.store(phase.id).instance(phase.parent) if phase.parent else None

    def full_config(self, instance: Instance) -> dict[str, Any]:
        """The configuration file of an instance, or that of the run of a phase, overlaid by what
        was set on the instance."""
        filed: Mapping[str, Any] = {}
        if instance.scope is HopperScope.GLOBAL:
            filed = self.places.home_config()
        elif instance.scope is HopperScope.PROJECT:
            project = self.places.project(instance.id)
            if project is not None and project.root is not None:
                filed = self.places.file_config(project.root)
        elif (run := self._run_of(instance)) is not None:
            filed = run.config
        self._check_identity(filed, instance)
        return overlay(filed, instance.config)

    def load(self, instance: Instance, settings: Settings | None = None) -> Load:
        """How much an instance holds now."""
        counts = self.store(instance.id).counts(instance.id)
        return load_of(counts, settings or self.settings(instance))

    def children(self, key: str) -> list[Instance]:
        """The instances whose parent that is, as far as they can be read."""
        found: list[Instance] = []
        if key == self.global_id:
            for project in self.places.projects().values():
                with_errors = self._readable(project.id)
                found += [with_errors] if with_errors else []
            return found + [i for i in self._memory_children(key) if i not in found]
        known = self.places.project(key)
        if known is not None:
            for run in self.places.runs(known):
                instance = self._readable(run)
                if instance is not None and instance.parent == key:
                    found.append(instance)
        elif self.store(key).path is not None:
            found += [i for i in self.store(key).instances() if i.parent == key]
        return found + [i for i in self._memory_children(key) if i not in found]

    def _memory_children(self, key: str) -> list[Instance]:
        return [
            instance
            for name in self.places.memory_instances()
            for instance in self.places.in_memory(name).instances()
            if instance.parent == key
        ]

    def _readable(self, key: str) -> Instance | None:
        try:
            return self.instance(key)
        except NotFound:  # the database of a run whose maker died before it was recorded
            return None
        except HopperError as error:
            if not self.warnings or self.warnings[-1] != error.message:
                self.warnings.append(error.message)
            return None

    def name(self, key: str) -> str:
        """The display name of an instance; its id when it cannot be read."""
        try:
            return self.instance(key).name
        except HopperError:
            return key

    def find_instance(self, ref: str) -> str:
        """The id that a reference means: an id, a name or a unique prefix; see `finding`."""
        from hopper_tui.engine import finding

        self._settle_down()
        return finding.find_instance(self, ref)

    def hopper(self, ref: str | None = None) -> Hopper:
        """The hopper that a reference means.

        None is the project whose directory we are in, else the global hopper, which is made by
        its first use. Raises NotFound, AmbiguousId.
        """
        from hopper_tui.engine.hopper import Hopper

        self._settle_down()
        if ref is None:
            self.places.check_not_left_out()
            key = self.here or self.global_id or self.make_global().id
        else:
            key = self.find_instance(ref)
        if key == self.global_id:
            self._absorb_projects()
        return Hopper.open(self, key)

    def make_global(self, key: str = GLOBAL_ID, name: str | None = None) -> Instance:
        """The global hopper of this home, made and started if there is none."""
        if self.global_id is not None:
            return self.instance(self.global_id)
        at = stamp(self.now())
        fresh = Instance(key, name or key, HopperScope.GLOBAL, created_at=at)
        home = self.places.home_store
        with self.command("create the global hopper"), self.writing(home) as tx:
            others = [i for i in home.instances() if i.scope is HopperScope.GLOBAL]
            return others[0] if others else self.start_new(tx, fresh)

    def create_instance(
        self,
        name: str,
        scope: HopperScope | str,
        parent: str | None = None,
        config: Mapping[str, Any] | None = None,
        path: Path | None = None,
    ) -> Hopper:
        """Make a hopper; its id is the slug of the name.

        Without a parent a project hangs below the global hopper. Raises Invalid for a parent of
        the wrong scope or a taken id, NotAllowed for a second global, ConfigError.
        """
        from hopper_tui.engine import instances
        from hopper_tui.engine.hopper import Hopper

        made = instances.create(self, name, HopperScope.read(str(scope)), parent, config, path)
        return Hopper.open(self, made.id)

    def check_parent_scope(self, scope: HopperScope, parent: Instance | None) -> None:
        """Raise Invalid unless an instance of `scope` may hang below `parent`."""
        allowed = PARENT_SCOPES[scope]
        if parent is None and allowed:
            hint = "Name one with --parent"
            raise Invalid(f"{_a(scope)} hopper needs a parent", hint)
        if parent is not None and parent.scope not in allowed:
            hint = f"Its parent is {_a(allowed[0])} hopper" if allowed else "It has no parent"
            raise Invalid(f"{_a(scope)} hopper cannot be below {_a(parent.scope)} hopper", hint)

    def init_project(self, path: Path, name: str | None = None) -> InitReport:
        """Make the `.hopper/` directory of a project and register it; see `projects.init`."""
        from hopper_tui.engine import projects

        return projects.init(self, path, name)

    def move_instance(
        self, ref: str, verb: str, reason: str | None = None, now: bool = False
    ) -> Instance:
        """Start, stop, pause, resume, fail or terminate an instance; see `instances.move`."""
        from hopper_tui.engine import instances

        return instances.move(self, self.find_instance(ref), verb, reason, now)

    def archived(self, ref: str) -> dict[str, Any] | None:
        """The summary of a run that ended, kept by whichever hopper it was below."""
        for store in self.stores():
            for event in store.events(key=ref, kind="run.archived", newest=True, limit=1):
                if isinstance(event.note, dict):
                    return event.note
        return None

    def archive(self, ref: str, keep: bool = False) -> dict[str, Any]:
        """Keep a run's summary on its parent and remove the run, unless its data is to be kept
        too; returns the summary."""
        return self.hopper(ref).archive_and_delete(keep=keep)

    def nodes(
        self,
        scope: HopperScope | str | None = None,
        status: InstanceStatus | str | None = None,
        parent: str | None = None,
    ) -> list[Node]:
        """Every instance known, parents before children, narrowed by the filters given."""
        from hopper_tui.engine import tree

        self._settle_down()
        return tree.nodes(self, scope, status, parent)

    def tree(self) -> list[Node]:
        """The roots of the instance tree, children nested."""
        from hopper_tui.engine import tree

        self._settle_down()
        return tree.roots(self)

    # Tasks and hops, wherever they are

    def stores(self) -> Iterator[Store]:
        """Every store that can be opened, the nearest first; broken ones leave a warning."""
        from hopper_tui.engine import finding

        seen: set[int] = set()
        for store in finding.stores(self):
            if id(store) not in seen:
                seen.add(id(store))
                yield store

    def find_task(self, ref: str) -> tuple[Hopper, Task]:
        """The task with that id or prefix and the hopper that holds it; see `finding`."""
        from hopper_tui.engine import finding
        from hopper_tui.engine.hopper import Hopper

        self._settle_down()
        task = finding.find_task(self, ref)
        return Hopper.open(self, task.instance), task

    def find_delegation(self, ref: str) -> tuple[Hopper, Delegation]:
        """The hop with that id or prefix, and its target if it arrived there, else its source."""
        from hopper_tui.engine import finding
        from hopper_tui.engine.hopper import Hopper

        self._settle_down()
        instance, hop = finding.find_delegation(self, ref)
        return Hopper.open(self, instance), hop

    def short_id(self, task: Task) -> str:
        """The id people type: the project's prefix and the shortest unambiguous part."""
        return self.short_ids([task])[task.id]

    def short_ids(self, tasks: Sequence[Task]) -> dict[str, str]:
        """The short ids of many tasks at once, by id."""
        from hopper_tui.engine import finding

        return finding.short_ids(self, tasks)

    def chain(self, task: str) -> list[Delegation]:
        """All hops of the root of a task, rejected ones included, in order."""
        from hopper_tui.engine import chains

        return chains.chain(self, task)

    def delegations(
        self, status: str | None = None, instance: str | None = None
    ) -> list[Delegation]:
        """Every hop known, oldest first, narrowed by status and by an instance it touches."""
        from hopper_tui.engine import chains

        return chains.delegations(self, status, instance)

    def why(self, task: str) -> list[Decision]:
        """The routing decisions along the chain of a task, oldest first."""
        from hopper_tui.engine import chains

        return chains.decisions(self, task)

    def notes(self, task: str) -> list[Event]:
        """The notes taken anywhere along the chain of a task, oldest first."""
        from hopper_tui.engine import chains

        return chains.notes(self, task)

    def diagnose(self, task: str) -> list[str]:
        """Why a task waits and what blocks its completion, in sentences."""
        from hopper_tui.engine import chains

        return chains.diagnose(self, task)

    def log(self, ref: str | None = None, limit: int = 50) -> list[Event]:
        """Events, newest first: of a task, of an instance, or of the hopper we are at."""
        from hopper_tui.engine import finding

        return finding.log(self, ref, limit)

    def replicas(self) -> set[str]:
        """The ids of the clones whose stores are in use here."""
        return {store.replica for store in self.places.opened() if store.replica}

    def search(self, text: str, limit: int = 50) -> list[Task]:
        """Tasks, closed ones too, that contain a text, over all stores."""
        from hopper_tui.engine import finding

        return finding.search(self, text, limit)

    # The whole

    def undo(self, ref: str | None = None, only: str | None = None) -> Undone:
        """Take the last command back; see `undo`."""
        from hopper_tui.engine import undo

        return undo.undo(self, ref, only)

    def redo(self, ref: str | None = None) -> Undone:
        """Take the last undo back; see `undo`."""
        from hopper_tui.engine import undo

        return undo.redo(self, ref)

    def reconcile(self) -> int:
        """Repeat whatever is missing between stores; returns how many hops were moved on."""
        from hopper_tui.engine import flow

        with self.command("reconcile"):
            return flow.reconcile(self)

    def doctor(
        self,
        rebuild: bool = False,
        maintain: bool = False,
        deep: bool = False,
        fix: bool = False,
    ) -> list[Finding]:
        """Check every store and configuration; see `doctor`."""
        from hopper_tui.engine import doctor

        self._settle_down()
        return doctor.examine(self, doctor.Orders(rebuild or fix, maintain, deep, fix))

    def keep_up(self) -> list[Swept]:
        """Do the maintenance that is due by its schedule, at most once for each time; see
        `upkeep`. What cannot be done is a warning."""
        from hopper_tui.engine import upkeep

        try:
            return upkeep.keep_up(self)
        except HopperError as error:
            self.warnings.append(f"no maintenance: {error.message}")
            return []

    def maintenance_due(self, key: str) -> str | None:
        """When the schedule that an instance follows is next due; None without one."""
        from hopper_tui.engine import upkeep

        return upkeep.next_due(self, self.instance(key))

    def watch_paths(self) -> list[Path]:
        """The directories whose files change when a store changes."""
        from hopper_tui.engine import watching

        paths = {path for store in self.places.used() for path in watching.directories(store)}
        return sorted(p for p in paths if p.is_dir())

    def revision(self, everywhere: bool = True) -> int:
        """A number that grows when a store that was used here, or its checkout, was changed by
        anybody; also when another store is used, for nobody looked at it before.

        Not `everywhere` looks at the stores kept open, and at a few of the others, in turn: that
        is enough from time to time, in case the file system told nothing, and costs the same with
        hundreds of hoppers.
        """
        from hopper_tui.engine.noticing import Notices

        if self._notices is None:
            self._notices = Notices()
        for store in list(self.places.opened()):
            store.let_go()
            if store.travels:
                with self._lock, suppress(HopperError):  # as where nothing can be written
                    self._settle_absorbed(store)
        with self._lock:
            for store in self.places.used() if everywhere else self._some_used():
                self._changes += self._notices.is_news(store)
        return self._changes

    def _some_used(self) -> list[Store]:
        """The stores kept open, and the next few of those that are not."""
        kept = set(self.places.opened())
        others = [store for store in self.places.used() if store not in kept]
        begin = self._turn if self._turn < len(others) else 0
        self._turn = begin + IN_TURN
        return [*kept, *others[begin : self._turn]]

    def require_scope(self, instance: Instance, *scopes: HopperScope) -> None:
        """Raise NotAllowed unless the instance has one of the scopes."""
        if instance.scope not in scopes:
            raise NotAllowed(
                f"{instance.name} is {_a(instance.scope)} hopper",
                "See which are: hopper instance list",
            )


def _login_name() -> str:
    """Who is logged in, as `getpass.getuser` finds it, without a traceback where nobody is."""
    for name in ("LOGNAME", "USER", "USERNAME"):
        if value := os.environ.get(name):
            return value
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return "somebody"


def load_of(counts: Mapping[TaskStatus, int], settings: Settings) -> Load:
    """The load that counts by status mean."""
    return Load(
        open=sum(n for status, n in counts.items() if status not in CLOSED),
        queued=counts.get(TaskStatus.PENDING, 0),
        active=sum(counts.get(status, 0) for status in ACTIVE),
        capacity=settings.capacity,
    )


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two configurations as one: sections are merged, other values of `above` win."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[name] = overlay(under, value)
        else:
            merged[name] = value
    return merged


def _a(scope: HopperScope) -> str:
    return f"an {scope}" if scope is HopperScope.ORCHESTRATION else f"a {scope}"


__all__ = ["GLOBAL_ID", "Command", "World", "load_of", "overlay", "project_name"]

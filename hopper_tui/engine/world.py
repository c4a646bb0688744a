"""World: every hopper a home and a working directory know of, and the way to any of their tasks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine.arriving import Arrivals
from hopper_tui.engine.configuring import GLOBAL_ID, Configurations
from hopper_tui.engine.directory import Directory
from hopper_tui.engine.intent import Intents
from hopper_tui.engine.places import Places
from hopper_tui.model import ids
from hopper_tui.model.clock import Clock, stamp, system_clock
from hopper_tui.model.errors import HopperError
from hopper_tui.model.instance import Instance, Load
from hopper_tui.model.lifecycle import HopperScope, InstanceStatus

if TYPE_CHECKING:
    from hopper_tui.engine.doctor import Finding
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.noticing import News
    from hopper_tui.engine.projects import InitReport
    from hopper_tui.engine.tree import Node
    from hopper_tui.engine.undo import Undone
    from hopper_tui.engine.upkeep import Swept
    from hopper_tui.model.delegation import Decision, Delegation
    from hopper_tui.model.event import Event
    from hopper_tui.model.settings import Settings
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store, Transaction


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
        self.last_found: dict[str, Store] = {}
        self.intents = Intents(None if home is None else home / "pending")
        self.lock = threading.RLock()
        self._command: Command | None = None
        self._arrivals = Arrivals(self)
        self._directory = Directory(self)
        self._configurations = Configurations(self)
        self._news: News | None = None

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
        self.lock.acquire()
        if self._command is not None:
            return self._command, False
        try:
            self._arrivals.settle()
            self._command = Command(self._new_group(), summary)
        except BaseException:
            self.lock.release()
            raise
        return self._command, True

    def _end(self, *, is_outermost: bool) -> None:
        try:
            if is_outermost:
                self._command = None
                for waiter in tuple(self.waiters):
                    waiter.set()
                self.intents.end()
        finally:
            self.lock.release()

    def absorb(self, store: Store) -> None:
        """Take in what git brought to a store that travels; raises HopperError."""
        self._arrivals.absorb(store)

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
        self.intents.begin(self._command.group)

    def new_id(self) -> str:
        """A fresh random id."""
        return ids.new_key(self.entropy)

    # Instances and their stores

    @property
    def here(self) -> str | None:
        """The id of the project whose directory we are in."""
        self._arrivals.settle()
        return self.places.around.id if self.places.around else None

    @property
    def global_id(self) -> str | None:
        """The id of this home's global hopper, None while there is none."""
        return self._directory.global_id

    def make_global(self, key: str = GLOBAL_ID, name: str | None = None) -> Instance:
        """The global hopper of this home, made and started if there is none."""
        return self._directory.make_global(key, name)

    def has(self, key: str) -> bool:
        """Whether there is a hopper with that full id."""
        return self._directory.has(key)

    def store(self, instance: str) -> Store:
        """The store that keeps an instance; raises NotFound, or StorageError when it is gone."""
        return self._directory.store(instance)

    def place_at(self, instance: str, where: Callable[[], Store]) -> None:
        """Remember where a new instance's store is."""
        self._directory.place_at(instance, where)

    def forget(self, instance: str) -> None:
        """Forget where an instance was."""
        self._directory.forget(instance)

    def instance(self, key: str) -> Instance:
        """The instance with that full id; raises NotFound."""
        return self._directory.instance(key)

    def children(self, key: str) -> list[Instance]:
        """The instances whose parent that is, as far as they can be read."""
        return self._directory.children(key)

    def settings(self, instance: Instance) -> Settings:
        """What an instance's configuration file and its own settings together mean."""
        return self._configurations.settings(instance)

    def full_config(self, instance: Instance) -> dict[str, Any]:
        """The configuration file of an instance, or that of the run of a phase, overlaid by what
        was set on the instance."""
        return self._configurations.full(instance)

    def load(self, instance: Instance, settings: Settings | None = None) -> Load:
        """How much an instance holds now."""
        counts = self.store(instance.id).counts(instance.id)
        return Load.of(counts, (settings or self.settings(instance)).capacity)

    def name(self, key: str) -> str:
        """The display name of an instance; its id when it cannot be read."""
        try:
            return self.instance(key).name
        except HopperError:
            return key

    def find_instance(self, ref: str) -> str:
        """The id that a reference means: an id, a name or a unique prefix; see `finding`."""
        from hopper_tui.engine import finding

        self._arrivals.settle()
        return finding.find_instance(self, ref)

    def hopper(self, ref: str | None = None) -> Hopper:
        """The hopper that a reference means.

        None is the project whose directory we are in, else the global hopper, which is made by
        its first use. Raises NotFound, AmbiguousId.
        """
        from hopper_tui.engine.hopper import Hopper

        self._arrivals.settle()
        if ref is None:
            self.places.check_not_left_out()
            key = self.here or self.global_id or self.make_global().id
        else:
            key = self.find_instance(ref)
        if key == self.global_id:
            self._arrivals.absorb_all()
        return Hopper.open(self, key)

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

        self._arrivals.settle()
        return tree.nodes(self, scope, status, parent)

    def tree(self) -> list[Node]:
        """The roots of the instance tree, children nested."""
        from hopper_tui.engine import tree

        self._arrivals.settle()
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

        self._arrivals.settle()
        task = finding.find_task(self, ref)
        return Hopper.open(self, task.instance), task

    def find_delegation(self, ref: str) -> tuple[Hopper, Delegation]:
        """The hop with that id or prefix, and its target if it arrived there, else its source."""
        from hopper_tui.engine import finding
        from hopper_tui.engine.hopper import Hopper

        self._arrivals.settle()
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

        self._arrivals.settle()
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
        if self._news is None:
            from hopper_tui.engine.noticing import News

            self._news = News(self)
        return self._news.count(everywhere)


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

"""Places: where the store of every known hopper is, on disk or in memory.

$HOPPER_HOME/home.db                         the global hopper, and the registry of projects
$HOPPER_HOME/<project>/tasks.db              a project without a directory of its own
<root>/.hopper/<project>/tasks.db            a project with one
<directory of tasks.db>/runs/<run>.db        a run, with its phases
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.model.errors import NotFound, StorageError
from hopper_tui.model.ids import system_entropy
from hopper_tui.model.lifecycle import HopperScope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hopper_tui.model.ids import Entropy
    from hopper_tui.store.protocol import Store
    from hopper_tui.store.sqlite import SqliteStore

OPEN_STORES = 16
"""Databases kept open at once; each in WAL mode holds three file descriptors."""
PROJECT_DIRECTORY = ".hopper"
CONFIG_FILE = "hopper.yaml"
JOURNAL = "journal"
_REGISTRY = "project:"


class Project(NamedTuple):
    """A known project: `root` is the directory that holds its `.hopper/`, None if in the home.

    `paths` are all directories it was seen at, the one used last first.
    """

    id: str
    name: str
    root: Path | None
    database: Path | None
    paths: tuple[str, ...] = ()

    @property
    def runs(self) -> Path | None:
        """The directory of its runs' databases."""
        return None if self.database is None else self.database.parent / "runs"


def project_name(instance: str) -> str:
    """The project's name in its id: `webapp` for `hopper-webapp` and for `webapp`."""
    return instance.removeprefix("hopper-") or instance


# Stores are loaded when one is made: the terminal UI paints its frame before that.


def _plain_store(path: Path | None) -> SqliteStore:
    from hopper_tui.store.sqlite import SqliteStore

    return SqliteStore(path)


def _run_store(path: Path) -> SqliteStore:
    from hopper_tui.store.run import RunStore

    return RunStore(path)


class Places:
    """Opens stores, keeps the registry, and finds the project around a directory.

    `home` None keeps everything in memory.
    """

    def __init__(
        self, home: Path | None, start: Path | None, entropy: Entropy = system_entropy
    ) -> None:
        self.home = home
        self.entropy = entropy
        self.start = start
        self._stores: dict[str, SqliteStore] = {}
        self._recent: OrderedDict[str, SqliteStore] = OrderedDict()
        self._recent_lock = threading.Lock()
        self._latest: tuple[str, SqliteStore | None] = ("", None)
        self._memory: dict[str, SqliteStore] = {}
        self._home_store: SqliteStore | None = None
        self._making = threading.Lock()
        self._known: dict[str, str] = {}
        self._around: Project | None = None
        self._looked_around = False

    # Stores

    @property
    def home_store(self) -> Store:
        """The store of the global hopper and of the registry, made by its first use."""
        if self._home_store is None:
            with self._making:
                path = None if self.home is None else self.home / "home.db"
                self._home_store = self._home_store or _plain_store(path)
        return self._home_store

    def at(self, path: Path) -> Store:
        """The store in that database file, made by its first use."""
        return self._opened(path, _plain_store)

    def run_at(self, path: Path) -> Store:
        """The store of a run in that database file, made by its first use."""
        return self._opened(path, _run_store)

    def _opened(self, path: Path, make: Callable[[Path], SqliteStore]) -> Store:
        key = str(path)
        latest, store = self._latest
        if latest == key and store is not None:
            return store
        with self._recent_lock:
            store = self._stores.get(key)
            if store is None:
                store = self._stores[key] = make(path)
            self._latest = key, store
            self._recent[key] = store
            self._recent.move_to_end(key)
            least = None
            if len(self._recent) > OPEN_STORES:
                least = self._recent.popitem(last=False)[1]
        if least is not None:  # opens again by itself when it is used again
            least.close()
        return store

    def in_memory(self, instance: str) -> Store:
        """The store in memory of that instance, made by its first use."""
        return self._memory.setdefault(instance, _plain_store(None))

    def adopt(self, instance: str, other: Places) -> None:
        """Take over the store in memory of an instance from other places."""
        self._memory[instance] = other._memory.pop(instance)

    def forget_memory(self, instance: str) -> None:
        """Drop the store in memory of an instance."""
        self._memory.pop(instance, None)

    def opened(self) -> Iterator[Store]:
        """The stores that were opened so far and are still kept open."""
        yield self.home_store
        yield from list(self._recent.values())
        yield from list(self._memory.values())

    def used(self) -> Iterator[Store]:
        """The stores that were ever opened, whether or not they are kept open."""
        yield self.home_store
        yield from list(self._stores.values())
        yield from list(self._memory.values())

    def close(self) -> None:
        """Close every store."""
        for store in self.used():
            store.close()

    # Projects

    @property
    def around(self) -> Project | None:
        """The project whose directory contains `start`, found by walking up."""
        if not self._looked_around:
            self._looked_around = True
            self._around = self._find_around()
        return self._around

    @property
    def root(self) -> Path | None:
        """The directory of the project around `start`, found by walking up."""
        if self.start is None:
            return None
        start = os.path.abspath(self.start)
        home = None if self.home is None else os.path.abspath(self.home)
        while True:
            directory = os.path.join(start, PROJECT_DIRECTORY)
            if directory != home and os.path.isfile(os.path.join(directory, CONFIG_FILE)):
                return Path(start)
            above = os.path.dirname(start)
            if above == start:
                return None
            start = above

    def _find_around(self) -> Project | None:
        root = self.root
        return None if root is None else self.project_at(root)

    def check_not_left_out(self) -> None:
        """Raise StorageError where a sparse checkout leaves out the project that would be around:
        whoever asks there means that project, not the global hopper."""
        if self.start is None or self.around is not None:
            return
        from hopper_tui.journal.replica import checkout_of

        checkout = checkout_of(self.start)
        if checkout is None or not (checkout.git / "info" / "sparse-checkout").exists():
            return
        from hopper_tui.journal import git

        root = git.left_out(self.start, f"{PROJECT_DIRECTORY}/{CONFIG_FILE}")
        if root is not None:
            raise StorageError(
                f"a sparse checkout hides {root / PROJECT_DIRECTORY}",
                f"Let git check it out: git sparse-checkout add {PROJECT_DIRECTORY}",
            )

    def look_again(self) -> None:
        """Forget which project is around; the next use looks anew."""
        self._around, self._looked_around = None, False

    def project_at(self, root: Path) -> Project:
        """The project configured in `root`; raises ConfigError."""
        config = self.file_config(root)
        key = str(config.get("instance_id") or f"hopper-{root.name}")
        name = project_name(key)
        stated = (config.get("persistence") or {}).get("path")
        database = root / (stated or f"{PROJECT_DIRECTORY}/{name}/tasks.db")
        return Project(key, name, root, database, (str(root),))

    def file_config(self, root: Path) -> dict[str, Any]:
        """The configuration file of the project in `root`, {} if there is none."""
        from hopper_tui.config.cache import project_config

        return project_config(root, os.environ)

    def home_config(self) -> dict[str, Any]:
        """The configuration file of the global hopper, {} if there is none."""
        if self.home is None or not (self.home / CONFIG_FILE).is_file():
            return {}
        from hopper_tui.config.cache import cached

        cache = self.home / "tmp" / "config.json"
        return cached(self.home / CONFIG_FILE, cache, {}, os.environ)

    def projects(self) -> dict[str, Project]:
        """Every known project by id, the one around included."""
        known: dict[str, Project] = {}
        for name, value in self._registry().items():
            project = self._registered(name.removeprefix(_REGISTRY), json.loads(value))
            known[project.id] = project
        if self.around is not None:
            known[self.around.id] = self.around
        return known

    def project(self, key: str) -> Project | None:
        """The known project with that id."""
        if self.around is not None and self.around.id == key:
            return self.around
        try:
            value = self.home_store.local(_REGISTRY + key)
        except StorageError:
            value = self._registry().get(_REGISTRY + key)
        return None if value is None else self._registered(key, json.loads(value))

    def paths(self, key: str) -> tuple[str, ...]:
        """All directories a project was seen at, the one used last first."""
        value = self._registry().get(_REGISTRY + key)
        return () if value is None else tuple(json.loads(value)["paths"])

    def _registry(self) -> dict[str, str]:
        """What is registered. While the home cannot be read, what was when it last could be, or
        else the projects that are kept in it: they work without it, as does one around."""
        try:
            self._known = self.home_store.locals(_REGISTRY)
        except StorageError:
            self._known = self._known or self._kept_at_home()
            if self._around is None and not self._known:
                raise
        return self._known

    def _kept_at_home(self) -> dict[str, str]:
        """The projects whose databases are in the home directory, as they are registered."""
        found: dict[str, str] = {}
        if self.home is None:
            return found
        for database in sorted(self.home.glob("*/tasks.db")):
            name = key = database.parent.name
            with suppress(StorageError):
                kept = self.at(database).instances()
                key = next((i.id for i in kept if i.scope is HopperScope.PROJECT), name)
            found[_REGISTRY + key] = json.dumps({"name": name, "paths": [], "database": ""})
        return found

    def _registered(self, key: str, entry: Mapping[str, Any]) -> Project:
        name, paths = entry["name"], tuple(entry["paths"])
        if self.home is None:
            return Project(key, name, None, None)
        for path in paths:
            if os.path.isfile(os.path.join(path, PROJECT_DIRECTORY, CONFIG_FILE)):
                database = Path(path) / entry["database"]
                return Project(key, name, Path(path), database, paths)
        if paths:
            raise_at = Path(paths[0]) / entry["database"]
            return Project(key, name, Path(paths[0]), raise_at, paths)
        return Project(key, name, None, self.home / name / "tasks.db")

    def register(self, project: Project) -> None:
        """Remember a project; the directory it is at now becomes the one used last."""
        value = self.home_store.local(_REGISTRY + project.id)
        known = json.loads(value)["paths"] if value else []
        paths = list(project.paths[:1]) + [p for p in known if p not in project.paths[:1]]
        database = ""
        if project.root is not None and project.database is not None:
            database = str(project.database.relative_to(project.root))
        entry = json.dumps({"name": project.name, "paths": paths, "database": database})
        if entry != value:
            self.home_store.set_local(_REGISTRY + project.id, entry)

    def unregister(self, key: str) -> None:
        """Forget a project; its directory stays as it is."""
        self.home_store.unset_local(_REGISTRY + key)

    def home_project(self, key: str) -> Project:
        """A project that is kept in the home directory."""
        name = project_name(key)
        database = None if self.home is None else self.home / name / "tasks.db"
        return Project(key, name, None, database)

    def store_of(self, project: Project) -> Store:
        """The store of a project; raises StorageError when its directory is gone."""
        if project.database is None:
            return self.in_memory(project.id)
        if project.root is not None and not project.root.is_dir():
            raise StorageError(
                f"the directory of {project.name} is gone: {project.root}",
                "Mount or restore it, or run any command at its new place: hopper status",
                "gone",
            )
        if project.root is None:
            return self.at(project.database)
        directory = project.root / PROJECT_DIRECTORY
        if not (directory / CONFIG_FILE).is_file():  # a branch without it; nothing is made there
            raise StorageError(
                f"{directory} is not there any more",
                "Check out a branch that has it, or go on in another working tree",
                "gone",
            )
        return self._opened(project.database, lambda path: self._journaled(project, path))

    def _journaled(self, project: Project, path: Path) -> SqliteStore:
        """The store of a project with a directory: its events travel with it."""
        from hopper_tui.journal.files import Journal
        from hopper_tui.journal.replica import Replica
        from hopper_tui.store.journaled import JournaledStore

        assert project.root is not None
        directory = project.root / PROJECT_DIRECTORY
        elsewhere = directory / "tmp" if self.home is None else self.home / "clones"
        replica = Replica.around(project.root, elsewhere, self.entropy)
        journal = Journal(directory / JOURNAL)
        return JournaledStore(path, journal, replica, project.id, self.entropy)

    def journal_mark(self, project: Project) -> str:
        """A fingerprint of the names of a project's journal files, read from its directory."""
        from hopper_tui.journal.files import Journal, fingerprint

        assert project.root is not None
        return fingerprint(Journal(project.root / PROJECT_DIRECTORY / JOURNAL).names())

    # Runs

    def runs(self, project: Project) -> list[str]:
        """The ids of the runs of a project that have a database."""
        if project.runs is None:
            return []
        try:
            names = os.listdir(project.runs)
        except OSError:
            return []
        return sorted(name[:-3] for name in names if name.endswith(".db"))

    def run_path(self, project: Project, run: str) -> Path | None:
        """Where the database of a run is or would be; None in memory."""
        return None if project.runs is None else project.runs / f"{run}.db"

    def memory_instances(self) -> list[str]:
        """The instances kept in memory."""
        return list(self._memory)


def gone(what: str, ref: str) -> NotFound:
    """The NotFound for an unknown reference."""
    return NotFound(f"there is no {what} {ref!r}", "See: hopper instance list")

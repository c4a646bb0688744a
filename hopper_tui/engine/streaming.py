"""Streaming: the events of stores as they are recorded, though stores come and go.

Between two changes nothing is read but sizes and times of files: once when the file system tells
of a change, and once in a while in case it does not.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine.places import CONFIG_FILE
from hopper_tui.engine.watching import CANNOT_WATCH, SAFETY_NET_MS
from hopper_tui.model.clock import due_date, duration, stamp
from hopper_tui.model.errors import HopperError, Invalid
from hopper_tui.model.event import KINDS
from hopper_tui.store.journaled import JournaledStore

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.model.event import Event
    from hopper_tui.store.protocol import Store

SETTLED = 0.1
"""Seconds; a file that changed more recently may change again within the same tick of its clock."""


_NEWEST = 1 << 63
"""SQLite counts no further."""


class Since(NamedTuple):
    """From where a stream begins: after an event by its number, or at a time."""

    seq: int | None = None
    at: str | None = None

    @classmethod
    def read(cls, text: str, now: float) -> Since:
        """A number of an event, `15m` ago, or a moment; raises Invalid."""
        word = text.strip()
        if word.isascii() and word.isdigit() and len(word) < len(str(_NEWEST)):
            return cls(seq=int(word))
        try:
            return cls(at=stamp(now - duration(word)))
        except Invalid:
            pass
        try:
            return cls(at=due_date(word, now))
        except Invalid:
            hint = "Write it as 15m, 2h, 2026-11-20, 2026-11-20T12:00Z or the number of an event"
            raise Invalid(f"{text!r} is no beginning of a stream", hint) from None


def stream(
    world: World,
    instance: str | None,
    since: Since | None = None,
    kinds: Sequence[str] = (),
) -> Iterator[list[Event]]:
    """What is recorded at an instance, by its full id, or with None at every hopper, as it comes;
    never ends.

    Begins at `since`, or now. `kinds` are kinds of events or their beginnings: `task` is all of
    `task.*`. An empty list comes at least once in a second, so that the caller can see to other
    things. Troubles with a store become warnings of the world, each once.
    """
    begin = stamp(world.now())
    followed: dict[str, _Source] = {}
    changes = _Changes()
    while True:
        for store in _stores(world, instance):
            if str(store.path) not in followed:
                first = (0, begin) if changes.waited else _first(store, since)
                followed[str(store.path)] = _Source(store, *first)
        folders = {path for source in followed.values() for path in source.directories()}
        changes.watch(folders if instance else folders | _folders_of_runs(world))
        told = [event for source in followed.values() for event in source.fresh(world)]
        yield [event for event in told if _is_of(event.kind, kinds)]
        if all(source.settled for source in followed.values()):
            changes.wait()
        else:
            time.sleep(SETTLED)


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise Invalid for a kind of which no event ever is."""
    for wanted in kinds:
        if not any(_is_of(kind, [wanted]) for kind in KINDS):
            from difflib import get_close_matches

            near = get_close_matches(wanted, KINDS, n=3)
            groups = dict.fromkeys(kind.partition(".")[0] for kind in KINDS)
            hint = f"Did you mean {', '.join(near)}" if near else f"Say one of: {', '.join(groups)}"
            raise Invalid(f"there are no events of the kind {wanted!r}", hint)


def _is_of(kind: str, kinds: Sequence[str]) -> bool:
    return not kinds or any(f"{kind}.".startswith(f"{wanted.rstrip('.')}.") for wanted in kinds)


def _stores(world: World, instance: str | None) -> list[Store]:
    """The stores to follow, as far as they are there."""
    places = world.places
    if instance is not None:
        with suppress(HopperError):
            return [world.store(instance)]
        return []
    found = [places.home_store]
    with suppress(HopperError):
        for project in places.projects().values():
            with suppress(HopperError):
                found.append(places.store_of(project))
            for run in places.runs(project):
                with suppress(HopperError):
                    found.append(world.store(run))
    return found


def _first(store: Store, since: Since | None) -> tuple[int, str]:
    """After which event of a store a stream begins, and from which time."""
    if since is not None:
        return since.seq or 0, since.at or ""
    with suppress(HopperError):
        if _is_there(store) and (newest := store.events(newest=True, limit=1)):
            seq = newest[0].seq
            later = store.events(after=seq, newest=True, limit=1)  # taken in later than it was made
            return (later or newest)[0].seq, ""
    return 0, ""


def _is_there(store: Store) -> bool:
    """Whether a store can be read without being made by that."""
    if isinstance(store, JournaledStore):
        return (store.journal.directory.parent / CONFIG_FILE).is_file()
    return store.path is not None and store.path.exists()


@dataclass(slots=True)
class _Source:
    """A store that is followed: up to which event it was told, and how its files looked then.

    `since` is a time; nothing earlier is told while it is not known which event was the last.
    """

    store: Store
    after: int
    since: str
    read_at: str = ""
    identity: int | None = None
    mark: tuple[tuple[int, int], ...] = ()
    settled: bool = True
    fault: str = ""

    def fresh(self, world: World) -> list[Event]:
        """What was recorded since the last call; nothing while the store is not there."""
        self.settled = True
        if not self._find():
            return []
        now, mark = world.now(), self._look()
        if mark == self.mark:
            return []
        try:
            if self.store.travels:  # take in what git brought, as any command does
                world.absorb(self.store)
            found = self.store.events(after=self.after)
        except HopperError as error:
            if error.message != self.fault:
                world.warnings.append(error.message)
            self.fault = error.message
            return []
        fresh = [event for event in found if event.at >= self.since]
        self.after = max([self.after, *(event.seq for event in found)])
        self.since, self.read_at, self.fault = "", stamp(now), ""
        self.settled = now - max(time_ns for _, time_ns in mark) / 1e9 > SETTLED
        self.mark = mark if self.settled else ()
        return fresh

    def _find(self) -> bool:
        """Whether the store is there. One that was made anew is read from when the former was
        last read."""
        there = _is_there(self.store)
        identity = _inode(self.store.path)
        if self.identity not in (None, identity):
            self.after, self.since, self.mark = 0, self.read_at, ()
            self.store.close()
        elif not there:
            self.mark = ()
        self.identity = identity if there or self.store.travels else None
        return there

    def _look(self) -> tuple[tuple[int, int], ...]:
        """How the files of the store look."""
        return tuple(_stamp(path) for path in (*self._files(), *self._folders()))

    def _files(self) -> tuple[str, ...]:
        return (f"{self.store.path}", f"{self.store.path}-wal")

    def _folders(self) -> list[str]:
        """The directories of a journal, which change when a file comes or goes."""
        if not isinstance(self.store, JournaledStore):
            return []
        journal = self.store.journal.directory
        return [str(journal), *(str(month) for month in sorted(journal.glob("*/")))]

    def directories(self) -> list[str]:
        """The directories whose changes announce those of the store."""
        above = [] if self.store.path is None else [str(_existing(self.store.path.parent))]
        return above + [folder for folder in self._folders() if os.path.isdir(folder)]


class _Changes:
    """Waits for changes in directories, which may come and go themselves."""

    def __init__(self) -> None:
        self._watched: frozenset[tuple[str, int | None]] = frozenset()
        self._bursts: Generator[object, None, None] | None = None
        self.waited = False

    def watch(self, directories: Iterable[str]) -> None:
        """Look at these from now on."""
        found = frozenset((path, _inode(Path(path))) for path in directories)
        if self._bursts is not None and found == self._watched:
            return
        from watchfiles import watch

        if self._bursts is not None:
            self._bursts.close()
        self._watched = found
        self._bursts = watch(
            *sorted(path for path, _ in found), watch_filter=None, step=20, debounce=100,
            recursive=False, rust_timeout=SAFETY_NET_MS, yield_on_timeout=True,
        )  # fmt: skip

    def wait(self) -> None:
        """Return after a change, or after a second."""
        self.waited = True
        assert self._bursts is not None
        try:
            next(self._bursts)
        except (*CANNOT_WATCH, StopIteration):
            self._bursts = None
            time.sleep(SAFETY_NET_MS / 1000)


def _folders_of_runs(world: World) -> set[str]:
    """The directories in which databases of new runs come."""
    found: set[str] = set()
    with suppress(HopperError):
        projects = world.places.projects().values()
        found.update(str(_existing(each.runs)) for each in projects if each.runs is not None)
    return found


def _existing(directory: Path) -> Path:
    """The directory, or the nearest above it that is there."""
    while not directory.is_dir() and directory != directory.parent:
        directory = directory.parent
    return directory


def _inode(path: Path | None) -> int | None:
    with suppress(OSError):
        return None if path is None else path.stat().st_ino
    return None


def _stamp(path: str) -> tuple[int, int]:
    """Size and time of a file; zeros for none and for an empty one, which readers make and
    remove."""
    with suppress(OSError):
        found = os.stat(path)
        if found.st_size:
            return (found.st_size, found.st_mtime_ns)
    return (0, 0)

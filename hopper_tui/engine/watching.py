"""Watching: the events of a hopper as they are recorded, and what else shows that it changed."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from pathlib import Path

    from hopper_tui.model.event import Event
    from hopper_tui.store.protocol import Store

MEMORY_PAUSE = 0.02
"""Seconds between looks at a store in memory, which no file announces."""
SAFETY_NET_MS = 1000
"""A change that the file system does not announce is seen after so many milliseconds."""
CANNOT_WATCH = (OSError, RuntimeError)
"""What watchfiles raises where a directory is gone, or the system has no more watches to give: a
person has 128 on many, and each process that waits takes one."""

_MOVED_BY_GIT = ("HEAD", "index", "logs/HEAD")
"""What of a git directory changes with the branch, the index or the newest commit."""


def directories(store: Store) -> list[Path]:
    """The directories whose files change when a store does, by a writer or by git."""
    from hopper_tui.journal.replica import checkout_of
    from hopper_tui.store.journaled import JournaledStore

    found = [] if store.path is None else [store.path.parent]
    if isinstance(store, JournaledStore):
        journal = store.journal.directory
        where = checkout_of(journal.parent)
        found += _folders(journal)
        found += [] if where is None else [where.git]
    return found


def moves(store: Store) -> tuple[tuple[int, int], ...]:
    """A value that changes when git moves the checkout of a store, as by a commit."""
    from hopper_tui.journal.replica import checkout_of
    from hopper_tui.store.journaled import JournaledStore

    if not isinstance(store, JournaledStore):
        return ()
    where = checkout_of(store.journal.directory.parent)
    return () if where is None else tuple(_stamp(where.git / name) for name in _MOVED_BY_GIT)


def files(store: Store) -> Hashable:
    """A value that changes when somebody writes to the database of a store."""
    return None if store.path is None else (_stamp(store.path), _stamp(f"{store.path}-wal"))


def written_at(store: Store) -> float:
    """When somebody wrote to the database of a store, in seconds since the epoch."""
    paths = () if store.path is None else (store.path, f"{store.path}-wal")
    return max((_stamp(path)[1] for path in paths), default=0) / 1e9


def others(store: Store) -> Hashable:
    """A value that changes with what else belongs to a store: its journal, its checkout, and
    whether it may be written."""
    return (_journal(store), moves(store), store.is_read_only)


def _journal(store: Store) -> tuple[tuple[int, int], ...]:
    """The stamps of the directories of a store's journal, which gets a file for each change."""
    from hopper_tui.store.journaled import JournaledStore

    if not isinstance(store, JournaledStore):
        return ()
    return tuple(map(_stamp, sorted(_folders(store.journal.directory))))


def _folders(journal: Path) -> list[Path]:
    return [journal, *(path for path in journal.glob("*") if path.is_dir())]


def _stamp(path: Path | str) -> tuple[int, int]:
    """Size and time of a file; zeros when there is none, or nothing in it: a reader makes an empty
    log, and takes it away again."""
    try:
        stat = os.stat(path)
    except OSError:
        return (0, 0)
    return (stat.st_size, stat.st_mtime_ns) if stat.st_size else (0, 0)


def events(store: Store, after: int | None) -> Iterator[Event]:
    """Events recorded after sequence number `after` (None: from now on), forever, as they come."""
    if after is None:
        newest = store.events(newest=True, limit=1)
        after = newest[0].seq if newest else 0
    while True:
        revision = store.revision()
        for event in store.events(after=after):
            after = max(after, event.seq)
            yield event
        _wait(store, revision)


def _wait(store: Store, revision: int) -> None:
    """Return when the store has another revision."""
    if store.path is None:
        while store.revision() == revision:
            time.sleep(MEMORY_PAUSE)
        return
    from watchfiles import watch

    changes = watch(
        store.path.parent,
        step=20,
        debounce=100,
        recursive=False,
        rust_timeout=SAFETY_NET_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    with suppress(*CANNOT_WATCH):
        for _ in changes:
            if store.revision() != revision:
                return
    time.sleep(SAFETY_NET_MS / 1000)

"""Watching: tells when files of a store have changed, whoever changed them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

STEP_MS = 20
"""How long to wait for more changes once there was one, where changes have to be looked for."""
QUIET_MS = 6
"""The same where they are told."""
BUSY_MS, BUSY_QUIET_MS = 250, 30
"""The same so shortly after another change: many come together, and are read together."""
DEBOUNCE_MS = 100
"""The longest wait while changes keep coming."""
_DATABASE_FILES = (".db", ".db-wal")
_STORE_FILES = (*_DATABASE_FILES, ".yaml", ".jsonl")
_GIT_FILES = frozenset({"HEAD", "ORIG_HEAD", "index"})
"""What git writes in its own directory at a commit, a checkout or a reset."""
_TELLS = "asyncinotify"
"""What has the system tell of changes; it is installed where the system can."""
_JOURNAL = "journal"
"""In the directory of this name a folder comes with each month."""


class Stamps:
    """Lets a change pass only if size or time of the file differ from when it last passed.

    SQLite touches the files it only reads; without this a reader would wake itself for ever.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def __call__(self, path: str) -> bool:
        """Whether a change of the file at `path` is news."""
        folder, name = os.path.split(path)
        if not (
            name.endswith(_STORE_FILES)
            or name in _GIT_FILES
            or os.path.basename(folder) == _JOURNAL
        ):
            return False
        try:
            stat = os.stat(path)
        except OSError:
            known = self._seen.pop(path, None) is not None
            return known or not name.endswith(_DATABASE_FILES)
        stamp = (stat.st_size, stat.st_mtime_ns)
        if self._seen.get(path) == stamp:
            return False
        self._seen[path] = stamp
        return True


def identities(directories: Iterable[Path]) -> frozenset[tuple[str, int]]:
    """The directories that are there, by path and inode: git removes one and makes it again."""
    found = set()
    for directory in directories:
        with suppress(OSError):
            found.add((str(directory), directory.stat().st_ino))
    return frozenset(found)


async def changes(paths: Sequence[str]) -> AsyncIterator[None]:
    """Yields after each burst of changes in these directories; ends when one of them is gone, or
    cannot be watched: somebody looks at the stores from time to time all the same."""
    with suppress(OSError, RuntimeError):  # which is what watchfiles makes of it
        async for _ in (_told if find_spec(_TELLS) else _looked_for)(paths):
            yield None


async def _looked_for(paths: Sequence[str]) -> AsyncIterator[None]:
    """Changes as a thread finds them that looks every few milliseconds."""
    watchfiles = await asyncio.to_thread(__import__, "watchfiles")
    is_news = Stamps()
    async for _ in watchfiles.awatch(
        *paths,
        watch_filter=lambda _, path: is_news(path),
        step=STEP_MS,
        debounce=DEBOUNCE_MS,
        recursive=False,
    ):
        yield None


async def _told(paths: Sequence[str]) -> AsyncIterator[None]:
    """Changes as the system tells them; who waits for them takes no time at all."""
    inotify = await asyncio.to_thread(__import__, _TELLS)  # it starts a process to load
    mask = inotify.Mask
    changed = mask.MODIFY | mask.MOVE | mask.CREATE | mask.DELETE
    gone = mask.DELETE_SELF | mask.MOVE_SELF | mask.Q_OVERFLOW
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    events: list[Any] = []
    is_news = Stamps()
    passed = 0.0

    async def listen() -> None:
        async for event in told:
            events.append(event)
            arrived.set()

    with inotify.Inotify() as told:
        for path in paths:
            told.add_watch(path, changed | gone)
        listening = asyncio.create_task(listen())
        try:
            while True:
                await arrived.wait()
                begun, news = loop.time(), False
                quiet = QUIET_MS if begun - passed > BUSY_MS / 1000 else BUSY_QUIET_MS
                while arrived.is_set() and loop.time() - begun < DEBOUNCE_MS / 1000:
                    arrived.clear()
                    lost = any(event.mask & gone for event in events)
                    files = {str(event.path) for event in events if event.mask & changed}
                    events.clear()
                    fresh = [path for path in files if is_news(path)]
                    news = news or lost or bool(fresh)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(quiet / 1000):
                            await arrived.wait()
                if news:
                    yield None
                    passed = loop.time()
        finally:
            listening.cancel()
            await asyncio.wait((listening,))  # another may get the same file number

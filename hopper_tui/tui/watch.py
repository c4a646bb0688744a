"""Watching: tells when files of a store have changed, whoever changed them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from watchfiles import Change

STEP_MS = 20
"""How long to wait for more changes once there was one."""
DEBOUNCE_MS = 100
"""The longest wait while changes keep coming."""
_DATABASE_FILES = (".db", ".db-wal")
_STORE_FILES = (*_DATABASE_FILES, ".yaml", ".jsonl")
_GIT_FILES = frozenset({"HEAD", "ORIG_HEAD", "index"})
"""What git writes in its own directory at a commit, a checkout or a reset."""
_JOURNAL = "journal"
"""In the directory of this name a folder comes with each month."""


class Stamps:
    """Lets a change pass only if size or time of the file differ from when it last passed.

    SQLite touches the files it only reads; without this a reader would wake itself for ever.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def __call__(self, change: Change, path: str) -> bool:
        """Whether the change of the file at `path` is news."""
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
    """Yields after each burst of changes in these directories; ends when one of them is gone
    before it can be watched."""
    watchfiles = await asyncio.to_thread(__import__, "watchfiles")
    bursts = watchfiles.awatch(
        *paths, watch_filter=Stamps(), step=STEP_MS, debounce=DEBOUNCE_MS, recursive=False
    )
    with suppress(FileNotFoundError):
        async for _ in bursts:
            yield None

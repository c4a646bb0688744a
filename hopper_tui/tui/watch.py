"""Watching: tells when files of a store have changed, whoever changed them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles import Change

STEP_MS = 20
"""How long to wait for more changes once there was one."""
DEBOUNCE_MS = 100
"""The longest wait while changes keep coming."""
_STORE_FILES = (".db", ".db-wal", ".yaml")


class Stamps:
    """Lets a change pass only if size or time of the file differ from when it last passed.

    SQLite touches the files it only reads; without this a reader would wake itself for ever.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def __call__(self, change: Change, path: str) -> bool:
        """Whether the change of the file at `path` is news."""
        if not path.endswith(_STORE_FILES):
            return False
        try:
            stat = os.stat(path)
        except OSError:
            return self._seen.pop(path, None) is not None
        stamp = (stat.st_size, stat.st_mtime_ns)
        if self._seen.get(path) == stamp:
            return False
        self._seen[path] = stamp
        return True


async def changes(paths: Sequence[str]) -> AsyncIterator[None]:
    """Yields after each burst of changes in these directories."""
    watchfiles = await asyncio.to_thread(__import__, "watchfiles")
    bursts = watchfiles.awatch(
        *paths, watch_filter=Stamps(), step=STEP_MS, debounce=DEBOUNCE_MS, recursive=False
    )
    async for _ in bursts:
        yield None

"""The gate: one writer at a time, without starving anybody.

SQLite's own busy handler lets one of many writers win again and again. A lock file around each
writing transaction caps the wait, and keeps commits and checkpoints from overlapping, which
SQLite 3.7.0 to 3.51.2 can answer with a corrupt file.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # no flock on this platform: SQLite's busy timeout has to do
    fcntl = None  # type: ignore[assignment]


PATIENCE = 10.0
"""Seconds to wait for a writer that may be stopped in the middle of its transaction."""
CALM = (1.0, 2.0)
"""Between two tries so many times as long as was waited already, from and to: jittered, so that
nobody loses every race."""
SHORT = 0.005
"""Seconds that count as waited at first."""
URGENT = (0.00005, 0.00015)
"""Seconds between two tries of who has waited longer than LONG."""
LONG = 0.04
"""Seconds that one who writes again and again is left to it, while others wait: to begin anew
costs several times as much as to go on, because every cache is cold."""


class StoreDeleted(OSError):
    """Somebody removed the store while we waited at its gate."""


class Gate:
    """An exclusive lock between processes for the database at `path`; None needs no lock.

    The thread that uses it must hold the lock of its store. Nested entries count as one. Who waits
    sees by the age of the write-ahead log whether somebody writes again and again.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = None if path is None else f"{path}.lock"
        self._log = f"{path}-wal"
        self._descriptor: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        """Wait until it is free, and hold it; raises OSError when that takes too long."""
        if self._depth == 0:
            self._take()
        self._depth += 1

    def leave(self) -> None:
        """Give it back to the others."""
        self._depth -= 1
        if self._depth == 0 and self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def take_if_free(self) -> None:
        """Hold the gate until `close`, unless somebody else does; never waits."""
        if fcntl is not None:
            with suppress(OSError):
                self._take(patience=0.0)

    def _take(self, patience: float = PATIENCE) -> None:
        if self._path is None or fcntl is None:
            return
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o644)
        try:
            self._try()
        except BlockingIOError:
            if not patience:
                raise
            self._wait(patience)
        if os.fstat(self._descriptor).st_nlink == 0:
            self.close()
            raise StoreDeleted(self._path)

    def _try(self) -> None:
        assert self._descriptor is not None
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _wait(self, patience: float) -> None:
        began = time.monotonic()
        while True:
            waited = time.monotonic() - began
            before = _written_at(self._log)
            time.sleep(_pause(waited))
            if waited < LONG and _written_at(self._log) != before:
                continue  # somebody writes again and again
            try:
                return self._try()
            except BlockingIOError:
                if waited > patience:
                    raise

    def close(self) -> None:
        """Give the descriptor back, and with it the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _pause(waited: float) -> float:
    """Seconds until the next try, for who has waited that long."""
    is_urgent = waited >= LONG
    spread = random.uniform(*(URGENT if is_urgent else CALM))  # noqa: S311 - keeps no secret
    return spread if is_urgent else min(spread * max(SHORT, waited), LONG - waited)


def _written_at(path: str) -> int | None:
    """When a file was written to, in nanoseconds; some systems say it to four milliseconds."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None

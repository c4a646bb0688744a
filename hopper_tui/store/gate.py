"""The gate: one writer at a time, first come first served, without starving anybody.

SQLite's own busy handler lets one of many writers win again and again. A lock file around each
writing transaction caps the wait, and keeps commits and checkpoints from overlapping, which
SQLite 3.7.0 to 3.51.2 can answer with a corrupt file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

try:
    import fcntl
except ImportError:  # no flock on this platform: SQLite's busy timeout has to do
    fcntl = None  # type: ignore[assignment]


class Gate:
    """An exclusive lock between processes for the database at `path`; None needs no lock."""

    def __init__(self, path: Path | None) -> None:
        self._path = None if path is None else f"{path}.lock"
        self._descriptor: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth > 1 or self._path is None or fcntl is None:
            return
        try:
            if self._descriptor is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except BaseException:
            self._depth -= 1
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if not self._depth and self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

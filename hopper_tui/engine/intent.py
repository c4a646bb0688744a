"""Intents: how the next command learns that one before it died between two stores.

A command that touches more than one store keeps a locked file in the home directory until it is
through. A file that nobody holds the lock of belongs to a dead command: its steps are repeated.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

try:
    import fcntl
except ImportError:  # no flock on this platform: reconcile runs when a store is opened
    fcntl = None  # type: ignore[assignment]


class Intents:
    """The intents in one directory; None (a world in memory) keeps none."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._held: tuple[Path, int] | None = None

    def begin(self, name: str) -> None:
        """Announce a command; does nothing when one is announced or the home is read-only."""
        if self._directory is None or self._held is not None or fcntl is None:
            return
        path = self._directory / name
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            descriptor = None
            while descriptor is None:
                descriptor = _lock(path, os.O_CREAT, fcntl.LOCK_EX)
            self._held = (path, descriptor)

    def end(self) -> None:
        """The announced command is through."""
        if self._held is None:
            return
        path, descriptor = self._held
        self._held = None
        _remove(path, descriptor)

    @contextmanager
    def abandoned(self) -> Iterator[list[str]]:
        """The names of commands that died; they are forgotten when the block ends well.

        Their locks are held meanwhile, so that of many commands one picks up the pieces.
        """
        dead: dict[Path, int] = {}
        try:
            for path in self._others():
                with suppress(OSError):
                    descriptor = _lock(path, 0, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if descriptor is not None:
                        dead[path] = descriptor
            yield sorted(path.name for path in dead)
            for path in list(dead):
                _remove(path, dead.pop(path))
        finally:
            for descriptor in dead.values():
                os.close(descriptor)

    def _others(self) -> list[Path]:
        if self._directory is None or fcntl is None:
            return []
        held = None if self._held is None else self._held[0]
        try:
            paths = [self._directory / name for name in os.listdir(self._directory)]
        except OSError:
            return []
        return [path for path in paths if path != held]


def _lock(path: Path, flags: int, how: int) -> int | None:
    """A descriptor that holds the lock of a file; None if the file was removed meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o644)
    try:
        fcntl.flock(descriptor, how)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _remove(path: Path, descriptor: int) -> None:
    with suppress(OSError):
        path.unlink()
    os.close(descriptor)

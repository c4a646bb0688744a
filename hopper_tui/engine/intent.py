"""Intents: how the next command learns that one before it died between two stores.

A command that touches more than one store keeps a locked file in the home directory until it is
through. A file that nobody holds the lock of belongs to a dead command: its steps are repeated.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._held = (path, descriptor)

    def end(self) -> None:
        """The announced command is through."""
        if self._held is None:
            return
        path, descriptor = self._held
        self._held = None
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)

    def abandoned(self) -> list[Path]:
        """The intents of commands that died."""
        if self._directory is None or fcntl is None:
            return []
        dead = []
        try:
            names = os.listdir(self._directory)
        except OSError:
            return []
        for name in names:
            path = self._directory / name
            if (self._held is None or path != self._held[0]) and _unlocked(path):
                dead.append(path)
        return dead


def _unlocked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)

"""Inotify: what Linux tells of files that change in some directories, without a thread that looks
for news all the time."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence

_CHANGED = 0x2 | 0x40 | 0x80 | 0x100 | 0x200
"""IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE"""
_GONE = 0x400 | 0x800
"""IN_DELETE_SELF, IN_MOVE_SELF"""
_HEAD = struct.Struct("iIII")
_AT_ONCE = 1 << 16
"""Bytes read at once."""


class Inotify:
    """Watches directories until it is closed; raises OSError where one cannot be watched."""

    def __init__(self, directories: Sequence[str]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "inotify cannot be used")
        self._directories: dict[int, str] = {}
        for directory in directories:
            watch = libc.inotify_add_watch(self.fd, os.fsencode(directory), _CHANGED | _GONE)
            if watch < 0:
                error = ctypes.get_errno()
                self.close()
                raise OSError(error, os.strerror(error), directory)
            self._directories[watch] = directory

    def close(self) -> None:
        """Watch no more."""
        os.close(self.fd)

    def changed(self) -> tuple[set[str], bool]:
        """The files that changed since the last look, and whether a directory went away, or more
        happened than was kept."""
        files: set[str] = set()
        lost = False
        while data := self._read():
            at = 0
            while at < len(data):
                watch, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size + length
                name = os.fsdecode(data[at - length : at].rstrip(b"\0"))
                directory = self._directories.get(watch)
                if directory is None or mask & _GONE:
                    lost = True
                elif mask & _CHANGED:
                    files.add(os.path.join(directory, name))
        return files, lost

    def _read(self) -> bytes:
        try:
            return os.read(self.fd, _AT_ONCE)
        except BlockingIOError:
            return b""

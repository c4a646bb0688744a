"""What SQLite and the file system say when a store fails, in words a person can act on."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TYPE_CHECKING

from hopper_tui.model.errors import StorageError
from hopper_tui.store.gate import StoreDeleted

if TYPE_CHECKING:
    from pathlib import Path

LOCKED = "locked"
_BY_TEXT: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (("locked", "busy"), "is locked by another program", "Try again in a moment", LOCKED),
    (("readonly", "read-only"), "is read-only", "Make it writable, or work in another directory",
     "read-only"),
    (("full",), "cannot grow: the disk is full", "Free some space and try again", "full"),
    (
        ("not a database", "malformed", "corrupt"),
        "is damaged",
        "Keep a copy of it and put a backup in its place",
        "damaged",
    ),
    (("unable to open",), "cannot be opened",
     "Check that the directory exists and that you may write to it", "broken"),
    (("disk i/o",), "cannot be written: input/output error or a file size limit",
     "Check the disk, its quota and the file size limit (ulimit -f)", "broken"),
    (("no such table", "no such column"), "is not a complete Hopper database",
     "See: hopper doctor", "damaged"),
)  # fmt: skip
"""What SQLite says, what that means, what to do about it, and the state of the store in a word."""
_BY_ERRNO: dict[int, tuple[str, str]] = {
    errno.EACCES: ("is not yours to write", "Check its permissions, or set HOPPER_HOME"),
    errno.EPERM: ("is not yours to write", "Check its permissions, or set HOPPER_HOME"),
    errno.EROFS: ("is on a read-only file system", "Set HOPPER_HOME to a writable directory"),
    errno.ENOSPC: ("cannot grow: the disk is full", "Free some space and try again"),
    errno.EDQUOT: ("cannot grow: the quota is used up", "Free some space and try again"),
    errno.EFBIG: ("cannot grow: the file size limit is reached", "See: ulimit -f"),
    errno.EAGAIN: ("is held by another program", "Try again in a moment; see what runs: ps"),
    errno.EEXIST: ("is a file, not a directory", "Check the path"),
    errno.ENOENT: ("cannot be made here", "Check the path"),
    errno.ENOTDIR: ("is below a file, not a directory", "Check the path"),
}


def is_out_of_space(error: StorageError) -> bool:
    """Whether a store failed because there is no room on its disk."""
    cause = error.__cause__
    if isinstance(cause, OSError):
        return cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    text = str(cause).casefold()
    return isinstance(cause, sqlite3.OperationalError) and ("full" in text or "disk i/o" in text)


def _is_full(path: Path) -> bool:
    try:
        return os.statvfs(path.parent).f_bavail == 0
    except (OSError, AttributeError):
        return False


def storage_error(error: Exception, path: Path | None) -> StorageError:
    """The StorageError for what went wrong at `path` (None: a store in memory)."""
    place = "the store in memory" if path is None else str(path)
    if isinstance(error, StoreDeleted):
        return StorageError(f"{place} was removed", "See: hopper instance list", "gone")
    if isinstance(error, OSError) and error.errno in _BY_ERRNO:
        what, hint = _BY_ERRNO[error.errno]
        return StorageError(f"{error.filename or place} {what}", hint)
    text = str(error).lower()
    if "disk i/o" in text and path is not None and _is_full(path):
        return StorageError(f"{place} cannot grow: the disk is full", "Free some space, try again")
    if isinstance(error, sqlite3.Error):
        for words, what, hint, state in _BY_TEXT:
            if any(word in text for word in words):
                return StorageError(f"{place} {what}", hint, state)
    return StorageError(f"{place} cannot be used: {error}", "See: hopper doctor")

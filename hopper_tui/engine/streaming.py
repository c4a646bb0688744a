"""Streaming: the events of stores as they are recorded, though stores come and go.

Between two changes nothing is read but sizes and times of files: once when the file system tells
of a change, and once in a while in case it does not.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine.watching import SAFETY_NET_MS
from hopper_tui.model.clock import due_date, duration, stamp
from hopper_tui.model.errors import HopperError, Invalid
from hopper_tui.store.journaled import JournaledStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hopper_tui.engine.world import World
    from hopper_tui.model.event import Event
    from hopper_tui.store.protocol import Store

SETTLED = 0.1
"""Seconds; a file that changed more recently may change again within the same tick of its clock."""
_SOON_MS = 100
"""When to look again at such a file, in milliseconds."""


class Since(NamedTuple):
    """From where a stream begins: after an event by its number, or at a time."""

    seq: int | None = None
    at: str | None = None

    @classmethod
    def read(cls, text: str, now: float) -> Since:
        """A number of an event, `15m` ago, or a moment; raises Invalid."""
        word = text.strip()
        if word.isascii() and word.isdigit():
            return cls(seq=int(word))
        try:
            return cls(at=stamp(now - duration(word)))
        except Invalid:
            pass
        try:
            return cls(at=due_date(word, now))
        except Invalid:
            hint = "Write it as 15m, 2h, 2026-11-20, 2026-11-20T12:00Z or the number of an event"
            raise Invalid(f"{text!r} is no beginning of a stream", hint) from None


@dataclass(slots=True)
class _Source:
    """A store that is followed: up to which event it was told, and how its files looked then."""

    store: Store
    after: int
    since: str
    """What was recorded before that time is not told, for events without a known number."""
    identity: int | None = None
    mark: tuple[object, ...] | None = field(default=None)

    def fresh(self, world: World) -> list[Event]:
        """What was recorded since the last call; nothing while the store is not there."""
        mark = self._look()
        if mark is None:
            self._let_go()
            return []
        if mark == self.mark:
            return []
        if isinstance(self.store, JournaledStore):  # take in what git brought, as any command does
            world._settle_absorbed(self.store)
            self.identity = self.identity or _inode(self.store.path)
        found = self.store.events(after=self.after)
        self.mark = mark if _is_settled(mark) else None
        self.after = max([self.after, *(event.seq for event in found)])
        return [event for event in found if event.at >= self.since]

    def _look(self) -> tuple[object, ...] | None:
        """How the files of the store look, None when there is no store."""
        path, journal = self.store.path, None
        if path is None:
            return None
        if isinstance(self.store, JournaledStore):
            journal = self.store.journal.directory
            if not (journal.parent / "hopper.yaml").is_file():
                return None
        elif not path.exists():
            return None
        inode = _inode(path)
        if self.identity is not None and inode != self.identity:  # made anew since
            self._let_go()
        self.identity = inode
        months = [] if journal is None else [journal, *sorted(journal.glob("*/"))]
        return (_stamp(path), _stamp(Path(f"{path}-wal")), *(_stamp(month) for month in months))

    def _let_go(self) -> None:
        """Forget a store that is gone; one that comes in its place is told from now on."""
        if self.identity is not None:
            self.store.close()
            self.identity, self.mark, self.after = None, None, 0
            self.since = stamp(time.time())


def _inode(path: Path | None) -> int | None:
    with suppress(OSError):
        return None if path is None else path.stat().st_ino
    return None


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file, zeros for none and for an empty one, as readers make and remove."""
    with suppress(OSError):
        found = os.stat(path)
        if found.st_size:
            return (found.st_size, found.st_mtime_ns)
    return (0, 0)


def _is_settled(mark: Iterable[object]) -> bool:
    newest = max(stamped[1] for stamped in mark if isinstance(stamped, tuple))
    return time.time() - newest / 1e9 > SETTLED

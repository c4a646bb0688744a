"""Noticing: whether a store was changed since somebody last looked, whoever changed it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine import watching
from hopper_tui.model.errors import HopperError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from hopper_tui.engine.world import World
    from hopper_tui.store.protocol import Store

IN_TURN = 16
"""At so many stores that are not kept open is looked at a time."""
IN_FLIGHT = 1.0
"""Seconds after which a commit that began to write is taken to have ended."""


class _Look(NamedTuple):
    """What a look found: the database's files, how often its open connection saw it change, and
    all else that belongs to the store."""

    files: Hashable
    version: tuple[int, int] | None
    others: Hashable


class Notices:
    """What was seen of each store at the last look; opens no database, for there may be hundreds.

    A commit writes to a file first, syncs it, and counts only after that. So where a connection is
    open, it says whether there is anything new; where none is, a file that was written to just now
    is news once more, a moment later.
    """

    def __init__(self) -> None:
        self._last: dict[Store, _Look] = {}

    def is_news(self, store: Store) -> bool:
        """Whether a store was changed since the last look; the first look is news."""
        last = self._last.get(store)
        now = self._look(store)
        if last is None or now.others != last.others:
            changed = True
        elif now.version is None:
            changed = now.files != last.files
        elif last.version is None or now.version[0] != last.version[0]:  # opened to be read
            changed = now.files != last.files or now.version[1] > 0
        else:
            changed = now.version != last.version
        if changed or last is None:
            settled = now.files if _is_settled(store) else None
            self._last[store] = now._replace(files=settled)
        else:
            self._last[store] = last._replace(version=now.version)
        return changed

    def _look(self, store: Store) -> _Look:
        files = watching.files(store)  # first: what comes after it is news at the next look
        try:
            return _Look(files, store.version, watching.others(store))
        except HopperError as error:
            return _Look(files, None, error.message)


def _is_settled(store: Store) -> bool:
    """Whether whoever wrote to a database last must be through with it."""
    return not 0 <= time.time() - watching.written_at(store) < IN_FLIGHT


class News:
    """Counts the changes of the stores that a world used."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._notices = Notices()
        self._count = 0
        self._turn = 0

    def count(self, everywhere: bool) -> int:
        """See `World.revision`."""
        world = self._world
        for store in list(world.places.opened()):
            store.let_go()
            if store.travels:
                with world.lock, suppress(HopperError):  # as where nothing can be written
                    world.absorb(store)
        with world.lock:
            for store in world.places.used() if everywhere else self._some_used():
                self._count += self._notices.is_news(store)
        return self._count

    def _some_used(self) -> list[Store]:
        """The stores kept open, and the next few of those that are not."""
        kept = set(self._world.places.opened())
        others = [store for store in self._world.places.used() if store not in kept]
        begin = self._turn if self._turn < len(others) else 0
        self._turn = begin + IN_TURN
        return [*kept, *others[begin : self._turn]]

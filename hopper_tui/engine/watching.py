"""Watching: the events of a hopper as they are recorded, by whichever process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hopper_tui.model.event import Event
    from hopper_tui.store.protocol import Store

MEMORY_PAUSE = 0.02
"""Seconds between looks at a store in memory, which no file announces."""
SAFETY_NET_MS = 1000
"""A change that the file system does not announce is seen after so many milliseconds."""


def events(store: Store, after: int | None) -> Iterator[Event]:
    """Events recorded after sequence number `after` (None: from now on), forever, as they come."""
    if after is None:
        newest = store.events(newest=True, limit=1)
        after = newest[0].seq if newest else 0
    while True:
        revision = store.revision()
        for event in store.events(after=after):
            after = event.seq
            yield event
        _wait(store, revision)


def _wait(store: Store, revision: int) -> None:
    """Return when the store has another revision."""
    if store.path is None:
        while store.revision() == revision:
            time.sleep(MEMORY_PAUSE)
        return
    from watchfiles import watch

    changes = watch(
        store.path.parent,
        step=20,
        debounce=100,
        recursive=False,
        rust_timeout=SAFETY_NET_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    for _ in changes:
        if store.revision() != revision:
            return

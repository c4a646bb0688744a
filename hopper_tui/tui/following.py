"""Following: keeps a screen in step with stores that others change, unless it is held still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

if TYPE_CHECKING:
    from hopper_tui.tui.working import WorkingScreen

PAUSES = (0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512)
"""Seconds between looks after a file was written to, while there is nothing new: a disk takes as
long to sync. Later ones come with the regular look."""


class Following:
    """Has the session look at the stores whenever their files change."""

    def __init__(self, screen: WorkingScreen) -> None:
        self._screen = screen
        self.watched: frozenset[tuple[str, int]] = frozenset()
        self.is_paused = False
        self.has_missed = False

    def watch(self) -> None:
        """Watch the directories of all stores there are now."""
        if self._screen.app.is_running:  # nothing is begun while the program ends
            self._begin("watch-paths", self._watch_stores)

    def _begin(self, group: str, job: Callable[[], Coroutine[Any, Any, None]]) -> Worker[None]:
        """Run a job in place of the one before it; no coroutine is made of one that never runs."""
        return self._screen.run_worker(job, group=group, exclusive=True)

    async def _watch_stores(self) -> None:
        from hopper_tui.tui.watch import identities

        paths = await self._screen.session.watch_paths()
        found = identities(paths)
        if found != self.watched:
            self.watched = found
            if found:
                self._begin("watch", partial(self._follow, found))

    async def _follow(self, directories: frozenset[tuple[str, int]]) -> None:
        from hopper_tui.tui.watch import changes

        async for _ in changes([path for path, _ in directories]):
            self._begin("look", self._look)
            self.watch()  # a month's folder may have come or gone
        self.watched = frozenset()  # one is gone: the next look at the tree watches the others

    async def _look(self) -> None:
        """Look until there is something to see: a commit writes to a file some time before it
        counts."""
        for pause in PAUSES:
            if await self._screen.session.look():
                return
            await asyncio.sleep(pause)

    def takes(self) -> bool:
        """Whether a change is to be shown now; one that is not is remembered."""
        self.has_missed = self.is_paused
        return not self.is_paused

    def pause(self) -> bool:
        """Hold the screen still, or go on; whether there is something to catch up with."""
        self.is_paused = not self.is_paused
        missed, self.has_missed = self.has_missed, False
        return missed

"""Arriving: what a world does before its first use, and what git brought meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hopper_tui.model.errors import HopperError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.engine.places import Project
    from hopper_tui.engine.world import World
    from hopper_tui.store.protocol import Store

_SEEN = "journal:"
"""Under this local name of the home stands which journal files of a project were seen last."""


class Arrivals:
    """Lets in what was left or brought while a world was not there; what cannot be let in is a
    warning."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_settled = False
        self._all_absorbed = False

    def settle(self) -> None:
        """Before the first use: finish what a dead command left, register the project around."""
        if self._is_settled:
            return
        self._is_settled = True
        world = self._world
        with world.lock:
            around = world.places.around
            if around is not None:
                self._register(around)
            try:
                with world.intents.abandoned() as dead:
                    if dead:
                        self._finish(dead)
            except HopperError as error:  # the next command tries again
                world.warnings.append(f"an earlier command is not finished: {error.message}")
            if around is not None:
                self._absorb(around)

    def _register(self, project: Project) -> None:
        try:
            self._world.places.register(project)
        except HopperError as error:  # the project works without its home
            self._world.warnings.append(f"not registered: {error.message}")

    def _finish(self, commands: Sequence[str]) -> None:
        """Do what dead commands left undone."""
        from hopper_tui.engine import ending, flow, undo

        world = self._world
        for command in commands:
            undo.finish(world, command)
        with world.command("reconcile"):
            flow.reconcile(world)
            ending.finish(world)

    def _absorb(self, project: Project) -> None:
        """Take in what git brought to a project, and let it take its way through the hoppers."""
        warnings = self._world.warnings
        try:
            store = self._world.places.store_of(project)
            if store.travels:
                self.absorb(store)
        except HopperError as error:
            if error.message not in warnings:
                warnings.append(error.message)

    def absorb(self, store: Store) -> None:
        """Take in what git brought to a store that travels; raises HopperError."""
        world, found = self._world, store.absorb()
        world.warnings += found.notices
        if found.changed or store.unsettled():
            from hopper_tui.engine import flow

            with world.command("absorb"):
                flow.drive(world, [store])
        if store.conflicts("claim"):  # who lost one may come when others have seen it
            from hopper_tui.engine import conflicts

            conflicts.contested(world, store)
        if found.changed:
            from hopper_tui.engine import recovering
            from hopper_tui.store.journaled import JournaledStore

            if isinstance(store, JournaledStore):
                recovering.warn_of_loss(world, store)

    def absorb_all(self) -> None:
        """Take in what git brought to any project, for who looks from above: once, and only where
        the names of the journal's files are others than they were."""
        if self._all_absorbed:
            return
        self._all_absorbed = True
        places = self._world.places
        home = places.home_store
        seen = home.locals(_SEEN)
        for project in places.projects().values():
            if project.root is None or not project.root.is_dir():
                continue
            mark = places.journal_mark(project)
            if seen.get(_SEEN + project.id) != mark:
                self._absorb(project)
                with suppress(HopperError):
                    home.set_local(_SEEN + project.id, mark)

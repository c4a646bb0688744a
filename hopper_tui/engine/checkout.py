"""The checkout: which branch a project's tasks are on, and what of them no commit holds yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hopper_tui.journal.replica import checkout_of
from hopper_tui.model.errors import HopperError, NotAllowed
from hopper_tui.store.journaled import JournaledStore

if TYPE_CHECKING:
    from hopper_tui.engine.world import World


@dataclass(frozen=True, slots=True)
class CheckoutState:
    """Where a project's tasks stand: `branch` None outside of git, `uncommitted` counts events,
    `conflicts` those that want attention."""

    branch: str | None = None
    uncommitted: int = 0
    conflicts: int = 0


def journaled(world: World, ref: str | None = None) -> JournaledStore:
    """The store of a project whose tasks travel in git: of the one named, or of the one we are
    in. Raises NotAllowed for any other hopper."""
    store = world.store(world.hopper(ref).id)
    if not isinstance(store, JournaledStore):
        raise NotAllowed(
            f"the tasks of {world.hopper(ref).name} do not travel in git",
            "Go to the directory of a project; make one with: hopper init",
        )
    return store


def state(world: World, instance: str) -> CheckoutState:
    """Where the tasks of an instance stand; all zero for one that does not travel."""
    try:
        store = world.store(instance)
    except HopperError:
        return CheckoutState()
    if not isinstance(store, JournaledStore):
        return CheckoutState()
    conflicts = sum(conflict.wants_attention for conflict in store.conflicts())
    where = checkout_of(store.journal.directory.parent)
    if where is None:
        return CheckoutState(conflicts=conflicts)
    return CheckoutState(where.branch, uncommitted_events(store), conflicts)


def uncommitted_files(store: JournaledStore) -> list[str]:
    """The names of the journal files that no commit on this branch holds."""
    from hopper_tui.journal import git

    if checkout_of(store.journal.directory.parent) is None:
        return []
    return git.untracked(store.journal.directory)


def uncommitted_events(store: JournaledStore) -> int:
    """How many events no commit on this branch holds."""
    return sum(len(store.journal.read(name).records) for name in uncommitted_files(store))

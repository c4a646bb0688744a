"""The checkout: which branch a project's tasks are on, and what of them no commit holds yet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.journal.files import parse
from hopper_tui.journal.replica import Checkout, checkout_of, worktrees
from hopper_tui.model.errors import HopperError, NotAllowed, StorageError
from hopper_tui.store.journaled import JournaledStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hopper_tui.engine.world import World
    from hopper_tui.journal.files import Journal
    from hopper_tui.journal.record import Record
    from hopper_tui.store.protocol import Store

COMPANIONS = ("hopper.yaml", "format.json", ".gitignore", "README.md", "journal/.keep")
"""What `hopper init` made beside the journal's files; it goes along while git does not know it."""
PREFIX = "journal/"
"""Where the journal is in a project's `.hopper/`, to which the paths here are relative."""


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


def require_checkout(journal: Journal) -> Checkout:
    """The working tree that a journal is in; raises NotAllowed outside of git."""
    root = journal.directory.parent.parent
    checkout = checkout_of(root)
    if checkout is None:
        raise NotAllowed(
            f"{root} is in no git repository",
            "Make it one with: git init; the tasks are kept either way",
        )
    return checkout


def state(world: World, instance: str) -> CheckoutState:
    """Where the tasks of an instance stand; all zero for one that does not travel.

    Where git gives no answer that is a warning, and nothing is counted.
    """
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
    try:
        uncommitted = len(pending_of(store).records)
    except StorageError as error:
        if error.message not in world.warnings:
            world.warnings.append(error.message)
        uncommitted = 0
    return CheckoutState(where.branch, uncommitted, conflicts)


class Pending(NamedTuple):
    """What no commit on this branch holds yet, and what the last one holds in vain.

    `new` are paths that it lacks, `records` the events in them that it lacks, by id. `gone` are
    its files that are not here any more, as all of their events are in others; `lost` are those
    whose events are nowhere else.
    """

    new: tuple[str, ...]
    gone: tuple[str, ...]
    lost: tuple[str, ...]
    records: Mapping[str, Record]

    @property
    def paths(self) -> tuple[str, ...]:
        """What the next commit takes."""
        return self.new + self.gone


def pending_of(store: JournaledStore) -> Pending:
    """What of a project no commit on this branch holds; raises StorageError for git."""
    from hopper_tui.journal import git

    journal, directory = store.journal, store.journal.directory.parent
    committed = git.committed(directory)
    here = {PREFIX + name for name in journal.names()}
    new = [path for path in COMPANIONS if path not in committed and (directory / path).is_file()]
    new += sorted(here - committed.keys())
    vanished = sorted(
        path for path in committed.keys() - here
        if path.startswith(PREFIX) and path.endswith(".jsonl")
    )  # fmt: skip
    gone: list[str] = []
    packed: set[str] = set()
    if vanished:
        present = store.present_ids()
        objects = [committed[path] for path in vanished]
        for path, data in zip(vanished, git.blobs(directory, objects), strict=True):
            ids = {record.id for record in parse(path, data).records}
            if ids <= present:
                gone.append(path)
                packed |= ids
    records = {
        record.id: record
        for path in new if path.endswith(".jsonl")
        for record in journal.read(path.removeprefix(PREFIX)).records
        if record.id not in packed
    }  # fmt: skip
    lost = tuple(path for path in vanished if path not in gone)
    return Pending(tuple(new), tuple(gone), lost, records)


def run_is_beside(store: Store, run: str) -> bool:
    """Whether a run, or the run that a phase belongs to, is one of another worktree."""
    if not isinstance(store, JournaledStore) or store.path is None:
        return False
    where = checkout_of(store.path.parent)
    if where is None:
        return False
    inside = os.path.relpath(store.path.parent / "runs", where.top)
    runs = [path.stem for top in worktrees(where) for path in (top / inside).glob("*.db")]
    return any(run == name or run.startswith(f"{name}-") for name in runs)

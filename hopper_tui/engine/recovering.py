"""Recovering: own events that were removed from the journal before any commit held them.

A copy of every own journal file is kept beside git's own files. Of a copy whose file is gone, an
event is lost when it is in no other file here, in no other worktree and in no commit.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.journal import files
from hopper_tui.journal.files import Journal
from hopper_tui.journal.record import Record
from hopper_tui.journal.replica import checkout_of, worktrees
from hopper_tui.model.clock import seconds
from hopper_tui.model.errors import HopperError
from hopper_tui.model.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hopper_tui.engine.world import World
    from hopper_tui.journal.files import Content
    from hopper_tui.journal.replica import Checkout
    from hopper_tui.store.journaled import JournaledStore

MARGIN = 86400.0
"""Seconds before the oldest lost event from which on commits are looked at: clocks were moved."""
MANY = 200
"""With so many copies it is worth asking git which of them a commit holds."""
_ID = re.compile(rb'"id":"([0-9a-f]{32})"')
_TOLD = "told:lost:"


class Loss(NamedTuple):
    """What was removed before it was committed: the names of the copies, and their events that
    are nowhere else, oldest first, with their lines."""

    names: tuple[str, ...] = ()
    events: tuple[tuple[Record, bytes], ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The ids of the tasks that the events are about."""
        return tuple(dict.fromkeys(r.key for r, _ in self.events if r.entity == "task"))

    @property
    def sentence(self) -> str:
        """`3 changes of 2 tasks were removed before they were committed`."""
        changes = counted(len(self.events), "change")
        tasks = f" of {counted(len(self.tasks), 'task')}" if self.tasks else ""
        many = len(self.events) != 1
        removed = "were removed before they were" if many else "was removed before it was"
        return f"{changes}{tasks} {removed} committed"


def lost(store: JournaledStore) -> Loss:
    """The own events that were removed before a commit held them.

    Costs two listings while every file that a copy is kept of is here. Copies that a branch holds
    are dropped on the way.
    """
    kept = store.clone.kept()
    if len(kept) > MANY:
        kept -= drop_committed(store, kept)
    missing = kept - store.journal.names()
    if not missing:
        return Loss()
    checkout = checkout_of(store.journal.directory.parent)
    beside = [] if checkout is None else _journals_beside(store, checkout)
    missing = {name for name in missing if not any(journal.has(name) for journal in beside)}
    copies = {name: _copy(store, name) for name in sorted(missing)}
    here = store.present_ids()
    copies = {name: copy for name, copy in copies.items() if _ids(copy) - here}
    if copies and checkout is not None:
        try:
            copies = _never_committed(store, copies, here)
        except HopperError:  # git cannot say, so nothing is said to be lost
            return Loss()
    if not copies:
        return Loss()
    known = here.union(*(_ids_in(journal, store.replica) for journal in beside))
    events: dict[str, tuple[Record, bytes]] = {}
    gone = []
    for name, copy in copies.items():
        fresh = {
            r.id: (r, line)
            for r, line in zip(copy.records, copy.lines, strict=True)
            if r.id not in known
        }
        if fresh:
            gone.append(name)
            events |= fresh
    return Loss(tuple(gone), tuple(sorted(events.values(), key=lambda each: each[0].order)))


def recover(store: JournaledStore) -> tuple[Loss, str | None]:
    """Write the lost events into a journal file of a fresh name; returns them and the name, which
    is None when nothing was lost."""
    loss = lost(store)
    name = store.add_lines([line for _, line in loss.events])
    if name is not None:
        store.clone.let_go(loss.names)
    drop_committed(store, store.clone.kept())
    return loss, name


def titles(store: JournaledStore, loss: Loss) -> dict[str, str]:
    """The titles of the tasks that were lost something, as far as they are known."""
    known = {task.id: task.title for task in store.tasks(loss.tasks)}
    told = {
        r.key: title
        for r, _ in loss.events
        if r.entity == "task" and isinstance(title := r.patch.set.get("title"), str)
    }
    return told | known


def warn_of_loss(world: World, store: JournaledStore) -> None:
    """Say, once, that own changes were removed before they were committed."""
    with suppress(HopperError, OSError):
        loss = lost(store)
        mark = _TOLD + files.fingerprint(loss.names)
        if loss.names and store.local(mark) is None:
            store.set_local(mark, "1")
            world.warnings.append(f"{loss.sentence}; bring them back: hopper recover")


def drop_committed(store: JournaledStore, kept: Iterable[str]) -> set[str]:
    """Drop the copies of files that are here and that the present commit holds; returns their
    names."""
    from hopper_tui.journal import git

    if checkout_of(store.journal.directory.parent) is None:
        return set()
    with suppress(HopperError):
        done = set(kept) & store.journal.names() - set(git.untracked(store.journal.directory))
        store.clone.let_go(done)
        return done
    return set()


def _never_committed(
    store: JournaledStore, copies: dict[str, Content], here: set[str]
) -> dict[str, Content]:
    """Those copies with events that no commit holds, under whatever name.

    A copy is dropped when a branch or a tag holds all of it; the stash and the reflogs may be
    emptied without a word, so what only they hold is not lost, but the copy stays.
    """
    from hopper_tui.journal import git

    journal, names = store.journal.directory, store.journal.names()
    oldest = min(seconds(r.at) for copy in copies.values() for r in copy.records)
    for commits, lasting in ((git.LASTING, True), (git.ANYWHERE, False)):
        brought = git.added(journal, oldest - MARGIN, commits)
        held = copies.keys() & brought.keys()
        rest = {name: copy for name, copy in copies.items() if name not in held}
        if rest:
            blobs = [
                blob
                for name, found in brought.items()
                if name not in names and files.replica_of(name) in (store.replica, None)
                for blob in found
            ]
            known = here.union(*map(_ids_of, git.blobs(journal, blobs)))
            held |= {name for name, copy in rest.items() if not _ids(copy) - known}
        if lasting:
            store.clone.let_go(held)
        copies = {name: copy for name, copy in copies.items() if name not in held}
        if not copies:
            break
    return copies


def _copy(store: JournaledStore, name: str) -> Content:
    try:
        return files.parse(name, store.clone.copy_of(name))
    except OSError:
        return files.parse(name, b"")


def _ids(copy: Content) -> set[str]:
    return {r.id for r in copy.records}


def _ids_of(content: bytes) -> set[str]:
    return {found.decode() for found in _ID.findall(content)}


def _ids_in(journal: Journal, replica: str) -> set[str]:
    """The ids in those files of a journal that may hold events of this clone."""
    found: set[str] = set()
    for name in journal.names():
        if files.replica_of(name) in (replica, None):
            with suppress(OSError):
                found |= _ids_of(Path(journal.path(name)).read_bytes())
    return found


def _journals_beside(store: JournaledStore, checkout: Checkout) -> list[Journal]:
    """The journals of the same project in the other worktrees of this clone."""
    inside = store.journal.directory.relative_to(checkout.top)
    return [Journal(top / inside) for top in worktrees(checkout)]

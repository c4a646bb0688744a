"""Differing: what became of a project's tasks between two states of its journal.

A state is a commit or the checkout. Files that both have are not taken apart but for the lines
about entities that the others are about, so a long history costs little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine.checkout import require_checkout
from hopper_tui.journal import files
from hopper_tui.journal.fold import fold
from hopper_tui.journal.rules import SETS
from hopper_tui.model import ids
from hopper_tui.model.errors import NotAllowed
from hopper_tui.store.tables import TABLES

if TYPE_CHECKING:
    from hopper_tui.journal.files import Journal
    from hopper_tui.journal.record import Record


_FOLDER = ".hopper/journal"
_KEY = re.compile(rb'"entity":"task".*?"key":"([0-9a-z-]+)"')
_NOTE = "task.note"
_SILENT = frozenset({
    "id", "created_at", "instance", "parent_task", "root_task", "origin", "attempts", "waiting",
    "started_at", "completed_at", "status", "source", "lease_expires_at",
})  # fmt: skip
"""Fields whose change says nothing to a reader, or that is told in another way."""


class Place(NamedTuple):
    """Where git is asked, and the path of the journal within the repository; `journal` is the one
    of the checkout, None in a bare repository."""

    directory: Path
    folder: str
    journal: Journal | None

    @classmethod
    def of(cls, journal: Journal) -> Place:
        """That of the journal of a project; raises NotAllowed outside of git."""
        from hopper_tui.journal import git

        checkout = require_checkout(journal)
        return cls(checkout.top, git.folder_of(journal.directory), journal)

    @classmethod
    def bare(cls, directory: Path) -> Place | None:
        """That of a bare repository, None where there is none."""
        from hopper_tui.journal import git

        code, output = git.run(directory, "rev-parse", "--is-bare-repository", check=False)
        return cls(directory, _FOLDER, None) if not code and output.strip() == b"true" else None


class Values(NamedTuple):
    """A field before and after."""

    before: Any
    after: Any


class Elements(NamedTuple):
    """What came into a set and what left it."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one task: `word` is "added", "removed", "changed", or the status it came to.

    `state` are its fields as they are then, before if it was removed. `notes` and `events` count
    what was recorded, `actors` are those who did.
    """

    task: str
    short_id: str
    title: str
    word: str
    state: Mapping[str, Any]
    fields: Mapping[str, Values]
    sets: Mapping[str, Elements]
    notes: int
    events: int
    actors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes from one state to another; `new` None is the checkout, `old` None nothing."""

    old: str | None
    new: str | None
    changes: tuple[Change, ...]


def differ(place: Place, span: str | None, mark: str = "") -> Difference:
    """What became of the tasks over a span.

    `A...B` is from where B left A to B, `A..B` from A to B, `A` from A to the checkout, and None
    from the newest commit, if there is one, to the checkout. `mark` stands before the ids shown.
    Raises StorageError for what is no commit.
    """
    old, new = _ends(place, span)
    before = _listing(place, old) if old else {}
    after = _listing(place, new) if new else _checkout_listing(place, before)
    changes = _changes(place, before, after, mark)
    return Difference(old, new, tuple(changes))


def _ends(place: Place, span: str | None) -> tuple[str | None, str | None]:
    from hopper_tui.journal import git

    def commit(name: str) -> str:
        return git.commit_of(place.directory, name or "HEAD")

    text = span or ""
    for dots in ("...", ".."):
        one, found, other = text.partition(dots)
        if found:
            old, new = commit(one), commit(other)
            return (git.merge_base(place.directory, old, new) if dots == "..." else old), new
    if place.journal is None:
        raise NotAllowed("there is no checkout here", "Compare two commits: hopper diff A...B")
    if not text and not git.has_commits(place.directory):
        return None, None
    return commit(text), None


_Listing = dict[str, str | None]
"""The files of a state and their blobs; None stands for the file in the checkout."""


def _listing(place: Place, commit: str) -> _Listing:
    from hopper_tui.journal import git

    return dict(git.listing(place.directory, commit, place.folder))


def _checkout_listing(place: Place, before: _Listing) -> _Listing:
    """The files of the checkout; a file is never written twice, so one of a name that the other
    state has is the same."""
    assert place.journal is not None
    return {name: before.get(name) for name in place.journal.names()}


def _changes(place: Place, before: _Listing, after: _Listing, mark: str) -> Iterator[Change]:
    shared = {name for name in before.keys() & after.keys() if before[name] == after[name]}
    own = [
        _events(_contents(place, {n: b for n, b in side.items() if n not in shared}))
        for side in (before, after)
    ]
    differing = own[0].keys() ^ own[1].keys()
    records = own[0] | own[1]
    touched = {records[i].key for i in differing if records[i].entity == "task"}
    every = {records[i].key for i in records if records[i].entity == "task"}
    common: dict[str, Record] = {}
    if touched:
        contents = dict(_contents(place, {name: before[name] for name in shared}))
        mentioned = {name: set(_KEY.findall(data)) for name, data in contents.items()}
        wanted = {key.encode() for key in touched}
        common = _events((n, d) for n, d in contents.items() if mentioned[n] & wanted)
        every.update(key.decode() for found in mentioned.values() for key in found)
    sides = [_by_task(common | side, touched) for side in own]
    lengths = _lengths(every)
    fresh = _by_task({i: own[1][i] for i in own[1].keys() - own[0].keys()}, touched)
    made = []
    for key in touched:
        short = mark + key[: lengths[key]]
        change = _change(key, short, sides[0], sides[1], fresh.get(key, []))
        if change is not None:
            first = min(r.order for r in [*sides[1].get(key, ()), *sides[0].get(key, ())])
            made.append((_RANK.get(change.word, 1), first, change))
    yield from (change for _, _, change in sorted(made, key=lambda each: each[:2]))


_RANK = {"added": 0, "removed": 2}
"""The order in which changes are told; all others come between."""


def _contents(place: Place, listing: Mapping[str, str | None]) -> Iterator[tuple[str, bytes]]:
    from hopper_tui.journal import git

    kept = {name: blob for name, blob in listing.items() if blob is not None}
    yield from zip(kept, git.blobs(place.directory, list(kept.values())), strict=True)
    for name in listing.keys() - kept.keys():
        assert place.journal is not None
        content = place.journal.read(name)
        yield name, files.content(content.lines)


def _events(contents: Iterable[tuple[str, bytes]]) -> dict[str, Record]:
    return {r.id: r for name, data in contents for r in files.parse(name, data).records}


def _by_task(events: Mapping[str, Record], keys: set[str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in events.values():
        if record.entity == "task" and record.key in keys:
            found.setdefault(record.key, []).append(record)
    return found


def _lengths(keys: Iterable[str]) -> dict[str, int]:
    """The shortest unambiguous prefix length of each key."""
    ordered = sorted(keys)
    lengths = dict.fromkeys(ordered, ids.SHORT_LENGTH)
    for one, other in pairwise(ordered):
        shared = next(
            (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one)
        )
        for key in (one, other):
            lengths[key] = max(lengths[key], shared + 1)
    return lengths


def _change(
    key: str,
    short: str,
    before: Mapping[str, list[Record]],
    after: Mapping[str, list[Record]],
    fresh: list[Record],
) -> Change | None:
    """How a task differs; None when nothing that is told does."""
    old = fold("task", before.get(key, ())).state
    new = fold("task", after.get(key, ())).state
    if old is None and new is None:
        return None
    one, two = ({**TABLES["task"].defaults, **(state or {})} for state in (old, new))
    fields: dict[str, Values] = {}
    sets: dict[str, Elements] = {}
    for name in sorted(one.keys() | two.keys()):
        was, now = one.get(name), two.get(name)
        if was == now:
            continue
        if name in SETS["task"]:
            had, has = tuple(was or ()), tuple(now or ())
            sets[name] = Elements(
                tuple(e for e in has if e not in had), tuple(e for e in had if e not in has)
            )
        elif name == "status" or name not in _SILENT:
            fields[name] = Values(was, now)
    word = _word(old, new)
    if word == "changed" and not (fields or sets) and not _notes(fresh):
        return None
    fresh.sort(key=lambda r: r.order)
    state = one if new is None else two
    return Change(
        key, short, str(state.get("title") or key), word, state,
        fields if word not in ("added", "removed") else {},
        sets if word not in ("added", "removed") else {},
        _notes(fresh), len(fresh), tuple(dict.fromkeys(r.actor for r in fresh)),
    )  # fmt: skip


def _word(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    was, now = (str(state.get("status") or "pending") for state in (old, new))
    if was == now:
        return "changed"
    return "reopened" if now == "pending" and was in ("done", "failed", "cancelled") else now


def _notes(fresh: Iterable[Record]) -> int:
    return sum(r.kind == _NOTE for r in fresh)

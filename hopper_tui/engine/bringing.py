"""Bringing: a task of another branch made a task of this checkout, by copying its events.

An event keeps its id wherever it stands, so merging the branch later changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.journal import files
from hopper_tui.journal.fold import fold
from hopper_tui.journal.record import Record
from hopper_tui.journal.replica import checkout_of
from hopper_tui.model import ids
from hopper_tui.model.errors import AmbiguousId, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hopper_tui.store.journaled import JournaledStore

Line = tuple[Record, bytes]
Place = tuple[str, str]


class Brought(NamedTuple):
    """What came here: the task asked for, the tasks it waits for, and how many events. None came
    when the task was here already."""

    task: str
    title: str
    others: tuple[str, ...]
    events: int


def bring(store: JournaledStore, ref: str, source: str | None = None) -> Brought:
    """Bring a task into this checkout, with its hops and whatever it waits for.

    Looks into `source` (a branch, a tag, a commit), else among what was seen here before, else
    into all branches, the local ones first. Raises NotFound, AmbiguousId, Invalid, StorageError.
    """
    prefix = ids.read_key(ref)
    if prefix is None:
        raise Invalid(f"{ref!r} is not the id of a task", "See: hopper list --all")
    if source is None:
        here = _here(store, prefix)
        if len(here) == 1 and not store.elsewhere(prefix):
            return Brought(here[0], _title(store, here[0]), (), 0)
        sources: list[Callable[[], Iterable[Line]]] = [
            store.absent_lines,
            lambda: _on_branches(store),
        ]
    else:
        sources = [lambda: _at(store, source)]
    for lines in sources:
        known = _by_place(lines())
        key = _chosen(store, known, prefix, ref)
        if key is not None:
            return _copy(store, known, key)
    where = f"in {source}" if source else "on any branch"
    hint = "Get what others have: git fetch"
    if checkout_of(store.journal.directory.parent) is None:
        where, hint = "and no git to look into", "See: hopper list --all"
    raise NotFound(f"there is no task {ref!r} {where}", hint)


def _here(store: JournaledStore, prefix: str) -> list[str]:
    """The tasks of this checkout that were also created in it."""
    return [
        task.id
        for task in store.tasks_by_prefix(prefix, 2)
        if any("id" in event.patch.set for event in store.events(key=task.id))
    ]


def _title(store: JournaledStore, key: str) -> str:
    task = store.task(key)
    return task.title if task else key


def _on_branches(store: JournaledStore) -> Iterator[Line]:
    """The events of all branches, those that each of their journals has alone."""
    from hopper_tui.journal import git

    journal = store.journal.directory
    checkout = checkout_of(journal.parent)
    if checkout is None:
        return
    trees = git.trees(checkout.top, git.branches(checkout.top), git.folder_of(journal))
    blobs: dict[str, str] = {}
    for tree in dict.fromkeys(trees.values()):
        blobs = git.listing(checkout.top, tree) | blobs
    yield from _read(zip(blobs, git.blobs(checkout.top, list(blobs.values())), strict=True))


def _at(store: JournaledStore, source: str) -> Iterator[Line]:
    from hopper_tui.journal import git

    return _read(git.show(store.journal.directory, source).items())


def _read(contents: Iterable[tuple[str, bytes]]) -> Iterator[Line]:
    for name, data in contents:
        found = files.parse(name, data)
        yield from zip(found.records, found.lines, strict=True)


def _by_place(lines: Iterable[Line]) -> dict[Place, dict[str, Line]]:
    """Events by what they are about."""
    known: dict[Place, dict[str, Line]] = {}
    for record, line in lines:
        known.setdefault((record.entity, record.key), {})[record.id] = (record, line)
    return known


def _chosen(
    store: JournaledStore, known: dict[Place, dict[str, Line]], prefix: str, ref: str
) -> str | None:
    """The one task that a prefix means."""
    titles = {
        key: str(state.get("title") or key)
        for (entity, key), lines in known.items()
        if entity == "task" and key.startswith(prefix)
        for state in [fold("task", (record for record, _ in lines.values())).state or {}]
    }
    if len(titles) > 1:
        raise AmbiguousId(
            f"{ref!r} could be {len(titles)} tasks",
            sorted(titles.items()),
            "Type one character more",
        )
    return next(iter(titles), None)


def _copy(store: JournaledStore, known: dict[Place, dict[str, Line]], key: str) -> Brought:
    """Write the events that are not here of a task and of what belongs to it."""
    hops: dict[str, list[str]] = {}
    for (entity, hop), lines in known.items():
        if entity == "delegation":
            for record, _ in lines.values():
                if isinstance(task := record.patch.set.get("task"), str):
                    hops.setdefault(task, []).append(hop)
    here = store.present_ids()
    wanted: dict[str, Line] = {}
    tasks: dict[str, bool] = {}
    open_ = [("task", key)]
    while open_:
        place = open_.pop()
        lines = known.get(place, {})
        if place[0] == "task":
            if place[1] in tasks:
                continue
            tasks[place[1]] = any(i not in here for i in lines)
            open_ += [("delegation", hop) for hop in hops.get(place[1], ())]
            open_ += [needed for record, _ in lines.values() for needed in _needs(store, record)]
        wanted |= {i: line for i, line in lines.items() if i not in here}
    ordered = sorted(wanted.values(), key=lambda each: each[0].order)
    store.add_lines([line for _, line in ordered])
    others = tuple(other for other, fresh in tasks.items() if fresh and other != key)
    return Brought(key, _title(store, key), others, len(ordered))


def _needs(store: JournaledStore, record: Record) -> Iterator[Place]:
    """What comes along with a task by one of its events: the hop that made it, and the tasks it
    waits for, which would count as done while they are not here."""
    origin = record.patch.set.get("origin")
    if isinstance(origin, str):
        yield "delegation", origin
    deps = (*(record.patch.set.get("depends_on") or ()), *record.patch.on.get("depends_on", ()))
    yield from (("task", dep) for dep in deps if isinstance(dep, str) and store.task(dep) is None)

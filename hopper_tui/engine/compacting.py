"""Compacting: the committed journal files of a month become one pack, and no event is dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine.checkout import PREFIX, journaled, require_checkout
from hopper_tui.engine.committing import replace
from hopper_tui.journal import files, git, hlc
from hopper_tui.journal.fold import fold
from hopper_tui.journal.rules import SHAPES
from hopper_tui.model.errors import Invalid, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.journal.record import Record
    from hopper_tui.store.journaled import JournaledStore

_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_SALT = 32
"""Bytes by which a line is longer in a pack, and some to spare."""


class Packed(NamedTuple):
    """What became of a month: how many files there were and are, and how many events they hold."""

    month: str
    before: int
    after: int
    events: int


class _File(NamedTuple):
    """A file that may go: its name, and its events by their ids."""

    name: str
    events: Mapping[str, tuple[Record, bytes]]


def compact(
    world: World, ref: str | None = None, month: str | None = None, everything: bool = False
) -> list[Packed]:
    """Pack the files of one month, of all months before the present one, or of `everything`.

    Only files that git has as they are here are packed. The working tree changes, and nothing is
    committed. Returns the months in which anything became less. Raises Invalid for what is no
    month, NotAllowed outside of git, StorageError when a pack does not hold what it should.
    """
    if month is not None and not _MONTH.fullmatch(month):
        raise Invalid(f"{month!r} is no month", "Write it like 2026-11")
    store = journaled(world, ref)
    require_checkout(store.journal)
    present = files.month_of(hlc.tick(hlc.START, world.now()))
    done: list[Packed] = []
    with world.command("compact"), world.writing(world.store(store.instance_id)):
        names: dict[str, list[str]] = {}
        for name in _settled(store):
            names.setdefault(name.partition("/")[0], []).append(name)
        for folder, found in sorted(names.items()):
            wanted = everything or folder < present if month is None else folder == month
            if wanted and (packed := _pack(store, folder, found)):
                done.append(packed)
    if done:
        store.look()
    return done


def _settled(store: JournaledStore) -> list[str]:
    """The files that the last commit, the index and the working tree have alike."""
    directory = store.journal.directory.parent
    committed, staged = git.committed(directory), git.staged(directory)
    changed = git.modified(directory)
    here = sorted(store.journal.names())
    return [
        name for name in here
        if (path := PREFIX + name) in committed
        and staged.get(path) == committed[path] and path not in changed
    ]  # fmt: skip


def _pack(store: JournaledStore, month: str, names: Sequence[str]) -> Packed | None:
    """Pack the files of a month; None when they are packed already."""
    found = [file for name in names if (file := _read(store, name)) is not None]
    events: dict[str, tuple[Record, bytes]] = {}
    for file in found:
        for key, each in file.events.items():
            if key not in events or each[1] < events[key][1]:
                events[key] = each
    packs = {}
    for part in _parts(events.values()):
        ids = [record.id for record, _ in part]
        name, data = files.pack([line for _, line in part], ids)
        packs[f"{month}/{name}"] = ids, data
    old = {file.name for file in found}
    if len(found) < 2 or old <= packs.keys():
        return None
    for name, (_, data) in packs.items():
        if not store.journal.has(name):
            store.journal.write(name, data, store.step)
    _verify(store, events, packs)
    holds = {key: name for name, (ids, _) in packs.items() for key in ids}
    going: dict[str, list[str]] = {}
    for file in found:
        if file.name not in packs:
            new = holds[next(iter(file.events))] if file.events else next(iter(packs))
            going.setdefault(new, []).append(file.name)
    replace(store, going)
    return Packed(month, len(old), len(packs), len(events))


def _read(store: JournaledStore, name: str) -> _File | None:
    """A file whose events are all whole, else None: damaged files stay as they are."""
    content = store.journal.read(name)
    if content.damage:
        return None
    pairs = zip(content.records, content.lines, strict=True)
    return _File(name, {record.id: (record, line) for record, line in pairs})


def _parts(events: Iterable[tuple[Record, bytes]]) -> Iterator[list[tuple[Record, bytes]]]:
    """The events in their order, in parts that fit into a pack: the same for the same events."""
    part: list[tuple[Record, bytes]] = []
    size = 0
    for each in sorted(events, key=lambda each: each[0].order):
        if part and size + len(each[1]) + _SALT > files.PACK_LIMIT:
            yield part
            part, size = [], 0
        part.append(each)
        size += len(each[1]) + _SALT
    if part:
        yield part


def _verify(
    store: JournaledStore,
    events: Mapping[str, tuple[Record, bytes]],
    packs: Mapping[str, tuple[Sequence[str], bytes]],
) -> None:
    """Raise StorageError unless the packs, as they are on disk, hold these events and no others,
    and mean the same."""
    read = [store.journal.read(name) for name in packs]
    records = {record.id: record for content in read for record in content.records}
    whole = not any(content.damage for content in read) and records.keys() == events.keys()
    if not whole or _meaning(records.values()) != _meaning(r for r, _ in events.values()):
        raise StorageError(
            f"{next(iter(packs))} does not hold what it should, so nothing was removed",
            "Look at: hopper doctor",
        )


def _meaning(records: Iterable[Record]) -> dict[tuple[str, str], tuple[object, ...]]:
    """What events make of each entity they are about."""
    about: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        about.setdefault((record.entity, record.key), []).append(record)
    folds = {place: fold(place[0], found) for place, found in about.items() if place[0] in SHAPES}
    return {place: (f.state, f.clashes(), f.edges()) for place, f in folds.items()}

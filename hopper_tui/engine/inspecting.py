"""Inspecting: whether what is made of a journal says what the journal says."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hopper_tui.engine import recovering
from hopper_tui.model.query import Query
from hopper_tui.model.text import counted
from hopper_tui.store.journaled import JournaledStore
from hopper_tui.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from hopper_tui.engine.doctor import Orders
    from hopper_tui.store.protocol import Store

OLD = 86400.0
"""Seconds after which nobody writes on a draft any more."""

Message = tuple[str, str]
"""A level, and what was seen."""


def inspect(store: Store, orders: Orders) -> Iterator[Message]:
    """What a look at a project's journal and cache shows: levels and sentences."""
    assert isinstance(store, JournaledStore)
    wrong = SqliteStore.check(store)
    hint = "" if orders.rebuild else "; see: hopper doctor --fix"
    yield from (("error", problem + hint) for problem in wrong)
    damaged = {f"journal/{damage.name}" for damage in store.damage()}
    for sentence in store.check():
        if sentence not in wrong:
            level = "error" if sentence.partition(":")[0] in damaged else "warning"
            yield level, sentence
    loss = recovering.lost(store)
    if loss.events:
        yield "warning", f"{loss.sentence}; bring them back: hopper recover"
    if apart := sum(conflict.wants_attention for conflict in store.conflicts()):
        yield "warning", f"{counted(apart, 'conflict')} to decide; see: hopper conflicts"
    if orders.deep:
        yield from _files(store)
        yield from _tables(store, hint)
        yield from _copies(store)
    if orders.deep or orders.fix:
        yield from _leases(store, orders.fix)
        yield from _drafts(store, orders.fix)


def _files(store: JournaledStore) -> Iterator[Message]:
    """Every file read again, and compared with what was taken in of it."""
    known = {(damage.name, damage.line) for damage in store.damage()}
    held = store.ids_by_file()
    events = 0
    for name in sorted(store.journal.names()):
        content = store.journal.read(name)
        here = {record.id for record in content.records}
        events += len(here)
        for _, line, reason in content.damage:
            if (name, line) not in known:
                where = f"line {line} " if line else ""
                yield "error", f"journal/{name}: {where}{reason}; it was whole when it was read"
        if gone := len(held.get(name, set()) - here):
            yield "error", f"journal/{name}: {counted(gone, 'event')} read before {_is(gone)} gone"
        if new := len(here - held.get(name, set())):
            yield "error", f"journal/{name}: {counted(new, 'event')} {_is(new)} not in the tables"
    yield "ok", f"{counted(events, 'event')} in the journal verified"


def _tables(store: JournaledStore, hint: str) -> Iterator[Message]:
    """The tables, compared with those of a cache made from nothing."""
    with tempfile.TemporaryDirectory(prefix="hopper-") as folder:
        other = JournaledStore(
            Path(folder) / "tasks.db", store.journal, store.clone, store.instance_id, store.entropy
        )
        try:
            for name, value in store.locals("purged:").items():
                other.set_local(name, value)
            other.rebuild()
            for thing in ("task", "delegation", "instance"):
                here, anew = _rows(store, thing), _rows(other, thing)
                keys = here.keys() | anew.keys()
                if wrong := sum(here.get(key) != anew.get(key) for key in keys):
                    yield "error", f"{counted(wrong, thing)} not as the journal says{hint}"
        finally:
            other.close()


def _rows(store: JournaledStore, thing: str) -> dict[str, object]:
    """The rows of a table by id, without what no event tells."""
    if thing == "task":
        return {
            task.id: task._replace(lease_expires_at=None)
            for task in store.query(Query(closed=True))
        }
    if thing == "delegation":
        return {hop.id: hop._replace(told=None) for hop in store.delegations()}
    return {instance.id: instance for instance in store.instances()}


def _copies(store: JournaledStore) -> Iterator[Message]:
    """The copies kept until a commit holds them."""
    from hopper_tui.journal import files

    kept = store.clone.kept()
    broken = 0
    for name in kept:
        with suppress(OSError):
            broken += bool(files.parse(name, store.clone.copy_of(name)).damage)
    if kept:
        yield "ok", f"{counted(len(kept), 'copy', 'copies')} kept until a commit holds them"
    if broken:
        yield "warning", f"{counted(broken, 'copy', 'copies')} in {store.clone.recovery} damaged"


def _leases(store: JournaledStore, fix: bool) -> Iterator[Message]:
    leases = store.leases
    if not leases.exist:
        return
    if problems := leases.problems():
        if fix:
            with leases.held():
                yield (
                    "warning",
                    f"the leases were begun anew; the old ones are {leases.set_aside()}",
                )
        else:
            yield "error", f"{leases.path} cannot be used: {problems[0]}; see: hopper doctor --fix"
        return
    with leases.held():
        stale = leases.stale()
        if stale and fix:
            leases.drop(stale)
    if stale and fix:
        yield "ok", f"{counted(len(stale), 'lease')} of nobody dropped"
    elif stale:
        count = counted(len(stale), "lease")
        yield "warning", f"{count} of nobody; see: hopper doctor --fix"


def _drafts(store: JournaledStore, fix: bool) -> Iterator[Message]:
    """Journal files whose writer died before they were in place."""
    folder = store.journal.directory.parent / "tmp"
    old = [
        path
        for path in sorted(folder.glob("*.jsonl"))
        if path.is_file() and time.time() - os.stat(path).st_mtime > OLD
    ]
    if old and fix:
        for path in old:
            path.unlink(missing_ok=True)
        yield "ok", f"{counted(len(old), 'draft')} older than a day dropped"
    elif old:
        yield (
            "warning",
            (
                f"{counted(len(old), 'draft')} in {folder} from commands that did not end; see:"
                " hopper doctor --fix"
            ),
        )


def _is(number: int) -> str:
    return "is" if number == 1 else "are"

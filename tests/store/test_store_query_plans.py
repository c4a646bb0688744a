"""The queries that run a thousand times an hour use their index, at any size of the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hopper_tui.model.clock import stamp
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.query import Query, Term
from hopper_tui.store.run import RunStore
from hopper_tui.store.sqlite import SqliteStore

from .writing import AT, START, first, hop, task, tasks, writing


class Recording:
    """A connection that keeps what it is asked to execute."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.seen: list[tuple[str, Sequence[Any]]] = []

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Execute and remember."""
        self.seen.append((sql, values))
        return self.connection.execute(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def plans(store: SqliteStore, use: Callable[[], object]) -> list[str]:
    """How SQLite goes about each statement on tasks, hops and events that `use` makes."""
    recording = Recording(store._connection)
    store._db = recording  # type: ignore[assignment]
    use()
    store._db = recording.connection
    lines = []
    for sql, values in recording.seen:
        if sql.split()[0] in ("SELECT", "UPDATE", "DELETE"):
            rows = recording.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            lines += [row[3] for row in rows]
    assert lines
    return lines


@pytest.fixture
def busy(file_store: SqliteStore) -> SqliteStore:
    """A store with enough of everything for the planner to have a choice."""
    with writing(file_store) as tx:
        for n in range(300):
            status = TaskStatus.PENDING if n % 3 else TaskStatus.DONE
            tx.create(task(f"t{n}", status=status, waiting=n % 2 == 0), "task.created")
        tx.create(hop(), "delegation.offered")
    return file_store


HELD = Term("status", ("claimed", "in_progress"))

READS: dict[str, tuple[Callable[[SqliteStore], object], str]] = {
    "claim": (lambda s: first(s), "task_ready"),
    "whether work is left": (lambda s: s.has_ready(["web"], {"human"}), "task_ready"),
    "when to try again": (lambda s: s.next_retry(["web"], "2026"), "task_later"),
    "claim by an executor": (lambda s: first(s, "bot", "go"), "task_ready"),
    "list open": (lambda s: s.query(Query("web")), "task_open"),
    "list the first": (lambda s: s.query(Query("web", limit=20)), "task_open"),
    "list held": (lambda s: s.query(Query("web", (HELD,), limit=3)), "task_open"),
    "list ids": (lambda s: s.ids(Query("web")), "task_open"),
    "list ready": (lambda s: s.query(Query("web", (Term("ready", ("1",)),))), "task_"),
    "waiting": (lambda s: s.waiting("web"), "task_waiting"),
    "by id": (lambda s: s.task("x"), "task_id"),
    "by ids": (lambda s: s.tasks(["x", "y"]), "task_id"),
    "by prefix": (lambda s: s.tasks_by_prefix("abc", 9), "task_id"),
    "short ids": (lambda s: s.prefix_lengths(["x"], 5), "task_id"),
    "children": (lambda s: s.children("h"), "task_origin"),
    "dependents": (lambda s: s.dependents("x"), "dep_on"),
    "counts": (lambda s: s.counts("web"), "status_counts"),
    "history": (lambda s: s.events(key="x"), "event_key"),
    "group": (lambda s: s.events(group="g"), "event_group"),
}


@pytest.mark.parametrize("name", READS)
def test_a_hot_read_uses_its_index(busy: SqliteStore, name: str) -> None:
    use, index = READS[name]
    lines = plans(busy, lambda: use(busy))
    assert any(index in line for line in lines), lines
    assert not [line for line in lines if line.startswith("SCAN")], lines
    if name != "dependents":  # a handful, sorted by hand
        assert not [line for line in lines if "TEMP B-TREE" in line], lines


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s.hops_of("t"),
        lambda s: s.hops_of_root("t"),
        lambda s: s.delegation("h"),
    ],
)
def test_hops_are_searched_never_scanned(
    busy: SqliteStore, use: Callable[[SqliteStore], object]
) -> None:
    lines = plans(busy, lambda: use(busy))
    assert not [line for line in lines if line.startswith("SCAN")], lines


def test_in_a_run_events_are_found_along_their_chain(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.db")
    (one,) = tasks(store, "one")
    lines = plans(store, partial(store.events, key=one.id))
    scanned = {line.split()[1] for line in lines if line.startswith("SCAN")}
    assert any("event_loose" in line for line in lines), lines
    assert scanned <= {"chain"}, lines
    store.close()


def test_in_a_run_leases_are_looked_for_when_one_may_have_ended(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.db")
    one, *_ = tasks(store, "one", "two", "three")
    late = stamp(START + 60)
    with writing(store) as tx:
        assert store.expired(AT) == []
        held = one._replace(lease_expires_at=late)
        held = tx.change(held, "task.claimed", status=TaskStatus.CLAIMED)
    asked = plans(store, lambda: store.expired(AT))
    assert not [line for line in asked if "tasks" in line or "status_counts" in line], asked
    over = plans(store, lambda: store.expired(stamp(START + 61)))
    assert any("task_open" in line for line in over), over
    assert not [line for line in over if "SCAN tasks" in line or "TEMP B-TREE" in line], over
    assert store.expired(stamp(START + 61)) == [held]
    store.close()


def test_settled_hops_cost_nothing(busy: SqliteStore) -> None:
    assert any("hop_unsettled" in line for line in plans(busy, busy.unsettled))


def test_text_is_found_through_the_index(busy: SqliteStore) -> None:
    query = Query(terms=(Term("text", ("login",)),), closed=True)
    lines = plans(busy, lambda: busy.query(query))
    assert any("tasks_fts" in line for line in lines)
    assert not [line for line in lines if line.startswith("SCAN tasks") and "fts" not in line]


def test_a_claim_writes_through_indexes(busy: SqliteStore) -> None:
    def claim() -> None:
        with writing(busy, "g2") as tx:
            one = first(busy)
            assert one is not None
            one = tx.change(one, "task.claimed", status=TaskStatus.CLAIMED, owner="bot")
            tx.change(one, "task.done", status=TaskStatus.DONE)

    lines = plans(busy, claim)
    assert not [line for line in lines if line.startswith("SCAN")], lines
    assert not [line for line in lines if "TEMP B-TREE" in line], lines


def test_adding_writes_through_indexes(busy: SqliteStore) -> None:
    lines = plans(busy, lambda: tasks(busy, "fresh", depends_on=(task("t1").id,)))
    assert not [line for line in lines if line.startswith("SCAN")], lines

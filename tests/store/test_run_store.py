"""What only the store of a run does: chains of events, and what it knows if nobody else writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.store.run import RunStore
from hopper_tui.store.schema import migrations
from hopper_tui.store.sqlite import SqliteStore

from .writing import AT, change, instance, task, tasks, writing

PAST, SOON = "2020-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a run is."""
    return tmp_path / "run.db"


@pytest.fixture
def two(path: Path) -> Iterator[tuple[RunStore, RunStore]]:
    """The same run, open twice."""
    stores = RunStore(path), RunStore(path)
    yield stores
    for store in stores:
        store.close()


def kinds(store: RunStore, key: str) -> list[str]:
    """What happened to something, oldest first."""
    return [event.kind for event in store.events(key=key)]


# Chains


def test_the_events_of_a_task_are_its_own_and_in_order(two: tuple[RunStore, RunStore]) -> None:
    one, other = two
    first, second = tasks(one, "first", "second")
    first = change(one, first, status=TaskStatus.CLAIMED)
    second = change(other, second, status=TaskStatus.CLAIMED)
    with writing(other) as tx:
        tx.remark("task", first.id, "task.noted", "look")
    change(one, first, status=TaskStatus.DONE)
    changed = "task.changed"
    assert kinds(one, first.id) == ["task.created", changed, "task.noted", changed]
    assert kinds(one, second.id) == ["task.created", changed]


def test_events_outlive_their_task(two: tuple[RunStore, RunStore]) -> None:
    store, _ = two
    (gone,) = tasks(store, "gone", completed_at=PAST, status=TaskStatus.DONE)
    with writing(store) as tx:
        tx.create(instance("web"), "instance.created")
    assert store.purge("web", AT) == 1
    with writing(store) as tx:
        tx.remark("task", gone.id, "task.noted", "later")
    assert kinds(store, gone.id) == ["task.created", "task.noted"]
    assert kinds(store, "web") == ["instance.created"]
    store.rebuild()
    assert kinds(store, gone.id) == ["task.created", "task.noted"]


def test_the_events_of_an_older_run_are_chained(path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    migrations.apply(Database(db), stop_before="chained")
    db.execute("PRAGMA user_version = 8")
    row = (
        "INSERT INTO events (grp, at, actor, kind, entity, key, patch)"
        " VALUES ('g', '', '', ?, ?, ?, '{}')"
    )
    for kind, entity, key in (
        ("task.created", "task", "here"),
        ("task.created", "task", "gone"),
        ("instance.created", "instance", "web"),
        ("task.done", "task", "here"),
    ):
        db.execute(row, (kind, entity, key))
    db.execute(
        "INSERT INTO tasks (id, title, description, instance_id, tags, priority, status)"
        " VALUES ('here', '', '', 'web', '[]', 2, 'done')"
    )
    db.close()
    store = RunStore(path)
    assert kinds(store, "here") == ["task.created", "task.done"]
    assert (kinds(store, "gone"), kinds(store, "web")) == (["task.created"], ["instance.created"])
    store.close()


# What is known while nobody else writes


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[int, str, int]]:
    """Who writes, what, and to which task."""
    step = st.tuples(st.integers(0, 1), st.sampled_from(STEPS), st.integers(0, 2))
    return draw(st.lists(step, max_size=25))


STEPS = ("add", "depend", "take", "finish", "lease", "free", "rename", "remove", "purge", "fail")


class Failed(Exception):
    """Takes a transaction back."""


def write(store: RunStore, step: str, number: int) -> None:
    """Do one of the steps, and look in the same transaction whether all that is known is so."""
    if step == "purge":
        store.purge("web", SOON)
        return
    with writing(store) as tx:
        for read in (store.instances, store.all_counts, lambda: store.expired(AT)):
            read()
        one = store.task(task(f"{number}").id)
        web = store.instance("web")
        if step == "add" and one is None:
            tx.create(task(f"{number}"), "task.created")
        elif step == "rename":
            if web is None:
                tx.create(instance("web"), "instance.created")
            else:
                tx.change(web, "instance.changed", name=f"web {number}")
        elif step == "remove":
            tx.remove_instance("web", "instance.removed")
        elif one is not None and step == "depend":
            tx.change(one, "task.changed", depends_on=(task(f"{(number + 1) % 3}").id,))
        elif one is not None and step == "take":
            held = one._replace(lease_expires_at=PAST if number % 2 else SOON)
            held = tx.change(held, "task.claimed", status=TaskStatus.CLAIMED, attempts=number)
            assert store.is_current(held)
        elif one is not None and step == "finish":
            tx.change(one, "task.done", status=TaskStatus.DONE, completed_at=PAST)
        elif one is not None and step == "free":
            tx.change(one, "task.released", status=TaskStatus.PENDING, instance="web")
        elif one is not None and step == "lease" and one.is_active:
            tx.lease(one.id, PAST)
        assert store.instances() == SqliteStore.instances(store)
        assert store.all_counts() == SqliteStore.all_counts(store)
        assert store.expired(AT) == SqliteStore.expired(store, AT)
        if step == "fail":
            raise Failed


@given(steps())
def test_what_is_known_is_what_is_stored(taken: list[tuple[int, str, int]]) -> None:
    with TemporaryDirectory() as place:
        stores = [RunStore(Path(place) / "run.db") for _ in range(2)]
        tasks(stores[0], "0", "1", "2")
        for who, step, number in taken:
            with suppress(Failed):
                write(stores[who], step, number)
        assert stores[0].check() == []
        for store in stores:
            store.close()


def test_a_task_that_somebody_else_changed_is_not_current(two: tuple[RunStore, RunStore]) -> None:
    one, other = two
    (mine,) = tasks(one, "mine")
    mine = change(one, mine, status=TaskStatus.CLAIMED, owner="ann")
    with writing(one):
        assert one.is_current(mine)
    change(other, mine, owner="bob")
    with writing(one):
        assert not one.is_current(mine)


def test_a_dependency_that_comes_later_counts(two: tuple[RunStore, RunStore]) -> None:
    store, _ = two
    first, second = tasks(store, "first", "second")
    first = change(store, first, status=TaskStatus.DONE)
    first = change(store, first, status=TaskStatus.PENDING)
    second = change(store, second, depends_on=(first.id,))
    assert second.open_deps == 1
    change(store, first, status=TaskStatus.DONE)
    assert store.task(second.id) == second._replace(open_deps=0)

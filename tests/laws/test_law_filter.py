"""Laws of the filter language: any text is a filter or is refused, and every filter can be run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopper_tui.engine.filter import FIELDS, parse
from hopper_tui.model.errors import Invalid
from hopper_tui.model.query import Query
from hopper_tui.model.task import Task
from hopper_tui.store.sqlite import SqliteStore

NOW = 1_800_000_000.0

pieces = st.sampled_from((
    *FIELDS, ":", "=", "<", ">", "<=", ">=", "!", "~", '"', " ", ",", "ready", "overdue", "is:",
    "2d", "-1", "999999999999d", "2026-11-20", "tomorrow", "high", "done", "%", "\\", "(", "\x00",
    "login", "é", "日本", "\udcff",
))  # fmt: skip
filters = st.text(st.characters(), max_size=40) | st.lists(pieces, max_size=12).map("".join)


@pytest.fixture(scope="module")
def store() -> Iterator[SqliteStore]:
    """A store with two tasks."""
    opened = SqliteStore(None)
    with opened.transaction("g", "ann", "2026-11-20T00:00:00.000Z") as tx:
        tx.create(Task(id="a", title="login", instance="web"), "task.created")
        tx.create(Task(id="b", title="é", instance="web", tags=("x",)), "task.created")
    yield opened
    opened.close()


@given(filters)
def test_any_text_is_a_filter_or_is_refused(store: SqliteStore, text: str) -> None:
    try:
        terms = parse(text, NOW)
        found = store.ids(Query(terms=terms))
    except Invalid:
        return
    assert set(found) <= {"a", "b"}


@given(filters)
def test_a_filter_and_its_opposite_divide_the_tasks(store: SqliteStore, text: str) -> None:
    try:
        terms = parse(text, NOW)
        for term in terms:
            some = store.ids(Query(terms=(term,), closed=True))
            others = store.ids(Query(terms=(term._replace(negated=not term.negated),), closed=True))
            assert sorted((*some, *others)) == ["a", "b"]
    except Invalid:
        return


@given(st.text(max_size=40))
def test_reading_a_filter_twice_gives_the_same(text: str) -> None:
    try:
        once = parse(text, NOW)
    except Invalid:
        with pytest.raises(Invalid):
            parse(text, NOW)
        return
    assert parse(text, NOW) == once

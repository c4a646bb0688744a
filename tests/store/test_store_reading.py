"""Contract: finding tasks, and handing them out in order."""

from __future__ import annotations

import pytest

from hopper_tui.model.errors import Invalid
from hopper_tui.model.lifecycle import Priority, TaskStatus
from hopper_tui.model.query import SORTS, Query, Term
from hopper_tui.store.protocol import Store

from .writing import AT, change, first, task, tasks, titles, writing


def _found(
    store: Store, field: str, *values: str, op: str = "=", negated: bool = False
) -> set[str]:
    query = Query(terms=(Term(field, values, op, negated),), closed=True)
    found = store.query(query)
    assert store.ids(query) == [t.id for t in found]
    assert store.count(query) == len(found)
    return set(titles(found))


# The queue


def test_the_queue_is_priority_then_first_in_first_out_in_one_millisecond(store: Store) -> None:
    with writing(store) as tx:
        for n in range(30):
            priority = (Priority.LOW, Priority.URGENT, Priority.MEDIUM)[n % 3]
            tx.create(task(f"{priority} {n:02}", priority=priority), "task.created")
    order = titles(store.query(Query("web")))
    assert order == sorted(order, key=lambda t: (Priority(t.split()[0]).rank, t))
    taken = []
    while (one := first(store)) is not None:
        taken.append(one.title)
        change(store, one, status=TaskStatus.CLAIMED)
    assert taken == order


def test_nothing_is_handed_out_that_is_not_ready(store: Store) -> None:
    (held,) = tasks(store, "first", status=TaskStatus.CLAIMED)
    tasks(store, "waits", depends_on=(held.id,))
    tasks(store, "elsewhere", instance="worker")
    assert first(store) is None
    change(store, held, status=TaskStatus.DONE)
    ready = first(store)
    assert ready is not None
    assert ready.title == "waits"


@pytest.mark.parametrize(
    ("preference", "takers"),
    [
        (None, {None, "human", "ci", "Worker-1"}),
        ("human", {None, "human"}),
        ("ci", {"ci"}),
        ("manual", set()),
        ("worker-1", {"Worker-1"}),
    ],
)
def test_a_preferred_executor_is_respected(
    store: Store, preference: str | None, takers: set[str | None]
) -> None:
    tasks(store, "one", executor_preference=preference)
    asking: tuple[str | None, ...] = (None, "human", "ci", "Worker-1")
    assert {who for who in asking if first(store, who)} == takers


def test_required_capabilities_are_needed_of_a_named_executor_only(store: Store) -> None:
    tasks(store, "one", required_capabilities=("Python", "sql"))
    assert first(store)
    assert first(store, "bot") is None
    assert first(store, "bot", "python") is None
    assert first(store, "bot", "python", "SQL", "go")


def test_waiting_tasks_are_the_ready_ones_to_be_offered(store: Store) -> None:
    tasks(store, "kept")
    (busy,) = tasks(store, "busy", waiting=True, status=TaskStatus.BLOCKED)
    tasks(store, "later", waiting=True, depends_on=(busy.id,))
    tasks(store, "second", "third", waiting=True)
    tasks(store, "first", waiting=True, priority=Priority.HIGH)
    assert titles(store.waiting("web")) == ["first", "second", "third"]


# Ids


def test_tasks_are_found_by_prefix(store: Store) -> None:
    for key in ("abc1", "abc2", "abd1", "abczzz", "b"):
        tasks(store, key, id=key)
    assert titles(store.tasks_by_prefix("abc", 9)) == ["abc1", "abc2", "abczzz"]
    assert titles(store.tasks_by_prefix("abc", 2)) == ["abc1", "abc2"]
    assert titles(store.tasks_by_prefix("abc1", 9)) == ["abc1"]
    assert store.tasks_by_prefix("%", 9) == store.tasks_by_prefix("_", 9) == []


def test_tasks_come_in_the_order_they_are_asked_for(store: Store) -> None:
    made = tasks(store, *(f"t{n}" for n in range(1200)))
    keys = [t.id for t in reversed(made)]
    assert store.tasks([*keys, "unknown"]) == made[::-1]
    assert store.tasks([]) == []
    assert store.task("unknown") is None


def test_the_shortest_unambiguous_prefix_is_known(store: Store) -> None:
    for key in ("abcdefg1", "abcdefg2", "abx", "q"):
        tasks(store, key, id=key)
    keys = ["abcdefg1", "abcdefg2", "abx", "q"]
    assert store.prefix_lengths(keys, 2) == {"abcdefg1": 8, "abcdefg2": 8, "abx": 3, "q": 2}


# Text

HOSTILE = (
    '"', "'", "%", "_", "\\", "*", "^", "-", ":", "(", ")", "{", "}", "[", "]", ",", ";", "\x00",
    '""', "%_%", "a*", "NEAR", "AND", "OR", "NOT", "title:", '" OR "', "' OR 1=1 --", "a\x00b",
    "-one", "^one", "{title}", "NEAR(a b)", "\u202e", "日本", "日本語", "🎉🎉🎉", " ", "   ",
    "\\\\", "\n", "x" * 500,
)  # fmt: skip


@pytest.mark.parametrize("needle", HOSTILE, ids=ascii)
@pytest.mark.parametrize("field", ["text", "fuzzy"])
def test_hostile_text_is_only_ever_text(store: Store, needle: str, field: str) -> None:
    tasks(store, f"before {needle} after", id="with")
    tasks(store, "0123456789", id="without", tags=("p", "q"))
    found = _found(store, field, needle)
    if field == "text" or "\x00" not in needle:  # fuzzy search looks as far as the first NUL
        assert found == {f"before {needle} after"}
    assert _found(store, field, needle, negated=True) == (
        {f"before {needle} after", "0123456789"} - found
    )


@pytest.mark.parametrize("needle", ["lo", "log", "LOG", "gin", "login page"])
def test_text_is_looked_for_in_title_description_and_tags(store: Store, needle: str) -> None:
    tasks(store, "Build login page")
    tasks(store, "in the description", description="a login page")
    tasks(store, "in a tag", tags=("x", "login page"))
    tasks(store, "nowhere", tags=("title", "tags"))
    assert _found(store, "text", needle) == {
        "Build login page", "in the description", "in a tag",
    }  # fmt: skip


def test_the_text_index_follows_changes(store: Store) -> None:
    (one,) = tasks(store, "alpha beta", tags=("gamma",))
    change(store, one, title="delta", tags=("epsilon",))
    assert not _found(store, "text", "alpha", "beta", "gamma")
    assert _found(store, "text", "epsi") == {"delta"}


def test_fuzzy_finds_letters_in_order(store: Store) -> None:
    tasks(store, "Build login page", "Deploy")
    assert _found(store, "fuzzy", "blp") == {"Build login page"}
    assert _found(store, "fuzzy", "plb") == set()


# Terms


def test_terms_compare_fields(store: Store) -> None:
    tasks(store, "a", owner="Ann", project="Web", tags=("API", "x"), priority=Priority.URGENT)
    tasks(store, "b", owner="bob", phase="one", required_capabilities=("go",), due=AT)
    tasks(store, "c", status=TaskStatus.DONE, priority=Priority.LOW, source="mail")
    assert _found(store, "owner", "ann") == {"a"}
    assert _found(store, "owner", "ann", "bob") == {"a", "b"}
    assert _found(store, "owner", "ann", negated=True) == {"b", "c"}
    assert _found(store, "project", "WEB") == {"a"}
    assert _found(store, "tag", "api") == {"a"}
    assert _found(store, "tag", "api", negated=True) == {"b", "c"}
    assert _found(store, "capability", "GO") == {"b"}
    assert _found(store, "phase", "one") == {"b"}
    assert _found(store, "source", "mail") == {"c"}
    assert _found(store, "status", "done") == {"c"}
    assert _found(store, "priority", "medium", op=">=") == {"a", "b"}
    assert _found(store, "priority", "medium", op="<") == {"c"}
    assert _found(store, "due", "2100-01-01", op="<") == {"b"}
    assert _found(store, "overdue", "2100-01-01") == {"b"}
    assert _found(store, "id", task("a").id[:4]) == {"a"}
    with pytest.raises(Invalid, match="colour"):
        _found(store, "colour", "red")


def test_flags_say_what_can_happen_next(store: Store) -> None:
    (one,) = tasks(store, "one")
    tasks(store, "two", depends_on=(one.id,))
    tasks(store, "three", status=TaskStatus.BLOCKED)
    tasks(store, "four", waiting=True, feedback={"quality": 1})
    assert _found(store, "ready", "1") == {"one", "four"}
    assert _found(store, "blocked", "1") == {"two", "three"}
    assert _found(store, "waiting", "1") == {"four"}
    assert _found(store, "rated", "1") == {"four"}


def test_closed_tasks_come_only_when_asked_for(store: Store) -> None:
    tasks(store, "open")
    tasks(store, "done", status=TaskStatus.DONE)
    assert titles(store.query(Query())) == ["open"]
    assert set(titles(store.query(Query(closed=True)))) == {"open", "done"}
    asked = Query(terms=(Term("status", ("done",)),))
    assert titles(store.query(asked)) == ["done"]
    denied = Query(terms=(Term("status", ("pending",), negated=True),))
    assert titles(store.query(denied)) == []


def test_sorting_and_limits(store: Store) -> None:
    tasks(store, "b", priority=Priority.LOW, due="2030-01-02T00:00:00.000Z")
    tasks(store, "A", due="2030-01-01T00:00:00.000Z")
    (last,) = tasks(store, "c", priority=Priority.HIGH)
    with writing(store, "g2", at="2040-01-01T00:00:00.000Z") as tx:
        tx.change(last, "task.blocked", status=TaskStatus.BLOCKED)
    orders = {sort: titles(store.query(Query(sort=sort))) for sort in SORTS}
    assert orders == {
        "queue": ["c", "A", "b"],
        "created": ["b", "A", "c"],
        "updated": ["c", "b", "A"],
        "due": ["A", "b", "c"],
        "title": ["A", "b", "c"],
        "status": ["c", "A", "b"],
    }
    assert titles(store.query(Query(limit=2))) == ["c", "A"]
    assert store.query(Query(limit=0)) == []
    assert store.count(Query(limit=1)) == 3
    with pytest.raises(Invalid, match="sort"):
        store.query(Query(sort="n; DROP TABLE tasks"))


def test_queries_stay_in_their_instance(store: Store) -> None:
    tasks(store, "here")
    tasks(store, "there", instance="worker")
    assert titles(store.query(Query("web"))) == ["here"]
    assert store.count(Query("nobody")) == 0


# Words


def test_the_words_in_use_come_by_how_often(store: Store) -> None:
    assert store.words("web", "tag") == []
    tasks(store, "a", tags=("api", "web"), owner="ann")
    tasks(store, "b", tags=("api",), project="site")
    tasks(store, "c", tags=("docs",), instance="worker")
    assert store.words("web", "tag") == ["api", "web"]
    assert store.words("web", "owner") == ["ann"]
    assert store.words("web", "project") == ["site"]
    assert store.words("web", "phase") == []

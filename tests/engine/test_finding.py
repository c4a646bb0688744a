"""Finding tasks: by prefix, by filter, by a word; and what is told about them."""

from __future__ import annotations

import pytest

from hopper_tui.engine.filter import parse
from hopper_tui.engine.world import World
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import AmbiguousId, Invalid, NotFound
from hopper_tui.model.query import Term

from .scene import COMPLEX, SIMPLE, Clock, Scene

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("login page", (Term("text", ("login",)), Term("text", ("page",)))),
        ('"login page"', (Term("text", ("login page",)),)),
        ("status:open,Completed", (Term("status", ("pending", "done")),)),
        ("priority>=high", (Term("priority", ("high",), ">="),)),
        ("pri:>=HIGH", (Term("priority", ("high",), ">="),)),
        ("tag:api !tag:web", (Term("tag", ("api",)), Term("tag", ("web",), negated=True))),
        ("!blocked", (Term("blocked", ("1",), negated=True),)),
        ("is:ready", (Term("ready", ("1",)),)),
        ("~lgn", (Term("fuzzy", ("lgn",)),)),
        ("age:>2d", (Term("created", (stamp(NOW - 172800),), "<"),)),
        ("age:2d", (Term("created", (stamp(NOW - 172800),), "<="),)),
        ("overdue", (Term("overdue", (stamp(NOW),)),)),
        ("http://x", (Term("text", ("http://x",)),)),
        ("10:30 a->b", (Term("text", ("10:30",)), Term("text", ("a->b",)))),
        ('"a:b"', (Term("text", ("a:b",)),)),
        ('"ready"', (Term("text", ("ready",)),)),
        (
            "!~lgn !word",
            (Term("fuzzy", ("lgn",), negated=True), Term("text", ("word",), negated=True)),
        ),
        ('owner:"Ann Lee"', (Term("owner", ("Ann Lee",)),)),
        ("! ~", ()),
        (
            "@hot x",
            (Term("priority", ("high",), ">="), Term("ready", ("1",)), Term("text", ("x",))),
        ),
    ],
)
def test_a_filter_text_means_these_terms(text: str, terms: tuple[Term, ...]) -> None:
    saved = {"hot": "priority>=high @free", "free": "ready", "loop": "@loop"}
    assert parse(text, NOW, saved) == terms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("status:odd", "unknown status 'odd'"),
        ("priority>=soon", "unknown priority"),
        ("tag>api", "tag cannot be compared with >"),
        ("is:odd", "is:odd means nothing"),
        ("due:someday", "is not a date"),
        ("age:old", "is not a duration"),
        ('tag:""', "tag: needs a value"),
        ("tag:", "tag: needs a value"),
        ("tag: api", "tag: needs a value"),
        ("foo:bar", "there is no field 'foo'. Fields are status, priority,"),
        ("tags:api", "there is no field 'tags'. Did you mean tag"),
        ("prio>=high", "there is no field 'prio'"),
        ("@nope", "there is no saved filter @nope. Saved are: @loop"),
        ("@loop", "there is no saved filter @loop"),
        ("!@loop", "@loop cannot be negated"),
    ],
)
def test_a_wrong_filter_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        parse(text, NOW, {"loop": "@loop"})


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("", ["Login page", "Pay bill", "Write docs"]),
        ("login", ["Login page"]),
        ("tag:API", ["Login page", "Pay bill"]),
        ("tag:api !tag:web", ["Pay bill"]),
        ("priority>=high", ["Login page"]),
        ("priority<high", ["Pay bill", "Write docs"]),
        ("owner:bot", ["Pay bill"]),
        ("status:claimed,blocked", ["Pay bill", "Write docs"]),
        ("blocked", ["Write docs"]),
        ("!blocked", ["Login page", "Pay bill"]),
        ("status:done", ["Old"]),
        ("~lgnpg", ["Login page"]),
        ("due:<2026-12-24", ["Pay bill"]),
        ("age:>1d", []),
        ("%", []),
        ("is:closed", ["Old"]),
        ("!is:open", ["Old"]),
    ],
)
def test_filtering_a_queue(scene: Scene, filter_: str, found: list[str]) -> None:
    web, _ = scene.team("w1")
    web.add_task(title="Login page", tags=("web", "api"), priority="high")
    bill = web.add_task(title="Pay bill", tags=("API",), due="2026-12-01")
    web.claim(bill, "bot", role="human")
    web.block(web.add_task(title="Write docs"), "no time")
    web.complete(web.add_task(title="Old"))
    assert scene.titles(web, filter=filter_) == found


def test_filters_by_name_combine(scene: Scene) -> None:
    web, _ = scene.team("w1")
    web.add_task(title="a", tags=("x",), priority="high")
    web.add_task(title="b", tags=("x",))
    assert scene.titles(web, tag="x", priority="high") == ["a"]
    assert scene.titles(web, status="completed") == []
    assert scene.titles(web, ready=True, sort="title", limit=1) == ["a"]
    with pytest.raises(Invalid, match="cannot sort by 'colour'"):
        web.list(sort="colour")


def test_a_task_is_found_by_a_prefix_in_any_spelling(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.get(web.add_task(title=SIMPLE))
    short = scene.world.short_id(task)
    assert short == f"web-{task.id[:5]}"
    for ref in (task.id, short, short.upper(), task.id[:4], f"other-{task.id[:6]}"):
        assert scene.world.find_task(ref)[1] == task
    for ref in ("", "ab", "web-", "zzzzz", "!!!!!", task.id + "0"):
        with pytest.raises(NotFound):
            scene.world.find_task(ref)


def test_an_ambiguous_prefix_lists_what_it_could_be(clock: Clock) -> None:
    count = iter(range(1000))

    def entropy(size: int) -> bytes:
        """Ids that differ in their last characters only."""
        return (next(count) * 22 << (8 * size - 15)).to_bytes(size, "big")

    world = World(None, clock=clock, entropy=entropy)
    scene = Scene(world, clock)
    web, _ = scene.team("w1")
    keys = [web.add_task(title=title) for title in ("one", "two")]
    assert keys[0][:8] == keys[1][:8]
    with pytest.raises(AmbiguousId) as several:
        world.find_task(keys[0][:8])
    assert sorted(title for _, title in several.value.candidates) == ["one", "two"]
    short = world.short_ids([web.get(key) for key in keys])
    assert len(set(short.values())) == 2
    for key in keys:
        assert world.find_task(short[key])[1].id == key


def test_the_project_around_comes_first(filed: Scene) -> None:
    web, _ = filed.team("w1")
    key = web.add_task(title=SIMPLE)
    assert filed.top.get(key[:5]).id == key


def test_search_finds_closed_tasks_everywhere(scene: Scene) -> None:
    web, worker = scene.team("w1")
    web.complete(web.add_task(title="Polish the login"))
    scene.clock.tick(1)
    worker.add_task(title="x", description="about the LOGIN form")
    assert [t.title for t in scene.world.search("login")] == ["x", "Polish the login"]
    assert scene.world.search('"; DROP TABLE') == []
    with pytest.raises(Invalid, match="nothing to search for"):
        scene.world.search("  ")


def test_the_log_of_a_task_and_of_a_hopper(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE)
    web.note(task, "looks easy")
    [note, *_] = scene.world.log(task)
    assert (note.kind, note.note, note.actor) == ("task.note", "looks easy", "me")
    assert scene.world.log("web", limit=1) == [note]
    with pytest.raises(Invalid, match="a note needs a text"):
        web.note(task, " ")
    with pytest.raises(NotFound):
        scene.world.log("nothing")


def test_updating_fields_one_by_one(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE, tags=("a", "b"))
    scene.clock.tick(1)
    after = web.update(
        task, title="New", description="d", priority="high", due="3d", phase="p",
        estimated_effort="2h", add_tags=["c", "a"], remove_tags=["B"], metadata={"k": 1},
    )  # fmt: skip
    assert (after.title, after.tags, after.priority) == ("New", ("a", "c"), "high")
    assert (after.metadata, after.due) == ({"k": 1}, stamp(NOW + 1 + 3 * 86400))
    assert after.updated_at > after.created_at
    unchanged = len(web.store.events())
    web.update(task, title="New")
    assert len(web.store.events()) == unchanged
    for wrong in ({"title": ""}, {"status": "done"}, {"priority": "x"}, {"due": "x"}):
        with pytest.raises(Invalid):
            web.update(task, **wrong)
    assert web.get(task) == after


def test_what_a_delegated_task_says_changes_all_along_its_chain(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX, tags=("a", "b"))
    scene.top.update(task, title="Implement SSO", priority="urgent", remove_tags=["a"])
    for hopper in (scene.top, web, worker):
        (copy,) = hopper.list()
        assert (copy.title, copy.priority, copy.tags) == ("Implement SSO", "urgent", ("b",))
    scene.world.undo("global")
    assert [t.title for h in (scene.top, web, worker) for t in h.list()] == [COMPLEX] * 3


def test_it_says_what_a_task_waits_for(scene: Scene) -> None:
    _web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    assert scene.world.diagnose(task) == ["it is ready at w1; nobody has claimed it"]
    worker.claim_next("bot")
    assert scene.world.diagnose(task) == ["bot holds it at w1"]
    scene.top.complete(task, executor="bot")
    assert scene.world.diagnose(task) == []


def test_statistics(scene: Scene) -> None:
    web, _ = scene.team("w1")
    first, second = web.add_task(title="a"), web.add_task(title="b")
    scene.clock.tick(60)
    web.start(first)
    scene.clock.tick(30)
    web.complete(first)
    told = web.stats()
    assert (told["done"], told["pending"], told["throughput_per_hour"]) == (1, 1, 1)
    assert (told["median_wait_s"], told["median_run_s"], told["oldest_pending_s"]) == (60, 30, 90)
    assert web.load().open == len(web.list()) == 1
    assert web.get(second).status == "pending"

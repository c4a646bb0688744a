"""Lines of the journal: what is written is read again, and nothing else is taken for it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopper_tui.engine.world import World
from hopper_tui.journal import files, hlc, record
from hopper_tui.journal.record import Damaged, Record
from hopper_tui.model.errors import Invalid
from hopper_tui.model.event import Patch
from hopper_tui.model.query import Query

from .clones import Clone

NOW = 1_800_000_000.0
TEN_YEARS = 10 * 365 * 86400.0

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=700)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def an_event(**fields: Any) -> Record:
    told = {
        "id": "", "clock": hlc.tick(hlc.START, NOW), "replica": "k3f9q2", "actor": "ann",
        "at": "2027-01-15T08:00:00.000Z", "group": "g1", "kind": "task.changed", "entity": "task",
        "key": "k7m2q9x4d1f0a8b3", "patch": Patch(set={"title": "Fix login"}),
    }  # fmt: skip
    return Record(**{**told, **fields})


@settings(max_examples=300)
@given(texts, st.dictionaries(texts, values, max_size=4), values, st.integers(0, 2**64))
def test_what_is_written_is_read_again(
    actor: str, fields: dict[str, Any], note: Any, clock: int
) -> None:
    patch = Patch(set=fields, on={"tags": ("a", "b")}, off={"tags": ("c",)})
    event = an_event(
        actor=actor, patch=patch, note=note, clock=hlc.pack(clock), base={"title": ("0" * 32,)}
    )
    written, line = record.write(event)
    assert record.read(line) == written
    assert written._replace(id="") == event
    assert b"\n" not in line


@given(st.integers(0, 1200))
def test_a_line_of_any_length_fits_its_id(length: int) -> None:
    written, line = record.write(an_event(patch=Patch(set={"description": "long é " * length})))
    assert record.read(line) == written


@given(texts, st.text("0123456789abcdef", min_size=1, max_size=12))
def test_a_packed_line_is_the_same_event(title: str, salt: str) -> None:
    written, line = record.write(an_event(patch=Patch(set={"title": title})))
    assert record.read(record.salted(line, salt)) == written
    assert record.bare(record.salted(line, salt)) == line


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    title = data.draw(texts)
    _, line = record.write(an_event(patch=Patch(set={"title": title})))
    where = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[where]))
    changed = line[:where] + bytes([other]) + line[where + 1 :]
    if record.bare(changed) != line:
        with pytest.raises(Damaged):
            record.read(changed)


@pytest.mark.parametrize("how", ["cut", "doubled", "space", "swapped"])
def test_any_other_edit_is_noticed(how: str) -> None:
    _, line = record.write(an_event(actor="bob"))
    edited = {
        "cut": line[:-20],
        "doubled": line + line,
        "space": line.replace(b'":', b'": ', 1),
        "swapped": line.replace(b'"actor":"bob",', b"")[:-1] + b',"actor":"bob"}',
    }[how]
    with pytest.raises(Damaged):
        record.read(edited)


def test_the_same_content_has_the_same_id_and_other_content_another() -> None:
    ids = [
        record.write(event)[0].id
        for event in (
            an_event(), an_event(), an_event(actor="bob"), an_event(note="x"),
            an_event(patch=Patch(set={"title": "Fix logout"})), an_event(base={"title": ("e",)}),
        )
    ]  # fmt: skip
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5


@given(
    st.lists(
        st.tuples(st.integers(0, 2**64), st.text("abc019", min_size=1, max_size=6)),
        min_size=2, max_size=8,
    )
)  # fmt: skip
def test_clocks_sort_as_text(stamps: list[tuple[int, str]]) -> None:
    packed = [(hlc.pack(number), replica) for number, replica in stamps]
    assert sorted(packed) == [(hlc.pack(n), r) for n, r in sorted(stamps)]
    assert [hlc.unpack(clock) for clock, _ in packed] == [number for number, _ in stamps]


@given(st.lists(st.floats(-1e11, 1e11) | st.just(NOW), min_size=2, max_size=20))
def test_a_clock_never_runs_backwards_however_the_wall_clock_jumps(walls: list[float]) -> None:
    last = hlc.START
    for wall in walls:
        clock = hlc.tick(last, wall)
        assert clock > last
        assert hlc.is_valid(clock)
        assert hlc.seconds(clock) >= min(wall, 0)
        last = clock


def test_a_frozen_clock_counts_and_overflows_into_the_next_millisecond() -> None:
    first = hlc.tick(hlc.START, NOW)
    last = first
    for _ in range(1 << hlc.COUNTER_BITS):
        previous, last = last, hlc.tick(last, NOW)
        assert last > previous
    assert hlc.seconds(last) == pytest.approx(hlc.seconds(first) + 0.001)


def test_at_the_end_of_time_clocks_stay_valid() -> None:
    last = hlc.pack(hlc.LAST)
    assert hlc.is_valid(last)
    assert hlc.tick(last, NOW) == last
    assert hlc.tick(hlc.START, 1e14) == last
    assert not hlc.is_valid(hlc.pack(hlc.LAST + 1))


@pytest.mark.parametrize("clock", ["", "0", "z" * 13, "I" * 13, "é" * 13, "0" * 14, None, 7, ["0"]])
def test_what_is_no_clock_is_not_taken_for_one(clock: object) -> None:
    assert not hlc.is_valid(clock)


# Limits, as who writes meets them


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    return Clone.first(tmp_path / "ann")


@pytest.mark.parametrize(
    ("sign", "number"),
    [("x", 60_000), ("é", 33_000), ("漢", 22_000), ("😀", 17_000), ('"', 33_000)],
)
def test_what_is_too_long_for_the_journal_is_refused_in_one_line(
    project: Clone, sign: str, number: int
) -> None:
    text = sign * number
    task = project.add("Fix login")
    before = project.files(), project.tasks()
    for args in (["add", "Too long", "-d", "-"], ["task", "update", task, "-d", "-"]):
        said = project.says(*args, stdin=text + "y" * 5600)
        assert said.count("\n") == 1, said
        assert len(said) < 500
    assert (project.files(), project.tasks()) == before


def test_a_text_just_within_the_limit_is_kept_exactly(project: Clone) -> None:
    text = "漢字 " * 4_000 + "é " * 2_000
    task = project.json("add", "Long", "-d", text)
    project.forget_caches()
    assert project.json("task", "show", task["id"])["description"] == text


def test_brackets_in_a_text_are_no_depth(project: Clone) -> None:
    project.add("Parse " + "[" * 200 + '{"' * 100)
    project.forget_caches()
    assert len(project.tasks()) == 1
    assert "is damaged" not in project.hopper("doctor")


def test_what_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path / "home", tmp_path, actor="ann")
    world.make_global()
    (tmp_path / "web").mkdir()
    world.init_project(tmp_path / "web", "web")
    hopper = world.hopper("web")
    task = hopper.claim(hopper.add_task(title="Deep")).id
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    for result in (deep, float("nan"), float("inf")):
        with pytest.raises(Invalid):
            hopper.complete(task, result=result)
    assert hopper.get(task).status == "claimed"
    world.close()


# Clocks that are wrong


def a_world(root: Path, times: list[float]) -> World:
    clock = iter(times)
    world = World(root / "home", root, actor="ann", clock=lambda: next(clock, times[-1]))
    world.make_global()
    (root / "web").mkdir()
    world.init_project(root / "web", "web")
    return world


@pytest.mark.parametrize("kind", ["ahead", "behind", "frozen", "jumping"])
def test_work_goes_on_with_a_wrong_clock_and_order_holds(tmp_path: Path, kind: str) -> None:
    chance = random.Random(5)
    times = {
        "ahead": [NOW + TEN_YEARS + n for n in range(400)],
        "behind": [NOW - TEN_YEARS - n for n in range(400)],
        "frozen": [NOW],
        "jumping": [NOW + chance.uniform(-TEN_YEARS, TEN_YEARS) for _ in range(4000)],
    }[kind]
    world = a_world(tmp_path, times)
    hopper = world.hopper("web")
    key = hopper.add_task(title="a")
    for title in ("b", "c", "d"):
        hopper.update(key, title=title)
    hopper.claim(key)
    hopper.complete(key)
    hopper.reopen(key)
    hopper.claim(key)
    store = hopper.store
    titles = [e.patch.set["title"] for e in store.events(key=key) if "title" in e.patch.set]
    assert titles == ["a", "b", "c", "d"]
    assert (hopper.get(key).title, hopper.get(key).status) == ("d", "claimed")
    before = store.query(Query(closed=True))
    store.rebuild()
    assert store.query(Query(closed=True)) == before
    assert store.conflicts() == []
    assert store.damage() == []  # type: ignore[attr-defined]
    world.close()


def test_after_an_event_from_the_end_of_time_work_goes_on(tmp_path: Path) -> None:
    world = a_world(tmp_path, [NOW])
    hopper = world.hopper("web")
    key = hopper.add_task(title="a")
    _, line = record.write(
        an_event(key=key, clock=hlc.pack(hlc.LAST), patch=Patch(set={"title": "mine for ever"}))
    )
    month = next((tmp_path / "web/.hopper/journal").glob("2*"))
    (month / "0hostile-k3f9q2-0000.jsonl").write_bytes(files.content([line]))
    store = hopper.store
    store.look()  # type: ignore[attr-defined]
    assert hopper.get(key).title == "mine for ever"
    for title in ("b", "c", "d"):
        hopper.update(key, title=title)
        assert hopper.get(key).title == title
    other = hopper.add_task(title="Another", depends_on=(key,))
    hopper.claim(key)
    hopper.complete(key, result=7)
    hopper.update(other, title="Other", add_tags=("x",))
    before = store.query(Query(closed=True)), store.all_counts()
    store.rebuild()
    assert (store.query(Query(closed=True)), store.all_counts()) == before
    assert hopper.get(key).status == "done"
    assert store.damage() == []  # type: ignore[attr-defined]
    world.close()


def doctor(project: Clone) -> list[str]:
    found = json.loads(project.hopper("doctor", "--json", check=None))
    return [f["message"] for f in found if f["level"] == "warning" and "replica" in f["message"]]


@pytest.mark.parametrize(("skew", "word"), [(TEN_YEARS, "ahead"), (-TEN_YEARS, "behind")])
def test_the_doctor_names_the_replica_whose_clock_is_off(
    project: Clone, skew: float, word: str
) -> None:
    import time

    key = project.add("Fix login")
    assert doctor(project) == []
    wall = time.time() + skew
    seen = hlc.tick(hlc.START, time.time() + 1)
    from hopper_tui.model.clock import stamp

    _, line = record.write(
        an_event(replica="bad001", key=key, clock=hlc.tick(seen, wall), at=stamp(wall))
    )
    (next(project.journal.glob("2*")) / "0-bad001-0000.jsonl").write_bytes(files.content([line]))
    project.add("After it")
    (said,) = doctor(project)
    assert "bad001" in said
    assert f"10 years {word}" in said

"""Laws of the fold: what a set of events means depends on nothing but the set."""

from __future__ import annotations

import random
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hopper_tui.engine.world import World
from hopper_tui.journal import files, graph, hlc, record
from hopper_tui.journal.files import Journal
from hopper_tui.journal.fold import Fold, fold
from hopper_tui.journal.record import Record
from hopper_tui.journal.replica import Replica
from hopper_tui.model.clock import stamp
from hopper_tui.model.event import Patch
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.query import Query
from hopper_tui.store.journaled import JournaledStore

from .test_law_engine import START, AnyCommands

TASKS = ("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc", "dddddddddddddddd")
FIELDS = ("title", "description", "priority")
MOVES: dict[str, dict[str, Any]] = {
    "claim": {"status": "claimed"},
    "start": {"status": "in_progress"},
    "release": {"status": "pending", "owner": None},
    "done": {"status": "done"},
    "cancel": {"status": "cancelled", "reason": "not needed"},
    "fail": {"status": "failed", "reason": "broken"},
    "reopen": {"status": "pending", "owner": None},
    "delegate": {"status": "delegated", "owner": None},
}
SKEWS = (0, 0, 0, 3e8, -3e8, 500, -500)
"""Seconds: right, ten years ahead, ten years behind, and a little off."""
ACTIONS = ("create", "set", "set", "tag", "untag", "dep", "undep", "resolve", *MOVES)


class Clone:
    """Somebody who writes events on the state of those that have come to them."""

    def __init__(self, name: str, skew: float) -> None:
        self.name = name
        self.skew = skew
        self.seen: dict[str, Record] = {}

    def fold(self, key: str) -> Fold:
        return fold("task", [r for r in self.seen.values() if r.key == key])

    def write(self, now: float, key: str, patch: Patch, kind: str, **more: Any) -> Record:
        base = more.get("base")
        if base is None:
            base = {} if "id" in patch.set else self.fold(key).base(patch.set)
        clock = hlc.tick(max((r.clock for r in self.seen.values()), default=hlc.START), now)
        made, _ = record.write(
            Record("", clock, self.name, self.name, stamp(now), "g", kind, "task", key, patch, base)
        )
        self.seen[made.id] = made
        return made


class History:
    """What several clones wrote, each after having received some of what the others wrote."""

    def __init__(self, skews: list[float], steps: list[tuple[int, int, int, int, int]]) -> None:
        self.clones = [Clone(f"rep{n}", skew) for n, skew in enumerate(skews)]
        self.events: list[Record] = []
        self.seen: dict[str, frozenset[str]] = {}
        self.action: dict[str, str] = {}
        for n, (who, what, which, value, received) in enumerate(steps):
            clone = self.clones[who % len(self.clones)]
            for event in random.Random(received).sample(
                self.events, min(len(self.events), received % 8)
            ):
                self._receive(clone, event)
            before = frozenset(clone.seen)
            action = ACTIONS[what % len(ACTIONS)]
            made = self._act(clone, START + n + clone.skew, action, TASKS[which % 4], value)
            if made is not None:
                self.events.append(made)
                self.seen[made.id] = before
                self.action[made.id] = action

    def _receive(self, clone: Clone, event: Record) -> None:
        """Files come with commits, and those with all commits before."""
        for earlier in self.seen[event.id]:
            clone.seen[earlier] = next(e for e in self.events if e.id == earlier)
        clone.seen[event.id] = event

    def _act(self, clone: Clone, now: float, action: str, key: str, value: int) -> Record | None:
        other = TASKS[value % 4]
        folded = clone.fold(key)
        if action in MOVES:
            fields = dict(MOVES[action])
            if action in ("claim", "start"):
                fields["owner"] = clone.name
            patch = Patch(set=fields)
        elif action == "create":
            patch = Patch(set={"id": key, "title": f"made {value}", "tags": ("new",)})
        elif action == "set":
            field = FIELDS[value % 3]
            word = ("low", "high")[value // 3 % 2]
            patch = Patch(set={field: word})
        elif action in ("tag", "dep"):
            field, element = ("tags", f"t{value % 3}") if action == "tag" else ("depends_on", other)
            patch = Patch(on={field: (element,)})
        elif action in ("untag", "undep"):
            field = "tags" if action == "untag" else "depends_on"
            patch = Patch(off={field: (f"t{value % 3}" if action == "untag" else other,)})
        else:
            clashes = folded.clashes()
            if not clashes:
                return None
            clash = clashes[value % len(clashes)]
            side = clash.loser if value % 2 else clash.winner
            return clone.write(
                now, key, Patch(set=folded.value_of(side, clash.register)), "task.resolved",
                base={clash.register: folded.all_heads(clash.register)},
            )  # fmt: skip
        return clone.write(now, key, patch, f"task.{action}")

    def of(self, key: str) -> list[Record]:
        return [event for event in self.events if event.key == key]


numbers = st.integers(0, 10**6)
histories = st.builds(
    History,
    st.lists(st.sampled_from(SKEWS), min_size=2, max_size=4),
    st.lists(st.tuples(numbers, numbers, numbers, numbers, numbers), min_size=2, max_size=40),
)


def meaning(folded: Fold) -> tuple[Any, ...]:
    state = folded.state
    known = None if state is None else sorted((k, repr(v)) for k, v in state.items())
    return known, folded.clashes(), sorted(folded.edges()), folded.created, folded.changed_at


@given(histories, st.randoms(use_true_random=False))
def test_order_and_duplicates_of_events_change_nothing(
    history: History, chance: random.Random
) -> None:
    for key in TASKS:
        events = history.of(key)
        shuffled = events + chance.choices(events, k=len(events)) if events else []
        chance.shuffle(shuffled)
        assert meaning(fold("task", shuffled)) == meaning(fold("task", events))


@given(histories)
def test_an_event_sorts_after_all_that_its_author_had_seen(history: History) -> None:
    order = {event.id: event.order for event in history.events}
    for event in history.events:
        assert all(order[earlier] < event.order for earlier in history.seen[event.id])


@given(histories)
def test_every_value_that_lost_unseen_is_listed(history: History) -> None:
    for key in TASKS:
        folded = fold("task", history.of(key))
        writers = {
            field: [e for e in history.of(key) if field in e.patch.set and not e.is_creation]
            for field in FIELDS
        }
        for field, events in writers.items():
            unseen = [
                e for e in events
                if not any(e.id in history.seen[later.id] for later in events)
            ]  # fmt: skip
            if not unseen:
                continue
            assert folded.state is not None
            value = folded.state[field]
            if len(unseen) == 1:
                assert value in [e.patch.set[field] for e in events]
            losers = {c.loser for c in folded.clashes() if c.register == field}
            for event in unseen:
                assert event.patch.set[field] == value or event.id in losers


def moves_of(history: History, key: str) -> list[Record]:
    return [e for e in history.of(key) if "status" in e.patch.set]


@given(histories)
def test_done_stays_done_until_somebody_who_saw_it_reopens(history: History) -> None:
    for key in TASKS:
        moves = moves_of(history, key)
        for done in moves:
            seen = any(done.id in history.seen[other.id] for other in moves)
            if done.patch.set["status"] == "done" and not seen:
                state = fold("task", history.of(key)).state
                assert state is not None
                assert state["status"] == "done"


@given(histories)
def test_what_a_reopen_saw_does_not_come_back(history: History) -> None:
    for key in TASKS:
        moves = moves_of(history, key)
        last = [m for m in moves if not any(m.id in history.seen[o.id] for o in moves)]
        if len(last) == 1 and all(m.id in history.seen[last[0].id] for m in moves if m != last[0]):
            state = fold("task", history.of(key)).state
            assert state is not None
            assert state["status"] == last[0].patch.set["status"]


@given(histories)
def test_of_claims_that_had_not_seen_each_other_the_earliest_holds(history: History) -> None:
    for key in TASKS:
        moves = moves_of(history, key)
        if moves and all(history.action[m.id] == "claim" for m in moves):
            alone = [m for m in moves if not history.seen[m.id] & {o.id for o in moves}]
            if len(alone) == len(moves):
                folded = fold("task", history.of(key))
                first = min(moves, key=lambda m: m.order)
                assert folded.state is not None
                assert folded.state["owner"] == first.patch.set["owner"]
                lost = {c.loser for c in folded.clashes() if c.kind == "claim"}
                others = {m.id for m in moves if m.patch.set["owner"] != first.replica}
                assert lost == others


@given(histories, st.randoms(use_true_random=False))
def test_dependencies_that_have_effect_make_no_circle(
    history: History, chance: random.Random
) -> None:
    edges = [
        (order, (key, dep)) for key in TASKS for order, dep in fold("task", history.of(key)).edges()
    ]
    inert = graph.inert(edges)
    chance.shuffle(edges)
    assert graph.inert(edges) == inert
    ways: dict[str, set[str]] = {}
    for _, (source, target) in edges:
        if (source, target) not in inert:
            ways.setdefault(source, set()).add(target)
    while ways:
        ends = [node for node, targets in ways.items() if not targets & ways.keys()]
        assert ends, f"a circle among {sorted(ways)}"
        for node in ends:
            del ways[node]


@given(histories)
def test_a_dependency_without_effect_would_close_a_circle(history: History) -> None:
    edges = [e for key in TASKS for _, e in both(fold("task", history.of(key)), key)]
    inert = graph.inert([e for key in TASKS for e in both(fold("task", history.of(key)), key)])
    ways: dict[str, set[str]] = {}
    for source, target in set(edges) - inert:
        ways.setdefault(source, set()).add(target)
    assert all(source == target or graph.leads(ways, target, source) for source, target in inert)


def both(folded: Fold, key: str) -> list[tuple[tuple[str, ...], tuple[str, str]]]:
    return [(order, (key, dep)) for order, dep in folded.edges()]


# Through the store


class Place:
    """A journal in a directory with its cache, and the files that come and go there."""

    def __init__(self, root: Path, name: str) -> None:
        self.directory = root / name / ".hopper" / "journal"
        self.directory.mkdir(parents=True)
        replica = Replica(root / name / "replica", random.Random(3).randbytes)
        self.cache = root / name / "cache" / "tasks.db"
        self.store = JournaledStore(
            self.cache, Journal(self.directory), replica, "web", random.Random(4).randbytes
        )

    def put(self, name: str, data: bytes) -> None:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)

    def take(self, name: str) -> None:
        (self.directory / name).unlink()

    def tables(self) -> dict[str, Any]:
        """All that the store tells, and its tables but for what is local or a row's number."""
        self.store.look()
        told: dict[str, Any] = {
            "tasks": self.store.query(Query(closed=True)),
            "next": self.store.ids(Query(instance="web")),
            "conflicts": self.store.conflicts(),
            "log": [e._replace(seq=0, patch=Patch()) for e in self.store.events()],
            "counts": self.store.all_counts(),
            "trouble": [s for s in self.store.check() if "circle" not in s],
        }
        for table, columns in (
            ("tasks", "id, born"),
            ("task_deps", "task, dep, since, inert"),
            ("clashes", "*"),
        ):
            told[f"{table}'s rows"] = sorted(self.store._all(f"SELECT {columns} FROM {table}"))
        return told


def split(events: list[Record], chance: random.Random) -> dict[str, bytes]:
    """The events as files, in any order and number, some events in several files."""
    every = events + [e for e in events if chance.random() < 0.2]
    chance.shuffle(every)
    found: dict[str, bytes] = {}
    while every:
        some = [every.pop() for _ in range(min(len(every), chance.randint(1, 6)))]
        lines = [record.write(e)[1] for e in some]
        if chance.random() < 0.2:
            name, data = files.pack(*zip_lines(lines, some))
            found[f"2026-11/{name}"] = data
        else:
            salt = files.random_salt(chance.randbytes)
            found[files.new_name(some[0].clock, some[0].replica, salt)] = files.content(lines)
    return found


def zip_lines(lines: list[bytes], events: list[Record]) -> tuple[list[bytes], list[str]]:
    unique = dict(zip((e.id for e in events), lines, strict=True))
    return list(unique.values()), list(unique)


few = settings(max_examples=max(25, settings.default.max_examples // 4 if settings.default else 25))


@few
@given(histories, st.randoms(use_true_random=False))
def test_two_stores_of_the_same_events_in_different_files_are_equal(
    history: History, chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as root:
        ann, bob = Place(Path(root), "ann"), Place(Path(root), "bob")
        for name, data in split(history.events, chance).items():
            ann.put(name, data)
        for name, data in split(history.events, chance).items():
            bob.put(name, data)
            if chance.random() < 0.3:  # bob looks in between
                bob.store.look()
        assert ann.tables() == bob.tables()
        assert ann.tables()["trouble"] == []
        ann.store.close()
        bob.store.close()


@few
@given(histories, st.randoms(use_true_random=False))
def test_switching_branches_gives_what_a_new_cache_gives(
    history: History, chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as root:
        ann = Place(Path(root), "ann")
        every = split(history.events, chance)
        here: set[str] = set()
        for turn in range(4):
            wanted = {name for name in every if chance.random() < 0.6}
            for name in here - wanted:
                ann.take(name)
            for name in wanted - here:
                ann.put(name, every[name])
            here = wanted
            fresh = Place(Path(root), f"fresh{turn}")
            for name in here:
                fresh.put(name, every[name])
            assert ann.tables() == fresh.tables()
            fresh.store.close()
        before = ann.tables()
        ann.store.rebuild()
        assert ann.tables() == before
        ann.store.close()
        shutil.rmtree(ann.cache.parent)
        assert ann.tables() == before
        ann.store.close()


# Through commands


class AnyCommandsInAProject(AnyCommands):
    """The same person, in a project whose record is a journal: a rebuild at the end tells
    whether what each command put into the tables is what the events say."""

    def __init__(self) -> None:
        super().__init__()
        self.world.close()
        self.directory = tempfile.TemporaryDirectory()
        root = Path(self.directory.name)
        (root / "webapp").mkdir()
        clock, entropy = count(), random.Random(7)
        self.world = World(
            root / "home", root / "webapp", actor="ann", entropy=entropy.randbytes,
            clock=lambda: START + next(clock) / 1000,
        )  # fmt: skip
        self.world.make_global("global")
        self.world.init_project(root / "webapp", "webapp")
        self.world.hopper("webapp").configure({"capabilities": ["react"]})
        for name, auto_accept in (("worker-1", True), ("worker-2", False)):
            config = {"auto_accept": auto_accept, "max_concurrent_tasks": 2}
            made = self.world.create_instance(name, HopperScope.ORCHESTRATION, "webapp", config)
            self.world.move_instance(made.id, "start")

    def teardown(self) -> None:
        """The law, and no files left behind."""
        try:
            super().teardown()
        finally:
            self.world.close()
            self.directory.cleanup()


AnyCommandsInAProject.TestCase.settings = settings(
    max_examples=max(8, settings.default.max_examples // 12 if settings.default else 8),
    stateful_step_count=25,
)
TestAnyCommandsInAProject = AnyCommandsInAProject.TestCase

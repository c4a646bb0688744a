"""Wrong clocks and copied clones: order holds, nothing is refused, the doctor says who is off."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import pytest

from hopper_tui.engine.world import World
from hopper_tui.store.journaled import JournaledStore

from .clones import Clone
from .walk import tables

NOW = 1_800_000_000.0
"""Seconds since the epoch that right clocks begin at."""
YEAR = 365.25 * 86400
STEP = 60.0
"""Seconds between two looks at a right clock."""

Clock = Callable[[], float]


def right(offset: float = 0.0) -> Clock:
    """A clock that goes on by a minute whenever somebody looks."""
    looks = iter(range(1_000_000))
    return lambda: NOW + offset + next(looks) * STEP


def frozen() -> Clock:
    return lambda: NOW


def jumping() -> Clock:
    """A clock that jumps by years, back and forth."""
    jumps = cycle((0.0, -YEAR, 3 * YEAR, -5 * YEAR, 86400.0, -86400.0))
    return lambda: NOW + next(jumps)


WRONG: dict[str, Callable[[], Clock]] = {
    "ten years ahead": lambda: right(10 * YEAR),
    "ten years behind": lambda: right(-10 * YEAR),
    "frozen": frozen,
    "jumping": jumping,
}


@dataclass
class At:
    """A clone, and its world with a clock of its own."""

    clone: Clone
    world: World

    @property
    def store(self) -> JournaledStore:
        store = self.world.store("hopper-web")
        assert isinstance(store, JournaledStore)
        return store

    def send(self, other: At) -> None:
        """Commit everything, and let the other one pull it."""
        self.clone.commit()
        other.clone.commit()
        other.clone.git("pull", "-q", "--no-rebase", "--no-edit", str(self.clone.root), "main")

    def moves(self, key: str) -> list[str]:
        """What became of a task, in order."""
        kinds = [e.kind for e in self.store.events(key=key)]
        return [kind for kind in kinds if kind not in ("task.decided", "task.kept")]

    def order(self) -> list[tuple[str, str, str]]:
        """The events as they count: what happened to what, and in whose clone."""
        return [(e.kind, e.key, e.replica) for e in self.store.events()]


@pytest.fixture(params=WRONG)
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[At, At]]:
    """A clone with a right clock and one with a wrong one."""
    ann = Clone.first(tmp_path / "ann", init=False)
    clocks = (right(), WRONG[request.param]())
    world = World(ann.home, ann.root, actor="ann", clock=clocks[0])
    world.init_project(ann.root, "web")
    ann.commit()
    bob = ann.clone(tmp_path / "bob")
    other = World(bob.home, bob.root, actor="bob", clock=clocks[1])
    yield At(ann, world), At(bob, other)
    world.close()
    other.close()


def test_both_agree_and_an_effect_comes_after_its_cause(two: tuple[At, At]) -> None:
    ann, bob = two
    key = ann.world.hopper().add_task(title="Fix login")
    ann.send(bob)
    turns: list[tuple[At, str]] = []
    for number in range(3):
        for here, there in ((bob, ann), (ann, bob)):
            title = f"{number} by {here.clone.actor}"
            here.world.hopper().update(key, title=title)
            turns.append((here, title))
            assert here.world.hopper().get(key).title == title, "it saw what it replaces"
            here.send(there)
            assert there.world.hopper().get(key).title == title
    expected = [(at.store.replica) for at, _ in turns]
    for at in two:
        changes = [e for e in at.store.events(key=key) if e.kind == "task.changed"]
        assert [e.replica for e in changes] == expected, "as one saw the other's"
        assert [e.patch.set["title"] for e in changes] == [title for _, title in turns]
        assert at.store.conflicts() == []
        assert at.store.damage() == []
    assert ann.order() == bob.order()
    assert tables(ann.store) == tables(bob.store)


def test_work_done_apart_is_merged_alike_in_both(two: tuple[At, At]) -> None:
    ann, bob = two
    keys = [ann.world.hopper().add_task(title=f"task {n}") for n in range(3)]
    ann.send(bob)
    for at in two:
        hopper = at.world.hopper()
        hopper.claim(keys[0])
        hopper.update(keys[1], title=f"by {at.clone.actor}", add_tags=[at.clone.actor])
        hopper.add_task(title=f"new by {at.clone.actor}")
    bob.world.hopper().complete(keys[2])
    bob.send(ann)
    ann.send(bob)
    for at in two:
        hopper = at.world.hopper()
        assert {t.title for t in hopper.list(closed=True)} >= {"new by ann", "new by bob"}
        assert set(hopper.get(keys[1]).tags) == {"ann", "bob"}
        assert str(hopper.get(keys[2]).status) == "done"
        assert sorted(c.kind for c in at.store.conflicts()) == ["claim", "field"]
    assert ann.store.conflicts() == bob.store.conflicts()
    assert ann.order() == bob.order()
    assert tables(ann.store) == tables(bob.store)


def test_what_a_healthy_clone_does_next_comes_after_all_it_saw(two: tuple[At, At]) -> None:
    ann, bob = two
    key = bob.world.hopper().add_task(title="Fix login")
    bob.world.hopper().claim(key)
    bob.send(ann)
    ann.world.hopper().release(key)
    ann.world.hopper().complete(key)
    kinds = ann.moves(key)
    assert kinds == ["task.created", "task.claimed", "task.released", "task.done"]
    ann.send(bob)
    assert bob.moves(key) == kinds
    bob.world.hopper().reopen(key)
    assert bob.store.events()[-1].kind == "task.reopened"


def test_the_order_within_a_clone_is_the_order_of_its_work(two: tuple[At, At]) -> None:
    for at in two:
        hopper = at.world.hopper()
        key = hopper.add_task(title="Fix login")
        for number in range(5):
            hopper.update(key, title=f"title {number}")
        told = [e.patch.set for e in at.store.events(key=key)]
        titles = [fields["title"] for fields in told if "title" in fields]
        assert titles == ["Fix login", *(f"title {number}" for number in range(5))]


@pytest.mark.parametrize(
    ("years", "said"), [(10, "was 10 years ahead"), (-10, "was 10 years behind")]
)
def test_the_doctor_names_the_clone_whose_clock_is_off_in_one_line(
    tmp_path: Path, years: float, said: str
) -> None:
    import time

    ann = Clone.first(tmp_path / "ann")
    key = ann.add("Fix login")
    ann.commit()
    bob = ann.clone(tmp_path / "bob")
    world = World(bob.home, bob.root, clock=lambda: time.time() + years * YEAR)
    for number in range(3):
        world.hopper().update(key, title=f"title {number}")
    replica = world.store("hopper-web").replica
    world.close()
    bob.commit()
    ann.git("pull", "-q", "--no-edit", str(bob.root), "main")
    ann.hopper("task", "claim", key)  # after what the other one claimed
    assert ann.tasks()["title 2"]["status"] == "claimed"
    findings = json.loads(ann.hopper("doctor", "--json"))
    off = [f for f in findings if "clock" in f["message"]]
    (finding,) = off
    assert finding["level"] == "warning"
    assert finding["message"].startswith(f"the clock of replica {replica} {said}")
    assert "\n" not in finding["message"]


# Copies of a clone's directory


def _replica(clone: Clone) -> str:
    text = (clone.root / ".git" / "hopper" / "replica.json").read_text()
    return str(json.loads(text)["replica"])


def _writers(clone: Clone) -> set[str]:
    """The replicas that the names of the journal files tell of."""
    return {Path(name).name.split("-")[1] for name in clone.files()}


@pytest.mark.installed
def test_a_copied_directory_becomes_a_clone_of_its_own(tmp_path: Path) -> None:
    ann = Clone.first(tmp_path / "ann")
    key = ann.add("Fix login")
    ann.commit()
    shutil.copytree(ann.root, tmp_path / "copy", symlinks=True)
    copy = replace(ann, root=tmp_path / "copy", home=tmp_path / "copy-home", actor="bob")
    assert _replica(copy) == _replica(ann)
    before = _replica(ann)

    for clone in (copy, ann):
        clone.add(f"Made by {clone.actor}")
        clone.hopper("task", "update", key, "--add-tag", clone.actor)
    assert _replica(ann) == before
    assert _replica(copy) != before
    assert _writers(copy) == {before, _replica(copy)}
    assert _writers(ann) == {before}

    for clone in (ann, copy):
        clone.commit()
    ann.git("pull", "-q", "--no-rebase", "--no-edit", str(copy.root), "main")
    copy.git("pull", "-q", "--no-rebase", "--no-edit", str(ann.root), "main")
    assert ann.tasks() == copy.tasks()
    assert set(ann.tasks()) == {"Fix login", "Made by ann", "Made by bob"}
    assert set(ann.tasks()["Fix login"]["tags"]) == {"ann", "bob"}
    for clone in (ann, copy):
        assert clone.json("conflicts") == []
        findings = json.loads(clone.hopper("doctor", "--deep", "--json"))
        assert [f for f in findings if f["subject"] == "web" and f["level"] != "ok"] == []


def test_a_copy_made_with_uncommitted_work_loses_none_of_it(tmp_path: Path) -> None:
    ann = Clone.first(tmp_path / "ann")
    ann.add("Not committed")
    shutil.copytree(ann.root, tmp_path / "copy", symlinks=True)
    copy = replace(ann, root=tmp_path / "copy", home=tmp_path / "copy-home", actor="bob")
    task = copy.tasks()["Not committed"]["id"]
    for clone in (ann, copy):
        clone.hopper("task", "claim", task)
        clone.commit()
    ann.git("pull", "-q", "--no-rebase", "--no-edit", str(copy.root), "main")
    copy.git("pull", "-q", "--no-rebase", "--no-edit", str(ann.root), "main")
    assert ann.tasks() == copy.tasks()
    assert set(ann.tasks()) == {"Not committed"}
    assert ann.tasks()["Not committed"]["owner"] == "ann", "the earlier claim holds"
    assert [c["kind"] for c in ann.json("conflicts")] == ["claim"]

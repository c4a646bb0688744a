"""Compacting: many committed files become one pack, and nothing that they say is lost."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hopper_tui.engine import compacting
from hopper_tui.engine.checkout import journaled
from hopper_tui.engine.compacting import Packed
from hopper_tui.engine.world import World
from hopper_tui.journal import files
from hopper_tui.model.errors import HopperError
from journal.clones import Clone
from journal.test_committing import DAY, events, killed, world_of

NOW = time.time()
MONTHS = (NOW + 32 * DAY, NOW + 64 * DAY, NOW + 96 * DAY)
"""Seconds since the epoch in three months to come: no clock can be turned back behind `init`."""


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    return Clone.first(tmp_path / "ann")


def fill(clone: Clone, tasks: int, when: float = MONTHS[0]) -> list[str]:
    """Add tasks at a time, each in a journal file of its own, and commit them with git alone."""
    world = world_of(clone, lambda: when)
    hopper = world.hopper("web")
    made = [hopper.add_task(title=f"{clone.actor} {when:.0f} {n}") for n in range(tasks)]
    world.close()
    clone.commit()
    return made


def compact(clone: Clone, when: float = MONTHS[2]) -> list[Packed]:
    """Pack the past months at a time."""
    world = world_of(clone, lambda: when)
    packed = compacting.compact(world, "web")
    world.close()
    return packed


def pull(clone: Clone, other: Clone) -> None:
    """Merge the main branch of another clone; git must not ask anything."""
    clone.git("pull", "-q", "--no-rebase", "--no-edit", str(other.root), "main")
    assert clone.git("status", "--short") == ""


def meaning(clone: Clone) -> tuple[Any, ...]:
    """Everything that the events here say, by a cache made anew."""
    clone.forget_caches()
    world = world_of(clone)
    store = journaled(world, "web")
    said = (
        sorted(world.hopper("web").list(closed=True), key=lambda task: task.id),
        sorted((c.key, c.register, c.kind, c.winner, c.loser) for c in store.conflicts()),
        store.present_ids(),
        [(event.kind, event.key, event.at) for event in store.events()],
    )
    world.close()
    return said


def months_of(clone: Clone) -> dict[str, int]:
    """How many files each month has."""
    found: dict[str, int] = {}
    for name in clone.files():
        month = name.partition("/")[0]
        found[month] = found.get(month, 0) + 1
    return found


def test_past_months_are_packed_and_the_present_one_is_not(ann: Clone) -> None:
    for when in MONTHS:
        fill(ann, 4, when)
    before, ids = meaning(ann), events(ann)
    first, *rest = sorted(months_of(ann))
    assert (len(rest), [months_of(ann)[month] for month in rest]) == (3, [4, 4, 4])
    packed = compact(ann)
    assert [(each.month, each.before, each.after) for each in packed] == [
        (rest[0], 4, 1), (rest[1], 4, 1),
    ]  # fmt: skip
    assert months_of(ann) == {first: 1, rest[0]: 1, rest[1]: 1, rest[2]: 4}
    assert events(ann) == ids
    assert meaning(ann) == before
    assert ann.json("status")["uncommitted"] == 0
    assert "Hopper: pack 8 files" in _committed(ann)
    assert ann.git("status", "--short") == ""
    assert compact(ann) == []
    assert meaning(ann) == before


@pytest.mark.installed
def test_the_answer(ann: Clone) -> None:
    fill(ann, 4)
    assert ann.hopper("compact") == "nothing to pack\n"
    month = max(months_of(ann))
    held = sum(ann.journal.joinpath(n).read_bytes().count(b"\n") - 1
               for n in ann.files() if n.startswith(month))  # fmt: skip
    answer = ann.json("compact", "--all")
    assert list(answer) == ["months", "before", "after", "events"]
    assert (answer["before"], answer["after"]) == (4, 1)
    assert answer["months"] == [{"month": month, "before": 4, "after": 1, "events": held}]
    assert ann.json("compact", "--all")["months"] == []


def _committed(clone: Clone) -> str:
    clone.hopper("commit")
    return clone.git("log", "-1", "--format=%s")


def test_one_month_only(ann: Clone) -> None:
    for when in MONTHS[:2]:
        fill(ann, 3, when)
    first, second = sorted(months_of(ann))[1:]
    ann.hopper("compact", "--month", second)
    assert months_of(ann)[first] == 3
    assert months_of(ann)[second] == 1
    ann.hopper("compact", "--month", "November", check=1)
    assert "2026-11" in ann.says("compact", "--month", "November")


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_mean_the_same_afterwards(tmp_path: Path, seed: int) -> None:
    """Two clones change the same tasks, commit, merge and pack at random."""
    chance = random.Random(seed)
    ann = Clone.first(tmp_path / "ann")
    bob = ann.clone(tmp_path / "bob")
    now = NOW
    for _ in range(10):
        clone, other = chance.sample((ann, bob), 2)
        world = world_of(clone, lambda now=now: now)  # type: ignore[misc]
        now += chance.expovariate(1 / (12 * DAY))
        for _ in range(chance.randrange(1, 6)):
            _change_something(world, chance)
        world.close()
        clone.commit()
        if chance.random() < 0.5:
            before = meaning(clone)
            ids = set(events(clone))
            clone.hopper("compact", "--all")
            assert set(events(clone)) == ids
            assert meaning(clone) == before
            clone.hopper("commit") if chance.random() < 0.5 else clone.commit()
            assert clone.git("status", "--short") == ""
            assert meaning(clone) == before
        if chance.random() < 0.5:
            pull(clone, other)
    pull(ann, bob)
    pull(bob, ann)
    said = meaning(ann)
    assert meaning(bob) == said
    assert len(said[0]) > 3
    for clone in (ann, bob):
        clone.hopper("compact", "--all")
        assert meaning(clone) == said
        assert set(months_of(clone).values()) == {1}
    assert ann.files() == bob.files()


def _change_something(world: World, chance: random.Random) -> None:
    hopper = world.hopper("web")
    tasks = sorted(task.id for task in hopper.list(closed=True))
    if len(tasks) < 3 or chance.random() < 0.3:
        hopper.add_task(title=f"Task {chance.random()}", tags=("new",))
        return
    key = chance.choice(tasks)
    moves: list[Callable[[], object]] = [
        lambda: hopper.update(key, title=f"Title {chance.random()}"),
        lambda: hopper.update(key, depends_on=[chance.choice(tasks)]),
        lambda: hopper.update(key, tags=[chance.choice("abc")]),
        lambda: hopper.claim(key),
        lambda: hopper.complete(key),
        lambda: hopper.reopen(key),
        lambda: hopper.note(key, "Looked at it → fine"),
    ]
    try:
        chance.choice(moves)()
    except HopperError:
        return


def test_two_clones_that_pack_the_same_write_the_same_file(ann: Clone, tmp_path: Path) -> None:
    fill(ann, 5)
    bob = ann.clone(tmp_path / "bob")
    before = meaning(ann)
    contents = []
    for clone in (ann, bob):
        clone.hopper("compact", "--all")
        clone.hopper("commit")
        contents.append({name: (clone.journal / name).read_bytes() for name in clone.files()})
    assert contents[0] == contents[1]
    pull(ann, bob)
    assert meaning(ann) == before


def test_a_branch_that_still_has_the_files_and_adds_some(ann: Clone, tmp_path: Path) -> None:
    fill(ann, 5)
    bob = ann.clone(tmp_path / "bob")
    fill(bob, 3)
    ann.hopper("compact", "--all")
    ann.hopper("commit")
    pull(ann, bob)
    pull(bob, ann)
    assert meaning(ann) == meaning(bob)
    assert len(ann.tasks()) == 8
    assert events(ann) == sorted(set(events(ann)))


def test_two_different_packs_become_one(ann: Clone, tmp_path: Path) -> None:
    fill(ann, 5)
    bob = ann.clone(tmp_path / "bob")
    fill(bob, 3)
    fill(ann, 2)
    for clone in (ann, bob):
        clone.hopper("compact", "--all")
        clone.hopper("commit")
    pull(ann, bob)
    before = meaning(ann)
    assert len(events(ann)) > len(set(events(ann)))
    ann.hopper("compact", "--all")
    assert events(ann) == sorted(set(events(ann)))
    assert set(months_of(ann).values()) == {1}
    assert meaning(ann) == before
    ann.hopper("commit")
    pull(bob, ann)
    assert meaning(bob) == before


def test_what_is_not_committed_as_it_is_stays(ann: Clone) -> None:
    fill(ann, 5)
    before = ann.files()
    names = sorted(name for name in before if name.startswith(max(months_of(ann))))
    modified = ann.journal / names[0]
    modified.write_bytes(modified.read_bytes() + b"\n")
    world = world_of(ann, lambda: MONTHS[0])
    world.hopper("web").add_task(title="New")
    world.hopper("web").add_task(title="Staged")
    world.close()
    new = ann.files() - before
    ann.git("add", f".hopper/journal/{min(new)}")
    said = meaning(ann)
    (packed,) = compact(ann)
    assert packed.before == 4
    assert {names[0], *new} < ann.files()
    assert len(ann.files() & before) == len(before) - 4
    assert meaning(ann) == said


def test_a_damaged_file_stays(ann: Clone) -> None:
    fill(ann, 4)
    name = max(ann.files())
    path = ann.journal / name
    path.write_bytes(path.read_bytes().replace(b'"kind"', b'"kinb"', 1))
    ann.commit()
    before = meaning(ann)
    compact(ann)
    assert name in ann.files()
    assert months_of(ann)[name.partition("/")[0]] == 2
    assert meaning(ann) == before


@pytest.mark.parametrize("step", ["written", "synced", "committed", "replaced", "removed"])
def test_killed_while_it_packs(ann: Clone, step: str) -> None:
    fill(ann, 5)
    before, ids = meaning(ann), set(events(ann))

    def pack(die: Callable[[str], None]) -> None:
        world = world_of(ann, lambda: MONTHS[2])
        journaled(world, "web").step = die
        compacting.compact(world, "web")

    assert killed(step, pack)
    assert set(events(ann)) == ids
    assert meaning(ann) == before
    compact(ann)
    ann.hopper("commit")
    assert ann.git("status", "--short") == ""
    assert events(ann) == sorted(ids)
    assert max(months_of(ann).values()) == 1
    assert meaning(ann) == before


def test_a_pack_that_is_not_what_it_should_be_removes_nothing(ann: Clone) -> None:
    fill(ann, 4)
    compact(ann)
    (pack,) = (name for name in ann.files() if "pack-" in name)
    whole = (ann.journal / pack).read_bytes()
    ann.git("checkout", "-q", "--", ".hopper/journal")
    (ann.journal / pack).write_bytes(whole[:-50])
    before = ann.files()
    ann.hopper("compact", "--all", check=1)
    assert "nothing was removed" in ann.says("compact", "--all")
    assert ann.files() == before


def test_more_than_a_pack_holds_becomes_several(
    ann: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ann, 8)
    before = meaning(ann)
    monkeypatch.setattr(files, "PACK_LIMIT", 3000)
    (packed,) = compact(ann)
    assert packed.after > 2
    largest = max(os.path.getsize(ann.journal / n) for n in ann.files() if "pack-" in n)
    assert largest < 3300
    assert meaning(ann) == before
    ann.hopper("commit")
    assert compact(ann) == []


def test_a_claim_holds_in_every_worktree_after_its_file_was_packed(
    ann: Clone, tmp_path: Path
) -> None:
    tasks = fill(ann, 3)
    beside = ann.worktree(tmp_path / "beside", "beside", actor="bob")
    ann.hopper("task", "claim", tasks[0])
    ann.hopper("task", "done", tasks[1])
    ann.commit()
    ann.hopper("compact", "--all")
    for task in tasks[:2]:
        assert "another worktree" in beside.says("task", "claim", task)
    beside.hopper("task", "claim", tasks[2])


def test_outside_of_git_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    ann = Clone(tmp_path / "ann", tmp_path / "home", "ann")
    ann.hopper("init", "--name", "web")
    ann.hopper("compact", check=1)
    assert "git init" in ann.says("compact")

"""Conflicts: what two clones changed apart is listed, decided once, and told to who lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from journal.clones import Clone

CONFLICT = ["id", "short_id", "title", "entity", "field", "kind", "stands", "other"]
SIDE = ["values", "actor", "at", "replica", "here", "event"]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Clone, Clone, str]:
    """Two clones of a project with one task."""
    ann = Clone.first(tmp_path / "ann")
    task = ann.add("Fix login")
    ann.commit()
    return ann, ann.clone(tmp_path / "bob"), task


def merge(into: Clone, other: Clone) -> None:
    into.commit()
    other.commit()
    into.git("pull", "-q", "--no-rebase", "--no-edit", str(other.root), "main")


def retitle_apart(ann: Clone, bob: Clone, task: str) -> None:
    ann.hopper("task", "update", task, "--title", "Fix the login")
    bob.hopper("task", "update", task, "--title", "Repair login")
    merge(bob, ann)


def title(clone: Clone, task: str) -> Any:
    return clone.json("task", "show", task)["title"]


@pytest.mark.installed
def test_nothing_is_listed_where_all_was_made_in_turn(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    ann.hopper("task", "update", task, "--title", "Fix the login")
    merge(bob, ann)
    bob.hopper("task", "update", task, "--title", "Repair login")
    assert bob.json("conflicts", "--all") == []


def test_both_values_are_listed_with_who_wrote_them_where(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    retitle_apart(ann, bob, task)
    (conflict,) = bob.json("conflicts")
    assert list(conflict) == CONFLICT
    assert list(conflict["stands"]) == list(conflict["other"]) == SIDE
    assert conflict["field"] == "title"
    assert conflict["stands"]["values"] == {"title": "Repair login"}
    assert conflict["other"]["values"] == {"title": "Fix the login"}
    assert [conflict[s]["actor"] for s in ("stands", "other")] == ["bob", "ann"]
    assert [conflict[s]["here"] for s in ("stands", "other")] == [True, False]
    text = bob.hopper("conflicts")
    assert "Fix the login" in text
    assert "ann" in text
    assert bob.hopper("conflicts", "list", "-q").split() == [task]


@pytest.mark.parametrize(
    ("take", "who", "left"),
    [
        ("mine", "bob", "Repair login"),
        ("theirs", "bob", "Fix the login"),
        ("mine", "ann", "Fix the login"),
        ("theirs", "ann", "Repair login"),
    ],
)
def test_deciding_leaves_the_value_taken_and_no_conflict_in_any_clone(
    pair: tuple[Clone, Clone, str], take: str, who: str, left: str
) -> None:
    ann, bob, task = pair
    retitle_apart(ann, bob, task)
    merge(ann, bob)
    one, other = (ann, bob) if who == "ann" else (bob, ann)
    one.hopper("conflicts", "resolve", task, "--take", take)
    merge(other, one)
    for clone in (one, other):
        assert clone.json("conflicts") == []
        assert title(clone, task) == left


def test_one_field_is_decided_and_the_other_stays_open(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    ann.hopper("task", "update", task, "-p", "high")
    bob.hopper("task", "update", task, "-p", "low")
    retitle_apart(ann, bob, task)
    bob.hopper("conflicts", "resolve", task, "--take", "theirs", "--field", "priority")
    assert bob.json("task", "show", task)["priority"] == "high"
    assert [c["field"] for c in bob.json("conflicts")] == ["title"]


def test_deciding_is_one_step_of_undo(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    ann.hopper("task", "update", task, "-p", "high")
    bob.hopper("task", "update", task, "-p", "low")
    retitle_apart(ann, bob, task)
    bob.hopper("conflicts", "resolve", task, "--take", "theirs")
    bob.hopper("undo")
    shown = bob.json("task", "show", task)
    assert (shown["title"], shown["priority"]) == ("Repair login", "low")


def test_where_nobody_disagrees_there_is_nothing_to_decide(
    pair: tuple[Clone, Clone, str],
) -> None:
    ann, bob, task = pair
    ann.hopper("conflicts", "resolve", task, "--take", "mine", check=1)
    assert "hopper conflicts" in ann.says("conflicts", "resolve", task, "--take", "mine")
    retitle_apart(ann, bob, task)
    said = bob.says("conflicts", "resolve", task, "--take", "mine", "--field", "priority")
    assert "title" in said
    bob.hopper("conflicts", "resolve", "zzzzzzz", "--take", "mine", check=1)


def test_who_claimed_later_is_told_once_and_may_take_the_task_back(
    pair: tuple[Clone, Clone, str],
) -> None:
    ann, bob, task = pair
    ann.hopper("task", "claim", task)
    bob.hopper("task", "claim", task)
    merge(bob, ann)
    (conflict,) = bob.json("conflicts")
    assert (conflict["kind"], conflict["stands"]["actor"]) == ("claim", "ann")
    bob.hopper("conflicts", "resolve", task, "--take", "mine")
    assert bob.json("task", "show", task)["owner"] == "bob"
    merge(ann, bob)
    shown = ann.json("task", "show", task)
    assert (shown["owner"], shown["status"]) == ("bob", "claimed")
    assert ann.json("conflicts", "--all") == []


def test_what_settled_itself_is_listed_on_request_only(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    ann.hopper("task", "done", task)
    bob.hopper("task", "cancel", task)
    merge(bob, ann)
    assert bob.json("task", "show", task)["status"] == "done"
    assert bob.json("conflicts") == []
    assert [c["kind"] for c in bob.json("conflicts", "--all")] == ["void"]
    assert "info" in bob.hopper("conflicts", "--all")
    bob.hopper("conflicts", "resolve", task, "--take", "theirs", check=1)


def test_of_three_values_one_is_taken_at_once(tmp_path: Path) -> None:
    ann = Clone.first(tmp_path / "ann")
    task = ann.add("Fix login")
    ann.commit()
    bob, eve = ann.clone(tmp_path / "bob"), ann.clone(tmp_path / "eve")
    for clone in (ann, bob, eve):
        clone.hopper("task", "update", task, "--title", f"By {clone.actor}")
    merge(bob, ann)
    merge(bob, eve)
    assert len(bob.json("conflicts")) == 2
    bob.hopper("conflicts", "resolve", task, "--take", "mine")
    assert (title(bob, task), bob.json("conflicts")) == ("By bob", [])


def test_text_of_others_cannot_steer_the_terminal(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    ann.hopper("task", "update", task, "--title", "red \x1b[31m \u202e end")
    bob.hopper("task", "update", task, "--title", "Repair login")
    merge(bob, ann)
    text = bob.hopper("conflicts")
    assert "red" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_the_loser_of_a_claim_is_told_once(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    ann.hopper("task", "claim", task)
    bob.hopper("task", "claim", task)
    merge(bob, ann)

    def told(actor: str) -> list[str]:
        said = bob.says("list", HOPPER_ACTOR=actor).splitlines()
        return [line for line in said if "your claim came later" in line]

    assert told("eve") == []
    (said,) = told("bob")
    assert "ann has web-" in said
    assert "hopper conflicts" in said
    assert told("bob") == []


def test_the_fields_of_a_task_stand_below_its_name(pair: tuple[Clone, Clone, str]) -> None:
    ann, bob, task = pair
    assert "nobody" in bob.says("conflicts")
    ann.hopper("task", "update", task, "-p", "low")
    bob.hopper("task", "update", task, "-p", "high")
    retitle_apart(ann, bob, task)
    lines = bob.hopper("conflicts").splitlines()
    assert [line.startswith(" ") for line in lines] == [False, True, True, True, True]

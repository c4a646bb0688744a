"""Bringing: a task of another branch comes into this checkout, and the merge changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from journal.clones import Clone


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    """A clone on `main`, with a branch `docs` that was never merged."""
    clone = Clone.first(tmp_path / "ann")
    clone.add("Common")
    clone.commit()
    return clone


def on_branch(clone: Clone, branch: str, *commands: tuple[str, ...]) -> None:
    """Run commands on a new branch, commit there and come back."""
    clone.git("checkout", "-q", "-b", branch)
    for command in commands:
        clone.hopper(*command)
    clone.commit()
    clone.git("checkout", "-q", "main")


def add_on_branch(clone: Clone, branch: str, title: str) -> str:
    """Add a task on a new branch; returns its id."""
    clone.git("checkout", "-q", "-b", branch)
    task = clone.add(title)
    clone.commit()
    clone.git("checkout", "-q", "main")
    return task


@pytest.mark.installed
def test_a_task_of_another_branch_is_named_as_such(ann: Clone) -> None:
    task = add_on_branch(ann, "docs", "Write docs")
    said = ann.says("task", "show", task[:6])
    assert "'Write docs' is on another branch" in said
    assert "hopper bring web-" in said
    ann.hopper("task", "show", task, check=1)


def test_it_comes_with_its_history_and_merging_later_changes_nothing(ann: Clone) -> None:
    task = add_on_branch(ann, "docs", "Write docs")
    on_branch(ann, "more")
    ann.git("checkout", "-q", "docs")
    ann.hopper("task", "claim", task)
    ann.hopper("task", "note", task, "half way")
    ann.commit()
    there = ann.json("task", "log", task)
    ann.git("checkout", "-q", "main")
    answer = ann.json("bring", task)
    assert list(answer) == ["id", "short_id", "title", "events", "others"]
    assert (answer["id"], answer["title"], answer["events"]) == (task, "Write docs", len(there))
    assert [e["kind"] for e in ann.json("task", "log", task)] == [e["kind"] for e in there]
    ann.commit()
    before = ann.tasks()
    ann.git("merge", "-q", "--no-edit", "docs")
    assert ann.tasks() == before
    assert ann.json("conflicts", "--all") == []


def test_bringing_it_again_says_that_it_is_here(ann: Clone) -> None:
    task = add_on_branch(ann, "docs", "Write docs")
    ann.hopper("bring", task)
    files = ann.files()
    assert "is here already" in ann.hopper("bring", task)
    assert ann.json("bring", task)["events"] == 0
    assert ann.files() == files


def test_a_fresh_clone_finds_it_on_a_remote_branch(ann: Clone, tmp_path: Path) -> None:
    task = add_on_branch(ann, "docs", "Write docs")
    bob = ann.clone(tmp_path / "bob")
    assert "Write docs" not in bob.tasks()
    assert bob.hopper("bring", task[:6], "-q").split() == [task]
    assert "Write docs" in bob.tasks()


def test_a_ref_says_which_state_comes(ann: Clone) -> None:
    task = add_on_branch(ann, "docs", "Write docs")
    ann.git("tag", "early", "docs")
    ann.git("checkout", "-q", "docs")
    ann.hopper("task", "update", task, "--title", "Write all docs")
    ann.commit()
    ann.git("checkout", "-q", "main")
    ann.hopper("bring", task, "--from", "early")
    assert "Write docs" in ann.tasks()
    ann.hopper("bring", task, "--from", "docs")
    assert "Write all docs" in ann.tasks()
    ann.hopper("bring", task, "--from", "nowhere", check=1)
    ann.hopper("bring", task, "--from", "--all", check=1)


def test_a_subdirectory_project_finds_its_branches_too(tmp_path: Path) -> None:
    root = Clone.first(tmp_path / "ann", init=False)
    (root.root / "deep" / "web").mkdir(parents=True)
    ann = Clone(root.root / "deep" / "web", root.home, "ann")
    ann.hopper("init", "--name", "web")
    root.commit()
    task = add_on_branch(ann, "docs", "Write docs")
    ann.forget_caches()
    ann.hopper("bring", task)
    assert "Write docs" in ann.tasks()
    ann.git("clean", "-fdq")
    ann.hopper("bring", task, "--from", "docs")
    assert "Write docs" in ann.tasks()


def test_what_it_waits_for_comes_along(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "docs")
    first = ann.add("First")
    second = ann.add("Second", "--depends-on", first)
    third = ann.add("Third", "--depends-on", second)
    ann.add("Unrelated")
    ann.commit()
    ann.git("checkout", "-q", "main")
    assert sorted(ann.json("bring", third)["others"]) == sorted([first, second])
    assert set(ann.tasks()) == {"Common", "First", "Second", "Third"}
    ready = [t["title"] for t in ann.json("list", "--ready")]
    assert "Third" not in ready


def test_its_delegations_come_along(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "docs")
    task = ann.add("Write docs")
    run = ann.json("instance", "create", "run", "--scope", "orchestration", "--parent", "web")
    ann.hopper("instance", "start", run["instance_id"])
    ann.hopper("task", "delegate", task, "--to", run["instance_id"])
    ann.commit()
    hops = ann.json("task", "delegations", task)
    assert len(hops) == 1
    ann.git("checkout", "-q", "main")
    ann.hopper("bring", task)
    assert [h["id"] for h in ann.json("task", "delegations", task)] == [hops[0]["id"]]
    assert ann.tasks()["Write docs"]["status"] == "delegated"


def test_an_unclear_id_lists_the_tasks_it_could_be(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "docs")
    by_start: dict[str, list[str]] = {}
    lines = "".join(f"Task {number}\n" for number in range(1000))
    for task in ann.hopper("add", "--batch", "-q", stdin=lines).split():
        by_start.setdefault(task[:3], []).append(task)
    ann.commit()
    ann.git("checkout", "-q", "main")
    start, tasks = next((s, t) for s, t in by_start.items() if len(t) > 1)
    ann.hopper("bring", start, check=3)
    said = ann.says("bring", start)
    assert all(task in said for task in tasks)


def test_what_is_nowhere_is_not_found(ann: Clone) -> None:
    ann.hopper("bring", "zzzzz", check=1)
    ann.hopper("bring", "no id", check=1)


def test_outside_of_git_there_are_no_branches_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    ann = Clone(tmp_path / "ann", tmp_path / "home", "ann")
    ann.hopper("init", "--name", "web")
    ann.hopper("bring", "zzzzz", check=1)
    assert "git fetch" not in ann.says("bring", "zzzzz")

"""Recovering: what was removed before a commit held it comes back; nothing else is called lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from journal.clones import Clone


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    """A clone with one committed task."""
    clone = Clone.first(tmp_path / "ann")
    clone.add("Committed")
    clone.commit()
    return clone


def lost(clone: Clone) -> list[str]:
    """The titles of the tasks of which something is lost."""
    events = clone.json("recover", "--dry-run")["events"]
    return sorted({event["title"] for event in events})


@pytest.mark.parametrize("clean", [["-fdq"], ["-fdxq"]])
def test_what_git_clean_removed_comes_back(ann: Clone, clean: list[str]) -> None:
    task = ann.add("Write docs")
    ann.hopper("task", "claim", task)
    before = ann.tasks()
    ann.git("clean", *clean)
    assert set(ann.tasks()) == {"Committed"}
    assert lost(ann) == ["Write docs"]
    assert set(ann.tasks()) == {"Committed"}, "a dry run changes nothing"
    ann.hopper("recover")
    after = ann.tasks()
    assert after["Write docs"]["status"] == "claimed"
    assert {t["id"] for t in before.values()} == {t["id"] for t in after.values()}
    assert lost(ann) == []


@pytest.mark.installed
def test_it_comes_back_under_a_name_that_is_in_nobodys_way(ann: Clone) -> None:
    ann.add("Write docs")
    (old,) = ann.git("ls-files", "-o", "--exclude-standard").split()
    ann.git("clean", "-fdq")
    ann.hopper("recover")
    (new,) = ann.git("ls-files", "-o", "--exclude-standard").split()
    assert new != old


def test_it_can_be_lost_and_brought_back_again(ann: Clone) -> None:
    ann.add("Write docs")
    for _ in range(2):
        ann.git("clean", "-fdq")
        ann.hopper("recover")
    assert "Write docs" in ann.tasks()


def test_a_file_removed_by_hand_comes_back(ann: Clone) -> None:
    task = ann.add("Write docs")
    before = ann.files()
    ann.hopper("task", "claim", task)
    (claim,) = ann.files() - before
    (ann.journal / claim).unlink()
    answer = ann.json("recover", "--dry-run")
    assert [e["kind"] for e in answer["events"]] == ["task.claimed"]
    assert answer["tasks"] == [task]
    ann.hopper("recover")
    assert ann.tasks()["Write docs"]["status"] == "claimed"


def test_what_was_staged_and_reset_away_comes_back(ann: Clone) -> None:
    ann.add("Write docs")
    ann.git("add", "-A")
    ann.git("reset", "-q", "--hard")
    assert lost(ann) == ["Write docs"]


def test_a_reset_leaves_untracked_files_alone(ann: Clone) -> None:
    ann.add("Write docs")
    ann.git("reset", "-q", "--hard")
    assert "Write docs" in ann.tasks()
    assert lost(ann) == []


def test_what_the_stash_holds_is_not_lost_and_stays_protected(ann: Clone) -> None:
    ann.add("Write docs")
    ann.git("stash", "-u", "-q")
    ann.add("Another")
    ann.git("stash", "-u", "-q")
    assert set(ann.tasks()) == {"Committed"}
    assert lost(ann) == []
    ann.git("stash", "pop", "-q", "stash@{1}")
    ann.git("clean", "-fdq")
    assert lost(ann) == ["Write docs"]


def test_what_another_branch_holds_is_not_lost(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "docs")
    ann.add("Write docs")
    ann.commit()
    ann.git("checkout", "-q", "main")
    assert "Write docs" not in ann.tasks()
    assert lost(ann) == []
    ann.git("clean", "-fdxq")
    assert lost(ann) == [], "without a cache that knows the branch"


def test_a_commit_that_was_taken_back_is_not_a_loss(ann: Clone) -> None:
    ann.add("Write docs")
    ann.commit()
    ann.git("reset", "-q", "--hard", "HEAD~1")
    assert lost(ann) == []


def test_a_branch_that_a_merge_left_out_is_not_a_loss(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "docs")
    ann.add("Write docs")
    ann.commit()
    ann.git("checkout", "-q", "main")
    ann.git("merge", "-q", "-s", "ours", "--no-edit", "docs")
    ann.git("branch", "-q", "-D", "docs")
    ann.git("reflog", "expire", "--expire=now", "--all")
    assert lost(ann) == []


def test_settings_of_git_change_nothing(ann: Clone) -> None:
    for name, value in (
        ("diff.renames", "copies"), ("diff.relative", "true"), ("log.showRoot", "false"),
        ("log.showSignature", "true"), ("core.quotePath", "true"),
    ):  # fmt: skip
        ann.git("config", name, value)
    ann.add("Write docs")
    ann.git("stash", "-u", "-q")
    assert lost(ann) == []
    ann.git("stash", "drop", "-q")
    assert lost(ann) == ["Write docs"]


def test_a_file_that_git_takes_for_a_renamed_one_is_not_lost(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "docs")
    old = sorted(ann.files())[0]
    ann.add("Write docs")
    ann.git("rm", "-q", f".hopper/journal/{old}")
    ann.commit()
    ann.git("checkout", "-q", "main")
    assert lost(ann) == []


def test_what_a_removed_worktree_held_comes_back_in_another(ann: Clone, tmp_path: Path) -> None:
    other = ann.worktree(tmp_path / "other", "other")
    other.add("Made there")
    assert lost(ann) == [], "it is in the other worktree"
    ann.git("worktree", "remove", "--force", str(other.root))
    assert lost(ann) == ["Made there"]
    ann.hopper("recover")
    assert "Made there" in ann.tasks()


def test_what_came_back_in_one_worktree_is_lost_in_none(ann: Clone, tmp_path: Path) -> None:
    other = ann.worktree(tmp_path / "other", "other")
    other.add("Made there")
    other.git("clean", "-fdq")
    assert lost(ann) == ["Made there"]
    other.hopper("recover")
    assert lost(ann) == lost(other) == []


def test_projects_in_folders_of_one_clone_do_not_mix(tmp_path: Path) -> None:
    ann = Clone.first(tmp_path / "ann", init=False)
    places = []
    for name in ("api", "site"):
        (ann.root / name).mkdir()
        place = Clone(ann.root / name, ann.home, "ann")
        place.hopper("init", "--name", name)
        places.append(place)
    ann.commit()
    api, site = places
    api.hopper("add", "For the api")
    site.hopper("add", "For the site")
    assert lost(api) == lost(site) == []
    shutil.rmtree(site.journal)
    site.git("checkout", "-q", ".")
    assert (lost(api), lost(site)) == ([], ["For the site"])
    ann.git("stash", "-u", "-q")
    assert lost(api) == []
    ann.git("stash", "drop", "-q")
    assert lost(api) == ["For the api"]


def test_a_task_that_was_removed_is_named_as_such(ann: Clone) -> None:
    task = ann.add("Write docs")
    ann.git("clean", "-fdq")
    said = ann.says("task", "show", task)
    assert "removed before it was committed" in said
    assert "hopper recover" in said


def test_nothing_lost_is_said_plainly(ann: Clone) -> None:
    assert ann.hopper("recover") == "nothing is lost\n"
    assert ann.json("recover") == {"file": None, "tasks": [], "events": []}


def test_copies_go_once_a_commit_holds_them(ann: Clone) -> None:
    recovery = ann.root / ".git" / "hopper" / "recovery"
    ann.add("Write docs")
    assert len(list(recovery.glob("*~*"))) > 1
    ann.commit()
    ann.hopper("recover")
    assert not list(recovery.glob("*~*"))


def test_a_loss_is_said_once_and_the_next_one_again(ann: Clone) -> None:
    def said() -> list[str]:
        return [line for line in ann.says("list").splitlines() if "hopper recover" in line]

    assert said() == []
    ann.hopper("task", "claim", ann.add("Write docs"))
    ann.git("clean", "-fdq")
    (warning,) = said()
    assert "4 changes of 1 task were removed before they were committed" in warning
    assert said() == []
    ann.add("More")
    ann.git("clean", "-fdq")
    assert len(said()) == 1

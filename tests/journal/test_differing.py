"""Differing: what became of the tasks between two commits, as text, JSON and Markdown."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from journal.clones import Clone

CHANGE = [
    "id", "short_id", "title", "change", "status", "changes", "notes", "events", "actors",
]  # fmt: skip


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    """A clone with a task on `main`."""
    clone = Clone.first(tmp_path / "ann")
    clone.add("Common", "--tag", "old")
    clone.commit()
    return clone


def changed(clone: Clone, *span: str) -> dict[str, Any]:
    """What `hopper diff` says of each task, by title."""
    return {task["title"]: task for task in clone.json("diff", *span)["tasks"]}


@pytest.mark.installed
def test_nothing_changed_is_said(ann: Clone) -> None:
    assert ann.hopper("diff") == "nothing changed\n"
    assert ann.json("diff")["tasks"] == []


def test_uncommitted_changes_are_told_field_by_field(ann: Clone) -> None:
    task = ann.tasks()["Common"]["id"]
    ann.hopper("task", "update", task, "-p", "high", "--add-tag", "new", "--remove-tag", "old")
    ann.hopper("task", "note", task, "half way")
    ann.add("Fresh")
    answer = ann.json("diff")
    assert answer["from"] == ann.git("rev-parse", "HEAD").strip()
    assert answer["to"] is None
    found = {task["title"]: task for task in answer["tasks"]}
    assert list(found["Common"]) == CHANGE
    assert found["Common"]["change"] == "changed"
    assert found["Common"]["changes"] == {
        "priority": {"from": "medium", "to": "high"},
        "tags": {"added": ["new"], "removed": ["old"]},
    }
    assert found["Common"]["notes"] == 1
    assert found["Fresh"]["change"] == "added"
    text = ann.hopper("diff")
    assert "priority: medium → high" in text
    assert "tags: +new -old" in text
    assert "1 note\n" in text
    assert text.splitlines()[-1] == "1 added, 1 changed"


def test_three_dots_leave_out_what_the_other_branch_did_since(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "topic")
    task = ann.add("Topic")
    ann.hopper("task", "done", task)
    ann.commit()
    ann.git("checkout", "-q", "main")
    ann.add("Later")
    ann.commit()
    assert {t: c["change"] for t, c in changed(ann, "main...topic").items()} == {"Topic": "added"}
    two = changed(ann, "main..topic")
    assert {t: c["change"] for t, c in two.items()} == {"Topic": "added", "Later": "removed"}
    assert changed(ann, "..topic") == two
    assert {t: c["change"] for t, c in changed(ann, "topic").items()} == {
        "Later": "added", "Topic": "removed",
    }  # fmt: skip


def test_what_was_finished_claimed_and_reopened_is_called_so(ann: Clone) -> None:
    tasks = {name: ann.add(name) for name in ("Done", "Claimed", "Failed", "Reopened")}
    ann.hopper("task", "done", tasks["Reopened"])
    ann.commit()
    ann.hopper("task", "done", tasks["Done"])
    ann.hopper("task", "claim", tasks["Claimed"])
    ann.hopper("task", "fail", tasks["Failed"], "--reason", "no time")
    ann.hopper("task", "reopen", tasks["Reopened"])
    found = changed(ann)
    assert {t: c["change"] for t, c in found.items()} == {
        "Done": "done", "Claimed": "claimed", "Failed": "failed", "Reopened": "reopened",
    }  # fmt: skip
    assert found["Claimed"]["changes"]["status"] == {"from": "pending", "to": "claimed"}
    assert found["Claimed"]["actors"] == ["ann"]
    text = ann.hopper("diff")
    assert "Claimed by ann" in text
    assert "no time" in text


def test_a_change_and_its_undo_are_nothing(ann: Clone) -> None:
    ann.hopper("task", "update", ann.tasks()["Common"]["id"], "-p", "high")
    ann.hopper("undo")
    assert changed(ann) == {}


def test_only_what_differs_is_told_though_files_were_made_one(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "topic")
    ann.add("Topic")
    ann.commit()
    ann.git("checkout", "-q", "main")
    ann.git("merge", "-q", "--squash", "topic")
    ann.commit()
    assert changed(ann, "main..topic") == {}


def test_markdown_shows_text_as_it_is(ann: Clone) -> None:
    ann.add("**Bold** @bob closes #1 [x](http://evil.example) <img src=x> `a` \x1b[31m")
    text = ann.hopper("diff", "--markdown")
    line = next(line for line in text.splitlines() if line.startswith("- "))
    assert r"\*\*Bold\*\*" in line
    assert "@bob" not in line
    assert "#1" not in line
    assert r"\[x\]" in line
    assert "http:" not in line
    assert r"\<img" in line
    assert r"\`a\`" in line
    assert "\x1b" not in text
    assert "\x1b" not in ann.hopper("diff")


def test_it_works_in_a_bare_repository(ann: Clone, tmp_path: Path) -> None:
    ann.git("checkout", "-q", "-b", "topic")
    ann.add("Topic")
    ann.commit()
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(ann.root), str(bare)], check=True)
    there = Clone(bare, ann.home, "ann")
    assert {t: c["change"] for t, c in changed(there, "main...topic").items()} == {"Topic": "added"}
    there.hopper("diff", check=1)
    assert "A...B" in there.says("diff")


def test_it_works_from_another_directory(ann: Clone, tmp_path: Path) -> None:
    ann.add("Fresh")
    elsewhere = Clone(tmp_path, ann.home, "ann")
    assert "Fresh" in elsewhere.hopper("-C", str(ann.root), "diff")


def test_what_is_no_commit_is_refused(ann: Clone) -> None:
    for span in ("nope", "nope...HEAD", "main..nope"):
        ann.hopper("diff", span, check=1)
        assert "there is no commit 'nope'" in ann.says("diff", span)
    ann.hopper("diff", "--output=x", check=2)


def test_branches_without_a_common_start_are_compared_with_two_dots(ann: Clone) -> None:
    ann.git("checkout", "-q", "--orphan", "other")
    ann.commit()
    ann.hopper("diff", "main...other", check=1)
    assert "two dots" in ann.says("diff", "main...other")
    assert changed(ann, "main..other") == {}


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    ann = Clone(tmp_path / "ann", tmp_path / "home", "ann")
    ann.root.mkdir()
    ann.git("init", "-q")
    ann.hopper("init", "--name", "web")
    ann.add("First")
    assert ann.json("diff")["from"] is None
    assert changed(ann)["First"]["change"] == "added"
    ann.hopper("diff", "HEAD", check=1)


def test_a_long_history_is_compared_at_once(ann: Clone) -> None:
    lines = "".join(f"Task {number}\n" for number in range(600))
    ann.hopper("add", "--batch", "-q", stdin=lines)
    for path in sorted(ann.journal.glob("*/*.jsonl"))[:2]:
        for number in range(1500):  # the same events in many files
            (path.parent / f"0000000000000-aaaaaa-{number:04d}.jsonl").write_bytes(
                path.read_bytes()
            )
    ann.commit()
    ann.hopper("task", "done", ann.tasks()["Task 7"]["id"])
    began = time.monotonic()
    assert {t: c["change"] for t, c in changed(ann).items()} == {"Task 7": "done"}
    assert time.monotonic() - began < 10

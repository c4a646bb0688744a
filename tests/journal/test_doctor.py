"""Doctor: what is wrong with a journal and what is made of it is found; no record is deleted."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from journal.clones import Clone


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    """A clone with a claimed task that is committed."""
    clone = Clone.first(tmp_path / "ann")
    clone.hopper("task", "claim", clone.add("Fix login"))
    clone.commit()
    return clone


def doctor(clone: Clone, *args: str, check: int | None = 0) -> list[tuple[str, str]]:
    """The findings about the project, but for those that all is well."""
    out = clone.hopper("doctor", *args, "--json", check=check)
    import json

    found = [(f["level"], f["message"]) for f in json.loads(out) if f["subject"] in ("web", "hops")]
    return [(level, message) for level, message in found if level != "ok"]


def cache(clone: Clone) -> sqlite3.Connection:
    """The database of a working tree."""
    return sqlite3.connect(clone.root / ".hopper" / "web" / "tasks.db")


@pytest.mark.parametrize("args", [(), ("--deep",), ("--fix",), ("--deep", "--fix")])
def test_a_healthy_project_has_no_findings(ann: Clone, args: tuple[str, ...]) -> None:
    files = ann.files()
    tasks = ann.tasks()
    assert doctor(ann, *args) == []
    assert ann.files() == files
    assert ann.tasks() == tasks


@pytest.mark.installed
def test_a_table_that_does_not_say_what_the_journal_says_is_found_and_fixed(ann: Clone) -> None:
    with cache(ann) as db:
        db.execute("UPDATE tasks SET title = 'Something else'")
    db.close()
    assert doctor(ann) == []
    ((level, message),) = doctor(ann, "--deep", check=1)
    assert level == "error"
    assert "1 task not as the journal says" in message
    doctor(ann, "--fix")
    assert "Fix login" in ann.tasks()
    assert doctor(ann, "--deep") == []


def test_a_file_that_was_edited_is_found_and_never_deleted(ann: Clone) -> None:
    name = sorted(ann.files())[-1]
    path = ann.journal / name
    edited = path.read_bytes().replace(b"claimed", b"clammed")
    path.unlink()
    path.write_bytes(edited)
    assert doctor(ann) == [], "names only are compared"
    found = doctor(ann, "--deep", check=1)
    assert any(name in message and "edited or damaged" in message for _, message in found)
    found = doctor(ann, "--fix", check=1)
    assert any(name in message for _, message in found)
    assert path.read_bytes() == edited


def test_damage_that_came_with_a_file_is_found_without_looking_deep(ann: Clone) -> None:
    month = next(p for p in ann.journal.iterdir() if p.is_dir())
    (month / "0123456789abc-aaaaaa-bbbb.jsonl").write_bytes(b"<<<<<<< HEAD\n")
    found = doctor(ann, check=1)
    assert any("bbbb.jsonl" in m and "conflict marker" in m for _, m in found)


def test_old_drafts_are_named_and_dropped_and_fresh_ones_are_left(ann: Clone) -> None:
    drafts = ann.root / ".hopper" / "tmp"
    old, fresh = drafts / "old.jsonl", drafts / "fresh.jsonl"
    for draft in (old, fresh):
        draft.write_text("{}")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    ((level, message),) = doctor(ann, "--deep")
    assert level == "warning"
    assert "1 draft" in message
    assert doctor(ann, "--fix") == []
    assert not old.exists()
    assert fresh.exists()


def test_leases_of_a_removed_worktree_are_dropped(ann: Clone, tmp_path: Path) -> None:
    other = ann.worktree(tmp_path / "other", "other")
    task = other.add("Made there")
    other.hopper("task", "claim", task)
    assert doctor(ann, "--deep") == []
    shutil.rmtree(other.root)
    found = doctor(ann, "--deep")
    assert ("warning", "1 lease of nobody; see: hopper doctor --fix") in found
    doctor(ann, "--fix")
    assert not any("lease" in message for _, message in doctor(ann, "--deep"))


def test_a_damaged_database_of_leases_is_set_aside(ann: Clone) -> None:
    leases = ann.root / ".git" / "hopper" / "leases.db"
    for suffix in ("-wal", "-shm"):
        Path(f"{leases}{suffix}").unlink(missing_ok=True)
    leases.write_bytes(b"no database" * 1000)
    ((level, message),) = doctor(ann, "--deep", check=1)
    assert level == "error"
    assert "leases.db" in message
    doctor(ann, "--fix")
    assert Path(f"{leases}.damaged").read_bytes().startswith(b"no database")
    assert doctor(ann, "--deep") == []
    ann.hopper("task", "claim", ann.add("Another"))


def test_lost_changes_and_conflicts_are_warnings(ann: Clone, tmp_path: Path) -> None:
    bob = ann.clone(tmp_path / "bob")
    task = ann.tasks()["Fix login"]["id"]
    for clone in (ann, bob):
        clone.hopper("task", "update", task, "--title", f"By {clone.actor}")
        clone.commit()
    ann.git("pull", "-q", "--no-rebase", "--no-edit", str(bob.root), "main")
    ann.add("Lost")
    ann.git("clean", "-fdq")
    found = doctor(ann)
    assert {level for level, _ in found} == {"warning"}
    assert any("hopper recover" in message for _, message in found)
    assert any("1 conflict to decide" in message for _, message in found)


def test_work_of_another_clone_is_no_error(ann: Clone, tmp_path: Path) -> None:
    task = ann.add("Delegated")
    run = ann.json("instance", "create", "run", "--scope", "orchestration", "--parent", "web")
    ann.hopper("instance", "start", run["instance_id"])
    ann.hopper("task", "delegate", task, "--to", run["instance_id"])
    ann.commit()
    assert doctor(ann, "--deep") == []
    bob = ann.clone(tmp_path / "bob")
    assert doctor(bob, "--deep") == []
    assert "in another clone" in bob.hopper("doctor")
    other = ann.worktree(tmp_path / "other", "other")
    assert doctor(other, "--deep") == []
    assert "in another worktree" in other.hopper("doctor")

"""Hooks: with them every `git commit` takes the events along; they never stand in its way."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from journal.clones import Clone
from journal.test_committing import in_commit

HOOKS = ("pre-commit", "post-checkout")


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hopper` is on the PATH, as where people installed it."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    made = Clone.first(tmp_path / "ann")
    made.hopper("hooks", "install")
    return made


def hook(clone: Clone, name: str = "pre-commit", text: str | None = None) -> Path:
    """A hook's file; with a text it is written."""
    path = clone.root / ".git" / "hooks" / name
    if text is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o750)
    return path


def looks(directory: Path) -> dict[str, tuple[bytes, int]]:
    """The content and mode of every file in a directory."""
    return {p.name: (p.read_bytes(), p.stat().st_mode) for p in directory.iterdir()}


def journal_files(clone: Clone, ref: str = "HEAD") -> set[str]:
    """The journal files that a commit brought."""
    return {path for path in in_commit(clone, ref) if path.endswith(".jsonl")}


WAYS = {
    "-a": ("commit", "-qam", "mine"),
    "a path": ("commit", "-qm", "mine", "README"),
    "--include": ("commit", "-qm", "mine", "--include", "README"),
    "what is staged": ("commit", "-qm", "mine", "--allow-empty"),
    "--amend": ("commit", "-q", "--amend", "-m", "mine"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_commit_takes_the_events_along(ann: Clone, way: str) -> None:
    (ann.root / "other").write_text("staged\n")
    ann.git("add", "other")
    (ann.root / "README").write_text("changed\n")
    ann.add("Fix login")
    ann.add("Fix logout")
    ann.git(*WAYS[way])
    assert len(journal_files(ann)) >= 1
    assert ".hopper" not in ann.git("status", "--short")
    assert ann.json("status")["uncommitted"] == 0
    assert ("other" in in_commit(ann)) == (way != "a path")
    assert ("README" in in_commit(ann)) == (way not in ("what is staged",) or way == "--amend")
    shown = ann.tasks()
    ann.forget_caches()
    ann.git("stash", "-qu", check=False)
    assert ann.tasks() == shown


@pytest.mark.installed
def test_a_staged_event_goes_along_with_a_path(ann: Clone) -> None:
    before = ann.files()
    ann.add("Staged")
    (staged,) = ann.files() - before
    ann.git("add", f".hopper/journal/{staged}")
    ann.add("New")
    ann.add("New too")
    (ann.root / "README").write_text("changed\n")
    ann.git("commit", "-qm", "mine", "README")
    assert f".hopper/journal/{staged}" in in_commit(ann)
    assert len(journal_files(ann)) == 2
    assert ann.git("status", "--short") == ""


def test_a_hook_that_was_there_runs_first_and_comes_back(tmp_path: Path) -> None:
    ann = Clone.first(tmp_path / "ann")
    hook(ann, text='echo "ran $#" >> ran\n[ ! -e forbid ]')
    hook(ann, "post-checkout", 'echo "to $3" >> switched')
    before = looks(hook(ann).parent)
    for _ in range(2):
        installed = ann.json("hooks", "install")
        assert [each["name"] for each in installed] == list(HOOKS)
        assert all(each["chained"] for each in installed)
    ann.add("Fix login")
    (ann.root / "forbid").touch()
    head = ann.git("rev-parse", "HEAD")
    ann.git("commit", "-qm", "refused", "--allow-empty", check=False)
    assert ann.git("rev-parse", "HEAD") == head
    (ann.root / "forbid").unlink()
    ann.git("commit", "-qm", "taken", "--allow-empty")
    assert len(journal_files(ann)) == 1
    assert (ann.root / "ran").read_text() == "ran 0\nran 0\n"
    ann.git("checkout", "-q", "-b", "side")
    assert (ann.root / "switched").read_text() == "to 1\n"
    ann.hopper("hooks", "remove")
    assert looks(hook(ann).parent) == before
    assert not any(each["changed"] for each in ann.json("hooks", "remove"))
    assert looks(hook(ann).parent) == before


def test_without_hooks_before_none_are_left(tmp_path: Path) -> None:
    ann = Clone.first(tmp_path / "ann")
    before = looks(hook(ann).parent)
    ann.hopper("hooks", "install")
    once = looks(hook(ann).parent)
    assert once.keys() - before.keys() == set(HOOKS)
    assert not any(each["changed"] for each in ann.json("hooks", "install"))
    assert looks(hook(ann).parent) == once
    assert "hopper hooks install" not in ann.json("init")["offers"]
    ann.hopper("hooks", "remove")
    assert looks(hook(ann).parent) == before
    assert "hopper hooks install" in ann.json("init")["offers"]


def test_a_link_that_was_there_stays_a_link(tmp_path: Path) -> None:
    ann = Clone.first(tmp_path / "ann")
    script = hook(ann, "shared-script", "echo ran >> ran")
    hook(ann).symlink_to(script.name)
    ann.hopper("hooks", "install")
    ann.git("commit", "-qm", "mine", "--allow-empty")
    assert (ann.root / "ran").read_text() == "ran\n"
    ann.hopper("hooks", "remove")
    assert os.readlink(hook(ann)) == script.name


def test_a_hook_that_took_the_place_is_not_touched(ann: Clone) -> None:
    hook(ann).rename(hook(ann, "pre-commit.legacy"))
    hook(ann, text="exit 0")
    hook(ann, "pre-commit.before-hopper", "exit 0")
    before = looks(hook(ann).parent)
    ann.hopper("hooks", "install", check=1)
    assert "before-hopper" in ann.says("hooks", "install")
    assert looks(hook(ann).parent) == before
    ann.hopper("hooks", "remove")
    assert hook(ann).read_text() == "#!/bin/sh\nexit 0\n"


def test_a_failure_never_stops_a_commit(ann: Clone) -> None:
    (ann.root / ".hopper" / "format.json").write_text('{"format": 9, "min_reader": 9}\n')
    (ann.root / "README").write_text("changed\n")
    ann.git("commit", "-qam", "mine")
    assert "README" in in_commit(ann)
    ann.hopper("commit", check=1)


def test_without_hopper_on_the_path_git_goes_on(
    ann: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("git", "sh"):
        found = next(Path(d) / name for d in ("/usr/bin", "/bin", "/usr/local/bin")
                     if (Path(d) / name).exists())  # fmt: skip
        (bare / name).symlink_to(found)
    ann.add("Fix login")
    monkeypatch.setenv("PATH", str(bare))
    ann.git("commit", "-qm", "mine", "--allow-empty")
    ann.git("checkout", "-q", "-b", "side")
    assert in_commit(ann) == set()


def test_worktrees_share_the_hooks(ann: Clone, tmp_path: Path) -> None:
    beside = ann.worktree(tmp_path / "beside", "beside", actor="bob")
    beside.add("Of the worktree")
    ann.add("Of the first")
    (beside.root / "README").write_text("changed\n")
    beside.git("commit", "-qm", "mine", "README")
    assert len(journal_files(beside)) == 1
    assert beside.git("status", "--short") == ""
    assert ann.json("status")["uncommitted"] > 0
    beside.add("Another")
    beside.git("commit", "-qam", "mine", "--allow-empty")
    assert len(journal_files(beside)) == 1
    assert not any(each["changed"] for each in beside.json("hooks", "install"))
    beside.hopper("hooks", "remove")
    assert not hook(ann).exists()


@pytest.mark.parametrize("folder", [".githooks", "elsewhere/hooks"])
def test_another_directory_for_hooks(tmp_path: Path, folder: str) -> None:
    ann = Clone.first(tmp_path / "ann")
    directory = ann.root / folder
    ann.git("config", "core.hooksPath", folder)
    ann.hopper("hooks", "install")
    assert set(HOOKS) == {path.name for path in directory.iterdir()}
    assert not hook(ann).exists()
    ann.add("Fix login")
    ann.git("commit", "-qm", "mine", "--allow-empty")
    assert len(journal_files(ann)) == 1
    ann.hopper("hooks", "remove")
    assert list(directory.iterdir()) == []


def test_hooks_that_are_switched_off_are_no_place_for_more(ann: Clone) -> None:
    ann.git("config", "core.hooksPath", os.devnull)
    ended, out, said = ann.run("hooks", "install")
    assert (ended, out) == (1, "")
    assert said == f"hopper: {os.devnull} is a file, not a directory. Check the path\n"


def test_two_projects_of_one_repository(ann: Clone) -> None:
    root = ann.root / "a dir" / "it's"
    root.mkdir(parents=True)
    api = Clone(root, ann.home, "ann")
    api.hopper("init", "--name", "api")
    api.hopper("hooks", "install")
    ann.hopper("hooks", "install")
    ann.add("Of the top")
    api.add("Below")
    ann.git("commit", "-qm", "mine", "--allow-empty")
    assert len(journal_files(ann)) == 2
    assert ann.git("status", "--short") == ""


def test_commit_with_the_hook_in_place(ann: Clone) -> None:
    for number in range(3):
        ann.add(f"Task {number}")
    (ann.root / "README").write_text("changed\n")
    ann.hopper("commit")
    assert len(in_commit(ann)) == 1
    assert ann.git("status", "--short") == " M README\n"


def test_a_checkout_brings_the_cache_up_to_date(ann: Clone) -> None:
    ann.hopper("commit")
    ann.git("checkout", "-q", "-b", "side")
    ann.add("Of the side")
    ann.hopper("commit")

    def cached() -> int:
        with sqlite3.connect(ann.root / ".hopper" / "web" / "tasks.db") as db:
            return int(db.execute("SELECT count(*) FROM tasks").fetchone()[0])

    assert cached() == 1
    ann.git("checkout", "-q", "main")
    assert cached() == 0
    ann.git("checkout", "-q", "side")
    assert cached() == 1


def test_outside_of_git_there_are_no_hooks(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    ann = Clone(tmp_path / "ann", tmp_path / "home", "ann")
    ann.hopper("init", "--name", "web")
    for verb in ("install", "remove"):
        ann.hopper("hooks", verb, check=1)
        assert "git init" in ann.says("hooks", verb)
    assert ann.json("init")["offers"] == []

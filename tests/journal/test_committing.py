"""Committing: `hopper commit` takes what the journal holds into git, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hopper_tui.engine import committing
from hopper_tui.engine.checkout import journaled
from hopper_tui.engine.world import World
from hopper_tui.journal.files import Journal
from journal.clones import Clone

DAY = 86_400.0
"""Seconds."""


def world_of(clone: Clone, clock: Callable[[], float] | None = None) -> World:
    """The world of a clone, in this process."""
    settings = {"clock": clock} if clock else {}
    return World(clone.home / ".hopper", clone.root, actor=clone.actor, **settings)


def events(clone: Clone) -> list[str]:
    """The id of every event in the journal here, as often as it is there."""
    journal = Journal(clone.journal)
    return sorted(r.id for name in journal.names() for r in journal.read(name).records)


def in_commit(clone: Clone, ref: str = "HEAD") -> set[str]:
    """The paths that a commit changed."""
    return set(clone.git("show", "--name-only", "--format=", ref).split())


def recovery(clone: Clone) -> list[Path]:
    """The copies of what no commit is known to have."""
    return sorted((clone.root / ".git" / "hopper" / "recovery").glob("*"))


def killed(step: str, work: Callable[[Callable[[str], None]], object]) -> bool:
    """Do `work` in a process of its own that is killed, as with kill -9, at a step."""
    child = os.fork()
    if child == 0:

        def die(reached: str) -> None:
            if reached == step:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            work(die)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    return Clone.first(tmp_path / "ann")


@pytest.mark.installed
def test_events_become_one_commit_of_one_file(ann: Clone) -> None:
    tasks = [ann.add(f"Task {number}") for number in range(4)]
    ann.hopper("done", tasks[0], check=None)
    ann.hopper("task", "done", tasks[0])
    before, shown = events(ann), ann.tasks()
    made = ann.json("commit")
    assert list(made) == ["commit", "events", "files", "branch"]
    assert made["commit"] == ann.git("rev-parse", "HEAD").strip()
    assert made["files"] == len(in_commit(ann)) == 1
    assert made["branch"] == "main"
    assert ann.git("log", "-1", "--format=%s").strip() == "Hopper: add 4 tasks, finish 1"
    assert ann.git("status", "--short") == ""
    assert events(ann) == before
    assert ann.tasks() == shown
    ann.forget_caches()
    assert ann.tasks() == shown


def test_copies_of_what_is_committed_are_dropped(ann: Clone) -> None:
    ann.hopper("commit")
    ann.add("One")
    ann.add("Two")
    assert len(recovery(ann)) >= 2
    before = set(recovery(ann))
    ann.hopper("commit")
    assert not [path for path in recovery(ann) if "~" in path.name and path not in before]
    assert len(recovery(ann)) <= len(before) - 2
    assert "nothing" in ann.hopper("recover").lower()


def test_what_the_user_changed_and_staged_stays_as_it_is(ann: Clone) -> None:
    (ann.root / "README").write_text("A staged line.\n")
    (ann.root / "new").write_text("staged\n")
    ann.git("add", "README", "new")
    (ann.root / "README").write_text("A later line.\n")
    (ann.root / "untracked").write_text("mine\n")
    (ann.root / ".hopper" / "hopper.yaml").open("a").write("# edited\n")
    looks = ("diff", "--cached"), ("diff",), ("status", "--short", "README", "new", "untracked")
    before = [ann.git(*look) for look in looks]
    ann.add("Fix login")
    ann.hopper("commit")
    assert [ann.git(*look) for look in looks] == before
    assert all(path.startswith(".hopper/journal/") for path in in_commit(ann))


def test_nothing_to_commit_is_no_error(ann: Clone) -> None:
    head = ann.git("rev-parse", "HEAD")
    assert "nothing to commit" in ann.hopper("commit")
    assert ann.json("commit") == {"commit": None, "events": 0, "files": 0, "branch": "main"}
    assert ann.git("rev-parse", "HEAD") == head


def test_the_first_commit_takes_what_init_made(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    ann = Clone(tmp_path / "ann", tmp_path / "home", "ann")
    ann.git("init", "-q", "-b", "main")
    ann.hopper("init", "--name", "web")
    (ann.root / "code").write_text("mine\n")
    ann.hopper("commit")
    assert ann.git("status", "--short") == "?? code\n"
    beside = {".gitignore", "README.md", "format.json", "hopper.yaml", "journal/.keep"}
    assert {f".hopper/{name}" for name in beside} <= in_commit(ann)


@pytest.mark.parametrize(
    "text", ["#5: the release", "-n", "--amend", "$(touch gone) `id`", "one\n\ntwo\n"]
)
def test_a_message_is_text(ann: Clone, text: str) -> None:
    ann.add("Fix login")
    ann.hopper("commit", f"--message={text}")
    assert ann.git("log", "-1", "--format=%B").rstrip("\n") == text.rstrip("\n")
    assert ann.git("rev-list", "--count", "HEAD").strip() == "2"


@pytest.mark.parametrize("halfway", ["merge", "cherry-pick", "revert", "rebase"])
def test_in_the_middle_of_a_merge_it_says_what_to_do(ann: Clone, halfway: str) -> None:
    ann.git("checkout", "-q", "-b", "side")
    (ann.root / "README").write_text("side\n")
    ann.git("commit", "-qam", "side")
    ann.git("checkout", "-q", "main")
    (ann.root / "README").write_text("main\n")
    ann.git("commit", "-qam", "main")
    ann.git(halfway, "side", check=False)
    task = ann.add("Fix login")
    head, files = ann.git("rev-parse", "HEAD"), ann.files()
    said = ann.says("commit")
    assert "in the middle of" in said
    assert "hopper commit --stage" in said
    ann.hopper("commit", check=1)
    assert (ann.git("rev-parse", "HEAD"), ann.files()) == (head, files)
    ann.hopper("commit", "--stage")
    (ann.root / "README").write_text("both\n")
    ann.git("add", "README")
    if halfway == "rebase":
        ann.git("-c", "core.editor=true", "rebase", "--continue")
    else:
        ann.git("commit", "-qm", "both")
    assert ann.git("status", "--short") == ""
    assert ann.tasks()["Fix login"]["id"] == task


def test_between_two_picks_nothing_is_committed_that_giving_up_takes_away(ann: Clone) -> None:
    ann.git("checkout", "-q", "-b", "side")
    for text in ("one", "two"):
        (ann.root / "README").write_text(f"{text}\n")
        ann.git("commit", "-qam", text)
    ann.git("checkout", "-q", "main")
    (ann.root / "README").write_text("main\n")
    ann.git("commit", "-qam", "main")
    ann.git("cherry-pick", "side~1", "side", check=False)
    (ann.root / "README").write_text("picked\n")
    ann.git("commit", "-qam", "picked")
    ann.add("Fix login")
    ann.hopper("commit", check=1)
    ann.git("cherry-pick", "--abort")
    ann.hopper("commit")
    assert set(ann.tasks()) == {"Fix login"}


def test_without_a_branch_it_says_how_to_keep_the_commit(ann: Clone) -> None:
    ann.git("checkout", "-q", "--detach")
    task = ann.add("Fix login")
    assert "git switch -c" in ann.says("commit")
    ann.git("checkout", "-q", "main")
    assert ann.tasks() == {}
    ann.hopper("bring", task)
    assert set(ann.tasks()) == {"Fix login"}
    answer = ann.json("commit")
    assert answer["branch"] == "main"
    assert "git switch -c" not in ann.says("commit")


def test_a_refusal_of_git_is_one_line_and_stages_nothing(ann: Clone) -> None:
    ann.add("Fix login")
    nobody = {"GIT_AUTHOR_NAME": "", "GIT_COMMITTER_NAME": "", "GIT_AUTHOR_EMAIL": ""}
    said = ann.says("commit", **nobody)
    assert said.startswith("hopper: git commit failed: ")
    assert "ident" in said
    assert len(said.splitlines()) == 1
    assert ann.git("diff", "--cached", "--name-only") == ""
    hook = ann.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho 'no commits on Fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    assert "no commits on Fridays" in ann.says("commit")
    assert ann.git("diff", "--cached", "--name-only") == ""
    hook.unlink()
    ann.hopper("commit")
    assert ann.git("status", "--short") == ""


def test_outside_of_git_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    ann = Clone(tmp_path / "ann", tmp_path / "home", "ann")
    ann.hopper("init", "--name", "web")
    ann.hopper("commit", check=1)
    assert "git init" in ann.says("commit")
    assert ann.json("status")["branch"] is None
    assert ann.json("status")["uncommitted"] == 0


def test_a_journal_that_git_ignores_is_no_silent_success(ann: Clone) -> None:
    (ann.root / ".gitignore").write_text("*.jsonl\n")
    ann.add("Fix login")
    ann.hopper("commit", check=1)
    assert "git ignores" in ann.says("commit")
    assert ann.json("status")["uncommitted"] > 0


def test_what_the_user_staged_is_committed_under_its_name(ann: Clone) -> None:
    before = ann.files()
    ann.add("Staged")
    (staged,) = ann.files() - before
    ann.git("add", f".hopper/journal/{staged}")
    ann.add("One")
    ann.add("Two")
    ann.hopper("commit")
    assert staged in ann.files()
    assert len(in_commit(ann)) == 2
    assert ann.git("status", "--short") == ""


def test_files_of_other_clones_keep_their_names(ann: Clone, tmp_path: Path) -> None:
    bob = ann.clone(tmp_path / "bob")
    before = bob.files()
    bob.add("Of Bob")
    bob.add("Of Bob too")
    theirs = bob.files() - before
    for name in theirs:
        (ann.journal / name).write_bytes((bob.journal / name).read_bytes())
    ann.add("One")
    ann.add("Two")
    ann.hopper("commit")
    assert theirs < ann.files()
    assert len(in_commit(ann)) == len(theirs) + 1


def test_each_month_keeps_its_files(ann: Clone) -> None:
    for when in (time.time() + 32 * DAY, time.time() + 64 * DAY):
        with_clock = world_of(ann, lambda when=when: when)  # type: ignore[misc]
        for number in range(3):
            with_clock.hopper("web").add_task(title=f"Task {when:.0f} {number}")
        with_clock.close()
    months = {name.partition("/")[0] for name in ann.files()}
    assert len(months) == 3
    before = events(ann)
    ann.hopper("commit")
    assert {name.partition("/")[0] for name in ann.files()} == months
    assert len(in_commit(ann)) == 2
    assert events(ann) == before


def test_a_damaged_file_is_left_as_it_is(ann: Clone) -> None:
    before = ann.files()
    ann.add("Whole")
    ann.add("Whole too")
    ann.add("Broken")
    broken = max(ann.files() - before)
    path = ann.journal / broken
    content = path.read_bytes()[:-40]
    path.unlink()
    path.write_bytes(content)
    ann.hopper("commit")
    assert path.read_bytes() == content
    assert f".hopper/journal/{broken}" in in_commit(ann)


@pytest.mark.parametrize("step", ["written", "renamed", "committed", "replaced", "removed"])
def test_killed_while_files_are_merged(ann: Clone, step: str) -> None:
    for number in range(3):
        ann.add(f"Task {number}")
    ids, shown = set(events(ann)), ann.tasks()

    def merge(die: Callable[[str], None]) -> None:
        world = world_of(ann)
        store = journaled(world)
        store.step = die
        committing.coalesce(world, store)

    assert killed(step, merge)
    assert set(events(ann)) == ids
    assert ann.tasks() == shown
    assert "nothing" in ann.hopper("recover").lower()
    ann.hopper("commit")
    assert sorted(ids) == events(ann)
    assert len(in_commit(ann)) == 1
    assert ann.git("status", "--short") == ""
    ann.forget_caches()
    assert ann.tasks() == shown


def test_killed_between_removing_two_files(ann: Clone) -> None:
    for number in range(3):
        ann.add(f"Task {number}")
    ids, shown = set(events(ann)), ann.tasks()

    def merge(die: Callable[[str], None]) -> None:
        world = world_of(ann)
        store = journaled(world)
        remove = store.journal.remove

        def remove_one(name: str) -> None:
            remove(name)
            die("one is gone")

        store.journal.remove = remove_one  # type: ignore[method-assign]
        committing.coalesce(world, store)

    assert killed("one is gone", merge)
    assert set(events(ann)) == ids
    assert ann.tasks() == shown
    ann.hopper("commit")
    assert events(ann) == sorted(ids)
    assert ann.git("status", "--short") == ""


def test_a_claim_holds_in_every_worktree_after_its_file_was_merged(
    ann: Clone, tmp_path: Path
) -> None:
    task = ann.add("Fix login")
    ann.hopper("commit")
    beside = ann.worktree(tmp_path / "beside", "beside", actor="bob")
    ann.hopper("task", "claim", task)
    ann.add("Another")
    before = ann.files()
    ann.hopper("commit")
    assert not before <= ann.files()
    assert "another worktree" in beside.says("task", "claim", task)
    assert beside.json("list", "--instance", "web")[0]["owner"] is None


def test_a_file_somebody_deleted_is_not_taken_away_from_others(ann: Clone) -> None:
    ann.add("Fix login")
    ann.hopper("commit")
    (gone,) = in_commit(ann)
    (ann.root / gone).unlink()
    ann.add("Another")
    assert "gone" in ann.says("commit")
    assert gone in ann.git("ls-tree", "-r", "--name-only", "HEAD")
    assert ann.git("status", "--short") == f" D {gone}\n"


def test_status_says_where_the_tasks_stand(ann: Clone) -> None:
    assert ann.json("status")["uncommitted"] == 0
    ann.add("Fix login")
    status = ann.json("status")
    assert (status["branch"], status["conflicts"]) == ("main", 0)
    count = status["uncommitted"]
    assert count > 0
    assert f"on main, {count} events uncommitted" in ann.hopper("status")
    assert ann.json("commit")["events"] == count
    assert ann.json("status")["uncommitted"] == 0
    assert "uncommitted" not in ann.hopper("status")
    ann.git("checkout", "-q", "--detach")
    assert ann.git("rev-parse", "HEAD").startswith(ann.json("status")["branch"])
    overall = ann.json("status", "--instance", "hopper-global")
    assert (overall["branch"], overall["uncommitted"], overall["conflicts"]) == (None, 0, 0)


def test_status_counts_conflicts(ann: Clone, tmp_path: Path) -> None:
    task = ann.add("Fix login")
    ann.hopper("commit")
    bob = ann.clone(tmp_path / "bob")
    for clone in (ann, bob):
        clone.hopper("task", "update", task, "--title", f"Of {clone.actor}")
        clone.hopper("commit")
    ann.git("pull", "-q", "--no-rebase", "--no-edit", str(bob.root), "main")
    assert ann.json("status")["conflicts"] == 1
    assert "1 conflict wants attention" in ann.hopper("status")


def test_a_project_below_the_top_of_the_repository(ann: Clone) -> None:
    root = ann.root / "services" / "api"
    root.mkdir(parents=True)
    api = Clone(root, ann.home, "ann")
    api.hopper("init", "--name", "api")
    api.add("Fix login")
    ann.add("Of the other project")
    api.hopper("commit")
    assert all(path.startswith("services/api/.hopper/") for path in in_commit(ann))
    assert api.git("status", "--short", ".") == ""
    assert ann.json("status")["uncommitted"] > 0


def test_two_at_once_commit_everything(ann: Clone) -> None:
    for number in range(6):
        ann.add(f"Task {number}")
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: json.loads(ann.hopper("commit", "--json")), range(3)))
    assert sorted(each["commit"] is None for each in made) == [False, True, True]
    assert ann.git("status", "--short") == ""
    assert len(ann.tasks()) == 6


def test_git_that_changes_line_ends(ann: Clone, tmp_path: Path) -> None:
    ann.add("Fix login")
    ann.hopper("commit")
    subprocess.run(
        ["git", "clone", "-q", "-c", "core.autocrlf=true", str(ann.root), str(tmp_path / "win")],
        check=True,
    )
    win = Clone(tmp_path / "win", tmp_path / "win-home", "win")
    win.git("config", "core.safecrlf", "true")
    assert all(b"\r\n" in path.read_bytes() for path in win.journal.glob("*/*.jsonl"))
    assert win.tasks().keys() == {"Fix login"}
    assert "edited" not in win.hopper("doctor", check=None)
    win.add("On Windows")
    win.add("On Windows too")
    win.hopper("commit")
    assert win.git("status", "--short") == ""
    win.hopper("compact", "--all")
    win.hopper("commit")
    assert win.git("status", "--short") == ""
    ann.git("pull", "-q", str(win.root), "main")
    assert set(ann.tasks()) == {"Fix login", "On Windows", "On Windows too"}
    assert b"\r" not in b"".join(path.read_bytes() for path in ann.journal.glob("*/*.jsonl"))


def test_gitattributes_are_offered_and_never_forced(ann: Clone) -> None:
    attributes = ann.root / ".gitattributes"
    assert "hopper init --gitattributes" in ann.json("init")["offers"]
    assert not attributes.exists()
    attributes.write_text("*.png binary")
    ann.hopper("init", "--gitattributes")
    once = attributes.read_text()
    ann.hopper("init", "--gitattributes")
    assert attributes.read_text() == once
    assert once.startswith("*.png binary\n")
    assert "hopper init --gitattributes" not in ann.json("init")["offers"]
    ann.add("Fix login")
    ann.hopper("commit")
    (path,) = in_commit(ann)
    assert "text: unset" in ann.git("check-attr", "text", path)
    assert "Binary files" in ann.git("show", "--format=")

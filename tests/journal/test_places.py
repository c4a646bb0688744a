"""Where a project's tasks may be: parts of a checkout, submodules, outside git, read-only, on other
branches, in other worktrees; and above them, the hopper of the machine."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from launch import COMMAND
from mounting import mounting

from hopper_tui.engine.world import World
from hopper_tui.model.errors import StorageError

from .clones import Clone, _environment


@pytest.fixture
def ann(tmp_path: Path) -> Clone:
    """A clone with two tasks, committed."""
    clone = Clone.first(tmp_path / "ann")
    clone.add("Fix login", "-t", "api")
    clone.add("Write docs")
    clone.commit()
    return clone


def failing(clone: Clone, *args: str, code: int = 1) -> str:
    """The one line that a command which does not work says."""
    ended, out, said = clone.run(*args)
    assert (ended, out) == (code, ""), f"{ended} {out}{said}"
    assert said.startswith("hopper: ")
    assert "Traceback" not in said
    return said


# Sparse checkouts


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
@pytest.mark.parametrize("has_cache", [True, False])
def test_a_sparse_checkout_that_hides_the_journal_is_an_error_and_no_empty_queue(
    ann: Clone, cone: str, has_cache: bool
) -> None:
    (ann.root / "src").mkdir()
    (ann.root / "src" / "main.py").write_text("print()\n")
    ann.commit()
    before = ann.tasks()
    if not has_cache:
        ann.forget_caches()
    # the configuration stays, so that this is still seen to be a project
    kept = {"--cone": ["src"], "--no-cone": ["/src/", "/.hopper/hopper.yaml"]}[cone]
    ann.git("sparse-checkout", "set", cone, *kept)
    if cone == "--cone":
        ann.git("show", "HEAD:.hopper/hopper.yaml")
        (ann.root / ".hopper").mkdir(exist_ok=True)
        text = ann.git("show", "HEAD:.hopper/hopper.yaml")
        (ann.root / ".hopper" / "hopper.yaml").write_text(text)
    assert not list(ann.journal.glob("*/*.jsonl"))
    for command in (["list"], ["next"], ["add", "Another"], ["status"]):
        said = failing(ann, *command)
        assert "sparse checkout hides" in said, command
        assert "git sparse-checkout add .hopper" in said, "what to do next"
    if cone == "--cone":
        ann.git("sparse-checkout", "add", ".hopper")
    else:
        ann.git("sparse-checkout", "add", "/.hopper/")
    assert ann.tasks() == before
    ann.add("Another")


def test_a_reading_right_after_a_look_that_failed_fails_as_well(ann: Clone) -> None:
    world = World(ann.home / ".hopper", ann.root, actor="ann")
    store = world.hopper().store
    assert len(store.instances()) == 1
    ann.git("sparse-checkout", "set", "--no-cone", "/*", "!/.hopper/journal/")
    with pytest.raises(StorageError, match="sparse checkout hides"):
        store.look()
    with pytest.raises(StorageError, match="sparse checkout hides"):
        store.instances()
    world.close()


def test_a_sparse_checkout_that_hides_the_whole_project_is_an_error_too(ann: Clone) -> None:
    (ann.root / "src").mkdir()
    (ann.root / "src" / "main.py").write_text("print()\n")
    ann.commit()
    ann.git("sparse-checkout", "set", "--cone", "src")
    shutil.rmtree(ann.root / ".hopper", ignore_errors=True)
    inside = replace(ann, root=ann.root / "src")
    for place in (ann, inside):
        for command in (["list"], ["add", "Another"]):
            said = failing(place, *command)
            assert "sparse checkout hides" in said, command
    ann.hopper("list", "--instance", "global")


@pytest.mark.installed
def test_a_sparse_checkout_that_has_the_journal_works(ann: Clone) -> None:
    (ann.root / "src").mkdir()
    (ann.root / "src" / "main.py").write_text("print()\n")
    ann.commit()
    ann.git("sparse-checkout", "set", "--cone", ".hopper")
    assert not (ann.root / "src").exists()
    ann.add("Another")
    assert set(ann.tasks()) == {"Fix login", "Write docs", "Another"}


# Submodules, and no repository at all


def test_a_submodule_is_a_project_of_its_own(ann: Clone, tmp_path: Path) -> None:
    lib = Clone.first(tmp_path / "lib", init=False)
    lib.hopper("init", "--name", "lib")
    lib.add("Sort faster")
    lib.commit()
    ann.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(lib.root), "lib")
    ann.commit("with lib")
    inside = replace(ann, root=ann.root / "lib")
    assert set(_titles(inside)) == {"Sort faster"}
    assert set(ann.tasks()) == {"Fix login", "Write docs"}

    files = ann.files()
    inside.add("Sort in place")
    assert ann.files() == files
    assert set(ann.tasks()) == {"Fix login", "Write docs"}
    assert set(_titles(inside)) == {"Sort faster", "Sort in place"}
    shared = ann.root / ".git" / "modules" / "lib" / "hopper"
    own = json.loads((ann.root / ".git" / "hopper" / "replica.json").read_text())
    assert json.loads((shared / "replica.json").read_text())["replica"] != own["replica"]

    inside.hopper("commit")
    assert inside.git("status", "--porcelain") == ""
    assert ann.git("status", "--porcelain").split() == ["M", "lib"], "git's own note of it"


def _titles(clone: Clone) -> dict[str, str]:
    listed = clone.json("list", "--all", "--limit", "0")
    return {task["title"]: task["status"] for task in listed}


def test_outside_of_git_a_project_works_and_finds_its_way_into_git(tmp_path: Path) -> None:
    ann = Clone(tmp_path / "ann", tmp_path / "ann-home", "ann")
    ann.root.mkdir()
    ann.hopper("init", "--name", "web")
    task = ann.add("Fix login")
    ann.hopper("task", "claim", task)
    assert (ann.home / ".hopper" / "clones").is_dir(), "what git's directory has elsewhere"
    ann.forget_caches()
    before = ann.tasks()
    assert before["Fix login"]["status"] == "claimed"
    assert "in no git repository" in failing(ann, "commit")
    findings = json.loads(ann.hopper("doctor", "--deep", "--json"))
    assert [f for f in findings if f["subject"] == "web" and f["level"] != "ok"] == []

    ann.git("init", "-q", "-b", "main")
    ann.hopper("commit")
    assert ann.tasks() == before
    bob = ann.clone(tmp_path / "bob")
    assert set(bob.tasks()) == {"Fix login"}


# A checkout that cannot be written


def read_only(clone: Clone, *args: str) -> subprocess.CompletedProcess[str]:
    """Run `hopper ARGS` where the checkout is mounted read-only, which stops root too."""
    root = shlex.quote(str(clone.root))
    mount = f"mount --bind {root} {root} && mount -o remount,bind,ro {root} && cd {root} && exec "
    return subprocess.run(
        ["unshare", "-rm", "sh", "-ec", mount + shlex.join([COMMAND, *args])],
        env=_environment(clone.home, clone.actor), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@mounting
@pytest.mark.parametrize("has_cache", [True, False])
def test_a_read_only_checkout_can_be_looked_at(ann: Clone, has_cache: bool) -> None:
    task = ann.tasks()["Fix login"]["id"]
    expected = ann.hopper("list", "--all", "--json")
    if not has_cache:
        ann.forget_caches()
    else:  # the journal went on without it
        (ann.root / ".hopper" / "web").rename(ann.root / "aside")
        late = ann.add("Came later")
        ann.forget_caches()
        (ann.root / "aside").rename(ann.root / ".hopper" / "web")
    before = sorted(p for p in ann.root.rglob("*") if ".git" not in p.parts)
    listed = read_only(ann, "list", "--all", "--json")
    assert listed.returncode == 0, listed.stderr
    if has_cache:
        assert late in {t["id"] for t in json.loads(listed.stdout)}
    else:
        assert json.loads(listed.stdout) == json.loads(expected)
    for look in (["task", "show", task], ["status"], ["log"], ["next"]):
        assert read_only(ann, *look).returncode == 0, look
    for change in (["add", "Another"], ["task", "claim", task], ["task", "done", task]):
        refused = read_only(ann, *change)
        assert refused.returncode == 1
        last = refused.stderr.splitlines()[-1]
        assert "read-only" in last, refused.stderr
        assert "Traceback" not in refused.stderr
    assert sorted(p for p in ann.root.rglob("*") if ".git" not in p.parts) == before
    ann.add("Another")


# Fresh clones and deleted databases


def test_a_fresh_clone_lists_its_tasks_at_once(ann: Clone, tmp_path: Path) -> None:
    bob = ann.clone(tmp_path / "bob")
    assert not list(bob.root.rglob("*.db"))
    assert not bob.home.exists()
    code, out, said = bob.run("list")
    assert (code, said) == (0, "")
    assert "Fix login" in out
    assert "Write docs" in out
    assert bob.tasks() == ann.tasks()
    assert bob.git("status", "--porcelain") == ""


def _seen(clone: Clone) -> dict[str, Any]:
    """Everything a user sees."""
    tasks = clone.json("list", "--instance", "web", "--all", "--limit", "0")
    run = clone.json("list", "--instance", "run", "--all", "--limit", "0")
    status = clone.json("status")
    return {
        "list": tasks,
        "plain": [_without_ages(line) for line in clone.hopper("list", "--all").splitlines()],
        "run": run,
        "shown": [clone.json("task", "show", task["id"]) for task in tasks],
        "chains": [clone.json("task", "delegations", task["id"]) for task in tasks],
        "logs": [_history(clone.json("task", "log", task["id"])) for task in tasks],
        "log": _history(clone.json("log")),
        "status": status,
        "hops": clone.json("delegation", "list"),
        "conflicts": clone.json("conflicts"),
    }


def _history(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events without their numbers in the cache."""
    return [{name: said for name, said in event.items() if name != "seq"} for event in events]


def _without_ages(line: str) -> str:
    words = line.split()
    return " ".join(word for word in words if not (word[:-1].isdigit() and word[-1] in "smhd"))


def test_deleting_every_database_changes_nothing_that_is_seen(ann: Clone, tmp_path: Path) -> None:
    ann.hopper("instance", "create", "run", "--scope", "orchestration", "--parent", "web")
    ann.hopper("instance", "start", "run")
    tasks = ann.tasks()
    login, docs = tasks["Fix login"]["id"], tasks["Write docs"]["id"]
    ann.hopper("task", "delegate", login, "--to", "run")
    ann.hopper("task", "claim", docs)
    ann.add("Depends", "--depends-on", docs)
    done = ann.add("Done")
    ann.hopper("task", "done", done, "--result", '{"url": "https://example.org"}')
    ann.hopper("task", "update", docs, "--title", "Write more docs")
    ann.commit()
    before = _seen(ann)
    runs = ann.root / ".hopper" / "web" / "runs"
    shutil.copytree(runs, tmp_path / "runs")  # of this machine only, and no cache

    for found in (*ann.root.rglob("*.db*"), *ann.home.rglob("*.db*")):
        if runs not in found.parents:
            found.unlink()
    assert _seen(ann) == before
    findings = json.loads(ann.hopper("doctor", "--deep", "--json"))
    assert [f for f in findings if f["level"] == "error"] == []
    said = failing(replace(ann, actor="bob"), "task", "claim", docs)
    assert "held by ann" in said


# What a teammate did, seen from above


@pytest.mark.parametrize("inside", [True, False])
def test_what_a_teammate_finished_bubbles_up_to_this_machines_hopper(
    ann: Clone, tmp_path: Path, inside: bool
) -> None:
    (tmp_path / "elsewhere").mkdir()
    above = replace(ann, root=tmp_path / "elsewhere")
    task = above.json("add", "Ship it", "--project", "web")["id"]
    assert above.json("task", "show", task)["status"] == "delegated"
    (work,) = [t for t in ann.tasks().values() if t["title"] == "Ship it"]
    ann.commit()
    bob = ann.clone(tmp_path / "bob")
    bob.hopper("task", "done", work["id"], "--result", '"shipped"')
    bob.commit()
    ann.git("pull", "-q", "--no-edit", str(bob.root), "main")

    if inside:
        ann.hopper("list")
    listed = above.json("list", "--instance", "global", "--all", "--limit", "0")
    (there,) = [t for t in listed if t["title"] == "Ship it"]
    assert there["status"] == "done"
    assert above.json("task", "show", task)["result"] == "shipped"
    assert {hop["status"] for hop in above.json("delegation", "list")} == {"completed"}


# Branches and worktrees


@pytest.mark.parametrize(
    "verb", [("task", "show"), ("task", "claim"), ("task", "done"), ("task", "delegations")]
)
def test_a_task_of_another_branch_is_named_as_such(ann: Clone, verb: tuple[str, ...]) -> None:
    ann.git("checkout", "-q", "-b", "feature")
    task = ann.add("Only there")
    ann.commit()
    ann.git("checkout", "-q", "main")
    assert "Only there" not in ann.tasks()
    said = failing(ann, *verb, task[:6])
    assert "Only there" in said
    assert "on another branch (feature), not in this checkout" in said
    assert "hopper bring" in said
    ann.forget_caches()
    ann.git("checkout", "-q", "feature")
    assert "Only there" in ann.tasks()


def test_a_task_of_a_branch_that_was_never_checked_out_here_can_be_brought(
    ann: Clone, tmp_path: Path
) -> None:
    bob = ann.clone(tmp_path / "bob")
    ann.git("checkout", "-q", "-b", "feature")
    task = ann.add("Only there")
    ann.commit()
    bob.git("fetch", "-q", "origin")
    assert "there is no task" in failing(bob, "task", "show", task)
    bob.hopper("bring", task)
    assert "Only there" in bob.tasks()
    bob.commit()
    bob.git("checkout", "-q", "feature")
    assert "Only there" in bob.tasks()


def test_each_worktree_has_a_state_of_its_own(ann: Clone, tmp_path: Path) -> None:
    task = ann.tasks()["Fix login"]["id"]
    side = ann.worktree(tmp_path / "side", "side")
    assert side.tasks() == ann.tasks()
    side.hopper("task", "update", task, "--title", "Fix it there")
    side.add("Only at the side")
    assert set(ann.tasks()) == {"Fix login", "Write docs"}
    assert set(side.tasks()) == {"Fix it there", "Write docs", "Only at the side"}

    ann.hopper("task", "claim", task)
    assert side.tasks()["Fix it there"]["status"] == "pending"
    said = failing(side, "task", "claim", task)
    assert "in another worktree" in said
    assert str(ann.root) in said

    for clone in (ann, side):
        clone.commit()
    ann.git("merge", "-q", "--no-edit", "side")
    assert set(ann.tasks()) == {"Fix it there", "Write docs", "Only at the side"}
    assert ann.tasks()["Fix it there"]["status"] == "claimed"
    assert os.path.samefile(ann.home, side.home)


def test_a_lock_on_the_leases_is_said_to_be_on_them(ann: Clone) -> None:
    task = ann.tasks()["Fix login"]["id"]
    ann.hopper("task", "claim", task)
    (leases,) = (ann.root / ".git").rglob("leases.db")
    holder = sqlite3.connect(leases, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    refused = failing(ann, "task", "done", task)
    holder.execute("ROLLBACK")
    holder.close()
    assert "leases.db is locked" in refused
    ann.hopper("task", "done", task)

"""Git changes the directory under the running screen."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from hopper_tui.tui.watch import changes

from .repositories import add, disagreement, pull, repository, task, world_of
from .story import story
from .worlds import busy_world


def status(s) -> str:
    """The last line of the screen."""
    return s.screen.splitlines()[-1]


async def test_the_branch_is_on_the_status_line_and_nothing_else_when_all_is_committed(
    tmp_path: Path,
):
    ann = repository(tmp_path / "ann")
    async with story(world_of(ann)) as s:
        assert status(s).endswith("ann @ web · main")


async def test_what_is_not_committed_is_counted_and_a_commit_clears_it(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    async with story(world_of(ann)) as s:
        await s.press("p", "g", "enter")
        await s.sees("ann @ web · main · 1 uncommitted")
        ann.commit()
        await s.sees_no("uncommitted")
        assert "ann @ web · main" in status(s)


async def test_a_commit_taken_back_counts_again(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    ann.add("Ship OAuth")
    ann.commit()
    async with story(world_of(ann)) as s:
        await s.sees("Ship OAuth")
        ann.git("reset", "-q", "--soft", "HEAD~1")
        await s.sees("uncommitted")


async def test_a_hopper_that_does_not_travel_has_no_branch():
    async with story(busy_world(), instance="webapp") as s:
        assert status(s).endswith("me @ webapp")
        await s.press("C")
        await s.sees("do not travel in git")


async def test_the_queue_follows_a_branch_switch_and_the_cursor_stays_on_its_task(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    ann.git("switch", "-q", "-c", "feature")
    ann.add("Ship OAuth", "--priority", "urgent")
    ann.commit()
    async with story(world_of(ann)) as s:
        await s.sees("Ship OAuth", "· feature")
        await s.press("j", "j")
        await s.selects("Tidy the docs")
        ann.git("switch", "-q", "main")
        await s.sees("web · 2 open", "· main")
        await s.sees_no("Ship OAuth", "· feature")
        await s.selects("Tidy the docs")
        ann.git("switch", "-q", "feature")
        await s.sees("Ship OAuth", "· feature")
        await s.selects("Tidy the docs")


async def test_a_task_that_the_branch_lacks_leaves_the_cursor_to_the_nearest(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    ann.git("switch", "-q", "-c", "feature")
    ann.add("Ship OAuth", "--priority", "low")
    ann.commit()
    async with story(world_of(ann)) as s:
        await s.sees("Ship OAuth")
        await s.press("G")
        await s.selects("Ship OAuth")
        ann.git("switch", "-q", "main")
        await s.sees("web · 2 open")
        await s.selects("Tidy the docs")


async def test_a_merge_brings_a_conflict_and_taking_a_side_settles_it(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    bob = ann.clone(tmp_path / "bob")
    disagreement(ann, bob)
    world = world_of(ann, 21)
    about = task(world, "Fix login crash")
    async with story(world, (160, 48), task=about) as s:
        await s.press("C")
        await s.sees("web has no conflicts.")
        pull(ann, bob)
        await s.sees("1 conflict", "conflict: priority low (ann", "press C")
        await s.press("C")
        await s.sees("conflicts: web", "m  ann", "t  bob")
        await s.press("enter")
        await s.sees("1 conflict")
        await s.press("m")
        await s.sees("No conflicts are left.", "took mine")
        assert world.find_task(about)[1].priority == "low"
        await s.press("u")
        await s.until(lambda: world.find_task(about)[1].priority == "urgent", "no undo")
        await s.press("escape")
        await s.sees_no("conflicts: web")
        assert "1 conflict" not in status(s)


async def test_the_conflict_of_the_selected_task_is_offered_first_and_settled_alone(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    bob = ann.clone(tmp_path / "bob")
    for clone, seed in ((ann, 11), (bob, 12)):
        world = world_of(clone, seed)
        key = task(world, "Tidy the docs")
        world.hopper("web").update(key, title=f"Docs of {clone.actor}")
        world.close()
    disagreement(ann, bob)
    pull(ann, bob)
    world = world_of(ann, 21)
    async with story(world) as s:
        await s.sees("2 conflicts")
        await s.selects("Fix login crash")
        await s.press("C")
        await s.sees("conflicts: web", "lost", "     low")
        await s.press("k")
        await s.sees("Docs of ann")
        await s.press("j")
        await s.sees("     low")
        await s.press("t")
        await s.sees("1 conflict")
        assert [c.register for c in world.store("hopper-web").conflicts()] == ["title"]


async def test_a_sparse_checkout_that_hides_the_journal_says_so(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    async with story(world_of(ann)) as s:
        ann.git("sparse-checkout", "set", "--no-cone", "/*", "!/.hopper/journal/")
        await s.sees("a sparse checkout hides", "git sparse-checkout add")
        await s.press("1", "k")
        await s.sees("hopper-global · 0 open")
        ann.git("sparse-checkout", "disable")
        await s.press("j")
        await s.sees("Fix login crash")


async def test_a_worktree_that_is_removed_says_so_and_the_others_stay_usable(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    side = ann.worktree(tmp_path / "side", "side")
    async with story(world_of(side)) as s:
        await s.sees("· side", "Fix login crash")
        ann.git("worktree", "remove", "--force", str(side.root))
        await s.sees("gone")
        await s.sees_no("Fix login crash")
        assert not side.root.exists()
        await s.press("1", "k")
        await s.sees("hopper-global · 0 open")


async def test_a_damaged_cache_is_made_anew_and_that_is_said(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    cache = ann.root / ".hopper" / "web" / "tasks.db"
    for path in cache.parent.glob("tasks.db*"):
        path.unlink()
    cache.write_bytes(b"this is no database" * 400)
    async with story(world_of(ann)) as s:
        await s.sees("Fix login crash", "could not be used and was")


async def test_a_branch_without_the_project_says_so_and_nothing_is_made_there(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    ann.git("switch", "-q", "--orphan", "bare")
    ann.git("commit", "-q", "--allow-empty", "-m", "nothing")
    ann.git("switch", "-q", "main")
    async with story(world_of(ann)) as s:
        await s.sees("Fix login crash")
        ann.git("switch", "-q", "bare")
        await s.sees("Check out a branch that has it")
        assert not ann.journal.exists()
        ann.git("switch", "-q", "main")
        await s.sees("Fix login crash", "· main")


async def test_a_cache_that_is_deleted_meanwhile_comes_back(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    async with story(world_of(ann)) as s:
        await s.sees("Fix login crash")
        shutil.rmtree(ann.root / ".hopper" / "web")
        ann.add("Ship OAuth")
        await s.sees("Ship OAuth", "Fix login crash")


async def test_a_read_only_checkout_can_be_looked_at(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    shutil.rmtree(ann.root / ".hopper" / "web")
    hopper = ann.root / ".hopper"
    for path in (hopper, *(p for p in hopper.rglob("*") if p.is_dir())):
        path.chmod(0o555)
    if os.access(hopper, os.W_OK):
        pytest.skip("who runs this may write anywhere")
    try:
        async with story(world_of(ann)) as s:
            await s.sees("Fix login crash", "· main")
            await s.press("c")
            await s.sees("read-only", "Fix login crash")
    finally:
        for path in (hopper, *(p for p in hopper.rglob("*") if p.is_dir())):
            path.chmod(0o755)


async def test_a_run_shows_the_branch_of_its_project(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    world = world_of(ann)
    world.create_instance("worker-1", "orchestration", "web", {})
    world.close()
    ann.commit()
    async with story(world_of(ann, 21), instance="worker-1") as s:
        assert status(s).endswith("ann @ worker-1 · main")


async def test_many_files_at_once_are_few_changes(tmp_path: Path):
    month = tmp_path / "2026-11"
    month.mkdir()
    seen = 0
    quiet = asyncio.Event()

    async def follow() -> None:
        nonlocal seen
        async for _ in changes([str(tmp_path), str(month)]):
            seen += 1
            if (month / "last.jsonl").exists():
                quiet.set()

    following = asyncio.create_task(follow())
    for number in range(10_000):  # until the watch stands
        if seen:
            break
        (month / f"first-{number}.jsonl").touch()
        await asyncio.sleep(0.01)
    before = seen
    for number in range(500):
        (month / f"{number}.jsonl").touch()
    (month / "last.jsonl").touch()
    async with asyncio.timeout(10):
        await quiet.wait()
    following.cancel()
    assert seen - before <= 10


async def test_a_new_month_is_watched(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    world = world_of(ann)
    async with story(world) as s:
        month = ann.journal / "2031-01"
        month.mkdir()
        await s.until(
            lambda: str(month) in {path for path, _ in s.app.cockpit.following.watched},
            "never watched",
        )


def test_what_the_git_directory_announces(tmp_path: Path):
    ann = repository(tmp_path / "ann")
    side = ann.worktree(tmp_path / "side", "side")
    world = world_of(side)
    world.hopper("web").list()
    watched = set(world.watch_paths())
    journal = side.root / ".hopper" / "journal"
    assert {journal, ann.root / ".git" / "worktrees" / "side"} <= watched
    assert {path for path in journal.iterdir() if path.is_dir()} <= watched
    before = world.revision()
    assert world.revision() == before
    side.commit()
    assert world.revision() != before
    add(world.hopper("web"), "Ship OAuth")
    world.close()

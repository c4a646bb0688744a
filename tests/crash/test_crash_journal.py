"""Kill -9 at every step of writing a journal: a command has happened as a whole or not at all, the
next one finds that out, and what nobody finished nobody holds."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal.walk import quick_directory
from mounting import mounting

from .full_disk import Tried
from .journal_harness import SCENARIOS, Observed

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
TESTS = Path(__file__).parent.parent

UNWRITTEN = ("written", "synced")
WRITTEN = ("renamed", "committed", "kept", "confirmed", "before tasks.db", "after tasks.db",
           "applied")  # fmt: skip
"""The fault points before and after the commit point."""
EACH_ON_ITS_OWN = ("done with several",)
"""Commands of a transaction for each task: some of them may be changed, each as a whole."""

Tasks = dict[str, Any]
Once = Callable[[str, Callable[[], Any]], Any]


def _killed(name: str) -> tuple[Tasks, list[Observed]]:
    """The tasks before, and what was seen after each kill of a scenario; nothing killed the last
    one."""
    with quick_directory() as out:
        done = subprocess.run(
            [sys.executable, "-m", "crash.journal_harness", name, str(out)],
            capture_output=True, text=True, cwd=TESTS, timeout=100,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return told["before"], [Observed(**each) for each in told["seen"]]


def _check(seen: Observed, before: Tasks, after: Tasks, name: str) -> None:
    assert seen.tasks == seen.anew, "the cache says something else than the journal"
    for task in {*before, *after}:
        assert seen.tasks.get(task) in (before.get(task), after.get(task))
    if name not in EACH_ON_ITS_OWN:
        assert seen.tasks in (before, after)
    changed = [task for task in after if seen.tasks.get(task) != before.get(task)]
    assert len(seen.said.split()) <= len(changed), "it told of more than it had done"
    assert seen.findings == []
    if seen.claim is not None:
        is_free = seen.tasks["web: one"][0] == "pending"
        assert seen.claim == (0 if is_free else 1), "a claim of nobody, or two claims"
    for line in seen.left.splitlines():
        assert line.startswith("?? .hopper/journal/2"), "git sees more than new journal files"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_command_killed_anywhere_has_happened_as_a_whole_or_not_at_all(name: str) -> None:
    before, (*kills, through) = _killed(name)
    after = through.tasks
    assert before != after
    assert through.said
    for seen in (*kills, through):
        try:
            _check(seen, before, after, name)
        except AssertionError as error:
            raise AssertionError(f"killed at {seen.point}: {seen}") from error
    changed = [sum(seen.tasks.get(t) == after[t] for t in after) for seen in (*kills, through)]
    assert changed == sorted(changed), "a step once taken is never lost by a later kill"
    points = [seen.point for seen in kills]
    leased = ["leased"] if "leased" in points else []
    if points.count("renamed") == 1 and "before run.db" not in points:
        assert points == [*leased, *UNWRITTEN, *WRITTEN]
        for seen in kills:
            happened = seen.point in WRITTEN
            assert seen.tasks == (after if happened else before), seen.point
    if name.startswith(("claim", "done", "release")) and name != "done in a run":
        assert leased, "what other worktrees shall know is noted before it is written"


# A full disk

BECOMES = {"add": "pending", "claim": "claimed", "done": "done"}


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, once: Once) -> list[Tried]:
    """What came of commands with ever more room on a small disk of their own."""
    disk = tmp_path_factory.mktemp("disk")
    script = f"mount -t tmpfs -o size=4m tmpfs {shlex.quote(str(disk))} && exec "
    command = shlex.join([sys.executable, "-m", "crash.full_disk", str(disk)])

    def try_all() -> Any:
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-ec", script + command],
            capture_output=True, text=True, cwd=TESTS, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return [Tried(**each) for each in once("full disk", try_all)]


@mounting
def test_a_full_disk_is_an_error_that_says_so_and_what_to_do(tried: list[Tried]) -> None:
    failed = [each for each in tried if each.code]
    assert {each.command for each in failed} == set(BECOMES)
    for each in failed:
        *_, error = each.said.splitlines()
        assert error.startswith("hopper: ")
        assert "the disk is full. Free some space" in error, each
        assert "Traceback" not in each.said


@mounting
def test_on_a_full_disk_nothing_is_half_done_and_nothing_told_is_missing(
    tried: list[Tried],
) -> None:
    for each in tried:
        task = f"web: {each.command} {each.room}"
        others = {name: each.before[name] for name in each.before if name != task}
        assert {name: each.after[name] for name in each.after if name != task} == others
        now = each.after.get(task)
        happened = now is not None and now[0] == BECOMES[each.command]
        assert happened or now == each.before.get(task)
        assert happened == (each.code == 0), f"told otherwise than it is: {each}"
        assert each.after == each.anew
        assert all(line.startswith("?? .hopper/journal/2") for line in each.left.splitlines())


@mounting
def test_what_is_shown_on_a_full_disk_is_what_is_there(tried: list[Tried]) -> None:
    shown = [each for each in tried if each.full is not None]
    assert any(each.code for each in shown)
    for each in shown:
        assert {f"web: {title}": task for title, task in (each.full or {}).items()} == each.after


@mounting
def test_with_room_again_everything_works_and_the_doctor_finds_nothing(tried: list[Tried]) -> None:
    assert all(each.findings == [] for each in tried)
    assert [each.code for each in tried[-3:]] == [0, 0, 0]

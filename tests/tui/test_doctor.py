"""The doctor's view: what is wrong, with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hopper_tui.engine.doctor import Finding
from hopper_tui.tui.doctor_lines import doctor_lines, doctor_title, told
from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line
from hopper_tui.tui.view_snapshot import DoctorSnapshot

from .story import story
from .worlds import NOW, busy_world, empty_world

SIZES = [(160, 48), (80, 24), (50, 20)]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


@pytest.mark.parametrize(
    ("message", "what", "fix"),
    [
        ("3 conflicts to decide; see: hopper conflicts", "3 conflicts to decide",
         "See: hopper conflicts"),
        ("2 events were lost; bring them back: hopper recover", "2 events were lost",
         "Bring them back: hopper recover"),
        ("the database was written by a newer version. Upgrade: pip install x",
         "the database was written by a newer version", "Upgrade: pip install x"),
        ("version 3.40.1", "version 3.40.1", ""),
    ],
)  # fmt: skip
def test_a_message_is_what_was_found_and_what_to_do(message: str, what: str, fix: str):
    assert told(message) == (what, fix)


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("task x has no events; see: hopper doctor --rebuild", "--rebuild"),
        ("3 leases of nobody; see: hopper doctor --fix", "--fix"),
        ("w-1 took task x and is not known here; if it is gone for good, take the task back: "
         "hopper delegation cancel gwvsk3fawjtqd1dz", "cancel gwv"),
    ],
)  # fmt: skip
def test_what_removes_something_is_told_and_not_ready_to_be_run(message: str, command: str):
    what, fix = told(message)
    assert command not in fix
    assert fix.endswith(".")
    assert "hopper" not in what


@pytest.mark.parametrize("width", [48, 78, 158])
def test_lines_keep_within_the_width(width: int):
    found = (
        Finding("error", "漢字" * 40, "\x1b[31m" + "修复 " * 90 + "; see: hopper doctor --rebuild"),
        Finding("ok", "home", "/a/very/long/path" * 20),
    )
    for line in doctor_lines(DoctorSnapshot(1, found, NOW), width, NOW, {}):
        assert line_width(line) <= width
        assert "\x1b" not in text(line)


def test_the_title_counts():
    found = [Finding(level, "a", "b") for level in ("error", "warning", "warning", "ok")]
    assert doctor_title(DoctorSnapshot(1, tuple(found))) == "doctor · 1 error, 2 warnings"
    assert doctor_title(DoctorSnapshot(1, tuple(found[-1:]))) == "doctor · all is well"


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_shows_that_all_is_well(size: tuple[int, int]):
    async with story(busy_world(), size, instance="webapp") as s:
        await s.press("H")
        await s.sees("doctor · all is well", "✓ SQLite", "r looks again")


async def test_what_is_broken_comes_first_and_the_doctor_looks_again(tmp_path: Path):
    world = busy_world(tmp_path)
    path = world.hopper("api").store.path
    assert path is not None
    async with story(world, instance="webapp") as s:
        await s.press("H")
        await s.sees("all is well")
        whole = path.read_bytes()
        for store in world.places.opened():
            if store.path == path:
                store.close()
        for beside in path.parent.glob(path.name + "-*"):
            beside.unlink()
        path.write_bytes(b"this is no database, " * 1000)
        await s.press("r")
        await s.sees("doctor · 1 error", "✗ api")
        path.write_bytes(whole)
        await s.press("r")
        await s.sees("✓ api")


async def test_nothing_but_a_key_has_the_doctor_look():
    async with story(empty_world()) as s:
        await s.press("H")
        await s.sees("all is well")
        revision = s.app.cockpit.stage.view.snapshot.revision
        s.world.create_instance("later", "project")
        s.app.cockpit.session.check()
        await s.until(lambda: len(s.app.cockpit.tree_view.snapshot.rows) == 2, "never came")
        assert s.app.cockpit.stage.view.snapshot.revision == revision
        await s.press("r")
        await s.sees("later")

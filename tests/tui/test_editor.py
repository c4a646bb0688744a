"""Editing a task as text: whatever the editor does, nothing is lost."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hopper_tui.engine.world import World

from .story import story
from .test_stories import open_at, the
from .worlds import busy_world

Editor = Callable[[str], None]


@pytest.fixture
def home(tmp_path: Path) -> World:
    return busy_world(tmp_path / "home")


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Makes a program the editor: Python code about `path` and `text`, what `path` holds."""

    def make(code: str) -> None:
        script = tmp_path / "my editor"
        script.write_text(
            f"#!{sys.executable}\nimport sys, pathlib\n"
            f"path = pathlib.Path(sys.argv[1])\ntext = path.read_text()\n{code}\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("VISUAL", f"'{script}'")

    return make


def kept(tmp_path: Path) -> list[str]:
    """The texts that are kept."""
    return [path.read_text() for path in (tmp_path / "home" / "edits").glob("*")]


async def test_a_task_is_edited_as_text(home: World, editor: Editor, tmp_path: Path):
    editor(
        "text = text.replace('Ship OAuth', 'Ship OAuth: at last #1')"
        ".replace('tags: auth', 'tags: auth, soon').replace('after:', 'after: Tidy the docs')\n"
        "path.write_text(text + 'Two\\n\\n---\\nlines')"
    )
    async with open_at(home, "Ship OAuth") as s:
        await s.press("e")
        await s.sees("changed web-", "Ship OAuth: at last #1")
        task = the(home, "Ship OAuth")
        assert task.title == "Ship OAuth: at last #1"
        assert task.tags == ("auth", "soon")
        assert task.depends_on == (the(home, "Tidy the docs").id,)
        assert task.description == "\nTwo\n\n---\nlines"
        assert kept(tmp_path) == []
        await s.press("u")
        await s.sees("undone: change")
        assert the(home, "Ship OAuth").description == ""


async def test_leaving_the_text_as_it_is_changes_nothing(
    home: World, editor: Editor, tmp_path: Path
):
    hostile = the(home, "not bold")
    home.hopper("webapp").update(hostile.id, description="a\x1b[31mb\r\n\r\n")
    before = home.hopper("webapp").get(hostile.id)
    editor("path.write_text(text)")
    async with open_at(home, "not bold") as s:
        await s.press("e")
        await s.sees("nothing was changed")
        assert home.hopper("webapp").get(hostile.id) == before
        assert kept(tmp_path) == []


async def test_a_text_that_cannot_be_read_is_edited_again(home: World, editor: Editor):
    editor(
        "bad = 'prioriti: high' in text\n"
        "path.write_text(text.replace('prioriti', 'priority') if bad else"
        " text.replace('priority: medium', 'prioriti: high'))"
    )
    async with open_at(home, "Tidy the docs") as s:
        await s.press("e")
        await s.sees("line 5: 'prioriti: high' is no field", "Edit it again?")
        await s.press("y")
        await s.sees("changed web-")
        assert the(home, "Tidy the docs").priority == "high"


async def test_what_is_not_saved_stays_in_a_file(home: World, editor: Editor, tmp_path: Path):
    editor("path.write_text(text.replace('due:', 'due: someday') + 'long text')")
    async with open_at(home, "Tidy the docs") as s:
        await s.press("e")
        await s.sees("'someday' is not a date")
        await s.press("enter")
        await s.sees("Not saved. The text is in")
        assert the(home, "Tidy the docs").due is None
        assert [text.endswith("long text") for text in kept(tmp_path)] == [True]


async def test_an_editor_that_fails_changes_nothing_and_keeps_the_text(
    home: World, editor: Editor, tmp_path: Path
):
    editor("path.write_text(text.replace('Tidy', 'Burn')); sys.exit(3)")
    async with open_at(home, "Tidy the docs") as s:
        await s.press("e")
        await s.sees("ended with 3, so nothing was saved")
        await s.press("escape")
        await s.sees("Not saved. The text is in")
        assert the(home, "Tidy the docs").title == "Tidy the docs"
        assert ["title: Burn the docs" in text for text in kept(tmp_path)] == [True]


async def test_a_text_in_another_encoding_is_kept_and_edited_again(
    home: World, editor: Editor, tmp_path: Path
):
    editor("path.write_bytes(text.replace('Tidy', 'Ordne für').encode('latin-1'))")
    async with open_at(home, "Tidy the docs") as s:
        await s.press("e")
        await s.sees("text is not UTF-8", "Edit it again? Otherwise it stays in")
        await s.press("n")
        await s.sees("Not saved. The text is in")
        (path,) = (tmp_path / "home" / "edits").iterdir()
        assert "title: Ordne für the docs".encode("latin-1") in path.read_bytes()


async def test_what_cannot_be_read_is_left_where_it_is(home: World, editor: Editor, tmp_path: Path):
    editor("path.rename(path.with_suffix('.mine')); path.mkdir()")
    async with open_at(home, "Tidy the docs") as s:
        await s.press("e")
        await s.sees("text cannot be read: Is a directory", "Edit it again?")
        await s.press("n")
        await s.sees("Not saved. The text is in")


async def test_an_editor_that_is_not_there_is_named(
    home: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("EDITOR", "no-such-editor -w")
    async with open_at(home, "Tidy the docs") as s:
        await s.press("e")
        await s.sees("no-such-editor cannot be run", "Set VISUAL or EDITOR")
        assert kept(tmp_path) == []


async def test_what_somebody_else_changed_meanwhile_is_told(
    home: World, editor: Editor, tmp_path: Path
):
    waits = tmp_path / "goes on"
    editor(
        "import time\npath.write_text(text.replace('Tidy', 'Sort'))\n"
        f"while not pathlib.Path({str(waits)!r}).exists(): time.sleep(0.01)"
    )
    task = the(home, "Tidy the docs")
    async with open_at(home, "Tidy the docs") as s:
        s.tap("e")
        await s.until(lambda: bool(kept(tmp_path)), "the editor never began")
        home.hopper("webapp").update(task.id, title="Burn the docs", priority="low")
        waits.touch()
        await s.sees("was changed meanwhile", "'Burn the docs'")
        await s.press("y")
        await s.sees("changed web-")
        after = home.hopper("webapp").get(task.id)
        assert (after.title, after.priority) == ("Sort the docs", "low")


async def test_without_an_editor_there_is_the_form(home: World):
    async with open_at(home, "Tidy the docs") as s:
        await s.press("e")
        await s.sees("edit web-", "Priority")


async def test_a_browser_gets_the_form_whatever_editor_there_is(home: World, editor: Editor):
    editor("path.write_text(text.replace('Tidy', 'Burn'))")
    async with story(home, instance="webapp", local=False) as s:
        await s.press("e")
        await s.sees("edit web-", "Priority")

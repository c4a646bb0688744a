"""keymap.yaml gives commands other keys; what cannot be followed is said, and nothing breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hopper_tui.tui.chain_view import ChainView
from hopper_tui.tui.commands import BY_ID, COMMANDS, Situation
from hopper_tui.tui.detail_view import DetailView
from hopper_tui.tui.keymap import FILE, Keymap, read, template
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.queue_view import QueueView
from hopper_tui.tui.runs_view import RunsView
from hopper_tui.tui.snapshot import QueueSnapshot
from hopper_tui.tui.tree_view import TreeView

from .story import story
from .worlds import busy_world


@pytest.fixture
def keymap(tmp_path: Path):
    """Reads a keymap.yaml with that text."""

    def reading(text: str) -> Keymap:
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        return read(tmp_path)

    return reading


def test_without_a_file_the_table_holds(tmp_path: Path):
    assert read(tmp_path) == read(None) == Keymap()


def test_the_template_as_it_is_and_with_every_line_taken_in_changes_nothing(keymap):
    assert keymap(template()) == Keymap()
    lines = [line[1:] for line in template().splitlines() if line.startswith("#")]
    everything = "\n".join(line for line in lines if line[:1] not in " ")
    assert yaml.safe_load(everything).keys() == {command.id for command in COMMANDS}
    assert keymap(everything) == Keymap()


def test_keys_may_be_written_as_they_are_shown(keymap):
    found = keymap('task.done: ["^e", pgdn, f5, ",", 7, shift+f1]\nmove.page_down: []')
    assert found.keys["task.done"] == ("ctrl+e", "pagedown", "f5", ",", "7", "shift+f1")
    assert found.for_textual()["task.done"] == "ctrl+e,pagedown,f5,comma,7,shift+f1"
    assert found.problems == ()


def test_two_commands_may_change_places(keymap):
    found = keymap("task.done: x\ntask.cancel: d")
    assert found == Keymap({"task.done": ("x",), "task.cancel": ("d",)})


def test_a_key_of_another_pane_is_no_clash(keymap):
    assert keymap("task.note: S").problems == ()


def test_a_clash_is_said_and_who_asked_has_the_key(keymap):
    found = keymap("task.done: x")
    assert found.keys == {"task.done": ("x",), "task.cancel": ()}
    assert found.problems == ("x is task.done, so task.cancel is without it.",)


def test_where_two_lines_ask_for_a_key_the_first_has_it(keymap):
    found = keymap("task.fail: [f2, f3]\ntask.done: [d, f2]")
    assert found.keys == {"task.fail": ("f2", "f3")}
    assert found.problems == ("f2 is task.fail, so task.done is without it.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task.don: d", f"{FILE}:1: there is no command 'task.don'; did you mean task.done?"),
        ("\ntask.done: dd", f"{FILE}:2: 'dd' is no key; write"),
        ("task.done: ctrl+j", "'ctrl+j' is enter on most terminals; take another key"),
        ("task.done: ^i", "is tab on most terminals"),
        ("task.done: {a: b}", "is no key"),
        ("task.done:", "no key is given; [] says that it has none"),
        ("task.done: true", "True is no key"),
        ("7: d", "there is no command '7'"),
    ],
)
def test_a_wrong_line_is_said_and_the_others_hold(keymap, text: str, said: str):
    found = keymap(text + "\ntask.fail: f9")
    assert found.keys == {"task.fail": ("f9",)}
    assert said in " ".join(found.problems)


@pytest.mark.parametrize("text", ["task.done: [", "- d", "just words", "a: 1\na: 2", "\x00", "\t"])
def test_a_broken_file_is_said_and_ignored(keymap, text: str):
    found = keymap(text)
    assert found.keys == {}
    assert len(found.problems) == 1


def test_a_file_that_is_not_text_or_none_at_all_is_said(tmp_path: Path):
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in read(tmp_path).problems[0]
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert "cannot read" in read(tmp_path).problems[0]


@pytest.mark.parametrize("view", [TreeView, QueueView, DetailView, ChainView, RunsView])
def test_all_bindings_of_the_panes_are_in_the_registry(view: type[LineView]):
    """Then they are in the help and in the keymap as well."""
    assert {binding.id for binding in vars(view)["BINDINGS"]} <= BY_ID.keys()
    assert "BINDINGS" not in vars(LineList) | vars(LineView)


async def test_another_key_does_it_and_is_shown_everywhere(tmp_path: Path):
    world = busy_world(tmp_path)
    (tmp_path / FILE).write_text(
        "task.claim: f6\ntask.done: []\nmove.down: [n, down]\ntask.note: f7"
    )
    async with story(world, (160, 40), instance="webapp") as s:
        await s.sees("f6 claim")
        await s.press("c", "d", "n", "n")
        await s.selects("Ship OAuth")
        await s.press("k", "k")
        await s.selects("Fix login crash")
        await s.press("f6")
        await s.sees("claimed web-")
        await s.press("?")
        await s.type("mark it done")
        await s.sees("Mark it done")
        await s.press("enter")
        await s.sees("done web-")


async def test_what_is_wrong_in_the_file_is_said_at_the_start(tmp_path: Path):
    world = busy_world(tmp_path)
    (tmp_path / FILE).write_text("task.done: x\nnothing.like: f3")
    async with story(world, instance="webapp") as s:
        await s.sees("'nothing.like'", "x is task.done")
        await s.press("x")
        await s.sees("done web-")


def test_reasons_name_the_key_that_holds():
    nothing = Situation("queue", None, None, 0, QueueSnapshot(0, None), None, None)
    approve = BY_ID["runs.approve"].enabled
    assert approve(nothing) == "W shows the runs."
    assert approve(nothing._replace(keys={"view.runs": ("f4",)})) == "f4 shows the runs."
    unbound = nothing._replace(keys={"view.runs": ()})
    assert approve(unbound) == "“See the runs and who works on what” shows the runs."

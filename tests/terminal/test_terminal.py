"""Stories in a real terminal and in a real browser, while other processes work on the same
hopper."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import pytest
from launch import COMMAND, environment, hopper

from .browser import Browser
from .display import Display
from .tmux import Terminal, needs_tmux

S = TypeVar("S", bound=Display)


class Desk(Generic[S]):
    """A project directory, a home and a screen."""

    def __init__(self, root: Path, screen: Callable[[Path, Mapping[str, str]], S]) -> None:
        self.root = root
        self.project = root / "webapp"
        self.project.mkdir()
        self.env = environment(root, root / "home")
        self.hopper("init", "--name", "webapp")
        self.hopper("instance", "config", "hopper-webapp", "auto_delegate=false")
        for title, priority in (
            ("Fix login crash", "urgent"),
            ("Ship OAuth", "high"),
            ("Tidy the docs", "medium"),
        ):
            self.hopper("add", title, "--priority", priority)
        self.screen = screen(root, self.env)

    def hopper(self, *args: str) -> str:
        """What `hopper ARGS` prints, in a process of its own."""
        done = hopper(args, self.project, self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    @property
    def process(self) -> int:
        """The process id of the terminal UI."""
        search = ["pgrep", "-f", f"{COMMAND} -C {self.project}"]
        return int(subprocess.run(search, capture_output=True, text=True).stdout.split()[0])

    def tasks(self) -> list[dict[str, object]]:
        """The tasks as they are stored now."""
        listed: list[dict[str, object]] = json.loads(self.hopper("list", "--all", "--json"))
        return listed

    def task(self, title: str) -> dict[str, object]:
        """The task with that title."""
        return next(task for task in self.tasks() if task["title"] == title)

    def opens(self, *args: str) -> S:
        """The screen, once the tasks are on it."""
        self.screen.opens("-C", str(self.project), "tui", *args)
        self.screen.sees("Fix login crash")
        return self.screen


@pytest.fixture(params=[pytest.param(Terminal, marks=needs_tmux), Browser])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk[Display]]:
    """For stories that are the same in a terminal and in a browser."""
    made: Desk[Display] = Desk(tmp_path, request.param)
    yield made
    made.screen.close()


@pytest.fixture
def shell_desk(tmp_path: Path) -> Iterator[Desk[Terminal]]:
    """For stories about the terminal and the shell in it."""
    made = Desk(tmp_path, Terminal)
    yield made
    made.screen.close()


@pytest.fixture
def web_desk(tmp_path: Path) -> Iterator[Desk[Browser]]:
    """For stories about the browser."""
    made = Desk(tmp_path, Browser)
    yield made
    made.screen.close()


def test_what_others_do_comes_up_and_the_cursor_stays(desk: Desk[Display]):
    t = desk.opens()
    t.press("j")
    t.until(lambda: "Ship OAuth" in t.cursor, "the cursor never moved")
    desk.hopper("add", "Put out the fire", "--priority", "urgent")
    t.sees("Put out the fire", "4 open")
    assert "Ship OAuth" in t.cursor
    desk.hopper("next", "--claim", "--executor", "claude", "--role", "human")
    t.sees("claude")
    assert "Ship OAuth" in t.cursor
    desk.hopper("task", "cancel", str(desk.task("Tidy the docs")["id"]))
    t.sees_no("Tidy the docs")
    assert "Ship OAuth" in t.cursor


def test_adding_claiming_and_finishing(desk: Desk[Display]):
    t = desk.opens()
    t.type("a")
    t.sees("add to webapp")
    t.type("Sharpen the saw\n")
    t.sees("added Sharpen the saw")
    t.until(lambda: "Sharpen the saw" in t.cursor, "the new task was never selected")
    t.type("c")
    t.sees("claimed web-")
    assert desk.task("Sharpen the saw")["owner"] == "ann"
    t.type("d")
    t.sees_no("4 open")
    assert desk.task("Sharpen the saw")["status"] == "done"


def test_what_is_typed_ahead_is_meant_for_what_opens(desk: Desk[Display]):
    t = desk.opens()
    t.type("add docs, xylophone\n")  # a letter too many, and no waiting for the form
    t.sees("added dd docs, xylophone", "4 open")
    t.type("/xylo\n")
    t.until(lambda: "dd docs, xylophone" in t.cursor, "the filter did not get what was typed")
    assert {task["status"] for task in desk.tasks()} == {"pending"}


@needs_tmux
def test_an_editor_that_cannot_be_run_leaves_the_screen_alive(shell_desk: Desk[Terminal]):
    shell_desk.screen.type("export VISUAL=/no/such/editor\n")
    t = shell_desk.opens()
    t.type("e")
    t.sees("/no/such/editor cannot be run", "Fix login crash")
    t.press("j")
    t.until(lambda: "Ship OAuth" in t.cursor, "the screen follows no key any more")
    t.type("q")
    t.until(t.is_back, "the shell never came back")


def test_what_is_typed_after_enter_is_no_part_of_what_was_entered(desk: Desk[Display]):
    t = desk.opens()
    t.type("aone\natwo\nathree\n")
    t.sees("added three", "6 open")
    assert {"one", "two", "three"} < {task["title"] for task in desk.tasks()}
    t.type("/Ship\njjj")
    t.sees("/Ship ", "1 of 6")


@needs_tmux
def test_where_nothing_can_be_seen_no_key_does_anything(shell_desk: Desk[Terminal]):
    t = shell_desk.opens()
    t.resize(49, 20)
    t.sees("Hopper needs 50 columns")
    t.type("dxabc\n")
    t.resize(120, 36)
    t.sees("Fix login crash", "3 open")
    assert {task["status"] for task in shell_desk.tasks()} == {"pending"}


@needs_tmux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_ended_by_a_signal_it_gives_the_terminal_back_and_keeps_what_was_typed(
    shell_desk: Desk[Terminal], number: signal.Signals
):
    t = shell_desk.opens()
    t.type("aSharpen")
    t.sees("Sharpen")
    os.kill(shell_desk.process, number)
    t.until(t.is_back, "the shell never came back")
    t.type("echo code $?\n")
    t.sees(f"code {128 + number}")
    shell_desk.opens()
    t.type("a")
    t.sees("Sharpen")


@needs_tmux
def test_what_is_pasted_is_text_whatever_it_contains(shell_desk: Desk[Terminal]):
    t = shell_desk.opens()
    t.press("n")
    t.sees("enter note")
    t.paste("\x1b[31mred\x1b[0m error\ndd\n\x1b[A")
    t.sees("red error dd")
    t.press("Enter")
    t.sees("noted")
    assert {task["status"] for task in shell_desk.tasks()} == {"pending"}


@needs_tmux
def test_stopped_it_gives_the_terminal_to_the_shell_until_it_comes_back(
    shell_desk: Desk[Terminal],
):
    t = shell_desk.opens()
    t.press("C-z")
    t.until(lambda: "hoppers" not in t.screen, "the screen never went")
    shell_desk.hopper("add", "Put out the fire")
    t.type("echo the $((40 + 2)) shell\n")
    t.sees("the 42 shell")
    t.type("fg\n")
    t.sees("hoppers", "Put out the fire", "4 open")
    t.type("c")
    t.sees("claimed")


def test_undo_is_the_same_here_and_there(desk: Desk[Display]):
    t = desk.opens()
    t.type("c")
    t.sees("claimed web-")
    assert "undone" in desk.hopper("undo")
    t.until(lambda: "ann" not in t.line("Fix login crash"), "the screen never took it back")
    assert desk.task("Fix login crash")["status"] == "pending"
    desk.hopper("task", "update", str(desk.task("Ship OAuth")["id"]), "--priority", "low")
    t.type("u")
    t.sees("undone")
    assert desk.task("Ship OAuth")["priority"] == "high"


def test_views_follow_what_others_do(desk: Desk[Display]):
    t = desk.opens()
    t.type("B")
    t.sees("3 pending", "0 in progress")
    desk.hopper("next", "--claim")
    t.sees("2 pending", "1 in progress")
    t.type("s")
    t.sees("1 pending", "2 in progress", "started web-")
    assert desk.task("Ship OAuth")["status"] == "in_progress"
    t.type("L")
    t.sees("log · webapp", "started", "claimed")
    desk.hopper("add", "Put out the fire")
    t.sees("Put out the fire")
    t.type("T")
    t.sees("stats · webapp · the last day", "4 in all", "◆ 1 in progress")
    t.type("H")
    t.sees("doctor · all is well")
    t.press("Escape")
    t.sees("webapp · 4 open")


def test_quitting_in_the_middle_of_a_form_adds_nothing(desk: Desk[Display]):
    t = desk.opens()
    t.type("a")
    t.sees("add to webapp")
    t.type("half a title")
    t.press("Escape")
    t.sees_no("add to webapp")
    t.type("q")
    t.until(t.is_back, "it never ended")
    assert len(desk.tasks()) == 3


@needs_tmux
def test_quitting_leaves_the_shell_as_it_was(shell_desk: Desk[Terminal]):
    t = shell_desk.opens()
    t.type("q")
    t.until(t.is_back, "the shell never came back")
    assert "Fix login crash" not in t.screen


def test_the_mouse_and_nothing_from_elsewhere_in_a_browser(web_desk: Desk[Browser]):
    t = web_desk.opens()
    t.click("Tidy the docs")
    t.until(lambda: "Tidy the docs" in t.cursor, "the row that was clicked is not selected")
    t.type("d")
    t.sees("done web-")
    assert web_desk.task("Tidy the docs")["status"] == "done"
    assert all(url.startswith(t.address) for url in t.loaded), t.loaded


@needs_tmux
@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (50, 20), (40, 8)])
def test_any_size_and_back(shell_desk: Desk[Terminal], columns: int, lines: int):
    t = shell_desk.opens()
    t.resize(columns, lines)
    t.until(lambda: len(t.screen.splitlines()) <= lines, "never became that small")
    t.resize(120, 36)
    t.sees("hoppers", "Fix login crash", "Tidy the docs")


@needs_tmux
def test_killed_in_the_middle_of_a_form_it_loses_nothing(shell_desk: Desk[Terminal]):
    t = shell_desk.opens()
    t.type("a")
    t.sees("add to webapp")
    t.type("never sent")
    t.sees("never sent")
    os.kill(shell_desk.process, signal.SIGKILL)
    t.sees("Killed")
    assert len(shell_desk.tasks()) == 3
    t.type("reset\n")
    shell_desk.opens()


def test_the_tour(desk: Desk[Display]):
    """The newcomer's path as docs/tour.md tells it."""
    desk.hopper("instance", "create", "run-1", "--scope", "orchestration", "--parent", "webapp")
    desk.hopper("instance", "start", "run-1")
    t = desk.opens()
    t.type("/priority:urgent\n")  # find the urgent task
    t.sees_no("Ship OAuth")
    t.until(lambda: "Fix login crash" in t.cursor, "the urgent task is not selected")
    t.type("w")  # why is it where it is?
    t.sees("auto_delegate is off", "esc leave")
    t.press("Escape")
    t.sees_no("esc leave")
    t.type("D")  # delegate it
    t.sees("delegate ", "run-1")
    t.press("Down", "Enter")
    t.sees("delegated web-")
    t.sees_no("esc leave")
    worker = subprocess.Popen(
        [COMMAND, "work", "--instance", "run-1", "--max-tasks", "1", "--",
         sys.executable, "-c", "print('mended')"],
        cwd=desk.project, env=desk.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    t.press("Escape")  # drop the filter
    t.until(lambda: "Fix login crash" not in t.screen, "the worker never finished it")
    assert worker.wait(timeout=20) == 0
    t.until(lambda: "Ship OAuth" in t.cursor, "the next task is not selected")
    t.type("d")  # a mistake
    t.until(lambda: "Ship OAuth" not in t.line("! ") and "1 open" in t.screen, "it was not done")
    t.type("u")  # taken back
    t.sees("undone", "2 open")
    t.press("j")
    t.until(lambda: "Tidy the docs" in t.cursor, "the cursor never moved")
    t.type("q")
    t.until(t.is_back, "the shell never came back")
    t.opens("-C", str(desk.project), "tui")  # where they were
    t.sees("Tidy the docs")
    t.until(lambda: "Tidy the docs" in t.cursor, "it does not open where it was left")
    assert desk.task("Fix login crash")["status"] == "done"

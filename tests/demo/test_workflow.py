"""`hopper demo` without a terminal: the full workflow, as the guide prints it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from hopper_tui.demo import play

COMMAND = str(Path(sys.executable).with_name("hopper"))
"""The console script beside the interpreter that runs the tests."""
PATIENCE = 20.0
"""Seconds to wait for something on the screen."""
TREE = """\
global (GLOBAL) [running]
└── webapp (PROJECT) [running]
    └── worker-1 (ORCHESTRATION) [running] - 1 task
"""
CHAIN = """\
1. global → webapp (route) [{status}]
2. webapp → worker-1 (route) [{status}]
"""


@pytest.fixture(scope="module")
def played() -> str:
    """What the play writes."""
    lines: list[str] = []
    play(lines.append)
    return "".join(f"{line}\n" for line in lines)


def test_the_tree_and_both_chains(played: str) -> None:
    assert f"$ hopper instance tree\n{TREE}" in played
    before, _, after = played.partition(" completed\n")
    assert CHAIN.format(status="accepted") in before
    assert after.endswith(CHAIN.format(status="completed"))


def test_the_readme_shows_what_is_played(played: str) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    for shown in (TREE, CHAIN.format(status="accepted"), CHAIN.format(status="completed")):
        assert shown in readme
        assert shown in played


def test_every_command_is_followed_by_what_it_prints(played: str) -> None:
    lines = played.splitlines()
    commands = [n for n, line in enumerate(lines) if line.startswith("$ ")]
    assert len(commands) == 11
    assert all(lines[n + 1] and not lines[n + 1].startswith(("$", "#")) for n in commands)


def test_on_a_terminal_it_opens_the_sample_world(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        environment = os.environ | {"HOPPER_HOME": str(tmp_path / "home"), "TERM": "xterm-256color"}
        environment |= {"COLUMNS": "120", "LINES": "40", "TMPDIR": str(tmp_path)}
        os.chdir(tmp_path)
        os.execve(COMMAND, [COMMAND, "demo"], environment)
    seen = b""
    with os.fdopen(terminal, "r+b", buffering=0) as screen:
        while b"czarina" not in seen:
            assert select.select([screen], [], [], PATIENCE)[0], seen
            seen += screen.read(65536)
        screen.write(b"q")
        with suppress(OSError):  # the other end is closed: the program is gone
            while select.select([screen], [], [], PATIENCE)[0] and screen.read(65536):
                pass
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert not list(tmp_path.iterdir()), "the demo leaves nothing behind"


def test_the_installed_command_plays_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "demo"],
        cwd=tmp_path,
        env=os.environ | {"HOPPER_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert TREE in done.stdout
    assert not list(tmp_path.iterdir()), "the demo leaves nothing behind"

"""`hopper demo` without a terminal: the full workflow, as the guide prints it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hopper_tui.demo import play

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


def test_every_command_is_followed_by_what_it_prints(played: str) -> None:
    lines = played.splitlines()
    commands = [n for n, line in enumerate(lines) if line.startswith("$ ")]
    assert len(commands) == 11
    assert all(lines[n + 1] and not lines[n + 1].startswith(("$", "#")) for n in commands)


def test_the_installed_command_plays_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("hopper")), "demo"],
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

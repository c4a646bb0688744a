"""The full workflow of the multi-instance guide, played by the real command in an empty home."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

SCENES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "1. Create the hierarchy",
        (
            "instance create global --scope global",
            "instance create webapp --scope project --parent global",
            "instance create worker-1 --scope orchestration --parent webapp",
        ),
    ),
    (
        "2. Start the instances",
        ("instance start global", "instance start webapp", "instance start worker-1"),
    ),
    (
        "3. Create a task at the global level",
        ('task add "Build login page" -t frontend -t react --instance global',),
    ),
    ("4. Watch it flow down", ("instance tree",)),
    ("5. Check the delegation chain", ("task delegations {task}",)),
    ("6. Complete the task", ("task status {task} completed",)),
    ("7. Verify that the completion bubbled up", ("task delegations {task}",)),
)
"""What is done, and the command lines that do it; `{task}` is the id of the task added."""
_ADD = "task add"


def play(write: Callable[[str], None]) -> None:
    """Run the workflow in a temporary home; `write` gets each command and each line it printed.

    Raises RuntimeError with what a command said if it fails.
    """
    with TemporaryDirectory(prefix="hopper-demo-") as directory:
        for line in _lines(Path(directory)):
            write(line)


def _lines(directory: Path) -> Iterator[str]:
    task = ""
    for number, (title, commands) in enumerate(SCENES):
        yield from ([""] if number else [])
        yield f"# {title}"
        for command in commands:
            said = command.format(task=task)
            yield f"$ hopper {said}"
            printed = _run(directory, said)
            yield from printed
            if said.startswith(_ADD):
                task = printed[0].split()[0]


def _run(directory: Path, command: str) -> list[str]:
    """What `hopper COMMAND` prints, in a process of its own as in a shell."""
    done = subprocess.run(  # noqa: S603 - the commands stand above
        [sys.executable, "-m", "hopper_tui", *shlex.split(command)],
        cwd=directory,
        env=os.environ | {"HOPPER_HOME": str(directory / "home"), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"hopper {command}: {done.stderr.strip()}")
    return done.stdout.splitlines()

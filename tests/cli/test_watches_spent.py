"""Where the system has no more watches to give, everything that waits goes on, by looking."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cli.conftest import COMMAND, AddTask, Shell

PATIENCE = 30
NONE_LEFT = "echo 0 > /proc/sys/user/max_inotify_instances"
"""What a name space of its own may say of its watches."""


def _is_permitted() -> bool:
    try:
        tried = subprocess.run(["unshare", "-Ur", "sh", "-ec", NONE_LEFT], capture_output=True)
    except OSError:
        return False
    return tried.returncode == 0


pytestmark = pytest.mark.skipif(not _is_permitted(), reason="no name spaces are permitted here")
Watchless = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def watchless(guide: Shell) -> Iterator[Watchless]:
    """Starts `hopper ARGS` where no file can be watched."""
    begun: list[subprocess.Popen[str]] = []

    def start(*args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["unshare", "-Ur", "sh", "-ec", f'{NONE_LEFT}; exec "$0" "$@"', COMMAND, *args],
            cwd=guide.cwd, env=guide.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@contextmanager
def _seen(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    """What a command prints until it ends."""
    lines: list[str] = []
    yield lines
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert not err
    lines += out.splitlines()


@pytest.mark.parametrize(
    "command",
    [
        ("next", "--instance", "worker-1", "--wait", "20", "--executor", "coder"),
        ("work", "--instance", "worker-1", "--max-tasks", "1", "--", "true"),
    ],
    ids=lambda words: words[0],
)
def test_a_task_is_waited_for(
    watchless: Watchless, queued: AddTask, command: tuple[str, ...]
) -> None:
    waiting = watchless(*command)
    with _seen(waiting) as lines:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1.0)
        queued("Arrive late")
    assert "Arrive late" in lines[0]


def test_watch_tells_what_happens(watchless: Watchless, queued: AddTask) -> None:
    queued("Come first")
    watching = watchless("watch", "--instance", "worker-1", "--since", "1h")
    assert watching.stdout is not None
    while "Come first" not in watching.stdout.readline():
        assert watching.poll() is None
    queued("Arrive late")
    while "Arrive late" not in watching.stdout.readline():
        assert watching.poll() is None

"""The options every command takes, before and after the verb, and what a terminal changes."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from cli.conftest import COMMAND, AddTask, Shell
from hopper_tui.cli.main import main


@pytest.mark.parametrize(
    "args",
    [
        ("--json", "task", "list"),
        ("task", "--json", "list"),
        ("task", "list", "--json"),
        ("list", "--json", "--instance", "worker-1"),
        ("list", "--instance", "worker-1", "--json"),
    ],
)
def test_json_anywhere(queued: AddTask, guide: Shell, args: tuple[str, ...]) -> None:
    queued("Fix login")
    assert isinstance(guide(*args).json, list)


@pytest.mark.parametrize(
    "args", [("--version",), ("add", "--version"), ("task", "add", "--version")]
)
def test_version(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 0
    assert capsys.readouterr().out.startswith("hopper 0.")


@pytest.mark.installed
def test_home(hopper: Shell) -> None:
    other = hopper.cwd / "elsewhere"
    hopper("--home", str(other), "add", "There")
    hopper("add", "Here")
    assert "There" in hopper("list", "--home", str(other)).out
    assert "There" in hopper("list", HOPPER_HOME=str(other)).out
    assert "There" not in hopper("list").out


def test_directory(hopper: Shell) -> None:
    docs = hopper.cwd / "docs"
    docs.mkdir()
    made = hopper("-C", "docs", "init").id
    assert (docs / ".hopper").is_dir()
    hopper("add", "Fix typo in README", "-C", "docs")
    (task,) = hopper("list", "--json", "-C", str(docs)).json
    assert task["instance"] == made
    assert hopper("list").out == ""


def test_a_directory_that_is_gone(hopper: Shell) -> None:
    gone = "mkdir gone; cd gone; rmdir ../gone; "
    done = subprocess.run(
        ["/bin/bash", "-c", f"{gone} {COMMAND} list; {COMMAND} -C / list"],
        capture_output=True, text=True, cwd=hopper.cwd, env=hopper.env,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr.startswith("hopper: the current directory is gone. ")


def test_actor(guide: Shell, queued: AddTask) -> None:
    task = queued("Fix login")
    assert guide("--actor", "bob", "task", "claim", task, "--json").json["owner"] == "bob"
    task = queued("Fix logout")
    assert guide("task", "claim", task, "--json", HOPPER_ACTOR="carol").json["owner"] == "carol"
    task = queued("Fix signup")
    assert guide("task", "claim", task, "--json").json["owner"] == "alice"


def test_quiet_prints_ids_only(guide: Shell) -> None:
    added = guide("add", "Fix login", "--instance", "worker-1", "-q")
    (task,) = guide("list", "--instance", "worker-1", "--json").json
    assert added.out == task["id"] + "\n"
    assert guide("-q", "list", "--instance", "worker-1").out == task["id"] + "\n"
    assert guide("instance", "list", "-q").lines == ["global", "webapp", "worker-1"]
    assert guide("task", "claim", added.id, "-q").out == task["id"] + "\n"


def test_alone_without_a_terminal_prints_help(hopper: Shell) -> None:
    assert hopper().out.startswith("Usage: hopper ")


def on_a_terminal(shell: Shell, *args: str, typed: str = "", check: int = 0, **env: str) -> str:
    """What a command shows on a terminal 60 columns wide, where `typed` is typed."""
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [COMMAND, *args], stdin=follower, stdout=follower, stderr=follower,
        cwd=shell.cwd, env=shell.env | {"TERM": "xterm", "COLUMNS": "60"} | env,
    )  # fmt: skip
    os.close(follower)
    os.write(leader, typed.encode())
    written = b""
    with suppress(OSError):  # how a terminal says that nobody is there any more
        while chunk := os.read(leader, 65536):
            written += chunk
    os.close(leader)
    assert running.wait() == check
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_lines_that_fit(guide: Shell, queued: AddTask) -> None:
    queued("ein sehr langer Titel " * 10, "-p", "urgent")
    coloured = on_a_terminal(guide, "list", "--instance", "worker-1")
    assert "\x1b[1;31murgent\x1b[0m" in coloured
    plain = on_a_terminal(guide, "list", "--instance", "worker-1", "--no-color")
    assert "\x1b" not in plain
    assert plain.endswith("…\n")
    assert [len(line) for line in plain.splitlines()] == [60]
    assert "\x1b" not in on_a_terminal(guide, "list", "--instance", "worker-1", NO_COLOR="1")
    assert "\x1b" not in guide("list", "--instance", "worker-1").out
    assert len(guide("list", "--instance", "worker-1").out) > 200


def test_a_terminal_is_asked_before_something_destructive(guide: Shell) -> None:
    refused = on_a_terminal(guide, "instance", "terminate", "worker-1", typed="\n", check=1)
    assert "Terminate worker-1 for good? [y/N]: " in refused
    assert "hopper: nothing was done. " in refused
    assert "[running]" in guide("instance", "tree").lines[-1]
    assert "[y/N]" not in on_a_terminal(guide, "instance", "terminate", "worker-1", "--yes")
    assert "[terminated]" in guide("instance", "tree").lines[-1]


def test_ascii_terminals_get_an_arrow_of_two_characters(guide: Shell) -> None:
    task = guide("add", "Implement OAuth", "-q").id
    chain = guide("task", "delegations", task, PYTHONIOENCODING="ascii").lines
    assert chain[0] == "1. global -> webapp (route) [accepted]"
    assert guide("instance", "tree", PYTHONIOENCODING="ascii").lines[1].startswith("`-- webapp")


def test_module_runs_like_the_script(hopper: Shell) -> None:
    python = Path(COMMAND).with_name("python")
    done = subprocess.run(
        [python, "-m", "hopper_tui", "lst"], capture_output=True, text=True,
        cwd=hopper.cwd, env=hopper.env,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "hopper: hopper has no verb 'lst'. Did you mean: hopper list\n"


def test_the_terminal_ui_needs_stderr_on_the_terminal(guide: Shell) -> None:
    command = f"exec {COMMAND} tui 2>errors"
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        ["/bin/bash", "-c", command], stdin=follower, stdout=follower, cwd=guide.cwd, env=guide.env
    )
    os.close(follower)
    assert running.wait(20) == 1
    os.close(leader)
    assert "needs a terminal" in (guide.cwd / "errors").read_text()

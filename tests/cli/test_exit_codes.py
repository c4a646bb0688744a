"""Exit codes and the one line that explains each: the tables of what can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from cli.conftest import COMMAND, AddTask, Shell
from hopper_tui.cli.failure import explain, report
from hopper_tui.model.errors import AmbiguousId

BAD_INPUT: list[tuple[int, tuple[str, ...], str]] = [
    # exit, arguments, what the line says
    (1, ("add", ""), "needs a title"),
    (1, ("add", "   "), "needs a title"),
    (1, ("add", "x" * 1001), "1001 characters"),
    (1, ("add", "x", "-p", "someday"), "'someday'"),
    (1, ("add", "x", "--due", "someday"), "'someday' is not a date"),
    (1, ("add", "x", "--depends-on", "zzzzz"), "'zzzzz'"),
    (1, ("add", "x", "--instance", "nope"), "'nope'"),
    (1, ("list", "--instance", "nope"), "'nope'"),
    (1, ("list", "--status", "sideways"), "'sideways'"),
    (1, ("list", "priority>=extreme"), "'extreme'"),
    (1, ("instance", "show", "nope"), "'nope'"),
    (1, ("instance", "start", "nope"), "'nope'"),
    (1, ("instance", "start", "webapp"), "it is running"),
    (1, ("instance", "resume", "webapp"), "cannot resume webapp"),
    (1, ("instance", "list", "--scope", "galaxy"), "'galaxy'"),
    (1, ("instance", "create", "x", "--scope", "galaxy"), "'galaxy'"),
    (1, ("instance", "create", "x", "--scope", "global"), "already has a global hopper"),
    (1, ("instance", "create", "x", "--scope", "orchestration"), "needs a parent"),
    (1, ("instance", "create", "x", "--scope", "orchestration", "--parent", "global"), "below"),
    (1, ("instance", "create", "webapp", "--scope", "project"), "already"),
    (1, ("instance", "create", "…", "--scope", "project"), "gives no usable id"),
    (1, ("instance", "create", "x", "--scope", "project", "--config", "{"), "--config is not"),
    (1, ("instance", "create", "x", "--scope", "project", "--config", "[]"), "not a JSON object"),
    (1, ("instance", "create", "x", "--scope", "project",
         "--config", '{"max_concurrent_tasks": 0}'), "max_concurrent_tasks"),
    (1, ("instance", "create", "x", "--scope", "project",
         "--config", '{"orchestration_threshold": "high"}'), "orchestration_threshold"),
    (1, ("instance", "create", "x", "--scope", "project",
         "--config", '{"routing_engine": "tarot"}'), "routing_engine"),
    (1, ("instance", "create", "x", "--scope", "project",
         "--config", '{"capabilites": []}'), "capabilities"),
    (1, ("instance", "config", "webapp", "capabilities"), "key=value"),
    (1, ("task", "show", "zzzzz"), "'zzzzz'"),
    (1, ("task", "show", "z"), "'z'"),
    (1, ("task", "done", "zzzzz", "--quality", "9"), "quality is 0 to 5"),
    (1, ("task", "done", "zzzzz", "--result", "{"), "--result is not valid JSON"),
    (1, ("task", "done", "zzzzz", "--result", "[1e999]"), "a number that JSON cannot express"),
    (1, ("task", "done", "zzzzz", "--duration", "soon"), "'soon' is not a duration"),
    (1, ("task", "status", "zzzzz", "sideways"), "'sideways'"),
    (1, ("task", "delegate", "zzzzz", "--to", "webapp", "--type", "teleport"), "'teleport'"),
    (1, ("delegation", "accept", "zzzzz"), "'zzzzz'"),
    (1, ("delegation", "list", "--status", "sideways"), "'sideways'"),
    (1, ("undo", "--instance", "nope"), "'nope'"),
    (1, ("redo",), "nothing to redo"),
    (1, ("tui",), "needs a terminal"),
    (1, ("-C", "/nowhere/at/all", "list"), "/nowhere/at/all"),
    (2, ("frobnicate",), "no verb 'frobnicate'"),
    (2, ("lst",), "Did you mean: hopper list"),
    (2, ("claim", "x"), "Did you mean: hopper task claim"),
    (2, ("task", "lst"), "Did you mean: hopper task list"),
    (2, ("add",), "missing argument 'TITLE'"),
    (2, ("add", "x", "--batch"), "takes its titles from stdin"),
    (2, ("add", "x", "--prioritee", "high"), "--priority"),
    (2, ("list", "--limit", "-1"), "--limit"),
    (2, ("list", "--limit", "many"), "--limit"),
    (2, ("list", "--limit", "9" * 20), "--limit"),
    (2, ("search", "x", "--limit", "0"), "--limit"),
    (2, ("list", "--sort", "taste"), "--sort"),
    (2, ("task", "claim"), "missing argument 'ID'"),
    (2, ("task", "update", "zzzzz"), "nothing to change"),
    (2, ("delegation", "reject", "zzzzz"), "missing option '--reason'"),
    (2, ("feedback", "add", "zzzzz"), "nothing is said"),
    (2, ("instance", "create", "x"), "missing option '--scope'"),
    (2, ("completion", "csh"), "csh"),
    (2, ("task",), "Usage: hopper task"),
    (4, ("next", "--instance", "worker-1"), "nothing to do at worker-1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "args", "says"), BAD_INPUT, ids=[" ".join(row[1])[:60] for row in BAD_INPUT]
)
def test_bad_input(guide: Shell, code: int, args: tuple[str, ...], says: str) -> None:
    outcome = guide(*args, check=code)
    assert outcome.out == ""
    assert says in outcome.err
    if args != ("task",):
        assert outcome.err.startswith("hopper: ")
        assert outcome.err.count("\n") == 1
        failure = guide(*args, "--json", check=code).error
        assert set(failure) == {"code", "message", "hint"}
        assert failure["message"] in outcome.err


def test_refused_input_changes_nothing(guide: Shell) -> None:
    before = guide("instance", "tree").out, guide("list", "--all", "--json").out
    guide("instance", "create", "x", "--scope", "project", "--config", "{", check=1)
    guide("add", "x", "-p", "someday", check=1)
    assert (guide("instance", "tree").out, guide("list", "--all", "--json").out) == before


def test_ambiguous_ids_list_the_candidates(guide: Shell) -> None:
    guide("instance", "create", "worker-2", "--scope", "orchestration", "--parent", "webapp")
    outcome = guide("instance", "show", "worker", check=3)
    first, *candidates = outcome.err.splitlines()
    assert first.startswith("hopper: 'worker' could be 2 hoppers")
    assert [line.split()[0] for line in candidates] == ["worker-1", "worker-2"]
    failure = guide("instance", "show", "worker", "--json", check=3).error
    assert failure["code"] == "ambiguous"
    assert [entry["id"] for entry in failure["candidates"]] == ["worker-1", "worker-2"]


def test_codes_of_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(AmbiguousId("two", [("a", "A")]), json=False) == 3
    assert report(KeyboardInterrupt(), json=False) == 130
    assert report(ZeroDivisionError("by zero"), json=False) == 1
    assert report(OSError(28, "No space left on device", "/x/y"), json=False) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-2].startswith("hopper: internal error, ZeroDivisionError: by zero. ")
    assert said[-1] == "hopper: /x/y: No space left on device."
    assert explain(PermissionError(13, "Permission denied", "/x")).code == "storage"


def test_debugging_shows_the_traceback(guide: Shell) -> None:
    done = subprocess.run(
        [COMMAND, "task", "show", "zzzzz"],
        capture_output=True, text=True, cwd=guide.cwd, env=guide.env | {"HOPPER_DEBUG": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_reader_that_goes_away(queued: AddTask, guide: Shell) -> None:
    for number in range(20):
        queued(f"{number} " + "long " * 150)
    command = f"{COMMAND} list --instance worker-1 | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["/bin/bash", "-c", command], capture_output=True, text=True, cwd=guide.cwd, env=guide.env
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)


@pytest.mark.parametrize("redirect", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(hopper: Shell, redirect: str) -> None:
    for arguments in ("add X", "list", "task show zzzzz"):
        done = subprocess.run(
            ["/bin/bash", "-c", f"{COMMAND} {arguments} {redirect}"],
            capture_output=True, text=True, cwd=hopper.cwd, env=hopper.env,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode == (1 if "zzzzz" in arguments else 0)


def test_interrupt(guide: Shell) -> None:
    running = subprocess.Popen(
        [COMMAND, "add", "--batch"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=guide.cwd, env=guide.env, text=True,
    )  # fmt: skip
    assert running.stdin is not None
    running.stdin.write("one\n" * 20_000)  # more than the pipe holds: it has begun to read
    running.stdin.flush()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate()
    assert running.returncode == 130
    assert "Traceback" not in err
    assert guide("list", "--all", "-q").out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written(hopper: Shell) -> None:
    hopper.home.chmod(0o500)
    outcome = hopper("add", "x", check=1)
    hopper.home.chmod(0o700)
    assert outcome.err.startswith("hopper: ")


def test_a_home_below_a_file(hopper: Shell) -> None:
    blocked = hopper.cwd / "file"
    blocked.write_text("")
    outcome = hopper("--home", str(blocked / "home"), "add", "x", check=1)
    assert outcome.err.startswith("hopper: ")
    assert outcome.err.count("\n") == 1


def test_a_file_size_limit(guide: Shell) -> None:
    long = "x" * 50_000
    done = subprocess.run(
        ["/bin/bash", "-c", f"ulimit -f 100; {COMMAND} add --batch --instance worker-1"],
        input="".join(f'{{"title": "t", "description": "{long}"}}\n' for _ in range(20)),
        capture_output=True, text=True, cwd=guide.cwd, env=guide.env,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("hopper: ")
    assert "Traceback" not in done.stderr
    assert guide("list", "--instance", "worker-1", "-q").out == ""


def test_a_damaged_database(guide: Shell) -> None:
    (database,) = (guide.home / ".hopper").glob("webapp/tasks.db")
    database.write_bytes(b"this is no database" * 100)
    outcome = guide("list", "--instance", "webapp", check=1)
    assert outcome.err.count("\n") == 1
    assert "webapp (PROJECT) [error: " in guide("instance", "tree").out
    assert "global (GLOBAL) [running]" in guide("instance", "tree").out

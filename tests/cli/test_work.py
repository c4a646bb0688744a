"""`hopper work`: real workers that run real commands, and what becomes of tasks when they die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from .conftest import COMMAND, AddTask, Outcome, Shell

PATIENCE = 30
"""Seconds; nothing here takes as long unless it hangs."""
HOSTILE = "a\0b\nc $(touch pwned) `touch pwned` ; touch pwned #\x1b[31m"


def _await(what: str, condition: Callable[[], Any]) -> Any:
    """The first true answer of a condition."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"in vain: {what}")


def _python(code: str) -> list[str]:
    """A command that runs a Python program, and gets the task's id as its argument."""
    return ["--", sys.executable, "-S", "-c", code, "{}"]


def _logging(root: Path, rest: str = "") -> list[str]:
    """A command that notes `PID ID ATTEMPT` in a file `begun`, then goes on with `rest`."""
    return _python(
        "import os, signal, sys, time\n"
        f"with open({str(root / 'begun')!r}, 'a') as log:\n"
        "    print(os.getpid(), sys.argv[1], os.environ['HOPPER_ATTEMPT'], file=log)\n" + rest
    )


def _begun(root: Path) -> list[list[str]]:
    """What the commands noted so far, in full lines."""
    path = root / "begun"
    text = path.read_text() if path.exists() else ""
    return [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _tasks(shell: Shell) -> dict[str, dict[str, Any]]:
    """The tasks of worker-1 by id."""
    listed = shell("list", "--instance", "worker-1", "--all", "--json").json
    return {task["id"]: task for task in listed}


@contextmanager
def _worker(shell: Shell, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker at worker-1 that runs meanwhile."""
    process = subprocess.Popen(
        [COMMAND, "work", "--instance", "worker-1", *args],
        cwd=shell.cwd, env=shell.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _open_files(pid: int) -> Iterator[str]:
    """What a process has open."""
    for fd in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):  # closed meanwhile
            yield os.readlink(fd)


def _watches(pid: int) -> bool:
    """Whether a process has files watched, as one does that waits for a task."""
    return "anon_inode:inotify" in _open_files(pid)


def _pipes(pid: int) -> int:
    """How many ends of pipes a process has open."""
    return sum(file.startswith("pipe:") for file in _open_files(pid))


def _ended(process: subprocess.Popen[bytes]) -> Outcome:
    out, err = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in err
    return Outcome(process.returncode, out.decode(), err.decode())


@pytest.fixture
def work(guide: Shell) -> Callable[..., Outcome]:
    """Works at worker-1 until it is empty."""

    def run(*args: str, check: int = 0) -> Outcome:
        return guide("work", "--instance", "worker-1", "--until-empty", *args, check=check)

    return run


Work = Callable[..., Outcome]


def _soon(shell: Shell) -> None:
    """What failed is tried again soon."""
    shell("instance", "config", "worker-1", "work.backoff=0.01s")


def test_a_command_that_succeeds_completes_its_task(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    key = queued("Say it")
    done = work("--", "echo", "it is {}")
    task = _tasks(guide)[key]
    assert (task["status"], task["result"]) == ("done", f"it is {key}")
    assert done.lines == [f"{task['short_id']}  done  Say it"]


def test_the_command_gets_the_task_on_stdin_and_in_its_environment(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    key = queued("Look", "-t", "api", "--executor", "coder")
    work(
        *("--role", "coder"),
        *_python(
            "import json, os, sys\n"
            "e = {k: v for k, v in os.environ.items() if k.startswith('HOPPER_')}\n"
            "print(json.dumps({'task': json.load(sys.stdin), 'env': e, 'args': sys.argv[1:]}))"
        ),
    )
    task = _tasks(guide)[key]
    seen = task["result"]
    assert (seen["task"]["id"], seen["task"]["title"]) == (key, "Look")
    assert (seen["task"]["status"], seen["task"]["tags"]) == ("claimed", ["api"])
    assert seen["args"] == [key]
    env = seen["env"]
    assert (env["HOPPER_TASK_ID"], env["HOPPER_INSTANCE"]) == (key, "worker-1")
    assert (env["HOPPER_EXECUTOR"], env["HOPPER_ATTEMPT"]) == (task["owner"], "1")
    assert env["HOPPER_ROLE"] == "coder"


def test_the_name_of_a_worker_is_its_own_and_names_no_machine(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    keys = [queued(f"Task {n}") for n in range(2)]
    for _ in keys:
        work("--role", "coder", "--max-tasks", "1", "--", "true")
    owners = {task["owner"] for task in _tasks(guide).values()}
    assert len(owners) == 2
    assert all(owner.startswith("coder-") for owner in owners)
    assert not any(os.uname().nodename in owner for owner in owners)


@pytest.mark.parametrize(
    ("printed", "result"),
    [
        ('{"url": "x"}', {"url": "x"}),
        ("[1, 2]\n", [1, 2]),
        ("two\nlines\n\n", "two\nlines"),
        ("", None),
        ('{"half": ', '{"half":'),
        ("1e999", "1e999"),
        ("NaN", "NaN"),
        ('"\\ud800"', '"\\ud800"'),
        ("[" * 30 + "]" * 30, "[" * 30 + "]" * 30),
        ("\ufffd", "\ufffd"),
    ],
)
def test_stdout_is_the_result_as_json_or_else_as_text(
    guide: Shell, queued: AddTask, work: Work, printed: str, result: Any
) -> None:
    key = queued("Print")
    work("--", "printf", "%s", printed)
    found = _tasks(guide)[key]["result"]
    assert (found.strip() if isinstance(found, str) else found) == result


@pytest.mark.parametrize("piece", ["x", "\\0", "\\xff", "\\u4e2d"], ids=["x", "NUL", "ff", "CJK"])
def test_of_much_output_the_end_is_kept(
    guide: Shell, queued: AddTask, work: Work, piece: str
) -> None:
    key = queued("Talk")
    encoding = "latin-1" if piece == "\\xff" else "utf-8"
    work(
        *_python(
            "import sys\n"
            f"out = '{piece}' * 3_000_000 + 'the end'\n"
            f"sys.stdout.buffer.write(out.encode('{encoding}'))"
        )
    )
    task = _tasks(guide)[key]
    assert task["status"] == "done"
    assert task["result"].startswith("[the beginning is cut]\n")
    assert task["result"].endswith("the end")
    assert 1000 < len(task["result"]) <= 20_000


def test_a_hostile_title_is_only_data(guide: Shell, queued: AddTask, work: Work) -> None:
    hostile = json.dumps({"title": HOSTILE})
    guide("import", "-", "--instance", "worker-1", stdin=f"{hostile}\n")
    done = work("--", "sh", "-c", "cat", "x", "{}")
    (task,) = _tasks(guide).values()
    assert (task["title"], task["status"]) == (HOSTILE, "done")
    assert task["result"]["title"] == HOSTILE
    assert "\x1b" not in done.out
    assert len(done.lines) == 1
    assert list(guide.cwd.iterdir()) == []


def test_a_command_that_fails_is_tried_again_until_its_attempts_are_used_up(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    _soon(guide)
    key = queued("Break")
    shout = "echo out; echo hello >&2; echo boom $HOPPER_ATTEMPT >&2; exit 7"
    done = work("--", "sh", "-c", shout, check=1)
    task = _tasks(guide)[key]
    assert (task["status"], task["attempts"]) == ("failed", 3)
    assert task["reason"] == "given up after 3 attempts: exit 7: hello\nboom 3"
    assert [line.split("  ")[1] for line in done.lines] == ["failed, tried again"] * 2 + ["failed"]
    assert done.err.startswith("hello\nboom 1\nhello\nboom 2\nhello\nboom 3\n")
    history = guide("task", "log", key, "--json").out
    assert [f"exit 7: hello\\nboom {n}" in history for n in (1, 2, 3)] == [True] * 3


def test_how_a_command_exited_is_said_whatever_it_shouted(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    key = queued("Shout")
    work("--no-retry", "--", "sh", "-c", "yes error | head -c 9000 >&2; exit 3", check=1)
    assert _tasks(guide)[key]["reason"].startswith("exit 3: ")


def test_a_task_that_succeeds_at_the_second_attempt_is_no_failure(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    _soon(guide)
    key = queued("Flaky")
    work("--", "sh", "-c", "test $HOPPER_ATTEMPT = 2")
    assert (_tasks(guide)[key]["status"], _tasks(guide)[key]["attempts"]) == ("done", 2)


@pytest.mark.parametrize(("code", "attempts"), [(1, 1), (75, 3)])
def test_without_retry_only_a_temporary_failure_is_tried_again(
    guide: Shell, queued: AddTask, work: Work, code: int, attempts: int
) -> None:
    _soon(guide)
    key = queued("Break")
    work("--no-retry", "--", "sh", "-c", f"exit {code}", check=1)
    assert (_tasks(guide)[key]["status"], _tasks(guide)[key]["attempts"]) == ("failed", attempts)


def test_a_command_that_is_killed_fails_and_says_by_what(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    key = queued("Die")
    work("--no-retry", "--", "sh", "-c", "kill -9 $$", check=1)
    assert _tasks(guide)[key]["reason"] == "ended by SIGKILL"


def test_a_program_that_is_not_there_costs_no_attempt(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    key = queued("Wait")
    refused = work("--", "no-such-program", check=1)
    assert "no-such-program" in refused.err
    assert (_tasks(guide)[key]["status"], _tasks(guide)[key]["attempts"]) == ("pending", 0)


def test_a_program_that_cannot_be_run_gives_the_task_back(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    key = queued("Wait")
    program = guide.cwd / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    refused = work("--", str(program), check=1)
    assert "cannot run" in refused.err
    assert (_tasks(guide)[key]["status"], _tasks(guide)[key]["owner"]) == ("pending", None)


def test_what_a_command_leaves_running_is_ended(
    guide: Shell, queued: AddTask, work: Work, tmp_path: Path
) -> None:
    """And its open stdout does not keep the worker waiting."""
    queued("Start a server")
    work("--", "sh", "-c", f"sleep 600 & echo $! > {tmp_path}/pid; echo started")
    pid = int((tmp_path / "pid").read_text())
    _await("the server ends", lambda: not _is_alive(pid))


def test_a_command_may_add_tasks_and_finish_its_own(
    guide: Shell, queued: AddTask, work: Work
) -> None:
    """The commands in it act as the worker, in its home."""
    key = queued("Plan")
    work(
        *("--", "sh", "-c"),
        f'test "$1" = {key} || exit 0; {COMMAND} add Build --instance "$HOPPER_INSTANCE" -q;'
        f' {COMMAND} task done "$1" --result \'"by hand"\' --attempt "$HOPPER_ATTEMPT"',
        *("x", "{}"),
    )
    tasks = _tasks(guide)
    assert {task["title"]: task["status"] for task in tasks.values()} == {
        "Plan": "done",
        "Build": "done",
    }
    assert tasks[key]["result"] == "by hand"


def test_several_commands_run_at_once(guide: Shell, queued: AddTask, tmp_path: Path) -> None:
    """Each waits until all three have begun."""
    for n in range(3):
        queued(f"Task {n}")
    wait = f"while len(open({str(tmp_path / 'begun')!r}).readlines()) < 3: time.sleep(0.01)"
    with _worker(guide, "--jobs", "3", "--until-empty", *_logging(tmp_path, wait)) as worker:
        assert _ended(worker).code == 0
    assert {task["status"] for task in _tasks(guide).values()} == {"done"}


def test_several_workers_do_each_task_once(guide: Shell, queued: AddTask, tmp_path: Path) -> None:
    tasks = "".join(json.dumps({"title": f"Task {n}"}) + "\n" for n in range(30))
    guide("import", "-", "--instance", "worker-1", stdin=tasks)
    args = ("--jobs", "2", "--until-empty", *_logging(tmp_path))
    with _worker(guide, *args) as a, _worker(guide, *args) as b, _worker(guide, *args) as c:
        assert [_ended(worker).code for worker in (a, b, c)] == [0, 0, 0]
    done = [key for _, key, _ in _begun(tmp_path)]
    assert sorted(done) == sorted(_tasks(guide))
    assert {task["status"] for task in _tasks(guide).values()} == {"done"}


def test_max_tasks_and_options_of_output(guide: Shell, queued: AddTask, work: Work) -> None:
    keys = [queued(f"Task {n}") for n in range(3)]
    assert work("--max-tasks", "1", "-q", "--", "true").lines == [keys[0]]
    told = work("--max-tasks", "1", "--json", "--", "true").json
    assert (told["id"], told["outcome"], told["attempt"]) == (keys[1], "done", 1)
    assert _tasks(guide)[keys[2]]["status"] == "pending"


def test_a_command_runs_longer_than_its_lease(guide: Shell, queued: AddTask) -> None:
    key = queued("Long")
    with _worker(guide, "--lease", "1s", "--until-empty", "--", "sleep", "2.5") as worker:
        _await("it begins", lambda: _tasks(guide)[key]["status"] == "claimed")
        guide("next", "--instance", "worker-1", "--claim", "--executor", "thief", "--wait", "2s",
              check=4)  # fmt: skip
        assert _ended(worker).code == 0
    assert (_tasks(guide)[key]["status"], _tasks(guide)[key]["attempts"]) == ("done", 1)


def test_a_worker_that_was_stopped_too_long_loses_its_task(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    """Another one has it by then: the command is ended, its outcome dropped, the holder named."""
    key = queued("Contested")
    with _worker(guide, "--lease", "1s", *_logging(tmp_path, "time.sleep(600)")) as worker:
        ((pid, *_),) = _await("it begins", lambda: _begun(tmp_path))
        worker.send_signal(signal.SIGSTOP)
        guide("next", "--instance", "worker-1", "--claim", "--executor", "thief", "--wait", "20s")
        worker.send_signal(signal.SIGCONT)
        _await("the command is ended", lambda: not _is_alive(int(pid)))
        worker.terminate()
        ended = _ended(worker)
    assert ended.out == ""
    assert "thief" in ended.err
    task = _tasks(guide)[key]
    assert (task["status"], task["owner"], task["attempts"]) == ("claimed", "thief", 2)


def test_what_was_finished_while_its_worker_was_stopped_is_refused(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    key = queued("Contested")
    until = f"while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)\nprint('late')"
    with _worker(guide, "--lease", "1s", *_logging(tmp_path, until)) as worker:
        ((pid, *_),) = _await("it begins", lambda: _begun(tmp_path))
        worker.send_signal(signal.SIGSTOP)
        guide("next", "--instance", "worker-1", "--claim", "--executor", "thief", "--wait", "20s")
        (tmp_path / "go").touch()
        _await("the command is through", lambda: not _is_alive(int(pid)))
        worker.send_signal(signal.SIGCONT)
        worker.terminate()
        ended = _ended(worker)
    assert ended.out == ""
    assert "thief" in ended.err
    task = _tasks(guide)[key]
    assert (task["status"], task["owner"], task["result"]) == ("claimed", "thief", None)


def test_the_task_of_a_killed_worker_comes_back_and_its_command_does_not_run_on(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    key = queued("Left behind")
    rest = "if os.environ['HOPPER_ATTEMPT'] == '1': time.sleep(600)"
    with _worker(guide, "--lease", "2s", *_logging(tmp_path, rest)) as worker:
        ((pid, *_),) = _await("it begins", lambda: _begun(tmp_path))
        worker.kill()
        _await("the command is ended", lambda: not _is_alive(int(pid)))
    with _worker(guide, "--until-empty", *_logging(tmp_path, rest)) as second:
        assert _ended(second).code == 0
    task = _tasks(guide)[key]
    assert (task["status"], task["attempts"]) == ("done", 2)


def test_a_command_that_kills_its_worker_at_once_does_not_run_on(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    queued("Murderous")
    log = tmp_path / "begun"
    worker_id = "$(echo $HOPPER_EXECUTOR | cut -d - -f 2)"
    script = f"echo $$ > {log}; kill -9 {worker_id}; exec sleep 600"
    with _worker(guide, "--", "sh", "-c", script) as worker:
        assert worker.wait(PATIENCE) == -signal.SIGKILL
        _await("the command is ended", lambda: not _is_alive(int(log.read_text())))


def _in_groups_of_their_own(root: Path) -> list[str]:
    """A command that goes on in another process group, as `timeout` makes one, and notes both."""
    notes = f"echo $$ attempt 1 >> {root / 'begun'}"
    return ["--", "sh", "-c", f"{notes}; timeout 600 sh -c '{notes}; sleep 600'; :"]


@pytest.mark.parametrize("how", ["kill", "stop twice", "release"])
def test_what_a_command_runs_in_other_process_groups_is_ended_with_it(
    guide: Shell, queued: AddTask, tmp_path: Path, how: str
) -> None:
    key = queued("Sleep long")
    with _worker(guide, "--lease", "3s", *_in_groups_of_their_own(tmp_path)) as worker:
        _await("both begin", lambda: len(_begun(tmp_path)) == 2)
        if how == "kill":
            worker.kill()
        elif how == "release":
            guide("task", "release", key)
        else:
            worker.terminate()
            assert worker.stderr is not None
            worker.stderr.readline()
            worker.terminate()
        pids = [int(pid) for pid, *_ in _begun(tmp_path)]
        _await("all are ended", lambda: not any(map(_is_alive, pids)))


def test_what_a_command_leaves_in_another_process_group_is_ended(
    queued: AddTask, work: Work, tmp_path: Path
) -> None:
    queued("Leave something")
    left = tmp_path / "left"
    work("--", "bash", "-c", f"set -m; sleep 600 & echo $! > {left}")
    assert not _is_alive(int(left.read_text()))


def test_a_stopped_worker_s_command_ends_with_its_lease(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    queued("Held too long")
    with _worker(guide, "--lease", "4s", *_logging(tmp_path, "time.sleep(600)")) as worker:
        ((pid, *_),) = _await("it begins", lambda: _begun(tmp_path))
        time.sleep(4.5)
        assert _is_alive(int(pid))
        worker.send_signal(signal.SIGSTOP)
        _await("the command is ended", lambda: not _is_alive(int(pid)))


def test_commands_that_leave_daemons_cost_no_descriptors(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    pids = tmp_path / "daemons"
    script = f"setsid -f sh -c 'echo $$ >> {pids}; exec sleep 600'; echo done"
    try:
        with _worker(guide, "-j", "3", "--", "sh", "-c", script) as worker:
            _await("it waits", lambda: _watches(worker.pid))
            before = _pipes(worker.pid)
            for n in range(3):
                queued(f"Start daemon {n}")
            _await(
                "all are done", lambda: {t["status"] for t in _tasks(guide).values()} == {"done"}
            )
            _await("all is closed", lambda: _pipes(worker.pid) == before)
    finally:
        for pid in pids.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    assert {task["result"] for task in _tasks(guide).values()} == {"done"}


def test_without_what_guards_them_no_commands_run(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    key = queued("Left alone")
    with _worker(guide, *_logging(tmp_path, "time.sleep(600)")) as worker:
        ((pid, *_),) = _await("it begins", lambda: _begun(tmp_path))
        guard = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        os.kill(int(guard), signal.SIGKILL)
        ended = _ended(worker)
    assert ended.code != 0
    assert "the process that runs commands was ended" in ended.err
    assert not _is_alive(int(pid))
    assert _tasks(guide)[key]["status"] == "pending"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_running_command_finish(
    guide: Shell, queued: AddTask, tmp_path: Path, number: signal.Signals
) -> None:
    first, second = queued("First"), queued("Second")
    until = f"while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)\nprint('done')"
    with _worker(guide, *_logging(tmp_path, until)) as worker:
        _await("it begins", lambda: _begun(tmp_path))
        worker.send_signal(number)
        assert worker.stderr is not None
        assert b"finish" in worker.stderr.readline()
        (tmp_path / "go").touch()
        assert _ended(worker).code == 0
    tasks = _tasks(guide)
    assert (tasks[first]["status"], tasks[first]["result"]) == ("done", "done")
    assert tasks[second]["status"] == "pending"


def test_the_second_signal_ends_the_command_and_releases_its_task(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    key = queued("Long")
    with _worker(guide, *_logging(tmp_path, "time.sleep(600)")) as worker:
        ((pid, *_),) = _await("it begins", lambda: _begun(tmp_path))
        worker.send_signal(signal.SIGINT)
        assert worker.stderr is not None
        assert b"finish" in worker.stderr.readline()
        worker.send_signal(signal.SIGTERM)
        ended = _ended(worker)
    assert ended.code == 128 + signal.SIGTERM
    assert "released" in ended.err
    assert not _is_alive(int(pid))
    task = _tasks(guide)[key]
    assert (task["status"], task["owner"], task["reason"]) == ("pending", None, None)


def test_a_waiting_worker_ends_at_a_signal(guide: Shell, queued: AddTask) -> None:
    key = queued("Only one")
    with _worker(guide, "--", "true") as worker:
        assert worker.stdout is not None
        assert b"done" in worker.stdout.readline()
        worker.terminate()
        assert _ended(worker).code == 0
    assert _tasks(guide)[key]["status"] == "done"


def test_a_store_that_is_locked_for_a_while_is_waited_for(
    guide: Shell, queued: AddTask, tmp_path: Path
) -> None:
    """The completion comes through when the other program lets go."""
    import fcntl

    key = queued("Finish")
    until = f"while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)"
    (database,) = guide.home.rglob("worker-1.db")
    with _worker(guide, "--max-tasks", "1", *_logging(tmp_path, until)) as worker:
        _await("it begins", lambda: _begun(tmp_path))
        with open(f"{database}.lock") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            (tmp_path / "go").touch()
            assert worker.stderr is not None
            assert b"held by another program" in worker.stderr.readline()
        assert _ended(worker).code == 0
    assert _tasks(guide)[key]["status"] == "done"


def test_a_worker_of_a_router_is_refused(guide: Shell) -> None:
    refused = guide("work", "--instance", "global", "--", "true", check=1)
    assert "executes none" in refused.err


def test_next_waits_for_a_task(guide: Shell, queued: AddTask) -> None:
    waiting = subprocess.Popen(
        [COMMAND, "next", "--instance", "worker-1", "--claim", "--wait", "30s", "-q"],
        cwd=guide.cwd, env=guide.env, stdout=subprocess.PIPE,
    )  # fmt: skip
    key = queued("At last")
    out, _ = waiting.communicate(timeout=PATIENCE)
    assert (out.decode().strip(), waiting.returncode) == (key, 0)
    assert _tasks(guide)[key]["status"] == "claimed"


def test_next_waits_no_longer_than_told(guide: Shell) -> None:
    began = time.monotonic()
    guide("next", "--instance", "worker-1", "--wait", "0.5s", check=4)
    assert 0.5 <= time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("verb", "code", "told"),
    [("release {}", 0, "released"), ("fail {} --retry", 1, "failed, tried again  Mine?")],
)
def test_a_command_may_give_its_task_back_by_itself(
    queued: AddTask, work: Work, verb: str, code: int, told: str
) -> None:
    queued("Mine?")
    tell = f"{COMMAND} task {verb}"
    done = work("--max-tasks", "1", "--", "sh", "-c", tell, check=code)
    assert told in done.out + done.err
    assert "lost" not in done.err


def test_a_worker_that_runs_nothing_ends_without_a_word(guide: Shell) -> None:
    with _worker(guide, "--", "true") as worker:
        _await("it waits", lambda: _watches(worker.pid))
        worker.send_signal(signal.SIGTERM)
        ended = _ended(worker)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_a_worker_says_once_what_it_waits_for(guide: Shell, queued: AddTask) -> None:
    queued("Draw", "--executor", "artist")
    queued("Bake", "--capability", "oven")
    with _worker(guide, "--until-empty", "--role", "coder", "--", "true") as worker:
        assert worker.stderr is not None
        line = worker.stderr.readline().decode()
        assert "waits for anybody with oven; artist" in line
        for task in _tasks(guide).values():
            guide("task", "cancel", task["id"])
        assert _ended(worker).err == ""
        assert worker.returncode == 0

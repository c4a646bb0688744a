"""Launch: `hopper ARGS` as a process of its own, without a new interpreter for each.

A helper process imports the command line once and does nothing else. It forks for every command;
the child takes over the standard files, directory, environment and arguments that it is given,
and goes on in the entry point of the console script. So it is what a new process is, less the time
for imports: no other thread, no open database, nothing that an earlier command left.

What depends on the start of the interpreter runs the installed script: where the environment says
how to start it, in tests that are marked `installed`, and in all if HOPPER_TESTS_INSTALLED is set.
"""

from __future__ import annotations

import atexit
import importlib
import itertools
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

COMMAND = str(Path(sys.executable).with_name("hopper"))
"""The console script beside the interpreter that runs the tests."""
STARTED_WITH = {"LANG": "C.UTF-8"}
"""What the helper's interpreter was started with, of all that an interpreter heeds at its start."""
UNUSUAL = tuple(f"hopper_tui.{name}" for name in ("tui", "demo", "__main__", "cli.web_server"))
"""What hardly any command imports, and what would make every fork slower by its size."""
BROKEN = 99
"""The exit code of a child that never came to an exit code of the command; see its traceback."""

installed = "HOPPER_TESTS_INSTALLED" in os.environ
"""Whether every command shall be the installed script."""


def environment(home: Path, hopper_home: Path, actor: str = "ann") -> dict[str, str]:
    """The least that a shell tells a command: its HOME, HOPPER_HOME and HOPPER_ACTOR."""
    return STARTED_WITH | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HOPPER_HOME": str(hopper_home),
        "HOPPER_ACTOR": actor,
    }


def hopper(
    args: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout: float = 120,
) -> subprocess.CompletedProcess[bytes]:
    """Run `hopper ARGS` and wait for its end: its exit code, or the negative number of the signal
    that killed it, and what it printed. Raises subprocess.TimeoutExpired, after a kill."""
    if installed or not _may_fork(env):
        return subprocess.run(
            [COMMAND, *args], cwd=cwd, env=env, input=stdin, capture_output=True, timeout=timeout,
        )  # fmt: skip
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin)
        given.seek(0)
        what = {"args": args, "cwd": str(cwd), "env": dict(env)}
        code = _helper().run(what, [file.fileno() for file in (given, out, err)], timeout)
        return subprocess.CompletedProcess([COMMAND, *args], code, _all(out), _all(err))


def _may_fork(env: Mapping[str, str]) -> bool:
    heeded = {k: v for k, v in env.items() if k == "LANG" or k.startswith(("PYTHON", "LC_"))}
    return heeded == STARTED_WITH and hasattr(os, "fork") and hasattr(socket, "send_fds")


def _all(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def become(
    args: Sequence[str],
    cwd: str | Path,
    env: Mapping[str, str],
    before: Callable[[], object] = lambda: None,
) -> NoReturn:
    """Go on as the process of `hopper ARGS`, in a child that was just forked and whose standard
    files are in place; `before` is called first."""
    from hopper_tui.cli.start import run

    try:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
            old = getattr(sys, name)
            new = open(  # noqa: SIM115 - for as long as this process lives
                number, mode, encoding=old.encoding, errors=old.errors, closefd=False
            )
            new.reconfigure(line_buffering=name == "stderr")
            setattr(sys, name, new)
        sys.argv = [COMMAND, *args]
        before()
        run()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(BROKEN)


def warm_up(package: str = "hopper_tui") -> None:
    """Import what commands import when they need it, so that no child has to."""
    there = importlib.import_module(package)
    for module in pkgutil.walk_packages(there.__path__, f"{package}."):
        if not module.name.startswith(UNUSUAL):
            importlib.import_module(module.name)


class _Helper:
    """The helper process, seen from the tests. Threads may run commands at once."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        env = STARTED_WITH | {"PATH": os.environ["PATH"]}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self.close)

    def run(self, what: Mapping[str, object], files: Sequence[int], timeout: float) -> int:
        """Run one command on these standard files; returns how it ended."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._control, [b"!"], [theirs.fileno(), *files])
            ours.sendall(json.dumps(what).encode())
            ours.shutdown(socket.SHUT_WR)
            with ours.makefile("r") as told:
                child = int(told.readline())
                ours.settimeout(timeout)
                try:
                    return int(told.readline())
                except TimeoutError:
                    os.kill(child, signal.SIGKILL)
                    raise subprocess.TimeoutExpired([COMMAND, *what["args"]], timeout) from None

    def close(self) -> None:
        """Let the helper end."""
        self._control.close()
        self._process.wait()


_starting = threading.Lock()
_turns = itertools.cycle(range(2))


def _helper() -> _Helper:
    """One of two helpers in turn: sets have another order in each, as in any two processes."""
    with _starting:
        return _started(os.getpid(), next(_turns))


@cache
def _started(_owner: int, _turn: int) -> _Helper:
    return _Helper()


def serve(control: socket.socket) -> None:
    """Fork a child for every command that is asked for, until the tests are through."""
    running: dict[int, socket.socket] = {}
    woken, waking = socket.socketpair()
    for end in (woken, waking):
        end.setblocking(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(1 << 16)
            _reap(running)
        if control not in ready:
            continue
        note, fds, _, _ = socket.recv_fds(control, 1, 4)
        if not note:
            return
        asker = socket.socket(fileno=fds[0])
        child = os.fork()
        if not child:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _answer(asker, fds[1:], [control, woken, waking, *running.values()])
        for fd in fds[1:]:
            os.close(fd)
        running[child] = asker
        _tell(asker, child)


def _reap(running: dict[int, socket.socket]) -> None:
    """Tell of every child that ended how it did."""
    for child in list(running):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with running.pop(child) as asker:
                _tell(asker, os.waitstatus_to_exitcode(status))


def _tell(asker: socket.socket, number: int) -> None:
    with suppress(OSError):  # who asked may wait no longer
        asker.sendall(b"%d\n" % number)


def _answer(asker: socket.socket, files: Sequence[int], others: list[socket.socket]) -> NoReturn:
    """Go on, in a child, as the command that is asked for."""
    try:
        with asker, asker.makefile("r") as asked:
            what = json.load(asked)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        for other in others:
            other.close()
    except BaseException:
        traceback.print_exc()
        os._exit(BROKEN)
    become(what["args"], what["cwd"], what["env"])


def main(fd: int) -> None:
    """Be the helper."""
    import gc

    warm_up()
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=fd))


if __name__ == "__main__":
    main(int(sys.argv[1]))

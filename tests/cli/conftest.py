"""The installed command in an empty home: `hopper("add", "Fix login").id`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import launch
import pytest
from launch import COMMAND as COMMAND


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of the command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()

    @property
    def id(self) -> str:
        """The first word of stdout: where commands print the id."""
        return self.out.split()[0]

    @property
    def json(self) -> Any:
        """Stdout as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error object that `--json` puts on stderr."""
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])["error"]
        return found


@dataclass
class Shell:
    """A person's shell: a home, a directory to stand in, and environment variables."""

    home: Path
    cwd: Path
    env: dict[str, str]

    def __call__(self, *args: str, stdin: str = "", check: int | None = 0, **env: str) -> Outcome:
        """Run `hopper ARGS` and check its exit code (None: any)."""
        given = stdin.encode("utf-8", "surrogateescape")
        done = launch.hopper(args, self.cwd, self.env | env, given, timeout=60)
        outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in outcome.err
        if check is not None:
            assert outcome.code == check, f"hopper {' '.join(args)}: {outcome}"
        return outcome


def _shell(root: Path) -> Shell:
    home, cwd = root / "home", root / "work"
    home.mkdir(exist_ok=True)
    cwd.mkdir(exist_ok=True)
    env = {
        "HOME": str(home),
        "USER": "alice",
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
    }
    return Shell(home, cwd, env)


@pytest.fixture
def hopper(tmp_path: Path) -> Shell:
    """A shell in an empty home and an empty directory."""
    return _shell(tmp_path)


@pytest.fixture(scope="session")
def _guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("guide")
    run = _shell(root)
    run("instance", "create", "global", "--scope", "global")
    run(
        *("instance", "create", "webapp", "--scope", "project", "--parent", "global"),
        *("--config", '{"capabilities": ["frontend", "react"]}'),
    )
    run("instance", "create", "worker-1", "--scope", "orchestration", "--parent", "webapp")
    run("instance", "start", "global", "webapp", "worker-1")
    return root


@pytest.fixture
def guide(tmp_path: Path, _guide: Path) -> Shell:
    """A shell in a home with the guide's hierarchy, running: global, webapp, worker-1."""
    shutil.copytree(_guide, tmp_path, dirs_exist_ok=True)
    return _shell(tmp_path)


AddTask = Callable[..., str]


@pytest.fixture
def queued(guide: Shell) -> AddTask:
    """Adds a task at worker-1 and returns its id."""

    def add(title: str, *options: str) -> str:
        return guide("add", title, "--instance", "worker-1", *options, "-q").id

    return add

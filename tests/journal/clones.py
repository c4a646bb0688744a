"""Clones: working copies of one repository, each on a machine of its own.

ann = Clone.first(tmp_path / "ann")
bob = ann.clone(tmp_path / "bob")
ann.hopper("add", "Fix login"); ann.commit(); bob.git("pull")
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import launch

_QUICK = {"core.fsync": "none", "gc.auto": "0", "maintenance.auto": "false"}
QUICK_GIT = {"GIT_CONFIG_COUNT": str(len(_QUICK))} | {
    f"GIT_CONFIG_{part}_{n}": word
    for n, setting in enumerate(_QUICK.items())
    for part, word in zip(("KEY", "VALUE"), setting, strict=True)
}
"""The environment in which git does not tidy up after every command, nor wait for a disk."""


@dataclass(frozen=True)
class Clone:
    """A working tree with the `.hopper/` of the project `web`, and the home of who works in it."""

    root: Path
    home: Path
    actor: str

    @classmethod
    def first(cls, root: Path, actor: str | None = None, init: bool = True) -> Clone:
        """A new repository, with `hopper init` done and committed on `main`."""
        root.mkdir(parents=True)
        made = cls(root, root.with_name(f"{root.name}-home"), actor or root.name)
        made.git("init", "-q", "-b", "main")
        (root / "README").write_text("A web shop.\n")
        if init:
            made.hopper("init", "--name", "web")
        made.commit("first")
        return made

    def clone(self, root: Path, actor: str | None = None, home: Path | None = None) -> Clone:
        """A clone of this one, on another machine unless `home` says otherwise."""
        subprocess.run(
            ["git", "clone", "-q", str(self.root), str(root)],
            check=True, capture_output=True, env=_environment(self.home, self.actor),
        )  # fmt: skip
        return Clone(root, home or root.with_name(f"{root.name}-home"), actor or root.name)

    def worktree(self, root: Path, branch: str, actor: str | None = None) -> Clone:
        """Another worktree of this clone, on a new branch."""
        self.git("worktree", "add", "-q", "-b", branch, str(root))
        return Clone(root, self.home, actor or self.actor)

    def git(self, *args: str, check: bool = True) -> str:
        """Run git here; returns what it printed."""
        done = subprocess.run(
            ["git", *args], cwd=self.root, env=_environment(self.home, self.actor),
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    def hopper(self, *args: str, check: int | None = 0, stdin: str = "", **env: str) -> str:
        """Run `hopper ARGS` here; returns stdout. `check` None allows any exit code."""
        code, out, said = self.run(*args, stdin=stdin, **env)
        assert "Traceback" not in said, said
        if check is not None:
            assert code == check, f"hopper {args}: {out}{said}"
        return out

    def says(self, *args: str, stdin: str = "", **env: str) -> str:
        """What `hopper ARGS` prints on stderr."""
        return self.run(*args, stdin=stdin, **env)[2]

    def run(self, *args: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
        """Run `hopper ARGS` here; returns the exit code, stdout and stderr."""
        done = launch.hopper(
            args, self.root, _environment(self.home, self.actor) | env, stdin.encode()
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def json(self, *args: str) -> Any:
        """What `hopper ARGS --json` answers."""
        return json.loads(self.hopper(*args, "--json"))

    def add(self, title: str, *args: str) -> str:
        """Add a task; returns its id."""
        return str(self.json("add", title, *args)["id"])

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Every task of the project here, closed ones too, by title."""
        listed = self.json("list", "--instance", "web", "--all", "--limit", "0")
        return {task["title"]: task for task in listed}

    def commit(self, message: str = "work") -> None:
        """Commit everything that is in the directory, as people do."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    @property
    def journal(self) -> Path:
        """The journal's directory."""
        return self.root / ".hopper" / "journal"

    def files(self) -> set[str]:
        """The names of the journal files here."""
        return {str(p.relative_to(self.journal)) for p in self.journal.glob("*/*.jsonl")}

    def forget_caches(self) -> None:
        """Delete every database of this working tree."""
        shutil.rmtree(self.root / ".hopper" / "web", ignore_errors=True)


def _environment(home: Path, actor: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HOPPER_HOME": str(home / ".hopper"),
        "HOPPER_ACTOR": actor,
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": actor,
        "GIT_AUTHOR_EMAIL": f"{actor}@example.org",
        "GIT_COMMITTER_NAME": actor,
        "GIT_COMMITTER_EMAIL": f"{actor}@example.org",
    } | QUICK_GIT

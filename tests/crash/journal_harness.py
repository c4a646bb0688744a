"""Kill a command on a project in git at every fault point: `journal_harness.py SCENARIO OUT`.

For every fault point there is a new repository below OUT, in which a child process runs the command
and is killed there: a step of writing the journal, or just before or after a commit of any
database. Prints the tasks before, and what the next commands see and say, as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from launch import become, warm_up

from hopper_tui.store.database import Database
from hopper_tui.store.journaled import JournaledStore

TASKS = ("one", "two", "three")
"""Titles of the tasks that are there before; an argument that is one of them means its id."""
RUN = "run"
_end = Database._end


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` are the commands before, `command` is the one that is killed.

    Who comes next tries to claim the task `one`: in another worktree if `beside`. The command after
    the killed one is killed at its first fault point too if `again`.
    """

    command: tuple[str, ...]
    prepare: tuple[tuple[str, ...], ...] = ()
    stdin: str = ""
    beside: bool = False
    again: bool = False


_RUN = (
    ("instance", "create", RUN, "--scope", "orchestration", "--parent", "web"),
    ("instance", "start", RUN),
)
_CLAIMED = (("task", "claim", "one"),)
SCENARIOS: dict[str, Scenario] = {
    "add": Scenario(("-q", "add", "four")),
    "add several": Scenario(("-q", "add", "--batch"), stdin="four\nfive\nsix\n"),
    "claim": Scenario(("-q", "task", "claim", "one")),
    "claim with a lease": Scenario(("-q", "task", "claim", "one", "--lease", "1h"), beside=True),
    "done without a claim": Scenario(("-q", "task", "done", "one"), beside=True),
    "done with several": Scenario(("-q", "task", "done", "two", "one"), _CLAIMED),
    "release": Scenario(("-q", "task", "release", "one"), _CLAIMED, beside=True),
    "delegate, and the next command is killed too": Scenario(
        ("-q", "task", "delegate", "one", "--to", RUN), _RUN, again=True
    ),
    "done in a run": Scenario(
        ("-q", "task", "done", "one"), (*_RUN, ("task", "delegate", "one", "--to", RUN))
    ),
}


@dataclass(slots=True)
class Observed:
    """What was seen after a kill at a fault point; `point` None: the command was through.

    `said` is what the killed command had told on stdout. `tasks` are those of the project and of
    its run, `anew` the same without the cache. `claim` is how the claim of `one` ended, None where
    it was not tried; `left` is what git sees of all that.
    """

    point: str | None
    said: str
    tasks: dict[str, Any] = field(default_factory=dict)
    anew: dict[str, Any] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    claim: int | None = None
    left: str = ""


class Place:
    """A repository with the project `web`, perhaps another worktree of it, and a home."""

    def __init__(self, top: Path, ids: dict[str, str]) -> None:
        self.root, self.side, self.home = top / "web", top / "side", top / "home"
        self.ids = ids

    @classmethod
    def new(cls, top: Path) -> Place:
        """A repository with its tasks, committed; nothing was claimed there yet."""
        place = cls(top, {})
        place.root.mkdir(parents=True)
        place.git("init", "-q", "-b", "main", "--template=")
        place.hopper("init", "--name", "web")
        made = place.hopper("-q", "add", "--batch", stdin="\n".join(TASKS)).split()
        place.ids |= zip(TASKS, made, strict=True)
        place.git("add", "-A")
        place.git("commit", "-q", "-m", "first")
        shutil.rmtree(place.root / ".git" / "hopper")
        return place

    def git(self, *args: str) -> str:
        """Run git in the repository; returns what it printed."""
        return subprocess.run(
            ["git", *args], cwd=self.root, env=self._environment("ann"), capture_output=True,
            text=True, check=True,
        ).stdout  # fmt: skip

    def hopper(self, *args: str, stdin: str = "") -> str:
        """Run a command that works; returns its stdout."""
        code, out, said = self.run(*args, stdin=stdin)
        if code:
            raise SystemExit(f"hopper {args}: {code} {out}{said}")
        return out

    def run(
        self,
        *args: str,
        stdin: str = "",
        actor: str = "ann",
        beside: bool = False,
        before: Callable[[], object] = lambda: None,
    ) -> tuple[int, str, str]:
        """Run `hopper ARGS` in a child, which calls `before` first; returns how it ended (negative:
        a signal) and what it said."""
        words = [self.ids.get(word, word) for word in args]
        given, out, said = files = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115
        given.write(stdin.encode())
        given.seek(0)
        child = os.fork()
        if not child:
            for number, file in enumerate(files):
                os.dup2(file.fileno(), number)
            where = self.side if beside else self.root
            become(words, where, self._environment(actor), before)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, said):
            file.seek(0)
            texts.append(file.read().decode())
            file.close()
        given.close()
        return code, texts[0], texts[1]

    def _environment(self, actor: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "HOPPER_HOME": str(self.home / ".hopper"),
            "HOPPER_ACTOR": actor,
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "ann",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
        }

    def tasks(self) -> dict[str, Any]:
        """What a person sees: of every task what became of it, and the hops."""
        found: dict[str, Any] = {}
        for instance in ("web", *self.runs):
            listed = self.hopper("list", "--all", "--limit", "0", "--json", "--instance", instance)
            found |= {f"{instance}: {name}": task for name, task in self.read(listed).items()}
        if self.runs:
            hops = json.loads(self.hopper("delegation", "list", "--json"))
            found["hops"] = sorted(hop["status"] for hop in hops)
        return found

    def read(self, listed: str) -> dict[str, Any]:
        """What a list in JSON says became of each task, by title."""
        return {
            task["title"]: [
                task["status"], task.get("owner"), task.get("attempts"), task.get("result"),
            ]
            for task in json.loads(listed)
        }  # fmt: skip

    @property
    def runs(self) -> list[str]:
        """The runs that were made on purpose."""
        there = (self.root / ".hopper" / "web" / "runs" / f"{RUN}.db").exists()
        return [RUN] if there else []

    def findings(self) -> list[str]:
        """What the doctor finds wrong, but for the home, which has no global hopper."""
        found = json.loads(self.run("doctor", "--json")[1])
        return [
            f"{finding['subject']}: {finding['message']}"
            for finding in found
            if finding["level"] != "ok" and finding["subject"] != "home"
        ]

    def forget_cache(self) -> None:
        """Delete the project's cache; runs are no cache."""
        for path in (self.root / ".hopper" / "web").glob("tasks.db*"):
            path.unlink()


class _Fault:
    """Counts the fault points that a process comes to, and kills it at the n-th."""

    def __init__(self, at: int, named: Path) -> None:
        self._left = at
        self._named = named

    def arm(self) -> None:
        """From now on this process is killed at its n-th fault point."""
        fault = self

        def end(self: Database, db: sqlite3.Connection, error: BaseException | None) -> None:
            name = self.path.name if self.path else "memory"
            if error is None:
                fault.reach(f"before {name}")
            _end(self, db, error)
            if error is None:
                fault.reach(f"after {name}")

        Database._end = end  # type: ignore[method-assign]
        JournaledStore.step = staticmethod(self.reach)  # type: ignore[method-assign]

    def reach(self, point: str) -> None:
        """This process came to a fault point."""
        self._left -= 1
        if not self._left:
            self._named.write_text(point)
            os.kill(os.getpid(), signal.SIGKILL)


def observe(scenario: Scenario, place: Place, at: int) -> Observed:
    """What comes of the command when it is killed at its n-th fault point."""
    named = place.home / "point"
    fault = _Fault(at, named)
    code, out, said = place.run(*scenario.command, stdin=scenario.stdin, before=fault.arm)
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(f"the command failed: {code} {out}{said}")
    seen = Observed(named.read_text() if code else None, out)
    if scenario.again:
        place.run("list", before=_Fault(1, named).arm)
    if scenario.beside:
        place.git("worktree", "add", "-q", "-b", "side", str(place.side))
        seen.claim, _, _ = place.run("task", "claim", "one", actor="bob", beside=True)
    seen.tasks = place.tasks()
    place.forget_cache()
    seen.anew = place.tasks()
    seen.findings = place.findings()
    if not place.runs and not scenario.beside:
        seen.claim, _, _ = place.run("task", "claim", "one", actor="bob")
    seen.left = place.git("status", "--porcelain", "--untracked-files=all")
    return seen


def main(name: str, out: Path) -> None:
    """Kill the scenario's command at one point after the other, until it is through."""
    warm_up()
    scenario, model = SCENARIOS[name], out / "model"
    place = Place.new(out / "place")
    for command in scenario.prepare:
        place.hopper(*command)
    shutil.copytree(place.root.parent, model)
    before = place.tasks()
    found: list[Observed] = []
    while not found or found[-1].point is not None:
        shutil.rmtree(out / "place")
        shutil.copytree(model, out / "place")  # at the same place, which is what its home knows
        found.append(observe(scenario, place, len(found) + 1))
    print(json.dumps({"before": before, "seen": [asdict(each) for each in found]}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

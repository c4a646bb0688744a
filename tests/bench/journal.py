"""How fast a project that travels in git is: `python tests/bench/journal.py`.

Prints ratios measured in this run, each against the work that cannot be avoided, and absolute times
for orientation. Set up: 10,000 tasks in 2,000 journal files, 60,000 events in 20,000 files, and a
repository of 5,000 other files.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hopper_tui.journal import files, hlc, record
from hopper_tui.journal.files import Journal
from hopper_tui.journal.record import Record
from hopper_tui.journal.replica import Replica
from hopper_tui.model.event import Patch
from hopper_tui.model.ids import new_key, system_entropy
from hopper_tui.store.journaled import JournaledStore

COMMAND = str(Path(sys.executable).with_name("hopper"))
MOMENT = 1_790_000_000.0
"""Seconds since the epoch at which the history begins."""


def _median(times: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(times))


def _timed(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


class Writer:
    """Writes a history straight into journal files."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.clock = hlc.tick(hlc.START, MOMENT)

    def event(self, key: str, kind: str, patch: Patch, base: dict[str, tuple[str, ...]]) -> Record:
        """The next event about a task."""
        self.clock = hlc.tick(self.clock, 0)
        fresh = Record(
            "", self.clock, "bench0", "ann", "2026-09-21T12:00:00.000Z", key, kind, "task", key,
            patch, base,
        )  # fmt: skip
        return record.write(fresh)[0]

    def write(self, records: list[Record]) -> str:
        """One file with these events."""
        name = files.new_name(records[0].clock, "bench0", "0000")
        path = self.journal / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files.content([record.write(r)[1] for r in records]))
        return name

    def task(self, number: int) -> list[Record]:
        """A task that is added."""
        key = new_key()
        fields = {
            "id": key, "title": f"Task {number}", "instance": "hopper-web",
            "created_at": "2026-09-21T12:00:00.000Z", "tags": ["api", "web"],
        }  # fmt: skip
        return [self.event(key, "task.created", Patch(set=fields), {})]

    def history(self, number: int) -> list[Record]:
        """A task with six events: added, edited twice, claimed, started, done."""
        records = self.task(number)
        key = records[0].key
        base: dict[str, tuple[str, ...]] = {}
        for kind, fields in (
            ("task.changed", {"priority": "high"}),
            ("task.changed", {"description": "More of it."}),
            ("task.claimed", {"status": "claimed", "owner": "bob", "attempts": 1}),
            ("task.started", {"status": "in_progress"}),
            ("task.done", {"status": "done", "completed_at": "2026-09-21T13:00:00.000Z"}),
        ):
            records.append(self.event(key, kind, Patch(set=fields), base))
            if "status" in fields:
                base = {"status": (records[-1].id,)}
        return records


def _store(root: Path, cache: Path) -> JournaledStore:
    journal = Journal(root / ".hopper" / "journal")
    return JournaledStore(
        cache, journal, Replica(root / "clone", system_entropy), "hopper-web", system_entropy
    )


def rebuild(root: Path) -> None:
    """A rebuild from 60,000 events against reading, parsing and sorting the same files."""
    writer = Writer(root / ".hopper" / "journal")
    for number in range(10_000):
        records = writer.history(number)
        writer.write(records[:3])
        writer.write(records[3:])

    def bare() -> None:
        events = []
        for month in os.scandir(writer.journal):
            for entry in os.scandir(month.path):
                with open(entry.path, "rb") as opened:
                    events += [json.loads(line) for line in opened.read().splitlines()[1:]]
        events.sort(key=lambda e: (e["clock"], e["replica"], e["id"]))

    number = iter(range(100))

    def folded() -> None:
        store = _store(root, root / f"cache{next(number)}" / "tasks.db")
        store.instances()
        store.close()

    plain = _median(3, lambda: _timed(bare))
    whole = _median(3, lambda: _timed(folded))
    print(f"rebuild 60,000 events in 20,000 files: {whole:.2f} s,"
          f" {whole / plain:.2f} times bare parse and sort ({plain:.2f} s); limit 4")  # fmt: skip


def switch(root: Path) -> None:
    """Switching a branch that differs in 80 tasks, at 10,000."""
    writer = Writer(root / ".hopper" / "journal")
    for start in range(0, 10_000, 5):
        writer.write([r for n in range(start, start + 5) for r in writer.task(n)])
    other = [writer.write(writer.task(n)) for n in range(80)]
    aside = root / "aside"
    aside.mkdir()
    store = _store(root, root / "cache" / "tasks.db")
    store.instances()

    def leave() -> float:
        for name in other:
            (writer.journal / name).rename(aside / name.partition("/")[2])
        return _timed(store.look)

    def come() -> float:
        for name in other:
            (aside / name.partition("/")[2]).rename(writer.journal / name)
        return _timed(store.look)

    times = [step() for _ in range(7) for step in (leave, come)]
    idle = _median(9, lambda: _timed(store.look))
    print(f"switch 80 of 10,000 tasks: {statistics.median(times) * 1000:.1f} ms"
          f" (leave {statistics.median(times[::2]) * 1000:.1f},"
          f" come {statistics.median(times[1::2]) * 1000:.1f}); limit 20;"
          f" a look that finds nothing new {idle * 1000:.1f} ms")  # fmt: skip
    store.close()


def add(root: Path) -> None:
    """`hopper add` at 10,000 tasks in 2,000 journal files against `python -c pass`."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env |= {"HOPPER_HOME": str(root / "home"), "HOPPER_ACTOR": "ann"}
    subprocess.run(["git", "init", "-q", str(root)], check=True)

    def hopper(*words: str) -> None:
        subprocess.run([COMMAND, *words], cwd=root, env=env, capture_output=True, check=True)

    hopper("init", "--name", "web")
    hopper("instance", "config", "hopper-web", "max_concurrent_tasks=1000")
    writer = Writer(root / ".hopper" / "journal")
    for start in range(0, 10_000, 5):
        writer.write([r for n in range(start, start + 5) for r in writer.task(n)])
    hopper("list")
    ratios: dict[str, list[float]] = {}
    verbs = {"add": ["add", "Fix typo in README"], "next --claim": ["next", "--claim"],
             "list": ["list"]}  # fmt: skip
    for _ in range(15):
        empty = _timed(lambda: subprocess.run([sys.executable, "-c", "pass"], env=env, check=True))
        for name, words in verbs.items():
            took = _timed(partial(hopper, *words))
            ratios.setdefault(name, []).append(took / empty)
    for name, measured in ratios.items():
        print(f"hopper {name} at 10,000 tasks and 2,000 files:"
              f" {statistics.median(measured):.2f} times python -c pass; limit 8")  # fmt: skip


def status(root: Path) -> None:
    """`git status` with a journal of 2,000 files beside 5,000 files, in turn with one without."""
    trees = (root / "without", root / "beside")
    for tree in trees:
        subprocess.run(["git", "init", "-q", str(tree)], check=True)
        subprocess.run(["git", "config", "gc.auto", "0"], cwd=tree, check=True)
        for n in range(5000):
            path = tree / f"src{n % 50}" / f"file{n}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{n}\n")
    writer = Writer(trees[1] / ".hopper" / "journal")
    for start in range(0, 10_000, 5):
        writer.write([r for n in range(start, start + 5) for r in writer.task(n)])
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]
    look = ["git", "status"]
    for tree in trees:
        for command in (["git", "add", "-A"], commit, look):
            subprocess.run(command, cwd=tree, check=True, stdout=subprocess.DEVNULL)
    times: dict[Path, list[float]] = {tree: [] for tree in trees}
    for _ in range(15):
        for tree in trees:
            run = partial(subprocess.run, look, cwd=tree, check=True, stdout=subprocess.DEVNULL)
            times[tree].append(_timed(run))
    without, beside = (statistics.median(times[tree]) for tree in trees)
    print(f"git status at 5,000 files and 2,000 journal files: {beside / without:.2f} times"
          f" without the journal; limit 2")  # fmt: skip


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["rebuild", "switch", "status", "add"]
    for part in (rebuild, switch, status, add):
        if part.__name__ in chosen:
            with tempfile.TemporaryDirectory() as directory:
                part(Path(directory))

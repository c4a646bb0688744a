"""Events for other programs: each once, in order, whatever becomes of stores and readers."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import COMMAND, Shell

PATIENCE = 20.0
"""Seconds after which something that should happen has not."""


class Watching:
    """A running `hopper watch`, and the lines that it has printed so far."""

    def __init__(self, shell: Shell, *args: str) -> None:
        self.process = subprocess.Popen(
            [COMMAND, "watch", *args],
            cwd=shell.cwd, env=shell.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with suppress(ValueError):  # closed by a test
            for line in self.process.stdout:
                self._lines.put(line)

    def line(self) -> str:
        """The next line."""
        return self._lines.get(timeout=PATIENCE)

    def event(self) -> dict[str, Any]:
        """The next line as an event."""
        found: dict[str, Any] = json.loads(self.line())
        return found

    def until(self, kind: str, **changes: str) -> list[dict[str, Any]]:
        """All events up to the first of a kind, with these values set."""
        found = []
        while True:
            found.append(self.event())
            said = found[-1]["changes"]
            if found[-1]["kind"] == kind and all(
                said.get(name, {}).get("to") == value for name, value in changes.items()
            ):
                return found

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; returns the exit code and stderr."""
        self.process.send_signal(how)
        assert self.process.stderr is not None
        return self.process.wait(PATIENCE), self.process.stderr.read()


Watch = Callable[..., Watching]


@pytest.fixture
def project(hopper: Shell) -> Shell:
    """A shell in a project."""
    hopper("init", "--name", "web")
    return hopper


@pytest.fixture
def watch(hopper: Shell) -> Iterator[Watch]:
    """Starts `hopper watch`; whatever still runs at the end is stopped."""
    started = []

    def start(*args: str) -> Watching:
        started.append(Watching(hopper, *args))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def add(shell: Shell, title: str, *args: str) -> str:
    """Add a task for a person; returns its id."""
    return str(shell("add", title, "--executor", "human", *args, "--json").json["id"])


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_events_come_as_they_are_recorded_with_the_keys_of_the_log(
    project: Shell, watch: Watch
) -> None:
    watching = watch("--json", "--since", "0")
    watching.until("instance.running")
    task = add(project, "Fix login")
    watching.until("task.created", title="Fix login")
    project("task", "done", task)
    last = watching.until("task.done")[-1]
    logged = project("log", "--json", "--limit", "1").json[0]
    assert last == logged
    assert list(last) == list(logged)
    code, said = watching.end()
    assert (code, said) == (0, "")


def test_what_was_before_is_not_told_unless_asked_for(project: Shell, watch: Watch) -> None:
    add(project, "Old")
    begun = watch("--json", "--kind", "task.created")
    told: list[str] = []

    def something_is_told() -> bool:
        add(project, "New")
        with suppress(queue.Empty):
            told.append(begun._lines.get(timeout=0.5))
        return bool(told)

    eventually(something_is_told)
    assert json.loads(told[0])["changes"]["title"]["to"] == "New"
    seq = json.loads(told[0])["seq"]
    assert watch("--json", "--since", str(seq - 1)).event()["seq"] == seq
    assert watch("--json", "--since", "1h").event()["kind"] == "instance.created"
    assert watch("--json", "--since", "2020-01-01").event()["kind"] == "instance.created"


def test_kinds_are_whole_or_beginnings(project: Shell, watch: Watch) -> None:
    for title in ("one", "two"):
        project("task", "done", add(project, title))
    done = watch("--json", "--since", "0", "--kind", "task.done")
    assert [done.event()["kind"] for _ in range(2)] == ["task.done", "task.done"]
    both = watch("--json", "--since", "0", "--kind", "instance", "--kind", "task.created")
    kinds = [both.event()["kind"] for _ in range(5)]
    assert kinds == [
        "instance.created", "instance.starting", "instance.running", "task.created",
        "task.created",
    ]  # fmt: skip


def test_text_is_for_people_and_harmless(project: Shell, watch: Watch) -> None:
    add(project, "bad \x1b[2J\n title")
    watching = watch("--since", "0", "--kind", "task.created")
    line = watching.line()
    assert "task.created" in line
    assert line.rstrip("\n").isprintable()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(project: Shell, watch: Watch, how: signal.Signals) -> None:
    watching = watch("--json", "--since", "0")
    watching.event()
    assert watching.end(how) == (0, "")


@pytest.mark.parametrize("busy", [True, False], ids=["while it writes", "while it waits"])
def test_it_ends_when_nobody_reads_any_more(project: Shell, busy: bool) -> None:
    titles = "".join(f"{n} {'x' * 400}\n" for n in range(600 if busy else 1))
    project("add", "--batch", "--executor", "human", stdin=titles)  # more than a pipe holds
    process = subprocess.Popen(
        [COMMAND, "watch", "--json", "--since", "0"],
        cwd=project.cwd, env=project.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_slow_reader_gets_every_event_once(project: Shell, watch: Watch) -> None:
    batch = "".join(json.dumps({"title": f"{n} {'x' * 200}", "executor": "human"}) + "\n"
                    for n in range(600))  # fmt: skip
    process = subprocess.Popen(
        [COMMAND, "watch", "--json", "--since", "0", "--kind", "task.created"],
        cwd=project.cwd, env=project.env, stdout=subprocess.PIPE,
    )  # fmt: skip
    project("add", "--batch", stdin=batch)
    add(project, "last")
    assert process.stdout is not None
    titles: list[str] = []
    while not titles or titles[-1] != "last":
        titles.append(json.loads(process.stdout.readline())["changes"]["title"]["to"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    process.stdout.close()
    assert [title.split()[0] for title in titles] == [*(str(n) for n in range(600)), "last"]


def test_many_writers_and_each_event_once(project: Shell, watch: Watch) -> None:
    watching = watch("--json", "--since", "0", "--kind", "task.created")
    adding = [
        threading.Thread(target=lambda n=n: [add(project, f"{n}-{m}") for m in range(5)])
        for n in range(4)
    ]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()
    add(project, "last")
    events = watching.until("task.created", title="last")
    titles = [event["changes"]["title"]["to"] for event in events]
    assert sorted(titles) == sorted([f"{n}-{m}" for n in range(4) for m in range(5)] + ["last"])
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs))


def test_a_run_that_is_archived_and_made_again_is_followed_on(guide: Shell, watch: Watch) -> None:
    watching = watch("--json", "--since", "0", "--instance", "worker-1")
    watching.until("instance.running")
    task = guide("add", "Fix login", "--instance", "worker-1", "--json").json["id"]
    guide("task", "done", task)
    watching.until("task.done")
    guide("instance", "archive", "worker-1")
    (runs,) = guide.home.glob(".hopper/*/runs")
    eventually(lambda: not list(runs.glob("*.db")))
    guide("instance", "create", "worker-1", "--scope", "orchestration", "--parent", "webapp")
    guide("instance", "start", "worker-1")
    watching.until("instance.created")
    guide("add", "Fix logout", "--instance", "worker-1")
    again = watching.until("task.created", title="Fix logout")
    assert not [event for event in again if event["key"] == task]
    assert watching.process.poll() is None


def test_an_archived_run_leaves_nothing_behind_because_it_was_watched(
    guide: Shell, watch: Watch
) -> None:
    watching = watch("--json", "--all", "--since", "1h")
    guide("task", "done", guide("add", "Fix login", "--instance", "worker-1").id)
    watching.until("task.done")
    guide("instance", "archive", "worker-1")
    watching.until("run.archived")
    guide("add", "Fix typo", "--instance", "webapp", "--executor", "human")
    watching.until("task.created", title="Fix typo")
    assert watching.end() == (0, "")
    (runs,) = guide.home.glob(".hopper/*/runs")
    assert list(runs.iterdir()) == []


def test_all_tells_of_every_hopper_and_of_those_that_come(guide: Shell, watch: Watch) -> None:
    watching = watch("--json", "--all", "--since", "1h", "--kind", "task.created")
    guide("add", "One", "--instance", "worker-1")
    watching.until("task.created", title="One")
    guide("add", "Two", "--instance", "webapp", "--executor", "human")
    watching.until("task.created", title="Two")
    other = guide.cwd / "api"
    other.mkdir()
    guide("-C", str(other), "init", "--name", "api")
    guide("-C", str(other), "add", "Three", "--executor", "human")
    watching.until("task.created", title="Three")
    run = guide("-C", str(other), "add", "Implement OAuth", "-t", "auth", "-t", "api", "--json")
    assert run.json["routed_to"] != "hopper-api"
    two = [watching.until("task.created", title="Implement OAuth") for _ in range(2)]
    assert two[0][-1]["key"] != two[1][-1]["key"]


def test_a_cache_made_anew_tells_nothing_twice(project: Shell, watch: Watch) -> None:
    watching = watch("--json", "--since", "0", "--kind", "task.created")
    add(project, "One")
    watching.until("task.created", title="One")
    shutil.rmtree(project.cwd / ".hopper" / "web")
    add(project, "Two")
    assert [e["changes"]["title"]["to"] for e in watching.until("task.created", title="Two")] == [
        "Two"
    ]


def test_a_project_that_is_not_checked_out_for_a_while_is_followed_on(
    project: Shell, watch: Watch
) -> None:
    watching = watch("--json", "--since", "0", "--kind", "task.created")
    add(project, "One")
    watching.until("task.created", title="One")
    directory, aside = project.cwd / ".hopper", project.cwd / "aside"
    directory.rename(aside)
    assert watching.process.poll() is None
    aside.rename(directory)
    add(project, "Two")
    told = watching.until("task.created", title="Two")
    assert [event["changes"]["title"]["to"] for event in told] == ["Two"]


def test_what_git_brings_is_told(project: Shell, watch: Watch) -> None:
    add(project, "Here")
    elsewhere = Shell(project.home / "other", project.cwd.with_name("clone"), project.env)
    shutil.copytree(project.cwd, elsewhere.cwd)
    elsewhere.env = project.env | {"HOME": str(elsewhere.home)}
    watching = watch("--json", "--since", "0", "--kind", "task.created")
    watching.until("task.created", title="Here")
    add(elsewhere, "There")
    journal = elsewhere.cwd / ".hopper" / "journal"
    for path in journal.rglob("*.jsonl"):
        target = project.cwd / ".hopper" / "journal" / path.relative_to(journal)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            part = target.with_suffix(".part")
            part.write_bytes(path.read_bytes())
            part.rename(target)
    told = watching.until("task.created", title="There")
    assert len(told) == 1


def test_an_idle_watcher_reads_next_to_nothing(project: Shell, watch: Watch) -> None:
    watching = watch("--json", "--all", "--since", "1h")
    watching.until("instance.running")

    used = Path(f"/proc/{watching.process.pid}/stat")
    if not used.exists():
        pytest.skip("no /proc here")

    def spent() -> float:
        fields = used.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, begun = spent(), time.monotonic()
    eventually(lambda: time.monotonic() - begun > 3)
    assert spent() - before < 0.3


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--since", "yesterday-ish"), 1),
        (("--all", "--instance", "web"), 2),
        (("--all", "--since", "7"), 2),
        (("--instance", "nobody"), 1),
    ],
)
def test_what_cannot_be_watched_is_refused(
    project: Shell, args: tuple[str, ...], code: int
) -> None:
    assert project("watch", *args, check=code).err.startswith("hopper: ")


def test_a_beginning_or_a_kind_that_cannot_be_is_refused(guide: Shell) -> None:
    refused = guide("watch", "--since", "9" * 20, check=1).err
    assert "no beginning of a stream" in refused
    assert "task.done" in guide("watch", "--kind", "task.dnoe", check=1).err
    nonsense = guide("watch", "--kind", "nonsense", check=1).err
    assert "no events of the kind 'nonsense'" in nonsense
    assert "task, delegation, instance, run" in nonsense

"""What the terminal UI costs, beside a minimal Textual app.

Run: python tests/bench/tui.py [tasks ...] [hoppers]

    tasks    first paint, bytes per key, commit to paint, memory and idle time with so many tasks
             (1000 10000 100000 unless given; needs a POSIX terminal device, and Linux' /proc)
    hoppers  the word: open files, first paint and idle time with 300 hoppers

Times are medians of interleaved runs through a pseudo-terminal and mean something as ratios only;
bytes are exact counts of what reaches the terminal.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from operator import truediv
from pathlib import Path

from hopper_tui.engine.world import World
from hopper_tui.model.lifecycle import PRIORITIES
from hopper_tui.model.query import Query
from hopper_tui.model.task import Task

RUNS = 21
"""Rounds of starting each program once; a ratio is the median of the rounds' ratios."""
WIDE, SMALL = (120, 40), (80, 24)
"""Columns and lines of the terminals measured."""
UNWANTED = {"NO_COLOR", "PYTHONDONTWRITEBYTECODE"}
"""Without byte code on disk every start compiles all modules, and imports are measured twice."""
QUIET = 0.06
"""Seconds of silence after which the answer to a key is complete."""
SETTLED = 0.5
"""Seconds of silence after which the program has nothing more to do."""
FIRST_PAINT_LIMIT = 1.3
MOVE_LIMIT = 700
PAGE_LIMIT = 12_000
COMMIT_LIMIT = 60.0
"""Milliseconds from a commit of another process until it is on the screen, at so many tasks."""
COMMIT_TASKS = 10_000
MEMORY_LIMIT = 20.0
"""Megabytes more than the minimal app needs, at 100,000 tasks."""
IDLE_LIMIT = 0.6
"""Percent of a core, while nobody does anything."""
IDLE = 10.0
"""Seconds of doing nothing."""
HOPPERS = 300
FILES_LIMIT = 120
"""Open files with that many hoppers: the stores of a few of them, and what every program has."""

MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("ready-to-work")
Minimal().run()
"""
HOPPER = """
import sys
from hopper_tui.cli.start import run
sys.argv = ["hopper", "--home", {home!r}, "--actor", "me", "tui", "--instance", "webapp"]
run()
"""
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=:]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, code: str, size: tuple[int, int]) -> None:
        columns, lines = size
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environ = {k: v for k, v in os.environ.items() if k not in UNWANTED}
            environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
            os.execve(sys.executable, [sys.executable, "-c", code], environ)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds: float) -> bytes:
        """What was written within some seconds; nothing when it was silent."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.fd, 1 << 20)
        except OSError:
            return b""
        if b"\x1b[?2026$p" in data:  # yes, we know synchronised output
            os.write(self.fd, b"\x1b[?2026;2$y")
        return data

    def wait_for(self, text: bytes) -> float:
        """Seconds from the start until a text is on the screen."""
        seen = b""
        while text not in _ESCAPES.sub(b"", seen):
            seen += self.read(10) or sys.exit(f"never saw {text!r}")
        return time.perf_counter() - self.started

    def settle(self, quiet: float = SETTLED) -> int:
        """Bytes written until it was silent for a while."""
        total = 0
        while data := self.read(quiet):
            total += len(data)
        return total

    def key(self, keys: bytes) -> tuple[int, int]:
        """Bytes of the immediate answer to a key, and those that followed until all was quiet."""
        os.write(self.fd, keys)
        data = self.read(2)
        return len(data) + self.settle(QUIET), self.settle()

    def idle(self, seconds: float) -> float:
        """Percent of a core that it takes while nothing happens."""
        before = self._computed()
        self.settle_for(seconds)
        return (self._computed() - before) / seconds * 100

    def settle_for(self, seconds: float) -> None:
        """Let it write for some seconds."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def _computed(self) -> float:
        """Seconds of computing so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> float:
        """Megabytes that are its own: pages shared with nobody."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return sum(map(int, re.findall(r"Private_\w+:\s+(\d+)", rollup))) / 1024

    @property
    def files(self) -> int:
        """How many files it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def build(home: Path, tasks: int) -> None:
    """A home with one project full of tasks."""
    world = World(home, home, actor="me")
    world.hopper()
    webapp = world.create_instance("webapp", "project", None, {"auto_delegate": False})
    world.move_instance("webapp", "start")
    webapp.add_tasks(
        Task(
            title=f"Fix the login page, part {number} of the redesign",
            priority=PRIORITIES[number % 4],
            tags=("api", "auth")[: number % 3],
        )
        for number in range(tasks)
    )
    world.close()


def paint(code: str, text: bytes) -> float:
    """Seconds until a text is on the screen of a fresh process."""
    terminal = Terminal(code, WIDE)
    seconds = terminal.wait_for(text)
    terminal.close()
    return seconds


def verdict(value: float, limit: float) -> str:
    return "ok" if value <= limit else "TOO MUCH"


def painting(home: Path, text: bytes) -> None:
    """Print the first paint, as a ratio."""
    hopper = HOPPER.format(home=str(home))
    times: dict[str, list[float]] = {"minimal": [], "frame": [], "tasks": []}
    for run in range(RUNS + 1):
        measured = {
            "minimal": paint(MINIMAL, b"ready-to-work"),
            "frame": paint(hopper, b"hoppers"),
            "tasks": paint(hopper, text),
        }
        for name, seconds in measured.items() if run else ():  # the first run warms up
            times[name].append(seconds)
    median = {name: statistics.median(values) * 1000 for name, values in times.items()}
    first, shown = (
        statistics.median(map(truediv, times[name], times["minimal"]))
        for name in ("frame", "tasks")
    )
    judged = verdict(first, FIRST_PAINT_LIMIT)
    print(f"minimal Textual app      {median['minimal']:6.0f} ms")
    print(f"first paint              {median['frame']:6.0f} ms   {first:.2f} times   {judged}")
    print(f"first tasks shown        {median['tasks']:6.0f} ms   {shown:.2f} times")


def resting(home: Path, text: bytes) -> None:
    """Print what it needs while nobody does anything: time, memory, open files."""
    minimal, hopper = Terminal(MINIMAL, WIDE), Terminal(HOPPER.format(home=str(home)), WIDE)
    minimal.wait_for(b"ready-to-work")
    hopper.wait_for(text)
    for terminal in (minimal, hopper):
        terminal.settle_for(2)
    more = hopper.memory - minimal.memory
    busy = hopper.idle(IDLE)
    print(f"memory over the minimal  {more:6.1f} MB   {verdict(more, MEMORY_LIMIT)}")
    print(f"idle                     {busy:6.2f} %   {verdict(busy, IDLE_LIMIT)}")
    print(f"open files               {hopper.files:6}   {verdict(hopper.files, FILES_LIMIT)}")
    minimal.close()
    hopper.close()


def live(home: Path, tasks: int) -> None:
    """Print how long a commit of another process takes to the screen."""
    terminal = Terminal(HOPPER.format(home=str(home)), WIDE)
    terminal.wait_for(b"part 0 of")
    terminal.settle()
    world = World(home, home, actor="somebody")
    webapp = world.hopper("webapp")
    shown = webapp.ids(Query(webapp.id))[3]
    times = []
    for number in range(11):
        title = f"committed-{number}"
        webapp.update(shown, title=title)
        committed, seen = time.perf_counter(), b""
        while title.encode() not in _ESCAPES.sub(b"", seen):
            seen += terminal.read(10) or sys.exit(f"never saw {title}")
        times.append((time.perf_counter() - committed) * 1000)
        terminal.settle()
    world.close()
    terminal.close()
    took = statistics.median(times[1:])
    judged = verdict(took, COMMIT_LIMIT) if tasks <= COMMIT_TASKS else ""
    print(f"commit to paint          {took:6.0f} ms   {judged}")


def with_tasks(tasks: int) -> None:
    """Print what that many tasks cost."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        build(home, tasks)
        print(f"{tasks:,} tasks, median of {RUNS}")
        painting(home, b"part 0 of")
        resting(home, b"part 0 of")
        live(home, tasks)
        for size in (WIDE, SMALL):
            keys_at(HOPPER.format(home=str(home)), size)


def with_hoppers() -> None:
    """Print what many hoppers cost."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        build(home, 1000)
        world = World(home, home, actor="me")
        for number in range(HOPPERS - 2):
            world.create_instance(f"project-{number}", "project")
        world.close()
        print(f"{HOPPERS} hoppers, median of {RUNS}")
        painting(home, b"part 0 of")
        resting(home, b"part 0 of")


def main() -> None:
    chosen = sys.argv[1:] or ["1000", "10000", "100000", "hoppers"]
    for what in chosen:
        with_hoppers() if what == "hoppers" else with_tasks(int(what))


def keys_at(code: str, size: tuple[int, int]) -> None:
    """Print the bytes that keys cost on a terminal of that size."""
    terminal = Terminal(code, size)
    terminal.wait_for(b"part 0 of")
    terminal.settle()
    print("{}x{}".format(*size))
    for title, keys, limit in (
        ("cursor down", b"j", MOVE_LIMIT),
        ("cursor up", b"k", MOVE_LIMIT),
        ("page down", b"\x1b[6~", PAGE_LIMIT if size == SMALL else None),
        ("to the end", b"G", PAGE_LIMIT if size == SMALL else None),
    ):
        counts = [terminal.key(keys) for _ in range(1 if keys == b"k" else 3)]
        answer, later = (max(values) for values in zip(*counts, strict=True))
        judged = verdict(answer, limit) if limit else ""
        print(f"{title:<24} {answer:6} bytes   {judged:<8} then {later} for the details")
    terminal.close()


if __name__ == "__main__":
    main()

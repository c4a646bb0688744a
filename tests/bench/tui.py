"""First paint and bytes per key of the terminal UI, beside a minimal Textual app.

Run: python tests/bench/tui.py [tasks]      (default 100000; needs a POSIX terminal device)

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
from pathlib import Path

from hopper_tui.engine.world import World
from hopper_tui.model.lifecycle import PRIORITIES
from hopper_tui.model.task import Task

RUNS = 7
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

MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("ready-to-work")
Minimal().run()
"""
HOPPER = """
from pathlib import Path
from hopper_tui.engine.world import World
from hopper_tui.tui.app import HopperApp
world = World(Path({home!r}), actor="me", via="tui")
HopperApp(world, instance="webapp").run()
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


def main() -> None:
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        build(home, tasks)
        hopper = HOPPER.format(home=str(home))
        times: dict[str, list[float]] = {"minimal": [], "frame": [], "tasks": []}
        for run in range(RUNS + 1):
            measured = {
                "minimal": paint(MINIMAL, b"ready-to-work"),
                "frame": paint(hopper, b"hoppers"),
                "tasks": paint(hopper, b"part 0 of"),
            }
            for name, seconds in measured.items() if run else ():  # the first run warms up
                times[name].append(seconds)
        median = {name: statistics.median(values) for name, values in times.items()}
        print(f"{tasks:,} tasks, median of {RUNS}")
        print(f"minimal Textual app      {median['minimal'] * 1000:6.0f} ms")
        first = median["frame"] / median["minimal"]
        shown = median["tasks"] / median["minimal"]
        judged = verdict(first, FIRST_PAINT_LIMIT)
        print(f"first paint              {median['frame'] * 1000:6.0f} ms   {first:.2f} times")
        print(f"first paint is           {judged}")
        print(f"first tasks shown        {median['tasks'] * 1000:6.0f} ms   {shown:.2f} times")
        for size in (WIDE, SMALL):
            keys_at(hopper, size)


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
        print(f"{title:<24} {answer:6} bytes   then {later} for the details   {judged}")
    terminal.close()


if __name__ == "__main__":
    main()

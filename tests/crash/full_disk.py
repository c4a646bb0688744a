"""Work on a project while its disk is full: `full_disk.py DIRECTORY`, a small file system.

Leaves ever more room, and with each runs commands that need some. Prints what they did and said,
and what was found with room again, as JSON: a list of `Tried`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .journal_harness import Place, warm_up

ROOMS = [n << 12 for n in (0, 8, 14, 16, 18, 20, 24, 32, 48, 256)]
"""Bytes that are left; the last is enough."""
TEXT = "x" * 6000
"""More than a block, so that a file can be half written."""


@dataclass(slots=True)
class Tried:
    """A command with so much room: its exit code, what it said; the tasks before, those that were
    shown on the full disk (None: an error) and those with room again, with the cache and without.
    """

    room: int
    command: str
    code: int
    said: str
    before: dict[str, Any]
    full: dict[str, Any] | None
    after: dict[str, Any]
    anew: dict[str, Any]
    findings: list[str]
    left: str


def attempt(place: Place, ballast: Path, room: int, verb: str) -> Tried:
    """Run a command with so much room, then make room again."""
    name = f"{verb} {room}"
    commands = {
        "add": ("add", name, "--executor", "human", "--description", TEXT),
        "claim": ("task", "claim", name),
        "done": ("task", "done", name, "--result", json.dumps(TEXT)),
    }
    if verb != "add":
        place.ids[name] = place.hopper("-q", "add", name).strip()
    before = place.tasks()
    fill(ballast, room)
    code, _, said = place.run(*commands[verb])
    shown, listed, _ = place.run("list", "--all", "--limit", "0", "--json")
    ballast.unlink()
    full = None if shown else place.read(listed)
    after = place.tasks()
    place.forget_cache()
    anew = place.tasks()
    left = place.git("status", "--porcelain", "--untracked-files=all")
    return Tried(room, verb, code, said, before, full, after, anew, place.findings(), left)


def fill(ballast: Path, room: int) -> None:
    """Leave so many bytes."""
    with ballast.open("wb", buffering=0) as file:
        while True:
            found = os.statvfs(ballast.parent)
            more = found.f_bavail * found.f_frsize - room
            if more <= 0:
                return
            file.write(b"\0" * min(more, 1 << 20))


def main(directory: Path) -> None:
    """Make all attempts in one project."""
    warm_up()
    place = Place.new(directory / "place")
    place.hopper("list")
    found = [
        asdict(attempt(place, directory / "ballast", room, verb))
        for room in ROOMS
        for verb in ("add", "claim", "done")
    ]
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

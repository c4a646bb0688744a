"""Journal files: write-once, uniquely named, one transaction each, or a pack of many.

    journal/2026-11/01k9x2m7qd4f0-k3f9q2-7ab1.jsonl    <clock>-<replica>-<random>
    journal/2026-11/pack-3e9b1c0d5a77.jsonl            named after the events inside

The first line counts the events and sums them up, then comes one event a line. To git they are a
set of immutable blobs that only grows: adding different files never conflicts.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.journal import hlc
from hopper_tui.journal.digest import blake2b
from hopper_tui.journal.record import FORMAT, LINE_LIMIT, Damaged, Record, bare, read, salted
from hopper_tui.model.ids import ALPHABET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from hopper_tui.model.ids import Entropy

FILE_LIMIT = 64 << 20
"""Bytes of one file; a larger one is not read."""
PACK_LIMIT = 16 << 20
"""Bytes that a pack holds at most."""
COUNT_LIMIT = 100_000
"""Lines that are read of one file."""
DAMAGE_LIMIT = 100
"""Damaged lines that are listed of one file."""
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_NAME = re.compile(r"[0-9a-z-]{1,120}\.jsonl", re.ASCII)
_OWN = re.compile(r"[0-9a-z]{13}-([0-9a-z]+)-[0-9a-z]+\.jsonl", re.ASCII)
_SUFFIX = ".jsonl"
KEEP = ".keep"
"""The file that keeps an empty journal in git."""
_PLAINLY = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Damage(NamedTuple):
    """What could not be used: line 0 is the file as a whole."""

    name: str
    line: int
    reason: str


class Content(NamedTuple):
    """What a journal file holds: its good events with their lines, and what is damaged."""

    records: list[Record]
    lines: list[bytes]
    damage: list[Damage]


class Journal:
    """The journal of one checkout: the directory `journal/` of a `.hopper/`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = str(directory)
        self._listed: dict[str, list[str]] = {}
        self._names: frozenset[str] = frozenset()

    def names(self) -> frozenset[str]:
        """The names of all files, as `2026-11/name.jsonl`; odd ones are left out: see `odd`.

        The same set again while nothing came or went.
        """
        months = filter(self._is_month, self._entries(""))
        listed = {month: self._entries(month) for month in months}
        if listed != self._listed:
            self._listed = listed
            self._names = frozenset(
                f"{month}/{name}"
                for month, names in listed.items()
                for name in names
                if _NAME.fullmatch(name)
            )
        return self._names

    def odd(self) -> list[str]:
        """The paths in the journal that are ignored, because no Hopper makes such."""
        found = []
        for month in self._entries(""):
            if not self._is_month(month):
                found += [month] if month != KEEP else []
                continue
            names = (name for name in self._entries(month) if name != KEEP)
            found += [f"{month}/{name}" for name in names if not _NAME.fullmatch(name)]
        return sorted(found)

    def _entries(self, folder: str) -> list[str]:
        try:
            return os.listdir(f"{self.root}/{folder}")
        except OSError:
            return []

    def _is_month(self, name: str) -> bool:
        if not _MONTH.fullmatch(name):
            return False
        try:
            return stat.S_ISDIR(os.lstat(f"{self.root}/{name}").st_mode)
        except OSError:
            return False

    def read(self, name: str) -> Content:
        """What a file holds; never raises for what is in it.

        Links and whatever else is no plain file are reported and not followed.
        """
        try:
            data = _read_plain(f"{self.root}/{name}")
        except OSError as error:
            return Content([], [], [Damage(name, 0, str(error.strerror or error))])
        return parse(name, data)

    def version(self, name: str) -> str:
        """Something that changes when a file is written again, which only a damaged one is."""
        try:
            found = os.lstat(f"{self.root}/{name}")
        except OSError:
            return "gone"
        return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"

    def path(self, name: str) -> str:
        """Where a file is."""
        return f"{self.root}/{name}"

    def has(self, name: str) -> bool:
        """Whether that file is in this checkout now."""
        return os.path.lexists(f"{self.root}/{name}")

    def write(self, name: str, data: bytes, step: Callable[[str], None] | None = None) -> None:
        """Make a file with all of its content, or nothing: its rename is the commit point.

        `step` is told each step when it is done, for those who test what a crash there leaves.
        """
        done = step or _quiet
        drafts = os.path.join(os.path.dirname(self.root), "tmp")
        month = f"{self.root}/{name.partition('/')[0]}"
        os.makedirs(drafts, exist_ok=True)
        if os.path.islink(month):
            raise NotADirectoryError(errno.ENOTDIR, "a link", month)
        if not os.path.isdir(month):
            os.makedirs(month, exist_ok=True)
            _sync_directory(self.root)
        draft = f"{drafts}/{name.rpartition('/')[2]}"
        with suppress(FileNotFoundError):  # a process that was killed left it
            os.unlink(draft)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            try:
                _write_all(descriptor, data)
                done("written")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            done("synced")
            os.rename(draft, f"{self.root}/{name}")
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
        done("renamed")
        _sync_directory(month)
        done("committed")

    def remove(self, name: str) -> None:
        """Remove a file whose events are in another one by now."""
        with suppress(FileNotFoundError):
            os.unlink(f"{self.root}/{name}")


def _quiet(_: str) -> None:
    return


def _read_plain(path: str) -> bytes:
    """The content of a plain file; raises OSError for all else, without waiting for a pipe."""
    try:
        descriptor = os.open(path, _PLAINLY)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError("a symbolic link, which is not followed") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("not a plain file")
        if found.st_size > FILE_LIMIT:
            raise OSError(f"larger than {FILE_LIMIT >> 20} MiB")
        data = os.read(descriptor, found.st_size + 1)
        while len(data) < found.st_size and (more := os.read(descriptor, found.st_size)):
            data += more
        return data
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_directory(path: str) -> None:
    """Make names last; a file system that cannot do that is used as it is."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def new_name(clock: str, replica: str, salt: str) -> str:
    """The name of the file that a transaction beginning at `clock` makes."""
    return f"{month_of(clock)}/{clock}-{replica}-{salt}{_SUFFIX}"


def random_salt(entropy: Entropy) -> str:
    """Four random characters."""
    return "".join(ALPHABET[byte & 31] for byte in entropy(4))


def month_of(clock: str) -> str:
    """The folder of the files that begin at a clock."""
    year, month = time.gmtime(hlc.seconds(clock))[:2]
    return f"{min(year, 9999):04d}-{month:02d}"


def replica_of(name: str) -> str | None:
    """The replica that wrote a file; None for packs."""
    match = _OWN.fullmatch(name.rpartition("/")[2])
    return match[1] if match else None


def fingerprint(names: Iterable[str]) -> str:
    """A hash of a set of file names: whether anything came or went."""
    return blake2b("\n".join(sorted(names)).encode(), digest_size=16).hexdigest()


def content(lines: Sequence[bytes]) -> bytes:
    """A file with these events."""
    body = b"".join(line + b"\n" for line in lines)
    total = blake2b(body, digest_size=8).hexdigest()
    head = json.dumps({"count": len(lines), "sum": total, "v": FORMAT}, separators=(",", ":"))
    return head.encode() + b"\n" + body


def pack(lines: Sequence[bytes], ids: Sequence[str]) -> tuple[str, bytes]:
    """The name and the content of a pack: the same for everybody who packs the same events."""
    ordered = sorted(ids)
    name = blake2b("\n".join(ordered).encode(), digest_size=6).hexdigest()
    by_id = dict(zip(ids, lines, strict=True))
    return f"pack-{name}{_SUFFIX}", content([salted(by_id[i], _salt(name, i)) for i in ordered])


def _salt(pack_name: str, event: str) -> str:
    """How a line begins in a pack: of 1 to 56 characters, so that hardly a line is at the same
    distance from git's pieces of 64 bytes in two packs, and none in a pack and its first file."""
    digest = blake2b(f"{pack_name}{event}".encode(), digest_size=28)
    return digest.hexdigest()[: 1 + digest.digest()[0] % 56]


def parse(name: str, data: bytes) -> Content:
    """The events in the content of a file, and what is damaged in it."""
    found = Content([], [], [])
    if not data:
        found.damage.append(Damage(name, 0, "is empty"))
        return found
    for number, raw in enumerate(data.split(b"\n", COUNT_LIMIT), 1):
        if number > COUNT_LIMIT:
            found.damage.append(
                Damage(name, number, f"only {COUNT_LIMIT} lines of a file are read")
            )
            break
        if len(found.damage) > DAMAGE_LIMIT:
            found.damage.append(Damage(name, number, "so much is damaged that the rest is skipped"))
            break
        line = bare(raw)
        if not line or line.startswith(b'{"count":'):
            continue
        try:
            found.records.append(read(line))
            found.lines.append(line)
        except Damaged as reason:
            found.damage.append(Damage(name, number, str(reason)))
    _check_head(name, data, found)
    return found


def _check_head(name: str, data: bytes, found: Content) -> None:
    """Compare the first line with the events that follow; it only helps to say what is wrong."""
    first, _, rest = data.replace(b"\r\n", b"\n").partition(b"\n")  # git may write line ends so
    try:
        head = json.loads(bare(first)[:LINE_LIMIT])
        count, total = int(head["count"]), str(head["sum"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        found.damage.append(Damage(name, 1, "the first line, which counts the events, is damaged"))
        return
    here = len(found.records)
    if here != count:
        lost = f"holds {here} good events of {count}"
        found.damage.append(Damage(name, 0, lost))
    elif not found.damage and blake2b(rest, digest_size=8).hexdigest() != total:
        found.damage.append(Damage(name, 0, "was edited, though every event in it is whole"))

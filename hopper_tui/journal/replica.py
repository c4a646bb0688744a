"""Replica: who this clone is among all clones, and what all of its worktrees share.

<git common dir>/hopper/replica.json    the replica's id
<git common dir>/hopper/leases.db       who holds which task, in any worktree
<git common dir>/hopper/recovery/       own events that no commit is known to hold
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.journal.digest import blake2b
from hopper_tui.model.ids import ALPHABET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hopper_tui.journal.files import Journal
    from hopper_tui.model.ids import Entropy

ID_LENGTH = 6
_FOLDER = "hopper"
_FILE = "replica.json"


class Checkout(NamedTuple):
    """A working tree of git: its top directory, and the directories that git keeps for it and
    for the whole clone."""

    top: Path
    git: Path
    common: Path

    @property
    def branch(self) -> str | None:
        """The branch that is checked out; the commit's first characters where it is detached."""
        try:
            head = (self.git / "HEAD").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        if head.startswith("ref: "):
            return head[5:].removeprefix("refs/heads/")
        return head[:8]


def checkout_of(directory: Path) -> Checkout | None:
    """The working tree around a directory, found as git finds it; None outside of any."""
    here = os.path.abspath(directory)
    while True:
        dot_git = os.path.join(here, ".git")
        if os.path.isdir(dot_git):
            return Checkout(Path(here), Path(dot_git), _common(dot_git))
        if os.path.isfile(dot_git):
            git = _linked(here, dot_git)
            if git is not None:
                return Checkout(Path(here), Path(git), _common(git))
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


def _linked(here: str, file: str) -> str | None:
    """Where the `.git` file of a worktree or submodule leads."""
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read(4096)
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith("gitdir:"):
        return None
    path = os.path.normpath(os.path.join(here, text[7:].strip()))
    return path if os.path.isdir(path) else None


def _common(git: str) -> Path:
    """The directory that all worktrees of a clone share."""
    try:
        with open(os.path.join(git, "commondir"), encoding="utf-8") as opened:
            return Path(os.path.normpath(os.path.join(git, opened.read(4096).strip())))
    except (OSError, UnicodeDecodeError):
        return Path(git)


def worktrees(checkout: Checkout) -> list[Path]:
    """The top directories of the other worktrees of a clone that are still there."""
    found = [checkout.common.parent] if checkout.common.name == ".git" else []
    with suppress(OSError):
        for entry in os.scandir(checkout.common / "worktrees"):
            with suppress(OSError, UnicodeDecodeError):
                file = Path(entry.path, "gitdir").read_text(encoding="utf-8").strip()
                found.append(Path(os.path.normpath(os.path.join(entry.path, file))).parent)
    here = os.path.realpath(checkout.top)
    return [top for top in found if top.is_dir() and os.path.realpath(top) != here]


class Replica:
    """One clone: `directory` is its own place, which every worktree of it shares.

    `folder` tells the projects of a clone apart that are not at its top.
    """

    def __init__(self, directory: Path, entropy: Entropy, folder: str = "") -> None:
        self.directory = directory
        self.folder = folder
        self._entropy = entropy
        self._id: str | None = None

    @classmethod
    def around(cls, root: Path, elsewhere: Path, entropy: Entropy) -> Replica:
        """The replica of the project in `root`; `elsewhere` is used outside of git."""
        checkout = checkout_of(root)
        if checkout is None:
            return cls(elsewhere / _hash(str(root)), entropy)
        inside = os.path.relpath(os.path.abspath(root), checkout.top)
        folder = "" if inside == "." else _hash(inside)
        return cls(checkout.common / _FOLDER, entropy, folder)

    @property
    def id(self) -> str:
        """Its id, made by the first use; a copied directory gets one of its own."""
        if self._id is None:
            self._id = self._read() or self._make()
        return self._id

    @property
    def known_id(self) -> str | None:
        """Its id if it has one; reading alone makes none."""
        return self._id or self._read()

    @property
    def leases(self) -> Path:
        """The database of claims."""
        return self.directory / "leases.db"

    def _read(self) -> str | None:
        path = self.directory / _FILE
        try:
            with open(path, encoding="utf-8") as opened:
                known = json.load(opened)
                if known["fingerprint"] == _fingerprint(self.directory, opened.fileno()):
                    self._id = _valid(known["replica"])
                    return self._id
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def _make(self) -> str:
        """Make an id; of two processes that do so at once the last one's stays, and what the
        other wrote under its own is as good."""
        self.directory.mkdir(parents=True, exist_ok=True)
        fresh = "".join(ALPHABET[byte & 31] for byte in self._entropy(ID_LENGTH))
        draft = self.directory / f"{_FILE}.{fresh}"
        with open(draft, "x", encoding="utf-8") as opened:
            mark = _fingerprint(self.directory, opened.fileno())
            json.dump({"replica": fresh, "fingerprint": mark}, opened)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(draft, self.directory / _FILE)
        return fresh

    # Recovery: copies of own files until a commit holds them

    @property
    def recovery(self) -> Path:
        """The directory of the copies; the folder of a file's month is part of its name there."""
        return self.directory / "recovery" / self.folder

    def keep(self, journal: Journal, name: str) -> None:
        """Keep a copy of a file that was just written: a second name for it where that works."""
        copy = self.recovery / name.replace("/", "~")
        if not self.recovery.is_dir():
            self.recovery.mkdir(parents=True, exist_ok=True)
        try:
            os.link(journal.path(name), copy)
        except FileExistsError:
            return
        except OSError:
            copy.write_bytes(Path(journal.path(name)).read_bytes())

    def kept(self) -> set[str]:
        """The names of the files a copy is kept of."""
        try:
            return {name.replace("~", "/", 1) for name in os.listdir(self.recovery) if "~" in name}
        except OSError:
            return set()

    def copy_of(self, name: str) -> bytes:
        """The content of a kept copy."""
        return (self.recovery / name.replace("/", "~")).read_bytes()

    def let_go(self, names: Iterable[str]) -> None:
        """Drop the copies of files that a commit holds by now."""
        for name in names:
            with suppress(OSError):
                (self.recovery / name.replace("/", "~")).unlink()


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _fingerprint(directory: Path, descriptor: int) -> str:
    """What a copy of the file cannot share with it: its inode, and the path of its directory."""
    inode = os.fstat(descriptor).st_ino
    path = os.path.realpath(directory)
    return _hash(f"{inode}:{path}")


def _valid(name: object) -> str | None:
    good = isinstance(name, str) and len(name) == ID_LENGTH and all(c in ALPHABET for c in name)
    return name if good and isinstance(name, str) else None

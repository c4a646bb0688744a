"""State: what the screen remembers from one run to the next, in a file of the home."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

FILE = "tui.json"
VERSION = 1
MOST = 2000
"""Words kept; what was not changed for longest is forgotten first."""
_FILTER, _VIEW, _SIZE, _DRAFT = "filter of ", "view of ", "size of ", "draft of "
_PASSING = (_FILTER, _VIEW, _DRAFT)
"""What is forgotten once it is not there any more."""


class Remembered(NamedTuple):
    """Where somebody was, and how it looked. `hopper` and `task` are those of the project that the
    program was started in; filters, views and drafts of tasks, texts by field, are by hopper."""

    hopper: str | None = None
    task: str | None = None
    theme: str = ""
    filters: Mapping[str, str] = {}
    views: Mapping[str, str] = {}
    sizes: Mapping[str, int] = {}
    drafts: Mapping[str, Mapping[str, str]] = {}


class StateFile:
    """Several terminals may use it at once: each writes what changed in it, and leaves the rest as
    the others wrote it. A file that is broken counts as empty, one that cannot be written stays
    as it is; neither is worth a word to who wants to work.
    """

    def __init__(self, home: Path | None, root: Path | None = None) -> None:
        self._path = home and home / FILE
        self._root = str(root or "")
        self._writing = Lock()
        self._words = self._read()

    def read(self) -> Remembered:
        """What was remembered when this was made."""
        words = self._words
        sizes = {k: int(v) for k, v in _with(words, _SIZE) if v.isdecimal()}
        return Remembered(
            words.get(self._here("hopper")) or None,
            words.get(self._here("task")) or None,
            words.get("theme", ""),
            dict(_with(words, _FILTER)),
            dict(_with(words, _VIEW)),
            sizes,
            {k: draft for k, v in _with(words, _DRAFT) if (draft := _texts(v))},
        )

    def write(self, now: Remembered) -> None:
        """Remember what is different from when it was last read or written here."""
        if self._path is None:
            return
        with self._writing:
            words = self._as_words(now)
            changed = {k: v for k, v in words.items() if self._words.get(k, "") != v}
            gone = [k for k in self._words if k not in words and k.startswith(_PASSING)]
            if not (changed or gone):
                return
            found = self._read()
            # what another terminal wrote there since is not ours to forget
            changed |= {k: "" for k in gone if found.get(k) == self._words[k]}
            self._words = words
            kept = {k: v for k, v in found.items() if k not in changed}
            kept |= {k: v for k, v in changed.items() if v}
            with suppress(OSError):
                self._replace(dict(list(kept.items())[-MOST:]))

    def _here(self, what: str) -> str:
        return f"{what} at {self._root}"

    def _as_words(self, now: Remembered) -> dict[str, str]:
        return {
            self._here("hopper"): now.hopper or "",
            self._here("task"): now.task or "",
            "theme": now.theme,
            **{_FILTER + key: word for key, word in now.filters.items()},
            **{_VIEW + key: word for key, word in now.views.items()},
            **{_SIZE + key: str(size) for key, size in now.sizes.items()},
            **{_DRAFT + key: json.dumps(draft) for key, draft in now.drafts.items()},
        }

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_bytes()) if self._path else {}
        except (OSError, ValueError, RecursionError):
            return {}
        words = found.get("words") if isinstance(found, dict) else None
        if not isinstance(words, dict) or found.get("version") != VERSION:
            return {}
        return {key: word for key, word in words.items() if isinstance(word, str)}

    def _replace(self, words: Mapping[str, str]) -> None:
        """Put another file in its place: whoever reads finds the old one or the new one."""
        assert self._path is not None
        new = self._path.with_name(f".{FILE}.{os.getpid()}")
        try:
            text = json.dumps({"version": VERSION, "words": words}, indent=1)
            new.write_text(text, encoding="utf-8", errors="replace")
            os.replace(new, self._path)
        finally:
            new.unlink(missing_ok=True)


def _texts(word: str) -> dict[str, str]:
    """The texts by name that a word holds; nothing where it holds something else."""
    try:
        found = json.loads(word)
    except (ValueError, RecursionError):
        return {}
    named = found.items() if isinstance(found, dict) else ()
    return {name: text for name, text in named if isinstance(text, str)}


def _with(words: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    """The words whose names begin like that, by the rest of their names."""
    for name, word in words.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), word

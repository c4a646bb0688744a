"""Pastes: what is pasted is text, whatever it contains.

Textual's parser gives up a bracketed paste at an escape character in it and takes the rest for
keys: coloured output of a log, pasted into a note, would finish tasks. Some terminals pass such
characters on. So they are taken out before the parser sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

BEGIN, END = "\x1b[200~", "\x1b[201~"
"""What terminals put around a paste (bracketed paste, xterm)."""
LONGEST = 32
"""Characters of a control sequence that is waited for."""
_CONTROLS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control sequences with their parameters, and control characters other than tab and line ends."""


class Pastes:
    """Cleans what is pasted in a stream that comes in pieces, wherever it is cut."""

    def __init__(self) -> None:
        self._is_pasted = False
        self._before = ""
        """The last characters outside of pastes, which a mark may begin with."""
        self._begun = ""
        """The last characters of a paste, from an escape on that more may belong to."""

    def clean(self, data: str) -> str:
        """The next piece, as far as it can be told what it is; keys are never kept back."""
        out = ""
        while data:
            if self._is_pasted:
                text, mark, data = (self._begun + data).partition(END)
                begun = text.rfind("\x1b", max(0, len(text) - LONGEST))
                if mark or begun < 0:
                    begun = len(text)
                out += _CONTROLS.sub("", text[:begun]) + mark
                self._begun, self._before = text[begun:], ""
                self._is_pasted = not mark
            else:
                seen = self._before + data
                at = seen.find(BEGIN)
                if at < 0:
                    self._before = seen[1 - len(BEGIN) :]
                    return out + data
                ends = at + len(BEGIN) - len(self._before)
                out, data = out + data[:ends], data[ends:]
                self._is_pasted = True
        return out


_feed = XTermParser.feed


def _feed_cleaned(parser: XTermParser, data: str) -> Iterable[Message]:
    pastes: Pastes = parser.__dict__.setdefault("hopper_pastes", Pastes())
    cleaned = pastes.clean(data)
    return _feed(parser, cleaned) if cleaned or not data else ()  # nothing is the end of the input


def install() -> None:
    """Have what drivers read cleaned. They make the parser themselves, so its class is changed."""
    XTermParser.feed = _feed_cleaned  # type: ignore[method-assign, assignment]

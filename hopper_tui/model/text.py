"""Text from tasks is data: made harmless before it reaches a terminal."""

from __future__ import annotations

import re
from functools import cache

_LINE = "\x00-\x1f"
_BLOCK = "\x00-\x08\x0b-\x1f"
"""The ASCII controls that a line, and a text of many lines, must not hold."""
_UNSAFE = (
    "\x7f-\x9f"  # control characters beyond ASCII
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks and overrides
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # line separators, byte order mark, annotations
    "\ud800-\udfff"  # lone surrogates, which cannot be encoded
    "\U000e0000-\U000e007f"  # invisible tags
)


@cache
def _pattern(controls: str) -> re.Pattern[str]:
    """What is unsafe, with these ASCII controls; compiled when first needed, which is seldom."""
    return re.compile(f"[{controls}{_UNSAFE}]")


def plain(text: str) -> str:
    """`text` on one line with every character that could steer a terminal shown as `�`.

    Line breaks and tabs become spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return _pattern(_LINE).sub("�", spaced)


def plain_block(text: str) -> str:
    """Like `plain`, but line breaks and tabs stay."""
    return _pattern(_BLOCK).sub("�", text.replace("\r\n", "\n"))


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 task`, `3 tasks`; `things` where the plural is no `s` more."""
    return f"{number} {thing}" if number == 1 else f"{number} {things or thing + 's'}"

"""Text from tasks is data: made harmless before it reaches a terminal."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, escape included
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks and overrides
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # line separators, byte order mark, annotations
    "\ud800-\udfff"  # lone surrogates, which cannot be encoded
    "\U000e0000-\U000e007f]"  # invisible tags
)
_UNSAFE_BLOCK = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def plain(text: str) -> str:
    """`text` on one line with every character that could steer a terminal shown as `�`.

    Line breaks and tabs become spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return _UNSAFE.sub("�", spaced)


def plain_block(text: str) -> str:
    """Like `plain`, but line breaks and tabs stay."""
    return _UNSAFE_BLOCK.sub("�", text.replace("\r\n", "\n"))

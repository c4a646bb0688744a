"""Ids: random keys people type by a short prefix, derived keys for children of hops, slugs.

A key is 16 Crockford base32 characters, the first a letter: 79 random bits, never sequential,
so two clones never make the same one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from hopper_tui.model.errors import Invalid

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
KEY_LENGTH = 16
SHORT_LENGTH = 5
"""A shown id has at least this many characters."""
MIN_PREFIX = 3
"""Fewer characters are never taken for an id."""

Entropy = Callable[[int], bytes]
"""Gives that many random bytes; a parameter, so that tests can fix ids."""

system_entropy: Entropy = os.urandom

_READ = str.maketrans("oil", "011")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def key(raw: bytes) -> str:
    """A key from 10 bytes: the first character is a letter, the rest 75 of the bits."""
    number = int.from_bytes(raw[:10], "big")
    first = ALPHABET[10 + number % 22]
    number >>= 5
    rest = []
    for _ in range(KEY_LENGTH - 1):
        rest.append(ALPHABET[number & 31])
        number >>= 5
    return first + "".join(rest)


def new_key(entropy: Entropy = system_entropy) -> str:
    """A fresh random key."""
    return key(entropy(10))


def derived_key(*parts: str) -> str:
    """The key that always belongs to these parts, so that delivering twice is harmless."""
    from hashlib import sha256

    return key(sha256("\x1f".join(parts).encode()).digest())


def read_key(text: str) -> str | None:
    """The key or key prefix typed as `text`, normalised; None if it cannot be one.

    Takes any case, a project prefix (`web-k7m2q`), o for 0 and i or l for 1.
    """
    tail = text.strip().lower().rpartition("-")[2].translate(_READ)
    if not MIN_PREFIX <= len(tail) <= KEY_LENGTH or any(c not in ALPHABET for c in tail):
        return None
    return tail


def slug(name: str) -> str:
    """A lower-case id from a name, of letters, digits and single hyphens; raises Invalid."""
    text = _NOT_SLUG.sub("-", name.strip().lower()).strip("-")[:100]
    if not text:
        raise Invalid(f"{name!r} gives no usable id", "Use at least one letter or digit (a-z, 0-9)")
    return text

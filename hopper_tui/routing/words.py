"""Words as routing compares them: whole, in any case, `front-end` the same as `frontend`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKEN = re.compile(r"[^\W_](?:[^\W_]|[+#]|[-_](?=[^\W_]))*")
_JOINT = re.compile(r"[-_]")


def _tokens(text: str) -> list[str]:
    folded = text if text.isascii() else normalize("NFKC", text)
    return _TOKEN.findall(folded.casefold())


def words(text: str) -> tuple[str, ...]:
    """The words of a text in order; a hyphenated one counts as its parts."""
    return tuple(part for token in _tokens(text) for part in _JOINT.split(token))


@lru_cache(maxsize=16)
def _haystack(text: str) -> str:
    joined = (_JOINT.sub("", token) for token in _tokens(text) if _JOINT.search(token))
    return f" {' '.join(words(text))} " + "".join(f"\n {word} " for word in joined)


@lru_cache(maxsize=1024)
def _needles(phrase: str) -> frozenset[str]:
    forms = (" ".join(words(phrase)), " ".join(_JOINT.sub("", t) for t in _tokens(phrase)))
    return frozenset(f" {form} " for form in forms if form)


def mentions(text: str, phrase: str) -> bool:
    """Whether the words of `phrase` stand in `text`, side by side and whole."""
    return any(needle in _haystack(text) for needle in _needles(phrase))


def mentioned(text: str, phrases: Iterable[str]) -> list[str]:
    """Those of `phrases` that `text` mentions."""
    return [phrase for phrase in phrases if mentions(text, phrase)]


def shared(labels: Iterable[str], others: Iterable[str]) -> list[str]:
    """Those of `labels` (tags, capabilities) that `others` also holds, once each, in order.

    Labels are the same when only case and hyphens differ.
    """
    pool = frozenset[str]().union(*map(_forms, others))
    return [label for label in dict.fromkeys(labels) if _forms(label) & pool]


def _forms(label: str) -> frozenset[str]:
    return _needles(label) | {label.casefold()}

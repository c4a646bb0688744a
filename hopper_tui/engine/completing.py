"""Completing: what a filter, or a list of words, may go on with while it is typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine import saved_filters
from hopper_tui.engine.filter import FIELDS, FLAGS, SAVED
from hopper_tui.model.lifecycle import PRIORITIES, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hopper_tui.engine.hopper import Hopper

Words = dict[str, tuple[str, ...]]
"""The values known of each field of a Term; under SAVED the names of the saved filters."""

READ = ("tag", "owner", "project", "executor", "capability", "phase", "source", "requester")
"""The fields whose values are those that tasks have."""
FIXED: Mapping[str, tuple[str, ...]] = {
    "status": tuple(TaskStatus),
    "priority": tuple(PRIORITIES),
    "is": (*FLAGS, "open", "closed"),
    "age": ("<1h", "<1d", ">1d", ">7d", ">30d"),
    "due": ("<today", "<tomorrow", "<7d"),
    "created": (">today",),
    "updated": (">today",),
}
"""The fields whose values are always the same, by the word before the colon."""
_NAMES = tuple(f"{name}:" for name in FIELDS if name != "pri")
"""`pri` is short enough."""
MANY = 20
"""No more completions than that are offered: who wants others types on."""
_LAST = re.compile(r'(?:^|\s)((?:[^\s"]|"[^"]*(?:"|$))*)$')
_TERM = re.compile(r"^(!?)(?:([a-z_]+)(:|>=|<=|=|>|<))?(.*)$", re.IGNORECASE | re.DOTALL)


class Completion(NamedTuple):
    """What the whole text becomes, and the word that is offered for it."""

    text: str
    word: str


def known(hopper: Hopper) -> Words:
    """The values that complete filters at a hopper: those of its newest tasks, and fixed ones."""
    words: Words = {field: tuple(hopper.store.words(hopper.id, field)) for field in READ}
    words[SAVED] = tuple(sorted(saved_filters.saved(hopper.world)))
    return words


def last_term(text: str) -> str:
    """The term at the end of a filter text, the one that is being typed."""
    last = _LAST.search(text)
    return last[1] if last else ""


def filter_completions(text: str, words: Words) -> tuple[Completion, ...]:
    """What the last term of a filter text may go on with, the likeliest first."""
    term = last_term(text)
    found = _TERM.match(term)
    assert found is not None
    bang, name, op, value = found.groups()
    if name and name.casefold() in FIELDS:
        whole, comma, part = value.rpartition(",")
        field = FIELDS[name.casefold()]
        values = FIXED.get(name.casefold()) or FIXED.get(field) or words.get(field, ())
        if op != ":":
            values = tuple(dict.fromkeys(value.lstrip("<>") for value in values))
        offered = _beginning(part.lstrip('"'), values)
        head = f"{text[: len(text) - len(term)]}{bang}{name}{op}{whole}{comma}"
        return tuple(Completion(head + _quoted(word), word) for word in offered)
    head = text[: len(text) - len(term)] + bang
    if term.startswith(SAVED):
        offered = _beginning(term, (SAVED + name for name in words.get(SAVED, ())))
    elif name:
        return ()
    else:
        offered = _beginning(value, (*_NAMES, *FLAGS))
    return tuple(Completion(head + word, word) for word in offered)


def word_completions(text: str, words: Iterable[str]) -> tuple[Completion, ...]:
    """What the last of several words may go on with; words that stand there are not offered."""
    there = text.replace(",", " ").split(" ")
    last = there.pop()
    if not last:
        return ()
    head = text[: len(text) - len(last)]
    sign = last[0] if last[0] in "+-#" else ""
    given = {word.lstrip("+-#").casefold() for word in there}
    offered = _beginning(last[len(sign) :], (w for w in words if w.casefold() not in given))
    return tuple(Completion(f"{head}{sign}{word}", word) for word in offered)


def _beginning(part: str, words: Iterable[str]) -> list[str]:
    return list(_first(MANY, part.casefold(), words))


def _first(most: int, part: str, words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if most and word.casefold().startswith(part) and word.casefold() != part:
            most -= 1
            yield word


def _quoted(word: str) -> str:
    return f'"{word}"' if re.search(r'[\s,"]', word) else word

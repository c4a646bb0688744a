"""Hints: what the engine says to type in a shell, as somebody at the screen needs it."""

from __future__ import annotations

import re

_SEEN_HERE = {
    "doctor": "The doctor tells more",
    "instance list": "The tree shows which are there",
    "instance tree": "The tree shows which are there",
    "delegation list": "The offers show what waits",
    "conflicts": "The conflicts can be settled here",
    "list --all": "The queue shows which are there",
    "log": "The log tells more",
    "task delegate": "Delegate it",
}
"""What a hint says to look at in a shell, by where it is on the screen."""
DOCTOR = _SEEN_HERE["doctor"]

_CLAUSES = re.compile(r"(?<=[\w)])(; |\. )")
_LOOK = re.compile(r"(?:[Ss]ee|Look at)\b[^:]*: hopper (.*)")
_DO = re.compile(
    r"(?!See:|Look at:)(.*\w): hopper (?:add|delegation|instance|list|next|task|undo)\b.*"
)
"""Something that a key does here as well, and how it is typed."""


def at_the_screen(hint: str) -> str:
    """A hint without what is to be typed, where the screen shows that or has a key for it."""
    first, *others = _CLAUSES.split(hint)
    said = _clause(first)
    for separator, clause in zip(others[::2], others[1::2], strict=True):
        if not clause.startswith("--"):  # an option of the command before it
            said += separator + _clause(clause)
    return said


def _clause(text: str) -> str:
    if (look := _LOOK.fullmatch(text)) and (seen := _SEEN_HERE.get(look[1])):
        return seen if text[0].isupper() else seen[0].lower() + seen[1:]
    do = _DO.fullmatch(text)
    return (do[1] if do else text).removesuffix(" with --to")

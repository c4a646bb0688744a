"""Cron: the five fields of a schedule, checked."""

from __future__ import annotations

import re

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
"""Name, lowest and highest value, and words for the values from the lowest on."""

_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


def check_cron(text: str) -> str:
    """`text` unchanged; raises ValueError unless it is a cron expression of five fields."""
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise ValueError(f"a schedule has 5 fields, not {len(fields)}")
    for given, (name, low, high, names) in zip(fields, FIELDS, strict=True):
        for part in given.split(","):
            if not _is_part(part, low, high, names):
                raise ValueError(f"{part!r} is no {name} ({low} to {high})")
    return text


def _is_part(part: str, low: int, high: int, names: list[str]) -> bool:
    found = _PART.fullmatch(part)
    if not found or found[4] == "0":
        return False
    if found[1]:
        return True
    first = _number(found[2], low, names)
    last = _number(found[3], low, names) if found[3] else first
    return first is not None and last is not None and low <= first <= last <= high


def _number(word: str, low: int, names: list[str]) -> int | None:
    if word.isdigit():
        return int(word)
    return names.index(word.lower()) + low if word.lower() in names else None

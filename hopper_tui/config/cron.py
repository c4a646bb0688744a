"""Cron: the five fields of a schedule, checked, and when it comes next."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

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

LONGEST_GAP = 9 * 366
"""Days: February 29 may be eight years off. What has not come by then never comes."""

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
    if next_time(text, datetime(2024, 1, 1).timestamp()) is None:
        raise ValueError(f"{text!r} is a day that never comes")
    return text


def next_time(text: str, after: float) -> float | None:
    """The first moment after a moment, both in seconds since the epoch, that a checked schedule
    means, on the clock of this machine; None if there is none.

    As everywhere, of a day of the month and a day of the week that are both named one is enough.
    """
    minutes, hours, days, months, weekdays = (
        _values(given, *field[1:]) for given, field in zip(text.split(), FIELDS, strict=True)
    )
    either = not text.split()[2].startswith("*") and not text.split()[4].startswith("*")
    begin = datetime.fromtimestamp(after).replace(second=0, microsecond=0)
    day = begin.replace(hour=0, minute=0)
    for _ in range(LONGEST_GAP):
        named = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month in months and (any(named) if either else all(named)):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    moment = day.replace(hour=hour, minute=minute).timestamp()
                    if moment > after:
                        return moment
        day += timedelta(days=1)
    return None


def _values(field: str, low: int, high: int, names: list[str]) -> set[int]:
    """The numbers that a checked field means; Sunday is 0 and 7."""
    chosen: set[int] = set()
    for part in field.split(","):
        found = _PART.fullmatch(part)
        assert found is not None
        first = low if found[1] else _number(found[2], low, names)
        last = _number(found[3], low, names) if found[3] else first
        if found[1] or (found[4] and not found[3]):
            last = high
        assert first is not None
        assert last is not None
        chosen.update(range(first, last + 1, int(found[4] or 1)))
    return {0 if names is _DAYS and value == 7 else value for value in chosen}


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

"""Time as Hopper writes it: RFC 3339 in UTC with milliseconds and `Z`, which sorts as text."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from hopper_tui.model.errors import Invalid

Clock = Callable[[], float]
"""Seconds since the epoch; a parameter everywhere, so that tests can hold time."""

system_clock: Clock = time.time

LONGEST = 1000 * 365 * 86400.0
"""Seconds; a longer duration, or a moment further off, is a typing mistake."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONG_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_LONG_UNITS |= {"month": 2592000, "year": 31536000}
_LENGTH = 40
"""Characters; no duration needs more."""
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.ASCII)
_LONG = re.compile(r"(\d+)[_ ]([a-z]+?)s?", re.ASCII)


def stamp(seconds: float) -> str:
    """`2026-11-20T12:00:00.000Z` for seconds since the epoch."""
    whole, milli = divmod(int(seconds * 1000), 1000)
    return f"{_to_the_second(whole)}.{milli:03d}Z"


@lru_cache(maxsize=64)
def _to_the_second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))


def seconds(text: str) -> float:
    """Seconds since the epoch for a `stamp`."""
    return datetime.fromisoformat(text).timestamp()


def is_time(value: object) -> bool:
    """Whether this is a moment as `stamp` writes it, so that it can be computed with."""
    if not isinstance(value, str) or not value.endswith("Z") or not value.isascii():
        return False
    try:
        seconds(value)
    except (ValueError, OverflowError):
        return False
    return True


def duration(text: str) -> float:
    """Seconds in `90`, `15m`, `1h30m`, `1_year`, `90_days`; raises Invalid.

    A bare number is seconds. Months are 30 days, years 365 (addendum, `retention: 1_year`).
    """
    total = _total(text.strip().lower()) if len(text) < _LENGTH else None
    if total is None or total > LONGEST:
        raise Invalid(f"{text!r} is not a duration", "Write it as 45s, 15m, 4h, 2d or 1h30m")
    return total


def _total(word: str) -> float | None:
    if word.isascii() and word.replace(".", "", 1).isdigit():
        return float(word)
    if (long := _LONG.fullmatch(word)) and long[2] in _LONG_UNITS:
        return int(long[1]) * float(_LONG_UNITS[long[2]])
    parts = _PART.findall(word)
    if not parts or _PART.sub("", word).strip():
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def due_date(text: str, now: float) -> str:
    """A stamp for `2026-12-24`, an RFC 3339 time, `today`, `tomorrow` or `in 3d`/`3d`."""
    word = text.strip().lower()
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("today", "tomorrow"):
        return stamp((today + timedelta(days=1 if word == "tomorrow" else 0)).timestamp())
    try:
        when = datetime.fromisoformat(text.strip())
        moment = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        try:
            moment = now + duration(word.removeprefix("in "))
        except Invalid:
            moment = -1
    if not 0 <= moment <= now + LONGEST:
        hint = "Write it as 2026-12-24, 2026-12-24T18:00Z, tomorrow or 3d"
        raise Invalid(f"{text!r} is not a date", hint)
    return stamp(moment)


def age(since: str, now: float) -> str:
    """`12s`, `4m`, `3h`, `9d`: how long ago a stamp was, in one unit."""
    gone = max(0, int(now - seconds(since)))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if gone >= size:
            return f"{gone // size}{unit}"
    return f"{gone}s"

"""Hybrid logical clock: a time that sorts as text and never runs backwards.

50 bits of milliseconds and a 15-bit counter, packed into 13 base32 characters. A clock is at
least the wall clock of who made it and later than every clock its maker had seen, so an effect
sorts after its cause however wrong the wall clocks are.
"""

from __future__ import annotations

from hopper_tui.model.ids import ALPHABET

LENGTH = 13
"""Characters of a clock."""
COUNTER_BITS = 15
START = "0" * LENGTH
"""Before every event."""
LAST = (1 << 49) << COUNTER_BITS
"""The last clock, in the year 19809. Who has seen it stays there, and order is up to what the
events say of each other: nobody can keep the others from writing by claiming the end of time."""

_DIGIT = {sign: value for value, sign in enumerate(ALPHABET)}


def pack(number: int) -> str:
    """A clock as text, from milliseconds << 15 | counter."""
    signs = []
    for _ in range(LENGTH):
        signs.append(ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(signs))


def unpack(clock: str) -> int:
    """The number in a clock; raises KeyError for signs that are not base32."""
    number = 0
    for sign in clock:
        number = number << 5 | _DIGIT[sign]
    return number


def tick(last: str, now: float) -> str:
    """The next clock after `last`, at `now` seconds since the epoch by the wall clock.

    A full counter overflows into the milliseconds.
    """
    wall = max(0, int(now * 1000)) << COUNTER_BITS
    return pack(min(max(unpack(last) + 1, wall), LAST))


def at(now: float) -> str:
    """The first clock of a moment, in seconds since the epoch."""
    return tick(START, now)


def seconds(clock: str) -> float:
    """Seconds since the epoch that a clock shows."""
    return (unpack(clock) >> COUNTER_BITS) / 1000


def is_valid(clock: object) -> bool:
    """Whether this is a clock that an event may carry."""
    if not isinstance(clock, str) or len(clock) != LENGTH or clock[0] not in _DIGIT:
        return False
    try:
        return unpack(clock) <= LAST
    except KeyError:
        return False

"""LongIds: the ids of a long queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from hopper_tui.model.ids import KEY_LENGTH


class LongIds(Sequence[str]):
    """Ids of tasks in order, kept as one text: 100,000 take 1.6 MB, a fifth of what a list does."""

    __slots__ = ("_text",)

    def __init__(self, ids: Iterable[str]) -> None:
        self._text = "".join(ids)

    def __len__(self) -> int:
        return len(self._text) // KEY_LENGTH

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        places = range(len(self))[index]
        if isinstance(places, range):
            return [self._at(place) for place in places]
        return self._at(places)

    def _at(self, place: int) -> str:
        return self._text[place * KEY_LENGTH : (place + 1) * KEY_LENGTH]

    def __iter__(self) -> Iterator[str]:
        return map(self._at, range(len(self)))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) >= 0

    def index(self, key: str, start: int = 0, stop: int | None = None) -> int:
        """Where a key stands; raises ValueError."""
        place = self._find(key)
        if place not in range(len(self))[start:stop]:
            raise ValueError(key)
        return place

    def _find(self, key: str) -> int:
        """Where a key stands, -1 if it does not: what is found across two keys does not count."""
        at = self._text.find(key) if len(key) == KEY_LENGTH else -1
        while at % KEY_LENGTH and at >= 0:
            at = self._text.find(key, at + 1)
        return at // KEY_LENGTH

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LongIds) and other._text == self._text

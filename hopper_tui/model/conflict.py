"""Conflict: two changes of the same thing whose authors had not seen each other's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Side(NamedTuple):
    """One of the two: who wrote what, when, and in which clone."""

    event: str
    actor: str
    at: str
    replica: str
    values: Mapping[str, Any]


class Conflict(NamedTuple):
    """Both sides of a conflict. `register` is the field, or "status" for all that goes with it.

    `kind` is "field" (both set it, the later stands), "claim" (both took the task, the earlier
    has it) or "void" (settled by itself; good to know).
    """

    entity: str
    key: str
    register: str
    kind: str
    winner: Side
    loser: Side

    @property
    def wants_attention(self) -> bool:
        """Whether a person should look at it."""
        return self.kind != "void"


class Absorbed(NamedTuple):
    """What a store took in that no command of this machine wrote, as after a checkout."""

    changed: bool = False
    notices: tuple[str, ...] = ()

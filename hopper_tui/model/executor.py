"""Executor: who asks for work, and which work suits them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PERSON = "human"
"""The role of people."""


def whom(preference: str | None, required: Sequence[str]) -> str:
    """Who may take a task that prefers an executor and requires capabilities, in words."""
    skills = f" with {', '.join(required)}" if required else ""
    return f"{preference or 'anybody'}{skills}"


class Executor(NamedTuple):
    """Somebody who asks for work: a person, or a worker with a role and capabilities.

    `names` are its name and its role, as tasks may prefer them; `held` its capabilities; all
    case-folded.
    """

    name: str
    role: str
    names: frozenset[str]
    held: frozenset[str]

    @classmethod
    def of(
        cls,
        name: str | None,
        role: str | None = None,
        capabilities: Sequence[str] = (),
        *,
        person: str = "me",
    ) -> Executor:
        """Whoever gives that name and role: a worker's role is its name unless it says another.
        Who gives no name is `person`, and without a role a human one."""
        return _executor(name or person, role or name or PERSON, tuple(capabilities))

    @property
    def is_person(self) -> bool:
        """Whether it is a human: people know themselves what they can do."""
        return self.role.casefold() == PERSON

    def may_take(self, preference: str | None, required: Iterable[str]) -> bool:
        """Whether a task that prefers an executor and requires capabilities suits it."""
        return self.prefers(preference) and not self.lacks(required)

    def prefers(self, preference: str | None) -> bool:
        """Whether a task is for it: preferred by name or role, or for anybody.

        Work for a human is for no worker, and `manual` work is handed out to nobody.
        """
        return preference is None or preference.casefold() in self.names

    def lacks(self, required: Iterable[str]) -> list[str]:
        """The capabilities it would need besides."""
        if self.is_person:
            return []
        return [need for need in required if need.casefold() not in self.held]


@lru_cache(maxsize=64)
def _executor(name: str, role: str, capabilities: tuple[str, ...]) -> Executor:
    names = frozenset((name.casefold(), role.casefold()))
    return Executor(name, role, names, names | {c.casefold() for c in capabilities})

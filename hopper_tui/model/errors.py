"""The errors Hopper raises, each with a code, a message and a hint on what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class HopperError(Exception):
    """Base of everything Hopper raises on purpose.

    `message` says what happened, `hint` what to do next (may be empty); `code` is stable and
    machine-readable. Doors print them unchanged.
    """

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class NotFound(HopperError):
    """No task, instance or delegation answers to that id or name."""

    code = "not_found"


class AmbiguousId(HopperError):
    """Several things answer to that id or name; `candidates` lists them as (id, title)."""

    code = "ambiguous"

    def __init__(self, message: str, candidates: Sequence[tuple[str, str]], hint: str = "") -> None:
        super().__init__(message, hint)
        self.candidates = tuple(candidates)


class InvalidTransition(HopperError):
    """The state machine does not allow that move from the present state."""

    code = "invalid_transition"


class AtCapacity(HopperError):
    """The instance has no room for that task now."""

    code = "at_capacity"


class NotAllowed(HopperError):
    """The scope, the configuration or the caller's role forbids it."""

    code = "not_allowed"


class LeaseLost(HopperError):
    """The caller no longer holds the task."""

    code = "lease_lost"


class Invalid(HopperError):
    """A value given by the caller is not acceptable."""

    code = "invalid"


class StorageError(HopperError):
    """A store cannot be read or written; `state` says in a word what it is: locked, damaged."""

    code = "storage"

    def __init__(self, message: str, hint: str = "", state: str = "broken") -> None:
        super().__init__(message, hint)
        self.state = state


class ConfigError(HopperError):
    """A configuration file or value is wrong."""

    code = "config"

"""Roles: what a piece of text means, and the colour each theme gives to that meaning."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Role = Literal[
    "text", "strong", "muted", "id", "urgent", "high", "medium", "low", "good", "warn", "bad",
    "accent", "cursor", "resting",
]  # fmt: skip
"""`cursor` is the selected row of the focused pane, `resting` that of any other pane."""

ROLES: tuple[Role, ...] = get_args(Role)
GROUNDED: frozenset[Role] = frozenset({"cursor", "resting"})
"""Roles with a background of their own."""
BOLD: frozenset[Role] = frozenset({"strong", "urgent", "cursor"})
"""Roles that are told apart by weight as well as by colour."""


class Span(NamedTuple):
    """A piece of one line: plain text, never markup, and what it means."""

    text: str
    role: Role = "text"


Line = tuple[Span, ...]
"""One line of the screen, before it has colours."""

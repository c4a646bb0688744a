"""Fit: why an option cannot take a task now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.routing.words import shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.model.task import Task
    from hopper_tui.routing.option import Option

NAMED = 5
"""A sentence lists at most so many instances."""


def can_take(task: Task, option: Option) -> str | None:
    """Why an option cannot take a task now, as a sentence on it; None if it can.

    Looks at scope, state, capabilities and room; not at what it answered before.
    """
    name, load, most = option.instance.name, option.load, option.settings.max_queued
    if option.instance.scope is HopperScope.GLOBAL:
        return f"{name} is a global hopper and only routes"
    if not option.instance.is_running:
        return f"{name} is {option.instance.status}"
    if missing := lacks(task, option.settings.capabilities):
        return f"{name} lacks {missing}"
    if not load.has_room:
        return f"{name} is at capacity: {load.active}/{load.capacity}"
    if most is not None and load.queued >= most:
        return f"{name} has a full queue: {load.queued}/{most}"
    return None


def refusal(task: Task, option: Option) -> str | None:
    """Like `can_take`, and an option that refused this task before refuses it again."""
    if option.refused and option.instance.is_running:
        return f"{option.instance.name} refused it: {option.refused}"
    return can_take(task, option)


def lacks(task: Task, capabilities: Sequence[str]) -> str:
    """`capability gpu` for what a task requires and `capabilities` does not hold, else empty."""
    held = shared(task.required_capabilities, capabilities)
    missing = [need for need in task.required_capabilities if need not in held]
    if not missing:
        return ""
    return f"{'capability' if len(missing) == 1 else 'capabilities'} {', '.join(missing)}"


def listed(reasons: Sequence[str]) -> str:
    """Reasons as one clause, the first few in full."""
    more = len(reasons) - NAMED
    return "; ".join(reasons[:NAMED]) + (f"; and {more} more" if more > 0 else "")

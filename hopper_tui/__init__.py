"""Hopper: a hierarchical task queue for people who run many projects.

The public Python API. Names load what they need when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hopper_tui.config.plans import template
    from hopper_tui.config.schema import HopperConfig
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.worker import Worker
    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Decision, Delegation
    from hopper_tui.model.errors import (
        AmbiguousId,
        AtCapacity,
        ConfigError,
        HopperError,
        Invalid,
        InvalidTransition,
        LeaseLost,
        NotAllowed,
        NotFound,
        StorageError,
    )
    from hopper_tui.model.event import HopperEvent
    from hopper_tui.model.feedback import TaskFeedback
    from hopper_tui.model.instance import Instance
    from hopper_tui.model.lifecycle import (
        DelegationStatus,
        DelegationType,
        HopperScope,
        InstanceStatus,
        Priority,
        TaskStatus,
    )
    from hopper_tui.model.plan import Decomposer, Goal, Plan, Step
    from hopper_tui.model.task import Task

__version__ = "0.1.0"

_HOMES = {
    "config.plans": ("template",),
    "config.schema": ("HopperConfig",),
    "engine.hopper": ("Hopper",),
    "engine.worker": ("Worker",),
    "engine.world": ("World",),
    "model.delegation": ("Decision", "Delegation"),
    "model.errors": (
        "AmbiguousId", "AtCapacity", "ConfigError", "HopperError", "Invalid",
        "InvalidTransition", "LeaseLost", "NotAllowed", "NotFound", "StorageError",
    ),
    "model.event": ("HopperEvent",),
    "model.feedback": ("TaskFeedback",),
    "model.instance": ("Instance",),
    "model.lifecycle": (
        "DelegationStatus", "DelegationType", "HopperScope", "InstanceStatus", "Priority",
        "TaskStatus",
    ),
    "model.plan": ("Decomposer", "Goal", "Plan", "Step"),
    "model.task": ("Task",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AmbiguousId", "AtCapacity", "ConfigError", "Decision", "Decomposer", "Delegation",
    "DelegationStatus", "DelegationType", "Goal", "Hopper", "HopperConfig", "HopperError",
    "HopperEvent", "HopperScope", "Instance", "InstanceStatus", "Invalid", "InvalidTransition",
    "LeaseLost", "NotAllowed", "NotFound", "Plan", "Priority", "Step", "StorageError", "Task",
    "TaskFeedback", "TaskStatus", "Worker", "World", "__version__", "template",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

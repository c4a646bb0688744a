"""Options for routing tests, made in one line."""

from __future__ import annotations

from typing import Any

from hopper_tui.model.instance import Instance, Load
from hopper_tui.model.lifecycle import HopperScope, InstanceStatus
from hopper_tui.model.settings import Settings
from hopper_tui.routing.option import Option


def option(
    name: str,
    scope: HopperScope,
    status: str = "running",
    load: Load | None = None,
    refused: str | None = None,
    **config: Any,
) -> Option:
    """An instance called `name` with that configuration."""
    instance = Instance(name, name, scope, status=InstanceStatus(status), config=config)
    settings = Settings.of(scope, config)
    return Option(instance, settings, load or Load(capacity=settings.capacity), refused)


def the_global(*rules: dict[str, Any]) -> Option:
    """A global hopper with those routing rules."""
    return option("hopper-global", HopperScope.GLOBAL, intelligence={"rules": list(rules)})


def project(name: str = "webapp", **more: Any) -> Option:
    """A project, running unless said otherwise."""
    return option(name, HopperScope.PROJECT, **more)


def worker(name: str = "worker-1", **more: Any) -> Option:
    """An orchestration, running unless said otherwise."""
    return option(name, HopperScope.ORCHESTRATION, **more)


def full(capacity: int = 2) -> Load:
    """The load of an instance that holds as many tasks as it may."""
    return Load(open=capacity, active=capacity, capacity=capacity)

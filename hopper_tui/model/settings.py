"""Settings: what a hopper's configuration means at run time, without pydantic or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.model.clock import duration
from hopper_tui.model.lifecycle import HopperScope

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCOPE_DEFAULTS: dict[HopperScope, dict[str, Any]] = {
    HopperScope.GLOBAL: {"retention": "forever", "capacity": None},
    HopperScope.PROJECT: {"retention": "1_year", "capacity": 10},
    HopperScope.ORCHESTRATION: {"retention": "run_duration", "capacity": 10},
}


class WorkRules(NamedTuple):
    """How work is held and tried again. Times are in seconds; None is never.

    `lease` is how long a worker holds what it claimed, `human_lease` how long a person does;
    `backoff` the wait before a second attempt, doubled before each further one; `ageing` how long
    a task waits until it counts one priority higher.
    """

    lease: float = 900.0
    human_lease: float | None = None
    max_attempts: int = 3
    backoff: float = 10.0
    ageing: float | None = None

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> WorkRules:
        """The rules of a validated section `work`."""
        told: dict[str, Any] = {
            name: duration(value) if isinstance(value, str) else value
            for name, value in section.items()
            if value is not None and name in cls._fields
        }
        return cls(**told)


class Settings(NamedTuple):
    """The keys the engine acts on. `capacity` is max_concurrent_tasks; None is unlimited."""

    capabilities: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    velocity: str | None = None
    capacity: int | None = 10
    max_queued: int | None = None
    auto_delegate: bool = True
    auto_accept: bool = True
    threshold: float = 3
    engine: str = "rules"
    rules: tuple[Mapping[str, Any], ...] = ()
    storage: str = "sqlite"
    retention: str = "forever"
    maintenance: str | None = None
    parent_hopper: bool = True
    local_cli: bool = True
    worker_api: bool = True
    auto_create: bool = True
    child_config: Mapping[str, Any] | None = None
    max_depth: int = 2
    prefix: str | None = None
    work: WorkRules = WorkRules()
    decomposer: str | None = None

    @classmethod
    def of(cls, scope: HopperScope, config: Mapping[str, Any]) -> Settings:
        """The settings of a validated configuration (see hopper_tui.config) at a scope.

        Takes both the addendum's nested sections and the guide's flat keys; whatever is not
        said gets the scope's default.
        """
        integrations = config.get("integrations") or {}
        children = config.get("child_instances") or {}
        persistence = config.get("persistence") or {}
        intelligence = config.get("intelligence") or {}
        defaults = _SCOPE_DEFAULTS[scope]
        return cls(
            capabilities=tuple(config.get("capabilities") or ()),
            domains=tuple(config.get("domains") or ()),
            velocity=config.get("velocity"),
            capacity=config.get("max_concurrent_tasks", defaults["capacity"]),
            max_queued=config.get("max_queued_tasks"),
            auto_delegate=config.get("auto_delegate", True),
            auto_accept=config.get("auto_accept", True),
            threshold=config.get("orchestration_threshold", 3),
            engine=config.get("routing_engine") or intelligence.get("provider") or "rules",
            rules=tuple(intelligence.get("rules") or ()),
            storage=persistence.get("storage", "sqlite"),
            retention=persistence.get("retention", defaults["retention"]),
            maintenance=persistence.get("maintenance_schedule"),
            parent_hopper=integrations.get("parent_hopper", True),
            local_cli=integrations.get("local_cli", True),
            worker_api=integrations.get("worker_api", True),
            auto_create=children.get("auto_create", True),
            child_config=children.get("template"),
            max_depth=children.get("max_depth", 2),
            prefix=config.get("prefix"),
            work=WorkRules.of(config.get("work") or {}),
            decomposer=config.get("decomposer"),
        )

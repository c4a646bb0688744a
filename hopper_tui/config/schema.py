"""Schema: every key a configuration may have, and what it may hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from hopper_tui.config.cron import check_cron
from hopper_tui.model.clock import duration
from hopper_tui.model.errors import Invalid
from hopper_tui.model.ids import slug
from hopper_tui.model.lifecycle import HopperScope, Priority

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID = re.compile(r"(?:[a-z0-9-]|\{\w+\}){1,100}")
_SECRET = re.compile(r"\$\{\w+\}")


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        example = slug(text) if re.search("[A-Za-z0-9]", text) else "hopper-webapp"
        raise ValueError(f"an id has only a-z, 0-9 and hyphens, such as {example}")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9]{0,15}", text):
        raise ValueError("must be 1 to 16 of a-z and 0-9, a letter first, such as web")
    return text


def _retention(text: str) -> str:
    if text in ("forever", "run_duration"):
        return text
    try:
        if duration(text) > 0:
            return text
    except Invalid:
        pass
    raise ValueError("must be forever, run_duration or a time such as 1_year or 90_days")


def _counted(value: Any) -> Any:
    """A bare number is seconds."""
    return str(value) if type(value) in (int, float) else value


def _wait(text: str) -> str:
    try:
        duration(text)
    except Invalid:
        raise ValueError("must be a time such as 45s, 15m, 4h or 2d") from None
    return text


def _duration(text: str) -> str:
    if duration(_wait(text)) == 0:
        raise ValueError("must be longer than 0s")
    return text


def _secret(text: str) -> str:
    if not _SECRET.fullmatch(text):
        raise ValueError("must name an environment variable, such as ${TOKEN}, not hold the token")
    return text


def _priority(text: str) -> str:
    try:
        return Priority.read(text).value
    except Invalid as wrong:
        raise ValueError(f"must be one of {', '.join(Priority)}") from wrong


Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Labels = list[Label]
LabelOrLabels = Annotated[Labels, BeforeValidator(_listed)]
Id = Annotated[str, AfterValidator(_id)]
PriorityName = Annotated[str, AfterValidator(_priority)]
Port = Annotated[int, Field(ge=1, le=65535)]
Wait = Annotated[str, BeforeValidator(_counted), AfterValidator(_wait)]
Duration = Annotated[str, BeforeValidator(_counted), AfterValidator(_duration)]
Secret = Annotated[str, AfterValidator(_secret)]
Provider = Literal["rules", "llm", "sage", "simple_priority"]


class Section(BaseModel):
    """A part of a configuration: unknown keys are refused and types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RuleSection(Section):
    """One routing rule; see `hopper_tui.routing.rules.Rule` for what it means."""

    name: Label
    verbs: LabelOrLabels = []
    title: LabelOrLabels = []
    keywords: LabelOrLabels = []
    tags: LabelOrLabels = []
    priority: Annotated[list[PriorityName], BeforeValidator(_listed)] = []
    capabilities: LabelOrLabels = []
    executor: Literal["human", "ci", "orchestration", "manual"] | None = None
    target: Label | None = None
    weight: Annotated[float, Field(gt=0, le=100)] = 1
    set_priority: PriorityName | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        text = self.verbs or self.title or self.keywords
        if not (text or self.tags or self.priority or self.capabilities):
            raise ValueError("has no condition: give keywords, tags, priority or capabilities")
        if not (self.executor or self.target or self.set_priority):
            raise ValueError("has no effect: give executor, target or set_priority")
        return self


class RulesFile(Section):
    """A file of routing rules, named by `intelligence.config_file`."""

    rules: list[RuleSection]

    def plain_rules(self) -> list[dict[str, Any]]:
        """The rules as JSON values."""
        return [rule.model_dump(mode="json", exclude_unset=True) for rule in self.rules]


class Intelligence(Section):
    """How routing decides. `rules` is filled from `config_file`."""

    provider: Provider = "rules"
    model: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    config_file: str | None = None
    rules: list[RuleSection] = []


class Episodic(Section):
    """Where decisions and outcomes are remembered."""

    backend: Literal["sqlite", "opensearch"]
    url: str | None = None
    index: str | None = None
    path: str | None = None


class Consolidated(Section):
    """Where learned patterns are kept."""

    backend: Literal["gitlab", "sqlite"]
    url: str | None = None
    repository: str | None = None
    path: str | None = None
    consolidation_schedule: Annotated[str, AfterValidator(check_cron)] | None = None


class Memory(Section):
    """What is remembered; null disables a part."""

    episodic: Episodic | None = None
    consolidated: Consolidated | None = None
    learning: bool = False


class Persistence(Section):
    """Where tasks are stored and how long finished ones stay."""

    storage: Literal["sqlite", "memory", "postgresql"] = "sqlite"
    url: str | None = None
    path: str | None = None
    retention: Annotated[str, AfterValidator(_retention)] = "forever"
    maintenance_schedule: Annotated[str, AfterValidator(check_cron)] | None = None


class Mcp(Section):
    """The MCP server."""

    enabled: bool = False
    port: Port | None = None


class Forge(Section):
    """A connection to GitHub or GitLab."""

    enabled: bool = False
    url: str | None = None
    token: Secret | None = None


class Integrations(Section):
    """What this hopper is connected to."""

    mcp: Mcp | None = None
    github: Forge | None = None
    gitlab: Forge | None = None
    parent_hopper: bool = True
    local_cli: bool = True
    worker_api: bool = True


class ChildInstances(Section):
    """How children are made. `template` is filled from the file `default_config`."""

    auto_create: bool = True
    default_config: str | None = None
    max_depth: Annotated[int, Field(ge=1)] = 2
    template: Keys | None = None


class Work(Section):
    """How work is held, and how often it is tried."""

    lease: Duration = "15m"
    human_lease: Duration | None = None
    max_attempts: Annotated[int, Field(ge=1, le=1000)] = 3
    backoff: Wait = "10s"
    ageing: Duration | None = None


class Keys(Section):
    """All keys of a configuration, at any scope: the addendum's sections, the guide's flat keys."""

    scope: (
        Annotated[Literal["global", "project", "orchestration"], BeforeValidator(_lower)] | None
    ) = None
    instance_id: Id | None = None
    name: Label | None = None
    parent: Label | None = None
    capabilities: Labels = []
    domains: Labels = []
    velocity: Literal["fast", "normal", "slow"] | None = None
    prefix: Annotated[str, AfterValidator(_prefix)] | None = None
    max_concurrent_tasks: Annotated[int, Field(ge=1)] = 10
    max_queued_tasks: Annotated[int, Field(ge=1)] | None = None
    auto_delegate: bool = True
    auto_accept: bool = True
    orchestration_threshold: Annotated[float, Field(ge=0)] = 3
    routing_engine: Provider = "rules"
    llm_fallback: bool = True
    decomposer: Label | None = None
    intelligence: Intelligence | None = None
    memory: Memory | None = None
    persistence: Persistence | None = None
    integrations: Integrations | None = None
    child_instances: ChildInstances | None = None
    work: Work | None = None

    def plain(self) -> dict[str, Any]:
        """The keys that were set, as JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)


ChildInstances.model_rebuild()
Keys.model_rebuild()


class HopperConfig(Keys):
    """The configuration of one hopper, made in Python: `HopperConfig(capabilities=["python"])`.

    Raises ConfigError naming the key that is wrong.
    """

    def __init__(self, **keys: Any) -> None:
        from hopper_tui.config.fault import fault

        try:
            super().__init__(**keys)
        except ValidationError as wrong:
            raise fault(wrong, type(self)).error() from None

    @classmethod
    def for_global(cls) -> HopperConfig:
        """The defaults of a global hopper."""
        return cls(**SCOPE_DEFAULTS[HopperScope.GLOBAL])

    @classmethod
    def for_project(cls) -> HopperConfig:
        """The defaults of a project."""
        return cls(**SCOPE_DEFAULTS[HopperScope.PROJECT])

    @classmethod
    def for_orchestration(cls) -> HopperConfig:
        """The defaults of an orchestration run."""
        return cls(**SCOPE_DEFAULTS[HopperScope.ORCHESTRATION])

    @classmethod
    def from_yaml(cls, path: str | Path, **variables: str) -> HopperConfig:
        """The configuration in a file, `variables` filled in; raises ConfigError."""
        from hopper_tui.config.load import load

        return cls(**load(Path(path), variables))


SCOPE_DEFAULTS: Mapping[HopperScope, dict[str, Any]] = {
    HopperScope.GLOBAL: {
        "scope": "global",
        "intelligence": {"provider": "llm", "model": "claude-sonnet-4", "temperature": 0.3},
        "memory": {
            "episodic": {
                "backend": "opensearch",
                "url": "http://localhost:9200",
                "index": "hopper-global-history",
            },
            "consolidated": {"backend": "gitlab", "consolidation_schedule": "0 2 * * *"},
            "learning": True,
        },
        "persistence": {
            "storage": "postgresql",
            "url": "postgresql://localhost/hopper_global",
            "retention": "forever",
        },
        "integrations": {"mcp": {"enabled": True, "port": 8081}},
        "child_instances": {"auto_create": True},
    },
    HopperScope.PROJECT: {
        "scope": "project",
        "intelligence": {"provider": "rules"},
        "memory": {"episodic": {"backend": "sqlite"}, "consolidated": None, "learning": False},
        "persistence": {"storage": "sqlite", "retention": "1_year"},
        "integrations": {"parent_hopper": True, "local_cli": True},
        "child_instances": {"auto_create": True},
    },
    HopperScope.ORCHESTRATION: {
        "scope": "orchestration",
        "intelligence": {"provider": "simple_priority"},
        "memory": {"episodic": None, "consolidated": None, "learning": False},
        "persistence": {"storage": "memory", "retention": "run_duration"},
        "integrations": {"parent_hopper": True, "worker_api": True},
        "child_instances": {"auto_create": True, "max_depth": 2},
    },
}
"""The addendum's three files without what belongs to one site: ids, file names, tokens."""

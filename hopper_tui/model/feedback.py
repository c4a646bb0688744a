"""What was learned by doing a task."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from hopper_tui.model.clock import duration as read_duration
from hopper_tui.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class TaskFeedback:
    """Feedback on one task. Everything is optional.

    `quality` is 0 to 5, `complexity` 1 to 5; durations are text (`4h`) or seconds. `tasks` counts
    the tasks an aggregate was made of.
    """

    was_good_match: bool | None = None
    should_have_routed_to: str | None = None
    quality: float | None = None
    complexity: float | None = None
    estimated_duration: float | None = None
    actual_duration: float | None = None
    rework: bool | None = None
    rework_reason: str | None = None
    blockers: tuple[str, ...] = ()
    missing_skills: tuple[str, ...] = ()
    notes: str | None = None
    tasks: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (("quality", 0, 5), ("complexity", 1, 5)):
            value = getattr(self, name)
            if value is not None and not low <= float(value) <= high:
                raise Invalid(f"{name} is {low} to {high}, not {value}")
        for name in ("estimated_duration", "actual_duration"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, read_duration(value))
        for name in ("blockers", "missing_skills"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))

    def json(self) -> dict[str, Any]:
        """The feedback as stored and as scripts see it; durations in seconds."""
        values = asdict(self)
        values["blockers"] = list(self.blockers)
        values["missing_skills"] = list(self.missing_skills)
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TaskFeedback:
        """The feedback that `json` gave; unknown keys are ignored."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

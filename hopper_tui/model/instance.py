"""The Instance value: one hopper of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.model.lifecycle import ACTIVE, CLOSED, HopperScope, InstanceStatus, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


class Instance(NamedTuple):
    """A hopper as stored. `config` holds only what was set explicitly; see Settings."""

    id: str
    name: str
    scope: HopperScope
    parent: str | None = None
    status: InstanceStatus = InstanceStatus.CREATED
    config: Mapping[str, Any] = {}
    reason: str | None = None
    created_at: str = ""
    started_at: str | None = None
    stopped_at: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether it takes new work."""
        return self.status is InstanceStatus.RUNNING


class Load(NamedTuple):
    """How much an instance holds: `open` tasks, of which `queued` wait and `active` are held."""

    open: int = 0
    queued: int = 0
    active: int = 0
    capacity: int | None = None

    @classmethod
    def of(cls, counts: Mapping[TaskStatus, int], capacity: int | None) -> Load:
        """The load that counts by status mean."""
        return cls(
            open=sum(n for status, n in counts.items() if status not in CLOSED),
            queued=counts.get(TaskStatus.PENDING, 0),
            active=sum(counts.get(status, 0) for status in ACTIVE),
            capacity=capacity,
        )

    @property
    def has_room(self) -> bool:
        """Whether one more task may be active."""
        return self.capacity is None or self.active < self.capacity

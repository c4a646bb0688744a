"""The three state machines, as tables: instances, tasks, delegations.

Source of the rules: the multi-instance guide, "Instance Status Lifecycle" and "Task Flow".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from hopper_tui.model.errors import Invalid, InvalidTransition

if TYPE_CHECKING:
    from collections.abc import Mapping


class Word(StrEnum):
    """An enum that is read in any case and through `aliases()`."""

    @classmethod
    def aliases(cls) -> Mapping[str, str]:
        """Other words for the members, lower case."""
        return {}

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        word = str(value).strip().casefold().replace("-", "_")
        word = cls.aliases().get(word, word)
        return next((member for member in cls if member.value == word), None)

    @classmethod
    def read(cls: type[W], value: str) -> W:
        """The member named by `value`; raises Invalid listing the choices."""
        try:
            return cls(value)
        except ValueError:
            choices = ", ".join(cls)
            raise Invalid(f"unknown {cls.__doc__} {value!r}", f"Choose one of: {choices}") from None


W = TypeVar("W", bound=Word)


class HopperScope(Word):
    """scope"""

    GLOBAL = "global"
    PROJECT = "project"
    ORCHESTRATION = "orchestration"


PARENT_SCOPES: dict[HopperScope, tuple[HopperScope, ...]] = {
    HopperScope.GLOBAL: (),
    HopperScope.PROJECT: (HopperScope.GLOBAL,),
    HopperScope.ORCHESTRATION: (HopperScope.PROJECT, HopperScope.ORCHESTRATION),
}
"""Which scopes may be the parent of which; an orchestration under another is one of its phases."""


class InstanceStatus(Word):
    """instance status"""

    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERROR = "error"
    TERMINATED = "terminated"


class TaskStatus(Word):
    """status"""

    PENDING = "pending"
    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    DELEGATED = "delegated"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @classmethod
    def aliases(cls) -> Mapping[str, str]:
        return {
            "completed": "done",
            "complete": "done",
            "open": "pending",
            "todo": "pending",
            "started": "in_progress",
            "canceled": "cancelled",
        }


class DelegationStatus(Word):
    """delegation status"""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DelegationType(Word):
    """delegation type"""

    ROUTE = "route"
    DECOMPOSE = "decompose"
    ESCALATE = "escalate"
    REASSIGN = "reassign"


class Priority(Word):
    """priority"""

    URGENT = "urgent"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @classmethod
    def aliases(cls) -> Mapping[str, str]:
        return {"critical": "urgent", "normal": "medium", "med": "medium"}

    @property
    def rank(self) -> int:
        """0 for urgent to 3 for low: the order of the queue."""
        return PRIORITIES.index(self)


PRIORITIES: tuple[Priority, ...] = tuple(Priority)

_I = InstanceStatus
INSTANCE_MOVES: dict[InstanceStatus, tuple[InstanceStatus, ...]] = {
    _I.CREATED: (_I.STARTING, _I.ERROR, _I.TERMINATED),
    _I.STARTING: (_I.RUNNING, _I.ERROR, _I.TERMINATED),
    _I.RUNNING: (_I.STOPPING, _I.PAUSED, _I.ERROR, _I.TERMINATED),
    _I.PAUSED: (_I.RUNNING, _I.STOPPING, _I.ERROR, _I.TERMINATED),
    _I.STOPPING: (_I.STOPPED, _I.ERROR, _I.TERMINATED),
    _I.STOPPED: (_I.STARTING, _I.ERROR, _I.TERMINATED),
    _I.ERROR: (_I.RUNNING, _I.TERMINATED),
    _I.TERMINATED: (),
}

INSTANCE_VERBS: dict[str, dict[InstanceStatus, tuple[InstanceStatus, ...]]] = {
    "start": {
        _I.CREATED: (_I.STARTING, _I.RUNNING),
        _I.STOPPED: (_I.STARTING, _I.RUNNING),
        _I.STARTING: (_I.RUNNING,),
        _I.ERROR: (_I.RUNNING,),
    },
    "stop": {
        _I.RUNNING: (_I.STOPPING, _I.STOPPED),
        _I.PAUSED: (_I.STOPPING, _I.STOPPED),
        _I.STOPPING: (_I.STOPPED,),
    },
    "pause": {_I.RUNNING: (_I.PAUSED,)},
    "resume": {_I.PAUSED: (_I.RUNNING,)},
    "fail": {s: (_I.ERROR,) for s, to in INSTANCE_MOVES.items() if _I.ERROR in to},
    "terminate": {s: (_I.TERMINATED,) for s, to in INSTANCE_MOVES.items() if _I.TERMINATED in to},
}
"""What each lifecycle verb does from each state: the steps it passes through, in order."""

_T = TaskStatus
TASK_MOVES: dict[TaskStatus, tuple[TaskStatus, ...]] = {
    _T.PENDING: (
        _T.CLAIMED, _T.IN_PROGRESS, _T.BLOCKED, _T.DELEGATED, _T.DONE, _T.FAILED, _T.CANCELLED,
    ),
    _T.CLAIMED: (
        _T.PENDING, _T.IN_PROGRESS, _T.BLOCKED, _T.DELEGATED, _T.DONE, _T.FAILED, _T.CANCELLED,
    ),
    _T.IN_PROGRESS: (
        _T.PENDING, _T.BLOCKED, _T.DELEGATED, _T.DONE, _T.FAILED, _T.CANCELLED,
    ),
    _T.BLOCKED: (
        _T.PENDING, _T.CLAIMED, _T.IN_PROGRESS, _T.DELEGATED, _T.DONE, _T.FAILED, _T.CANCELLED,
    ),
    _T.DELEGATED: (_T.PENDING, _T.BLOCKED, _T.DONE, _T.CANCELLED),
    _T.DONE: (_T.PENDING, _T.DELEGATED),
    _T.FAILED: (_T.PENDING, _T.DELEGATED),
    _T.CANCELLED: (_T.PENDING, _T.DELEGATED),
}  # fmt: skip
"""Leaving done, failed or cancelled is always an explicit reopen."""

_D = DelegationStatus
DELEGATION_MOVES: dict[DelegationStatus, tuple[DelegationStatus, ...]] = {
    _D.PENDING: (_D.ACCEPTED, _D.REJECTED, _D.CANCELLED),
    _D.ACCEPTED: (_D.COMPLETED, _D.FAILED, _D.CANCELLED),
    _D.REJECTED: (),
    _D.COMPLETED: (_D.ACCEPTED,),
    _D.FAILED: (_D.ACCEPTED, _D.COMPLETED, _D.CANCELLED),
    _D.CANCELLED: (),
}
"""Back to accepted means that a finished child was reopened."""

LEFT: frozenset[InstanceStatus] = frozenset({_I.STOPPING, _I.STOPPED, _I.TERMINATED})
"""What an instance is when it gives its unclaimed tasks back."""
CLOSED: frozenset[TaskStatus] = frozenset({_T.DONE, _T.FAILED, _T.CANCELLED})
ACTIVE: frozenset[TaskStatus] = frozenset({_T.CLAIMED, _T.IN_PROGRESS})
"""What counts against max_concurrent_tasks."""
OPEN: tuple[TaskStatus, ...] = tuple(s for s in TaskStatus if s not in CLOSED)
HOP_OPEN: frozenset[DelegationStatus] = frozenset({_D.PENDING, _D.ACCEPTED})


def check_task_move(task: str, now: TaskStatus, to: TaskStatus) -> None:
    """Raise InvalidTransition unless a task may go from `now` to `to`."""
    if to in TASK_MOVES[now]:
        return
    hint = (
        "Reopen it first: hopper task reopen"
        if now in CLOSED
        else "It can become: " + ", ".join(TASK_MOVES[now])
    )
    raise InvalidTransition(f"task {task} is {now} and cannot become {to}", hint)


def check_delegation_move(hop: str, now: DelegationStatus, to: DelegationStatus) -> None:
    """Raise InvalidTransition unless a delegation may go from `now` to `to`."""
    if to not in DELEGATION_MOVES[now]:
        options = ", ".join(DELEGATION_MOVES[now]) or "nothing: that is final"
        raise InvalidTransition(
            f"delegation {hop} is {now} and cannot become {to}", f"It can become: {options}"
        )


def instance_steps(instance: str, now: InstanceStatus, verb: str) -> tuple[InstanceStatus, ...]:
    """The states `verb` takes an instance through from `now`; raises InvalidTransition."""
    steps = INSTANCE_VERBS[verb].get(now)
    if steps is None:
        allowed = ", ".join(v for v, table in INSTANCE_VERBS.items() if now in table)
        hint = f"From here you can: {allowed}" if allowed else "Terminated is final"
        raise InvalidTransition(f"cannot {verb} {instance}: it is {now}", hint)
    return steps

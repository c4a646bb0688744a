"""Which fields are merged how: the tables behind the fold.

A register is what one write replaces as a whole. Most fields are registers of their own; those
that only make sense together (the status, who holds the task, since when) are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hopper_tui.model.clock import is_time
from hopper_tui.model.lifecycle import (
    ACTIVE,
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    Priority,
    TaskStatus,
)

STATUS = "status"
"""The register of the fields that move together."""

BOUND: dict[str, frozenset[str]] = {
    "task": frozenset(
        {
            "status", "owner", "result", "reason", "attempts", "waiting", "started_at",
            "completed_at",
        }
    ),
    "delegation": frozenset(
        {"status", "reason", "result", "accepted_at", "completed_at"}
    ),
    "instance": frozenset({"status", "reason", "started_at", "stopped_at"}),
}  # fmt: skip
"""The fields of the status register, by entity."""

_T, _D = TaskStatus, DelegationStatus
RANK: dict[str, dict[str, int]] = {
    "task": {
        _T.DONE: 5, _T.CANCELLED: 4, _T.FAILED: 3,
        _T.CLAIMED: 2, _T.IN_PROGRESS: 2, _T.DELEGATED: 2,
        _T.BLOCKED: 1, _T.PENDING: 0,
    },
    "delegation": {
        _D.COMPLETED: 5, _D.CANCELLED: 4, _D.FAILED: 3, _D.REJECTED: 2, _D.ACCEPTED: 1,
        _D.PENDING: 0,
    },
    "instance": {},
}  # fmt: skip
"""Of concurrent moves the one of higher rank wins: what is done stays done."""

TAKEN: frozenset[str] = frozenset({*ACTIVE, _T.DELEGATED})
"""Somebody has the work: of two who took it at the same time, the earlier one has it."""
FIRST: dict[str, frozenset[str]] = {
    "task": frozenset({_T.DONE, _T.CANCELLED, _T.FAILED, *TAKEN}),
    "delegation": frozenset({_D.COMPLETED, _D.CANCELLED, _D.FAILED, _D.REJECTED, _D.ACCEPTED}),
    "instance": frozenset(),
}
"""Among moves of equal rank the earlier wins for these, the later for the others."""

SETS: dict[str, frozenset[str]] = {
    "task": frozenset({"tags", "required_capabilities", "depends_on"}),
    "delegation": frozenset(),
    "instance": frozenset(),
}
"""Fields that are merged element by element."""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _time_or_none(value: Any) -> bool:
    return value is None or is_time(value)


def _texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(e, str) for e in value)


def _map(value: Any) -> bool:
    return isinstance(value, dict)


def _map_or_none(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _count(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 31


def _anything(_: Any) -> bool:
    return True


def _one_of(words: Any) -> Callable[[Any], bool]:
    known = frozenset(str(word) for word in words)
    return lambda value: isinstance(value, str) and value in known


SHAPES: dict[str, Mapping[str, Callable[[Any], bool]]] = {
    "task": {
        "id": _text, "title": _text, "description": _text, "project": _text_or_none,
        "tags": _texts, "priority": _one_of(Priority), "executor_preference": _text_or_none,
        "required_capabilities": _texts, "depends_on": _texts, "needs_orchestration": _flag,
        "phase": _text_or_none, "estimated_effort": _text_or_none, "due": _time_or_none,
        "requester": _text_or_none, "source": _text_or_none, "external": _map_or_none,
        "metadata": _map, "instance": _text, "status": _one_of(TaskStatus),
        "owner": _text_or_none, "parent_task": _text_or_none, "root_task": _text_or_none,
        "origin": _text_or_none, "attempts": _count, "result": _anything,
        "feedback": _map_or_none, "reason": _text_or_none, "waiting": _flag, "created_at": is_time,
        "started_at": _time_or_none, "completed_at": _time_or_none,
    },
    "instance": {
        "id": _text, "name": _text, "scope": _one_of(HopperScope), "parent": _text_or_none,
        "status": _one_of(InstanceStatus), "config": _map, "reason": _text_or_none,
        "created_at": is_time, "started_at": _time_or_none, "stopped_at": _time_or_none,
    },
    "delegation": {
        "id": _text, "task": _text, "root_task": _text, "source": _text, "target": _text,
        "type": _one_of(DelegationType), "child_tasks": _texts, "subtasks": _texts,
        "status": _one_of(DelegationStatus), "notes": _text_or_none, "reason": _text_or_none,
        "result": _anything, "decision": _map_or_none, "delegated_at": is_time,
        "accepted_at": _time_or_none, "completed_at": _time_or_none,
    },
}  # fmt: skip
"""What each field may hold: the journal is not trusted. Other fields and values are skipped."""


def register_of(entity: str, field: str) -> str:
    """The register that a field belongs to."""
    return STATUS if field in BOUND[entity] else field

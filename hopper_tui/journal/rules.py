"""Which fields are merged how: the tables behind the fold.

A register is what one write replaces as a whole. Most fields are registers of their own; those
that only make sense together (the status, who holds the task, since when) are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hopper_tui.model.clock import duration, is_time
from hopper_tui.model.delegation import PARTS
from hopper_tui.model.errors import Invalid
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
            "completed_at", "not_before",
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


def _maps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(e, dict) for e in value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _count(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 31


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) < 1 << 53


def _numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_number, value.values()))


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: _number(value) and low <= value <= high


def _wait(value: Any) -> bool:
    try:
        return isinstance(value, str) and duration(value) >= 0
    except Invalid:
        return False


def _duration(value: Any) -> bool:
    return _wait(value) and duration(value) > 0


def _anything(_: Any) -> bool:
    return True


def _one_of(words: Any) -> Callable[[Any], bool]:
    known = frozenset(str(word) for word in words)
    return lambda value: isinstance(value, str) and value in known


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _holding(
    members: Mapping[str, Callable[[Any], bool]], needed: Iterable[str] = ()
) -> Callable[[Any], bool]:
    """An object with all `needed` members, in which those that are known fit."""
    wanted = frozenset(needed)

    def fits(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and wanted <= value.keys()
            and all(known(value[name]) for name, known in members.items() if name in value)
        )

    return fits


_WORDS_OF_A_STEP: Mapping[str, Callable[[Any], bool]] = {
    "title": _text, "description": _text, "executor": _text_or_none, "capabilities": _texts,
    "priority": _or_none(_one_of(Priority)), "effort": _text_or_none, "tags": _texts,
    "depends_on": _texts, "phase": _text_or_none, "tasks": lambda value: value == [],
}  # fmt: skip
_STEP = _holding(_WORDS_OF_A_STEP, ("title",))
_STEPS = {"tasks": lambda value: isinstance(value, list) and all(map(_STEP, value))}
_GOAL = _holding({**_WORDS_OF_A_STEP, **_STEPS}, ("title",))


def _parts(value: Any) -> bool:
    """Titles, and goals with tasks that have none: no more of all than a plan may have."""
    if not isinstance(value, list) or not all(_text(part) or _GOAL(part) for part in value):
        return False
    inner = sum(len(part.get("tasks", ())) for part in value if isinstance(part, dict))
    return len(value) + inner <= PARTS


_FEEDBACK = _holding(
    {
        "was_good_match": _or_none(_flag), "should_have_routed_to": _text_or_none,
        "quality": _or_none(_between(0, 5)), "complexity": _or_none(_between(1, 5)),
        "estimated_duration": _or_none(_number), "actual_duration": _or_none(_number),
        "rework": _or_none(_flag), "rework_reason": _text_or_none, "blockers": _texts,
        "missing_skills": _texts, "notes": _text_or_none, "tasks": _count,
    }
)  # fmt: skip
_CANDIDATE = _holding(
    {"target": _text, "score": _number, "factors": _numbers, "refused": _text_or_none},
    ("target", "score"),
)
is_decision = _holding(
    {
        "task": _text, "target": _text_or_none, "strategy": _text, "confidence": _number,
        "reason": _text, "executor": _text_or_none, "priority": _text_or_none,
        "candidates": lambda value: isinstance(value, list) and all(map(_CANDIDATE, value)),
        "decided_by": _text, "decided_at": is_time, "duration_ms": _number,
    },
    ("target", "strategy", "confidence", "reason", "candidates", "decided_by", "decided_at"),
)  # fmt: skip
"""Whether a value is a routing decision as it is recorded."""
_CONFIG = _holding(
    {
        "capabilities": _or_none(_texts), "domains": _or_none(_texts), "velocity": _text_or_none,
        "max_concurrent_tasks": _or_none(_count), "max_queued_tasks": _or_none(_count),
        "auto_delegate": _flag, "auto_accept": _flag, "orchestration_threshold": _number,
        "decomposer": _text_or_none,
        "routing_engine": _text_or_none, "prefix": _text_or_none,
        "intelligence": _or_none(_holding({"provider": _text_or_none, "rules": _or_none(_maps)})),
        "persistence": _or_none(_holding({"storage": _text, "retention": _text})),
        "integrations": _or_none(
            _holding({"parent_hopper": _flag, "local_cli": _flag, "worker_api": _flag})
        ),
        "work": _or_none(
            _holding(
                {
                    "lease": _duration, "human_lease": _or_none(_duration), "max_attempts": _count,
                    "backoff": _wait, "ageing": _or_none(_duration),
                }
            )
        ),
        "child_instances": _or_none(
            _holding({"auto_create": _flag, "max_depth": _count, "template": _map_or_none})
        ),
    }
)  # fmt: skip

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
        "feedback": _or_none(_FEEDBACK), "reason": _text_or_none, "waiting": _flag,
        "created_at": is_time, "started_at": _time_or_none, "completed_at": _time_or_none,
        "not_before": _time_or_none,
    },
    "instance": {
        "id": _text, "name": _text, "scope": _one_of(HopperScope), "parent": _text_or_none,
        "status": _one_of(InstanceStatus), "config": _CONFIG, "reason": _text_or_none,
        "created_at": is_time, "started_at": _time_or_none, "stopped_at": _time_or_none,
    },
    "delegation": {
        "id": _text, "task": _text, "root_task": _text, "source": _text, "target": _text,
        "type": _one_of(DelegationType), "child_tasks": _texts, "subtasks": _parts,
        "status": _one_of(DelegationStatus), "notes": _text_or_none, "reason": _text_or_none,
        "result": _anything, "decision": _or_none(is_decision), "delegated_at": is_time,
        "accepted_at": _time_or_none, "completed_at": _time_or_none,
    },
}  # fmt: skip
"""What each field may hold: the journal is not trusted. Other fields and values are skipped."""


def register_of(entity: str, field: str) -> str:
    """The register that a field belongs to."""
    return STATUS if field in BOUND[entity] else field

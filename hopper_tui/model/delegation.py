"""Delegation, the hop of a task between two instances, and Decision, why it went there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.model.lifecycle import HOP_OPEN, DelegationStatus, DelegationType

if TYPE_CHECKING:
    from collections.abc import Mapping


Part = str | dict[str, Any]
"""One of the subtasks of a decompose: a title, or what a goal of a plan says, as plain values (see
`hopper_tui.model.plan`)."""

PARTS = 500
"""Goals and tasks of one plan together."""


class Delegation(NamedTuple):
    """One hop. The same row stands in the store of the source and in that of the target.

    `task` is the source's task, `child_tasks` those made at the target. `subtasks` are what a
    decompose makes there. `told` is local bookkeeping: the status the other side is known to have.
    """

    id: str
    task: str
    root_task: str
    source: str
    target: str
    type: DelegationType
    child_tasks: tuple[str, ...] = ()
    subtasks: tuple[Part, ...] = ()
    status: DelegationStatus = DelegationStatus.PENDING
    notes: str | None = None
    reason: str | None = None
    result: Any = None
    decision: Mapping[str, Any] | None = None
    delegated_at: str = ""
    accepted_at: str | None = None
    completed_at: str | None = None
    told: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still pending or accepted."""
        return self.status in HOP_OPEN


DELEGATION_JSON = (
    "id", "task", "root_task", "source", "target", "child_tasks", "type", "status", "notes",
    "reason", "result", "decision", "delegated_at", "accepted_at", "completed_at",
)  # fmt: skip


def delegation_json(hop: Delegation) -> dict[str, Any]:
    """A delegation as scripts see it."""
    values = {name: getattr(hop, name) for name in DELEGATION_JSON}
    return values | {"child_tasks": list(hop.child_tasks)}


class Candidate(NamedTuple):
    """One possible target with its score, made of named factors. `refused` says why not."""

    target: str
    score: float
    factors: Mapping[str, float] = {}
    refused: str | None = None

    def json(self) -> dict[str, Any]:
        """The candidate as scripts see it."""
        return {
            "target": self.target,
            "score": self.score,
            "factors": dict(self.factors),
            "refused": self.refused,
        }


class Decision(NamedTuple):
    """Why a task went where it went; `target` None means that nobody fitted and it waits.

    `executor` is the kind of executor that shall do it where it stays: human, ci, manual.
    `confidence` is 0 to 1.
    """

    target: str | None
    strategy: str
    confidence: float
    reason: str
    candidates: tuple[Candidate, ...] = ()
    executor: str | None = None
    priority: str | None = None
    task: str = ""
    decided_by: str = ""
    decided_at: str = ""
    duration_ms: float = 0.0

    def json(self) -> dict[str, Any]:
        """The decision as scripts see it and as it is stored."""
        return {
            "task": self.task,
            "target": self.target,
            "strategy": self.strategy,
            "confidence": self.confidence,
            "reason": self.reason,
            "executor": self.executor,
            "candidates": [c.json() for c in self.candidates],
            "decided_by": self.decided_by,
            "decided_at": self.decided_at,
            "duration_ms": self.duration_ms,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Decision:
        """The decision that `json` gave; unknown keys are ignored."""
        made = cls(**{name: value for name, value in values.items() if name in cls._fields})
        return made._replace(
            candidates=tuple(
                Candidate(**{n: v for n, v in one.items() if n in Candidate._fields})
                for one in values["candidates"]
            )
        )

"""Ranking: candidates with their factors, and the decision made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.model.delegation import Candidate, Decision
from hopper_tui.routing.fit import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hopper_tui.model.task import Task
    from hopper_tui.routing.option import Option

CONFIDENCE: Mapping[str, float] = {
    "explicit": 1.0,
    "rules": 0.9,
    "tags": 0.8,
    "complexity": 0.8,
    "kept": 0.8,
    "content": 0.6,
    "load": 0.3,
    "none": 0.0,
}
"""How sure each strategy is; also the list of strategies."""

RECORDED = 50
"""So many candidates are recorded with a decision, the best ones."""


def find(name: str, options: Iterable[Option]) -> Option | None:
    """The option whose id, name or `hopper-<name>` is `name`, in that order, in any case."""
    wanted = name.strip().casefold()
    by_id = {o.instance.id.casefold(): o for o in options}
    by_name = {o.instance.name.casefold(): o for o in options}
    return by_id.get(wanted) or by_name.get(wanted) or by_id.get(f"hopper-{wanted}")


def candidate(task: Task, option: Option, factors: Mapping[str, float]) -> Candidate:
    """An option with its factors; `load` is added: 1 when idle, less with every open task."""
    factors = {**factors, "load": 1 / (1 + option.load.open)}
    return Candidate(
        option.instance.id, sum(factors.values()), factors, refused=refusal(task, option)
    )


def best(candidates: Iterable[Candidate]) -> Candidate | None:
    """The candidate with the highest score that does not refuse; the first id among equals."""
    fit = (c for c in candidates if not c.refused)
    return min(fit, key=lambda c: (-c.score, c.target), default=None)


def decision(
    target: str | None,
    strategy: str,
    reason: str,
    candidates: Iterable[Candidate] = (),
    executor: str | None = None,
) -> Decision:
    """A decision with its candidates best first, those that refuse last."""
    ranked = sorted(candidates, key=lambda c: (c.refused is not None, -c.score, c.target))
    return Decision(
        target=target,
        strategy=strategy,
        confidence=CONFIDENCE[strategy],
        reason=reason,
        candidates=tuple(ranked[:RECORDED]),
        executor=executor,
    )


def count(number: int, noun: str) -> str:
    """`1 tag`, `2 tags`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"

"""Reading targets: where tasks may be delegated to. In the session's thread."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from hopper_tui.model.lifecycle import DelegationType, HopperScope
from hopper_tui.tui.snapshot import Target, Targets

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Candidate, Decision
    from hopper_tui.model.instance import Instance

RANKED = 100
"""Of so many tasks a ranking is made; whoever delegates more does not wait for all."""
_KINDS = list(DelegationType)


def targets(world: World, task_ids: Sequence[str]) -> Targets:
    """Where some tasks of one hopper may be delegated to, best first: by the mean of their scores,
    after a target that takes all of them one that takes some."""
    hopper, _ = world.find_task(task_ids[0])
    decisions: list[Decision] = []
    if hopper.scope is not HopperScope.ORCHESTRATION:  # which only escalates
        decisions += map(hopper.candidates, task_ids[:RANKED])
    here = hopper.instance
    ranked: defaultdict[str, list[Candidate]] = defaultdict(list)
    for decision in decisions:
        for candidate in decision.candidates:
            ranked[candidate.target].append(candidate)
    found: list[Target] = []
    for node in world.nodes():
        there = node.instance
        kind = _kind(here, there)
        if kind is None or node.error is not None:
            continue
        candidates = ranked[there.id]
        found.append(
            Target(
                there.id,
                there.name,
                kind,
                there.status,
                node.load,
                fmean(c.score for c in candidates) if candidates else None,
                _refused(candidates),
            )
        )
    found.sort(key=lambda t: (_KINDS.index(t.kind), bool(t.refused), -(t.score or 0)))
    return Targets(tuple(found), _choice(world, decisions, here))


def _refused(candidates: Sequence[Candidate]) -> str | None:
    """Why a target would not take all of the tasks it was considered for."""
    reasons = Counter(c.refused for c in candidates if c.refused)
    if not reasons:
        return None
    reason = reasons.most_common(1)[0][0]
    refused = reasons.total()
    return reason if refused == len(candidates) else f"not {refused} of them: {reason}"


def _choice(world: World, decisions: Sequence[Decision], here: Instance) -> str:
    """What routing would do, in a few words."""
    if len(decisions) == 1:
        (decision,) = decisions
        why = f": {decision.reason}" if decision.target in (None, here.id) else ""
        return f"it would {_way(world, decision, here)}{why}"
    ways = Counter(_way(world, decision, here) for decision in decisions)
    return ", ".join(f"{number} would {way}" for way, number in ways.most_common())


def _way(world: World, decision: Decision, here: Instance) -> str:
    if decision.target is None:
        return "wait"
    return "stay" if decision.target == here.id else f"go to {world.name(decision.target)}"


def _kind(here: Instance, there: Instance) -> DelegationType | None:
    """The delegation that leads from one instance to another, None where no way leads."""
    if there.parent == here.id:
        return DelegationType.ROUTE
    if here.parent == there.id:
        return DelegationType.ESCALATE
    if here.parent is not None and here.parent == there.parent and here.id != there.id:
        return DelegationType.REASSIGN
    return None

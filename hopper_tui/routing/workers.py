"""Workers: whether a project keeps a task, and for whom, or hands it to a worker or a new run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.model.delegation import Candidate, Decision
from hopper_tui.routing.complexity import Complexity, complexity
from hopper_tui.routing.fit import lacks, listed, refusal
from hopper_tui.routing.option import NEW_RUN, Option
from hopper_tui.routing.ranking import best, candidate, decision, find
from hopper_tui.routing.rules import DEFAULT_RULES, KEEPERS, Match, matches, priority_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.model.task import Task


def in_project(task: Task, here: Option, workers: Sequence[Option]) -> Decision:
    """Whether the project `here` keeps a task or hands it to one of `workers` or to a new run.

    `target` is the project's own id (kept; `executor` says for whom), a worker's id, NEW_RUN, or
    None: it waits until a worker can take it. Rules decide first, then the executor the task
    prefers, then complexity against the threshold. The order of `workers` makes no difference.
    """
    found = matches(here.settings.rules, task)
    workers = sorted(workers, key=lambda worker: worker.instance.id)
    made = _Project(task, here, workers, complexity(task)).decide(found)
    return made._replace(priority=priority_set(found))


def to_run(task: Task, here: Option, workers: Sequence[Option]) -> Decision:
    """Which of `workers` takes a task that is broken down, or NEW_RUN; `here` or None if there is
    no run for it and none may be made."""
    workers = sorted(workers, key=lambda worker: worker.instance.id)
    return _Project(task, here, workers, complexity(task)).delegate("kept", "it is broken down")


class _Project(NamedTuple):
    """One decision in the making."""

    task: Task
    here: Option
    workers: Sequence[Option]
    measured: Complexity

    def decide(self, found: Sequence[Match]) -> Decision:
        """Keep or delegate, by the first of the criteria that says so."""
        task, settings = self.task, self.here.settings
        if not settings.auto_delegate:
            return self.keep("kept", "auto_delegate is off", found)
        if task.needs_orchestration:
            return self.delegate("complexity", "it needs orchestration")
        for rule in found:
            if made := self.follow(rule):
                return made
        preference = _preference(task)
        if preference in KEEPERS:
            return self.keep("kept", "the task prefers that executor")
        if preference == "orchestration":
            return self.delegate("complexity", "the task asks for orchestration")
        score, least = self.measured.score, settings.threshold
        if score < least:
            stays = f"complexity {score:g} is below the threshold {least:g} ({self.measured})"
            return self.keep("kept", stays)
        reaches = f"complexity {score:g} reaches the threshold {least:g} ({self.measured})"
        return self.delegate("complexity", reaches)

    def follow(self, rule: Match) -> Decision | None:
        """What a rule asks for; None if it asks for nothing that can be done now."""
        executor, target = rule.rule.executor, rule.rule.target
        named = find(target, [self.here, *self.workers]) if target else None
        if executor in KEEPERS or named is self.here:
            return self.keep("rules", str(rule), [rule])
        if named and not refusal(self.task, named):
            reason = f"{rule} and names {named.instance.name}"
            scored = [
                candidate(self.task, w, {"rules": rule.score} if w is named else {})
                for w in self.workers
            ]
            return decision(named.instance.id, "rules", reason, scored)
        return self.delegate("rules", str(rule)) if executor == "orchestration" else None

    def keep(self, strategy: str, reason: str, found: Sequence[Match] = ()) -> Decision:
        """The task stays, for the executor that rules, its own preference or defaults name."""
        said = [*(m.rule.executor for m in found), _preference(self.task)]
        kind = next((kind for kind in said if kind in KEEPERS), None)
        usual = next((m for m in matches(DEFAULT_RULES, self.task) if m.rule.executor), None)
        if kind is None and usual is not None:
            kind, reason = usual.rule.executor, f"{usual}; {reason}"
        kind = kind or "human"
        stays = Candidate(self.here.instance.id, self.measured.score, self.measured.factors)
        reason = f"kept for {kind}: {reason}"
        return decision(stays.target, strategy, reason, [stays], executor=kind)

    def delegate(self, strategy: str, reason: str) -> Decision:
        """To the least loaded worker that can take it, to a new run, or to nobody yet."""
        task, settings = self.task, self.here.settings
        scored = [candidate(task, worker, self.measured.factors) for worker in self.workers]
        running = [worker for worker in self.workers if worker.instance.is_running]
        # Once a run has refused the task, one more run would only refuse it again.
        own_run = task.needs_orchestration and not any(w.refused for w in self.workers)
        missing = lacks(task, tuple((settings.child_config or {}).get("capabilities") or ()))
        if settings.auto_create and not missing and (own_run or not running):
            run = Candidate(NEW_RUN, self.measured.score, self.measured.factors)
            return decision(NEW_RUN, strategy, f"{reason}: a new run", [run, *scored])
        if chosen := best(scored):
            name = next(w.instance.name for w in self.workers if w.instance.id == chosen.target)
            return decision(
                chosen.target, strategy, f"{reason}: {name} has the least to do", scored
            )
        if running:
            refusals = listed([refusal(task, worker) or "" for worker in running])
            return decision(None, "none", f"{reason}, but {refusals}", scored)
        if settings.auto_create:
            return decision(None, "none", f"{reason}, but a new run would lack {missing}", scored)
        return self.keep("kept", f"{reason}, but no worker is running and auto_create is off")


def _preference(task: Task) -> str:
    return (task.executor_preference or "").strip().casefold()

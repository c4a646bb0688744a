"""Reading runs: what the view of runs shows, from the engine. Runs in the session's thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hopper_tui.engine.measuring import Meter, Tally
from hopper_tui.engine.phases import Layout
from hopper_tui.model.lifecycle import ACTIVE, CLOSED, HopperScope, TaskStatus
from hopper_tui.model.plan import CHECKPOINT
from hopper_tui.model.query import Query, Term
from hopper_tui.tui.snapshot import Problem, Question, TaskRow
from hopper_tui.tui.view_snapshot import Held, PhaseRow, Progress, RunRow, RunsSnapshot, WorkerRow

if TYPE_CHECKING:
    from hopper_tui.engine.tree import Node
    from hopper_tui.engine.world import World
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store

_HELD = Query(terms=(Term("status", tuple(sorted(ACTIVE))),))
_CHECKPOINTS = Query(
    terms=(
        Term("tag", (CHECKPOINT,)),
        Term("status", tuple(sorted({TaskStatus.PENDING, *ACTIVE}))),
    )
)


class RunReader:
    """Reads the runs, and of their events each only once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._meters: dict[tuple[str, str], tuple[int, Meter]] = {}

    def read(self, number: int, question: Question) -> RunsSnapshot:
        """Every run; of those that are over only the wanted ones with their workers."""
        try:
            nodes = self._world.nodes(scope=HopperScope.ORCHESTRATION)
        except Exception as error:
            return RunsSnapshot(number, problem=Problem.of(error))
        phases = {child.instance.id for node in nodes for child in node.children}
        wanted = frozenset(question.wanted)
        runs = [self._run(node, wanted) for node in nodes if node.instance.id not in phases]
        runs.sort(key=lambda run: run.instance.created_at, reverse=True)
        runs.sort(key=lambda run: run.is_over)
        return RunsSnapshot(number, tuple(runs), around=question.hopper)

    def _run(self, node: Node, opened: frozenset[str]) -> RunRow:
        instance = node.instance
        project = self._world.name(instance.parent) if instance.parent else "memory"
        try:
            if node.error is not None:
                raise node.error
            return self._readable(node, project, opened)
        except Exception as error:  # one that is broken hides no other
            return RunRow(instance, project, problem=Problem.of(error))

    def _readable(self, node: Node, project: str, opened: frozenset[str]) -> RunRow:
        world, instance = self._world, node.instance
        store = world.store(instance.id)
        layout = Layout.read(world, instance.id)
        members = (instance, *layout.phases)
        counts = [layout.counts.get(member.id, {}) for member in members]
        is_over = any(counts) and not any(set(some) - CLOSED for some in counts)
        waiting = self._waiting(store, layout)
        blocked = {held.row.task.instance for held in waiting}
        workers: tuple[WorkerRow, ...] = ()
        if not is_over or instance.id in opened:
            workers = tuple(self._workers(store, layout))
        return RunRow(
            instance,
            project,
            Progress.of(*counts),
            tuple(
                PhaseRow(
                    phase,
                    number,
                    Progress.of(layout.counts.get(phase.id, {})),
                    layout.left(phase),
                    phase is layout.active,
                    phase.id in blocked,
                )
                for number, phase in enumerate(layout.phases, 1)
            ),
            workers,
            waiting,
            is_over,
        )

    def _waiting(self, store: Store, layout: Layout) -> tuple[Held, ...]:
        """The checkpoints that nothing but approval is missing for."""
        found = [
            task
            for key in layout.queues()
            for task in store.query(_CHECKPOINTS._replace(instance=key))
            if not task.open_deps
        ]
        return tuple(Held(row, row.task.updated_at) for row in self._rows(found))

    def _workers(self, store: Store, layout: Layout) -> Iterable[WorkerRow]:
        world, meter = self._world, self._meter(store, layout)
        members = [layout.run, *layout.phases]
        most = world.settings(layout.run).work.max_attempts
        holds: dict[str, list[Held]] = {}
        held = [t for m in members for t in store.query(_HELD._replace(instance=m.id))]
        for row in self._rows(held):
            since = meter.claimed_at(row.task.id) or row.task.updated_at
            holds.setdefault(row.task.owner or "?", []).append(Held(row, since, most))
        tallies = meter.workers(member.id for member in members)
        for name in sorted({*tallies, *holds}):
            tally, now = tallies.get(name, Tally()), tuple(holds.get(name, ()))
            total = tally.done + tally.failed + len(now)
            progress = Progress(tally.done, tally.failed, len(now), total)
            yield WorkerRow(name, progress, tally.attempts, tally.expired, now)

    def _rows(self, tasks: list[Task]) -> list[TaskRow]:
        short = self._world.short_ids(tasks)
        return [TaskRow(task, short[task.id]) for task in tasks]

    def _meter(self, store: Store, layout: Layout) -> Meter:
        """What the events of a run say; a run of the same name is another if it was made anew."""
        key = (layout.run.id, layout.run.created_at)
        last, meter = self._meters.get(key, (0, Meter()))
        if events := store.events(after=last):
            meter.feed(store, events)
            self._meters[key] = (events[-1].seq, meter)
        return meter

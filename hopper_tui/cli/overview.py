"""Verbs that sum an instance up: status, stats, tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.queue import print_tasks
from hopper_tui.cli.session import Session
from hopper_tui.model.clock import seconds
from hopper_tui.model.lifecycle import HopperScope, TaskStatus
from hopper_tui.model.summary import length
from hopper_tui.model.task import Task, task_json
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.tree import Node
    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance


@command
@instance_option()
def status(session: Session, instance: str | None) -> None:
    """Show the progress of an instance.

    Says how many of its tasks are done, who works on what, and what waits for which reason. The
    tasks of a run include those of its phases, each of which has its own line: the current one is
    the first with tasks that are neither done nor cancelled.

    \b
    Examples:
      hopper status
      hopper status --instance hopper-webapp-run-k3f9 --json
    """
    from hopper_tui.engine import checkout

    world = session.world
    session.keep_up()  # now, so that nothing is told of what it removes
    hopper = world.hopper(instance)
    children = world.nodes(parent=hopper.id)
    phases = _phases(world, hopper, children)
    family = [hopper, *phases]
    summed = Counter[TaskStatus]()
    for member in family:
        summed.update(member.counts())
    counts = {word: summed[word] for word in TaskStatus if summed[word]}
    progress = _progress(world, hopper)
    phase = next((one.phase.name for one in progress if one.is_active), None)
    due = world.maintenance_due(hopper.id)
    total = sum(number for word, number in counts.items() if word is not TaskStatus.CANCELLED)
    done = counts.get(TaskStatus.DONE, 0)
    active = [task for member in family for task in member.list("status:claimed,in_progress")]
    waiting = [
        task
        for member in family
        for task in member.list("is:waiting") + member.list("status:blocked")
    ]
    short_ids = world.short_ids([*active, *waiting])
    where = checkout.state(world, hopper.id)

    def json() -> dict[str, Any]:
        return {
            "instance_id": hopper.id,
            "name": hopper.name,
            "scope": hopper.scope,
            "status": hopper.status,
            "done": done,
            "total": total,
            "counts": counts,
            "active": [task_json(task, short_ids[task.id]) for task in active],
            "waiting": [task_json(task, short_ids[task.id]) for task in waiting],
            "children": [node.json() for node in children],
            "phase": phase,
            "phases": [one.json() for one in progress],
            "maintenance_due": due,
            "branch": where.branch,
            "uncommitted": where.uncommitted,
            "conflicts": where.conflicts,
        }

    def text() -> Iterator[str]:
        yield plain(f"{hopper.name} ({hopper.scope.upper()}) [{hopper.status}]")
        share = f" ({100 * done // total} %)" if total else ""
        yield f"  {done} of {output.counted(total, 'task')} done{share}"
        if counts:
            yield "  " + ", ".join(f"{number} {word}" for word, number in counts.items())
        if phase is not None:
            yield plain(f"  phase: {phase}")
        yield from _phase_lines(progress)
        if where.branch is not None:
            yield plain(f"  on {where.branch}{output.left_to_commit(where.uncommitted)}")
        if where.conflicts:
            yield f"  {output.wanting(where.conflicts)}"
        if due is not None:
            left = length(max(0.0, seconds(due) - world.now()))
            yield f"  maintenance is due {due[:16]}Z, in {left}"
        for title, tasks in (("active", active), ("waiting", waiting)):
            if tasks:
                yield f"{title}:"
                for task in tasks:
                    yield "  " + output.task_line(task, short_ids[task.id])
        if children and not progress:
            yield "children:"
            for node in children:
                yield "  " + output.node_label(node)

    session.answer(json=json, text=text)


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far a phase is: its counts, and whether it is the one that hands out work."""

    phase: Instance
    counts: Mapping[TaskStatus, int]
    is_active: bool

    @property
    def total(self) -> int:
        """Its tasks, cancelled ones aside."""
        return sum(n for status, n in self.counts.items() if status is not TaskStatus.CANCELLED)

    def json(self) -> dict[str, Any]:
        """The progress as scripts see it."""
        return {
            "instance_id": self.phase.id,
            "name": self.phase.name,
            "status": self.phase.status,
            "done": self.counts.get(TaskStatus.DONE, 0),
            "failed": self.counts.get(TaskStatus.FAILED, 0),
            "total": self.total,
            "counts": dict(self.counts),
            "active": self.is_active,
        }


def _progress(world: World, hopper: Hopper) -> list[_Progress]:
    """How far the phases of a run are, in their order."""
    if hopper.scope is not HopperScope.ORCHESTRATION:
        return []
    from hopper_tui.engine.phases import Layout

    layout = Layout.read(world, hopper.id)
    if layout.instance is not layout.run:
        return []
    now = layout.active
    return [_Progress(one, layout.counts.get(one.id, {}), one is now) for one in layout.phases]


def _phase_lines(progress: Sequence[_Progress]) -> list[str]:
    from hopper_tui.cli.columns import align
    from hopper_tui.cli.numbers import progress_bar

    rows = []
    for number, one in enumerate(progress, 1):
        done, failed = (one.counts.get(s, 0) for s in (TaskStatus.DONE, TaskStatus.FAILED))
        rows.append((
            f"  {'>' if one.is_active else ' '} {plain(output.phase_name(number, one.phase.name))}",
            f"[{progress_bar(done, failed, one.total)}]",
            f"{done} of {one.total} done",
            f"{failed} failed" if failed else "",
        ))  # fmt: skip
    return align(rows) if rows else []


def _phases(world: World, hopper: Hopper, children: Sequence[Node]) -> list[Hopper]:
    """The readable phases of a run, in the order they were made."""
    if hopper.scope is not HopperScope.ORCHESTRATION:
        return []
    readable = [node.instance for node in children if node.error is None]
    readable.sort(key=lambda instance: instance.created_at)
    return [world.hopper(instance.id) for instance in readable]


@command
@instance_option()
def stats(session: Session, instance: str | None) -> None:
    """Show the counts and speed of an instance.

    Of a run also those of each worker and phase. Wait is the time from added to claimed, run that
    from claimed to done; p90 is what nine tenths do not exceed.

    \b
    Examples:
      hopper stats
      hopper stats --instance webapp --json
    """
    from hopper_tui.cli.numbers import stats_lines

    numbers = session.world.hopper(instance).stats()
    session.answer(json=lambda: numbers, text=lambda: stats_lines(numbers, session.width))


@dataclass(frozen=True, slots=True)
class _Level:
    """An instance with its tasks and the levels below it; `phase` is its number in its run."""

    node: Node
    tasks: tuple[Task, ...]
    below: tuple[_Level, ...]
    phase: int | None = None


@command
@instance_option()
@click.option("--hierarchy", is_flag=True, help="As a tree, with phases and roles.")
def tasks(session: Session, instance: str | None, hierarchy: bool) -> None:
    """Show all tasks of an instance, or a tree of them.

    The tree goes down through the instances below; what comes after an arrow is who does a task.

    \b
    Examples:
      hopper tasks
      hopper tasks --instance hopper-czarina-run-abc123 --hierarchy
    """
    world = session.world
    hopper = world.hopper(instance)
    if not hierarchy:
        print_tasks(session, hopper.list(closed=True))
        return
    level = _level(world, _node(world, hopper.id))
    everything = list(_all_tasks(level))
    short_ids = world.short_ids(everything)

    def label(item: _Level | Task) -> str:
        if isinstance(item, _Level):
            return output.node_label(item.node, item.phase)
        role = item.owner or item.executor_preference
        arrow = f" → {role}" if role else ""
        return plain(f"{short_ids[item.id]}  {item.title}{arrow} [{item.status}]")

    def json(level: _Level) -> dict[str, Any]:
        return level.node.json() | {
            "held_tasks": [task_json(task, short_ids[task.id]) for task in level.tasks],
            "children": [json(child) for child in level.below],
        }

    session.answer(
        json=lambda: json(level),
        ids=lambda: [task.id for task in everything],
        text=lambda: output.draw_tree(
            [level],
            label,
            lambda item: (*item.tasks, *item.below) if isinstance(item, _Level) else (),
        ),
    )


def _node(world: World, key: str) -> Node:
    """The instance with its subtree."""
    levels = list(world.tree())
    while levels:
        node = levels.pop()
        if node.instance.id == key:
            return node
        levels += node.children
    raise AssertionError(f"{key} is in no tree")


def _level(world: World, node: Node, phase: int | None = None) -> _Level:
    tasks = () if node.error else tuple(world.hopper(node.instance.id).list(closed=True))
    is_run = node.instance.scope is HopperScope.ORCHESTRATION
    below = (
        _level(world, child, number if is_run else None)
        for number, child in enumerate(node.children, 1)
    )
    return _Level(node, tasks, tuple(below), phase)


def _all_tasks(level: _Level) -> Iterator[Task]:
    yield from level.tasks
    for below in level.below:
        yield from _all_tasks(below)

"""Editing: change what a task says, here and in the copies it was delegated as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine import flow, intake
from hopper_tui.engine.phases import Layout
from hopper_tui.model.clock import due_date
from hopper_tui.model.errors import Invalid, InvalidTransition, NotAllowed
from hopper_tui.model.lifecycle import DelegationType, Priority, TaskStatus
from hopper_tui.model.task import Task, storable, valid_title, words

if TYPE_CHECKING:
    from hopper_tui.engine.world import World

_FIELDS: dict[str, bool] = {
    "title": True,
    "description": True,
    "priority": True,
    "due": True,
    "estimated_effort": True,
    "phase": True,
    "requester": True,
    "external": True,
    "metadata": True,
    "executor_preference": False,
    "project": False,
    "needs_orchestration": False,
}
"""What can be edited, and whether the copies of a delegated task say it too."""


class Elements(NamedTuple):
    """Elements to put into a set and to take out of it."""

    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()

    @classmethod
    def of(cls, on: Iterable[str], off: Iterable[str]) -> Elements:
        """The elements given, a single text standing for one."""
        return cls(words(on, "element"), words(off, "element"))


def update(
    world: World, task: Task, fields: Mapping[str, Any], tags: Elements, deps: Elements
) -> None:
    """Change a task and, as far as they say the same, its copies down the chain.

    Raises Invalid, NotFound for an unknown dependency, InvalidTransition for a new dependency of
    a delegated task.
    """
    wanted = _checked(world, fields)
    with world.command("update"):
        copies = list(_copies(world, task))
        if copies:
            world.announce()
        store = world.store(task.instance)
        with world.writing(store) as tx:
            fresh = store.task(task.id) or task
            if "phase" in wanted:
                _check_phase(world, fresh, wanted["phase"])
            depends_on = _dependencies(world, fresh, deps)
            fresh = tx.change(
                fresh, "task.changed", **wanted, tags=_tagged(fresh, tags), depends_on=depends_on
            )
        shared = {name: value for name, value in wanted.items() if _FIELDS[name]}
        for copy in copies:
            below = world.store(copy.instance)
            with world.writing(below) as tx:
                copy = below.task(copy.id) or copy
                tx.change(copy, "task.changed", **shared, tags=_tagged(copy, tags))
        if fresh.waiting:
            flow.drive(world, [], [fresh.instance])


def _check_phase(world: World, task: Task, name: str | None) -> None:
    """Raise NotAllowed if a task of a run with phases would only seem to be of another one."""
    layout = Layout.read(world, task.instance)
    if not layout.phases or name == task.phase:
        return
    short, place = world.short_id(task), layout.instance
    raise NotAllowed(
        f"{short} is at {place.name}: a phase is a queue of its own, and a task stays in its",
        f"Add it anew: hopper add --phase NAME --instance {layout.run.id}; and drop this one:"
        f" hopper task cancel {short}",
    )


def _checked(world: World, fields: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(fields) - set(_FIELDS))
    if unknown:
        choices = ", ".join(sorted(_FIELDS))
        raise Invalid(f"{unknown[0]!r} of a task cannot be set", f"Choose one of: {choices}")
    wanted = dict(fields)
    if "title" in wanted:
        wanted["title"] = valid_title(wanted["title"])
    if "description" in wanted:
        wanted["description"] = storable(wanted["description"] or "", "description")
    if "priority" in wanted:
        wanted["priority"] = Priority.read(str(wanted["priority"]))
    if wanted.get("due"):
        wanted["due"] = due_date(wanted["due"], world.now())
    return wanted


def _copies(world: World, task: Task) -> Iterator[Task]:
    """What a delegated task became, hop by hop; the parts of a decompose say other things."""
    while task.status is TaskStatus.DELEGATED:
        hop = flow.current_hop(world.store(task.instance), task)
        if hop is None or hop.type is DelegationType.DECOMPOSE:
            return
        children = [t for t in world.store(hop.target).children(hop.id) if t.is_open]
        if len(children) != 1:
            return
        task = children[0]
        yield task


def _tagged(task: Task, tags: Elements) -> tuple[str, ...]:
    gone = {tag.casefold() for tag in tags.off}
    return words((*(t for t in task.tags if t.casefold() not in gone), *tags.on), "tag")


def _dependencies(world: World, task: Task, deps: Elements) -> tuple[str, ...]:
    store = world.store(task.instance)
    added = intake.dependencies(store, deps.on)
    if added and task.status is TaskStatus.DELEGATED:
        raise InvalidTransition(
            f"{world.short_id(task)} is delegated: nothing can hold it back here",
            "Make the task that it became wait, where the work is",
        )
    intake.check_acyclic(store, task, added)
    removed = intake.dependencies(store, deps.off)
    kept = tuple(d for d in task.depends_on if d not in removed)
    return words((*kept, *added), "dependency")

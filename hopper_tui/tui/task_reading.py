"""Reading tasks: bodies and hops with the names people know them by. In the session's thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hopper_tui.model.errors import HopperError
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.tui.pages import PAGE
from hopper_tui.tui.snapshot import Hop, TaskRow

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Delegation
    from hopper_tui.model.task import Task


def rows(world: World, instance: str, ids: Sequence[str]) -> dict[str, TaskRow]:
    """The bodies of some tasks of a hopper."""
    tasks = world.hopper(instance).rows(ids)
    short = world.short_ids(tasks)
    targets = _where_to(world, tasks)
    return {t.id: TaskRow(t, short[t.id], targets.get(t.id, "")) for t in tasks}


def _where_to(world: World, tasks: Iterable[Task]) -> dict[str, str]:
    """The names of the hoppers that delegated tasks went to."""
    from hopper_tui.engine import flow

    found: dict[str, str] = {}
    for task in tasks:
        if task.status is not TaskStatus.DELEGATED:
            continue
        hop = flow.current_hop(world.store(task.instance), task)
        if hop is not None and hop.is_open:
            found[task.id] = world.name(hop.target)
    return found


def hop_of(world: World, delegation: Delegation) -> Hop:
    """A delegation with the names of its ends and the title of its task."""
    try:
        title = world.find_task(delegation.task)[1].title
    except HopperError:
        title = delegation.task
    return Hop(delegation, world.name(delegation.source), world.name(delegation.target), title)


def window(ids: Sequence[str], near: tuple[str | None, int]) -> slice:
    """The whole pages around the task the user looks at."""
    key, index = near
    if key is not None and not (index < len(ids) and ids[index] == key):
        try:
            index = ids.index(key)
        except ValueError:
            index = min(index, len(ids))
    page = index // PAGE
    return slice(max(0, page - 1) * PAGE if key else page * PAGE, (page + 2) * PAGE)

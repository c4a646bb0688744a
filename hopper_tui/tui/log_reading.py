"""Reading the log: the newest events of a hopper and of those below it, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hopper_tui.model.event import Event
from hopper_tui.tui.snapshot import Problem, Question, TaskRow
from hopper_tui.tui.view_snapshot import LogRow, LogSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.tree import Node
    from hopper_tui.engine.world import World
    from hopper_tui.store.protocol import Store

NEWEST = 300
"""Events that are read."""
FEWEST = 10
"""Events that are read first of each of many stores."""


class LogReader:
    """Reads the log of one hopper."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, number: int, question: Question) -> LogSnapshot:
        """The newest events, the oldest of them first; of the wanted task alone, if there is
        one."""
        world = self._world
        try:
            hopper = world.hopper(question.hopper)
            stores = self._stores(hopper.id)
            only = next(iter(question.wanted), None)
            found = _newest([store for _, store in stores], only)
            rows = tuple(self._rows(found, {id(store): name for name, store in stores}))
            return LogSnapshot(number, hopper.instance, rows, only=only)
        except Exception as error:
            return LogSnapshot(number, problem=Problem.of(error))

    def _stores(self, key: str) -> list[tuple[str, Store]]:
        """The stores of a hopper and of all below it that can be read, with the name of the first
        hopper in each."""
        found: dict[int, tuple[str, Store]] = {}
        for node in _below(self._world.tree(), key):
            if node.error is None:
                store = self._world.store(node.instance.id)
                found.setdefault(id(store), (node.instance.name, store))
        return list(found.values())

    def _rows(self, found: list[tuple[Event, Store]], names: dict[int, str]) -> Iterator[LogRow]:
        """The events with what people know their tasks by."""
        world = self._world
        tasks: dict[str, TaskRow] = {}
        by_store: dict[int, tuple[Store, set[str]]] = {}
        hops = {}
        for event, store in found:
            _, keys = by_store.setdefault(id(store), (store, set()))
            if event.entity == "task":
                keys.add(event.key)
            elif event.entity == "delegation" and (hop := store.delegation(event.key)):
                hops[event.key] = hop
                keys.add(hop.task)
        for store, keys in by_store.values():
            bodies = store.tasks(sorted(keys))
            short = world.short_ids(bodies)
            tasks |= {task.id: TaskRow(task, short[task.id]) for task in bodies}
        told = set()
        for event, store in found:
            if event.entity == "command":  # the changes that took it back tell more
                continue
            once = (event.group, event.kind, event.key)
            if event.entity == "delegation" and once in told:  # both its ends record it
                continue
            told.add(once)
            hop = hops.get(event.key)
            task = tasks.get(hop.task if hop else event.key)
            way = f"{world.name(hop.source)} → {world.name(hop.target)}" if hop else ""
            if event.entity == "instance":
                way = world.name(event.key)
            yield LogRow(event, names[id(store)], task, way)


def _below(nodes: Iterable[Node], key: str) -> Iterator[Node]:
    """The node of a hopper, and all below it."""
    for node in nodes:
        if node.instance.id == key:
            yield from _all((node,))
        else:
            yield from _below(node.children, key)


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _all(node.children)


def _newest(known: list[Store], only: str | None) -> list[tuple[Event, Store]]:
    """The newest events of all stores together: of each a few first, and all that may count of
    those that have more as new as those found."""
    few = max(FEWEST, NEWEST // max(1, len(known)))
    read = [store.events(newest=True, limit=few, key=only) for store in known]
    found = _merged(zip(read, known, strict=True))
    if len(known) > 1:
        least = found[0][0].at if len(found) == NEWEST else ""
        for index, events in enumerate(read):
            if len(events) == few and events[-1].at > least:
                read[index] = known[index].events(newest=True, limit=NEWEST, key=only)
        found = _merged(zip(read, known, strict=True))
    return found


def _merged(read: Iterable[tuple[list[Event], Store]]) -> list[tuple[Event, Store]]:
    found = [(event, store) for events, store in read for event in reversed(events)]
    found.sort(key=lambda one: one[0].at)
    return found[-NEWEST:]

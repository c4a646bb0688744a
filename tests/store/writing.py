"""Writing to a store in one line: `tasks(store, "one", "two", tags=("api",))`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from hopper_tui.model.clock import stamp
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.executor import Executor
from hopper_tui.model.ids import derived_key
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import DelegationType, HopperScope
from hopper_tui.model.task import Task
from hopper_tui.store.protocol import Store, Transaction

START = 1_800_000_000.0
"""When these tests happen, in seconds."""
AT = stamp(START)


def writing(
    store: Store, group: str = "g1", actor: str = "ann", at: str = AT
) -> AbstractContextManager[Transaction]:
    """A transaction."""
    return store.transaction(group, actor, at)


def task(title: str, **fields: Any) -> Task:
    """A task at `web` whose id follows from its title."""
    fields.setdefault("id", derived_key(title))
    return Task(**{"instance": "web", "created_at": AT, "title": title} | fields)


def tasks(store: Store, *titles: str, **fields: Any) -> list[Task]:
    """Tasks with these titles, created in one transaction."""
    with writing(store) as tx:
        return [tx.create(task(title, **fields), "task.created") for title in titles]


def change(store: Store, one: Task, **fields: Any) -> Task:
    """A task after a change."""
    with writing(store, "g2") as tx:
        return tx.change(one, "task.changed", **fields)


def hop(key: str = "h", **fields: Any) -> Delegation:
    """A hop from web to worker."""
    known: dict[str, Any] = {
        "id": key, "task": "t", "root_task": "t", "source": "web", "target": "worker",
        "type": DelegationType.ROUTE, "delegated_at": AT,
    }  # fmt: skip
    return Delegation(**(known | fields))


def instance(key: str = "web", **fields: Any) -> Instance:
    """A project."""
    known: dict[str, Any] = {"id": key, "name": key, "scope": HopperScope.PROJECT, "created_at": AT}
    return Instance(**(known | fields))


def titles(found: list[Task]) -> list[str]:
    """The titles of tasks, in order."""
    return [one.title for one in found]


def first(store: Store, who: str | None = None, *capabilities: str) -> Task | None:
    """The task of `web` that an executor gets next."""
    return store.next_task(("web",), Executor.of(who, None, capabilities), AT)

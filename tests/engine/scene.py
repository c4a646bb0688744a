"""Scene: a small tree of hoppers, and words to say what became of a task."""

from __future__ import annotations

from typing import Any

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.task import Task

COMPLEX = "Implement OAuth"
"""Goes to a worker by the default configuration."""
SIMPLE = "Fix typo in README"
"""Stays at the project for a person."""


class Clock:
    """Seconds since the epoch that stand still until `tick`."""

    def __init__(self, seconds: float = 1_795_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


class Scene:
    """A world with a running global hopper named `global`."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock
        world.create_instance("global", "global")
        world.move_instance("global", "start")

    @property
    def top(self) -> Hopper:
        """The global hopper."""
        return self.world.hopper("global")

    def project(self, name: str = "web", **config: Any) -> Hopper:
        """A running project below the global hopper."""
        hopper = self.world.create_instance(name, "project", config=config)
        self.world.move_instance(hopper.id, "start")
        return hopper

    def worker(self, name: str = "w1", parent: str = "web", **config: Any) -> Hopper:
        """A running orchestration below a project."""
        hopper = self.world.create_instance(name, "orchestration", parent, config)
        self.world.move_instance(hopper.id, "start")
        return hopper

    def team(self, *workers: str, **config: Any) -> tuple[Hopper, ...]:
        """The project `web`, which makes no runs by itself, and its workers."""
        web = self.project(**{"child_instances": {"auto_create": False}} | config)
        return (web, *(self.worker(name) for name in workers or ("w1",)))

    def task(self, key: str) -> Task:
        """A task as it is now, wherever it is."""
        return self.world.find_task(key)[1]

    def status(self, key: str) -> str:
        """The status of a task as a word."""
        return str(self.task(key).status)

    def leaf(self, key: str) -> Task:
        """The task at the end of the latest hops below a task."""
        task = self.task(key)
        while hops := self.world.store(task.instance).hops_of(task.id):
            children = self.world.store(hops[-1].target).children(hops[-1].id)
            if hops[-1].status in ("rejected", "cancelled") or not children:
                break
            task = children[0]
        return task

    def holder(self, key: str) -> str:
        """The name of the hopper where the work on a task is."""
        return self.world.name(self.leaf(key).instance)

    def chain(self, key: str) -> list[str]:
        """The chain of a task as the guide prints it, without numbers."""
        name = self.world.name
        return [
            f"{name(h.source)} → {name(h.target)} ({h.type}) [{h.status}]"
            for h in self.world.chain(key)
        ]

    def titles(self, hopper: Hopper, **filters: Any) -> list[str]:
        """The titles of the tasks a hopper holds."""
        return [task.title for task in hopper.list(**filters)]

    def settled(self) -> bool:
        """Whether nothing is left to repeat between the stores."""
        unsettled = [hop for store in self.world.stores() for hop in store.unsettled()]
        return self.world.reconcile() == 0 and not unsettled

"""Laws of the engine: whatever is done, in any order, the records and the tables agree."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hopper_tui.engine.world import World
from hopper_tui.model.errors import HopperError
from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.model.lifecycle import (
    CLOSED,
    HOP_OPEN,
    DelegationType,
    HopperScope,
    Priority,
    TaskStatus,
)
from hopper_tui.model.query import Query
from hopper_tui.model.task import Task
from hopper_tui.store.protocol import Store

START = 1_800_000_000.0
HOPPERS = ("global", "webapp", "worker-1", "worker-2")
VERBS = ("claim", "start", "complete", "fail", "block", "release", "cancel", "reopen")

hoppers = st.sampled_from(HOPPERS)
numbers = st.integers(0, 30)
tags = st.lists(st.sampled_from(("react", "ui", "docs")), max_size=3)


def family() -> World:
    """The guide's hierarchy in memory, running; time and ids are the same in every run."""
    clock = count()
    entropy = random.Random(7)
    world = World(
        None, actor="ann", clock=lambda: START + next(clock) / 1000, entropy=entropy.randbytes
    )
    world.make_global("global")
    web = world.create_instance("webapp", HopperScope.PROJECT, config={"capabilities": ["react"]})
    world.move_instance(web.id, "start")
    for name, auto_accept in (("worker-1", True), ("worker-2", False)):
        config = {"auto_accept": auto_accept, "max_concurrent_tasks": 2}
        made = world.create_instance(name, HopperScope.ORCHESTRATION, web.id, config)
        world.move_instance(made.id, "start")
    return world


def tables(store: Store) -> tuple[Any, ...]:
    """Everything a store's events tell."""
    return (
        [_unordered(t) for t in store.query(Query(closed=True, sort="created"))],
        store.instances(),
        store.delegations(),
        store.all_counts(),
    )


def _unordered(task: Task) -> tuple[Any, ...]:
    """A task, its sets without order."""
    values = [getattr(task, name) for name in Task.__slots__]
    return tuple(frozenset(v) if isinstance(v, tuple) else v for v in values)


def visible(world: World) -> dict[str, tuple[Any, ...]]:
    """What a person sees of every task."""
    return {
        t.id: (
            t.title, t.status, t.instance, t.owner, t.priority, frozenset(t.tags),
            frozenset(t.depends_on), t.result, t.due, t.feedback, t.executor_preference,
        )
        for store in world.stores()
        for t in store.query(Query(closed=True))
    }  # fmt: skip


class AnyCommands(RuleBasedStateMachine):
    """A person at the keyboard who does anything, allowed or not."""

    def __init__(self) -> None:
        super().__init__()
        self.world = family()

    @initialize(places=st.lists(st.sampled_from(HOPPERS[:3]), min_size=2, max_size=4))
    def begin(self, places: list[str]) -> None:
        for n, where in enumerate(places):
            self.world.hopper(where).add_task(title=f"first {n}", tags=("react", "ui"))

    def _tasks(self) -> list[Task]:
        found = [t for s in self.world.stores() for t in s.query(Query(closed=True))]
        return sorted(found, key=lambda t: (t.created_at, t.id))

    def _task(self, number: int) -> Task:
        tasks = self._tasks()
        return tasks[number % len(tasks)]

    @rule(where=hoppers, tags=tags, priority=st.sampled_from(Priority), after=numbers)
    def add(self, where: str, tags: list[str], priority: Priority, after: int) -> None:
        hopper = self.world.hopper(where)
        held = hopper.list(closed=True)
        deps = (held[after % len(held)].id,) if held and after % 3 == 0 else ()
        with suppress(HopperError):
            hopper.add_task(
                title=f"task {len(self._tasks())}", tags=tuple(tags), priority=priority,
                depends_on=deps,
            )  # fmt: skip

    @rule(number=numbers, verb=st.sampled_from(VERBS))
    def move(self, number: int, verb: str) -> None:
        task = self._task(number)
        hopper = self.world.hopper(task.instance)
        with suppress(HopperError):
            if verb == "fail":
                hopper.fail(task.id, "broken")
            else:
                getattr(hopper, verb)(task.id)

    @rule(where=st.sampled_from(HOPPERS[1:]), complete=st.booleans())
    def take(self, where: str, complete: bool) -> None:
        with suppress(HopperError):
            taken = self.world.hopper(where).claim_next()
            if taken is not None and complete:
                self.world.hopper(where).complete(taken.id, result="it works")

    @rule(number=numbers, title=st.sampled_from(("a", "b")), tags=tags, gone=tags)
    def update(self, number: int, title: str, tags: list[str], gone: list[str]) -> None:
        task = self._task(number)
        with suppress(HopperError):
            self.world.hopper(task.instance).update(
                task.id, title=title, add_tags=tags, remove_tags=gone
            )

    @rule(number=numbers, quality=st.integers(0, 5))
    def rate(self, number: int, quality: int) -> None:
        task = self._task(number)
        with suppress(HopperError):
            self.world.hopper(task.instance).give_feedback(task.id, TaskFeedback(quality=quality))

    @rule(number=numbers, kind=st.sampled_from(DelegationType), goal=hoppers)
    def delegate(self, number: int, kind: DelegationType, goal: str) -> None:
        task = self._task(number)
        subtasks = ("one", "two") if kind is DelegationType.DECOMPOSE else ()
        to = None if kind is DelegationType.ESCALATE else goal
        with suppress(HopperError):
            self.world.hopper(task.instance).delegate(task.id, to, kind, subtasks)

    @rule(number=numbers, answer=st.sampled_from(("accept", "reject", "complete", "cancel")))
    def answer(self, number: int, answer: str) -> None:
        hops = [h for h in self.world.delegations() if h.status in HOP_OPEN]
        if not hops:
            return
        hop = hops[number % len(hops)]
        hopper = self.world.hopper(hop.target)
        with suppress(HopperError):
            if answer == "reject":
                hopper.reject(hop.id, "too hard")
            elif answer == "accept":
                hopper.accept(hop.id)
            else:
                getattr(hopper, f"{answer}_delegation")(hop.id)

    @rule(where=hoppers, verb=st.sampled_from(("stop", "pause")), only=st.integers(0, 3))
    def leave(self, where: str, verb: str, only: int) -> None:
        with suppress(HopperError):
            if only == 0:
                self.world.move_instance(where, verb)

    @rule()
    def everybody_comes_back(self) -> None:
        for node in self.world.nodes():
            with suppress(HopperError):
                verb = "resume" if node.instance.status == "paused" else "start"
                self.world.move_instance(node.instance.id, verb)

    @rule(where=hoppers)
    def undo(self, where: str) -> None:
        with suppress(HopperError):
            self.world.undo(where)

    @rule(where=hoppers)
    def undo_and_redo(self, where: str) -> None:
        before = visible(self.world)
        try:
            self.world.undo(where)
        except HopperError:
            assert visible(self.world) == before
            return
        self.world.redo(where)
        after = visible(self.world)
        assert {key: after[key] for key in before} == before
        assert all(after[key][1] is TaskStatus.CANCELLED for key in after.keys() - before)

    @invariant()
    def the_tables_agree_with_themselves(self) -> None:
        for store in self.world.stores():
            assert store.check() == []
            for instance in store.instances():
                held = [t.status for t in store.query(Query(instance.id, closed=True))]
                counted = {status: held.count(status) for status in set(held)}
                assert store.counts(instance.id) == counted

    @invariant()
    def a_task_is_delegated_exactly_while_a_hop_is_open(self) -> None:
        for task in self._tasks():
            hops = self.world.store(task.instance).hops_of(task.id)
            still_open = [h for h in hops if h.status in HOP_OPEN]
            assert len(still_open) == (task.status is TaskStatus.DELEGATED)

    @invariant()
    def both_sides_of_a_hop_agree(self) -> None:
        tasks = {task.id: task for task in self._tasks()}
        sides: dict[str, set[str]] = {}
        for store in self.world.stores():
            for hop in store.delegations():
                sides.setdefault(hop.id, set()).add(hop.status)
                children = [tasks[key].status for key in hop.child_tasks if key in tasks]
                if hop.status == "completed":
                    assert children == [TaskStatus.DONE] * len(hop.child_tasks)
                elif hop.status in ("rejected", "cancelled"):
                    assert all(status in CLOSED for status in children)
                elif hop.status == "accepted":
                    assert any(status not in CLOSED for status in children)
        assert all(len(statuses) == 1 for statuses in sides.values())

    def teardown(self) -> None:
        """At the end everything is at rest, and the events alone give the same tables."""
        assert self.world.reconcile() == 0
        for store in self.world.stores():
            before = tables(store)
            store.rebuild()
            assert tables(store) == before
            assert store.unsettled() == []


AnyCommands.TestCase.settings = settings(
    max_examples=max(30, settings.default.max_examples // 4 if settings.default else 30),
    stateful_step_count=40,
)
TestAnyCommands = AnyCommands.TestCase

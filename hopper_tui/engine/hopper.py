"""Hopper: one task queue, the same class at every scope."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hopper_tui import engine
from hopper_tui.engine import flow, intake, routes
from hopper_tui.engine.configuring import GLOBAL_ID
from hopper_tui.engine.phases import Layout
from hopper_tui.engine.world import World
from hopper_tui.model.errors import (
    AtCapacity,
    ConfigError,
    Invalid,
    InvalidTransition,
    NotAllowed,
    NotFound,
)
from hopper_tui.model.executor import Executor
from hopper_tui.model.lifecycle import (
    ACTIVE,
    CLOSED,
    DelegationType,
    HopperScope,
    InstanceStatus,
    Priority,
    TaskStatus,
)
from hopper_tui.model.query import Query, Term
from hopper_tui.model.task import Task, storable, words

if TYPE_CHECKING:
    from hopper_tui.config.schema import HopperConfig
    from hopper_tui.model.delegation import Decision, Delegation
    from hopper_tui.model.event import Event, HopperEvent
    from hopper_tui.model.feedback import TaskFeedback
    from hopper_tui.model.instance import Instance, Load
    from hopper_tui.model.plan import Decomposer
    from hopper_tui.model.settings import Settings
    from hopper_tui.store.protocol import Store

Ids = list[str]
Tasks = list[Task]
_worlds: dict[Path, World] = {}
"""The worlds of this process by home, for Hoppers made without a parent or world."""


def default_world() -> World:
    """The world of HOPPER_HOME or ~/.hopper, one for all Hoppers of this process."""
    home = Path(os.environ.get("HOPPER_HOME") or os.path.expanduser("~/.hopper")).absolute()
    if home not in _worlds:
        _worlds[home] = World.from_environment(home, via="python")
    return _worlds[home]


class Hopper:
    """A task queue at one scope: global routes, project decides, orchestration executes.

    Opens the hopper `instance_id`, or makes and starts it. Without a `parent` a project hangs
    below the global hopper of the home; an orchestration, or one without an id, stands alone, in
    memory. A Hopper is a
    context manager and safe to share between threads. Everything raises HopperError.
    """

    def __init__(
        self,
        scope: HopperScope | str,
        instance_id: str | None = None,
        parent: Hopper | str | None = None,
        config: HopperConfig | Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        world: World | None = None,
    ) -> None:
        scope = HopperScope.read(str(scope))
        if world is None:
            if isinstance(parent, Hopper):
                world = parent.world
            elif parent is None and (scope is HopperScope.ORCHESTRATION or instance_id is None):
                world = World.memory()
            else:
                world = default_world()
        above = parent.id if isinstance(parent, Hopper) else parent
        self.world: World = world
        self.id: str = engine.runs.open_or_make(
            world, scope, instance_id, above, _plain(config), name
        )

    @classmethod
    def open(cls, world: World, key: str) -> Hopper:
        """The hopper with that full id in a world; raises NotFound."""
        hopper = cls.__new__(cls)
        hopper.world = world
        hopper.id = world.instance(key).id
        return hopper

    @classmethod
    def global_instance(cls) -> Hopper:
        """The global hopper of the home, made by its first use."""
        world = default_world()
        return cls.open(world, world.global_id or world.make_global(GLOBAL_ID).id)

    @classmethod
    def get_instance(cls, instance_id: str) -> Hopper:
        """The hopper with that id or name; raises NotFound."""
        return default_world().hopper(instance_id)

    @classmethod
    def list_instances(
        cls, scope: HopperScope | str | None = None, parent: str | None = None
    ) -> list[Hopper]:
        """All hoppers of the home; both filters combine."""
        world = default_world()
        nodes = world.nodes(scope=scope, parent=parent)
        return [cls.open(world, n.instance.id) for n in nodes if n.error is None]

    @classmethod
    def list_all_instances(cls) -> list[dict[str, Any]]:
        """All hoppers as dicts: instance_id, scope, status, tasks, children, parent unless root."""
        found = []
        for node in default_world().nodes():
            one: dict[str, Any] = {
                "instance_id": node.instance.id,
                "scope": str(node.instance.scope),
                "status": str(node.instance.status),
                "tasks": node.load.open,
                "children": [child.instance.id for child in node.children],
            }
            if node.instance.parent is not None:
                one["parent"] = node.instance.parent
            found.append(one)
        return found

    def __enter__(self) -> Hopper:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the databases; the next call opens them again. What is in memory stays."""
        if self.world.home is not None:
            for store in self.world.places.opened():
                if store.path is not None:
                    store.close()

    def __repr__(self) -> str:
        return f"Hopper({self.scope.value!r}, {self.id!r})"

    # What it is

    @property
    def instance(self) -> Instance:
        """The instance as stored now."""
        return self.world.instance(self.id)

    @property
    def instance_id(self) -> str:
        """The id."""
        return self.id

    @property
    def name(self) -> str:
        """The display name."""
        return self.instance.name

    @property
    def scope(self) -> HopperScope:
        """The scope."""
        return self.instance.scope

    @property
    def status(self) -> InstanceStatus:
        """The lifecycle status."""
        return self.instance.status

    @property
    def run(self) -> Hopper:
        """The run that it is a phase of, or itself."""
        return Hopper.open(self.world, Layout.read(self.world, self.id).run.id)

    @property
    def settings(self) -> Settings:
        """What its configuration means."""
        return self.world.settings(self.instance)

    @property
    def config(self) -> dict[str, Any]:
        """Its configuration: the file's, overlaid by what was set on the instance."""
        return self.world.full_config(self.instance)

    @property
    def parent(self) -> Hopper | None:
        """The hopper above."""
        above = self.instance.parent
        return None if above is None else Hopper.open(self.world, above)

    @property
    def children(self) -> list[Hopper]:
        """The hoppers below."""
        return [Hopper.open(self.world, child.id) for child in self.world.children(self.id)]

    @property
    def store(self) -> Store:
        """The store that keeps it."""
        return self.world.store(self.id)

    # Adding

    def add_task(self, task: Task | None = None, **fields: Any) -> str:
        """Add a task, given as a Task or by its fields; returns its id.

        A global hopper routes it to a project, a project keeps it or delegates it, an
        orchestration queues it: where it has phases and `phase` names one, in that.
        Raises Invalid, NotAllowed, and NotFound for an unknown phase.
        """
        given = Task(**fields) if task is None else task._replace(**fields)
        instance = self._check_adding()
        if given.depends_on or instance.scope is HopperScope.ORCHESTRATION:
            return self.add_tasks([given])[0]
        world = self.world
        with world.command("add"):
            fresh = self._fresh(instance, given)
            decision, made = routes.resolve(world, instance, fresh)
            if decision.target not in (None, instance.id):
                world.announce()
            with world.writing(self.store) as tx:
                self._check_alive()
                stored = tx.create(fresh, "task.created")
                routes.enact(world, tx, stored, decision)
            if decision.target != instance.id:
                flow.drive(world, [self.store], [instance.id] if made else [])
        return fresh.id

    def add_tasks(self, tasks: Iterable[Task]) -> Ids:
        """Add many tasks in one transaction, all or none; returns their ids.

        Dependencies may name tasks earlier in the same batch by their position: `#1`.
        """
        instance = self._check_adding()
        world = self.world
        routed = instance.scope is not HopperScope.ORCHESTRATION
        made: list[str] = []
        with world.command("add"):
            if routed:
                world.announce()
            with world.writing(self.store) as tx:
                self._check_alive()
                for given in tasks:
                    named = tuple(_earlier(ref, made) for ref in words(given.depends_on, "id"))
                    given, place = self._placed(instance, given._replace(depends_on=named))
                    fresh = self._fresh(place, given)
                    routes.take_or_queue(world, tx, place, fresh)
                    made.append(fresh.id)
            if routed:
                flow.drive(world, [], [instance.id], most=None)
        return made

    def _placed(self, instance: Instance, given: Task) -> tuple[Task, Instance]:
        """A new task, and the phase of a run where it belongs if it names one."""
        in_run = instance.scope is HopperScope.ORCHESTRATION
        if not in_run or not given.phase or not isinstance(given.phase, str):
            return given, instance
        place = Layout.read(self.world, instance.id).place(given.phase)
        if place.status is InstanceStatus.TERMINATED:
            raise NotAllowed(f"{place.name} is terminated", "Add it to another phase")
        return (given if place is instance else given._replace(phase=place.name)), place

    def _check_adding(self) -> Instance:
        instance = self.instance
        self._check_alive()
        if instance.scope is HopperScope.ORCHESTRATION:
            self._check_queue(instance)
        if self.world.via == "cli" and not self.world.settings(instance).local_cli:
            raise NotAllowed(
                f"{instance.name} takes no tasks from the command line",
                "Its configuration says integrations.local_cli: false",
            )
        return instance

    def _check_queue(self, instance: Instance) -> None:
        most = self.world.settings(instance).max_queued
        if most is not None and (queued := self.load().queued) >= most:
            raise AtCapacity(
                f"{instance.name} has a full queue: {queued}/{most}", "Add it to its project"
            )

    def _check_alive(self) -> None:
        """Asked again inside a transaction: a run may end while a task is on its way."""
        instance = self.instance
        if instance.status is InstanceStatus.TERMINATED:
            raise NotAllowed(
                f"{instance.name} is terminated", "Add it to another hopper: hopper instance list"
            )

    def _fresh(self, instance: Instance, given: Task) -> Task:
        world = self.world
        fresh = intake.fresh_task(world, instance, given)
        return fresh._replace(
            requester=fresh.requester or world.actor,
            source=fresh.source or world.via,
        )

    # Looking

    def get(self, ref: str) -> Task:
        """The task with that id or prefix; raises NotFound, AmbiguousId."""
        known = self.store.task(ref)
        return known if known is not None else self.world.find_task(ref)[1]

    def list(
        self,
        filter: str = "",
        *,
        query: Query | None = None,
        **conditions: Any,
    ) -> Tasks:
        """The tasks it holds that fit a filter text (see `engine.filter`) and the conditions of
        `query`, or a ready-made query; closed ones only on request."""
        wanted = self.query(filter, **conditions) if query is None else query
        return self.store.query(wanted._replace(instance=self.id))

    def query(
        self,
        filter: str = "",
        *,
        status: str | None = None,
        priority: str | None = None,
        tag: str | None = None,
        owner: str | None = None,
        project: str | None = None,
        ready: bool = False,
        closed: bool = False,
        sort: str = "queue",
        limit: int | None = None,
    ) -> Query:
        """The query that these filters mean; raises Invalid."""
        terms = list(engine.saved_filters.terms(self.world, filter)) if filter else []
        if status is not None:
            terms.append(Term("status", (TaskStatus.read(status),)))
        if priority is not None:
            terms.append(Term("priority", (Priority.read(priority),)))
        for name, value in (("tag", tag), ("owner", owner), ("project", project)):
            if value is not None:
                terms.append(Term(name, (value,)))
        if ready:
            terms.append(Term("ready", ("1",)))
        return Query(self.id, tuple(terms), closed, sort, limit)

    def ids(self, query: Query) -> Ids:
        """The ids of the tasks it holds that a query asks for, in its order."""
        return self.store.ids(query._replace(instance=self.id))

    def rows(self, ids: Sequence[str]) -> Tasks:
        """The tasks with those ids, in that order; unknown ones are left out."""
        store = self.store
        found = store.tasks(ids)
        for task in found:
            engine.finding.remember(self.world, task.id, store)
        return found

    def count(self, query: Query) -> int:
        """How many of its tasks a query asks for, its limit aside."""
        return self.store.count(query._replace(instance=self.id, limit=None))

    def counts(self) -> dict[TaskStatus, int]:
        """The number of its tasks by status."""
        return self.store.counts(self.id)

    def load(self) -> Load:
        """How much it holds now."""
        return self.world.load(self.instance)

    def is_empty(self) -> bool:
        """Whether no open task remains."""
        return self.load().open == 0

    def get_next(
        self,
        executor: str | None = None,
        capabilities: Sequence[str] = (),
        role: str | None = None,
    ) -> Task | None:
        """The next task for an executor, None when there is none; nothing is taken.

        A named executor is a worker of a role (its name, if none is given): it gets what prefers
        its name, its role or nobody. Raises NotAllowed at a global hopper, and while it is not
        running.
        """
        return engine.claiming.next_task(
            self.world, self.instance, self._executor(executor, role, capabilities)
        )

    def claim_next(
        self,
        executor: str | None = None,
        capabilities: Sequence[str] = (),
        lease: float | None = None,
        role: str | None = None,
    ) -> Task | None:
        """Like `get_next`, and takes the task in the same transaction, for `lease` seconds (None:
        as configured); raises AtCapacity."""
        return engine.claiming.claim_next(
            self.world, self.id, self._executor(executor, role, capabilities), lease
        )

    def _executor(
        self, name: str | None, role: str | None = None, capabilities: Sequence[str] = ()
    ) -> Executor:
        return Executor.of(name, role, capabilities, person=self.world.actor)

    # Working: every verb returns the task as it is afterwards

    def claim(
        self,
        ref: str,
        executor: str | None = None,
        lease: float | None = None,
        role: str | None = None,
        capabilities: Sequence[str] = (),
    ) -> Task:
        """Take a task, for `lease` seconds (None: as configured); raises InvalidTransition,
        AtCapacity, NotAllowed."""
        who = self._executor(executor, role, capabilities)
        return self._afterwards(
            ref,
            lambda task: engine.claiming.claim(
                self.world, engine.work.leaf(self.world, task), who, lease
            ),
        )

    def heartbeat(
        self,
        ref: str,
        executor: str | None = None,
        lease: float | None = None,
        attempt: int | None = None,
    ) -> Task:
        """Hold a task for `lease` seconds more (None: as configured); raises LeaseLost unless
        `executor` holds it, by that attempt if one is given."""
        return self._afterwards(
            ref,
            lambda task: engine.claiming.heartbeat(
                self.world, engine.work.leaf(self.world, task), executor, lease, attempt
            ),
        )

    def start(
        self,
        ref: str,
        executor: str | None = None,
        lease: float | None = None,
        role: str | None = None,
        capabilities: Sequence[str] = (),
    ) -> Task:
        """Begin a task, claiming it first if nobody has."""
        who = self._executor(executor, role, capabilities)
        return self._afterwards(ref, lambda task: engine.work.start(self.world, task, who, lease))

    def complete(
        self,
        ref: str,
        feedback: TaskFeedback | None = None,
        result: Any = None,
        executor: str | None = None,
        attempt: int | None = None,
    ) -> Task:
        """Finish a task; completion bubbles up. Raises LeaseLost if `executor` does not hold it,
        or holds it by another attempt."""
        return self._afterwards(
            ref,
            lambda task: engine.work.complete(
                self.world, task, feedback, result, executor, attempt
            ),
        )

    def complete_and_claim(
        self,
        done: Task | str,
        executor: str | None = None,
        capabilities: Sequence[str] = (),
        lease: float | None = None,
        role: str | None = None,
        *,
        feedback: TaskFeedback | None = None,
        result: Any = None,
        attempt: int | None = None,
    ) -> tuple[Task, Task | None]:
        """Finish a task and take the next one here, at two thirds of the cost of `complete` and
        `claim_next`; returns both. None for the next when `claim_next` would give none, or would
        refuse. Raises as `complete` does, and then takes none."""
        task = done if isinstance(done, Task) else self.get(done)
        who = self._executor(executor, role, capabilities)
        finished, taken = engine.work.complete_and_claim(
            self.world, task, self.id, who, feedback, result, attempt, lease
        )
        if taken is None:
            with suppress(AtCapacity, NotAllowed):
                taken = engine.claiming.claim_next(self.world, self.id, who, lease)
        return finished, taken

    def fail(
        self,
        ref: str,
        reason: str | None = None,
        executor: str | None = None,
        retry: bool = False,
        attempt: int | None = None,
    ) -> Task:
        """Give a task up; what waits for it above is blocked with the reason.

        With `retry` only this attempt is over: the task goes back into the queue for later, until
        its attempts are used up.
        """
        return self._afterwards(
            ref,
            lambda task: engine.work.fail(self.world, task, reason, executor, attempt, retry=retry),
        )

    def block(self, ref: str, reason: str | None = None) -> Task:
        """Mark a task as stuck."""
        return self._afterwards(ref, lambda task: engine.work.block(self.world, task, reason))

    def release(self, ref: str, executor: str | None = None, attempt: int | None = None) -> Task:
        """Put a claimed or blocked task back into the queue."""
        return self._afterwards(
            ref, lambda task: engine.work.release(self.world, task, executor, attempt)
        )

    def cancel(self, ref: str, reason: str | None = None) -> Task:
        """Drop a task and what it was delegated to."""
        return self._afterwards(ref, lambda task: engine.work.cancel(self.world, task, reason))

    def reopen(self, ref: str) -> Task:
        """Put a finished task back into the queue."""
        return self._afterwards(ref, lambda task: engine.work.reopen(self.world, task))

    def set_status(self, ref: str, status: str, reason: str | None = None) -> Task:
        """Move a task to a status, by any word for it."""
        return self._afterwards(
            ref, lambda task: engine.work.set_status(self.world, task, status, reason)
        )

    def _afterwards(self, ref: str, verb: Any) -> Task:
        task = self.get(ref)
        after = verb(task)
        if isinstance(after, Task) and after.id == task.id and after.status in CLOSED | ACTIVE:
            return after  # nothing that follows changes these
        return engine.work.last_seen(self.world, task)

    def assign_to_human(self, task: Task | str, human: str = "human") -> str:
        """Give a task to people: one held here, or a new one; returns its id."""
        if isinstance(task, Task) and not task.id:
            return self.add_task(task._replace(executor_preference=human))
        key = task if isinstance(task, str) else task.id
        return self.update(key, executor_preference=human).id

    def update(
        self,
        ref: str,
        *,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
        add_depends_on: Iterable[str] = (),
        remove_depends_on: Iterable[str] = (),
        **fields: Any,
    ) -> Task:
        """Change fields of a task: title, description, priority, due, estimated_effort,
        executor_preference, phase, project, external, metadata; tags and dependencies one by one.

        What a delegated task says changes all along its chain.
        """
        task = self.get(ref)
        tags = engine.editing.Elements.of(add_tags, remove_tags)
        deps = engine.editing.Elements.of(add_depends_on, remove_depends_on)
        engine.editing.update(self.world, task, fields, tags, deps)
        return engine.work.last_seen(self.world, task)

    def note(self, ref: str, text: str) -> None:
        """Add a note to a task's history."""
        if not text.strip():
            raise Invalid("a note needs a text", 'Say it: hopper task note ID "TEXT"')
        task = self.get(ref)
        with self.world.command("note"), self.world.writing(self.world.store(task.instance)) as tx:
            tx.remark("task", task.id, "task.note", storable(text, "note"))

    def give_feedback(self, ref: str, feedback: TaskFeedback) -> Task:
        """Record feedback on a task, at its own level."""
        return engine.work.give_feedback(self.world, self.get(ref), feedback)

    def feedback_report(self) -> dict[str, Any]:
        """What the feedback on its tasks says together."""
        from hopper_tui.memory.feedback import report
        from hopper_tui.model.feedback import TaskFeedback

        rated = self.list(query=Query(terms=(Term("rated", ("1",)),), closed=True))
        return report([(t, TaskFeedback.from_json(t.feedback or {})) for t in rated])

    # Delegating

    def delegate(
        self,
        ref: str,
        target: str | None = None,
        type: DelegationType | str = DelegationType.ROUTE,
        subtasks: Sequence[str] = (),
        notes: str | None = None,
    ) -> Delegation:
        """Offer a task to another hopper: route, decompose, escalate or reassign."""
        kind = DelegationType.read(str(type))
        return engine.delegating.delegate(self.world, self.get(ref), target, kind, subtasks, notes)

    def break_down(
        self,
        ref: str,
        decomposer: Decomposer | str | None = None,
        to: str | None = None,
        executor: str | None = None,
    ) -> Delegation:
        """Break a task down into goals and phases of a run, by a decomposer: a callable that makes
        a Plan of a Task, the name of a template, or what the project's configuration names.

        A project's task goes to the run `to`, else to one that fits or is made. A run's own is
        broken down there by whoever holds it. Raises Invalid, NotAllowed, InvalidTransition.
        """
        return engine.breakdown.break_down(self.world, self.get(ref), decomposer, to, executor)

    def candidates(self, ref: str) -> Decision:
        """Where a task would be routed from where it is, with all candidates; changes nothing."""
        task = self.get(ref)
        instance = self.world.instance(task.instance)
        if instance.scope is HopperScope.ORCHESTRATION:
            raise NotAllowed(
                f"{instance.name} is an orchestration hopper: it routes to nobody",
                f"See what it holds: hopper list --instance {instance.id}",
            )
        return routes.decide(self.world, instance, task)

    @property
    def intelligence(self) -> engine.runs.Intelligence:
        """Its routing: `decide_routing(task)`."""
        return engine.runs.Intelligence(self)

    @property
    def delegations(self) -> dict[str, dict[str, str]]:
        """Where its delegated tasks are: task id to child_instance and child_task_id."""
        return {
            hop.task: {"child_instance": hop.target, "child_task_id": hop.child_tasks[0]}
            for hop in self.store.delegations()
            if hop.source == self.id and hop.status in ("accepted", "completed")
        }

    def accept(self, hop: str) -> Delegation:
        """Take a pending hop in."""
        return engine.delegating.accept(self.world, self.world.find_delegation(hop)[1])

    def reject(self, hop: str, reason: str) -> Delegation:
        """Refuse a pending hop with a reason; the task goes to the next candidate."""
        return engine.delegating.reject(self.world, self.world.find_delegation(hop)[1], reason)

    def complete_delegation(self, hop: str, result: Any = None) -> Delegation:
        """Finish the work of an accepted hop with a result."""
        return engine.delegating.complete(self.world, self.world.find_delegation(hop)[1], result)

    def cancel_delegation(self, hop: str) -> Delegation:
        """Take a hop back that nobody works on yet."""
        return engine.delegating.cancel(self.world, self.world.find_delegation(hop)[1])

    # Family

    def get_child_hopper(self, child_id: str) -> Hopper:
        """The child of that id or short name, made and started if there is none.

        Ids compose: `czarina` below a global is `hopper-czarina`, `phase-1` below R `R-phase-1`.
        """
        return Hopper.open(self.world, engine.runs.child(self.world, self.instance, child_id).id)

    def register_child(self, child: Hopper) -> None:
        """Make a hopper a child of this one."""
        engine.runs.register_child(self, child)

    def unregister_child(self, child_id: str) -> None:
        """Remove a child and its tasks; its id can be used again."""
        engine.runs.unregister_child(self.world, self.instance, child_id)

    def notify_parent(self, event: HopperEvent) -> None:
        """Tell the parent of something; without a parent nothing happens."""
        instance = self.instance
        if instance.parent is None or not self.settings.parent_hopper:
            return
        note = {"kind": event.kind, "task": event.task, "data": dict(event.data)}
        above = self.world.store(instance.parent)
        with self.world.command("notify"), self.world.writing(above) as tx:
            tx.remark("instance", self.id, "child.event", note)

    def notify_child_completion(
        self, child_instance: str, task_id: str, feedback: TaskFeedback | None = None
    ) -> Task | None:
        """Take note that a child finished a task; returns this hopper's task, None if it has none.

        Raises InvalidTransition when the child's task is not done.
        """
        child = Hopper.open(self.world, self.world.find_instance(child_instance))
        task = child.get(task_id)
        if task.status is not TaskStatus.DONE:
            raise InvalidTransition(
                f"{self.world.short_id(task)} at {child.name} is {task.status}, not done",
                "Only finished work is reported upward",
            )
        if feedback is not None:
            child.give_feedback(task.id, feedback)
        with self.world.command("completion"):
            flow.drive(self.world, [child.store, self.store])
        return self.store.task(task.parent_task) if task.parent_task else None

    def archive_child_run(self, run_id: str, summary: Mapping[str, Any]) -> None:
        """Keep the summary of a run that ended."""
        with self.world.command("archive"), self.world.writing(self.store) as tx:
            tx.remark("instance", run_id, "run.archived", dict(summary))

    def archived_run(self, run_id: str) -> dict[str, Any]:
        """The summary of a run that ended; raises NotFound."""
        events = self.store.events(key=run_id, kind="run.archived", newest=True, limit=1)
        if not events:
            raise NotFound(f"{self.name} keeps no summary of {run_id!r}", "See: hopper log")
        return dict(events[0].note)

    def archive_and_delete(self, archive: bool = True, keep: bool = False) -> dict[str, Any]:
        """End a run: keep its summary on the parent (unless `archive` is false), remove the rest
        (unless `keep`: then it stays as it is, terminated). Returns the summary.

        Raises NotAllowed at other scopes, InvalidTransition while tasks are open.
        """
        return engine.ending.end(self, engine.ending.Ending(archive, keep))

    # Telling

    def configure(self, changes: Mapping[str, Any]) -> Instance:
        """Set configuration keys; None removes one. Raises ConfigError, and changes nothing then.

        A key may be a path: `child_instances.auto_create`.
        """
        if self.status is InstanceStatus.TERMINATED:
            raise NotAllowed(f"{self.name} is terminated", "Nothing about it changes any more")
        fixed = sorted(_IDENTITY & set(changes))
        if fixed:
            raise ConfigError(
                f"{fixed[0]} of {self.name} cannot be changed", "It says which hopper this is"
            )
        config = engine.runs.changed_config(self.instance.config, changes)
        engine.instances.checked(config, self.scope)
        with self.world.command("configure"):
            with self.world.writing(self.store) as tx:
                tx.change(self.instance, "instance.configured", config=config)
            flow.drive(self.world, [], [self.id, *([self.instance.parent or ""])], most=None)
        return self.instance

    def watch(self, after: int | None = None) -> Iterator[Event]:
        """The events of its store as they are recorded, by whichever process; never ends.

        `after` is the sequence number of an event to go on from; None begins now.
        """
        return engine.watching.events(self.store, after)

    def summary(self) -> dict[str, Any]:
        """What it did: counts, times, workers, failures, feedback, and the counts of each phase;
        see `ending.summary`."""
        return engine.ending.summary(self)

    def stats(self) -> dict[str, Any]:
        """Counts by status, throughput and times, by worker and by phase too; see
        `measuring.stats`."""
        return engine.measuring.stats(self)


_IDENTITY = frozenset({"scope", "instance_id", "parent", "name"})


def _plain(config: HopperConfig | Mapping[str, Any] | None) -> dict[str, Any] | None:
    if config is None:
        return None
    return dict(config) if isinstance(config, Mapping) else config.plain()


def _earlier(ref: str, made: Sequence[str]) -> str:
    """The id behind `#n`, the n-th task of the batch; any other reference as it is."""
    if not ref.startswith("#"):
        return ref
    number = ref[1:]
    if not number.isdigit() or not 1 <= int(number) <= len(made):
        raise NotFound(f"{ref} names no earlier task of this batch", "#1 is the first")
    return made[int(number) - 1]


__all__ = ["Hopper", "default_world"]

"""Session: runs the engine in one thread and posts what it read as immutable snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from textual.message import Message

from hopper_tui.model.conflict import Conflict
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.instance import Instance, Load
from hopper_tui.model.lifecycle import (
    DelegationStatus,
    HopperScope,
)
from hopper_tui.model.query import Query
from hopper_tui.model.task import Task
from hopper_tui.tui.bulk import Bulk
from hopper_tui.tui.long_ids import LongIds
from hopper_tui.tui.messages import (
    CheckoutLoaded,
    DetailLoaded,
    PageLoaded,
    QueueLoaded,
    StoreChanged,
    TreeLoaded,
    ViewLoaded,
    Warned,
    WordsLoaded,
)
from hopper_tui.tui.snapshot import (
    CheckoutSnapshot,
    ConflictRow,
    DetailSnapshot,
    Hop,
    PageSnapshot,
    Problem,
    Question,
    QueueSnapshot,
    Report,
    Targets,
    TaskRow,
    TreeRow,
    TreeSnapshot,
)
from hopper_tui.tui.stage import Place
from hopper_tui.tui.task_reading import hop_of, rows, window
from hopper_tui.tui.verbs import Verb
from hopper_tui.tui.views import View, ViewName

if TYPE_CHECKING:
    from hopper_tui.engine.completing import Completion, Words
    from hopper_tui.engine.drafting import Draft
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.tree import Node
    from hopper_tui.engine.world import World
    from hopper_tui.store.protocol import Store

R = TypeVar("R")

PORTION = 0.1
"""Seconds that a verb on many tasks takes before something else has its turn."""
HISTORY = 40
"""Events shown of one task."""


class Reader(Protocol):
    """Reads what one view shows."""

    def read(self, number: int, question: Question) -> Any:
        """The snapshot with that revision that answers a question."""


class Session:
    """The only part of the TUI that talks to the engine.

    Reads are asked for and answered by a message; when the same is asked again before the answer,
    only the last answer is posted. Writes are awaited. Everything runs in one thread, in order,
    so the event loop never waits for a store; what takes seconds runs beside it.
    """

    def __init__(self, world: World, post: Callable[[Message], object]) -> None:
        self._world = world
        self._post = post
        self._thread = ThreadPoolExecutor(1, "hopper-engine")
        self._beside = ThreadPoolExecutor(1, "hopper-beside")
        self._asked: dict[str, Future[None]] = {}
        self._number = 0
        self._latest: dict[str, int] = {}
        self._seen = 0
        self._warned: set[str] = set()
        self._readers: dict[ViewName, Reader] = {}
        self._is_left = False

    def leave(self) -> None:
        """The screen is being left: the world warns of what cannot be written from now on, for
        nobody would be told on the screen."""
        self._is_left = True

    def close(self) -> None:
        """Let what is to be written be written, and drop what is to be read."""
        self.leave()
        for question in self._asked.values():
            question.cancel()
        self._thread.shutdown(wait=True)
        self._beside.shutdown(wait=False, cancel_futures=True)

    # Reads

    def load_tree(self) -> int:
        """Ask for the tree of hoppers; the revision that the answer will have."""
        return self._ask("tree", self._tree, TreeLoaded)

    def load_queue(
        self, hopper: str | None, filter_text: str = "", near: tuple[str | None, int] = (None, 0)
    ) -> int:
        """Ask for a queue: of a hopper by id, name or prefix, or of the one we are at; the revision
        that the answer will have.

        `near` is the task the user looks at, and its line in case the task is gone: the bodies
        around it come along.
        """
        return self._ask("queue", lambda n: self._queue(n, hopper, filter_text, near), QueueLoaded)

    def load_words(self, hopper: str | None) -> None:
        """Ask for the words that complete a filter at a hopper."""
        self._ask("words", lambda _: self._words(hopper), WordsLoaded)

    def load_page(self, instance: str, revision: int, ids: Sequence[str]) -> None:
        """Ask for the bodies of some tasks of a hopper, for what was read with that revision."""
        self._submit(
            lambda: self._post(PageLoaded(PageSnapshot(revision, rows(self._world, instance, ids))))
        )

    def load_detail(self, task_id: str) -> None:
        """Ask for everything about a task."""
        self._ask("detail", lambda n: self._detail(n, task_id), DetailLoaded)

    def load_view(self, view: View, question: Question) -> int:
        """Ask for what a view shows; the revision that the answer will have."""
        return self._ask(
            view.name,
            lambda number: self._reader(view).read(number, question),
            lambda snapshot: ViewLoaded(view.name, snapshot),
            self._beside if view.apart else None,
        )

    def load_checkout(self, hopper: str | None) -> None:
        """Ask where a hopper's tasks stand in git: this runs git, so it is asked for last."""
        self._ask("checkout", lambda n: self._checkout(n, hopper), CheckoutLoaded)

    def check(self, everywhere: bool = True) -> None:
        """Look whether somebody changed a store; StoreChanged is posted if so. Not `everywhere`
        takes its time for the stores of hoppers that nobody looks at."""
        self._submit(partial(self._check, everywhere))

    async def look(self) -> bool:
        """The same at once, everywhere; whether somebody did."""
        return await self._run(partial(self._check, True))

    async def find_task(self, ref: str, hopper: str | None) -> Place:
        """Where the task is that a reference means, at a hopper first; raises HopperError."""

        def job() -> Place:
            world = self._world
            task = world.hopper(hopper).get(ref) if hopper else world.find_task(ref)[1]
            return Place(task.instance, task.id)

        return await self._run(job)

    async def watch_paths(self) -> list[Path]:
        """The directories whose files change when a store changes."""
        return await self._run(self._world.watch_paths)

    async def targets(self, task_ids: Sequence[str]) -> Targets:
        """Where tasks of one hopper may be delegated to, best first."""
        from hopper_tui.tui import target_reading

        return await self._run(partial(target_reading.targets, self._world, task_ids))

    async def words(self, hopper: str | None) -> Words:
        """The words that complete fields at a hopper."""
        return await self._run(lambda: self._words(hopper))

    async def draft(self, task_id: str) -> Draft:
        """A task as it is edited."""
        from hopper_tui.engine import drafting

        world = self._world
        return await self._run(lambda: drafting.read_draft(world, world.find_task(task_id)[1]))

    async def offered_dependencies(self, instance: str, text: str) -> Sequence[Completion]:
        """The tasks that the last dependency in a text may mean."""
        from hopper_tui.engine import drafting

        return await self._run(lambda: drafting.offered(self._world, instance, text))

    # Writes

    async def work(
        self,
        verb: Verb,
        task_ids: Sequence[str],
        summary: str,
        goes_on: Callable[[int], bool] = lambda _: True,
    ) -> Report:
        """Do a verb to each of the tasks as one command, one step of undo.

        What else is asked for is answered between portions, after each of which `goes_on` is told
        how many tasks are through, and says whether to do the others.
        """
        job = Bulk(self._world, verb, task_ids, summary)

        def refused() -> list[str]:
            report = job.report
            return [f"not {report.verb}: {one.problem.sentence}" for one in report.refused]

        while await self._write(partial(job.go_on, PORTION), refused):
            if self._is_left or not goes_on(job.through):
                break
        return job.report

    async def do(self, job: Callable[[World], R]) -> R:
        """Run a job that changes something; raises HopperError as the engine does."""
        return await self._write(partial(job, self._world))

    async def _write(self, job: Callable[[], R], refused: Callable[[], list[str]] = list) -> R:
        """What a job that changes something gives. Why it failed and what it `refused` goes to the
        warnings of the world where nobody waits any longer, or the screen is left."""

        def run() -> R:
            done = job()
            self._seen = self._world.revision()  # our own change is no news
            return done

        def unsaid(through: Future[R]) -> None:
            error = through.exception()
            said = refused() if error is None else [f"not done: {Problem.of(error).sentence}"]
            self._world.warnings += said

        future = self._thread.submit(run)
        try:
            done = await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            future.add_done_callback(unsaid)
            raise
        except Exception:
            if self._is_left:
                unsaid(future)
            raise
        if self._is_left:
            unsaid(future)
        return done

    async def rest(self) -> None:
        """Wait until all that was asked for is done."""
        await self._run(lambda: None)

    # In the thread

    def _submit(
        self, job: Callable[[], object], thread: ThreadPoolExecutor | None = None
    ) -> Future[None]:
        def run() -> None:
            job()

        return (thread or self._thread).submit(run)

    def _ask(
        self,
        what: str,
        read: Callable[[int], Any],
        reply: Callable[[Any], Message],
        thread: ThreadPoolExecutor | None = None,
    ) -> int:
        """Post the reply to the latest question about `what`; earlier ones are dropped. Returns the
        number of the question."""
        self._number += 1
        number = self._latest[what] = self._number
        if waiting := self._asked.get(what):
            waiting.cancel()

        def answer() -> None:
            if self._latest[what] != number:
                return
            snapshot = read(number)
            if self._latest[what] == number:
                self._post(reply(snapshot))

        self._asked[what] = self._submit(answer, thread)
        return number

    async def _run(self, job: Callable[[], R]) -> R:
        """What a job gives; it is done also when nobody waits for it any more."""
        return await asyncio.shield(asyncio.wrap_future(self._thread.submit(job)))

    def _check(self, everywhere: bool) -> bool:
        revision = self._world.revision(everywhere)
        if revision == self._seen:
            return False
        self._seen = revision
        self._post(StoreChanged())
        return True

    def _reader(self, view: View) -> Reader:
        """What reads a view: made once, for it may remember what it read."""
        if view.name not in self._readers:
            module, _, name = view.reader.partition(":")
            made = getattr(import_module(f"hopper_tui.tui.{module}"), name)(self._world)
            self._readers[view.name] = made
        return self._readers[view.name]

    def _tree(self, number: int) -> TreeSnapshot:
        try:
            rows: list[TreeRow] = []
            for root in self._world.tree():
                rows.extend(_flatten(root, 0))
        except Exception as error:
            return TreeSnapshot(number, problem=Problem.of(error))
        self._warn(rows)
        return TreeSnapshot(number, tuple(rows))

    def _warn(self, rows: Iterable[TreeRow]) -> None:
        """Tell, once each, what the engine warns of and no row of the tree shows."""
        shown = {row.problem.message for row in rows if row.problem}
        for text in self._world.warnings:
            if text not in self._warned | shown:
                self._post(Warned(text))
        self._warned.update(self._world.warnings)

    def _queue(
        self, number: int, ref: str | None, filter_text: str, near: tuple[str | None, int]
    ) -> QueueSnapshot:
        from hopper_tui.engine import saved_filters

        instance: Instance | None = None
        try:
            self._seen = self._world.revision()  # before reading: what comes in between is news
            hopper = self._opened(ref, near[0])
            instance = hopper.instance
            terms = saved_filters.terms(self._world, filter_text)
            ids = LongIds(hopper.ids(Query(instance=instance.id, terms=terms)))
            return QueueSnapshot(
                number,
                instance,
                filter_text,
                ids,
                rows(self._world, instance.id, ids[window(ids, near)]),
                hopper.load().open,
                self._offers(instance),
                read_only=self._read_only(instance),
            )
        except Exception as error:
            if instance is None and ref is not None:
                instance = Instance(ref, ref, HopperScope.PROJECT)
            return QueueSnapshot(number, instance, filter_text, problem=Problem.of(error))

    def _words(self, ref: str | None) -> Words:
        from hopper_tui.engine import completing

        try:
            return completing.known(self._world.hopper(ref))
        except Exception:  # who types can do without; what is wrong is said where it matters
            return {}

    def _opened(self, ref: str | None, task_id: str | None) -> Hopper:
        """The hopper named; without a name the one that holds the task, or the one we are at."""
        if ref is None and task_id is not None:
            return self._world.find_task(task_id)[0]
        return self._world.hopper(ref)

    def _read_only(self, instance: Instance) -> str:
        """The directory that cannot be written, "" where a hopper can be changed."""
        store = self._world.store(instance.id)
        return str(store.path.parent) if store.is_read_only and store.path else ""

    def _offers(self, instance: Instance) -> tuple[Hop, ...]:
        waiting = self._world.store(instance.id).delegations((DelegationStatus.PENDING,))
        return tuple(hop_of(self._world, hop) for hop in waiting if hop.target == instance.id)

    def _detail(self, number: int, task_id: str) -> DetailSnapshot:
        world = self._world
        try:
            _, task = world.find_task(task_id)
            hops = world.chain(task.id)
            decisions = tuple(world.why(task.id))
            names = {task.instance, *_ends(hops)}
            names.update(c.target for d in decisions for c in d.candidates)
            named = {key: world.name(key) for key in names}
            return DetailSnapshot(
                number,
                task_id,
                TaskRow(task, world.short_id(task)),
                tuple(Hop(hop, named[hop.source], named[hop.target], task.title) for hop in hops),
                decisions,
                tuple(world.diagnose(task.id)),
                tuple(world.log(task.id, limit=HISTORY)),
                named,
                conflicts=self._conflicts_of(task),
            )
        except Exception as error:
            return DetailSnapshot(number, task_id, problem=Problem.of(error))

    def _conflicts_of(self, task: Task) -> tuple[Conflict, ...]:
        found = self._world.store(task.instance).conflicts()
        return tuple(c for c in found if c.key == task.id)

    def _checkout(self, number: int, ref: str | None) -> CheckoutSnapshot:
        from hopper_tui.engine import checkout

        try:
            instance = self._world.hopper(ref).instance
            while instance.scope is HopperScope.ORCHESTRATION and instance.parent is not None:
                instance = self._world.instance(instance.parent)
            store = self._world.store(instance.id)
            if not store.travels:
                return CheckoutSnapshot(number)
            state = checkout.state(self._world, instance.id)
            rows = tuple(self._conflicts(store))
        except Exception as error:
            return CheckoutSnapshot(number, problem=Problem.of(error))
        return CheckoutSnapshot(
            number, instance.id, instance.name, state.branch, state.uncommitted, rows
        )

    def _conflicts(self, store: Store) -> Iterable[ConflictRow]:
        """A row for each field in conflict, however many values it has."""
        from hopper_tui.engine import conflicts

        fields: dict[tuple[str, str], list[Conflict]] = {}
        for conflict in conflicts.listed(store):
            fields.setdefault((conflict.key, conflict.register), []).append(conflict)
        for found in fields.values():
            key = found[0].key
            mine, theirs = conflicts.sides(found, store.replica)
            task = store.task(key)
            short = self._world.short_id(task) if task else found[0].entity
            title = task.title if task else self._world.name(key)
            yield ConflictRow(found[0], mine, theirs, short, title)


def _flatten(node: Node, depth: int) -> Iterable[TreeRow]:
    problem = Problem.of(node.error) if node.error else None
    yield TreeRow(
        node.instance,
        node.load or Load(),
        depth,
        bool(node.children),
        node.path,
        problem,
        node.read_only,
    )
    for child in node.children:
        yield from _flatten(child, depth + 1)


def _ends(hops: Iterable[Delegation]) -> Iterable[str]:
    for hop in hops:
        yield hop.source
        yield hop.target

"""Waiting: until there may be work, woken by what changes and by the clock, without spinning."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from hopper_tui.engine import claiming, watching
from hopper_tui.engine.phases import Layout
from hopper_tui.model.clock import seconds, stamp
from hopper_tui.model.errors import AtCapacity
from hopper_tui.model.executor import PERSON, whom
from hopper_tui.model.lifecycle import ACTIVE
from hopper_tui.model.query import Query, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.world import World
    from hopper_tui.model.executor import Executor
    from hopper_tui.model.task import Task
    from hopper_tui.store.protocol import Store

T = TypeVar("T")
LONGEST = 30.0
"""Seconds after which to look again whatever was announced, as for a lease of another worktree."""
_UNANNOUNCED = 2.0
"""Seconds between looks at a store, should the file system announce nothing."""
_SOON = 0.01
"""Seconds until the next look after the file system announced something; then twice as long."""
_STEP_MS = 50
"""A change is seen after so many milliseconds at the latest."""
_TICK = 0.005
"""Seconds by which to be late: a lease that ends this very millisecond is not over yet."""
_IN_NO_WORKERS_HANDS = frozenset({PERSON, "manual"})
"""Preferred executors whose tasks no worker gets."""


class Outlook(NamedTuple):
    """What is to come at a hopper: `seconds` until time alone may bring work, whether something is
    `held` by a worker, and whether something is `left` that a worker holds or may still take."""

    seconds: float
    held: bool
    left: bool


def wait_for_change(
    world: World, store: Store, seen: int, timeout: float, wake: threading.Event
) -> None:
    """Return when `store` has another revision than `seen`, `wake` is set, or after `timeout`
    seconds.

    Whoever else waits for this world has `wake` among its `waiters`, which every command of this
    process sets.
    """
    if store.path is None:
        wake.wait(timeout)
        return
    give_up = time.monotonic() + timeout
    pause = _UNANNOUNCED
    with _announcements(store, wake) as announced:
        while not wake.is_set() and revision(world, store) == seen and not is_gone(store):
            left = give_up - time.monotonic()
            if left <= 0:
                return
            is_told = announced(min(left, pause))
            # a commit writes to a file some time before it counts: look again soon
            pause = _SOON if is_told else min(2 * pause, _UNANNOUNCED)


@contextmanager
def _announcements(store: Store, wake: threading.Event) -> Iterator[Callable[[float], bool]]:
    """A function that returns when files of a store changed, or after so many seconds; whether
    something happened."""
    from watchfiles._rust_notify import RustNotify

    paths = [str(path) for path in watching.directories(store) if path.is_dir()]
    try:
        notify = RustNotify(paths, False, False, 0, False, True)
    except watching.CANNOT_WATCH:
        yield wake.wait
        return

    def announced(timeout: float) -> bool:
        how = notify.watch(2 * _STEP_MS, _STEP_MS, max(1, int(timeout * 1000)), wake)
        if how == "signal":
            raise KeyboardInterrupt
        return how != "timeout"

    with notify:
        yield announced


def revision(world: World, store: Store) -> int:
    """A number that changes when anybody changed the store; what git brought is settled first."""
    return world.revision() if store.travels else store.revision()


def is_gone(store: Store) -> bool:
    """Whether somebody removed the database of a store, which is more than a cache."""
    return store.path is not None and not store.travels and not store.path.exists()


class Lookout:
    """Looks for work of an executor at a hopper, and waits for it.

    Unless it is `claiming`, it looks only whether there is a task. A context manager; `wake` may
    be set from any thread to end a wait.
    """

    def __init__(self, hopper: Hopper, executor: Executor, *, claiming: bool = True) -> None:
        self._claiming = claiming
        self.wake = threading.Event()
        self._hopper = hopper
        self._world = hopper.world
        self._executor = executor
        self._seen = 0

    def __enter__(self) -> Lookout:
        self._world.waiters.add(self.wake)
        return self

    def __exit__(self, *_: object) -> None:
        self._world.waiters.discard(self.wake)

    def look(self) -> bool:
        """Whether it is worth asking for work now: something suits, or a lease ran out. Changes
        nothing; raises as `Hopper.claim_next`."""
        self.wake.clear()
        world, store = self._world, self._hopper.store
        self._seen = revision(world, store)
        if store.expired(stamp(world.now())):
            return True
        if claiming.next_task(world, self._hopper.instance, self._executor) is None:
            return False
        if self._claiming:
            Layout.read(world, self._hopper.id).check_room(world)
        return True

    def wait(self, timeout: float) -> None:
        """Return when something changed since the last look, or after `timeout` seconds."""
        wait_for_change(self._world, self._hopper.store, self._seen, timeout, self.wake)

    def outlook(self) -> Outlook:
        """What is to come."""
        store, now = self._hopper.store, self._world.now()
        before = None
        while before != (before := store.revision()):  # what is read apart must be of one moment
            layout = Layout.read(self._world, self._hopper.id)
            queues = layout.queues()
            retry = store.next_retry(queues, stamp(now))
            held = _held(store, layout)
            left = bool(held) or store.has_ready(queues, _IN_NO_WORKERS_HANDS)
        times = [retry, *(task.lease_expires_at for task in held)]
        waits = [seconds(at) - now + _TICK for at in times if at is not None]
        soonest = min([LONGEST, *(wait for wait in waits if wait > 0)])
        return Outlook(soonest, bool(held), left)

    def for_others(self) -> list[str]:
        """Whom the ready tasks are for that do not suit the executor, and are not for people."""
        queues = Layout.read(self._world, self._hopper.id).queues()
        kinds = self._hopper.store.ready_for(queues, stamp(self._world.now()))
        return sorted(
            {
                whom(who, needs)
                for who, needs, _ in kinds
                if (who or "").casefold() not in _IN_NO_WORKERS_HANDS
                and not self._executor.may_take(who, needs)
            }
        )


def _held(store: Store, layout: Layout) -> list[Task]:
    """The tasks that workers hold, for a time, in the whole run: near the head of the queue, so
    that asking for no more than there are is asking for few."""
    active = Term("status", tuple(ACTIVE))
    return [
        task
        for part in dict.fromkeys((layout.run.id, *(phase.id for phase in layout.phases)))
        if (number := sum(layout.counts.get(part, {}).get(status, 0) for status in ACTIVE))
        for task in store.query(Query(part, (active,), limit=number))
        if task.lease_expires_at is not None
    ]


def first(lookout: Lookout, ask: Callable[[], T | None], timeout: float) -> T | None:
    """What `ask` answers as soon as it answers something, asked when there may be work; None after
    `timeout` seconds. A full hopper is waited for too, and raises AtCapacity at the end."""
    give_up = time.monotonic() + timeout
    with lookout:
        while True:
            full: AtCapacity | None = None
            try:
                found = ask() if lookout.look() else None
            except AtCapacity as error:
                found, full = None, error
            if found is not None:
                return found
            left = give_up - time.monotonic()
            if left > 0:
                lookout.wait(min(left, lookout.outlook().seconds))
            elif full is not None:
                raise full
            else:
                return None

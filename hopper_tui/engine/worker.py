"""Worker: takes tasks one after the other, or several at once, and runs a handler on each.

What it took it holds by a lease, which it renews at a third of its length. A handler that returns
completes its task, one that raises fails the attempt. Whoever lost a lease learns it, and what
comes of that attempt is dropped.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine import claiming
from hopper_tui.engine.waiting import LONGEST, Lookout, is_gone
from hopper_tui.model.clock import seconds
from hopper_tui.model.errors import (
    AtCapacity,
    HopperError,
    Invalid,
    LeaseLost,
    NotAllowed,
    NotFound,
    StorageError,
)
from hopper_tui.model.executor import Executor
from hopper_tui.model.lifecycle import InstanceStatus, TaskStatus

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.model.task import Task

Handler = Callable[["Task"], Any]
REASON_LIMIT = 2000
"""Characters of a reason; of a longer one the beginning and the end are kept."""
RESULT_LIMIT = 32 << 10
"""Characters of a result as JSON; half of what an event holds."""
_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Seconds until a store that could not be used is tried again: at first, and at most."""


_SHORTEST = 0.001
"""Seconds; no lease is shorter, whatever the clock did meanwhile."""


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"
    RETRY = "retry"
    PASSED_ON = "passed on"
    LOST = "lost"
    RELEASED = "released"


_PASSED_ON = frozenset({TaskStatus.DELEGATED, TaskStatus.BLOCKED})
"""The states into which whoever holds a task may bring it besides finishing it."""
_FINISHED = {TaskStatus.DONE: Outcome.DONE, TaskStatus.FAILED: Outcome.FAILED}


_GIVEN_BACK = {"task.released": Outcome.RELEASED, "task.tried": Outcome.RETRY}
"""How a task came back into the queue if its lease did not run out."""
_LOOKED_BACK = 10
"""Events of a task; somebody may have changed or noted something since."""


class Attempt(NamedTuple):
    """How an attempt at a task ended, and why, unless it is done."""

    task: Task
    outcome: Outcome
    reason: str = ""


class AttemptFailed(HopperError):
    """Raised by a handler: the attempt failed; `retry` says whether to try again, None leaves it
    to the worker."""

    code = "attempt_failed"

    def __init__(self, message: str, retry: bool | None = None) -> None:
        super().__init__(message)
        self.retry = retry


class CannotWork(HopperError):
    """Raised by a handler that can do no task at all: the worker gives this one back and ends."""

    code = "cannot_work"


@dataclass(eq=False)
class _Held:
    """A task in the hands of a handler. `lease` is in seconds, `renew_at` and `until` are times of
    the monotonic clock; `over` says that what the handler brings is not waited for any more."""

    task: Task
    lease: float | None
    renew_at: float = 0.0
    until: float = 0.0
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def renewed(self) -> None:
        """It was claimed or renewed now."""
        if self.lease is not None:
            now = time.monotonic()
            self.renew_at, self.until = now + self.lease / 3, now + self.lease


_Act = Callable[["Task"], Attempt]
"""Ends an attempt in the store; raises HopperError when that is refused."""


class Worker:
    """Runs `handler(task)` on tasks of a hopper, `jobs` at a time, in threads.

    What it returns becomes the result of the task; what it raises the reason why the attempt
    failed, which is repeated while attempts remain, unless `retry` is false. A handler may add
    tasks to its own hopper, and ask `lost(task)`. `lease` is in seconds (None: as configured).
    Without an `executor` its name is made up, and unique; without a `role` that is its name, too.

    `told` gets each Attempt when it is over, `on_lost` each task whose handler may end at once,
    `on_renewed` each whose lease was renewed, with its seconds, `warn` a sentence when something is
    amiss; all are called in threads of the worker.
    """

    def __init__(
        self,
        hopper: Hopper,
        handler: Handler,
        executor: str | None = None,
        role: str | None = None,
        capabilities: Sequence[str] = (),
        jobs: int = 1,
        lease: float | None = None,
        *,
        retry: bool = True,
        told: Callable[[Attempt], None] = lambda _: None,
        on_lost: Callable[[Task], None] = lambda _: None,
        on_renewed: Callable[[Task, float], None] = lambda *_: None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        if not isinstance(jobs, int) or jobs < 1:
            raise Invalid(f"a worker cannot do {jobs!r} jobs at a time", "Give it at least 1")
        if lease is not None and not (isinstance(lease, int | float) and lease > 0):
            raise Invalid(f"a lease of {lease!r}: it must be seconds, and more than 0")
        for what, word in (("an executor", executor), ("a role", role)):
            if word is not None and not (word.strip() and word.isprintable()):
                raise Invalid(f"{what} cannot be called {word!r}", "Give it a name in one line")
        self.hopper = hopper
        self.name = executor or f"{role or 'worker'}-{os.getpid()}-{os.urandom(3).hex()}"
        self.role = role or executor or "worker"
        self._handler = handler
        self._capabilities = tuple(capabilities)
        self._jobs = jobs
        self._lease = lease
        self._retry = retry
        self._told, self._on_lost, self._on_renewed, self._warn = told, on_lost, on_renewed, warn
        self._lookout = Lookout(hopper, Executor.of(self.name, self.role, self._capabilities))
        self._held: dict[tuple[str, int], _Held] = {}
        self._next: deque[Task] = deque()
        self._left = math.inf
        self._counting = threading.Lock()
        self._beat = threading.Event()
        self._quit = threading.Event()
        self._stopping = self._ended = self._waits_for_others = False
        self._fault: BaseException | None = None
        self._said = ""

    def run(self, until_empty: bool = False, max_tasks: int | None = None) -> int:
        """Work until `stop`, or until the hopper is terminated or gone; returns how many tasks
        were taken, at most `max_tasks`. A worker runs once.

        With `until_empty` it ends when nothing is left that any worker holds or could take; what
        is for people, or blocked, does not count. Raises NotAllowed where no work is handed out,
        and what kept a handler from working.
        """
        self._check()
        if max_tasks is not None:
            self._left = max_tasks
        threading.Thread(target=self._keep_leases, name="leases", daemon=True).start()
        try:
            with self._lookout:
                taken = self._work_on(until_empty)
        except BaseException:
            self.stop(now=True)
            self._let_go()
            raise
        finally:
            self._give_back()
            self._ended = True
            self._beat.set()
        if self._fault is not None:
            raise self._fault
        return taken

    def _work_on(self, until_empty: bool) -> int:
        """Take tasks and hand them over until nothing more is to be done; returns how many."""
        taken, wake = 0, self._lookout.wake
        while self._held or (not self._stopping and (self._next or self._left >= 1)):
            task = None
            if self._stopping or len(self._held) >= self._jobs:
                wake.wait()
                wake.clear()
            elif self._next:
                task = self._next.popleft()
            elif self._may_take():
                task = self._take(until_empty)
                if task is None:
                    self._take_back()
            else:
                wake.wait()
                wake.clear()
            if task is not None:
                taken += 1
                self._hand_over(task)
        return taken

    def _may_take(self) -> bool:
        """Whether one more task may be taken, which counts as taken then."""
        with self._counting:
            if self._stopping or self._left < 1:
                return False
            self._left -= 1
            return True

    def _take_back(self) -> None:
        """None was taken after all."""
        with self._counting:
            self._left += 1

    def stop(self, now: bool = False) -> None:
        """Take no more tasks; `run` returns when the running handlers are through. `now`: they are
        told, what they bring is dropped, and their tasks are released."""
        self._stopping = True
        if now and not self._quit.is_set():
            self._quit.set()
            for held in tuple(self._held.values()):
                self._on_lost(held.task)
        self._lookout.wake.set()

    @property
    def is_busy(self) -> bool:
        """Whether a handler runs."""
        return bool(self._held)

    def lost(self, task: Task) -> bool:
        """Whether what comes of this attempt is not waited for any more, so that its handler may
        end."""
        held = self._held.get(_key(task))
        if held is None or self._quit.is_set():
            return True
        if held.lease is not None and time.monotonic() > held.until:
            self._renew(held)
        return held.over

    def lease_left(self, task: Task) -> float | None:
        """The seconds until the lease of a task that is worked on runs out; None for no lease."""
        held = self._held.get(_key(task))
        return None if held is None or held.lease is None else held.until - time.monotonic()

    # Taking

    def _check(self) -> None:
        instance = self.hopper.instance
        claiming.check_may_execute(instance)
        if instance.status is InstanceStatus.TERMINATED:
            raise NotAllowed(f"{instance.name} is terminated", "Work at another hopper")

    def _take(self, until_empty: bool) -> Task | None:
        """The next task; None after a wait for something to change."""
        try:
            task = self._claim()
            if task is None:
                self._wait(until_empty)
            self._said = ""
            return task
        except NotAllowed as error:
            self._wait_for_start(error, until_empty)
        except NotFound:
            self._warn(f"{self.hopper.id} is gone")
            self._stopping = True
        except StorageError as error:
            self._say(error)
            self._lookout.wake.clear()
            if not self._stopping:
                self._lookout.wake.wait(_PAUSE)
        return None

    def _claim(self) -> Task | None:
        if is_gone(self.hopper.store):
            raise NotFound(f"{self.hopper.id} is gone")
        try:
            if not self._lookout.look():
                return None
            return self.hopper.claim_next(self.name, self._capabilities, self._lease, self.role)
        except AtCapacity:
            return None

    def _wait(self, until_empty: bool) -> None:
        outlook = self._lookout.outlook()
        if until_empty and not outlook.left and not self._held:
            self._stopping = True
            return
        is_alone = until_empty and not outlook.held and not self._waits_for_others
        if is_alone and (others := self._lookout.for_others()):
            self._waits_for_others = True
            self._warn(f"nothing is left but what waits for {'; '.join(others)}")
        self._lookout.wait(outlook.seconds)

    def _wait_for_start(self, error: NotAllowed, until_empty: bool) -> None:
        """The hopper hands out nothing now: it may again, unless it is over."""
        if until_empty:
            self._fault = error
            self._stopping = True
            return
        self._say(error)
        if self.hopper.status is InstanceStatus.TERMINATED:
            self._stopping = True
        else:
            self._lookout.wait(LONGEST)

    def _say(self, error: HopperError) -> None:
        """Pass on what is amiss, once."""
        if error.message != self._said:
            self._said = error.message
            self._warn(error.message)

    # Working

    def _hand_over(self, task: Task) -> None:
        """Let the handler work on a task, in a thread of its own."""
        until, now = task.lease_expires_at, self.hopper.world.now()
        held = _Held(task, None if until is None else max(seconds(until) - now, _SHORTEST))
        held.renewed()
        self._held[_key(task)] = held
        self._beat.set()
        threading.Thread(target=self._work, args=(held,), name=task.id, daemon=True).start()

    def _work(self, held: _Held) -> None:
        """One attempt at a task, from the handler to what is told of it."""
        try:
            act: _Act = self._release
            try:
                act = self._handled(held.task)
            finally:
                ended = self._settle(held, act)
            if ended is not None:
                self._told(ended)
        except BaseException as fault:
            self._fault = self._fault or fault
            self.stop()
        finally:
            del self._held[_key(held.task)]
            self._lookout.wake.set()

    def _handled(self, task: Task) -> _Act:
        """Run the handler; returns how to end the attempt."""
        try:
            result = self._handler(task)
            size = len(json.dumps(result, allow_nan=False))
            if size > RESULT_LIMIT:
                raise AttemptFailed(
                    f"the result has {size} characters as JSON, more than {RESULT_LIMIT}: keep it"
                    " elsewhere, and return where",
                    retry=False,
                )
        except CannotWork:
            raise
        except (Exception, SystemExit) as error:
            return self._failing(error)
        return lambda task: self._complete(task, result)

    def _complete(self, task: Task, result: Any) -> Attempt:
        """Finish a task, and take the next one for the hands that are free then."""
        following = None
        if self._may_take():
            try:
                after, following = self.hopper.complete_and_claim(
                    task, self.name, self._capabilities, self._lease, self.role,
                    result=result, attempt=task.attempts,
                )  # fmt: skip
            finally:
                if following is None:
                    self._take_back()
                else:
                    self._next.append(following)
        else:
            after = self.hopper.complete(
                task.id, result=result, executor=self.name, attempt=task.attempts
            )
        if after.attempts != task.attempts:  # one of the same name was there first
            raise LeaseLost(f"attempt {after.attempts} has done it")
        return Attempt(after, Outcome.DONE)

    def _failing(self, error: BaseException) -> _Act:
        retry = error.retry if isinstance(error, AttemptFailed) else None
        reason = _reason(error)

        def fail(task: Task) -> Attempt:
            after = self.hopper.fail(
                task.id, reason, self.name,
                retry=self._retry if retry is None else retry, attempt=task.attempts,
            )  # fmt: skip
            again = after.status is not TaskStatus.FAILED
            return Attempt(after, Outcome.RETRY if again else Outcome.FAILED, reason)

        return fail

    def _release(self, task: Task) -> Attempt:
        after = self.hopper.release(task.id, self.name, task.attempts)
        return Attempt(after, Outcome.RELEASED)

    def _settle(self, held: _Held, act: _Act) -> Attempt | None:
        """End an attempt; None if there is nothing to tell of it any more. A store that cannot be
        used is tried again until the lease is lost."""
        pause, task = _PAUSE, held.task
        while not held.over:
            if self._quit.is_set():
                act = self._release
            try:
                with held.lock:
                    ended = act(task)
                    held.over = True
                return ended
            except StorageError as error:
                if self._quit.is_set():
                    return Attempt(task, Outcome.LOST, error.message)
                self._say(error)
                self._quit.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Invalid as error:  # a result that no store could keep
                self._say(error)
                act = self._failing(error)
            except HopperError as error:
                self._lose(held, error.message)
        return None

    def _lose(self, held: _Held, why: str) -> None:
        """Somebody else decides about this task by now, unless its handler did so itself."""
        held.over = True
        ended = self._ended_by_handler(held.task)
        self._told(ended or Attempt(held.task, Outcome.LOST, why))
        if ended is None or ended.outcome is Outcome.RELEASED:
            self._on_lost(held.task)

    def _ended_by_handler(self, task: Task) -> Attempt | None:
        """How the handler ended the attempt by another way, as by breaking the task down."""
        try:
            now = self.hopper.get(task.id)
        except HopperError:
            return None
        if now.status in _PASSED_ON:
            return Attempt(now, Outcome.PASSED_ON, now.reason or "")
        if now.status in _FINISHED and _key(now) == _key(task) and now.owner == self.name:
            return Attempt(now, _FINISHED[now.status], now.reason or "")
        if now.status is TaskStatus.PENDING and _key(now) == _key(task):
            last = self.hopper.store.events(key=now.id, newest=True, limit=_LOOKED_BACK)
            how = next((e.kind for e in last if e.kind in (*_GIVEN_BACK, "task.expired")), "")
            if how in _GIVEN_BACK:
                return Attempt(now, _GIVEN_BACK[how], now.reason or "")
        return None

    def _let_go(self) -> None:
        """Wait a moment for handlers that were told to end."""
        give_up = time.monotonic() + _LONGEST_PAUSE
        while self._held and time.monotonic() < give_up:
            self._lookout.wake.wait(_PAUSE)
            self._lookout.wake.clear()

    def _give_back(self) -> None:
        """Release what was taken and is not begun."""
        with suppress(HopperError):
            while self._next:
                self._release(self._next.popleft())

    # Leases

    def _keep_leases(self) -> None:
        """Renew what is held, each lease at a third of its length, until the worker ends."""
        try:
            while not self._ended:
                due = [held.renew_at for held in self._leased()]
                self._beat.wait(max(0.0, min(due) - time.monotonic()) if due else None)
                self._beat.clear()
                for held in self._leased():
                    if held.renew_at <= time.monotonic():
                        self._renew(held)
        except BaseException as fault:
            self._fault = self._fault or fault
            self.stop(now=True)

    def _leased(self) -> list[_Held]:
        held = tuple(self._held.values())
        return [one for one in held if one.lease is not None and not one.over]

    def _renew(self, held: _Held) -> None:
        """Send a heartbeat, unless the attempt is being ended just now."""
        assert held.lease is not None
        if not held.lock.acquire(blocking=False):
            held.renew_at = time.monotonic() + _PAUSE
            return
        try:
            if held.over:
                return
            task = self.hopper.heartbeat(held.task.id, self.name, held.lease)
            if task.attempts == held.task.attempts:
                held.renewed()
                self._on_renewed(held.task, held.lease)
                return
            why = f"attempt {task.attempts} has it"
        except StorageError as error:
            self._say(error)
            held.renew_at = time.monotonic() + min(_PAUSE, held.lease / 10)
            return
        except HopperError as error:
            why = error.message
        finally:
            held.lock.release()
        self._lose(held, why)


def _key(task: Task) -> tuple[str, int]:
    return task.id, task.attempts


def _reason(error: BaseException) -> str:
    """What an exception says, as a store can keep it."""
    said = error.message if isinstance(error, HopperError) else str(error)
    if isinstance(error, SystemExit):
        said = f"exit {said}"
    text = said.strip() or type(error).__name__
    if len(text) > REASON_LIMIT:
        begin = REASON_LIMIT // 4
        text = f"{text[:begin]} … {text[begin + 3 - REASON_LIMIT :]}"
    return text.encode("utf-8", "replace").decode("utf-8")

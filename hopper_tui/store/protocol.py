"""Store: what the engine needs from any place that keeps events and their projections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hopper_tui.model.delegation import Delegation
from hopper_tui.model.instance import Instance
from hopper_tui.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from hopper_tui.model.conflict import Absorbed, Conflict
    from hopper_tui.model.event import Event, Patch
    from hopper_tui.model.executor import Executor
    from hopper_tui.model.lifecycle import TaskStatus
    from hopper_tui.model.query import Query

E = TypeVar("E", bound=Task | Instance | Delegation)


class Transaction(Protocol):
    """Writes inside one transaction. Every change is an event; all of them commit, or none."""

    at: str
    """When, as every event of it says."""

    def create(self, value: E, kind: str, note: Any = None) -> E:
        """Record a new entity; raises StorageError if its id is taken."""

    def change(self, value: E, kind: str, note: Any = None, **fields: Any) -> E:
        """Record new values for some fields and return the entity as it is then.

        Fields that are equal already are left out; if none is left and there is no note, nothing
        is recorded. The lease of a task that is taken is kept as `value` has it.
        """

    def patch(self, entity: str, key: str, patch: Patch, kind: str, note: Any = None) -> None:
        """Record a ready-made patch of an existing entity."""

    def remark(self, entity: str, key: str, kind: str, note: Any) -> None:
        """Record something that changes no field: a note, a decision, an archived summary."""

    def told(self, delegation: str, status: str | None) -> None:
        """Remember, locally, which status of a hop the other side is known to have."""

    def lease(self, task: str, until: str | None) -> None:
        """Let whoever holds a task hold it until then: local to this machine, like every lease."""

    def resolve(self, conflict: Conflict, *, take_loser: bool) -> None:
        """Record which of two values stands."""

    def remove_instance(self, key: str, kind: str) -> None:
        """Forget an instance and its tasks; the events stay."""


class Store(Protocol):
    """One place of tasks, safe to share between threads.

    Reading methods see the last commit, or inside a transaction its own writes. All raise
    StorageError when the store cannot be read.
    """

    path: Path | None
    travels: bool
    """Whether its state follows a checkout of git."""
    is_read_only: bool
    """Whether nothing could be changed when it was used last; nobody asked a store not used yet."""

    @property
    def replica(self) -> str:
        """Which clone writes here; "" where the record stays on one machine."""

    def transaction(self, group: str, actor: str, at: str) -> AbstractContextManager[Transaction]:
        """Begin writing: the events get this group, actor and time. Takes the write lock."""

    def instance(self, key: str) -> Instance | None: ...
    def instances(self) -> list[Instance]: ...
    def task(self, key: str) -> Task | None: ...
    def is_current(self, task: Task) -> bool:
        """Whether a task is still held, or not, as when it was read."""

    def tasks(self, keys: Sequence[str]) -> list[Task]: ...
    def tasks_by_prefix(self, prefix: str, limit: int) -> list[Task]: ...
    def prefix_lengths(self, keys: Sequence[str], least: int) -> dict[str, int]:
        """The shortest unambiguous prefix length in this store for each key, at least `least`."""

    def query(self, query: Query) -> list[Task]: ...
    def ids(self, query: Query) -> list[str]: ...
    def count(self, query: Query) -> int: ...
    def words(self, instance: str, field: str) -> list[str]:
        """The values that a field has in the newest tasks of an instance, the most used first."""

    def counts(self, instance: str) -> dict[TaskStatus, int]: ...
    def all_counts(self) -> dict[str, dict[TaskStatus, int]]:
        """Counts by status of every instance with tasks here."""

    def next_task(
        self, instances: Sequence[str], executor: Executor, now: str, ageing: float | None = None
    ) -> Task | None:
        """The first ready task of these instances, in queue order, that this executor may take.

        With `ageing`, in seconds, a task counts one priority higher for each such time it waited.
        """

    def ready_for(
        self, instances: Sequence[str], now: str
    ) -> list[tuple[str | None, tuple[str, ...], int]]:
        """Whom the ready tasks of these instances are for: the executor they prefer, the
        capabilities they require, and how many there are of each such kind."""

    def next_retry(self, instances: Sequence[str], now: str) -> str | None:
        """When the first of the ready tasks of these instances whose time has not come may be
        taken."""

    def has_ready(self, instances: Sequence[str], besides: Iterable[str]) -> bool:
        """Whether any task of these instances is ready, now or when its time has come, `besides`
        those that prefer such an executor."""

    def waiting(self, instance: str, skip: int = 0, limit: int = -1) -> list[Task]:
        """Ready tasks to be offered, most urgent and oldest first, past the first `skip`."""

    def children(self, delegation: str) -> list[Task]:
        """The tasks here that a hop made, in order."""

    def dependents(self, task: str) -> list[Task]:
        """The tasks here that depend on that one."""

    def delegation(self, key: str) -> Delegation | None: ...
    def delegations_by_prefix(self, prefix: str, limit: int) -> list[Delegation]: ...
    def hops_of(self, task: str) -> list[Delegation]:
        """The hops whose source is that task, oldest first."""

    def hops_of_root(self, root: str) -> list[Delegation]: ...
    def delegations(self, statuses: Iterable[str] = ()) -> list[Delegation]: ...
    def unsettled(self) -> list[Delegation]:
        """The hops whose other side may not know their present status."""

    def events(
        self,
        *,
        key: str | None = None,
        group: str | None = None,
        kind: str | None = None,
        after: int = 0,
        newest: bool = False,
        limit: int | None = None,
    ) -> list[Event]:
        """Recorded events, oldest first unless `newest`."""

    def local(self, name: str) -> str | None: ...
    def locals(self, prefix: str) -> dict[str, str]:
        """The local values whose name starts with `prefix`."""

    def set_local(self, name: str, value: str) -> None:
        """Keep a local value that is no part of the record."""

    def unset_local(self, name: str) -> None:
        """Forget a local value."""

    def revision(self) -> int:
        """A number that changes when anybody committed to this store."""

    @property
    def version(self) -> tuple[int, int] | None:
        """Which opening of the store this is, and a number that was 0 then and changes when anybody
        commits; None while it is closed."""

    def absorb(self) -> Absorbed:
        """Take in what came or went without a command, as by a checkout."""

    def conflicts(self, kind: str | None = None) -> list[Conflict]:
        """Changes that had not seen each other, the oldest first; of one kind if it is given."""

    def elsewhere(self, prefix: str) -> dict[str, str]:
        """Tasks known from another branch by a prefix of their id: id and title."""

    def expired(self, now: str) -> list[Task]:
        """The tasks that somebody holds with a lease that ran out before `now`."""

    def rebuild(self) -> int:
        """Make the projections anew from the events; returns how many events were folded.

        What was purged comes back until the next purge. What is local stays.
        """

    def purge(self, instance: str, before: str) -> int:
        """Remove tasks closed before that time from the projections; returns how many.

        Those that an open task still waits for stay.
        """

    def skew(self, now: float) -> list[str]:
        """Whose clock differs from the others', in sentences."""

    def check(self) -> list[str]:
        """What is wrong with the stored data, in sentences; empty when all is well."""

    def let_go(self) -> None:
        """Close files that were removed, replaced, upgraded or made writable since they were
        opened; the next use opens those that are there then, or says why it cannot."""

    def close(self) -> None:
        """Give everything held open back; the next use opens it again."""

    def delete(self) -> None:
        """Close, and remove everything this store keeps."""

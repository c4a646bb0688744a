"""View snapshots: what is shown in place of the panes, loaded with the first view that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.model.lifecycle import ACTIVE, TaskStatus

if TYPE_CHECKING:
    from hopper_tui.engine.doctor import Finding
    from hopper_tui.engine.trends import Trend
    from hopper_tui.model.event import Event
    from hopper_tui.model.instance import Instance
    from hopper_tui.tui.snapshot import Hop, Problem, TaskRow


class Progress(NamedTuple):
    """How many of some tasks are done, have failed and are held; cancelled ones are no part of
    the `total`."""

    done: int = 0
    failed: int = 0
    held: int = 0
    total: int = 0

    @classmethod
    def of(cls, *counts: Mapping[TaskStatus, int]) -> Progress:
        """The progress that counts by status mean together."""

        def number(*statuses: TaskStatus) -> int:
            return sum(some.get(status, 0) for some in counts for status in statuses)

        everything = sum(sum(some.values()) for some in counts)
        return cls(
            number(TaskStatus.DONE),
            number(TaskStatus.FAILED),
            number(*ACTIVE),
            everything - number(TaskStatus.CANCELLED),
        )


class Held(NamedTuple):
    """A task in somebody's hands, or one that waits for them, since when; `most_attempts` are
    made at it."""

    row: TaskRow
    since: str | None
    most_attempts: int = 1


class PhaseRow(NamedTuple):
    """A phase of a run. `left` counts the tasks that keep it from being passed; `waiting` says
    that a checkpoint is all that is left to do in it."""

    instance: Instance
    number: int
    progress: Progress
    left: int
    is_active: bool = False
    waiting: bool = False


class WorkerRow(NamedTuple):
    """A worker of a run: what became of its tasks, how often it took one, how many of its leases
    ran out, and what it holds."""

    name: str
    progress: Progress
    attempts: int = 0
    expired: int = 0
    holds: tuple[Held, ...] = ()


class RunRow(NamedTuple):
    """A run with its phases and workers; `waiting` are the checkpoints to be approved. The
    progress is that of the run and its phases. `problem` says why it cannot be read."""

    instance: Instance
    project: str
    progress: Progress = Progress()
    phases: tuple[PhaseRow, ...] = ()
    workers: tuple[WorkerRow, ...] = ()
    waiting: tuple[Held, ...] = ()
    is_over: bool = False
    problem: Problem | None = None


class RunsSnapshot(NamedTuple):
    """Every run known: those under way, then those that are over, each the newest first; and the
    hopper that was looked at before."""

    revision: int
    runs: tuple[RunRow, ...] = ()
    problem: Problem | None = None
    around: str | None = None


class ColumnSnapshot(NamedTuple):
    """The tasks of a board in one state, those with bodies that are needed first. `total` counts
    them without the filter; of those that are closed only the latest are listed."""

    name: str
    ids: Sequence[str] = ()
    rows: Mapping[str, TaskRow] = {}
    total: int = 0


class BoardSnapshot(NamedTuple):
    """The tasks of a hopper by state; the cursor begins at the task `begin`."""

    revision: int
    instance: Instance | None = None
    filter: str = ""
    columns: tuple[ColumnSnapshot, ...] = ()
    begin: str | None = None
    problem: Problem | None = None


class Offer(NamedTuple):
    """A delegation that waits for an answer, with its task as the source has it."""

    hop: Hop
    task: TaskRow | None = None


class OffersSnapshot(NamedTuple):
    """What is offered to any hopper, the longest waiting first; some hoppers may be unreadable."""

    revision: int
    offers: tuple[Offer, ...] = ()
    unreadable: int = 0
    problem: Problem | None = None


class LogRow(NamedTuple):
    """An event, the name of the hopper that recorded it, the task it is about, and for a hop the
    names of its two ends, for a hopper its name."""

    event: Event
    where: str
    task: TaskRow | None = None
    way: str = ""


class LogSnapshot(NamedTuple):
    """The newest events of a hopper and those below it, the newest last; with `only`, those of
    that task."""

    revision: int
    instance: Instance | None = None
    rows: tuple[LogRow, ...] = ()
    only: str | None = None
    problem: Problem | None = None


PERIODS: Mapping[str, float] = {
    "day": 86_400.0,
    "week": 7 * 86_400.0,
    "month": 30 * 86_400.0,
    "hour": 3_600.0,
}
"""Over how many seconds statistics are drawn; the first is shown first."""


class StatsSnapshot(NamedTuple):
    """The numbers of a hopper, as `hopper stats --json` has them, and how it went over a period."""

    revision: int
    instance: Instance | None = None
    period: str = "day"
    numbers: Mapping[str, Any] = {}
    trend: Trend | None = None
    problem: Problem | None = None


class DoctorSnapshot(NamedTuple):
    """What the doctor found, the worst first, and when it looked."""

    revision: int
    findings: tuple[Finding, ...] = ()
    at: float = 0.0
    problem: Problem | None = None

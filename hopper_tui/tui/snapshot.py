"""Snapshots: the immutable values the session posts and the widgets show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from hopper_tui.model.errors import HopperError, StorageError

if TYPE_CHECKING:  # a frame is painted before there are any of them
    from hopper_tui.model.conflict import Conflict, Side
    from hopper_tui.model.delegation import Decision, Delegation
    from hopper_tui.model.event import Event
    from hopper_tui.model.instance import Instance, Load
    from hopper_tui.model.lifecycle import DelegationType
    from hopper_tui.model.task import Task


class Problem(NamedTuple):
    """Why something could not be shown or done, and what to do about it."""

    code: str
    message: str
    hint: str = ""
    state: str = "broken"

    @classmethod
    def of(cls, error: BaseException) -> Problem:
        """The problem an error tells of; one that nobody foresaw is shown as well, by its type,
        because a screen that stays open all day must outlive it."""
        from hopper_tui.tui import hints  # loaded once something goes wrong

        if isinstance(error, HopperError):
            state = error.state if isinstance(error, StorageError) else "broken"
            return cls(error.code, error.message, hints.at_the_screen(error.hint), state)
        return cls("unexpected", f"{type(error).__name__}: {error}", hints.DOCTOR)

    @property
    def sentence(self) -> str:
        """What happened and what to do, on one line."""
        return f"{self.message}. {self.hint}" if self.hint else self.message


class Question(NamedTuple):
    """What a view is read for: the hopper looked at, its filter, the task selected in its queue,
    and what else the view wants."""

    hopper: str | None
    filter: str = ""
    task: str | None = None
    wanted: tuple[str, ...] = ()


class TreeRow(NamedTuple):
    """One hopper of the tree, in the order shown. `problem` says why it cannot be read,
    `read_only` that it can be read only."""

    instance: Instance
    load: Load
    depth: int = 0
    has_children: bool = False
    path: str | None = None
    problem: Problem | None = None
    read_only: bool = False


class TreeSnapshot(NamedTuple):
    """Every hopper known, parents before children."""

    revision: int
    rows: tuple[TreeRow, ...] = ()
    problem: Problem | None = None


class TaskRow(NamedTuple):
    """A task as the queue shows it. `target` names where it was delegated to."""

    task: Task
    short_id: str
    target: str = ""


class Hop(NamedTuple):
    """A delegation with the names people know its two ends by, and the title of its task."""

    delegation: Delegation
    source: str
    target: str
    title: str = ""


class QueueSnapshot(NamedTuple):
    """The ordered ids of one hopper's queue, with the bodies that are needed first.

    `total` counts the open tasks without the filter. `offers` wait to be accepted by this hopper.
    `read_only` is the directory that would have to be made writable to change anything.
    """

    revision: int
    instance: Instance | None
    filter: str = ""
    ids: Sequence[str] = ()
    rows: Mapping[str, TaskRow] = {}
    total: int = 0
    offers: tuple[Hop, ...] = ()
    problem: Problem | None = None
    read_only: str = ""


class PageSnapshot(NamedTuple):
    """Bodies of some tasks of the queue with that revision."""

    revision: int
    rows: Mapping[str, TaskRow]


class DetailSnapshot(NamedTuple):
    """Everything about one task."""

    revision: int
    task_id: str
    row: TaskRow | None = None
    hops: tuple[Hop, ...] = ()
    decisions: tuple[Decision, ...] = ()
    reasons: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    names: Mapping[str, str] = {}
    problem: Problem | None = None
    conflicts: tuple[Conflict, ...] = ()


Take = Literal["mine", "theirs"]
"""A side of a conflict, as seen from this clone."""


class ConflictRow(NamedTuple):
    """A field in conflict with what people know its task by, and the two sides to choose from;
    `mine` is what this clone wrote."""

    conflict: Conflict
    mine: Side
    theirs: Side
    short_id: str
    title: str

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.conflict.key} {self.conflict.register}"

    def stands(self, side: Side) -> bool:
        """Whether that side is what the task says now."""
        return side.event == self.conflict.winner.event


class CheckoutSnapshot(NamedTuple):
    """Where the tasks of the hopper shown stand in git: `project` is the hopper that travels, None
    where none does; `branch` is None outside of git; `uncommitted` counts events."""

    revision: int = 0
    project: str | None = None
    name: str = ""
    branch: str | None = None
    uncommitted: int = 0
    conflicts: tuple[ConflictRow, ...] = ()
    problem: Problem | None = None


class Target(NamedTuple):
    """A hopper a task may be delegated to. `refused` says why it would not take it."""

    id: str
    name: str
    kind: DelegationType
    status: str
    load: Load
    score: float | None = None
    refused: str | None = None


class Targets(NamedTuple):
    """The hoppers a task may be delegated to, best first, and what routing would do."""

    rows: tuple[Target, ...] = ()
    choice: str = ""


class Refusal(NamedTuple):
    """The id of a task that a verb was refused for."""

    task: str
    problem: Problem


class Report(NamedTuple):
    """What a verb did: what `verb` did to the tasks `done`, those it was `refused` for, and how
    many are `left` as they were because it was stopped; `undone` says that somebody took back
    meanwhile what was done."""

    verb: str
    done: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left: int = 0
    undone: bool = False

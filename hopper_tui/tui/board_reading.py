"""Reading the board: the ids of a hopper's tasks by state, and the bodies that are seen first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine.filter import parse
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import CLOSED, HopperScope, TaskStatus
from hopper_tui.model.query import Query, Term
from hopper_tui.tui.pages import PAGE
from hopper_tui.tui.snapshot import Problem, Question
from hopper_tui.tui.task_reading import rows, window
from hopper_tui.tui.view_snapshot import BoardSnapshot, ColumnSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.world import World

RECENT = PAGE
"""Closed tasks that are listed, those changed last."""


class Column(NamedTuple):
    """A column: its name, and the states of the tasks in it."""

    name: str
    statuses: tuple[TaskStatus, ...]


_T = TaskStatus
COLUMNS: tuple[Column, ...] = (
    Column("pending", (_T.PENDING,)),
    Column("in progress", (_T.CLAIMED, _T.IN_PROGRESS)),
    Column("blocked", (_T.BLOCKED,)),
    Column("delegated", (_T.DELEGATED,)),
    Column("done", (_T.DONE, _T.FAILED, _T.CANCELLED)),
)
"""Every status is in one of them."""


class BoardReader:
    """Reads the board of one hopper."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, number: int, question: Question) -> BoardSnapshot:
        """The board with the bodies at the top of each column, and around the wanted tasks."""
        world = self._world
        try:
            hopper = world.hopper(question.hopper)
            terms = parse(question.filter, world.now())
            counts = hopper.counts()
            wanted = frozenset(question.wanted or (question.task or "",))
            columns = []
            for column in COLUMNS:
                query = Query(hopper.id, (*terms, Term("status", column.statuses)))
                if CLOSED.issuperset(column.statuses):
                    query = query._replace(sort="updated", limit=RECENT)
                total = sum(counts.get(status, 0) for status in column.statuses)
                ids = hopper.ids(query) if total else []
                near = next((key for key in ids if key in wanted), None)
                found = rows(world, hopper.id, ids[window(ids, (near, 0))])
                columns.append(ColumnSnapshot(column.name, ids, found, total))
            return BoardSnapshot(
                number, hopper.instance, question.filter, tuple(columns), question.task
            )
        except Exception as error:
            name = question.hopper or ""
            unknown = Instance(name, name, HopperScope.PROJECT)
            return BoardSnapshot(number, unknown, question.filter, problem=Problem.of(error))

"""RunsView: every run with its phases, its workers and what they hold now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar, NamedTuple

from textual.binding import BindingType

from hopper_tui.tui.commands import Keys, bindings_of, key_of
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.presentation import problem_lines
from hopper_tui.tui.roles import Line
from hopper_tui.tui.run_lines import (
    approval_line,
    held_line,
    no_runs,
    nobody_line,
    phase_line,
    run_line,
    runs_title,
    worker_line,
)
from hopper_tui.tui.snapshot import Held, RunRow, RunsSnapshot
from hopper_tui.tui.stage import Place, Staged

TICK = 1.0
"""Seconds between two looks at the clock: leases run out while nothing else happens."""


class _Row(NamedTuple):
    """A line: what tells it from the others, how it is drawn, and what it is about."""

    key: str
    draw: Callable[[int, float], Line]
    run: RunRow
    instance: str
    task: str | None = None
    approval: Held | None = None


class RunsView(LineList, Staged):
    """Runs that are over are folded, the others show all they have."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runs")

    def __init__(
        self,
        clock: Callable[[], float],
        keys: Keys,
        *,
        id: str | None = None,  # noqa: A002 - the name Textual uses
    ) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._clock = clock
        self.snapshot = RunsSnapshot(0)
        self._toggled: set[str] = set()
        self._rows: list[_Row] = []

    def on_mount(self) -> None:
        self.set_interval(TICK, self._tick)

    def _tick(self) -> None:
        if self.display:
            self.lines_changed()

    def show(self, runs: RunsSnapshot) -> None:
        """Show another state of the runs; the selected line stays selected."""
        is_first = not self.snapshot.revision
        self.snapshot = runs
        self.notice = (
            problem_lines(runs.problem, max(12, self.line_width - 2)) if runs.problem else no_runs()
        )
        self.show_title(*runs_title(runs))
        self._lay_out()
        if is_first:
            self._place(lambda row: row.task is None and row.instance == runs.around)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The runs that are over and shown all the same: they are read with their workers."""
        return tuple(sorted(self._toggled))

    @property
    def lacks(self) -> bool:
        """Whether a run was unfolded whose workers have not been read."""
        shown = self.line.run if self.line else None
        return (
            shown is not None
            and shown.is_over
            and not shown.workers
            and (shown.instance.id in self._toggled)
        )

    @property
    def line(self) -> _Row | None:
        """The selected line."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    @property
    def approval(self) -> Held | None:
        return self.line.approval if self.line else None

    @property
    def place(self) -> Place | None:
        return Place(self.line.instance, self.line.task) if self.line else None

    def line_count(self) -> int:
        return len(self._rows)

    def id_at(self, index: int) -> str | None:
        return self._rows[index].key

    def line_at(self, index: int, width: int) -> Line:
        return self._rows[index].draw(width, self._clock())

    def action_fold_toggle(self) -> None:
        """Show or hide what a run is made of."""
        if (row := self.line) is not None:
            self._toggled ^= {row.run.instance.id}
            self._lay_out(f"run {row.run.instance.id}")
            self.post_message(self.Highlighted(self, self.selected))

    def _lay_out(self, wanted: str | None = None) -> None:
        wanted = wanted or self.selected
        self._rows = [row for run in self.snapshot.runs for row in self._rows_of(run)]
        if not self._place(lambda row: row.key == wanted):
            self.place_cursor(self.cursor)
            self.lines_changed()

    def _place(self, wanted: Callable[[_Row], bool]) -> bool:
        index = next((i for i, row in enumerate(self._rows) if wanted(row)), None)
        if index is None:
            return False
        self.place_cursor(index)
        self.lines_changed()
        return True

    def _rows_of(self, run: RunRow) -> Iterator[_Row]:
        key = run.instance.id
        folded = run.is_over != (key in self._toggled)
        yield _Row(f"run {key}", partial(_run, run, folded), run, key)
        for held in run.waiting:
            task = held.row.task
            draw = partial(approval_line, held, key_of("runs.approve", self._keys))
            yield _Row(f"approve {task.id}", draw, run, task.instance, task.id, held)
        if folded or run.problem:
            return
        for phase in run.phases:
            where = phase.instance.id
            yield _Row(f"phase {where}", partial(phase_line, phase), run, where)
        most = max((worker.progress.total for worker in run.workers), default=1)
        for worker in run.workers:
            name = f"worker {key} {worker.name}"
            yield _Row(name, partial(worker_line, worker, most), run, key)
            for held in worker.holds:
                task = held.row.task
                draw = partial(held_line, held)
                yield _Row(f"task {task.id}", draw, run, task.instance, task.id)
        if not run.workers:
            yield _Row(f"nobody {key}", _nobody, run, key)


def _run(run: RunRow, folded: bool, width: int, now: float) -> Line:
    return run_line(run, width, now, folded)


def _nobody(width: int, now: float) -> Line:
    return nobody_line(width)

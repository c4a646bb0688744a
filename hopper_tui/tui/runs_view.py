"""RunsView: every run with its phases, its workers and what they hold now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import bindings_of, key_of
from hopper_tui.tui.presentation import problem_lines
from hopper_tui.tui.roles import Line
from hopper_tui.tui.row_list import Row, RowList
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
from hopper_tui.tui.stage import Place
from hopper_tui.tui.view_snapshot import Held, RunRow, RunsSnapshot


class RunsView(RowList):
    """Runs that are over are folded, the others show all they have."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runs")

    snapshot = RunsSnapshot(0)
    _toggled: frozenset[str] = frozenset()

    def show(self, runs: RunsSnapshot) -> None:
        """Show another state of the runs; the selected line stays selected."""
        is_first = not self.snapshot.revision
        self.snapshot = runs
        self.notice = self._explanation
        self.show_title(*runs_title(runs))
        self._lay_out()
        if is_first:
            self.find(lambda row: row.task is None and row.place == Place(runs.around or ""))

    @property
    def wanted(self) -> tuple[str, ...]:
        """The runs that are over and shown all the same: they are read with their workers."""
        return tuple(sorted(self._toggled))

    @property
    def lacks(self) -> bool:
        """Whether a run was unfolded whose workers have not been read."""
        key = self.line.group if self.line else ""
        return key in self._toggled and any(
            run.is_over and not run.workers for run in self.snapshot.runs if run.instance.id == key
        )

    def action_fold_toggle(self) -> None:
        """Show or hide what a run is made of."""
        if (row := self.line) is not None:
            self._toggled ^= {row.group}
            self._lay_out()
            self.find(lambda other: other.key == f"run {row.group}")
            self.post_message(self.Highlighted(self, self.selected))

    def _lay_out(self) -> None:
        self.lay_out([row for run in self.snapshot.runs for row in self._rows_of(run)])

    def _explanation(self, width: int) -> tuple[Line, ...]:
        problem = self.snapshot.problem
        return problem_lines(problem, width) if problem else no_runs()

    def _rows_of(self, run: RunRow) -> Iterator[Row]:
        key = run.instance.id
        folded = run.is_over != (key in self._toggled)
        head = Row(f"run {key}", partial(_run, run, folded), Place(key), group=key)
        yield head
        for held in run.waiting:
            draw = partial(approval_line, held, key_of("runs.approve", self.keys))
            yield _of(held, "approve", draw, key)._replace(approval=held)
        if folded or run.problem:
            return
        for phase in run.phases:
            where = phase.instance.id
            yield Row(f"phase {where}", partial(phase_line, phase), Place(where), group=key)
        most = max((worker.progress.total for worker in run.workers), default=1)
        for worker in run.workers:
            draw = partial(worker_line, worker, most)
            yield head._replace(key=f"worker {key} {worker.name}", draw=draw)
            for held in worker.holds:
                yield _of(held, "task", partial(held_line, held), key)
        if not run.workers:
            yield head._replace(key=f"nobody {key}", draw=_nobody)


def _of(held: Held, what: str, draw: Callable[[int, float], Line], run: str) -> Row:
    """The row of a task that somebody holds, or that waits for somebody."""
    task = held.row.task
    return Row(f"{what} {task.id}", draw, Place(task.instance, task.id), held.row, group=run)


def _run(run: RunRow, folded: bool, width: int, now: float) -> Line:
    return run_line(run, width, now, folded)


def _nobody(width: int, now: float) -> Line:
    return nobody_line(width)

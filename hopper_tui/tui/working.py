"""WorkingScreen: doing verbs to tasks, in portions where they are many, and telling what became
of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from textual import getters
from textual.screen import Screen

from hopper_tui.model.clock import age, seconds
from hopper_tui.model.text import plain
from hopper_tui.tui.presentation import count, report_text
from hopper_tui.tui.queue_view import QueueView
from hopper_tui.tui.snapshot import Problem, Report
from hopper_tui.tui.stage import Staged
from hopper_tui.tui.status_line import StatusLine
from hopper_tui.tui.verbs import VERBS, Verb

if TYPE_CHECKING:
    from hopper_tui.engine.undo import Done, Undone
    from hopper_tui.engine.world import World
    from hopper_tui.tui.session import Session

R = TypeVar("R")

SILENT_FOR = 0.7
"""Seconds that something may take before that is said."""
TAKES_TIME = "still at it; another program may hold the store"

ASK_ABOVE = 10
"""A verb on more marked tasks than this asks first."""
ASK_AFTER = 3600.0
"""Seconds after which a command is not undone without a question: it may be forgotten."""
COPIED = 5
"""Of more ids than this only the number is said."""
QUESTIONS = {
    "claim": "Claim {}?",
    "start": "Start {}?",
    "done": "Mark {} done?",
    "release": "Give {} back?",
    "reopen": "Reopen {}?",
    "recall": "Take {} back?",
    "block": "Block {}?",
    "fail": "Mark {} failed?",
    "cancel": "Cancel {}?",
    "priority": "Change the priority of {}?",
    "tag": "Change the tags of {}?",
    "note": "Write a note on {}?",
    "delegate": "Delegate {}?",
    "rate": "Mark {} done and rate them?",
}
"""What is asked before a verb on many tasks."""
BULK = frozenset({"block", "fail", "cancel", "priority", "tag", "note", "delegate", "rate"})
"""The dialogs whose answer changes all marked tasks."""


class WorkingScreen(Screen[None]):
    """A screen with tasks to choose, a line that says what was done, and a session."""

    queue_view = getters.query_one("#queue", QueueView)
    status = getters.query_one("#status", StatusLine)
    is_opening = False
    """Whether a dialog was asked for and is not there yet: keys typed ahead are meant for it."""
    underway: UnderWay | None = None
    """The verb that is being done to many tasks."""

    @property
    def session(self) -> Session:
        """What talks to the engine."""
        raise NotImplementedError

    @property
    def tasks(self) -> QueueView | Staged:
        """Where the task is that verbs act on."""
        raise NotImplementedError

    @property
    def here(self) -> str | None:
        """The hopper that undo and redo are about."""
        raise NotImplementedError

    def reload(self) -> None:
        """Read again what is on the screen."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Tell what was done, in the status line."""
        self.status.say(text)

    def warn(self, text: str) -> None:
        """Tell what was refused and why, in a box that is large enough for it."""
        self.app.notify(plain(text), severity="warning", markup=False)

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Say that it takes time, if it does."""
        timer = self.set_timer(SILENT_FOR, partial(self.status.say, TAKES_TIME, "warn"))
        try:
            yield
        finally:
            timer.stop()

    # Verbs

    def action_work(self, name: str) -> None:
        """Do a verb to the marked tasks, or the selected one."""
        self.is_opening = len(self.tasks.chosen) > ASK_ABOVE
        self.run_worker(self._work(name), group="work")

    async def _work(self, name: str) -> None:
        chosen = self.tasks.chosen
        if await self._agreed(name, chosen):
            await self.work(VERBS[name], chosen)

    def action_ask(self, name: str) -> None:
        """Open the dialog of a command."""
        self.ask(self._ask(name))

    def ask(self, dialog: Awaitable[None]) -> None:
        """Begin a dialog."""
        self.is_opening = True
        self.run_worker(self._asking(dialog), group="ask")

    async def _asking(self, dialog: Awaitable[None]) -> None:
        """Hold a dialog; what the engine refuses on the way is said, and ends nothing else."""
        try:
            await dialog
        except Exception as error:
            self.warn(Problem.of(error).sentence)
        finally:
            self.is_opening = False

    def on_screen_suspend(self) -> None:
        self.is_opening = False

    async def _ask(self, name: str) -> None:
        """Hold the dialog of that name."""
        raise NotImplementedError

    async def _agreed(self, name: str, chosen: Sequence[str]) -> bool:
        """Whether a verb may be done to so many tasks; of more than a few it is asked."""
        if len(chosen) <= ASK_ABOVE:
            return True
        question = QUESTIONS[name].format(count(len(chosen), "task"))
        return await self._confirmed("many tasks", question)

    async def _quit(self) -> None:
        """Leave the program in the middle of a verb on many tasks, if somebody says yes."""
        progress = self.underway.progress if self.underway else ""
        if await self._confirmed("quit", f"{progress}; quit all the same?"):
            self.app.exit()

    async def _confirmed(self, title: str, question: str) -> bool:
        """Whether somebody says yes."""
        from hopper_tui.tui.dialogs.confirm import ConfirmDialog

        agreed: bool | None = await self.app.push_screen_wait(ConfirmDialog(title, question))
        return agreed is True

    async def work(self, verb: Verb, task_ids: Sequence[str]) -> Report:
        """Do a verb to some tasks as one command, and say what happened.

        Escape stops it between two portions; what is done by then is one step of undo.
        """
        self.app.clear_notifications()  # what was refused before is no answer to this
        underway = self.underway = UnderWay(verb.past, len(task_ids), self.say)
        summary = f"{verb.past} {count(len(task_ids), 'task')}"
        try:
            with self.patiently():
                report = await self.session.work(verb, task_ids, summary, underway.goes_on)
        finally:
            self.underway = None
        if report.done or self.is_current:  # a dialog says itself that nothing was done
            (self.warn if report.refused or report.undone else self.say)(report_text(report))
        if report.done:
            self.queue_view.clear_marks(kept=[refusal.task for refusal in report.refused])
        self.reload()
        return report

    # Jobs

    async def attempt(self, job: Callable[[World], R], said: Callable[[R], str]) -> Problem | None:
        """Run a job that changes something and say what it did; the problem if it was refused."""
        try:
            with self.patiently():
                result = await self.session.do(job)
        except Exception as error:
            return Problem.of(error)
        self.say(said(result))
        self.reload()
        return None

    async def insist(self, job: Callable[[World], R], said: Callable[[R], str]) -> None:
        """Like `attempt`, but a refusal is said as well."""
        if problem := await self.attempt(job, said):
            self.warn(problem.sentence)

    def action_undo(self) -> None:
        """Take back the last command at this hopper; asks first if another did it, or long ago."""
        self.is_opening = True
        self.run_worker(self._asking(self._undo(self.here)), group="work")

    async def _undo(self, here: str | None) -> None:
        from hopper_tui.engine.undo import last

        def job(world: World) -> tuple[Done, Undone | None, str]:
            done = last(world, here)
            is_ours = done.actor == world.actor
            if is_ours and world.now() - seconds(done.at) <= ASK_AFTER:
                return done, world.undo(here, done.group), ""
            return done, None, age(done.at, world.now())

        done, undone, ago = await self.session.do(job)
        if undone is None:
            question = f"Undo: {done.summary}, by {done.actor}, {ago} ago?"
            if not self.is_current or not await self._confirmed("undo", plain(question)):
                return
            undone = await self.session.do(lambda world: world.undo(here, done.group))
        self.say(undone.summary)
        self.reload()

    def action_redo(self) -> None:
        """Do again what was undone at this hopper."""
        here = self.here
        redo = self.insist(lambda world: world.redo(here), lambda redone: redone.summary)
        self.run_worker(redo, group="work")

    # Marks

    def action_mark(self) -> None:
        """Mark the selected task."""
        self.queue_view.toggle_mark()

    def action_mark_range(self) -> None:
        """Mark from the selected task to where the cursor goes."""
        self.queue_view.toggle_range()

    def action_mark_all(self) -> None:
        """Mark all tasks shown."""
        self.queue_view.mark_all()

    def action_copy(self) -> None:
        """Copy the ids of the chosen tasks."""
        chosen = self.tasks.chosen
        rows = ((key, self.tasks.row(key)) for key in chosen)
        ids = [row.short_id if row else key for key, row in rows]
        self.app.copy_to_clipboard(" ".join(ids))
        self.say(f"copied {' '.join(ids) if len(ids) <= COPIED else count(len(ids), 'id')}")


class UnderWay:
    """How far a verb on many tasks is; nothing is said of one that is over at once."""

    def __init__(self, past: str, total: int, say: Callable[[str], None]) -> None:
        self._past = past
        self._total = total
        self._say = say
        self._stopped = False
        self.progress = ""
        self.is_long = total > ASK_ABOVE

    def stop(self) -> None:
        """Do no more portion."""
        self._stopped = True

    def goes_on(self, through: int) -> bool:
        """Whether to go on after so many tasks."""
        if through < self._total:
            self.progress = f"{self._past}: {through:,} of {self._total:,}"
            self._say(f"{self.progress}; esc stops")
        return not self._stopped

"""TryingDialog: a dialog that tries to do what it is for, and shows why that was refused."""

from __future__ import annotations

from collections.abc import Awaitable

from textual import getters
from textual.content import Content
from textual.widgets import Static

from hopper_tui.model.text import plain
from hopper_tui.tui.dialogs.dialog import Dialog
from hopper_tui.tui.snapshot import Problem


class TryingDialog(Dialog[bool]):
    """One attempt at a time: a second Enter does nothing twice. A body has a Static `#problem`.

    Who leaves meanwhile takes nothing back; that it was refused is said all the same.
    """

    problem = getters.query_one("#problem", Static)
    closes = True
    """Whether the dialog is over, with the result True, when an attempt succeeded."""
    _is_trying = False

    def attempt(self, attempt: Awaitable[Problem | None]) -> None:
        """Wait for an attempt."""
        self._is_trying = True
        self.app.run_worker(self._wait_for(attempt), group="attempt")

    @property
    def is_trying(self) -> bool:
        """Whether an attempt is under way."""
        return self._is_trying

    async def _wait_for(self, attempt: Awaitable[Problem | None]) -> None:
        try:
            problem = await attempt
        finally:
            self._is_trying = False
        if self.is_current:
            if problem is None and self.closes:
                self.dismiss(True)
            else:
                self.say(problem.sentence if problem else "")
        elif problem is not None:
            self.app.notify(plain(problem.sentence), severity="warning", markup=False)

    def say(self, problem: str) -> None:
        """Show what is wrong; nothing hides it."""
        self.problem.update(Content(plain(problem)))
        self.problem.set_class(bool(problem), "-said")
        if problem:
            self.app.clear_notifications()

"""Opening: where the program opens, as the command line says and as it was left."""

from __future__ import annotations

from typing import NamedTuple

from hopper_tui.tui.state import Remembered


class Opening(NamedTuple):
    """A hopper, a filter and a task; None where nothing was said."""

    instance: str | None = None
    filter: str | None = None
    task: str | None = None

    def after(self, remembered: Remembered) -> Opening:
        """Where to open: what was said comes first, then where it was left. A task that was named
        is shown, so no filter that was left may hide it."""
        if self.task is not None:
            return self._replace(filter=self.filter or "")
        if self.instance is not None:
            return self
        return Opening(remembered.hopper, self.filter, remembered.task)

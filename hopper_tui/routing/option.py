"""Option: an instance a task could go to, with all a decision may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from hopper_tui.model.instance import Instance, Load
    from hopper_tui.model.settings import Settings

NEW_RUN = "+run"
"""As a decision's target: make a new orchestration run for it."""


class Option(NamedTuple):
    """A possible target. `refused` is the reason it rejected this very task before, if it did."""

    instance: Instance
    settings: Settings
    load: Load
    refused: str | None = None

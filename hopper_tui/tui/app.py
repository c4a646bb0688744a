"""HopperApp: the terminal UI over a world. Only `hopper tui` and `hopper demo` load this."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.command import Provider
from textual.screen import Screen

from hopper_tui.resources import STYLES
from hopper_tui.tui.cockpit import Cockpit, FirstQueueShown
from hopper_tui.tui.palette import CommandProvider
from hopper_tui.tui.themes import DEFAULT_THEME, THEMES, role_defaults

if TYPE_CHECKING:
    from hopper_tui.engine.world import World


WIDTHS = [(0, "-tiny"), (50, "-narrow"), (80, "-normal"), (120, "-wide")]
"""From how many columns which layout is used."""
HEIGHTS = [(0, "-flat"), (12, "-high")]
"""From how many lines there is a layout at all."""


class HopperApp(App[None]):
    """Opens at an instance (by default the project around, else global), with a filter, on a task.

    The caller made the world and closes it.
    """

    TITLE = "Hopper"
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / "cockpit.tcss", STYLES / "dialogs.tcss"]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {CommandProvider}
    PAUSE_GC_ON_SCROLL = True
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self,
        world: World,
        instance: str | None = None,
        filter: str = "",  # noqa: A002 - the name of the option
        task: str | None = None,
    ) -> None:
        super().__init__()
        self.cockpit = Cockpit(world, instance, filter, task)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DEFAULT_THEME

    def get_default_screen(self) -> Screen[None]:
        return self.cockpit

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_defaults(self.current_theme.to_color_system().generate())

    def on_first_queue_shown(self, event: FirstQueueShown) -> None:
        """What is loaded by now stays: the collector need not look at it again."""
        gc.freeze()

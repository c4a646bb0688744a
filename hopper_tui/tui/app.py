"""HopperApp: the terminal UI over a world. Only `hopper tui` and `hopper demo` load this."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.notifications import Notify
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Static

from hopper_tui.resources import STYLES
from hopper_tui.tui import keymap, pastes
from hopper_tui.tui.arrangement import HEIGHTS, SMALLEST, WIDTHS
from hopper_tui.tui.cockpit import Cockpit
from hopper_tui.tui.commands import key_of
from hopper_tui.tui.messages import FirstQueueShown
from hopper_tui.tui.opening import Opening
from hopper_tui.tui.state import Remembered, StateFile
from hopper_tui.tui.themes import ALL_THEMES, DEFAULT_THEME, OWN_THEMES, role_defaults
from hopper_tui.tui.type_ahead import TypeAhead

if TYPE_CHECKING:
    from hopper_tui.engine.world import World


SAVE_EVERY = 3.0
"""Seconds between looks whether there is something new to remember."""
SERVER_EVERY = 3.0
"""Seconds between looks whether the server is still there that shows this app in a browser."""


LEAVING = frozenset({"escape", "ctrl+c", "ctrl+q"})
"""Keys that only leave."""
SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
)


def _provider() -> type[Provider]:
    """What fills the palette, loaded when it is first shown."""
    from hopper_tui.tui.palette import CommandProvider

    return CommandProvider


class HopperApp(TypeAhead, inherit_bindings=False):
    """Opens at an instance, with a filter, on a task: by default where it was left, else at the
    project around, else at the global hopper.

    The caller made the world and closes it. `local` says that whoever sits there is at this
    machine: in a browser there is no editor, no file and no shell. Of Textual's own keys only
    Ctrl+C is taken over: its Ctrl+Q would quit from a form.
    """

    TITLE = "Hopper"
    CSS_PATH = STYLES / "cockpit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "help_quit", show=False, system=True)
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_provider}
    NOTIFICATION_TIMEOUT = 4.0
    PAUSE_GC_ON_SCROLL = True
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self,
        world: World,
        instance: str | None = None,
        filter: str | None = None,
        task: str | None = None,
        *,
        local: bool = True,
    ) -> None:
        pastes.install()
        gc.disable()  # until all is loaded: a collection now would only find what stays
        self._state_file = StateFile(world.home, world.places.root)
        self._saved = remembered = self._state_file.read()
        known = remembered.theme in ALL_THEMES
        # before there is a style sheet: with another theme all of it would be read again
        self.set_reactive(HopperApp.theme, remembered.theme if known else DEFAULT_THEME)
        super().__init__()
        self.local = local
        self._rebound = keymap.read(world.home)
        self.set_keymap(self._rebound.for_textual())
        self.cockpit = Cockpit(
            world,
            Opening(instance, filter, task),
            remembered,
            self._rebound.keys,
            local,
        )

    def on_ready(self) -> None:
        """Begin to read once the frame is painted: nothing is taken from the first paint."""
        self.run_worker(self.cockpit.load(), group="load")

    def on_mount(self) -> None:
        self._leave_on_signals()
        self.set_interval(SAVE_EVERY, self._save)
        if not self.local:
            self.set_interval(SERVER_EVERY, partial(self._leave_without, os.getppid()))

    def _save(self) -> None:
        """Remember where we are if we went somewhere, in a thread: disks may be slow."""
        self._keep_typed()
        if (now := self._remembered) != self._saved:
            self._saved = now
            remember = partial(self._state_file.write, now)
            self.run_worker(remember, group="state", exclusive=True, thread=True)

    @property
    def _remembered(self) -> Remembered:
        return self.cockpit.remembered._replace(theme=self.theme)

    def _keep_typed(self) -> None:
        """Keep what is in a form that is open: a terminal may be closed at any moment."""
        for screen in self.screen_stack:
            if keep := getattr(screen, "keep", None):
                keep()

    def on_unmount(self) -> None:
        self._state_file.write(self._remembered)

    def exit(self, result: None = None, return_code: int = 0, message: Any = None) -> None:
        """Leave; what cannot be written from now on is told in the shell."""
        self._keep_typed()
        self.cockpit.session.leave()
        super().exit(result, return_code, message)

    def action_suspend_process(self) -> None:
        """Stop, as shells know it, when no write is under way: whoever is stopped in the middle of
        one keeps everybody else waiting."""
        self.run_worker(self._stop(), group="stop", exclusive=True)

    async def _stop(self) -> None:
        await self.cockpit.session.rest()
        try:
            with self.suspend():
                os.kill(os.getpid(), signal.SIGSTOP)
        except SuspendNotSupported:
            self.cockpit.say("there is no shell to go to")

    def _leave_without(self, server: int) -> None:
        """Leave once the process that started this one is gone."""
        if os.getppid() != server:
            self.exit()

    @property
    def is_opening(self) -> bool:
        """Also while a dialog tries what was submitted: what is typed next is not for it."""
        is_trying: bool = getattr(self.screen, "is_trying", False)
        is_waiting = self.cockpit.is_opening or self.cockpit.is_filtering
        return is_waiting or is_trying or super().is_opening

    def is_wanted(self, key: str) -> bool:
        """Below the smallest size nobody sees what a key does: only leaving is left."""
        fits = self.size.width >= SMALLEST.width and self.size.height >= SMALLEST.height
        return fits or key in LEAVING or key in self._rebound.keys.get("app.quit", ("q",))

    def _leave_on_signals(self) -> None:
        """End in good order when somebody else ends us: the terminal is the shell's again."""
        if threading.current_thread() is not threading.main_thread() or self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, partial(self.exit, return_code=128 + number))

    def get_default_screen(self) -> Screen[None]:
        return self.cockpit

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Textual's themes and those of Hopper."""
        return ALL_THEMES

    def get_theme_variable_defaults(self) -> dict[str, str]:
        theme = self.current_theme
        if theme.name in OWN_THEMES:
            return {}
        return role_defaults(theme.to_color_system().generate())

    @on(Notify)
    def _make_room(self, event: Notify) -> None:
        """Show two boxes at most, and nothing twice, not even what a dialog says already: more
        would hide what they are about."""
        for screen in self.screen_stack[-1:]:
            for said in screen.query("#problem").results(Static):
                if event.notification.message in str(said.content):
                    event.prevent_default()
        # only by these private names does Textual let one of several boxes be taken away
        for number, shown in enumerate(reversed(list(self._notifications))):
            if number or shown.message == event.notification.message:
                self._unnotify(shown, refresh=False)

    def action_command_palette(self) -> None:
        """Show the palette, once."""
        from hopper_tui.tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_help_quit(self) -> None:
        """Say how to leave to whoever pressed Ctrl+C out of habit."""
        quits = key_of("app.quit", self._rebound.keys)
        self.notify(f"{quits} quits Hopper; Esc first leaves a form.", markup=False)

    def on_first_queue_shown(self, event: FirstQueueShown) -> None:
        """What is loaded by now stays: the collector need not look at it again."""
        gc.freeze()
        gc.enable()
        for problem in self._rebound.problems:
            self.cockpit.warn(problem)

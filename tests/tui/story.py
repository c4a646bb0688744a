"""A small language for stories: press keys, and say what is seen on the screen then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual import events
from textual.keys import _character_to_key, key_to_character
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from hopper_tui.engine.world import World
from hopper_tui.tui.app import HopperApp

PATIENCE = 10.0
"""Seconds to wait for something to appear before the story has failed."""


class Story:
    """What happens at one terminal."""

    def __init__(self, app: HopperApp, pilot: Pilot[None], world: World) -> None:
        self.app = app
        self.pilot = pilot
        self.world = world

    async def press(self, *keys: str) -> None:
        """Press keys, each when nothing is left to do for the one before; only what is written into
        a field waits for nothing, as whoever types fast does not."""
        for key in keys:
            self.tap(key)
            if not self._writes(key):
                await self._rest()
        if keys and self._writes(keys[-1]):
            await self._rest()

    def _writes(self, key: str) -> bool:
        is_text = len(key) == 1 or key == "backspace"
        return is_text and isinstance(self.app.focused, Input | TextArea)

    async def _rest(self) -> None:
        """Wait until every key is dealt with and the process has nothing to do."""
        await self._through()
        await self.app.animator.wait_until_complete()
        await self.pilot.pause()

    async def _through(self) -> None:
        """Wait until every key is dealt with."""
        end = time.monotonic() + PATIENCE
        await self.pilot.pause(0)  # the app has them
        while self.app.is_running and not self.app.is_through:
            assert time.monotonic() < end, f"keys are never dealt with\n{self.screen}"
            await asyncio.sleep(0.002)

    def tap(self, key: str) -> None:
        """Press a key and wait for nothing."""
        is_text = len(key) == 1
        name = _character_to_key(key) if is_text else key
        event = events.Key(name, key if is_text else key_to_character(key))
        event.set_sender(self.app)
        self.app.post_message(event)

    async def glimpses(self, text: str) -> None:
        """See a text that may be on the screen for a moment only."""
        end = time.monotonic() + PATIENCE
        while text not in self.screen:
            assert time.monotonic() < end, f"never saw {text!r}\n{self.screen}"
            await asyncio.sleep(0.002)

    async def strike(self, key: str) -> None:
        """Press a key, and go on once it was handled and what it asks for is read; `press` waits
        until the whole process has nothing to do, which takes much longer."""
        self.tap(key)
        await self._through()
        await self.until(lambda: self.app.cockpit.is_settled, f"{key} is never through")

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the mouse button at one place of the screen and let it go at another."""
        await self.pilot.mouse_down(offset=start)
        await self.pilot.hover(offset=end)
        await self.pilot.mouse_up(offset=end)

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*text)

    @property
    def screen(self) -> str:
        """The plain text of the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def row(self, text: str) -> str:
        """The row of the queue that contains a text; empty if none does."""
        queue = self.app.cockpit.queue_view
        rows = (queue.render_line(y).text for y in range(queue.size.height))
        return next((row for row in rows if text in row), "")

    def line(self, text: str) -> str:
        """The line of the screen that contains a text; empty if none does."""
        return next((line for line in self.screen.splitlines() if text in line), "")

    def height_of(self, text: str) -> int:
        """The line of the screen on which the queue shows a text."""
        queue = self.app.cockpit.queue_view
        rows = [queue.render_line(y).text for y in range(queue.size.height)]
        return queue.content_region.y + next(y for y, row in enumerate(rows) if text in row)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"{what}\n{self.screen}"
            await self.pilot.pause()
            await asyncio.sleep(0.005)

    async def sees(self, *texts: str) -> None:
        """Wait until all these texts are on the screen."""
        for text in texts:
            await self.until(lambda text=text: text in self.screen, f"never saw {text!r}")

    async def adds(self, title: str, to: str) -> None:
        """Add a task in the queue of the hopper that is shown."""
        await self.press("2", "a")
        await self.sees(f"add to {to}")
        await self.type(title)
        await self.press("enter")
        await self.sees(f"added {title}")

    async def sees_no(self, *texts: str) -> None:
        """Wait until none of these texts is on the screen."""
        for text in texts:
            await self.until(lambda text=text: text not in self.screen, f"still sees {text!r}")

    async def selects(self, text: str) -> None:
        """Wait until the task with that title is selected in the queue, and its details shown."""
        cockpit = self.app.cockpit

        def selected() -> bool:
            row, detail = cockpit.queue_view.selected_row, cockpit.task_view.snapshot
            return (
                row is not None
                and text in row.task.title
                and detail is not None
                and detail.task_id == row.task.id
            )

        await self.until(selected, f"{text!r} was never selected")


@asynccontextmanager
async def story(
    world: World, size: tuple[int, int] = (120, 40), **options: str
) -> AsyncIterator[Story]:
    """The app on a terminal of that size, once the first queue is on the screen."""
    app = HopperApp(world, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        told = Story(app, pilot, world)
        await told.until(lambda: app.cockpit.is_settled, "nothing was ever loaded")
        yield told
    world.close()

"""Draw docs/images/: the terminal UI on the sample world, at the sizes of two usual terminals.

Run it after a change of the UI: `python docs/make_pictures.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hopper_tui.demo import build
from hopper_tui.tui.app import HopperApp

IMAGES = Path(__file__).parent / "images"
NOW = 1_795_176_000.0
"""2026-11-20T12:00:00Z: the pictures are the same every time."""
PATIENCE = 10.0
"""Seconds until the screen must show the task."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, the size of the terminal, what is open (an instance with one task selected), and the
    key that is pressed then."""

    name: str
    size: tuple[int, int]
    instance: str
    title: str
    key: str = ""


PICTURES = (
    Picture("tui.svg", (160, 48), "global", "Integrate the new billing provider"),
    Picture("tui-80x24.svg", (80, 24), "webapp", "Fix login crash after the session expires"),
    Picture("board.svg", (120, 30), "webapp", "Fix login crash after the session expires", "B"),
    Picture("runs.svg", (120, 30), "webapp", "Fix login crash after the session expires", "W"),
    Picture("why.svg", (120, 36), "global", "Integrate the new billing provider", "w"),
)


async def draw(picture: Picture, home: Path) -> None:
    """Open the app as the picture says, and save what is on the screen."""
    world = build(home, clock=lambda: NOW)
    hopper = world.hopper(picture.instance)
    task = next(task for task in hopper.list() if task.title == picture.title)
    app = HopperApp(world, instance=hopper.id, task=task.id)
    async with app.run_test(size=picture.size) as pilot:
        async with asyncio.timeout(PATIENCE):
            while (seen := app.cockpit.task_view.snapshot) is None or seen.task_id != task.id:
                await asyncio.sleep(0.01)
            if picture.key:
                await pilot.press(picture.key)
            while not app.cockpit.is_settled:
                await asyncio.sleep(0.01)
        await pilot.pause()
        drawn = app.export_screenshot(title="hopper")
        (IMAGES / picture.name).write_text(drawn, encoding="utf-8")
    world.close()


def main() -> None:
    """Draw every picture, each in a home of its own."""
    IMAGES.mkdir(exist_ok=True)
    for picture in PICTURES:
        with TemporaryDirectory() as home:
            asyncio.run(draw(picture, Path(home)))


if __name__ == "__main__":
    main()

"""Picture: the screen as an SVG file in the home."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hopper_tui.model.clock import stamp
from hopper_tui.tui.working import WorkingScreen

FOLDER = "screenshots"


async def keep(screen: WorkingScreen, home: Path | None, now: float) -> None:
    """Keep a picture of what is on the screen, and say where."""
    if home is None:
        screen.warn("Nothing is kept on disk here.")
        return
    picture = screen.app.export_screenshot(title="hopper")
    try:
        path = await asyncio.to_thread(_save, picture, home, now)
    except OSError as error:
        screen.warn(f"The picture cannot be written: {error}")
    else:
        screen.say(f"saved {path}")


def _save(picture: str, home: Path, now: float) -> Path:
    """Write a picture to a file named after the time, and say which; raises OSError."""
    folder = home / FOLDER
    folder.mkdir(exist_ok=True)
    second = stamp(now)[: len("2026-11-20T12:00:00")].replace(":", "")
    path = folder / f"hopper-{second}.svg"
    path.write_text(picture, encoding="utf-8")
    return path

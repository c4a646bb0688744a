"""Picture: the screen as an SVG file in the home."""

from __future__ import annotations

from pathlib import Path

from hopper_tui.model.clock import stamp

FOLDER = "screenshots"


def save(picture: str, home: Path, now: float) -> Path:
    """Write a picture to a file named after the time, and say which; raises OSError."""
    folder = home / FOLDER
    folder.mkdir(exist_ok=True)
    second = stamp(now)[: len("2026-11-20T12:00:00")].replace(":", "")
    path = folder / f"hopper-{second}.svg"
    path.write_text(picture, encoding="utf-8")
    return path

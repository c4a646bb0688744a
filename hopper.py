"""The seeds' import name: `from hopper import Hopper, HopperScope, HopperConfig`."""

from __future__ import annotations

from typing import Any

import hopper_tui
from hopper_tui import __all__ as __all__


def __getattr__(name: str) -> Any:
    return getattr(hopper_tui, name)


def __dir__() -> list[str]:
    return dir(hopper_tui)

"""The headless engine: the Hopper class and the World of hoppers it lives in.

Imports no door (click, textual, rich, a server); doors import it. Its modules load when they are
first used as `engine.NAME`, so that a one-shot command pays only for what it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hopper_tui.engine import breakdown as breakdown
    from hopper_tui.engine import claiming as claiming
    from hopper_tui.engine import delegating as delegating
    from hopper_tui.engine import editing as editing
    from hopper_tui.engine import ending as ending
    from hopper_tui.engine import instances as instances
    from hopper_tui.engine import measuring as measuring
    from hopper_tui.engine import runs as runs
    from hopper_tui.engine import saved_filters as saved_filters
    from hopper_tui.engine import watching as watching
    from hopper_tui.engine import work as work


def __getattr__(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None

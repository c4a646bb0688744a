"""Saved filters: names for filter texts, kept in the home as `filters.yaml`.

`@name` in a filter stands for the saved text, in the terminal UI and on the command line.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hopper_tui.engine.filter import SAVED, parse
from hopper_tui.model.errors import ConfigError, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hopper_tui.engine.world import World
    from hopper_tui.model.query import Term

FILE = "filters.yaml"
"""Beside the configuration of the home: a mapping of names to filter texts."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*", re.IGNORECASE)


def terms(world: World, text: str) -> tuple[Term, ...]:
    """The terms of a filter text, with the saved filters it names put in; raises Invalid."""
    return parse(text, world.now(), saved(world) if SAVED in text else None)


def saved(world: World) -> Mapping[str, str]:
    """The saved filters by name; raises ConfigError when their file cannot be understood."""
    path = _path(world)
    if path is None:
        return dict(world.memory_filters)
    if not path.exists():
        return {}
    from hopper_tui.config import document

    file = document.read(path)
    values = {} if file.values is None else file.values
    if not isinstance(values, dict):
        raise ConfigError(f"{path} is not a mapping", "Write one filter a line, as name: text")
    for name, text in values.items():
        if not isinstance(text, str) or not _NAME.fullmatch(str(name)):
            raise ConfigError(
                f"{file.at((name,))}: {name}: {text} is no saved filter",
                "Write it as name: text, the name in letters, digits, - and _",
            )
    return {str(name): text for name, text in values.items()}


def save(world: World, name: str, text: str) -> str:
    """Save a filter, or another text under a known name; returns the name as it is used.

    Raises Invalid for a name or a text that no filter can have.
    """
    name, text = name.removeprefix(SAVED), " ".join(text.split())
    if not _NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no name for a filter", "Use letters, digits, - and _")
    if not text:
        raise Invalid("there is no filter to save", "Give its text, such as: tag:api ready")
    known = dict(saved(world))
    known.pop(name, None)
    parse(text, world.now(), known)
    _write(world, {**known, name: text})
    return name


def remove(world: World, name: str) -> str:
    """Remove a saved filter; returns its text. Raises NotFound."""
    name = name.removeprefix(SAVED)
    known = dict(saved(world))
    if name not in known:
        raise NotFound(f"there is no saved filter {SAVED}{name}", "See: hopper filter list")
    text = known.pop(name)
    _write(world, known)
    return text


def _path(world: World) -> Path | None:
    return None if world.home is None else world.home / FILE


def _write(world: World, filters: Mapping[str, str]) -> None:
    path = _path(world)
    if path is None:
        world.memory_filters = dict(filters)
        return
    import yaml

    from hopper_tui.store.failure import storage_error

    text = "# Saved filters: hopper list @name\n"
    if filters:
        text += yaml.safe_dump(dict(sorted(filters.items())), allow_unicode=True, width=1000)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise storage_error(error, path) from error

"""Cache: the configuration of an unchanged file for the price of a stat, without YAML."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hopper_tui.model.errors import Invalid
from hopper_tui.model.ids import slug

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
"""Raise it whenever the same file gives other values than before."""

FRESH_NS = 50_000_000
"""A file changed so lately may change again with the same stamp: clocks of files are coarse."""


def project_config(root: Path, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The configuration in `.hopper/hopper.yaml` under a project's root; none gives {}.

    `{project_name}` is the slug of the directory's name. With `env`, every `${NAME}` in an
    enabled section must be set there. Raises ConfigError.
    """
    try:
        name = slug(os.path.basename(os.path.abspath(root)))
    except Invalid:
        name = "project"
    folder = Path(root) / ".hopper"
    return cached(
        folder / "hopper.yaml", folder / "tmp" / "config.json", {"project_name": name}, env
    )


def cached(
    path: Path,
    cache: Path,
    variables: Mapping[str, str],
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """`load(path, variables)`, or what it gave last time if no file it read has changed.

    A missing file gives {}; a cache that cannot be read or written only costs time. Secrets are
    not in it: `${NAME}` stays as it is.
    """
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError:
        pass  # reading it says what is wrong
    if (config := _hit(path, cache, variables)) is None:
        from hopper_tui.config.load import load_files

        loaded = load_files(path, variables)
        config = loaded.config
        _save(path, cache, variables, loaded.files, config)
    if env is not None and "${" in str(config) and _unset(config, env):
        from hopper_tui.config.load import load_files

        load_files(path, variables, env=env)  # raises, and knows the line
    return config


def _unset(config: Mapping[str, Any], env: Mapping[str, str]) -> bool:
    from hopper_tui.config.expand import env_names

    return any(name not in env for _, name in env_names(config))


def _hit(path: Path, cache: Path, variables: Mapping[str, str]) -> dict[str, Any] | None:
    try:
        with open(cache, encoding="utf-8") as file:
            saved = json.load(file)
        if saved["format"] != FORMAT or saved["variables"] != dict(variables):
            return None
        for name, *stamp in saved["files"]:
            about = os.stat(os.path.join(path.parent, name))
            if stamp != [about.st_mtime_ns, about.st_size, about.st_ino]:
                return None
        if saved["files"][0][0] != path.name or not isinstance(saved["config"], dict):
            return None
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return saved["config"]


def _save(
    path: Path,
    cache: Path,
    variables: Mapping[str, str],
    files: tuple[tuple[Path, tuple[int, int, int]], ...],
    config: dict[str, Any],
) -> None:
    now = time.time_ns()
    if any(abs(now - stamp[0]) < FRESH_NS for _, stamp in files):
        return
    named = [[os.path.relpath(file, path.parent), *stamp] for file, stamp in files]
    content = {"format": FORMAT, "variables": dict(variables), "files": named, "config": config}
    part = f"{cache}.{os.getpid()}.{now}"
    try:
        os.makedirs(cache.parent, exist_ok=True)
        with open(part, "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(part, cache)
    except OSError:
        return

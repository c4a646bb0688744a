"""Expand: placeholders such as `{run_id}` and `${GITHUB_TOKEN}` in configuration values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hopper_tui.model.errors import ConfigError

VARIABLES: tuple[str, ...] = ("project_name", "run_id")
"""The placeholders a configuration may hold."""

VERBATIM: tuple[str, ...] = ("rules", "template")
"""Keys whose values are not expanded with the rest: rules hold words, a template is for later."""

_VARIABLE = re.compile(r"(?<!\$)\{(\w+)\}")
_ENV = re.compile(r"\$\{(\w*)\}")

Loc = tuple[str | int, ...]
"""Where a value stands: the keys and indexes that lead to it."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`text` with `{name}` filled in for every name in `variables`; others stay."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), text)


def expand_all(config: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """A configuration with every value expanded, except rules and templates."""
    return {
        key: value if key in VERBATIM else _expanded(value, variables)
        for key, value in config.items()
    }


def fill(template: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """The configuration a template gives for `variables`; raises ConfigError if one is missing.

    Templates inside it stay as they are.
    """
    for loc, name in placeholders(template):
        if name not in variables:
            given = ", ".join(f"{{{known}}}" for known in variables) or "none"
            raise ConfigError(f"{dotted(loc)}: no value for {{{name}}}", f"Known here: {given}")
    return expand_all(template, variables)


def expand_env(text: str, env: Mapping[str, str]) -> str:
    """`text` with `${NAME}` filled in from `env`; raises ConfigError naming an unset variable.

    Call it where the value is used: what it returns may be a secret.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in env:
            name = found[1] or "${}"
            raise ConfigError(
                f"the environment variable {name} is not set", f"Set it: export {name}=..."
            )
        return env[found[1]]

    return _ENV.sub(value, text)


def placeholders(value: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Every `{name}` in a value that is expanded, with where it stands."""
    for where, text in _texts(value, loc):
        for name in _VARIABLE.findall(text):
            yield where, name


def env_names(value: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Every `${NAME}` in a value, with where it stands; sections with `enabled: false` aside."""
    for where, text in _texts(value, loc, disabled=False):
        for name in _ENV.findall(text):
            yield where, name


def dotted(loc: Loc) -> str:
    """`intelligence.rules[2].name`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return path.removeprefix(".")


def _texts(value: Any, loc: Loc, disabled: bool = True) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        yield loc, value
    elif isinstance(value, Mapping):
        if not disabled and value.get("enabled") is False:
            return
        for key, inner in value.items():
            if key not in VERBATIM:
                yield from _texts(inner, (*loc, key), disabled)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*loc, index), disabled)


def _expanded(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return expand(value, variables)
    if isinstance(value, Mapping):
        return expand_all(value, variables)
    if isinstance(value, list):
        return [_expanded(inner, variables) for inner in value]
    return value

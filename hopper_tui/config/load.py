"""Load: a configuration file, checked, with the rules and templates it names read in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from hopper_tui.config.document import Document, Stamp, read
from hopper_tui.config.expand import (
    VARIABLES,
    Loc,
    dotted,
    env_names,
    expand,
    expand_all,
    expand_env,
    fill,
    placeholders,
)
from hopper_tui.config.fault import fault, nearest
from hopper_tui.config.schema import Keys, RulesFile, Section
from hopper_tui.model.errors import ConfigError
from hopper_tui.model.lifecycle import HopperScope

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Loaded", "expand_env", "fill", "load", "load_files", "validate"]

S = TypeVar("S", bound=Section)

_RULES = ("intelligence", "config_file")
_TEMPLATE = ("child_instances", "default_config")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration as plain values, and the files it was made of, the main one first."""

    config: dict[str, Any]
    files: tuple[tuple[Path, Stamp], ...]


def load(
    path: Path,
    variables: Mapping[str, str] | None = None,
    *,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The configuration in the file `path` as plain values; raises ConfigError with the line.

    `{name}` is filled in for every name in `variables`; a known one that is not given stays.
    `${NAME}` always stays, but if `env` is given it must be set there, sections with
    `enabled: false` aside. `intelligence.rules` holds the rules of `intelligence.config_file`, and
    `child_instances.template` the configuration in `child_instances.default_config` with its
    placeholders.
    """
    return load_files(path, variables, env=env).config


def load_files(
    path: Path,
    variables: Mapping[str, str] | None = None,
    *,
    env: Mapping[str, str] | None = None,
) -> Loaded:
    """Like `load`, and says which files were read."""
    variables = variables or {}
    loaded = _load(path, variables, env, ())
    return Loaded(expand_all(loaded.config, variables), loaded.files)


def validate(config: Mapping[str, Any], scope: HopperScope | str) -> dict[str, Any]:
    """An inline configuration for an instance of `scope`, checked; raises ConfigError.

    Returns only the keys that were given. The message names the key, `memory.episodic.backend`.
    """
    if not isinstance(config, Mapping):
        raise ConfigError("a configuration is a mapping of keys", 'Write it as {"key": value}')
    scope = HopperScope.read(scope)
    try:
        plain = Keys.model_validate(dict(config)).plain()
    except ValidationError as wrong:
        raise fault(wrong, Keys).error() from None
    if plain.get("scope") not in (None, scope):
        raise ConfigError(f"scope is {plain['scope']}, but the instance is of scope {scope}")
    return plain


def _load(
    path: Path,
    variables: Mapping[str, str],
    env: Mapping[str, str] | None,
    parents: tuple[Path, ...],
) -> Loaded:
    document = read(path)
    config = checked(document, Keys).plain()
    if config.get("scope") is None:
        hint = f"Add scope: {', '.join(HopperScope)}"
        raise ConfigError(f"{document.at(('scope',))}: the key scope is missing", hint)
    _check_placeholders(document, config, env)
    files = [(path, document.stamp)]
    if name := _value(config, _RULES):
        rules = read(_named(document, _RULES, name, variables))
        found = checked(rules, RulesFile).plain_rules()
        config["intelligence"]["rules"] = config["intelligence"].get("rules", []) + found
        files.append((rules.path, rules.stamp))
    if name := _value(config, _TEMPLATE):
        child = _named(document, _TEMPLATE, name, variables)
        above = (*parents, path.resolve())
        if child.resolve() in above:
            raise ConfigError(f"{document.at(_TEMPLATE)}: {dotted(_TEMPLATE)} leads back to {name}")
        template = _load(child, variables, None, above)
        config["child_instances"]["template"] = template.config
        files += template.files
    return Loaded(config, tuple(files))


def checked(document: Document, model: type[S]) -> S:
    """A document as the model of its kind; raises ConfigError with the line of what is wrong."""
    if not isinstance(document.values, dict):
        what = "is empty" if document.values is None else "is not a mapping of keys"
        hint = f"The first key is {next(iter(model.model_fields))}"
        raise ConfigError(f"{document.at(())}: the file {what}", hint)
    try:
        return model.model_validate(document.values)
    except ValidationError as wrong:
        found = fault(wrong, model, document.line)
        raise found.error(document.at(found.loc)) from None


def _check_placeholders(
    document: Document, config: Mapping[str, Any], env: Mapping[str, str] | None
) -> None:
    for loc, name in placeholders(config):
        if name not in VARIABLES:
            message = f"{document.at(loc)}: unknown placeholder {{{name}}} in {dotted(loc)}"
            raise ConfigError(message, nearest(name, VARIABLES))
    if env is None:
        return
    for loc, name in env_names(config):
        try:
            expand_env(f"${{{name}}}", env)
        except ConfigError as unset:
            raise ConfigError(f"{document.at(loc)}: {unset.message}", unset.hint) from None


def _value(config: Mapping[str, Any], loc: tuple[str, str]) -> str | None:
    section = config.get(loc[0])
    return section.get(loc[1]) if section else None


def _named(document: Document, loc: Loc, name: str, variables: Mapping[str, str]) -> Path:
    """The file a key names, relative to the document's directory."""
    path = document.path.parent / expand(name, variables)
    if not path.is_file():
        hint = f"Write the file {path}, or remove the key"
        raise ConfigError(f"{document.at(loc)}: {dotted(loc)}: there is no file {name}", hint)
    return path

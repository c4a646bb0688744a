"""Fault: what is wrong with a configuration, in one sentence with the nearest right key."""

from __future__ import annotations

import re
import types
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hopper_tui.config.expand import Loc, dotted
from hopper_tui.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic_core import ErrorDetails

_SECRETS = ("token",)
"""Keys whose values are never repeated in a message."""


_SHOULD = re.compile(r"^\w+ should")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it is, what it is, and what to do about it."""

    loc: Loc
    message: str
    hint: str = ""

    def error(self, where: str = "") -> ConfigError:
        """The error to raise; `where` is `path:line`."""
        return ConfigError(f"{where}: {self.message}" if where else self.message, self.hint)


def fault(
    wrong: ValidationError, model: type[BaseModel], line: Callable[[Loc], int] | None = None
) -> Fault:
    """The first fault, by `line` when given; a misspelt key comes before what it leaves missing."""
    found = sorted(
        wrong.errors(include_url=False),
        key=lambda one: (one["type"] != "extra_forbidden", line(one["loc"]) if line else 0),
    )
    return _fault(found[0], model)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint on the one of `known` that `word` was meant to be, or on all of them."""
    known = list(known)
    close = get_close_matches(word.casefold(), known, n=1)
    return f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}"


def _fault(details: ErrorDetails, model: type[BaseModel]) -> Fault:
    loc, kind, value = details["loc"], details["type"], details["input"]
    key, context = dotted(loc), details.get("ctx") or {}
    if kind == "extra_forbidden":
        known = _keys(model, loc[:-1])
        return Fault(
            loc, f"unknown key {str(loc[-1])!r}{_within(loc)}", nearest(str(loc[-1]), known)
        )
    if kind == "invalid_key":
        return Fault(loc, f"the key {loc[-1]!r} is not text", "Put it into quotes")
    if kind == "missing":
        return Fault(loc, f"the key {key} is missing")
    if kind == "literal_error":
        choices = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        message = f"{key} is {_shown(value, loc)}, not one of {', '.join(choices)}"
        return Fault(loc, message, nearest(value, choices) if isinstance(value, str) else "")
    if kind == "value_error":
        text = str(context["error"])
        return Fault(loc, f"{key} {text}" if text.startswith(("has", "must")) else f"{key}: {text}")
    must = _SHOULD.sub("must", details["msg"])
    return Fault(loc, f"{key} {must}, not {_shown(value, loc)}")


def _within(loc: Loc) -> str:
    return f" in {dotted(loc[:-1])}" if len(loc) > 1 else ""


def _shown(value: Any, loc: Loc) -> str:
    if loc and loc[-1] in _SECRETS:
        return "what it is"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys known at a place of the schema."""
    for part in loc:
        if isinstance(part, str):
            model = _model(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model(annotation: Any) -> type[BaseModel]:
    """The section an annotation such as `Memory | None` or `list[RuleSection]` holds."""
    if get_origin(annotation) in (Union, types.UnionType, list):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _model(inner[0])
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return annotation

"""The filter language: `status:pending tag:api priority>=high !blocked login`.

Words are looked for in title, description and tags, all of them (AND). `!term` negates,
`~term` finds its letters in order, `field:value` compares, `a,b` means either. `age:>2d` is older
than two days. `@name` stands for a saved filter. A text in double quotes is one word, whatever is
in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hopper_tui.model.clock import due_date, duration, stamp
from hopper_tui.model.errors import Invalid
from hopper_tui.model.lifecycle import OPEN, Priority, TaskStatus
from hopper_tui.model.query import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIELDS: dict[str, str] = {
    "status": "status",
    "priority": "priority",
    "pri": "priority",
    "tag": "tag",
    "owner": "owner",
    "project": "project",
    "executor": "executor",
    "capability": "capability",
    "phase": "phase",
    "source": "source",
    "requester": "requester",
    "id": "id",
    "due": "due",
    "age": "created",
    "created": "created",
    "updated": "updated",
    "is": "is",
}
"""The words before a colon, and the field of a Term each means."""
FLAGS = ("ready", "waiting", "blocked", "overdue")
"""What can follow `is:`; each may also stand alone."""
SAVED = "@"
"""What the name of a saved filter begins with."""
_TERM = re.compile(r'\s*(!?)(?:([a-z_]+)(:|>=|<=|=|>|<)(?!//))?(~?)("[^"]*"?|\S*)', re.IGNORECASE)
"""Negation, field and operator, fuzziness, value; what stands before `://` is no field."""
_COMPARED = ("priority", "due", "created", "updated")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_LEADING = re.compile(r"^(>=|<=|>|<|=)?(.*)$")


def parse(text: str, now: float, saved: Mapping[str, str] | None = None) -> tuple[Term, ...]:
    """The terms of a filter text; raises Invalid.

    `now` (seconds) is what ages count from; `saved` are the filters that `@name` may stand for.
    """
    terms: list[Term] = []
    for bang, name, op, tilde, raw in _TERM.findall(text):
        quoted = raw.startswith('"')
        value = raw.strip('"')
        negated = bool(bang)
        if name and name.casefold() not in FIELDS:
            raise _unknown(name, f"{name}{op}{raw}")
        if name:
            terms.append(_field(FIELDS[name.casefold()], name.casefold(), op, value, negated, now))
        elif not (quoted or tilde) and value.casefold() in FLAGS:
            terms.append(_flag(value, negated, now))
        elif not (quoted or tilde) and value.startswith(SAVED) and len(value) > 1:
            terms += _named(value, negated, now, saved or {})
        elif value:
            terms.append(Term("fuzzy" if tilde else "text", (value,), negated=negated))
    return tuple(terms)


def _named(value: str, negated: bool, now: float, saved: Mapping[str, str]) -> tuple[Term, ...]:
    """The terms of a saved filter, which may use others, but not itself."""
    name = value.removeprefix(SAVED)
    if negated:
        raise Invalid(f"the saved filter {value} cannot be negated", "Negate its terms one by one")
    if name not in saved:
        known = ", ".join(f"{SAVED}{one}" for one in sorted(saved)) or "none"
        raise Invalid(
            f"there is no saved filter {value}",
            f'Saved are: {known}. To look for the word, write "{value}"',
        )
    return parse(saved[name], now, {key: text for key, text in saved.items() if key != name})


def _unknown(name: str, term: str) -> Invalid:
    from difflib import get_close_matches

    close = get_close_matches(name.casefold(), FIELDS, n=1)
    meant = f"Did you mean {close[0]}?" if close else f"Fields are {', '.join(FIELDS)}."
    words = '"' + term.replace('"', "") + '"'
    return Invalid(f"there is no field {name!r}", f"{meant} To look for the word, write {words}")


def _flag(word: str, negated: bool, now: float) -> Term:
    flag = word.casefold()
    if flag in ("open", "closed"):
        wanted = (flag == "open") != negated
        return Term("status", tuple(s for s in TaskStatus if (s in OPEN) == wanted))
    if flag not in FLAGS:
        raise Invalid(f"is:{word} means nothing", "Choose: is:" + ", is:".join((*FLAGS, "open")))
    return Term(flag, (stamp(now) if flag == "overdue" else "1",), negated=negated)


def _field(field: str, name: str, op: str, value: str, negated: bool, now: float) -> Term:
    if field == "is":
        return _flag(value, negated, now)
    leading = _LEADING.match(value)
    assert leading is not None
    if op == ":" and field in _COMPARED and leading[1]:
        op, value = leading[1], leading[2]
    op = "=" if op == ":" else op
    if op != "=" and field not in _COMPARED:
        raise Invalid(f"{name} cannot be compared with {op}", f"Write {name}:{value}")
    if not value:
        raise Invalid(f"{name}: needs a value", f"Write {name}:VALUE")
    if name == "age":
        return Term(field, (stamp(now - duration(value)),), _age_op(op), negated)
    if field in ("created", "updated", "due"):
        return Term(field, (due_date(value, now),), op, negated)
    read = _READERS.get(field, str)
    return Term(field, tuple(read(v) for v in value.split(",") if v), op, negated)


def _age_op(op: str) -> str:
    """Older is earlier: `age:>2d` means created before two days ago; a bare age means at least."""
    return "<=" if op == "=" else _FLIPPED[op]


def _status(value: str) -> str:
    return TaskStatus.read(value)


def _priority(value: str) -> str:
    return Priority.read(value)


_READERS: dict[str, Callable[[str], str]] = {"status": _status, "priority": _priority}

"""A draft as one text, as an editor shows it: the fields a line each, then the description."""

from __future__ import annotations

from hopper_tui.engine.drafting import Draft
from hopper_tui.model.errors import Invalid
from hopper_tui.model.text import plain

RULE = "---"
"""Stands above the fields and below them."""
_NAMES = {
    "title": "title", "tags": "tags", "priority": "priority", "due": "due", "effort": "effort",
    "after": "depends_on",
}  # fmt: skip
"""What the fields are called in the text."""


def to_text(draft: Draft, short_id: str) -> str:
    """The text to edit. Titles are made harmless; the description stands as it is."""
    values = draft._asdict()
    fields = "".join(
        f"{name}: {plain(values[field])}".rstrip() + "\n" for name, field in _NAMES.items()
    )
    hint = f"# {short_id}: save and leave to change it; the description goes below the second rule"
    return f"{RULE}\n{hint}\n{fields}{RULE}\n{draft.description}\n"


def from_text(text: str) -> dict[str, str]:
    """The fields of a Draft that a text has; raises Invalid with the line of what is wrong."""
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != RULE:
        raise Invalid(f"the first line is not {RULE}", "The fields stand between two such lines")
    found: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.rstrip() == RULE:
            found["description"] = "\n".join(lines[number:]).removesuffix("\n")
            return found
        if line.startswith("#") or not line.strip():
            continue
        name, colon, value = line.partition(":")
        field = _NAMES.get(name.strip().casefold())
        if field is None or not colon:
            names = ", ".join(_NAMES)
            raise Invalid(f"line {number}: {line.strip()!r} is no field", f"Fields are {names}")
        if field in found:
            raise Invalid(f"line {number}: {name.strip()} stands there twice", "Keep one")
        found[field] = value.strip()
    raise Invalid(f"no line {RULE} ends the fields", "The description stands below it")


def changes(before: str, after: str) -> dict[str, str]:
    """The fields that differ between two texts; one that is missing now is as it was."""
    known = from_text(before)
    return {name: text for name, text in from_text(after).items() if text != known[name]}

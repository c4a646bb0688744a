"""The verb diff: what became of the tasks between two commits, to read or for a pull request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.session import Session
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.differing import Change, Difference

LONG = 72
"""Characters of a value that a line shows; of a longer one it only says that it changed."""
_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&#@$]|:(?=\S)|\.(?=\w))")
_REFERENCE = re.compile(r"(?<=[#@!])(?=\w)")
_MOVES = frozenset({"status", "owner", "reason", "result"})
"""Fields that the first line about a task tells already, when its status changed."""


@command
@click.argument("span", metavar="[A...B | A..B | A]", required=False)
@click.option("--markdown", is_flag=True, help="Print Markdown, as for a comment.")
@instance_option()
def diff(session: Session, span: str | None, markdown: bool, instance: str | None) -> None:
    """Show what became of the tasks between two commits.

    A...B is from where B left A to B, as a pull request has it; A..B from A to B; A alone from A
    to this checkout; nothing is what is not committed yet.

    \b
    Examples:
      hopper diff
      hopper diff main
      hopper diff origin/main...HEAD --markdown
    """
    found = _differ(session, span, instance)
    session.answer(
        json=lambda: {
            "from": found.old,
            "to": found.new,
            "tasks": [_json(change) for change in found.changes],
        },
        ids=lambda: [change.task for change in found.changes],
        text=lambda: _markdown(found.changes) if markdown else _text(found.changes),
    )


def _differ(session: Session, span: str | None, instance: str | None) -> Difference:
    from hopper_tui.engine import differing, finding
    from hopper_tui.engine.checkout import journaled

    if instance is None and session.world.here is None:
        bare = differing.Place.bare(Path.cwd())
        if bare is not None:
            return differing.differ(bare, span)
    store = journaled(session.world, instance)
    place = differing.Place.of(store.journal)
    return differing.differ(place, span, finding.id_prefix(session.world, store.instance_id))


def _json(change: Change) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: {"from": values.before, "to": values.after} for name, values in change.fields.items()
    }
    for name, elements in change.sets.items():
        changes[name] = {"added": list(elements.added), "removed": list(elements.removed)}
    return {
        "id": change.task,
        "short_id": change.short_id,
        "title": change.title,
        "change": change.word,
        "status": change.state.get("status") or "pending",
        "changes": changes,
        "notes": change.notes,
        "events": change.events,
        "actors": list(change.actors),
    }


def _text(changes: Sequence[Change]) -> Iterator[str]:
    """A line for each task, what changed below it, and a sum at the end."""
    width = max((len(change.word) for change in changes), default=0)
    for change in changes:
        about = _about(change)
        yield plain(f"{change.word:{width}}  {change.short_id}  {change.title}{about}")
        for line in _lines(change):
            yield plain(f"{'':{width}}    {line}")
    yield _sum(changes)


def _markdown(changes: Sequence[Change]) -> Iterator[str]:
    """The same as Markdown; what comes from tasks is text and nothing else in it."""
    yield f"**Tasks:** {_sum(changes)}"
    if changes:
        yield ""
    for change in changes:
        title, about = escaped(change.title), escaped(_about(change))
        yield f"- **{escaped(change.word)}** `{change.short_id}` {title}{about}"
        for line in _lines(change):
            yield f"  - {escaped(line)}"


def _sum(changes: Sequence[Change]) -> str:
    counts = Counter(change.word for change in changes)
    return ", ".join(f"{number} {word}" for word, number in counts.items()) or "nothing changed"


def _about(change: Change) -> str:
    """What the first line says after the title."""
    state = change.state
    if change.word in ("added", "removed"):
        status = state.get("status")
        words = [state.get("priority"), status if status != "pending" else None]
        said = [str(word) for word in words if word] + [f"#{tag}" for tag in state.get("tags", ())]
        return f" ({', '.join(said)})" if said else ""
    if change.word == "changed":
        return ""
    who = state.get("owner") or ", ".join(change.actors)
    reason = f": {state['reason']}" if state.get("reason") else ""
    return (f" by {who}" if who else "") + reason


def _lines(change: Change) -> Iterator[str]:
    """What else changed, a line for each field."""
    for name, values in change.fields.items():
        if change.word == "changed" or name not in _MOVES:
            yield f"{_spoken(name)}: {_change(values.before, values.after)}"
    for name, elements in change.sets.items():
        signed = [*(f"+{e}" for e in elements.added), *(f"-{e}" for e in elements.removed)]
        if signed:
            yield f"{_spoken(name)}: {' '.join(signed)}"
    if change.notes:
        yield output.counted(change.notes, "note")


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _change(before: Any, after: Any) -> str:
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        return "changed"
    words = [output.word(value) for value in (before, after)]
    if any(len(word) > LONG for word in words):
        return "changed"
    return f"{words[0]} → {words[1]}"


def escaped(text: str) -> str:
    """A text as Markdown that shows it as it is: on one line, and mentioning nobody."""
    return _REFERENCE.sub("<!-- -->", _SPECIAL.sub(r"\\\1", plain(text)))

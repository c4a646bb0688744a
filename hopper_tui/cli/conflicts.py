"""Verbs about what two people changed apart: conflicts list, conflicts resolve."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.columns import align
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option, task_argument
from hopper_tui.cli.session import Session
from hopper_tui.journal.rules import STATUS
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.model.conflict import Conflict, Side
    from hopper_tui.model.task import Task

_SAYS = {
    "field": ("stands", "lost"),
    "claim": ("has it", "came later"),
    "void": ("stands", "is settled"),
}
"""What the two sides of a conflict are called, by its kind."""
_STATUS = {STATUS: "{}", "owner": "by {}", "result": "with {}", "reason": "({})"}
"""What is said of the fields that make up a status."""


@command
@instance_option()
@click.option("--all", "everything", is_flag=True, help="Also those that settled themselves.")
def list_(session: Session, instance: str | None, everything: bool) -> None:
    """List what two people changed apart from each other.

    Both values are kept: one stands until somebody decides. What settled itself, as when one did
    a task that the other one cancelled, is listed with --all only.

    \b
    Examples:
      hopper conflicts
      hopper conflicts --all --json
    """
    from hopper_tui.engine import conflicts
    from hopper_tui.engine.checkout import journaled

    store = journaled(session.world, instance)
    found = conflicts.listed(store, everything)
    _print(session, found, store.tasks([conflict.key for conflict in found]))
    if any(conflict.wants_attention for conflict in found):
        session.hint("decide with: hopper conflicts resolve ID --take mine|theirs")
    elif not found:
        session.hint("nobody changed the same thing apart")


@command
@task_argument
@click.option(
    "--take", type=click.Choice(["mine", "theirs"]), required=True,
    help="The value of this clone, or the other one.",
)  # fmt: skip
@click.option("--field", metavar="NAME", help="Only this field; all of them if not given.")
@instance_option()
def resolve(
    session: Session, task: str, take: str, field: str | None, instance: str | None
) -> None:
    """Decide which of two values stands.

    Mine is what this clone wrote; where neither or both were written here, it is what stands now.
    Who loses a task to somebody who took it as well may get it back like that. One step of undo,
    which gives back the value that stood, as your decision.

    \b
    Examples:
      hopper conflicts resolve web-k7m2q --take theirs
      hopper conflicts resolve web-k7m2q --take mine --field title
    """
    from hopper_tui.engine import conflicts
    from hopper_tui.engine.checkout import journaled

    world = session.world
    store = journaled(world, instance)
    decided = conflicts.resolve(world, store, task, take, field)
    keys = list(dict.fromkeys(conflict.key for conflict in decided))
    fields = list(dict.fromkeys(conflict.register for conflict in decided))

    def text() -> Iterator[str]:
        for found in store.tasks(keys):
            yield output.task_line(found, world.short_id(found))
        yield plain(f"decided: {', '.join(fields)}")

    session.answer(
        json=lambda: {"id": keys[0], "fields": fields, "take": take},
        ids=lambda: keys,
        text=text,
    )


def _print(session: Session, found: Sequence[Conflict], about: Sequence[Task]) -> None:
    """Print conflicts, those of one thing below its name, or as the options ask."""
    world = session.world
    tasks = {task.id: task for task in about}
    short_ids = world.short_ids(list(tasks.values()))
    here = world.replicas()

    def json(conflict: Conflict) -> dict[str, Any]:
        task = tasks.get(conflict.key)
        return {
            "id": conflict.key,
            "short_id": short_ids.get(conflict.key, conflict.key),
            "title": task.title if task else None,
            "entity": conflict.entity,
            "field": conflict.register,
            "kind": conflict.kind,
            "stands": _side_json(conflict.winner, here),
            "other": _side_json(conflict.loser, here),
        }

    def text() -> Iterator[str]:
        above = None
        for conflict in found:
            task = tasks.get(conflict.key)
            name = short_ids.get(conflict.key, conflict.key)
            info = "" if conflict.wants_attention else "(info) "
            head = plain(f"{info}{name}  {task.title if task else conflict.entity}")
            if head != above:
                yield head
            above = head
            words = _SAYS[conflict.kind]
            sides = zip(words, (conflict.winner, conflict.loser), strict=True)
            rows = [
                (
                    f"  {word}",
                    plain(side.actor),
                    side.at[:19] + "Z",
                    output.clone_name(side.replica, here),
                    plain(_value(conflict.register, side)),
                )
                for word, side in sides
            ]
            yield from align(rows, session.width)

    session.answer(
        json=lambda: [json(conflict) for conflict in found],
        ids=lambda: list(dict.fromkeys(conflict.key for conflict in found)),
        text=text,
    )


def _side_json(side: Side, here: Container[str]) -> dict[str, Any]:
    return {
        "values": dict(side.values),
        "actor": side.actor,
        "at": side.at,
        "replica": side.replica,
        "here": side.replica in here,
        "event": side.event,
    }


def _value(register: str, side: Side) -> str:
    """What a side made of a field: its value, or the status with what belongs to it."""
    if register != STATUS:
        return f"{register}: {output.word(side.values.get(register))}"
    values = side.values
    said = [say.format(output.word(values[f])) for f, say in _STATUS.items() if values.get(f)]
    return " ".join(said)

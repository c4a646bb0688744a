"""Verbs that carry tasks out of a hopper and into another: export, import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.add import BATCH_KEYS, checked
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option, read_json_object
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import Invalid
from hopper_tui.model.lifecycle import CLOSED
from hopper_tui.model.task import Task, task_json, valid_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@command
@instance_option()
def export(session: Session, instance: str | None) -> None:
    """Write the tasks of an instance as JSON, one a line.

    \b
    Examples:
      hopper export > tasks.jsonl
      hopper export --instance webapp | jq -r .title
    """
    from json import dumps

    world = session.world
    tasks = world.hopper(instance).list(closed=True, sort="created")
    short_ids = world.short_ids(tasks)
    session.print(dumps(task_json(task, short_ids[task.id])) for task in tasks)


@command
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
@instance_option("Where they enter: id, name or prefix.")
def import_(session: Session, file: Iterable[str], instance: str | None) -> None:
    """Add the open tasks that export wrote, all of them or none.

    They are new tasks with ids of their own; dependencies among them are kept. Closed tasks are
    left out.

    \b
    Examples:
      hopper import tasks.jsonl
      hopper export --instance old | hopper import --instance new
    """
    hopper = session.world.hopper(instance)
    positions: dict[object, str] = {}
    tasks: list[Task] = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        said = read_json_object(line, f"line {number}")
        if said.get("status") in CLOSED:
            continue
        try:
            tasks.append(_task(said, positions))
        except Invalid as fault:
            fault.message = f"line {number}: {fault.message}"
            raise
        positions[said.get("id")] = f"#{len(tasks)}"
    ids = hopper.add_tasks(tasks)
    made = [hopper.get(key) for key in ids]
    short_ids = session.world.short_ids(made)
    session.answer(
        json=lambda: [task_json(task, short_ids[task.id]) for task in made],
        ids=lambda: ids,
        text=lambda: [output.task_line(task, short_ids[task.id]) for task in made],
    )


def _task(said: Mapping[str, Any], positions: Mapping[object, str]) -> Task:
    """The task of an exported object; `positions` says which lines its dependencies became."""
    fields = {
        name: checked(name, name, said[name])
        for name in BATCH_KEYS.values()
        if said.get(name) is not None
    }
    waits = fields.get("depends_on") or ()
    fields["depends_on"] = tuple(positions[key] for key in waits if key in positions)
    return Task(**fields | {"title": valid_title(fields.get("title"))})

"""`hopper add`: put one task, or a batch of them, into the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import (
    comma_separated,
    instance_option,
    priority_option,
    read_description,
    read_json_object,
    read_stdin,
)
from hopper_tui.cli.session import Session
from hopper_tui.model.delegation import Delegation, delegation_json
from hopper_tui.model.errors import AmbiguousId, Invalid, NotFound
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.task import Task, task_json, valid_title
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper

BATCH_KEYS: dict[str, str] = {
    **{name: name for name in (
        "title", "description", "project", "tags", "priority", "executor_preference",
        "required_capabilities", "depends_on", "needs_orchestration", "phase", "estimated_effort",
        "due", "requester", "source", "external", "metadata",
    )},
    "executor": "executor_preference",
    "capabilities": "required_capabilities",
    "effort": "estimated_effort",
}  # fmt: skip
"""What a JSON line of a batch may say, and the field of Task that it sets."""

_MOST, _LONGEST = 64 << 20, 1 << 20
"""Bytes of a batch, and characters of a line of it; Hopper reads no more."""
_KINDS: dict[str, tuple[type, ...]] = {
    "tags": (list, str),
    "required_capabilities": (list, str),
    "depends_on": (list, str),
    "needs_orchestration": (bool,),
    "external": (dict,),
    "metadata": (dict,),
}
"""The JSON types of fields that are not text."""


@command
@click.argument("title", nargs=-1)
@click.option("-d", "--description", metavar="TEXT", help="More about it; - reads stdin.")
@priority_option("urgent, high, medium or low.")
@click.option("-t", "--tag", "tag", metavar="TAG", multiple=True, help="A tag; repeatable.")
@click.option("--tags", metavar="A,B", help="Tags, separated by commas.")
@click.option("--project", metavar="NAME", help="The project it belongs to.")
@instance_option("Where it enters: id, name or prefix.")
@click.option("--depends-on", metavar="ID", multiple=True, help="A task to wait for; repeatable.")
@click.option("--executor", metavar="NAME", help="Who should do it: human, ci, a worker's name.")
@click.option("--capability", metavar="WORD", multiple=True, help="What it takes; repeatable.")
@click.option("--needs-orchestration", is_flag=True, help="It needs a run of workers.")
@click.option("--effort", metavar="TEXT", help="How much work it is, as in 4h.")
@click.option("--due", metavar="DATE", help="2026-12-24, tomorrow or 3d.")
@click.option("--phase", metavar="NAME", help="The phase of a run it goes to: name, id or phase-2.")
@click.option("--batch", is_flag=True, help="Read tasks from stdin, a title or JSON object a line.")
def add(
    session: Session,
    title: tuple[str, ...],
    description: str | None,
    tag: tuple[str, ...],
    tags: str | None,
    instance: str | None,
    batch: bool,
    **options: Any,
) -> None:
    """Add a task; it goes where it belongs.

    At the global hopper it is routed to a project, at a project it stays or goes to a worker, at
    a worker it is queued. Several words make one title. A batch is added as a whole or not at all;
    the other options hold for each of its tasks. It has at most 64 MiB, and 1 MiB a line.

    \b
    Examples:
      hopper add "Fix login" -t api -p high
      hopper add "Build dashboard" --project webapp --due 3d
      hopper add "Run tests" --instance worker-1
      git diff | hopper add "Review this change" -d -
      hopper add --batch --project webapp < titles.txt
    """
    if batch == bool(title):
        raise click.UsageError(
            "A batch takes its titles from stdin" if batch else "Missing argument 'TITLE'",
            click.get_current_context(),
        )
    if description == "-":
        if batch:
            raise click.UsageError("Stdin cannot be both the batch and the description")
        description = read_description()
    hopper = session.world.hopper(instance)
    common = _said(
        {
            "description": description,
            "priority": options["priority"],
            "tags": (*tag, *comma_separated(tags)),
            "project": options["project"],
            "depends_on": options["depends_on"],
            "executor_preference": options["executor"],
            "required_capabilities": options["capability"],
            "needs_orchestration": options["needs_orchestration"],
            "estimated_effort": options["effort"],
            "due": options["due"],
            "phase": options["phase"],
            "source": "cli",
        }
    )
    if batch:
        ids = _add_batch(hopper, read_stdin("the batch", _MOST).split("\n"), common)
    else:
        ids = [hopper.add_task(title=" ".join(title), **common)]
    _answer(session, hopper, ids, batch)


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _add_batch(hopper: Hopper, lines: Sequence[str], common: Mapping[str, Any]) -> list[str]:
    """Add a task for each line, all or none; an error names the line that is at fault."""
    at = 0

    def tasks() -> Iterator[Task]:
        nonlocal at
        for number, line in enumerate(lines, 1):
            at = number
            if line.strip():
                yield _task_of(line, common)

    try:
        ids = hopper.add_tasks(tasks())
    except (Invalid, NotFound, AmbiguousId) as fault:
        fault.message = f"line {at}: {fault.message}"
        raise
    if not ids:
        raise Invalid("the batch is empty", "Write a title or a JSON object on each line of stdin")
    return ids


def _task_of(line: str, common: Mapping[str, Any]) -> Task:
    if len(line) > _LONGEST:
        raise Invalid(f"it has more than {_LONGEST >> 10} KiB", "Say less in one task")
    if not line.lstrip().startswith("{"):
        return Task(**{**common, "title": valid_title(line.strip())})
    said = read_json_object(line, "the line")
    fields = dict(common)
    for key, value in said.items():
        name = _field(key)
        fields[name] = checked(key, name, value)
    return Task(**{**fields, "title": valid_title(fields.get("title"))})


def _field(key: str) -> str:
    if key in BATCH_KEYS:
        return BATCH_KEYS[key]
    from difflib import get_close_matches

    nearest = get_close_matches(key, BATCH_KEYS, n=1)
    hint = f"Did you mean {nearest[0]!r}" if nearest else f"Use: {', '.join(BATCH_KEYS)}"
    raise Invalid(f"unknown key {key!r}", hint)


def checked(key: str, name: str, value: Any) -> Any:
    kinds = _KINDS.get(name, (str,))
    if value is None or isinstance(value, kinds):
        return value
    raise Invalid(f"{key!r} cannot be {type(value).__name__}", f"Give it as {kinds[0].__name__}")


def _answer(session: Session, hopper: Hopper, ids: Sequence[str], many: bool) -> None:
    world = session.world
    if session.quiet and not session.json:
        session.print(ids)
        return
    tasks = [hopper.get(key) for key in ids]
    chains = {task.id: world.chain(task.id) for task in tasks}
    short_ids = world.short_ids(tasks)

    def text() -> Iterator[str]:
        for task in tasks:
            yield plain(f"{short_ids[task.id]}  {task.title}")
            holder = world.instance(task.instance)
            yield "  " + output.placement(task, chains[task.id], holder, world.name)

    def json() -> Any:
        added = [_added_json(task, short_ids[task.id], chains[task.id]) for task in tasks]
        return added if many else added[0]

    session.answer(json=json, text=text)
    if not many and (waits := _what_it_waits_for(session, tasks[0], chains[tasks[0].id])):
        session.hint(waits.format(short_ids[tasks[0].id]))


def _what_it_waits_for(session: Session, task: Task, chain: Sequence[Delegation]) -> str | None:
    """The command that tells why a new task went nowhere; None if it went somewhere."""
    holder = next((hop.target for hop in reversed(chain) if hop.is_open), task.instance)
    if session.world.instance(holder).scope is not HopperScope.GLOBAL:
        return None
    return "see what it waits for: hopper task why {}"


def _added_json(task: Task, short_id: str, chain: Sequence[Delegation]) -> dict[str, Any]:
    held = [hop.target for hop in chain if hop.is_open]
    return task_json(task, short_id) | {
        "routed_to": held[-1] if held else task.instance,
        "delegations": [delegation_json(hop) for hop in chain],
    }

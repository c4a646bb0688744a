"""`hopper instance`: the hoppers of the tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.bulk import Shown, apply
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import (
    complete_instance,
    instance_argument,
    read_json,
    read_json_object,
    reason_option,
    yes_option,
)
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import Invalid, NotFound
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import HopperScope, InstanceStatus
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.tree import Node

_PAST = {
    "start": "started",
    "stop": "stopped",
    "pause": "paused",
    "resume": "resumed",
    "fail": "marked as failed",
    "terminate": "terminated",
}
_ENDING = ("stop", "terminate")
_now_option = click.option("--now", is_flag=True, help="Release claimed tasks at once.")


@command
@click.option("--scope", metavar="SCOPE", help="Only global, project or orchestration.")
@click.option("--status", metavar="WORD", help="Only those with this status, as running.")
@click.option("--parent", metavar="INSTANCE", shell_complete=complete_instance,
              help="Only the children of this one.")  # fmt: skip
def list_(session: Session, scope: str | None, status: str | None, parent: str | None) -> None:
    """List the instances.

    \b
    Examples:
      hopper instance list
      hopper instances list --scope orchestration --status running
    """
    world = session.world
    nodes = world.nodes(
        scope=HopperScope.read(scope) if scope else None,
        status=InstanceStatus.read(status) if status else None,
        parent=world.hopper(parent).id if parent else None,
    )
    print_nodes(session, nodes)
    if not nodes:
        narrowed = scope or status or parent
        session.hint(
            "no instance is like that. See all: hopper instance list"
            if narrowed
            else "no instances yet. Make one: hopper init"
        )


@command
def tree(session: Session) -> None:
    """Show the instances as a tree.

    \b
    Examples:
      hopper instance tree
      hopper instance tree --json
    """
    roots = session.world.tree()
    session.answer(
        json=lambda: [node.json(nested=True) for node in roots],
        text=lambda: output.tree_lines(roots),
    )
    if not roots:
        session.hint("no instances yet. Make one: hopper init")


@command
@click.argument("name")
@click.option("--scope", metavar="SCOPE", required=True, help="global, project or orchestration.")
@click.option("--parent", metavar="INSTANCE", shell_complete=complete_instance,
              help="The instance above it: id, name or prefix.")  # fmt: skip
@click.option("--config", metavar="JSON", help='Its configuration: {"capabilities": ["python"]}.')
def create(session: Session, name: str, scope: str, parent: str | None, config: str | None) -> None:
    """Create an instance.

    It takes work once it is started. Each command is a process of its own, so a run with
    persistence.storage memory is kept in a file, too, which goes when the run is archived.

    \b
    Examples:
      hopper instance create global --scope global
      hopper instance create webapp --scope project --parent global
      hopper instance create worker-1 --scope orchestration --parent webapp \\
          --config '{"max_concurrent_tasks": 3}'
    """
    configuration = read_json_object(config, "--config") if config is not None else None
    made = session.world.create_instance(
        name, HopperScope.read(scope), parent=parent, config=configuration
    )
    print_made(session, made.id)


@command
@instance_argument()
def show(session: Session, instance: str) -> None:
    """Show everything about an instance.

    Of a run that was archived, by its id, the summary that was kept.

    \b
    Examples:
      hopper instance show webapp
      hopper instance show webapp --json
    """
    print_node(session, instance)


@command
@instance_argument()
@click.argument("settings", metavar="[KEY=VALUE]...", nargs=-1)
def config(session: Session, instance: str, settings: tuple[str, ...]) -> None:
    """Show or change the configuration of an instance.

    A value is read as JSON if it is JSON, else as text; null takes a setting away.

    \b
    Examples:
      hopper instance config webapp
      hopper instance config webapp 'capabilities=["python", "react"]'
      hopper instance config worker-1 max_concurrent_tasks=3
    """
    hopper = session.world.hopper(instance)
    if settings:
        hopper.configure(dict(_setting(text) for text in settings))
    configuration = hopper.config
    session.answer(json=lambda: configuration, text=lambda: output.pairs(configuration))


@command
@instance_argument(many=True)
def start(session: Session, instances: tuple[str, ...]) -> None:
    """Start instances, so that they take work.

    \b
    Examples:
      hopper instance start webapp worker-1
    """
    _move(session, instances, "start")


@command
@instance_argument(many=True)
@reason_option("Why, for the history.")
@_now_option
def stop(session: Session, instances: tuple[str, ...], reason: str | None, now: bool) -> None:
    """Stop instances; unclaimed work goes back.

    Claimed tasks are finished first, unless --now.

    \b
    Examples:
      hopper instance stop worker-1
    """
    _move(session, instances, "stop", reason, now=now)


@command
@instance_argument(many=True)
@reason_option("Why, for the history.")
def pause(session: Session, instances: tuple[str, ...], reason: str | None) -> None:
    """Pause instances: they keep their work and take no more.

    \b
    Examples:
      hopper instance pause worker-1 --reason "deployment"
    """
    _move(session, instances, "pause", reason)


@command
@instance_argument(many=True)
def resume(session: Session, instances: tuple[str, ...]) -> None:
    """Resume paused instances.

    \b
    Examples:
      hopper instance resume worker-1
    """
    _move(session, instances, "resume")


@command
@instance_argument(many=True)
@reason_option("What is wrong, for the history.")
def fail(session: Session, instances: tuple[str, ...], reason: str | None) -> None:
    """Mark instances as in error; start recovers them.

    \b
    Examples:
      hopper instance fail worker-1 --reason "the agent's key expired"
    """
    _move(session, instances, "fail", reason)


@command
@instance_argument(many=True)
@reason_option("Why, for the history.")
@_now_option
@yes_option
def terminate(
    session: Session, instances: tuple[str, ...], reason: str | None, now: bool, yes: bool
) -> None:
    """End instances for good.

    \b
    Examples:
      hopper instance terminate worker-1
    """
    session.confirm(f"Terminate {', '.join(instances)} for good?", yes)
    _move(session, instances, "terminate", reason, now=now)


@command
@instance_argument()
@click.option("--keep", is_flag=True, help="Keep its tasks and events too, terminated.")
@yes_option
def archive(session: Session, instance: str, keep: bool, yes: bool) -> None:
    """Keep the summary of a run and delete the run.

    The summary stands in the log of its project; instance show prints it again.

    \b
    Examples:
      hopper instance archive hopper-webapp-run-k3f9
      hopper instance archive hopper-webapp-run-k3f9 --keep
    """
    if not keep:
        session.confirm(f"Delete {instance} and keep only its summary?", yes)
    _print_summary(session, session.world.archive(instance, keep), instance)


def _print_summary(session: Session, summary: Mapping[str, Any], ref: str) -> None:
    from hopper_tui.cli.numbers import summary_lines

    session.answer(
        json=lambda: summary, ids=lambda: [ref], text=lambda: summary_lines(summary, session.width)
    )


def print_nodes(session: Session, nodes: Sequence[Node]) -> None:
    """Print instances one a line, or as the options ask."""
    session.answer(
        json=lambda: [node.json() for node in nodes],
        ids=lambda: [node.instance.id for node in nodes],
        text=lambda: output.instance_rows(
            nodes, session.world.name, session.width, color=session.color
        ),
    )


def print_node(session: Session, ref: str) -> None:
    """Print everything about one instance; of a run that was archived, the summary kept."""
    world = session.world
    try:
        key = world.find_instance(ref)
    except NotFound:
        summary = world.archived(ref)
        if summary is None:
            raise
        _print_summary(session, summary, ref)
        return
    node = _node(session, key)
    session.answer(
        json=node.json,
        ids=lambda: [node.instance.id],
        text=lambda: output.instance_details(node, world.name),
    )


def print_made(session: Session, key: str) -> None:
    """Print a new instance: its id first, and what to do next."""
    node = _node(session, key)

    def text() -> list[str]:
        made = node.instance
        lines = [plain(f"{made.id}  {made.name} ({made.scope.upper()}) [{made.status}]")]
        if made.status is InstanceStatus.CREATED:
            lines.append(f"  start it: hopper instance start {made.id}")
        return lines

    session.answer(json=node.json, ids=lambda: [key], text=text)


def _node(session: Session, key: str) -> Node:
    return next(node for node in session.world.nodes() if node.instance.id == key)


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Invalid(f"{text!r} is not a setting", "Write it as key=value")
    try:
        return key, read_json(value, key)
    except Invalid:
        return key, value


def _move(
    session: Session, refs: Sequence[str], verb: str, reason: str | None = None, now: bool = False
) -> None:
    world = session.world

    def held(instance: Instance) -> str:
        return output.still_held(_node(session, instance.id).load) if verb in _ENDING else ""

    shown: Shown[Instance] = Shown(
        json=lambda instance: _node(session, instance.id).json(),
        text=lambda instance: plain(f"{instance.id}  {instance.status}{held(instance)}"),
        id=lambda instance: instance.id,
    )
    word = _PAST[verb]
    apply(session, refs, word, lambda ref: world.move_instance(ref, verb, reason, now), shown)

"""The verb that tells other programs what happens: watch."""

from __future__ import annotations

import select
import signal
import sys
from json import dumps
from typing import TYPE_CHECKING

import click

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.failure import discard_output
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.model.event import Event


@command
@instance_option()
@click.option("--all", "everything", is_flag=True, help="Every hopper that is known here.")
@click.option(
    "--since",
    metavar="SEQ|TIME",
    help="Begin after the event of this number, 15m ago, or at a time; else now.",
)
@click.option(
    "--kind",
    metavar="KIND",
    multiple=True,
    help="Only events of this kind, such as task.done or all of task; repeatable.",
)
def watch(
    session: Session,
    instance: str | None,
    everything: bool,
    since: str | None,
    kind: tuple[str, ...],
) -> None:
    """Print what happens, as it happens.

    With --json each event is an object on a line of its own, with the keys of hopper log --json.
    Goes on until it is interrupted or nobody reads, and exits with 0 then; a hopper that is
    archived or not checked out for a while is waited for.

    \b
    Examples:
      hopper watch
      hopper watch --json --since 15m --kind task.done
      hopper watch --all --json | while read -r event; do echo "$event"; done
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _watch(session, instance, everything, since, kind)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        discard_output()


def _watch(
    session: Session,
    instance: str | None,
    everything: bool,
    since: str | None,
    kinds: Sequence[str],
) -> None:
    from hopper_tui.engine.streaming import Since, check_kinds, stream

    check_kinds(kinds)
    if everything and instance is not None:
        raise click.UsageError("--all is every instance, so it takes no --instance.")
    world = session.world
    begin = None if since is None else Since.read(since, world.now())
    if everything and begin is not None and begin.seq is not None:
        raise click.UsageError("Each hopper counts its own events: with --all give a time.")
    key = None if everything else world.hopper(instance).id
    for events in stream(world, key, begin, kinds):
        while world.warnings:
            session.warn(world.warnings.pop(0))
        if events:
            session.print(_lines(session, events))
        elif not _is_read():
            return


def _lines(session: Session, events: Sequence[Event]) -> list[str]:
    if session.json:
        return [dumps(output.event_json(event)).replace("\x7f", "\\u007f") for event in events]
    return output.event_rows(events, session.width, session.world.replicas())


def _is_read() -> bool:
    """Whether stdout still goes anywhere: a pipe whose reader left has an error."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return not any(state & (select.POLLERR | select.POLLNVAL) for _, state in poll.poll(0))

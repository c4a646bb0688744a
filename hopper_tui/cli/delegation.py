"""`hopper delegation`: hops between instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from hopper_tui.cli import output
from hopper_tui.cli.bulk import Shown, apply
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option, read_json, reason_option
from hopper_tui.cli.session import Session
from hopper_tui.model.delegation import Delegation, delegation_json
from hopper_tui.model.lifecycle import DelegationStatus

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper

_ids = click.argument("delegations", metavar="ID", nargs=-1, required=True)


@command
@click.option("--status", metavar="WORD", help="Only those with this status, as pending.")
@instance_option("Only those from or to this instance.")
def list_(session: Session, status: str | None, instance: str | None) -> None:
    """List delegations, rejected ones included.

    \b
    Examples:
      hopper delegation list --status pending
      hopper delegation list --status rejected --instance webapp
    """
    world = session.world
    wanted = DelegationStatus.read(status) if status else None
    here = world.hopper(instance).id if instance else None
    hops = world.delegations(wanted, here)
    session.answer(
        json=lambda: [delegation_json(hop) for hop in hops],
        ids=lambda: [hop.id for hop in hops],
        text=lambda: output.delegation_rows(
            hops, world.name, world.now(), session.width, color=session.color
        ),
    )
    if not hops:
        session.hint("no delegations" + (f" are {wanted}" if wanted else " yet"))


@command
@_ids
def accept(session: Session, delegations: tuple[str, ...]) -> None:
    """Accept pending delegations.

    \b
    Examples:
      hopper delegation accept d7m2qk3v9x0t1p5a
    """
    _change(session, delegations, "accepted", lambda hopper, hop: hopper.accept(hop.id))


@command
@_ids
@reason_option("Why it does not fit here.", required=True)
def reject(session: Session, delegations: tuple[str, ...], reason: str) -> None:
    """Reject pending delegations, with the reason.

    The task returns to where it came from, which tries the next candidate.

    \b
    Examples:
      hopper delegation reject d7m2qk3v9x0t1p5a --reason "no room this week"
    """
    _change(session, delegations, "rejected", lambda hopper, hop: hopper.reject(hop.id, reason))


@command
@_ids
@click.option("--result", metavar="JSON", help="What came out.")
def complete(session: Session, delegations: tuple[str, ...], result: str | None) -> None:
    """Complete accepted delegations.

    \b
    Examples:
      hopper delegation complete d7m2qk3v9x0t1p5a --result '{"output": "done"}'
    """
    value = None if result is None else read_json(result, "--result")
    _change(
        session,
        delegations,
        "completed",
        lambda hopper, hop: hopper.complete_delegation(hop.id, result=value),
    )


@command
@_ids
def cancel(session: Session, delegations: tuple[str, ...]) -> None:
    """Take delegations back.

    \b
    Examples:
      hopper delegation cancel d7m2qk3v9x0t1p5a
    """
    _change(session, delegations, "cancelled", lambda hopper, hop: hopper.cancel_delegation(hop.id))


def _change(
    session: Session,
    refs: tuple[str, ...],
    word: str,
    act: Callable[[Hopper, Delegation], Delegation],
) -> None:
    world = session.world
    shown = Shown(
        json=delegation_json,
        text=lambda hop: output.delegation_line(hop, world.name),
        id=lambda hop: hop.id,
    )
    apply(session, refs, word, lambda ref: act(*world.find_delegation(ref)), shown)

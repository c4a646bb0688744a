"""`hopper tui`: open the terminal UI."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import NotAllowed

if TYPE_CHECKING:
    from hopper_tui.engine.world import World


@command
@instance_option("Open at this instance.")
@click.option("--filter", "filter_", metavar="FILTER", help="Open with this filter.")
@click.option("--task", metavar="ID", help="Open at this task.")
@click.option("--served", is_flag=True, hidden=True, help="Run for hopper web.")
@click.option("--keymap", is_flag=True, help="Print a keymap.yaml to begin with, and open nothing.")
def tui(
    session: Session,
    instance: str | None,
    filter_: str | None,
    task: str | None,
    served: bool,
    keymap: bool,
) -> None:
    """Open the terminal UI.

    `hopper` alone does the same. `keymap.yaml` in Hopper's home gives commands other keys.

    \b
    Examples:
      hopper tui
      hopper tui --instance webapp --filter "tag:api priority>=high"
      hopper tui --keymap > ~/.hopper/keymap.yaml
    """
    if keymap:
        from hopper_tui.tui.keymap import template

        session.print(template().splitlines())
        return
    if not (session.has_screen or served):
        raise NotAllowed("the terminal UI needs a terminal", "Without one, see: hopper list")
    open_tui(session, instance, filter_, task, local=not served)


def open_tui(
    session: Session,
    instance: str | None = None,
    filter_: str | None = None,
    task: str | None = None,
    *,
    local: bool = True,
) -> None:
    """Run the app until it is left; `local` as the app has it."""
    if session.no_color:
        os.environ["NO_COLOR"] = "1"  # what Textual heeds
    run_app(session.world, instance=instance, filter=filter_, task=task, local=local)


def run_app(world: World, **opening: Any) -> None:
    """Run the app on a world until it is left."""
    from hopper_tui.tui.app import HopperApp

    app = HopperApp(world, **opening)
    app.run()
    if app.return_code:
        sys.exit(app.return_code)

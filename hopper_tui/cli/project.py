"""`hopper project`: projects that work is routed to."""

from __future__ import annotations

from pathlib import Path

import click

from hopper_tui.cli.command import command
from hopper_tui.cli.instance import print_made, print_node, print_nodes
from hopper_tui.cli.parameters import instance_argument, yes_option
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import NotAllowed
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.text import plain


@command
@click.argument("name")
@click.option("--path", metavar="DIR", help="Its directory, which gets a .hopper/.")
@click.option("--capability", metavar="WORD", multiple=True, help="What it can do; repeatable.")
def register(session: Session, name: str, path: str | None, capability: tuple[str, ...]) -> None:
    """Register a project as a target for work.

    \b
    Examples:
      hopper project register webapp --capability python --capability react
      hopper project register docs --path ~/src/docs
    """
    made = session.world.create_instance(
        name,
        HopperScope.PROJECT,
        config={"capabilities": list(capability)} if capability else None,
        path=Path(path).absolute() if path else None,
    )
    print_made(session, made.id)


@command
def list_(session: Session) -> None:
    """List the projects.

    \b
    Examples:
      hopper project list
      hopper project list --json
    """
    nodes = session.world.nodes(scope=HopperScope.PROJECT)
    print_nodes(session, nodes)
    if not nodes:
        session.hint("no projects yet. Make one: hopper init")


@command
@instance_argument()
def show(session: Session, instance: str) -> None:
    """Show everything about a project.

    \b
    Examples:
      hopper project show webapp
    """
    print_node(session, instance)


@command
@instance_argument()
@yes_option
def remove(session: Session, instance: str, yes: bool) -> None:
    """Remove a project; its open tasks go back to the global hopper.

    Its directory stays as it is: any command there registers the project again. What runs below
    the project must be terminated first.

    \b
    Examples:
      hopper project remove webapp
      hopper project remove webapp --yes
    """
    world = session.world
    project = world.instance(world.find_instance(instance))
    if project.scope is not HopperScope.PROJECT:
        raise NotAllowed(f"{project.name} is no project", "See: hopper project list")
    session.confirm(f"Remove {project.name}? Its open tasks go back to the global hopper.", yes)
    world.hopper(world.global_id).unregister_child(project.id)
    session.answer(
        json=lambda: {"instance_id": project.id, "name": project.name, "removed": True},
        ids=lambda: [project.id],
        text=lambda: [plain(f"{project.id}  removed")],
    )

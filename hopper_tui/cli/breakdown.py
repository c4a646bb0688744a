"""`hopper task break-down`: a task becomes goals and phases of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import (
    complete_instance,
    executor_option,
    instance_option,
    read_stdin,
    task_argument,
)
from hopper_tui.cli.session import Session
from hopper_tui.cli.task import rejection
from hopper_tui.model.delegation import Delegation, delegation_json
from hopper_tui.model.plan import Plan, Step
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hopper_tui.model.plan import Decomposer


def _complete_template(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The names of templates, for the shell."""
    from hopper_tui.config.plans import templates
    from hopper_tui.engine import breakdown

    try:
        world = ctx.obj.world
        folder = breakdown.templates_at(world, world.here) if world.here else None
        return [name for name in templates(folder) if name.startswith(incomplete)]
    except Exception:  # a shell waits for words; errors are of no use to it
        return []


@command
@task_argument
@click.option("--template", metavar="NAME", shell_complete=_complete_template,
              help="How: feature, bugfix, migration, or .hopper/templates/NAME.yaml.")  # fmt: skip
@click.option("--plan", metavar="FILE", type=click.Path(allow_dash=True),
              help="How: a plan in YAML or JSON; - reads stdin.")  # fmt: skip
@click.option("--to", "run", metavar="RUN", shell_complete=complete_instance,
              help="The run that gets it; without it one that fits, or a new one.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what it would become; change nothing.")
@executor_option
@instance_option()
def break_down(
    session: Session,
    task: str,
    template: str | None,
    plan: str | None,
    run: str | None,
    dry_run: bool,
    executor: str | None,
    instance: str | None,
) -> None:
    """Break a task down into goals and phases of a run.

    Without --template and --plan it is done as the configuration of the project says: decomposer.
    A task of a project goes to a run; a task of a run is broken down there, by whoever holds it.

    \b
    Examples:
      hopper task break-down web-k7m2q --template feature
      hopper task break-down k7m2q --plan plan.yaml --to hopper-web-run-abc123
      hopper task break-down k7m2q --template migration --dry-run
      make-plan | hopper task break-down k7m2q --plan -
    """
    if template is not None and plan is not None:
        raise click.UsageError("Give --template or --plan, not both", click.get_current_context())
    hopper, found = session.find(task, instance)
    how = _read(plan) if plan is not None else template
    if dry_run:
        from hopper_tui.engine import breakdown

        drawn = breakdown.plan_of(session.world, found, how)
        session.answer(
            json=lambda: {"goals": list(drawn.json())},
            text=lambda: plan_lines(found.title, drawn),
        )
        return
    hop = hopper.break_down(found.id, how, to=run, executor=executor)
    session.answer(
        json=lambda: delegation_json(hop) | {"plan": list(hop.subtasks)},
        ids=lambda: [hop.id],
        text=lambda: _said(session, hop),
    )
    if refused := rejection(session, hop):
        raise refused


def _read(plan: str) -> Decomposer:
    from pathlib import Path

    from hopper_tui.config.document import MOST_BYTES
    from hopper_tui.config.plans import plan_from, plan_in

    read = plan_in(read_stdin("the plan", MOST_BYTES)) if plan == "-" else plan_from(Path(plan))
    return lambda _task: read


def _said(session: Session, hop: Delegation) -> list[str]:
    world = session.world
    source = world.hopper(hop.source).get(hop.task)
    plan = Plan.read(hop.subtasks)
    parts = output.counted(len(plan.goals), "goal")
    if plan.phases:
        tasks = output.counted(len(plan.tasks), "task")
        parts += f" and {tasks} in {output.counted(len(plan.phases), 'phase')}"
    at = f"{'' if hop.accepted_at else 'offered '}to {world.name(hop.target)}"
    return [
        plain(f"{world.short_id(source)}  broken down {at}  {source.title}"),
        f"  {parts}",
    ]


def plan_lines(title: str, plan: Plan) -> list[str]:
    """A plan as a tree: the goals, then the phases with their tasks and who does them."""
    phases = [
        (output.phase_name(number, name), steps)
        for number, (name, steps) in enumerate(plan.phases.items(), 1)
    ]
    root = (title, (*plan.goals, *phases))
    return list(output.draw_tree([root], _label, _below))


def _label(node: Any) -> str:
    if isinstance(node, tuple):
        return plain(node[0])
    role = f" → {node.executor}" if node.executor and not getattr(node, "tasks", ()) else ""
    waits = f" (after {', '.join(node.depends_on)})" if node.depends_on else ""
    return plain(f"{node.title}{role}{waits}")


def _below(node: Any) -> Sequence[Any]:
    return () if isinstance(node, Step) else node[1]

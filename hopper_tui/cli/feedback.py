"""`hopper feedback`: how tasks went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from hopper_tui.cli import output
from hopper_tui.cli.bulk import print_task
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import complete_instance, instance_option, task_argument
from hopper_tui.cli.session import Session
from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.model.query import Query, Term
from hopper_tui.model.task import task_json
from hopper_tui.model.text import plain

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: tuple[Callable[[F], F], ...] = (
    click.option("--good/--bad", "was_good_match", default=None, help="Whether it fitted."),
    click.option("--should-be", "should_have_routed_to", metavar="INSTANCE",
                 shell_complete=complete_instance, help="Where it should have gone."),
    click.option("--quality", type=float, metavar="0-5", help="How good the result is."),
    click.option("--complexity", type=float, metavar="1-5", help="How hard it was."),
    click.option("--duration", "actual_duration", metavar="TIME", help="How long, as in 4h."),
    click.option("--rework", is_flag=True, default=None, help="It had to be done again."),
    click.option("--notes", metavar="TEXT", help="Anything else."),
)  # fmt: skip


def feedback_options(function: F) -> F:
    """The flags that make a TaskFeedback."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_feedback(said: Mapping[str, Any]) -> TaskFeedback | None:
    """The feedback that the flags say; None if none was given."""
    given = {name: value for name, value in said.items() if value is not None}
    return TaskFeedback(**given) if given else None


@command
@task_argument
@feedback_options
@instance_option()
def add(session: Session, task: str, instance: str | None, **said: Any) -> None:
    """Say how a task went.

    \b
    Examples:
      hopper feedback add web-k7m2q --good --quality 5 --duration 4h
      hopper feedback add k7m2q --bad --should-be api --notes "it was a server bug"
    """
    feedback = read_feedback(said)
    if feedback is None:
        raise click.UsageError("Nothing is said about it", click.get_current_context())
    hopper, found = session.find(task, instance)
    print_task(session, hopper.give_feedback(found.id, feedback), "rated")


@command
@instance_option()
def list_(session: Session, instance: str | None) -> None:
    """List the tasks of an instance that have feedback.

    \b
    Examples:
      hopper feedback list
      hopper feedback list --instance webapp --json
    """
    world = session.world
    hopper = world.hopper(instance)
    tasks = hopper.list(query=Query(terms=(Term("rated", ("1",)),), closed=True))
    short_ids = world.short_ids(tasks)

    def text() -> list[str]:
        lines = []
        for task in tasks:
            lines.append(plain(f"{short_ids[task.id]}  {task.title}"))
            lines += [f"  {line}" for line in output.pairs(output.given(task.feedback))]
        return lines

    session.answer(
        json=lambda: [task_json(task, short_ids[task.id]) for task in tasks],
        ids=lambda: [task.id for task in tasks],
        text=text,
    )
    if not tasks:
        session.hint(f"no feedback at {hopper.name} yet. Give some: hopper feedback add ID --good")


@command
@instance_option()
def report(session: Session, instance: str | None) -> None:
    """Sum up the feedback of an instance.

    \b
    Examples:
      hopper feedback report --instance webapp
    """
    summed = session.world.hopper(instance).feedback_report()
    session.answer(json=lambda: summed, text=lambda: output.pairs(summed))

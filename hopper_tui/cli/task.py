"""`hopper task`: verbs about single tasks."""

from __future__ import annotations

from typing import Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.bulk import Shown, apply, change, print_task
from hopper_tui.cli.command import command
from hopper_tui.cli.failure import Rejected
from hopper_tui.cli.feedback import feedback_options, read_feedback
from hopper_tui.cli.history import print_events
from hopper_tui.cli.parameters import (
    attempt_option,
    comma_separated,
    complete_instance,
    executor_option,
    instance_option,
    lease_option,
    limit_option,
    priority_option,
    read_description,
    read_json,
    reason_option,
    repeated,
    seconds_of,
    task_argument,
    tasks_argument,
    worker_options,
)
from hopper_tui.cli.session import Session
from hopper_tui.model.delegation import Delegation, delegation_json
from hopper_tui.model.errors import HopperError
from hopper_tui.model.lifecycle import DelegationStatus, DelegationType, TaskStatus
from hopper_tui.model.task import task_json
from hopper_tui.model.text import plain


@command
@task_argument
@instance_option()
def show(session: Session, task: str, instance: str | None) -> None:
    """Show everything about a task.

    \b
    Examples:
      hopper task show web-k7m2q
      hopper task get k7m2q --json
    """
    world = session.world
    _, found = session.find(task, instance)
    short_id = world.short_id(found)

    def text() -> list[str]:
        lines = output.task_details(found, short_id, world.name)
        if chain := world.chain(found.id):
            lines += ["", *output.chain_lines(chain, world.name)]
        if notes := world.notes(found.id):
            lines += ["", *output.event_rows(notes, None, world.replicas())]
        if reasons := world.diagnose(found.id):
            lines += ["", *(plain(reason) for reason in reasons)]
        return lines

    session.answer(json=lambda: task_json(found, short_id), text=text, ids=lambda: [found.id])


@command
@tasks_argument
@click.option("--title", metavar="TEXT", help="The new title.")
@click.option("-d", "--description", metavar="TEXT", help="The new description; - reads stdin.")
@priority_option("urgent, high, medium or low.")
@click.option("--add-tag", metavar="TAG", multiple=True, help="Add a tag; repeatable, or a,b.")
@click.option("--remove-tag", metavar="TAG", multiple=True, help="Remove a tag; repeatable.")
@click.option("--due", metavar="DATE", help="2026-12-24, tomorrow or 3d; empty for none.")
@click.option("--effort", metavar="TEXT", help="How much work it is; empty for unknown.")
@click.option("--executor", metavar="NAME", help="Who should do it; empty for anybody.")
@click.option("--add-depends-on", metavar="ID", multiple=True, help="Wait for this task too.")
@click.option("--remove-depends-on", metavar="ID", multiple=True, help="No longer wait for it.")
@click.option("--phase", metavar="NAME", help="The phase it belongs to; empty for none.")
@instance_option()
def update(session: Session, tasks: tuple[str, ...], instance: str | None, **options: Any) -> None:
    """Change fields of tasks.

    \b
    Examples:
      hopper task update web-k7m2q -p urgent --add-tag security
      hopper task update k7m2q p3x9a --due tomorrow
      hopper task update k7m2q --executor ""
    """
    if options["description"] == "-":
        options["description"] = read_description()
    texts = {
        "title": options["title"],
        "description": options["description"],
        "priority": options["priority"],
        "due": options["due"],
        "estimated_effort": options["effort"],
        "executor_preference": options["executor"],
        "phase": options["phase"],
    }
    words = {
        "add_tags": comma_separated(*options["add_tag"]),
        "remove_tags": comma_separated(*options["remove_tag"]),
        "add_depends_on": options["add_depends_on"],
        "remove_depends_on": options["remove_depends_on"],
    }
    changes: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    changes |= {name: given for name, given in words.items() if given}
    if not changes:
        raise click.UsageError("Nothing to change is given", click.get_current_context())
    change(session, tasks, instance, "updated", lambda h, t: h.update(t.id, **changes))


@command
@tasks_argument
@click.argument("status", metavar="STATUS")
@reason_option("Why, for blocked, failed or cancelled.")
@instance_option()
def status(
    session: Session, tasks: tuple[str, ...], status: str, reason: str | None, instance: str | None
) -> None:
    """Set the status of tasks in one word.

    STATUS is pending, claimed, in_progress, blocked, done (or completed), failed or cancelled.

    \b
    Examples:
      hopper task status web-k7m2q completed
      hopper task status k7m2q p3x9a blocked --reason "no access"
    """
    wanted = TaskStatus.read(status)
    change(
        session,
        tasks,
        instance,
        wanted.replace("_", " "),
        lambda h, t: h.set_status(t.id, wanted, reason=reason),
        already=TaskStatus.DONE if wanted is TaskStatus.DONE else None,
    )


@command
@tasks_argument
@worker_options
@lease_option()
@instance_option()
def claim(
    session: Session,
    tasks: tuple[str, ...],
    executor: str | None,
    role: str | None,
    capability: tuple[str, ...],
    lease: str | None,
    instance: str | None,
) -> None:
    """Take tasks, so that nobody else does.

    \b
    Examples:
      hopper task claim web-k7m2q
      hopper task claim k7m2q --executor coder --lease 15m
    """
    length = seconds_of(lease)
    change(
        session,
        tasks,
        instance,
        "claimed",
        lambda h, t: h.claim(t.id, executor, length, role, capability),
    )
    session.hint(
        f"when it is done: hopper task done {' '.join(tasks)}{repeated(session, executor)}"
    )


@command
@tasks_argument
@executor_option
@attempt_option
@lease_option()
@instance_option()
def heartbeat(
    session: Session,
    tasks: tuple[str, ...],
    executor: str | None,
    attempt: int | None,
    lease: str | None,
    instance: str | None,
) -> None:
    """Say that you are still at work on tasks.

    Your lease goes on for as long again as the configuration or --lease says. Refused when
    somebody else holds them by now.

    \b
    Examples:
      hopper task heartbeat web-k7m2q
      hopper task heartbeat k7m2q --executor coder --lease 30m
    """
    length = seconds_of(lease)
    change(
        session, tasks, instance, "held", lambda h, t: h.heartbeat(t.id, executor, length, attempt)
    )


@command
@tasks_argument
@worker_options
@instance_option()
def start(
    session: Session,
    tasks: tuple[str, ...],
    executor: str | None,
    role: str | None,
    capability: tuple[str, ...],
    instance: str | None,
) -> None:
    """Say that work on tasks has begun.

    \b
    Examples:
      hopper task start web-k7m2q
    """
    change(
        session,
        tasks,
        instance,
        "started",
        lambda h, t: h.start(t.id, executor, role=role, capabilities=capability),
    )


@command
@tasks_argument
@click.option("--result", metavar="JSON", help="What came out, for whoever asked for it.")
@executor_option
@attempt_option
@feedback_options
@instance_option()
def done(
    session: Session,
    tasks: tuple[str, ...],
    result: str | None,
    executor: str | None,
    attempt: int | None,
    instance: str | None,
    **said: Any,
) -> None:
    """Mark tasks done; completion bubbles up.

    A delegated task is completed by completing the work at the end of its chain. One that is done
    already stays as it is.

    \b
    Examples:
      hopper task done web-k7m2q
      hopper task done k7m2q --good --quality 5 --duration 4h
      hopper task done k7m2q --result '{"url": "https://example.com/pull/7"}'
    """
    value = None if result is None else read_json(result, "--result")
    feedback = read_feedback(said)
    change(
        session,
        tasks,
        instance,
        "done",
        lambda h, t: h.complete(t.id, feedback, value, executor, attempt),
        already=TaskStatus.DONE if executor is None else None,
    )


@command
@tasks_argument
@reason_option("What went wrong.")
@click.option("--retry", is_flag=True, help="Let it be tried again later, while attempts remain.")
@executor_option
@attempt_option
@instance_option()
def fail(
    session: Session,
    tasks: tuple[str, ...],
    reason: str | None,
    retry: bool,
    executor: str | None,
    attempt: int | None,
    instance: str | None,
) -> None:
    """Mark tasks failed, with the reason.

    \b
    Examples:
      hopper task fail web-k7m2q --reason "the API is gone"
      hopper task fail k7m2q --executor coder --retry --reason "the network was down"
    """
    change(
        session,
        tasks,
        instance,
        "failed",
        lambda h, t: h.fail(t.id, reason, executor, retry, attempt),
    )


@command
@tasks_argument
@reason_option("What it waits for.")
@instance_option()
def block(
    session: Session, tasks: tuple[str, ...], reason: str | None, instance: str | None
) -> None:
    """Mark tasks blocked, with the reason.

    \b
    Examples:
      hopper task block web-k7m2q --reason "waits for the design"
    """
    change(session, tasks, instance, "blocked", lambda h, t: h.block(t.id, reason))


@command
@tasks_argument
@executor_option
@attempt_option
@instance_option()
def release(
    session: Session,
    tasks: tuple[str, ...],
    executor: str | None,
    attempt: int | None,
    instance: str | None,
) -> None:
    """Give claimed or blocked tasks back to the queue.

    \b
    Examples:
      hopper task release web-k7m2q
    """
    change(session, tasks, instance, "released", lambda h, t: h.release(t.id, executor, attempt))


@command
@tasks_argument
@reason_option("Why it need not be done.")
@instance_option()
def cancel(
    session: Session, tasks: tuple[str, ...], reason: str | None, instance: str | None
) -> None:
    """Cancel tasks that need not be done.

    \b
    Examples:
      hopper task cancel web-k7m2q --reason "duplicate"
      hopper list -q tag:old | xargs hopper task cancel
    """
    change(session, tasks, instance, "cancelled", lambda h, t: h.cancel(t.id, reason=reason))


@command
@tasks_argument
@instance_option()
def reopen(session: Session, tasks: tuple[str, ...], instance: str | None) -> None:
    """Reopen tasks that are done, failed or cancelled.

    \b
    Examples:
      hopper task reopen web-k7m2q
    """
    change(session, tasks, instance, "reopened", lambda h, t: h.reopen(t.id))


@command
@tasks_argument
@click.option("--to", "target", metavar="INSTANCE", shell_complete=complete_instance,
              help="Where it goes; without it the router chooses.")  # fmt: skip
@click.option("--type", "type_", metavar="TYPE", default=DelegationType.ROUTE.value,
              help="route (default), decompose, escalate or reassign.")  # fmt: skip
@click.option("--subtask", metavar="TITLE", multiple=True, help="A part of it; repeatable.")
@click.option("--notes", metavar="TEXT", help="What the other side should know.")
@instance_option()
def delegate(
    session: Session,
    tasks: tuple[str, ...],
    target: str | None,
    type_: str,
    subtask: tuple[str, ...],
    notes: str | None,
    instance: str | None,
) -> None:
    """Delegate tasks to another instance.

    route goes down to a child, decompose makes a task there for each --subtask, escalate goes up
    to the parent and needs no --to, reassign goes to a sibling. Exits with 1 if it is rejected.

    \b
    Examples:
      hopper task delegate web-k7m2q --to worker-1
      hopper task delegate k7m2q --to worker-1 --type decompose --subtask Design --subtask Build
      hopper task delegate k7m2q --type escalate --notes "needs a decision"
    """
    kind = DelegationType.read(type_)
    shown = Shown(
        json=delegation_json,
        text=lambda hop: output.delegation_line(hop, session.world.name),
        id=lambda hop: hop.id,
        fault=lambda hop: rejection(session, hop),
    )

    def act(ref: str) -> Delegation:
        hopper, task = session.find(ref, instance)
        return hopper.delegate(task.id, target, type=kind, subtasks=subtask, notes=notes)

    apply(session, tasks, "delegated", act, shown)


def rejection(session: Session, hop: Delegation) -> HopperError | None:
    """What keeps a task at its source: its target rejected it and nobody else took it."""
    world = session.world
    task = world.hopper(hop.source).get(hop.task)
    if hop.status is not DelegationStatus.REJECTED or task.status is TaskStatus.DELEGATED:
        return None
    short_id, target, source = world.short_id(task), world.name(hop.target), world.name(hop.source)
    return Rejected(
        f"{target} rejected {short_id}: {hop.reason}; it is back at {source}",
        "See: hopper task delegations " + short_id,
    )


@command
@task_argument
@instance_option()
def delegations(session: Session, task: str, instance: str | None) -> None:
    """Show the delegation chain of a task.

    Any task of the chain will do. Rejected attempts are part of it; -v adds when, who and why.

    \b
    Examples:
      hopper task delegations web-k7m2q
      hopper task delegations k7m2q -v
    """
    world = session.world
    _, found = session.find(task, instance)
    chain = world.chain(found.id)
    session.answer(
        json=lambda: [delegation_json(hop) for hop in chain],
        ids=lambda: [hop.id for hop in chain],
        text=lambda: output.chain_lines(
            chain, world.name, world.now() if session.verbose else None
        ),
    )
    if not chain:
        session.hint(f"{world.short_id(found)} was never delegated")


@command
@task_argument
@instance_option()
def why(session: Session, task: str, instance: str | None) -> None:
    """Explain why a task is where it is, and what it waits for.

    Shows each routing decision along its chain with all candidates, their factors and the reason.

    \b
    Examples:
      hopper task why web-k7m2q
      hopper task why k7m2q --json
    """
    world = session.world
    _, found = session.find(task, instance)
    decisions = [decision.json() for decision in world.why(found.id)]

    def text() -> list[str]:
        lines = [line for each in decisions for line in output.decision_lines(each, world.name)]
        if found.status is TaskStatus.DONE:
            lines.append(f"it is done at {plain(world.name(found.instance))}")
        return lines + [plain(reason) for reason in world.diagnose(found.id)]

    session.answer(json=lambda: decisions, text=text)
    if not decisions:
        session.hint(f"{world.short_id(found)} was put where it is; nothing was decided")


@command
@task_argument
@click.argument("text", nargs=-1, required=True)
@instance_option()
def note(session: Session, task: str, text: tuple[str, ...], instance: str | None) -> None:
    """Add a note to the history of a task.

    \b
    Examples:
      hopper task note web-k7m2q "tried with the old driver, same error"
    """
    hopper, found = session.find(task, instance)
    hopper.note(found.id, " ".join(text))
    print_task(session, found, "noted")


@command
@task_argument
@limit_option(50)
@instance_option()
def log(session: Session, task: str, limit: int, instance: str | None) -> None:
    """Show the history of a task.

    \b
    Examples:
      hopper task log web-k7m2q
      hopper task log k7m2q --limit 5 --json
    """
    _, found = session.find(task, instance)
    print_events(session, session.world.log(found.id, limit))

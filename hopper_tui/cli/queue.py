"""Verbs that read a queue: list, next, search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from hopper_tui.cli import output
from hopper_tui.cli.command import command
from hopper_tui.cli.failure import NothingThere
from hopper_tui.cli.filters import complete_filter
from hopper_tui.cli.parameters import (
    MOST,
    complete_word,
    instance_option,
    lease_option,
    limit_option,
    priority_option,
    read_json,
    repeated,
    seconds_of,
    worker_options,
)
from hopper_tui.cli.session import Session
from hopper_tui.model.executor import Executor
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.query import SORTS
from hopper_tui.model.task import Task, task_json
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.world import World

_SHOWN = 100
"""So many tasks are listed unless asked for more: the cost stays flat as the backlog grows."""
_MANY = 100
"""From so many delegated tasks on, reading all hops at once is faster than chain by chain."""


@command
@click.argument("words", metavar="[FILTER]...", nargs=-1, shell_complete=complete_filter)
@instance_option()
@click.option("--project", metavar="NAME", help="Only tasks of this project.")
@click.option("--status", metavar="WORD", shell_complete=complete_word(TaskStatus),
              help="Only tasks with this status, closed ones too.")  # fmt: skip
@priority_option("Only tasks with this priority.")
@click.option("-t", "--tag", metavar="TAG", help="Only tasks with this tag.")
@click.option("--owner", metavar="NAME", help="Only tasks held by this person or agent.")
@click.option("--ready", is_flag=True, help="Only tasks that could be claimed now.")
@click.option("--all", "closed", is_flag=True, help="Also done, failed and cancelled tasks.")
@click.option("--limit", type=click.IntRange(0, MOST), metavar="N", help="At most N; 0 for all.")
@click.option("--sort", type=click.Choice(SORTS), default="queue", help="The order.")
def list_(
    session: Session,
    words: tuple[str, ...],
    instance: str | None,
    limit: int | None,
    **conditions: Any,
) -> None:
    """List the tasks of an instance, in the order of its queue.

    Shows the first 100 unless --limit says otherwise; --json and -q give all of them. Priority
    comes first, then age. Where work.ageing is on, hopper next may prefer an old task to one of a
    higher priority; the list does not.

    FILTER narrows them, in the language of the terminal UI: words that must occur, !word for
    words that must not, ~word for its letters in order, conditions such as status:blocked, tag:api,
    age:>2d or priority>=high, flags such as ready or overdue, and @name for a filter saved by
    hopper filter save. What is in double quotes is looked for as it is.

    \b
    Examples:
      hopper list
      hopper list --instance webapp --status blocked
      hopper list tag:api "priority>=high" login
      hopper list @mine
      hopper list --all --sort updated --limit 20 --json
    """
    hopper = session.world.hopper(instance)
    everything = session.json or session.quiet
    most = (0 if everything else _SHOWN) if limit is None else limit
    tasks = hopper.list(" ".join(words), limit=most or None, **conditions)
    print_tasks(session, tasks)
    if not tasks:
        session.hint(_why_empty(hopper))
    elif limit is None and len(tasks) == most:
        session.hint(f"the first {most} tasks; --limit 0 shows all")


@command
@instance_option()
@worker_options
@click.option("--claim", is_flag=True, help="Take it at once, so that nobody else does.")
@lease_option()
@click.option("--wait", metavar="TIME", help="Wait for a task, so long at most, such as 30s.")
@click.option("--done", metavar="TASK", help="Finish this one first, and claim the next with it.")
@click.option("--result", metavar="JSON", help="With --done: what came out of it.")
def next_(
    session: Session,
    instance: str | None,
    executor: str | None,
    role: str | None,
    capability: tuple[str, ...],
    claim: bool,
    lease: str | None,
    wait: str | None,
    done: str | None,
    result: str | None,
) -> None:
    """Show the next task to do, or claim it at once.

    Exits with 4 when there is none, with --wait when there was none all the time. With --done a
    worker goes on to its next task in one command, at the hopper where it was unless --instance
    says another; a task that cannot be finished is refused, and none is claimed.

    \b
    Examples:
      hopper next
      hopper next --instance worker-1 --claim
      hopper next --claim --executor coder-1 --role coder --capability python --lease 15m
      hopper next --claim --executor coder-1 --wait 10m
      hopper next --done k7m2q --result '{"url": "https://example.com/7"}' --executor coder-1
    """
    world = session.world
    held_for, patience = seconds_of(lease), seconds_of(wait)
    who = Executor.of(executor, role, capability, person=world.actor)
    if result is not None and done is None:
        raise click.UsageError("--result is of a task that is finished: name it with --done")
    value = None if result is None else read_json(result, "--result")
    task: Task | None = None
    if done is None:
        hopper = world.hopper(instance)
    else:
        holder, finished = world.find_task(done)
        hopper = holder.run if instance is None else world.hopper(instance)
        _, task = hopper.complete_and_claim(
            finished, executor, capability, held_for, role, result=value
        )
        session.hint(f"done: {world.short_id(finished)}")
        claim = True

    def ask() -> Task | None:
        if claim:
            return hopper.claim_next(executor, capability, held_for, role)
        return hopper.get_next(executor, capability, role)

    if task is None and patience is not None:
        from hopper_tui.engine.waiting import Lookout, first

        task = first(Lookout(hopper, who, claiming=claim), ask, patience)
    elif task is None:
        task = ask()
    if task is None:
        again = repeated(session, executor, role, capability, lease)
        again = f"hopper next{' --claim' if claim else ''}{again}"
        at = "" if instance is None else f" --instance {hopper.id}"
        raise NothingThere(
            f"nothing to do at {hopper.name}", _elsewhere(world, hopper, who, again, at)
        )
    found, short_id = task, world.short_id(task)
    session.answer(
        json=lambda: task_json(found, short_id),
        ids=lambda: [found.id],
        text=lambda: _next_lines(
            found,
            short_id,
            repeated(session, executor),
            repeated(session, executor, role, capability, lease),
        ),
    )


@command
@click.argument("words", nargs=-1, required=True)
@limit_option(50)
def search(session: Session, words: tuple[str, ...], limit: int) -> None:
    """Find tasks anywhere by the words in them.

    Looks in all hoppers, at titles, descriptions and tags of open and closed tasks.

    \b
    Examples:
      hopper search login
      hopper search "rate limit" --json
    """
    tasks = session.world.search(" ".join(words), limit)
    print_tasks(session, tasks)
    if not tasks:
        session.hint(f"no task contains {' '.join(words)!r}")


def print_tasks(session: Session, tasks: Sequence[Task]) -> None:
    """Print tasks one a line, or as the options ask."""
    world = session.world

    def json() -> list[dict[str, Any]]:
        short_ids = world.short_ids(tasks)
        return [task_json(task, short_ids[task.id]) for task in tasks]

    def text() -> list[str]:
        short_ids, holders = world.short_ids(tasks), _holders(world, tasks)
        return output.task_rows(
            tasks, short_ids, holders, world.now(), session.width, color=session.color
        )

    session.answer(json=json, text=text, ids=lambda: [task.id for task in tasks])


def _holders(world: World, tasks: Sequence[Task]) -> dict[str, str]:
    """The name of the instance that holds the work of each delegated task, by the task's id."""
    delegated = [task.id for task in tasks if task.status is TaskStatus.DELEGATED]
    if not delegated:
        return {}
    hops = (
        world.delegations()
        if len(delegated) > _MANY
        else [hop for key in delegated for hop in world.chain(key)]
    )
    open_hops = {hop.task: hop for hop in reversed(hops) if hop.is_open}  # the first stands
    holders = {}
    for key in delegated:
        hop = open_hops.get(key)
        while hop is not None:
            holders[key] = world.name(hop.target)
            hop = open_hops.get(hop.child_tasks[0]) if len(hop.child_tasks) == 1 else None
    return holders


def _why_empty(hopper: Hopper) -> str:
    counts = hopper.counts()
    if everything := sum(counts.values()):
        hidden = output.counted(everything, "task")
        return f"nothing to show: the filter hides {hidden} of {hopper.name} (--all shows closed)"
    return f'no tasks at {hopper.name} yet. Add one: hopper add "..."'


def _elsewhere(world: World, hopper: Hopper, who: Executor, again: str, at: str) -> str:
    """What there is to do for somebody below this hopper, as the command that gets it; else the one
    that waits while tasks are open. `again` is the command that was given, `at` how it named the
    hopper."""
    from hopper_tui.engine import priming

    if below := priming.ready_below(world, hopper.instance, who):
        instance, ready = below[0]
        wait = f"{output.counted(ready, 'task')} {'waits' if ready == 1 else 'wait'}"
        return f"{wait} at {instance.name}: {again} --instance {instance.id}"
    if left := priming.open_at(world, hopper.instance):
        are = f"{output.counted(left, 'task')} {'is' if left == 1 else 'are'}"
        return f"{are} open, but not for you now. To wait: {again}{at} --wait {priming.WAIT}"
    return "See what there is: hopper list --all"


def _next_lines(task: Task, short_id: str, who: str, taker: str) -> Iterator[str]:
    """A task, and what to do next with it: `who` finishes it, the `taker` says more of itself."""
    yield plain(f"{short_id}  {task.priority}  {task.title}")
    if task.description:
        yield plain(f"  {task.description.strip().splitlines()[0]}")
    if task.is_active:
        yield f"  when it is done: hopper task done {short_id}{who}"
    else:
        yield f"  take it: hopper task claim {short_id}{taker}"

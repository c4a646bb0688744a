"""Verbs that bring changes into this checkout: bring, recover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hopper_tui.cli import output
from hopper_tui.cli.columns import align
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.session import Session
from hopper_tui.model import ids
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.journal.record import Record


@command
@click.argument("task", metavar="ID")
@click.option("--from", "source", metavar="REF", help="A branch, a tag or a commit that has it.")
@instance_option()
def bring(session: Session, task: str, source: str | None, instance: str | None) -> None:
    """Bring a task of another branch into this checkout.

    Its whole history comes along, with its delegations and the tasks it waits for. Merging the
    branch later is harmless. Without --from it is looked for among what was seen here before,
    then on all branches, those of remotes too.

    \b
    Examples:
      hopper bring web-k7m2q
      hopper bring k7m2q --from origin/login
    """
    from hopper_tui.engine import bringing
    from hopper_tui.engine.checkout import journaled

    world = session.world
    store = journaled(world, instance)
    brought = bringing.bring(store, task, source)
    found = store.tasks([brought.task, *brought.others])
    short_ids = world.short_ids(found)

    def text() -> Iterator[str]:
        if not brought.events:
            yield plain(f"{short_ids.get(brought.task, brought.task)}  {brought.title}")
            yield "  is here already"
            return
        for one in found:
            yield output.task_line(one, short_ids[one.id])
        yield f"  brought {output.counted(brought.events, 'change')}"

    session.answer(
        json=lambda: {
            "id": brought.task,
            "short_id": short_ids.get(brought.task, brought.task),
            "title": brought.title,
            "events": brought.events,
            "others": list(brought.others),
        },
        ids=lambda: [brought.task, *brought.others],
        text=text,
    )


@command
@click.option("--dry-run", is_flag=True, help="Only say what would come back.")
@instance_option()
def recover(session: Session, dry_run: bool, instance: str | None) -> None:
    """Bring back changes removed before they were committed.

    A copy of what this clone records is kept beside git's own files until a commit holds it: what
    git clean, a reset or a deleted worktree took away comes back under a new file name. What is
    in a commit, on another branch or in the stash is not touched.

    \b
    Examples:
      hopper recover --dry-run
      hopper recover
    """
    from hopper_tui.engine import finding, recovering
    from hopper_tui.engine.checkout import journaled

    store = journaled(session.world, instance)
    loss, file = (recovering.lost(store), None) if dry_run else recovering.recover(store)
    titles = recovering.titles(store, loss)
    mark = finding.id_prefix(session.world, store.instance_id)

    def text() -> Iterator[str]:
        if not loss.events:
            yield "nothing is lost"
            return
        yield from align(
            [
                (
                    record.at[:19] + "Z",
                    plain(record.actor),
                    plain(record.kind),
                    plain(_name(record, mark)),
                    plain(titles.get(record.key, "")),
                )
                for record, _ in loss.events
            ],
            session.width,
        )
        yield (
            loss.sentence
            if dry_run
            else f"brought back {output.counted(len(loss.events), 'change')}"
        )

    session.answer(
        json=lambda: {
            "file": file,
            "tasks": list(loss.tasks),
            "events": [
                {
                    "event": record.id,
                    "at": record.at,
                    "actor": record.actor,
                    "kind": record.kind,
                    "entity": record.entity,
                    "key": record.key,
                    "title": titles.get(record.key),
                }
                for record, _ in loss.events
            ],
        },
        ids=lambda: loss.tasks,
        text=text,
    )


def _name(record: Record, mark: str) -> str:
    """What an event is about, as short as other verbs say it."""
    return f"{mark}{record.key[: ids.SHORT_LENGTH]}" if record.entity == "task" else record.key

"""Verbs that bring a project's tasks into git: commit, compact, hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hopper_tui.cli import output
from hopper_tui.cli.columns import align
from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.session import Session
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.hooks import Hook


@command
@click.option("-m", "--message", metavar="TEXT", help="Say this instead of what changed.")
@click.option("--stage", is_flag=True, help="Only stage, for the next commit to take.")
@instance_option("The project: id, name or prefix.")
def commit(session: Session, message: str | None, stage: bool, instance: str | None) -> None:
    """Commit the tasks of a project to git.

    Takes what the journal holds and nothing else: what you changed or staged yourself stays as
    it is. Files that no commit has seen are merged into fewer before.

    \b
    Examples:
      hopper commit
      hopper commit -m "Plan the release"
      hopper commit --stage && git commit -a
    """
    from hopper_tui.engine import committing

    world = session.world
    if stage and message is not None:
        raise click.UsageError("--stage makes no commit, so it takes no --message.")
    made = committing.stage(world, instance) if stage else committing.commit(
        world, instance, message
    )  # fmt: skip

    def text() -> list[str]:
        if not made.files:
            return ["nothing to commit: git has every event"]
        count = f"{output.counted(made.events, 'event')} in {output.counted(made.files, 'file')}"
        where = f" on {made.branch}" if made.branch else ""
        if made.commit is None:
            return [plain(f"staged {count}{where}")]
        return [plain(f"committed {count}{where}: {made.commit[:8]}")]

    session.answer(
        json=made._asdict,
        ids=lambda: [made.commit] if made.commit else [],
        text=text,
    )
    if made.commit and made.branch is None:
        session.hint("No branch is checked out; keep the commit on one: git switch -c NAME")


@command
@click.option("--month", metavar="YYYY-MM", help="Only this month.")
@click.option("--all", "everything", is_flag=True, help="The present month too.")
@instance_option("The project: id, name or prefix.")
def compact(session: Session, month: str | None, everything: bool, instance: str | None) -> None:
    """Pack the journal files of past months into one each.

    Takes files that are committed and unchanged, and keeps every event. Changes the working tree
    only; commit that when you like.

    \b
    Examples:
      hopper compact
      hopper compact --month 2026-11 && hopper commit
    """
    from hopper_tui.engine import compacting

    packed = compacting.compact(session.world, instance, month, everything)

    def text() -> list[str]:
        if not packed:
            return ["nothing to pack"]
        return align(
            [
                (
                    each.month,
                    f"{output.counted(each.before, 'file')} → {each.after}",
                    output.counted(each.events, "event"),
                )
                for each in packed
            ]
        )

    session.answer(
        json=lambda: {
            "months": [each._asdict() for each in packed],
            "before": sum(each.before for each in packed),
            "after": sum(each.after for each in packed),
            "events": sum(each.events for each in packed),
        },
        ids=lambda: [each.month for each in packed],
        text=text,
    )
    if packed:
        session.hint("Commit it with: hopper commit; git commit -a takes no new files")


@command
@instance_option("The project: id, name or prefix.")
def install(session: Session, instance: str | None) -> None:
    """Let every git commit take the project's events along.

    Adds a pre-commit and a post-checkout hook, for all worktrees of the clone. Hooks that are
    there already are kept and run first.

    \b
    Examples:
      hopper hooks install
    """
    from hopper_tui.engine import hooks

    _print(session, hooks.install(session.world, instance), "installed", "was there already")


@command
@instance_option("The project: id, name or prefix.")
def remove(session: Session, instance: str | None) -> None:
    """Remove Hopper's hooks and bring back what was there before.

    \b
    Examples:
      hopper hooks remove
    """
    from hopper_tui.engine import hooks

    _print(session, hooks.remove(session.world, instance), "removed", "was not there")


def _print(session: Session, hooks: Sequence[Hook], done: str, idle: str) -> None:
    session.answer(
        json=lambda: [hook._asdict() | {"path": str(hook.path)} for hook in hooks],
        ids=lambda: [hook.name for hook in hooks if hook.changed],
        text=lambda: align(
            [(hook.name, done if hook.changed else idle, plain(str(hook.path))) for hook in hooks]
        ),
    )

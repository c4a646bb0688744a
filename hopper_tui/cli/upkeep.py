"""Verbs about the stores: init, doctor."""

from __future__ import annotations

from pathlib import Path

import click

from hopper_tui.cli import output
from hopper_tui.cli.columns import align
from hopper_tui.cli.command import command
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import StorageError
from hopper_tui.model.text import plain


@command
@click.option("--name", metavar="NAME", help="Its name; the directory's if not given.")
def init(session: Session, name: str | None) -> None:
    """Make this directory a project with a hopper of its own.

    Makes .hopper/ and registers the project with the global hopper. Doing it again is harmless.

    \b
    Examples:
      hopper init
      hopper init --name webapp
      hopper -C ~/src/docs init
    """
    report = session.world.init_project(Path.cwd(), name)
    made = report.hopper

    def text() -> list[str]:
        word = "made" if report.created else "is a project already:"
        return [
            plain(f"{made.id}  {made.name} ({made.scope.upper()}) [{made.status}]"),
            plain(f"  {word} {report.root / '.hopper'}"),
            '  add a task:     hopper add "..."',
            "  get the next:   hopper next",
            "  see everything: hopper",
        ]

    session.answer(
        json=lambda: {
            "instance_id": made.id,
            "name": made.name,
            "created": report.created,
            "root": str(report.root),
        },
        ids=lambda: [made.id],
        text=text,
    )


@command
@click.option("--rebuild", is_flag=True, help="Make the tables anew from the recorded events.")
@click.option("--maintain", is_flag=True, help="Remove closed tasks whose retention is over.")
def doctor(session: Session, rebuild: bool, maintain: bool) -> None:
    """Check the stores and say what is wrong.

    Exits with 1 if something is.

    \b
    Examples:
      hopper doctor
      hopper doctor --rebuild
    """
    findings = session.world.doctor(rebuild=rebuild, maintain=maintain)
    session.answer(
        json=lambda: [
            {"level": finding.level, "subject": finding.subject, "message": finding.message}
            for finding in findings
        ],
        text=lambda: align(
            [
                (finding.level, plain(finding.subject), plain(finding.message))
                for finding in findings
            ],
            color=session.color,
        ),
    )
    if errors := sum(finding.level == "error" for finding in findings):
        raise StorageError(f"{output.counted(errors, 'error')} found", "See the lines above")

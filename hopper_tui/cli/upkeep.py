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

AGENTS = {
    "written": "wrote the block for coding agents into AGENTS.md",
    "refreshed": "brought the block for coding agents in AGENTS.md up to date",
    "unchanged": "the block for coding agents in AGENTS.md is up to date already",
}
"""What `init --agents` says it did."""


@command
@click.option("--name", metavar="NAME", help="Its name; the directory's if not given.")
@click.option(
    "--gitattributes", is_flag=True, help="Tell git, in .gitattributes, how journal files are."
)
@click.option("--agents", is_flag=True, help="Tell coding agents, in AGENTS.md, how to work here.")
def init(session: Session, name: str | None, gitattributes: bool, agents: bool) -> None:
    """Make this directory a project with a hopper of its own.

    Makes .hopper/ and registers the project with the global hopper. Doing it again is harmless.
    Commit the directory: tasks then follow branches, merges and clones.

    --agents writes a block between two marks into AGENTS.md, or brings it up to date; what else
    is in the file stays as it is.

    \b
    Examples:
      hopper init
      hopper init --agents
      hopper init --name webapp --gitattributes
      hopper -C ~/src/docs init
    """
    from hopper_tui.engine import projects

    report = session.world.init_project(Path.cwd(), name)
    made = report.hopper
    if gitattributes:
        projects.add_attributes(report.root)
    block = projects.add_agents(report.root) if agents else None
    offers = projects.offers(report.root)

    def text() -> list[str]:
        word = "made" if report.created else "is a project already:"
        return [
            plain(f"{made.id}  {made.name} ({made.scope.upper()}) [{made.status}]"),
            plain(f"  {word} {report.root / '.hopper'}"),
            '  add a task:     hopper add "..."',
            "  get the next:   hopper next",
            "  see everything: hopper",
            *([plain(f"  {AGENTS[block]}")] if block else []),
            *align([(f"  you may add: {verb}", what) for verb, what in offers.items()]),
        ]

    session.answer(
        json=lambda: {
            "instance_id": made.id,
            "name": made.name,
            "created": report.created,
            "root": str(report.root),
            "offers": list(offers),
            "agents": block,
        },
        ids=lambda: [made.id],
        text=text,
    )


@command
@click.option("--rebuild", is_flag=True, help="Make the tables anew from the recorded events.")
@click.option("--maintain", is_flag=True, help="Archive and remove what is over: runs, old tasks.")
@click.option("--deep", is_flag=True, help="Read every file again and compare all with the tables.")
@click.option("--fix", is_flag=True, help="Make anew what is made of the record, drop leftovers.")
def doctor(session: Session, rebuild: bool, maintain: bool, deep: bool, fix: bool) -> None:
    """Check the stores and say what is wrong.

    Exits with 1 if something is. Fixing makes the tables anew and drops leases nobody can hold
    any more and drafts older than a day; what was recorded is never deleted.

    \b
    Examples:
      hopper doctor
      hopper doctor --deep
      hopper doctor --fix
    """
    findings = session.world.doctor(rebuild=rebuild, maintain=maintain, deep=deep, fix=fix)
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

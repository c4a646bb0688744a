"""`hopper filter`: filters that have a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hopper_tui.cli.command import command
from hopper_tui.cli.session import Session
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def complete_saved(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The saved filters that begin like that, with their texts, for the shell."""
    from click.shell_completion import CompletionItem

    from hopper_tui.engine import saved_filters
    from hopper_tui.engine.filter import SAVED

    try:
        known = saved_filters.saved(ctx.obj.world)
    except Exception:  # a shell waits for words; errors are of no use to it
        return []
    mark = SAVED if incomplete.startswith(SAVED) else ""
    return [
        CompletionItem(f"{mark}{name}", help=plain(text))
        for name, text in known.items()
        if f"{mark}{name}".startswith(incomplete)
    ]


def complete_filter(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The saved filters, as a filter names them. Fields are not offered: a shell that takes a colon
    for the end of a word would offer them after it, too."""
    from hopper_tui.engine.filter import SAVED

    return complete_saved(ctx, param, incomplete) if incomplete.startswith(SAVED) else []


@command
def list_(session: Session) -> None:
    """List the saved filters.

    They stand in filters.yaml in Hopper's home, which may also be edited by hand.

    \b
    Examples:
      hopper filter list
      hopper filter list --json
    """
    from hopper_tui.engine import saved_filters

    known = saved_filters.saved(session.world)
    width = max(map(len, known), default=0) + 1
    session.answer(
        json=lambda: [{"name": name, "filter": text} for name, text in known.items()],
        ids=lambda: known,
        text=lambda: [plain(f"{'@' + name:{width}}  {text}") for name, text in known.items()],
    )
    if not known:
        session.hint('no filters are saved. Save one: hopper filter save mine "owner:me ready"')


@command
@click.argument("name", metavar="NAME", shell_complete=complete_saved)
@click.argument("words", metavar="FILTER...", nargs=-1, required=True)
def save(session: Session, name: str, words: tuple[str, ...]) -> None:
    """Save a filter under a name.

    @NAME then stands for it wherever a filter is written, also inside another one. A known name
    gets the new text.

    \b
    Examples:
      hopper filter save urgent "priority>=high ready"
      hopper list @urgent tag:api
    """
    from hopper_tui.engine import saved_filters

    kept = saved_filters.save(session.world, name, " ".join(words))
    text = saved_filters.saved(session.world)[kept]
    session.answer(
        json=lambda: {"name": kept, "filter": text},
        ids=lambda: [kept],
        text=lambda: [plain(f"@{kept}  {text}")],
    )


@command
@click.argument("names", metavar="NAME", nargs=-1, required=True, shell_complete=complete_saved)
def remove(session: Session, names: tuple[str, ...]) -> None:
    """Remove saved filters.

    \b
    Examples:
      hopper filter remove urgent
    """
    from hopper_tui.engine import saved_filters

    removed = [(name, saved_filters.remove(session.world, name)) for name in dict.fromkeys(names)]
    session.answer(
        json=lambda: [{"name": name, "filter": text} for name, text in removed],
        ids=lambda: [name for name, _ in removed],
        text=lambda: [
            plain(f"removed @{name.removeprefix('@')}  {text}") for name, text in removed
        ],
    )

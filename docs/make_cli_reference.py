"""Write docs/cli.md: the help of every command, in the order of the table of verbs.

Run it after a change of the command line: `python docs/make_cli_reference.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from hopper_tui.cli.command import load
from hopper_tui.cli.main import ROOT
from hopper_tui.cli.verbs import ALIASES, NOUNS, VERBS, Verb

REFERENCE = Path(__file__).with_name("cli.md")
WIDTH = 88
_INTRODUCTION = """\
# Command line

Written by `docs/make_cli_reference.py` from the commands themselves.

Every command takes the global options, before or after the verb. Output that is not a terminal is
plain text without colour; `--json` prints JSON with stable keys. Where no instance is named, a
command works at the project whose directory one is in, elsewhere at the global hopper. Instances
and tasks may be named by any unambiguous beginning of their id.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | refused: one line on stderr says what happened and what to do; with `--json` also as JSON |
| 2 | the command line cannot be understood |
| 3 | an id or name could mean several things; they are listed |
| 4 | there is nothing to hand out |
"""


def reference() -> str:
    """The text of docs/cli.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    top = click.Context(ROOT, info_name="hopper", **ROOT.context_settings)
    yield from _section(top)
    for name, verb in VERBS.items():
        yield from _section(click.Context(load(verb), top, name))
    for name, noun in NOUNS.items():
        group = ROOT.get_command(top, name)
        assert group is not None
        within = click.Context(group, top, name)
        yield from _section(within)
        for word, verb in noun.verbs.items():
            if verb in VERBS.values():
                yield f"`hopper {name} {word}` is `hopper {_name_at_top(verb)}`.\n"
            else:
                yield from _section(click.Context(load(verb), within, word))
        if noun.aliases:
            yield _aliases(noun.aliases)
    yield "## Other words\n"
    yield _aliases(ALIASES)


def _section(context: click.Context) -> Iterator[str]:
    """Usage, text and options of one command; what all commands take is said once, at the top."""
    command, title = context.command, context.command_path
    formatter = click.HelpFormatter(width=WIDTH)
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    command.format_options(context, formatter)
    yield f"{'##' if title.count(' ') < 2 else '###'} {title}\n"
    yield f"```text\n{formatter.getvalue().rstrip()}\n```\n"


def _name_at_top(verb: Verb) -> str:
    return next(name for name, known in VERBS.items() if known == verb)


def _aliases(aliases: Mapping[str, str]) -> str:
    said = ", ".join(f"`{word}` for `{name}`" for word, name in aliases.items())
    return f"Also understood: {said}.\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")

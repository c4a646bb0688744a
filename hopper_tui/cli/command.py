"""Commands that share the global options, and groups that import a verb only when it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from hopper_tui.cli.verbs import NOUNS, Noun, Verb
from hopper_tui.model.errors import HopperError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class SharedOption(click.Option):
    """An option every command takes, before or after the verb; the session remembers it.

    Help lists it once, at the top.
    """

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        return super().get_help_record(ctx) if ctx.parent is None else None


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
        setattr(ctx.obj, param.name, value)


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"hopper {version('hopper-tui')}")
        ctx.exit()


def _shared(*names: str, help: str, **settings: Any) -> SharedOption:
    return SharedOption(names, help=help, expose_value=False, callback=_remember, **settings)


SHARED: tuple[SharedOption, ...] = (
    _shared(
        "--home",
        metavar="DIR",
        help="Keep the global hopper here instead of ~/.hopper (HOPPER_HOME).",
    ),
    _shared("-C", "directory", metavar="DIR", help="Act as if started in DIR."),
    _shared("--json", is_flag=True, help="Print JSON."),
    _shared("--actor", metavar="NAME", help="Act in this name (HOPPER_ACTOR)."),
    _shared("--no-color", is_flag=True, help="Print without colour (NO_COLOR)."),
    _shared("-v", "verbose", is_flag=True, help="Print more."),
    _shared("-q", "quiet", is_flag=True, help="Print only ids."),
    SharedOption(
        ("--version",),
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_version,
        help="Print the version.",
    ),
)


class _TakesShared(click.Command):
    """A command that takes the shared options after its own."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *SHARED]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if ctx.parent is not None:
            names = ", ".join(option.opts[0] for option in SHARED)
            formatter.write_paragraph()
            formatter.write_text(f"Takes {names} too: see hopper --help.")


class Command(_TakesShared):
    """A verb."""

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj.enter()
        try:
            return super().invoke(ctx)
        except HopperError as error:
            if error.hint:
                error.hint = _NEXT.sub(lambda found: _completed(found, ctx), error.hint)
            raise


_NEXT = re.compile(r"hopper next --claim(?P<at> --instance \S*[^\s.])?(?! --)")
"""How hints say to take other work."""


def _completed(found: re.Match[str], ctx: click.Context) -> str:
    """A hint with what the command said of where and who, as options for the next one."""
    from hopper_tui.cli.parameters import repeated

    said = ctx.params
    return found[0] + repeated(
        ctx.obj, said.get("executor"), said.get("role"), said.get("capability") or (),
        instance=None if found["at"] else said.get("instance"),
    )  # fmt: skip


class Group(_TakesShared, click.Group):
    """A group whose members stand in tables; help and completion import none of them."""

    def __init__(
        self,
        name: str,
        members: Mapping[str, Verb | Noun],
        aliases: Mapping[str, str],
        default: str = "",
        **settings: Any,
    ) -> None:
        super().__init__(name, subcommand_metavar="VERB [ARGS]...", **settings)
        self.members = members
        self.aliases = aliases
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self.default and not {*args} & {*self.members, *self.aliases, *ctx.help_option_names}:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.members)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = self.aliases.get(cmd_name, cmd_name)
        member = self.members.get(name)
        if isinstance(member, Noun):
            return Group(name, member.verbs, member.aliases, member.default, help=member.help)
        return member and load(member)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            self._suggest(error.command_name, ctx)

    def _suggest(self, word: str, ctx: click.Context) -> NoReturn:
        from difflib import get_close_matches

        from hopper_tui.cli.failure import UsageProblem

        nearest = [f"{noun} {word}" for noun, group in NOUNS.items() if word in group.verbs]
        if not nearest or ctx.parent is not None:
            nearest = get_close_matches(word, [*self.members, *self.aliases], n=1)
        hint = ", ".join(f"{ctx.command_path} {name}" for name in nearest)
        raise UsageProblem(
            f"{ctx.command_path} has no verb {word!r}",
            f"Did you mean: {hint}" if hint else f"See: {ctx.command_path} --help",
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, kind in (("Verbs", Verb), ("Nouns, with verbs of their own", Noun)):
            rows = [(name, m.help) for name, m in self.members.items() if isinstance(m, kind)]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=member.help)
            for name, member in self.members.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def load(verb: Verb) -> click.Command:
    """Import the command behind a verb of the table."""
    module, _, attribute = verb.target.partition(":")
    command = getattr(import_module(f"hopper_tui.cli.{module}"), attribute)
    assert isinstance(command, click.Command)
    return command


def command(function: Callable[..., None]) -> Command:
    """Make a function a verb: it gets the session first, and its docstring is the help."""
    return click.command(cls=Command)(click.pass_obj(function))

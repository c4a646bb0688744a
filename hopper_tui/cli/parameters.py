"""Parameters that several verbs take, and how their texts become values."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hopper_tui.model.errors import Invalid

F = TypeVar("F", bound=Callable[..., Any])


def complete_instance(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The ids of instances that begin like that, for the shell."""
    try:
        return [
            node.instance.id
            for node in ctx.obj.world.nodes()
            if node.instance.id.startswith(incomplete)
        ]
    except Exception:  # a shell waits for words; errors are of no use to it
        return []


def instance_option(help: str = "The instance to use: id, name or prefix.") -> Callable[[F], F]:  # noqa: A002
    """`--instance`, which every command about tasks takes."""
    return click.option(
        "--instance", metavar="INSTANCE", shell_complete=complete_instance, help=help
    )


def instance_argument(*, many: bool = False) -> Callable[[F], F]:
    """One instance, or with `many` at least one."""
    return click.argument(
        "instances" if many else "instance",
        metavar="INSTANCE",
        nargs=-1 if many else 1,
        required=True,
        shell_complete=complete_instance,
    )


task_argument = click.argument("task", metavar="ID")
tasks_argument = click.argument("tasks", metavar="ID", nargs=-1, required=True)
executor_option = click.option("--executor", metavar="NAME", help="Who does it (default: you).")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


MOST = 1_000_000_000
"""Nobody wants more lines than that; SQLite could not count much further."""


def limit_option(default: int | None = None) -> Callable[[F], F]:
    """`--limit` of everything that lists."""
    return click.option(
        "--limit", type=click.IntRange(1, MOST), default=default, metavar="N", help="At most N."
    )


def reason_option(help: str, *, required: bool = False) -> Callable[[F], F]:  # noqa: A002
    """`--reason` of verbs that say why."""
    return click.option("--reason", metavar="TEXT", required=required, help=help)


def read_stdin() -> str:
    """All of stdin as it is; bytes that are no UTF-8 become surrogates, which no store takes."""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def read_json(text: str, what: str) -> Any:
    """The JSON value in `text`; raises Invalid naming the place of the fault."""
    from json import JSONDecodeError, dumps, loads

    try:
        value = loads(text)
        dumps(value, allow_nan=False)
    except JSONDecodeError as fault:
        place = f"line {fault.lineno} column {fault.colno}" if fault.lineno > 1 else ""
        place = place or f"column {fault.colno}"
        raise Invalid(f"{what} is not valid JSON: {fault.msg} at {place}") from None
    except RecursionError:
        raise Invalid(f"{what} is nested too deeply") from None
    except ValueError:
        raise Invalid(f"{what} holds a number that JSON cannot express") from None
    return value


def read_json_object(text: str, what: str) -> dict[str, Any]:
    """The JSON object in `text`; raises Invalid if it is anything else."""
    value = read_json(text, what)
    if not isinstance(value, dict):
        raise Invalid(f"{what} is not a JSON object", 'Write it as {"key": "value"}')
    return value


def comma_separated(*texts: str | None) -> tuple[str, ...]:
    """The words of `a,b` and `c` together."""
    return tuple(word.strip() for text in texts if text for word in text.split(","))

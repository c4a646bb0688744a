"""Parameters that several verbs take, and how their texts become values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hopper_tui.model.errors import Invalid
from hopper_tui.model.lifecycle import Priority, Word
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hopper_tui.cli.session import Session

MOST_WORDS = 50
"""A shell offers no more tasks than that."""
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


def complete_task(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The short ids of the first open tasks here, with their titles, for the shell."""
    from click.shell_completion import CompletionItem

    try:
        world = ctx.obj.world
        here = ctx.params.get("instance") or world.here or world.global_id
        tasks = world.hopper(here).list(limit=MOST_WORDS) if here else []
        short_ids = world.short_ids(tasks)
        return [
            CompletionItem(short_ids[task.id], help=plain(task.title))
            for task in tasks
            if short_ids[task.id].startswith(incomplete)
        ]
    except Exception:  # as above
        return []


def complete_word(words: type[Word]) -> Callable[..., list[str]]:
    """Completes the words of an enum."""
    return lambda _ctx, _param, incomplete: [w for w in words if w.startswith(incomplete)]


def priority_option(help: str) -> Callable[[F], F]:
    """`--priority`, to set one or to ask for one."""
    return click.option(
        "-p", "--priority", metavar="WORD", shell_complete=complete_word(Priority), help=help
    )


def instance_option(help: str = "The instance to use: id, name or prefix.") -> Callable[[F], F]:
    """`--instance`, which every command about tasks takes."""
    return click.option(
        "--instance", metavar="INSTANCE", shell_complete=complete_instance, help=help
    )


def lease_option() -> Callable[[F], F]:
    """`--lease`, for how long a task is taken."""
    return click.option(
        "--lease",
        metavar="TIME",
        help="For how long, such as 15m; then it goes back into the queue unless you send"
        " heartbeats. Without it a worker has 15 minutes, and a person until it is done; the"
        " configuration may say otherwise.",
    )


def seconds_of(text: str | None) -> float | None:
    """The seconds that a duration means, None if there is none."""
    from hopper_tui.model.clock import duration

    return None if text is None else duration(text)


def instance_argument(*, many: bool = False) -> Callable[[F], F]:
    """One instance, or with `many` at least one."""
    return click.argument(
        "instances" if many else "instance",
        metavar="INSTANCE",
        nargs=-1 if many else 1,
        required=True,
        shell_complete=complete_instance,
    )


task_argument = click.argument("task", metavar="ID", shell_complete=complete_task)
tasks_argument = click.argument(
    "tasks", metavar="ID", nargs=-1, required=True, shell_complete=complete_task
)
executor_option = click.option(
    "--executor", metavar="NAME", envvar="HOPPER_EXECUTOR", help="Who does it (default: you)."
)
attempt_option = click.option(
    "--attempt", type=int, metavar="N", help="Only if it is held by this attempt."
)


def worker_options(command: F) -> F:
    """The options by which a worker says who it is and what it can do."""
    for option in (
        click.option(
            "--capability", metavar="WORD", multiple=True, help="What it can do; repeatable."
        ),
        click.option(
            "--role",
            metavar="ROLE",
            envvar="HOPPER_ROLE",
            help="What it is, such as coder or human (default: its name).",
        ),
        executor_option,
    ):
        command = option(command)
    return command


def repeated(
    session: Session,
    executor: str | None = None,
    role: str | None = None,
    capabilities: Sequence[str] = (),
    lease: str | None = None,
    instance: str | None = None,
) -> str:
    """How the next command says again who acts, and where, as far as this one said it: options,
    each with a space in front."""
    said = [("--instance", instance), ("--actor", session.actor)]
    said += [("--executor", executor), ("--role", role)]
    said += [("--capability", word) for word in capabilities]
    said += [("--lease", lease)]
    if not any(value for _, value in said):
        return ""
    from shlex import quote

    return plain("".join(f" {name} {quote(value)}" for name, value in said if value))


yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


MOST = 1_000_000_000
"""Nobody wants more lines than that; SQLite could not count much further."""


def limit_option(default: int | None = None) -> Callable[[F], F]:
    """`--limit` of everything that lists."""
    return click.option(
        "--limit", type=click.IntRange(1, MOST), default=default, metavar="N", help="At most N."
    )


def reason_option(help: str, *, required: bool = False) -> Callable[[F], F]:
    """`--reason` of verbs that say why."""
    return click.option("--reason", metavar="TEXT", required=required, help=help)


def read_stdin(what: str, most: int) -> str:
    """All of stdin as it is; bytes that are no UTF-8 become surrogates, which no store takes.

    Raises Invalid, saying `what` it is, if there are more than so many bytes; reads no further."""
    data = sys.stdin.buffer.read(most + 1)
    if len(data) > most:
        raise Invalid(f"{what} on stdin has more than {most >> 10} KiB", "Give it in parts")
    return data.decode("utf-8", "surrogateescape")


def read_description() -> str:
    """The description on stdin."""
    from hopper_tui.model.task import TEXT_LIMIT

    return read_stdin("the description", 4 * TEXT_LIMIT)


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

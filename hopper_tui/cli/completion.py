"""`hopper completion`: the scripts that let shells complete verbs, options and instances."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class, shell_complete

from hopper_tui.cli.command import command
from hopper_tui.cli.session import Session

VARIABLE = "_HOPPER_COMPLETE"
"""Set by the scripts when the shell wants words."""
_SHELLS = ("bash", "zsh", "fish")


@command
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(session: Session, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      eval "$(hopper completion bash)"                          in ~/.bashrc
      eval "$(hopper completion zsh)"                           in ~/.zshrc
      hopper completion fish > ~/.config/fish/completions/hopper.fish
    """
    script = get_completion_class(shell)
    assert script is not None
    root = click.get_current_context().find_root().command
    session.print(script(root, {}, "hopper", VARIABLE).source().splitlines())


def complete(root: click.Command, instruction: str) -> int:
    """Answer a shell that wants words; returns the exit code."""
    session = Session()
    try:
        return shell_complete(root, {"obj": session}, "hopper", VARIABLE, instruction)
    finally:
        session.close()

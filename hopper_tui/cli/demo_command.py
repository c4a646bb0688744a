"""`hopper demo`: Hopper in a world that is thrown away afterwards."""

from __future__ import annotations

from hopper_tui.cli.command import command
from hopper_tui.cli.session import Session
from hopper_tui.model.text import plain


@command
def demo(session: Session) -> None:
    """Try Hopper in a world that is thrown away afterwards.

    Opens the terminal UI on a few projects with tasks in every state. Without a terminal it plays
    the full workflow as text.

    \b
    Examples:
      hopper demo
      hopper demo | cat
    """
    from hopper_tui.demo import build, play

    if not session.has_screen:
        play(lambda line: session.print([plain(line)]))
        return
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from hopper_tui.cli.screen import run_app

    with TemporaryDirectory(prefix="hopper-demo-") as home:
        world = build(Path(home))
        try:
            run_app(world)
        finally:
            world.close()

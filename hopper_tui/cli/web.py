"""`hopper web`: the terminal UI in a browser."""

from __future__ import annotations

import click

from hopper_tui.cli.command import command
from hopper_tui.cli.parameters import instance_option
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import NotAllowed

PORT = 8000


@command
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    help="Where to listen (default: 127.0.0.1, this machine only).",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=PORT,
    help=f"The port to listen at (default: {PORT}; 0: any that is free).",
)
@instance_option("Open at this instance.")
def web(session: Session, host: str, port: int, instance: str | None) -> None:
    """Open the terminal UI in a browser.

    Serves the same screen at http://127.0.0.1:8000 until Ctrl+C. Every tab is a terminal of its
    own, without what would reach this machine beyond its tasks: no editor and no files. There is
    no password: whoever reaches the address can do what you can do in Hopper. Needs an extra:
    pip install 'hopper-tui[web]'

    \b
    Examples:
      hopper web
      hopper web --port 8080 --instance webapp
      ssh -L 8000:127.0.0.1:8000 server hopper web
    """
    try:
        from hopper_tui.cli.web_server import WebServer
    except ImportError as missing:
        raise NotAllowed(
            f"hopper web needs a package that is not installed: {missing.name}",
            "Install it: pip install 'hopper-tui[web]'",
        ) from None
    server = WebServer(_command(session, instance), host, port)
    session.print([f"Hopper is at {server.public_url}", "Ctrl+C ends it."])
    if not server.is_private:
        session.warn(
            f"{host} can be reached from other machines, and whoever reaches it can do with your"
            " tasks what you can; there is no password"
        )
    server.serve()


def _command(session: Session, instance: str | None) -> str:
    """The command line of the app behind a tab, with the options of this one."""
    import sys
    from shlex import join

    words = [sys.executable, "-m", "hopper_tui", "tui", "--served"]
    given = (("--home", session.home), ("--actor", session.actor), ("--instance", instance))
    for option, value in given:
        words += [f"{option}={value}"] if value else []
    words += ["--no-color"] if session.no_color else []
    return f"exec {join(words)}"

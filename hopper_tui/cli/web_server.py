"""WebServer: gives every browser tab an app of its own; only for pages that came from here."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from copy import copy
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from hopper_tui.model.errors import NotAllowed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
"""What a browser on this machine calls it."""
GOODBYE = 3.0
"""Seconds that the apps of open tabs have to end when the server does."""
_POLICY = (
    "default-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " connect-src 'self' {websocket}; frame-ancestors 'none'"
)
"""A page loads nothing from elsewhere, and no other page shows it in a frame."""

_FOCUS = """
<script>
new MutationObserver((_, observer) => {
  const keyboard = document.querySelector(".xterm-helper-textarea");
  if (keyboard) { keyboard.focus(); observer.disconnect(); }
}).observe(document.body, {attributes: true});
</script>
</body>"""
"""Lets the keyboard work as soon as the screen is there, without a click."""


class WebServer(Server):
    """Listens as soon as it is made; raises NotAllowed where it cannot.

    A page of another site must not reach the apps through the browser of the person who runs them:
    requests are answered only if they name the server as it is known, and come from its own page.
    """

    def __init__(self, command: str, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        address, port = self._socket.getsockname()[:2]
        self.is_private = ip_address(address).is_loopback
        shown = f"[{host}]" if ":" in host else host
        super().__init__(command, host, port, "Hopper", f"http://{shown}:{port}")

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl+C."""
        web.run_app(
            self._make_app(), sock=self._socket, print=lambda *_: None, shutdown_timeout=GOODBYE
        )

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the command did."""

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, with addresses as the browser knows them."""
        server = copy(self)
        server.public_url = f"{request.scheme}://{request.host}"
        page = await Server.handle_index(server, request)
        assert isinstance(page, web.Response)
        page.text = str(page.text).replace("</body>", _FOCUS)
        page.headers["Content-Security-Policy"] = _POLICY.format(
            websocket=f"{request.scheme.replace('http', 'ws')}://{request.host}"
        )
        return page

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        name = urlsplit(f"//{request.host}").hostname
        if (self.is_private and name not in OWN_NAMES | {self.host}) or (
            origin is not None and urlsplit(origin).netloc != request.host
        ):
            raise web.HTTPForbidden(text="Hopper answers only to its own page.")
        return await handler(request)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens at an address."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise NotAllowed(
            f"cannot listen at {host}, port {port}: {error.strerror or error}",
            "Choose another with --host and --port",
        ) from None

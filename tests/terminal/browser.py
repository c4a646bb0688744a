"""A real browser: Chromium without a window shows what `hopper web` serves.

The page draws its terminal as a picture, so what the server sends to it is also drawn by pyte, from
which the screen is read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from launch import COMMAND

from .display import PAUSE, Display

_PACKAGES = ("playwright.sync_api", "pyte", "textual_serve")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_KEYS = {"Down": "ArrowDown", "Up": "ArrowUp", "Left": "ArrowLeft", "Right": "ArrowRight"}
"""How a browser calls keys that tmux calls otherwise."""


class Browser(Display):
    """A browser with one tab, on the app of one project."""

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        for package in _PACKAGES:
            pytest.importorskip(package, reason=f"{package} is not installed: .[test,browser]")
        import pyte
        from playwright.sync_api import Error, sync_playwright

        self._directory, self._env = directory, env
        self.loaded: list[str] = []
        self.address = ""
        self._ends = ExitStack()
        known = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
        playwright = self._ends.enter_context(sync_playwright())
        try:
            browser = playwright.chromium.launch(executable_path=known, args=["--no-sandbox"])
        except Error as missing:
            self._ends.close()
            pytest.skip(f"no browser: {missing.message.splitlines()[0]}")
        self._ends.callback(browser.close)
        self._page = browser.new_page(viewport={"width": 1200, "height": 720})
        self._page.on("websocket", self._follow)
        self._page.on("requestfinished", lambda request: self.loaded.append(request.url))
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)

    def _follow(self, socket: object) -> None:
        """Draw what a terminal of the page is sent, and be as large as it is."""
        from playwright.sync_api import WebSocket

        assert isinstance(socket, WebSocket)
        asked = parse_qs(urlparse(socket.url).query)
        self._screen.reset()
        self._screen.resize(int(asked["height"][0]), int(asked["width"][0]))

        def sent(message: str | bytes) -> None:
            order = json.loads(message)
            if order[0] == "resize":
                self._screen.resize(order[1]["height"], order[1]["width"])

        def received(message: str | bytes) -> None:
            if isinstance(message, bytes):
                self._stream.feed(message)

        socket.on("framesent", sent)
        socket.on("framereceived", received)

    def opens(self, *args: str) -> None:
        """Open the page that `hopper ARGS` would show, if need be from a server begun for it."""
        if not self.address:
            command = [COMMAND, *(arg for arg in args if arg != "tui"), "web", "--port", "0"]
            server = subprocess.Popen(
                command, env=dict(self._env), cwd=self._directory, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self._ends.enter_context(server)
            self._ends.callback(server.terminate)
            assert server.stdout is not None
            self.address = server.stdout.readline().split()[-1]
        self._page.goto(self.address)
        self._page.wait_for_selector(".xterm-helper-textarea:focus")

    def type(self, text: str) -> None:
        """Type a text as it is; a line feed is Enter."""
        for part in text.splitlines(keepends=True):
            self._page.keyboard.type(part.rstrip("\n"))
            if part.endswith("\n"):
                self._page.keyboard.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by the names tmux gives them."""
        for key in keys:
            self._page.keyboard.press(_KEYS.get(key, key))

    def click(self, text: str) -> None:
        """Click on the screen where a text begins."""
        row, line = next((n, line) for n, line in enumerate(self._lines) if text in line)
        drawn = self._page.locator(".xterm-screen").bounding_box()
        assert drawn is not None
        width, height = drawn["width"] / self._screen.columns, drawn["height"] / self._screen.lines
        column = line.index(text)
        self._page.mouse.click(
            drawn["x"] + (column + 0.5) * width, drawn["y"] + (row + 0.5) * height
        )

    @property
    def _lines(self) -> list[str]:
        return [str(line) for line in self._screen.display]

    @property
    def screen(self) -> str:
        """What stands on the screen."""
        return "\n".join(self._lines)

    @property
    def row(self) -> int:
        """The line of the screen on which the cursor of the terminal is, from 0."""
        return int(self._screen.cursor.y)

    def pause(self) -> None:
        """Let a moment pass, in which the browser tells what happened."""
        self._page.wait_for_timeout(PAUSE * 1000)

    def is_back(self) -> bool:
        """Whether the page says that the app has ended."""
        return self._page.locator("body.-closed").count() == 1

    def close(self) -> None:
        """End the browser and the server, which would wait for a page that is still open."""
        self._page.close()
        self._ends.close()

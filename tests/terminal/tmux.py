"""A real terminal: tmux runs the installed command, types, and says what stands on the screen."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from launch import COMMAND

from .display import PATIENCE, Display

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")


class Terminal(Display):
    """A terminal of its own, with a shell in which `hopper` was started with those arguments."""

    def __init__(
        self, directory: Path, env: Mapping[str, str], size: tuple[int, int] = (120, 36)
    ) -> None:
        self._socket = str(directory / "tmux")
        self._env = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._directory = directory
        columns, lines = (str(number) for number in size)
        options = ["-d", "-x", columns, "-y", lines]
        self._tmux("-f", "/dev/null", "new-session", *options, "-c", str(directory), "sh")
        self.type("PS1='$ '\n")

    def _tmux(self, *args: str) -> str:
        command = ["tmux", "-S", self._socket, *args]
        done = subprocess.run(
            command, env=self._env, capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        return done.stdout

    def opens(self, *args: str) -> None:
        """Type `hopper ARGS` into the shell."""
        self.type(" ".join(["clear;", COMMAND, *args]) + "\n")

    def type(self, text: str) -> None:
        """Type a text as it is; a line feed is Enter."""
        for part in text.splitlines(keepends=True):
            if words := part.rstrip("\n"):
                self._tmux("send-keys", "-l", "--", words)
            if part.endswith("\n"):
                self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by the names tmux gives them."""
        self._tmux("send-keys", "--", *keys)

    def paste(self, text: str) -> None:
        """Paste a text, between the marks that say so."""
        self._tmux("set-buffer", "--", text)
        self._tmux("paste-buffer", "-p")

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    @property
    def screen(self) -> str:
        """What stands on the screen."""
        return self._tmux("capture-pane", "-p")

    @property
    def row(self) -> int:
        """The line of the screen on which the cursor of the terminal is, from 0."""
        return int(self._tmux("display-message", "-p", "#{cursor_y}"))

    def is_back(self) -> bool:
        """Whether the shell waits for a command again."""
        lines = [line for line in self.screen.splitlines() if line.strip()]
        return bool(lines) and lines[-1].strip() == "$"

    def close(self) -> None:
        """End everything that runs in it."""
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], capture_output=True)

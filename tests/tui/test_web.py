"""`hopper web`: the same screen in a browser, and for nobody but the person who runs it."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from launch import COMMAND, environment

from hopper_tui.engine.world import World
from hopper_tui.tui.app import HopperApp

from .worlds import busy_world

aiohttp = pytest.importorskip("aiohttp", reason="the extra web is not installed")

PATIENCE = 30.0
"""Seconds to wait for something to appear in the browser before the story has failed."""
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=:]*[ -/]*[@-~]|[@-Z\\-_])")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a project and its tasks."""
    busy_world(tmp_path).close()
    return tmp_path


@contextmanager
def serving(home: Path, *args: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server at a free port: its address, and its process."""
    process = subprocess.Popen(
        [COMMAND, "web", "--port", "0", "--instance", "webapp", *args],
        env=environment(home, home), cwd=home, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1], process
    finally:
        process.kill()
        process.communicate()


class Tab:
    """A browser tab, as far as the server can tell: what was written to its terminal so far."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self._written = b""

    async def sees(self, *texts: str) -> None:
        """Wait until all these texts were written."""
        async with asyncio.timeout(PATIENCE):
            while not all(text in self.written for text in texts):
                message = await self.socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, self.written
                self._written += message.data

    @property
    def written(self) -> str:
        """The text that was written, without the places where it stands."""
        return _ESCAPES.sub(b"", self._written).decode("utf-8", "replace")

    async def type(self, text: str) -> None:
        """Press keys."""
        await self.socket.send_json(["stdin", text])

    async def is_closed(self) -> None:
        """Wait until the server has closed it."""
        async with asyncio.timeout(PATIENCE):
            async for _ in self.socket:
                pass


@asynccontextmanager
async def tab(address: str, **headers: str) -> AsyncIterator[Tab]:
    """A tab that shows the app on 100 columns."""
    async with aiohttp.ClientSession() as client:
        url = f"{address}/ws?width=100&height=30"
        async with client.ws_connect(url, headers=headers) as socket:
            yield Tab(socket)


async def status(address: str, **headers: str) -> tuple[int, str]:
    """The status and the text of the page for a request with these headers."""
    async with aiohttp.ClientSession() as client, client.get(address, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_task_is_added_in_the_browser(home: Path):
    with serving(home) as (address, _):
        code, page = await status(address)
        assert (code, "Hopper" in page) == (200, True)
        assert f'"ws:{address.removeprefix("http:")}/ws"' in page
        async with tab(address) as here:
            await here.sees("Fix login crash", "webapp · 11 open")
            await here.type("a")
            await here.sees("add to webapp")
            await here.type("Sharpen the saw\r")
            await here.sees("added Sharpen the saw")
            await here.socket.send_json(["resize", {"width": 60, "height": 20}])
            await here.sees("[2 queue]")
            await here.type("q")
            await here.is_closed()
    with_it = World(home, home).hopper("webapp").list()
    assert "Sharpen the saw" in [task.title for task in with_it]


async def test_two_tabs_are_two_terminals_on_the_same_tasks(home: Path):
    with serving(home) as (address, _):
        async with tab(address) as one, tab(address) as other:
            await one.sees("Fix login crash")
            await other.sees("Fix login crash")
            await one.type("d")
            await one.sees("done web-")
            await other.sees("webapp · 10 open")


async def test_other_sites_and_other_names_are_refused(home: Path):
    """A page elsewhere must not use the browser of the person who runs the server, neither
    directly nor by a name that leads here."""
    with serving(home) as (address, _):
        assert (await status(address, Host="evil.example"))[0] == 403
        assert (await status(address, Origin="http://evil.example"))[0] == 403
        assert (await status(address, Origin=address))[0] == 200
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with tab(address, Origin="http://evil.example"):
                pass


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
async def test_the_apps_end_with_the_server(home: Path, end: signal.Signals):
    with serving(home) as (address, process):
        async with tab(address) as here:
            await here.sees("Fix login crash")
            (app,) = children(process.pid)
            process.send_signal(end)
            await here.is_closed()
            async with asyncio.timeout(PATIENCE):
                while Path(f"/proc/{app}/cmdline").exists():
                    await asyncio.sleep(0.05)
        if end is signal.SIGINT:
            assert process.wait(PATIENCE) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""


def children(parent: int) -> list[int]:
    """The processes that one started."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    if not path.exists():
        pytest.skip("this system does not tell the children of a process")
    return [int(child) for child in path.read_text().split()]


def test_whoever_opens_it_to_others_is_warned(home: Path):
    with serving(home, "--host", "0.0.0.0") as (_, process):
        assert process.stderr is not None
        assert "0.0.0.0 can be reached from other machines" in process.stderr.readline()


def test_a_port_that_is_taken_is_said(home: Path):
    with serving(home) as (address, _):
        port = address.rpartition(":")[2]
        done = subprocess.run(
            [COMMAND, "web", "--port", port],
            env=environment(home, home), cwd=home, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1, port {port}: Address already in use" in done.stderr
    assert "--port" in done.stderr


def test_without_the_extra_it_says_what_to_install(home: Path):
    code = (
        "import sys; sys.modules['textual_serve'] = None;"
        "from hopper_tui.cli.main import main; sys.exit(main(['web']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(home, home), cwd=home, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'hopper-tui[web]'" in done.stderr


async def test_in_a_browser_nothing_reaches_beyond_the_tasks():
    world = busy_world()
    app = HopperApp(world, instance="webapp", local=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert not app.cockpit.situation.local
    world.close()

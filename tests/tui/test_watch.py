"""Changes of files are told, each once, wherever they come from."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from hopper_tui.tui import watch
from hopper_tui.tui.watch import changes

Watch = Callable[[Sequence[str]], AsyncIterator[None]]
WAYS = [watch._looked_for, *([watch._told] if sys.platform == "linux" else [])]


async def news(bursts: AsyncIterator[None]) -> None:
    """Wait for the next burst."""
    async with asyncio.timeout(10):
        await anext(bursts)


async def begun(way: Watch, directory: Path) -> AsyncIterator[None]:
    """The bursts of a watch that stands: it told of a first change."""
    bursts = way([str(directory)])
    first = asyncio.ensure_future(news(bursts))
    number = 0
    while not first.done():
        number += 1
        (directory / f"first-{number}.db").write_text("x")
        await asyncio.sleep(0.05)
    await first
    return bursts


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_what_happens_to_a_store_is_told(tmp_path: Path, way: Watch):
    bursts = await begun(way, tmp_path)
    for change in (
        lambda: (tmp_path / "a.db").write_text("made"),
        lambda: (tmp_path / "a.db").write_text("written again"),
        lambda: (tmp_path / "a.db").rename(tmp_path / "b.db"),
        lambda: (tmp_path / "b.db").unlink(),
    ):
        change()
        await news(bursts)
    await bursts.aclose()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_what_is_no_store_is_not_told_nor_a_reader(tmp_path: Path, way: Watch):
    (tmp_path / "a.db").write_text("there")
    bursts = await begun(way, tmp_path)
    (tmp_path / "a.db").write_text("changed")
    told = asyncio.ensure_future(anext(bursts))
    while (await asyncio.wait((told,), timeout=0.5))[0]:
        told = asyncio.ensure_future(anext(bursts))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "a.db-shm").write_text("x")
    (tmp_path / "a.db").read_text()
    await asyncio.wait((told,), timeout=0.3)
    assert not told.done()
    (tmp_path / "a.db").write_text("changed once more")
    async with asyncio.timeout(10):
        await told
    await bursts.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells of it")
async def test_a_directory_that_goes_away_is_told(tmp_path: Path):
    below = tmp_path / "below"
    below.mkdir()
    bursts = await begun(watch._told, below)
    for file in below.iterdir():
        file.unlink()
    await news(bursts)
    below.rmdir()
    await news(bursts)
    await bursts.aclose()


async def test_a_directory_that_is_not_there_ends_it(tmp_path: Path):
    assert [burst async for burst in changes([str(tmp_path / "nowhere")])] == []

"""What all tests share: a quick place for their files, and how they run commands."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import launch
import pytest

MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes that must be free in memory before tests keep their files there."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory, unless TMPDIR says where; and tell pytest our marks."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    config.addinivalue_line("markers", "installed: commands are runs of the installed script")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Twice as many workers as cores: most tests wait for other processes and for timers."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Of the processes that run the tests, the first makes the byte code for all: to rewrite what
    is asserted takes several times as long as all the rest of a start."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    shared = Path(session.config.option.basetemp).parent
    with (shared / "collection.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_SH)
        patch.setattr(sys, "dont_write_bytecode", False)
        return (yield)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the tests go on that play at random, and with which dice."""
    parser.addoption("--keys", type=int, default=300, help="keys of a random session")
    parser.addoption("--dice", type=int, default=1, help="seed of a random session")


def _has_room(directory: Path) -> bool:
    return os.access(directory, os.W_OK) and shutil.disk_usage(directory).free > ROOM


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that are marked so run the installed script."""
    if request.node.get_closest_marker("installed"):
        monkeypatch.setattr(launch, "installed", True)


Once = Callable[[str, Callable[[], Any]], Any]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Finds out something costly, that is JSON, once for all processes that run the tests."""
    here = tmp_path_factory.getbasetemp()
    shared = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here

    def find_out(name: str, ask: Callable[[], Any]) -> Any:
        answer = shared / f"{name}.json"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not answer.exists():
                answer.write_text(json.dumps(ask()), encoding="utf-8")
            return json.loads(answer.read_text(encoding="utf-8"))

    return find_out

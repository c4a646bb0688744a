"""Disks that are full or cannot be written: the screen says so, and loses nothing."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from mounting import mounting

from .mounted import STORIES

TESTS = Path(__file__).parents[1]
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join((str(TESTS), str(TESTS.parent)))}


@mounting
@pytest.mark.parametrize("name", STORIES)
def test_a_disk(tmp_path: Path, name: str):
    tell = shlex.join([sys.executable, "-m", "tests.tui.mounted", name, str(tmp_path)])
    mount = f"mount -t tmpfs -o size=8m tmpfs {shlex.quote(str(tmp_path))}"
    told = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", f"{mount} && exec {tell}"],
        env=ENV, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr

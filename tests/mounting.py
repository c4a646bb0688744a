"""Mounting: whether a test may mount a small or read-only file system in a namespace of its own."""

from __future__ import annotations

import subprocess

import pytest


def is_permitted() -> bool:
    """Whether this process may mount; in many containers it may not."""
    try:
        tried = subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
            capture_output=True, timeout=20,
        )  # fmt: skip
    except OSError:
        return False
    return tried.returncode == 0


mounting = pytest.mark.skipif(not is_permitted(), reason="mounting is not permitted here")

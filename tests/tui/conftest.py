"""What every story takes for granted."""

from __future__ import annotations

import pytest

from hopper_tui.engine.world import World

from .worlds import busy_world


@pytest.fixture(autouse=True)
def _no_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests has an editor; the stories name theirs."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)


@pytest.fixture
def webapp() -> World:
    """A project with a dozen tasks in every state, in memory."""
    return busy_world()

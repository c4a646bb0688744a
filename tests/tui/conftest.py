"""What every story takes for granted."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests has an editor; the stories name theirs."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)

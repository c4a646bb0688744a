"""Walks: whatever people do with git, tasks never conflict, vanish or come back from the dead."""

from __future__ import annotations

import pytest

from journal.walk import Walk, kept_seeds, quick_directory

SHORT = 30
"""Steps of a walk that is made on every run of the tests."""


@pytest.mark.parametrize(("seed", "steps"), [*((n, SHORT) for n in range(8)), *kept_seeds()])
def test_a_walk_leads_nowhere_bad(seed: int, steps: int) -> None:
    with quick_directory() as directory:
        assert Walk(seed, directory).run(steps) > 0

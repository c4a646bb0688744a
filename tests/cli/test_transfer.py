"""Export and import: open tasks travel with what they say and what they wait for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Shell


@pytest.mark.installed
def test_open_tasks_travel_with_their_dependencies(hopper: Shell) -> None:
    for name in ("old", "new"):
        hopper("instance", "create", name, "--scope", "project")
        hopper("instance", "start", name)
    first = hopper("add", "Draft it", "-t", "docs", "--instance", "old", "-q").out.strip()
    hopper("add", "Print it", "--depends-on", first, "-p", "high", "--instance", "old")
    closed = hopper("add", "Gone already", "--instance", "old", "-q").out.strip()
    hopper("task", "done", closed)
    exported = hopper("export", "--instance", "old").out
    hopper("import", "--instance", "new", stdin=exported)
    tasks = {t["title"]: t for t in json.loads(hopper("list", "--instance", "new", "--json").out)}
    assert set(tasks) == {"Draft it", "Print it"}
    assert tasks["Draft it"]["tags"] == ["docs"]
    assert tasks["Print it"]["depends_on"] == [tasks["Draft it"]["id"]]
    assert tasks["Print it"]["priority"] == "high"
    assert tasks["Draft it"]["id"] != first


def test_a_bad_line_is_named_and_nothing_is_added(hopper: Shell) -> None:
    lines = '{"title": "fine"}\n{"title": "wrong", "tags": 5}\n'
    refused = hopper("import", stdin=lines, check=1)
    assert "line 2: 'tags' cannot be int" in refused.err
    assert json.loads(hopper("list", "--json").out) == []

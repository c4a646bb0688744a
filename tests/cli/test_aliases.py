"""The words of both seed documents: several ways to say one thing."""

from __future__ import annotations

import pytest

from cli.conftest import Shell

SAME = [
    (("add", "T", "--tags", "security,mcp"), ("task", "add", "T", "-t", "security", "-t", "mcp")),
    (("add", "T", "-t", "security,", "-t", "mcp"), ("add", "T", "--tags", "security, mcp")),
]


def tags(shell: Shell, args: tuple[str, ...]) -> list[str]:
    """The tags of the task that a command adds."""
    found: list[str] = shell(*args, "--instance", "worker-1", "--json").json["tags"]
    return found


@pytest.mark.installed
def test_tags(guide: Shell) -> None:
    assert tags(guide, SAME[0][0]) == tags(guide, SAME[0][1]) == ["security", "mcp"]


PAIRS = [
    (("list",), ("ls",)),
    (("list",), ("task", "list")),
    (("list",), ("task", "ls")),
    (("search", "x"), ("task", "search", "x")),
    (("instance", "list"), ("instances", "list")),
    (("instance", "tree"), ("instances", "tree")),
    (("instance", "list", "--scope", "project"), ("instances", "list", "--scope", "PROJECT")),
    (("instance", "show", "webapp"), ("instances", "get", "WebApp")),
    (("instance", "show", "webapp"), ("instance", "show", "web")),
    (("delegation", "list"), ("delegations", "ls")),
    (("project", "list"), ("projects", "ls")),
    (("list", "--instance", "global"), ("list", "--instance", "global-id")),
    (("list", "--status", "done"), ("list", "--status", "Completed")),
    (("stats", "--instance", "webapp"), ("stats", "--instance", "webapp-id")),
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[" ".join(other) for _, other in PAIRS])
def test_two_ways_to_say_it(guide: Shell, one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert guide(*one) == guide(*other)

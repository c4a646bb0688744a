"""Text from tasks is data: stored exactly, printed harmlessly."""

from __future__ import annotations

import re

import pytest

from cli.conftest import AddTask, Shell

TITLES = [
    "[/x] [bold]not markup[/bold] [red]",
    "clear \x1b[2J\x1b]0;owned\x07 screen",
    "csi \x9b31m and \x85 next line",
    "two\nlines\tand\ttabs\r\n",
    "overridden \u202egnp.exe\u202c \u2066isolated\u2069",
    "invisible \U000e0041\U000e0042 tags \ufeff",
    "日本語のとても長い題名 한국어",
    "emoji 👩‍👩‍👧‍👦 🏳️‍🌈 é",
    "عربي עברית",
    "x" * 400,
    "'; DROP TABLE tasks; --",
    "%s %d {0} $HOME `id` \\n",
    "-looks-like-an-option",
]
UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_titles(guide: Shell, title: str) -> None:
    added = guide("add", "--instance", "worker-1", "--", title)
    everything = [
        added,
        guide("list", "--instance", "worker-1"),
        guide("task", "show", added.id),
        guide("task", "log", added.id),
        guide("list", "--instance", "worker-1", "--json"),
    ]
    for outcome in everything:
        assert not UNSAFE.search(outcome.out)
    assert len(added.lines) == 2
    assert guide("task", "show", added.id, "--json").json["title"] == title


@pytest.mark.installed
def test_everything_else_that_is_typed(guide: Shell, queued: AddTask) -> None:
    evil = "\x1b[31mevil\u202e"
    task = queued("Plain", "-d", evil, "-t", evil, "--executor", evil, "--phase", evil)
    guide("task", "note", task, evil)
    guide("task", "claim", task, "--executor", evil)
    guide("task", "block", task, "--reason", evil)
    guide("instance", "create", f"{evil} x", "--scope", "project")
    for args in (
        ("task", "show", task), ("task", "log", task), ("log", "--instance", "worker-1"),
        ("task", "why", task), ("status", "--instance", "worker-1"), ("instance", "tree"),
        ("instance", "list"), ("tasks", "--instance", "worker-1", "--hierarchy"),
        ("list", "--instance", "worker-1", "tag:evil"), ("task", "done", task),
    ):  # fmt: skip
        outcome = guide(*args, check=None)
        assert not UNSAFE.search(outcome.out + outcome.err), args
    refused = guide("task", "show", evil, check=1)
    assert not UNSAFE.search(refused.err)
    refused = guide("instance", "show", f"no{evil}", "--json", check=1)
    assert not UNSAFE.search(refused.err)


def test_bytes_that_are_no_text(guide: Shell) -> None:
    refused = guide("add", "bad \udcff byte", "--instance", "worker-1", check=1)
    assert "not valid Unicode" in refused.err
    refused = guide("add", "--batch", "--instance", "worker-1", stdin="bad \udcff byte", check=1)
    assert refused.err.startswith("hopper: ")
    assert guide("list", "--instance", "worker-1", "-q").out == ""


def test_a_long_description(guide: Shell, queued: AddTask) -> None:
    task = queued("Long", "-d", "line\n" * 5000)
    assert guide("task", "show", task).out.count("line\n") >= 5000

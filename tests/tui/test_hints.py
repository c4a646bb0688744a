"""What the engine says to type is said without it where the screen can do it."""

from __future__ import annotations

import pytest

from hopper_tui.tui.hints import at_the_screen


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Reopen it first: hopper task reopen", "Reopen it first"),
        ("Reopen it: hopper task reopen", "Reopen it"),
        ("Start a run, or name one with --to", "Start a run, or name one"),
        ("See: hopper list --all", "The queue shows which are there"),
        ("See which are: hopper instance list", "The tree shows which are there"),
        (
            "It has ended; see which hoppers have not: hopper instance list",
            "It has ended; the tree shows which are there",
        ),
        (
            "Let them finish: hopper list --instance web; --now releases them at once",
            "Let them finish",
        ),
        (
            "Take another task: hopper next --claim --instance w1. See what became of it:"
            " hopper task show web-1",
            "Take another task. See what became of it",
        ),
    ],
)
def test_what_the_screen_can_do_needs_no_typing(typed: str, said: str):
    assert at_the_screen(typed) == said


@pytest.mark.parametrize(
    "hint",
    [
        "",
        "Check that it is no directory",
        "Bring it back: hopper recover",
        "See: hopper filter list",
        "Make it writable, then: hopper init --agents",
        "Mount or restore it, or run any command at its new place: hopper status",
    ],
)
def test_what_only_a_shell_can_do_is_said_as_it_is(hint: str):
    assert at_the_screen(hint) == hint

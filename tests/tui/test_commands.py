"""The registry of commands, and what is made from it."""

from __future__ import annotations

from collections import Counter

import pytest

from hopper_tui.tui.asking import DIALOGS
from hopper_tui.tui.cockpit import Cockpit
from hopper_tui.tui.commands import COMMANDS, EVERYWHERE, Situation, bindings_of, hints_of
from hopper_tui.tui.snapshot import QueueSnapshot
from hopper_tui.tui.verbs import VERBS

NOTHING = Situation("queue", None, None, 0, QueueSnapshot(0, None), None, None)
TAKEN = {"ctrl+a", "ctrl+b", "ctrl+g", "ctrl+o", "ctrl+s", "ctrl+t"}
"""The prefix keys of tmux, screen and zellij."""


def test_ids_are_unique():
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize("pane", EVERYWHERE)
def test_a_key_means_one_thing_in_a_pane(pane: str):
    keys = Counter(key for c in COMMANDS if pane in c.panes for key in c.keys)
    assert [key for key, times in keys.items() if times > 1] == []


def test_no_key_belongs_to_a_multiplexer():
    assert not TAKEN & {key for command in COMMANDS for key in command.keys}


@pytest.mark.parametrize("pane", EVERYWHERE)
def test_every_command_of_a_pane_is_bound_under_its_id(pane: str):
    bound = {binding.id for binding in bindings_of(pane)}
    assert bound == {c.id for c in COMMANDS if pane in c.panes and c.keys}


def test_every_action_exists():
    for command in COMMANDS:
        name, _, argument = command.action.removeprefix("screen.").partition("(")
        if command.action.startswith("screen."):
            assert hasattr(Cockpit, f"action_{name}"), command.id
        argument = argument.strip("')")
        if name == "ask":
            assert argument in DIALOGS
        if name == "work":
            assert argument in VERBS


@pytest.mark.parametrize("pane", EVERYWHERE)
def test_the_last_hint_is_help(pane: str):
    assert hints_of(NOTHING._replace(pane=pane))[-1] == ("?", "help", True)


def test_hints_of_what_cannot_be_done_are_dimmed_only_where_no_task_is_selected():
    dimmed = {hint.title for hint in hints_of(NOTHING) if not hint.enabled}
    assert {"add", "claim", "done", "why"} <= dimmed
    assert not dimmed & {"views", "quit", "help"}
    assert all(hint.enabled for hint in hints_of(NOTHING._replace(marked=1)))


def test_where_nothing_is_selected_reasons_are_sentences():
    reasons = [reason for c in COMMANDS if (reason := c.enabled(NOTHING))]
    assert len(reasons) > 20
    assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons)

"""Laws of the values: ids, text, time, patches, state machines, configurations."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopper_tui.engine.configuring import overlay
from hopper_tui.model import fold, ids, text
from hopper_tui.model.clock import seconds, stamp
from hopper_tui.model.errors import Invalid, InvalidTransition
from hopper_tui.model.lifecycle import (
    CLOSED,
    DELEGATION_MOVES,
    INSTANCE_MOVES,
    INSTANCE_VERBS,
    OPEN,
    TASK_MOVES,
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    Priority,
    TaskStatus,
    check_delegation_move,
    check_task_move,
    instance_steps,
)

any_text = st.text(st.characters(), max_size=80)

# Ids


@given(st.binary(min_size=10, max_size=32))
def test_a_key_is_sixteen_letters_of_the_alphabet_and_begins_with_a_letter(raw: bytes) -> None:
    key = ids.key(raw)
    assert len(key) == ids.KEY_LENGTH
    assert set(key) <= set(ids.ALPHABET)
    assert key[0].isalpha()
    assert ids.key(raw) == key


@given(st.binary(min_size=10, max_size=10), st.integers(3, 16), st.data())
def test_a_key_is_read_however_it_is_typed(raw: bytes, length: int, data: st.DataObject) -> None:
    key = ids.key(raw)[:length]
    lookalikes = {"0": "0oO", "1": "1iIlL"}
    typed = "".join(
        data.draw(st.sampled_from(lookalikes.get(c, c + c.upper())), label=c) for c in key
    )
    prefix = data.draw(st.sampled_from(["", "web-", "WEB-", "my-app-", "  "]))
    assert ids.read_key(f"{prefix}{typed}  ") == key


@given(any_text)
def test_what_is_read_as_a_key_reads_as_itself(typed: str) -> None:
    key = ids.read_key(typed)
    assert key is None or ids.read_key(key) == key


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
def test_derived_keys_are_stable_and_differ_by_their_parts(parts: list[str]) -> None:
    key = ids.derived_key(*parts)
    assert key == ids.derived_key(*parts)
    assert key[0].isalpha()
    assert key != ids.derived_key(*parts, "0")


@given(any_text)
def test_a_slug_is_an_id_and_its_own_slug(name: str) -> None:
    try:
        slug = ids.slug(name)
    except Invalid:
        return
    assert ids.slug(slug) == slug.strip("-")
    assert slug
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


# Text


def _steers(character: str) -> bool:
    """Whether a terminal may act on a character instead of showing it."""
    bidirectional = unicodedata.bidirectional(character)
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or bidirectional in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or character in "\u061c\u200e\u200f\ufeff"
    )


@given(any_text)
def test_plain_text_never_steers_a_terminal(given_text: str) -> None:
    shown = text.plain(given_text)
    assert not any(_steers(c) for c in shown)
    assert text.plain(shown) == shown
    shown.encode()


@given(any_text)
def test_a_plain_block_keeps_line_breaks_and_tabs_only(given_text: str) -> None:
    shown = text.plain_block(given_text)
    assert not any(_steers(c) for c in shown if c not in "\n\t")
    assert text.plain_block(shown) == shown


@given(st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" ")))
def test_clean_text_is_shown_as_it_is(given_text: str) -> None:
    clean = "".join(c for c in given_text if not _steers(c))
    assert text.plain(clean) == clean
    assert text.plain_block(clean) == clean


# Time


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_stamps_sort_as_time_does(one: float, other: float) -> None:
    assert abs(seconds(stamp(one)) - one) <= 0.0011
    if one <= other:
        assert stamp(one) <= stamp(other)


# The fold

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
tag_sets = st.lists(st.sampled_from("abcdef"), unique=True).map(tuple)
states = st.fixed_dictionaries({"title": json_values, "result": json_values, "tags": tag_sets})
SETS = frozenset({"tags"})


def _as_sets(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "tags": frozenset(state["tags"])}


@given(states, states)
def test_a_patch_leads_there_and_its_inverse_back(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    patch = fold.changes(before, after, SETS)
    there = fold.apply(before, patch)
    assert _as_sets(there) == _as_sets(after)
    assert _as_sets(fold.apply(there, patch.inverse)) == _as_sets(before)
    assert patch.inverse.inverse == patch
    assert (_as_sets(before) == _as_sets(after)) == (not any(patch))


@given(states, tag_sets, tag_sets)
def test_changes_of_different_elements_do_not_get_in_each_others_way(
    before: dict[str, Any], one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    put = fold.changes(before, {"tags": (*before["tags"], *one)}, SETS)
    also = fold.changes(before, {"tags": (*before["tags"], *other)}, SETS)
    either = fold.apply(fold.apply(before, put), also)
    swapped = fold.apply(fold.apply(before, also), put)
    assert _as_sets(either) == _as_sets(swapped)


# State machines

MACHINES: list[tuple[dict[Any, tuple[Any, ...]], Any]] = [
    (TASK_MOVES, TaskStatus.PENDING),
    (INSTANCE_MOVES, InstanceStatus.CREATED),
    (DELEGATION_MOVES, DelegationStatus.PENDING),
]


@pytest.mark.parametrize(("moves", "first"), MACHINES)
def test_every_status_is_reached_and_none_moves_to_itself(
    moves: dict[Any, tuple[Any, ...]], first: Any
) -> None:
    assert set(moves) == set(type(first))
    reached, ahead = {first}, [first]
    while ahead:
        new = set(moves[ahead.pop()]) - reached
        reached |= new
        ahead += new
    assert reached == set(moves)
    assert all(status not in to for status, to in moves.items())


def test_closed_tasks_are_left_by_reopening_only() -> None:
    assert {to for status in CLOSED for to in TASK_MOVES[status]} == {
        TaskStatus.PENDING, TaskStatus.DELEGATED,
    }  # fmt: skip
    assert set(OPEN) | CLOSED == set(TaskStatus)


def test_what_is_terminated_stays_so() -> None:
    assert INSTANCE_MOVES[InstanceStatus.TERMINATED] == ()
    assert all(InstanceStatus.TERMINATED not in verbs for verbs in INSTANCE_VERBS.values())


@pytest.mark.parametrize("verb", INSTANCE_VERBS)
@pytest.mark.parametrize("status", InstanceStatus)
def test_a_lifecycle_verb_takes_legal_steps_or_is_refused(
    verb: str, status: InstanceStatus
) -> None:
    if status not in INSTANCE_VERBS[verb]:
        with pytest.raises(InvalidTransition):
            instance_steps("x", status, verb)
        return
    steps = instance_steps("x", status, verb)
    assert steps
    for at, to in zip((status, *steps), steps, strict=False):
        assert to in INSTANCE_MOVES[at]


@given(st.sampled_from(TaskStatus), st.sampled_from(TaskStatus))
def test_task_moves_are_what_the_table_says(at: TaskStatus, to: TaskStatus) -> None:
    if to in TASK_MOVES[at]:
        check_task_move("x", at, to)
    else:
        with pytest.raises(InvalidTransition):
            check_task_move("x", at, to)


@given(st.sampled_from(DelegationStatus), st.sampled_from(DelegationStatus))
def test_delegation_moves_are_what_the_table_says(
    at: DelegationStatus, to: DelegationStatus
) -> None:
    if to in DELEGATION_MOVES[at]:
        check_delegation_move("x", at, to)
    else:
        with pytest.raises(InvalidTransition):
            check_delegation_move("x", at, to)


WORDS = (HopperScope, InstanceStatus, TaskStatus, DelegationStatus, DelegationType, Priority)


@pytest.mark.parametrize("words", WORDS)
@given(any_text)
def test_a_word_is_read_in_any_case_or_refused(words: Any, typed: str) -> None:
    for member in words:
        assert words.read(f" {member.upper()} ") is member
    with suppress(Invalid):
        assert words.read(typed) in words


# Configurations

leaves = st.dictionaries(st.sampled_from("abc"), st.integers() | st.lists(st.integers()))
configs = st.builds(
    lambda flat, sections: {
        **flat,
        **{name.upper(): section for name, section in sections.items()},
    },
    leaves,
    st.dictionaries(st.sampled_from("xyz"), leaves),
)


@given(configs, configs, configs)
def test_configurations_overlay_like_sheets_of_glass(
    below: dict[str, Any], middle: dict[str, Any], above: dict[str, Any]
) -> None:
    assert overlay(below, {}) == overlay({}, below) == overlay(below, below) == below
    assert overlay(overlay(below, middle), above) == overlay(below, overlay(middle, above))
    both = overlay(below, above)
    assert overlay(both, above) == both
    for name, value in above.items():
        assert both[name] == (overlay(below.get(name, {}), value) if name.isupper() else value)
    assert set(both) == set(below) | set(above)

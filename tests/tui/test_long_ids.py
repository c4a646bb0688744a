"""The ids of a long queue behave as a list of them does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopper_tui.model.ids import KEY_LENGTH
from hopper_tui.tui.long_ids import LongIds

KEY = st.text("ab", min_size=KEY_LENGTH, max_size=KEY_LENGTH)
"""Of so few letters that a key is often found across two others."""


@given(st.lists(KEY, unique=True), KEY, st.slices(8))
def test_they_are_what_a_list_of_them_is(keys: list[str], other: str, part: slice):
    ids = LongIds(keys)
    assert list(ids) == keys
    assert len(ids) == len(keys)
    assert ids[part] == keys[part]
    assert [ids.index(key) for key in keys] == list(range(len(keys)))
    assert (other in ids) is (other in keys)
    assert ids == LongIds(keys)
    assert (ids == LongIds([*keys, other])) is False


def test_what_is_not_there_is_said_so():
    ids = LongIds(["a" * KEY_LENGTH, "b" * KEY_LENGTH])
    assert ids[-1] == "b" * KEY_LENGTH
    for other in ("a" * (KEY_LENGTH - 1) + "b", "a"):
        assert other not in ids
        with pytest.raises(ValueError, match=other):
            ids.index(other)
    with pytest.raises(IndexError):
        ids[2]

"""A task as the texts that a person edits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopper_tui.engine import draft_text, drafting
from hopper_tui.engine.drafting import Draft
from hopper_tui.model.errors import AmbiguousId, Invalid, InvalidTransition, NotFound

from .scene import Scene

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.builds(Draft, *[texts] * len(Draft._fields)))
def test_a_text_that_nobody_touched_says_that_nothing_changed(draft: Draft) -> None:
    text = draft_text.to_text(draft, "web-abcde")
    assert draft_text.changes(text, text) == {}


@given(texts)
def test_a_description_stands_as_it_is(description: str) -> None:
    text = draft_text.to_text(Draft("a", description=description), "web-abcde")
    assert draft_text.from_text(text)["description"] == description


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the first line is not ---"),
        ("title: a\n---\n", "the first line is not ---"),
        ("---\ntitle: a\n", "no line --- ends the fields"),
        ("---\ntitle: a\ncolour: red\n---\n", "line 3: 'colour: red' is no field"),
        ("---\nwhat now\n---\n", "line 2: 'what now' is no field"),
        ("---\ntitle: a\ntitle: b\n---\n", "line 3: title stands there twice"),
    ],
)
def test_a_text_that_makes_no_sense_is_refused_with_the_line(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        draft_text.from_text(text)


def test_a_field_that_is_left_out_stays_as_it_was() -> None:
    before = draft_text.to_text(Draft("a", "api"), "web-abcde")
    after = before.replace("tags: api\n", "").replace("due:", "Due: tomorrow")
    assert draft_text.changes(before, after) == {"due": "tomorrow"}


def test_tags_with_spaces_stand_in_quotes(scene: Scene) -> None:
    web, _ = scene.team("w1")
    key = web.add_task(title="one", tags=("api", "two words"))
    draft = drafting.read_draft(scene.world, web.get(key))
    assert draft.tags == 'api "two words"'
    drafting.save(scene.world, key, draft, draft._replace(tags='"two words", #new api'))
    assert set(web.get(key).tags) == {"two words", "new", "api"}


def test_dependencies_are_ids_or_words_of_one_title(scene: Scene) -> None:
    web, _ = scene.team("w1")
    first, second = web.add_task(title="Write docs"), web.add_task(title="Write code")
    short = scene.world.short_id(web.get(first))
    read = drafting.dependencies
    assert read(scene.world, "web", f"{short}, write code") == (first, second)
    assert read(scene.world, "web", f"{first} {second}") == (first, second)
    with pytest.raises(AmbiguousId, match="'write' could be"):
        read(scene.world, "web", "write")
    with pytest.raises(NotFound, match="no task here is called 'burn it'"):
        read(scene.world, "web", "burn it")
    assert [one.text for one in drafting.offered(scene.world, "web", f"{short}, code")] == [
        f"{short}, {scene.world.short_id(web.get(second))}"
    ]


def test_only_what_was_edited_can_be_in_conflict(scene: Scene) -> None:
    web, _ = scene.team("w1")
    key = web.add_task(title="one", priority="low")
    before = drafting.read_draft(scene.world, web.get(key))
    web.update(key, priority="high")
    drafting.save(scene.world, key, before, before._replace(title="two"))
    assert (web.get(key).title, web.get(key).priority) == ("two", "high")
    with pytest.raises(InvalidTransition, match=r"the priority of web-.* changed meanwhile"):
        drafting.save(scene.world, key, before, before._replace(priority="urgent"))

"""What a filter, or a list of words, may go on with while it is typed."""

from __future__ import annotations

import pytest

from hopper_tui.engine.completing import (
    FIXED,
    filter_completions,
    known,
    word_completions,
)
from hopper_tui.engine.filter import FIELDS, parse
from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.saved_filters import save
from hopper_tui.engine.world import World

WORDS = {
    "tag": ("api", "auth", "two words"),
    "owner": ("Ann", "bob"),
    "@": ("hot", "mine"),
}


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("sta", ["status:"]),
        ("login !ta", ["login !tag:"]),
        ("tag:", ["tag:api", "tag:auth", 'tag:"two words"']),
        ("tag:API", []),
        ("x !tag:a", ["x !tag:api", "x !tag:auth"]),
        ("tag:api,t", ['tag:api,"two words"']),
        ('tag:"two', ['tag:"two words"']),
        ("owner:an", ["owner:Ann"]),
        ("priority>=h", ["priority>=high"]),
        ("pri:u", ["pri:urgent"]),
        ("age:>3", ["age:>30d"]),
        ("age>", ["age>1h", "age>1d", "age>7d", "age>30d"]),
        ("rea", ["ready"]),
        ("is:re", ["is:ready"]),
        ("@", ["@hot", "@mine"]),
        ("x @m", ["x @mine"]),
        ("phase:", []),
        ("nofield:a", []),
        ('"sta', []),
    ],
)
def test_the_last_term_is_completed(text: str, offered: list[str]) -> None:
    assert [one.text for one in filter_completions(text, WORDS)] == offered


def test_at_the_beginning_of_a_term_the_fields_are_offered() -> None:
    offered = [one.word for one in filter_completions("login ", WORDS)]
    assert offered[:3] == ["status:", "priority:", "tag:"]


@pytest.mark.parametrize("field", FIXED)
@pytest.mark.parametrize("op", [":", "="])
def test_what_is_offered_can_be_read(field: str, op: str) -> None:
    for one in filter_completions(f"{field}{op}", {}):
        assert parse(one.text, 1.8e9)


def test_words_in_a_list_are_completed_once() -> None:
    tags = ("api", "auth", "docs")
    assert [one.text for one in word_completions("a", tags)] == ["api", "auth"]
    assert [one.text for one in word_completions("api -a", tags)] == ["api -auth"]
    assert word_completions("api ", tags) == ()


def test_the_words_known_are_those_of_the_tasks_the_most_used_first() -> None:
    world = World.memory(actor="ann")
    world.make_global()
    web: Hopper = world.create_instance("web", "project", None, {"auto_delegate": False})
    world.move_instance("web", "start")
    web.add_task(title="one", tags=("api",), project="web")
    web.add_task(title="two", tags=("api", "认证"), executor_preference="coder")
    web.claim(web.add_task(title="three", tags=("Docs",)))
    save(world, "hot", "ready")
    words = known(web)
    assert words["tag"] == ("api", "Docs", "认证")
    assert words["owner"] == ("ann",)
    assert set(words["executor"]) == {"coder", "human"}
    assert words["@"] == ("hot",)
    assert not [field for field in words if field not in (*FIELDS.values(), "@")]

"""Words: what routing takes for the same."""

from __future__ import annotations

import pytest

from hopper_tui.routing.words import mentions, shared, words


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Add a FastAPI endpoint", "fastapi"),
        ("Polish the front-end", "frontend"),
        ("Polish the frontend", "front-end"),
        ("Polish the front end", "front-end"),
        ("Write a blog post about it", "Blog Post"),
        ("Port it to C++", "c++"),
        ("Straße gesperrt", "STRASSE"),
        ("(urgent!) call back", "urgent"),
    ],
)
def test_whole_words_and_phrases_are_found_in_any_case(text: str, phrase: str) -> None:
    assert mentions(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Rapid prototyping", "api"),
        ("Give a PI a raise", "api"),
        ("Port it to C++", "c"),
        ("Post the blog", "blog post"),
        ("Attest the contest", "test"),
        ("anything", "!?"),
    ],
)
def test_parts_of_words_are_not(text: str, phrase: str) -> None:
    assert not mentions(text, phrase)


def test_labels_are_shared_whatever_case_and_hyphens() -> None:
    labels = ["Code_Generation", "API", "ui", "🎉"]
    assert shared(labels, ["code-generation", "api", "gui", "🎉"]) == [
        "Code_Generation",
        "API",
        "🎉",
    ]


def test_hyphenated_words_count_as_their_parts() -> None:
    assert words("Re-run multi-agent work, please") == (
        "re", "run", "multi", "agent", "work", "please",
    )  # fmt: skip

"""Shell completion: the scripts, and the words they get."""

from __future__ import annotations

import pytest

from cli.conftest import Shell


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(hopper: Shell, shell: str) -> None:
    script = hopper("completion", shell).out
    assert "_HOPPER_COMPLETE" in script
    assert "hopper" in script


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hopper ins", ["instance"]),
        ("hopper task del", ["delegate", "delegations"]),
        ("hopper add --pri", ["--priority"]),
        ("hopper add --js", ["--json"]),
        ("hopper list --instance w", ["webapp", "worker-1"]),
        ("hopper instance start wor", ["worker-1"]),
        ("hopper task delegate k7m2q --to web", ["webapp"]),
        ("hopper completion f", ["fish"]),
    ],
)
def test_words(guide: Shell, line: str, words: list[str]) -> None:
    outcome = guide(
        _HOPPER_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(line.count(" "))
    )
    assert [row.partition(",")[2] for row in outcome.lines] == words
    assert outcome.err == ""

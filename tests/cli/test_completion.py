"""Shell completion: the scripts, and the words they get."""

from __future__ import annotations

import pytest

from cli.conftest import Shell

pytestmark = pytest.mark.installed


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
        ("hopper add x --priority u", ["urgent"]),
        ("hopper list --status can", ["cancelled"]),
    ],
)
def test_words(guide: Shell, line: str, words: list[str]) -> None:
    outcome = guide(
        _HOPPER_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(line.count(" "))
    )
    assert [row.partition(",")[2] for row in outcome.lines] == words
    assert outcome.err == ""


def test_saved_filters(guide: Shell) -> None:
    guide("filter", "save", "hot", "priority>=high")
    guide("filter", "save", "mine", "owner:me")
    for line, words in (
        ("hopper list @", ["@hot", "@mine"]),
        ("hopper list ready @m", ["@mine"]),
        ("hopper filter remove h", ["hot"]),
    ):
        outcome = guide(
            _HOPPER_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(line.count(" "))
        )
        assert [row.partition(",")[2] for row in outcome.lines] == words


def test_tasks(guide: Shell) -> None:
    assert guide(_HOPPER_COMPLETE="zsh_complete", COMP_WORDS="hopper task done", COMP_CWORD="3")
    short = guide("add", "Fix\x1b login: now", "--instance", "webapp").id
    command = "hopper task done --instance webapp"
    outcome = guide(_HOPPER_COMPLETE="zsh_complete", COMP_WORDS=command, COMP_CWORD="5")
    assert outcome.out.splitlines()[1] == short
    assert "login: now" in outcome.out.splitlines()[2]
    assert "\x1b" not in outcome.out

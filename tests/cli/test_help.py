"""Help: every verb explains itself with examples, and the table of verbs is not stale."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from hopper_tui.cli.command import load
from hopper_tui.cli.main import main
from hopper_tui.cli.verbs import ALIASES, NOUNS, VERBS, Verb

EVERY_VERB = [((name,), verb) for name, verb in VERBS.items()] + [
    ((noun, name), verb) for noun, group in NOUNS.items() for name, verb in group.verbs.items()
]
IDS = [" ".join(path) for path, _ in EVERY_VERB]


@pytest.mark.parametrize(("path", "verb"), EVERY_VERB, ids=IDS)
def test_help_of_every_verb(
    path: tuple[str, ...], verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: hopper {' '.join(path)} ")
    assert verb.help in " ".join(text.split())
    assert "\n  Examples:\n    " in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize(("path", "verb"), EVERY_VERB, ids=IDS)
def test_table_says_what_the_docstring_says(path: tuple[str, ...], verb: Verb) -> None:
    command = load(verb)
    assert inspect.cleandoc(command.help or "").splitlines()[0] == verb.help
    assert all(getattr(param, "help", "") or param.param_type_name == "argument"
               for param in command.params)  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS)
def test_help_of_every_noun(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([noun, "--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {verb} " in text for verb in NOUNS[noun].verbs)
    assert set(NOUNS[noun].aliases.values()) <= set(NOUNS[noun].verbs)


def test_help_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in (*VERBS, *NOUNS))
    assert set(ALIASES.values()) <= {*VERBS, *NOUNS}


def test_help_imports_no_verb() -> None:
    code = (
        "import sys; from hopper_tui.cli.main import main; main(['--help']);"
        "print([m for m in sys.modules if m.startswith('hopper_tui')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(eval(out.stdout.splitlines()[-1]))
    assert (
        loaded & {f"hopper_tui.cli.{verb.target.split(':')[0]}" for _, verb in EVERY_VERB} == set()
    )
    assert not any(name.startswith(("hopper_tui.engine", "hopper_tui.store")) for name in loaded)

"""The documentation says what is so: references are fresh, snippets run, links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from hopper_tui.config.schema import Keys, RuleSection
from hopper_tui.engine.filter import FIELDS, FLAGS
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.settings import Settings
from hopper_tui.routing.projects import WEIGHTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
CONFIGURATION = (DOCS / "configuration.md").read_text("utf-8")
ROUTING = (DOCS / "routing.md").read_text("utf-8")
_ROW = re.compile(r"^\| `([a-z_.]+)` \| (?:`([^`]*)`)? ?\|", re.MULTILINE)


def _snippets(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def test_the_command_line_reference_is_fresh() -> None:
    written = runpy.run_path(str(DOCS / "make_cli_reference.py"))["reference"]()
    assert written == (DOCS / "cli.md").read_text("utf-8"), (
        "docs/cli.md is stale: run python docs/make_cli_reference.py"
    )


def test_the_reference_of_keys_is_fresh() -> None:
    written = runpy.run_path(str(DOCS / "make_keys_reference.py"))["reference"]()
    assert written == (DOCS / "keys.md").read_text("utf-8"), (
        "docs/keys.md is stale: run python docs/make_keys_reference.py"
    )


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section that a key holds; a list of rules is a value."""
    if get_origin(annotation) is list:
        return None
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel) and part is not Keys:
            return part
    return None


def _keys(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the schema by its path, with its default."""
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        if section is not None:
            yield from _keys(section, f"{above}{name}.")
        else:
            yield f"{above}{name}", None if field.is_required() else field.get_default()


def _stated(default: str) -> Any:
    try:
        return json.loads(default)
    except ValueError:
        return default or None


def test_every_key_of_the_configuration_is_described_with_its_default() -> None:
    described = {key: _stated(default) for key, default in _ROW.findall(CONFIGURATION)}
    assert described == dict(_keys(Keys))


def test_defaults_that_depend_on_the_scope() -> None:
    of = {scope: Settings.of(scope, {}) for scope in HopperScope}
    assert of[HopperScope.GLOBAL].capacity is None
    assert of[HopperScope.PROJECT].retention == "1_year"
    assert of[HopperScope.ORCHESTRATION].retention == "run_duration"


def test_every_condition_effect_and_factor_of_routing_is_described() -> None:
    described = set(re.findall(r"^\| `([a-z_]+)` \|", ROUTING, re.MULTILINE))
    assert described == {*RuleSection.model_fields, *WEIGHTS, "load"} - {"name", "weight"}


def test_every_field_and_flag_of_the_filter_is_described() -> None:
    described = (DOCS / "filters.md").read_text("utf-8")
    rows = "".join(re.findall(r"^\| `.*? \|", described.split("| field |")[1], re.MULTILINE))
    assert set(re.findall(r"`([a-z]+)`", rows)) == set(FIELDS)
    assert all(flag in described for flag in FLAGS)


@pytest.mark.parametrize(
    "page", [DOCS / "python.md", DOCS / "runs.md", ROOT / "README.md"], ids=lambda p: p.name
)
def test_python_snippets_run_in_order(page: Path, tmp_path: Path) -> None:
    snippets = _snippets(page, "python")
    assert snippets
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(snippets)],
        cwd=tmp_path,
        env=os.environ | {"HOPPER_HOME": str(tmp_path / "home"), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_commands_of_the_tour_exist() -> None:
    """Every `hopper ...` in a console block is a command line that can be parsed."""
    import click

    from hopper_tui.cli.main import ROOT as COMMAND

    top = click.Context(COMMAND, info_name="hopper")
    for page in PAGES:
        for block in _snippets(page, "console"):
            for line in re.findall(r"^\$ hopper ([a-z].*)$", block, re.MULTILINE):
                words = re.findall(r"[a-z][a-z-]*", line)
                group = COMMAND.get_command(top, words[0])
                assert group is not None, f"{page.name}: hopper {line}"
                if isinstance(group, click.Group):
                    assert group.get_command(top, words[1]), f"{page.name}: hopper {line}"

"""The files `hopper init` writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hopper_tui.config.load import load
from hopper_tui.config.templates import FORMAT_JSON, GITIGNORE, hopper_files
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".hopper.example"


@pytest.mark.parametrize(
    "name",
    ["Web Shop", "true", "a: b # c", "null", "2026-01-02", "{x", "日本 🎉", 'it\'s "it"', "a\nb"],
)
def test_they_load_whatever_the_name(tmp_path: Path, name: str) -> None:
    for file, text in hopper_files("web-shop", name, "hopper-global").items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    config = load(tmp_path / "hopper.yaml")
    assert config["name"] == name
    assert (config["instance_id"], config["parent"]) == ("web-shop", "hopper-global")


def test_they_change_no_default_but_say_the_parent_only_when_given(tmp_path: Path) -> None:
    path = tmp_path / "hopper.yaml"
    path.write_text(hopper_files("web", "web")["hopper.yaml"], encoding="utf-8")
    config = load(path)
    assert "parent" not in config
    scope = HopperScope.PROJECT
    assert Settings.of(scope, config) == Settings.of(scope, {})


def test_the_example_has_the_same_fixed_files() -> None:
    assert (EXAMPLE / "format.json").read_text() == FORMAT_JSON
    assert (EXAMPLE / ".gitignore").read_text() == GITIGNORE
    assert json.loads(FORMAT_JSON) == {"format": 1, "min_reader": 1}

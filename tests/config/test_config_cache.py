"""The cache: never stale, never fatal, and cheap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hopper_tui.config.cache import cached, project_config
from hopper_tui.model.errors import ConfigError

HEAVY = ("yaml", "pydantic", "hopper_tui.config.schema", "hopper_tui.config.load")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "Web Shop"
    (root / ".hopper").mkdir(parents=True)
    put(
        root,
        "scope: project\ninstance_id: hopper-{project_name}\n"
        "intelligence: {config_file: rules.yaml}\nchild_instances: {default_config: run.yaml}\n"
        "integrations: {github: {token: '${SHOP_TOKEN}'}}\n",
    )
    put(root, "rules: [{name: a, tags: x, executor: ci}]\n", "rules.yaml")
    put(root, "scope: orchestration\nname: one\n", "run.yaml")
    return root


def put(root: Path, text: str, name: str = "hopper.yaml") -> None:
    """Write a file as if it had been there for an hour: nothing younger is cached."""
    path = root / ".hopper" / name
    path.write_text(text)
    old = path.stat().st_mtime_ns - 3_600_000_000_000
    os.utime(path, ns=(old, old))


def cache_of(root: Path) -> Path:
    return root / ".hopper" / "tmp" / "config.json"


def test_no_file_is_no_configuration(tmp_path: Path) -> None:
    assert project_config(tmp_path) == {}
    (tmp_path / ".hopper").write_text("a file")
    assert project_config(tmp_path) == {}
    assert not cache_of(tmp_path).exists()


def test_the_project_is_named_by_its_directory(root: Path) -> None:
    assert project_config(root)["instance_id"] == "hopper-web-shop"


def test_a_directory_whose_name_gives_no_slug_still_loads(tmp_path: Path) -> None:
    root = tmp_path / "项目"
    (root / ".hopper").mkdir(parents=True)
    put(root, "scope: project\ninstance_id: hopper-{project_name}\n")
    assert project_config(root)["instance_id"] == "hopper-project"


def test_a_hit_gives_the_same_without_yaml_or_pydantic(root: Path) -> None:
    first = project_config(root)
    script = (
        "import sys, json, pathlib; from hopper_tui.config.cache import project_config;"
        "print(json.dumps(project_config(pathlib.Path(sys.argv[1]))));"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=True
    )
    config, heavy = run.stdout.splitlines()
    assert json.loads(config) == first
    assert heavy == "[]"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("hopper.yaml", "scope: project\nname: changed\n", "changed"),
        ("rules.yaml", "rules: [{name: changed, tags: x, executor: ci}]\n", "changed"),
        ("run.yaml", "scope: orchestration\nname: changed\n", "changed"),
    ],
)
def test_a_change_in_any_file_is_seen(root: Path, name: str, text: str, found: str) -> None:
    before = project_config(root)
    assert cache_of(root).exists()
    assert found not in json.dumps(before)
    put(root, text, name)
    assert found in json.dumps(project_config(root))


def test_a_change_right_after_the_last_is_seen(root: Path) -> None:
    path = root / ".hopper" / "hopper.yaml"
    for threshold in range(1, 10):
        path.write_text(f"scope: project\norchestration_threshold: {threshold}\n")
        assert project_config(root)["orchestration_threshold"] == threshold


def test_a_file_that_went_away_is_missed(root: Path) -> None:
    project_config(root)
    (root / ".hopper" / "rules.yaml").unlink()
    with pytest.raises(ConfigError, match=r"hopper.yaml:3: .* there is no file rules.yaml"):
        project_config(root)


def test_other_variables_are_another_configuration(root: Path) -> None:
    path = root / ".hopper" / "hopper.yaml"
    for name in ("one", "two", "one"):
        config = cached(path, cache_of(root), {"project_name": name})
        assert config["instance_id"] == f"hopper-{name}"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', '{"format": 0}'])
def test_a_damaged_cache_is_made_anew(root: Path, content: str) -> None:
    first = project_config(root)
    cache_of(root).write_text(content)
    assert project_config(root) == first
    assert json.loads(cache_of(root).read_text())["config"] == first


def test_a_cache_that_cannot_be_written_only_costs_time(root: Path) -> None:
    (root / ".hopper" / "tmp").write_text("in the way")
    assert project_config(root) == project_config(root)


def test_a_moved_project_is_read_where_it_is(root: Path, tmp_path: Path) -> None:
    project_config(root)
    moved = root.rename(tmp_path / "other")
    assert project_config(moved)["instance_id"] == "hopper-other"


def test_secrets_are_not_in_the_cache_and_unset_ones_are_named(root: Path) -> None:
    for _ in range(2):
        config = project_config(root, {"SHOP_TOKEN": "s3cret"})
        assert config["integrations"]["github"]["token"] == "${SHOP_TOKEN}"
        with pytest.raises(ConfigError, match=r"hopper.yaml:5: .* SHOP_TOKEN is not set"):
            project_config(root, {})
    assert "s3cret" not in cache_of(root).read_text()
    assert [file.name for file in cache_of(root).parent.iterdir()] == ["config.json"]

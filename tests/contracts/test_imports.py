"""Dependencies point down, the engine knows no door, and a one-shot command loads little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOORS = {"click", "textual", "rich", "hopper_tui.cli", "hopper_tui.tui", "fastapi", "mcp"}
HEAVY = {
    "pydantic", "yaml", "rich", "textual", "sqlite_utils", "importlib.metadata", "asyncio",
    "hopper_tui.tui", "hopper_tui.config.schema",
}  # fmt: skip
MODULES = 193
"""How many modules `hopper add` in a project loads, and a few to spare; raise it knowingly."""
LATER = {
    "hopper_tui.engine.flow", "hopper_tui.engine.hopper", "hopper_tui.routing",
    "hopper_tui.tui.dialogs", "hopper_tui.tui.asking", "hopper_tui.tui.filter_line",
    "hopper_tui.tui.jumping", "hopper_tui.tui.palette", "hopper_tui.tui.view_snapshot",
    "asyncinotify", "watchfiles",
}  # fmt: skip
"""What the terminal UI needs once its first screen stands."""


def test_dependencies_point_down() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout


def _loaded(code: str, *args: str, cwd: Path, home: Path) -> list[str]:
    """The modules that are loaded once a program is through."""
    program = f"{code}\nimport sys, json\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    env = os.environ | {"HOPPER_HOME": str(home), "HOPPER_ACTOR": "ann"}
    env.pop("PYTHONWARNINGS", None)
    done = subprocess.run(
        [sys.executable, "-c", program, *args],
        cwd=cwd, env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stderr.splitlines()[-1])
    return found


def _families(modules: Sequence[str], families: set[str]) -> set[str]:
    return {f for f in families for m in modules if m == f or m.startswith(f"{f}.")}


@pytest.mark.parametrize("package", ["engine", "routing", "memory", "config", "store", "model"])
def test_no_door_is_loaded_by_what_is_below_it(tmp_path: Path, package: str) -> None:
    code = (
        f"import importlib, pkgutil, hopper_tui.{package} as package\n"
        "for found in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "    if not found.name.endswith('.schema') or 'config' in found.name:\n"
        "        importlib.import_module(found.name)\n"
    )
    loaded = _loaded(code, cwd=tmp_path, home=tmp_path / "home")
    assert f"hopper_tui.{package}" in loaded
    assert _families(loaded, DOORS) == set()


ADD = """
import sys
sys.argv = ["hopper", *sys.argv[1:]]
try:
    from hopper_tui.cli.main import run
    run()
except SystemExit as leaving:
    assert not leaving.code, leaving.code
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose configuration has been read once before."""
    root = tmp_path / "shop"
    root.mkdir()
    _loaded(ADD, "init", cwd=root, home=tmp_path / "home")
    _loaded(ADD, "add", "Fix typo", cwd=root, home=tmp_path / "home")
    return root


@pytest.mark.parametrize(
    "command",
    [("add", "Fix typo in README"), ("list",), ("next", "--claim")],
    ids=" ".join,
)
def test_a_one_shot_command_loads_nothing_heavy(project: Path, command: tuple[str, ...]) -> None:
    loaded = _loaded(ADD, *command, cwd=project, home=project.parent / "home")
    assert _families(loaded, HEAVY) == set()


def test_adding_loads_no_more_modules_than_it_did(project: Path) -> None:
    loaded = _loaded(ADD, "add", "Fix typo", cwd=project, home=project.parent / "home")
    assert len(loaded) <= MODULES, f"{len(loaded)} modules; which one is new?"


def test_the_python_api_loads_names_when_they_are_used(tmp_path: Path) -> None:
    loaded = _loaded("import hopper_tui, hopper", cwd=tmp_path, home=tmp_path)
    assert not [m for m in loaded if m.startswith("hopper_tui.")]
    code = "from hopper import Hopper, HopperScope, Task"
    loaded = _loaded(code, cwd=tmp_path, home=tmp_path)
    assert _families(loaded, HEAVY | DOORS) == set()


def test_the_first_screen_loads_only_what_it_shows(tmp_path: Path) -> None:
    code = "import hopper_tui.engine.world, hopper_tui.tui.app"
    loaded = _loaded(code, cwd=tmp_path, home=tmp_path / "home")
    assert "hopper_tui.tui.cockpit" in loaded
    assert _families(loaded, LATER) == set()

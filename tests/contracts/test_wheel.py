"""What is shipped: the wheel that pip would build, looked into without installing it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
STYLES = sorted(p.name for p in (ROOT / "styles").glob("*.tcss"))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this tree."""
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_holds_the_package_and_both_names(shipped: zipfile.ZipFile) -> None:
    names = set(shipped.namelist())
    sources = {str(p.relative_to(ROOT)) for p in (ROOT / "hopper_tui").rglob("*.py")}
    assert sources <= names
    assert "hopper.py" in names


def test_the_wheel_holds_the_styles_where_they_are_looked_for(shipped: zipfile.ZipFile) -> None:
    assert STYLES
    for name in STYLES:
        packed = shipped.read(f"hopper_tui/styles/{name}")
        assert packed == (ROOT / "styles" / name).read_bytes()


def test_the_wheel_holds_the_templates(shipped: zipfile.ZipFile) -> None:
    templates = sorted((ROOT / "hopper_tui" / "templates").glob("*.yaml"))
    assert templates
    for path in templates:
        assert shipped.read(f"hopper_tui/templates/{path.name}") == path.read_bytes()


def test_the_wheel_holds_nothing_else(shipped: zipfile.ZipFile) -> None:
    names = shipped.namelist()
    assert len(names) == len(set(names))
    tops = {name.split("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"hopper_tui", "hopper.py"}
    assert not [n for n in names if "__pycache__" in n or n.endswith(".db")]


def test_the_wheel_installs_the_command(shipped: zipfile.ZipFile) -> None:
    (entry,) = (n for n in shipped.namelist() if n.endswith("entry_points.txt"))
    assert "hopper = hopper_tui.cli" in shipped.read(entry).decode()
    (metadata,) = (n for n in shipped.namelist() if n.endswith("METADATA"))
    assert "License-Expression: MIT" in shipped.read(metadata).decode()

"""Where style sheets and templates are; the former are beside the package in a checkout."""

from pathlib import Path

_HERE = Path(__file__).parent
STYLES = next(path for path in (_HERE / "styles", _HERE.parent / "styles") if path.is_dir())

TEMPLATES = _HERE / "templates"
"""What Hopper brings for breaking tasks down."""

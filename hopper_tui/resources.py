"""Where the style sheets are: inside the wheel, or beside the package in a checkout."""

from pathlib import Path

_HERE = Path(__file__).parent
STYLES = next(path for path in (_HERE / "styles", _HERE.parent / "styles") if path.is_dir())

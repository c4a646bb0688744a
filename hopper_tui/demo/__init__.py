"""The demo: a throw-away world to look around in, and the full workflow as a play.

Sits beside the doors, above the engine; only `hopper demo`, tests and documentation load it.
"""

from hopper_tui.demo.sample import build
from hopper_tui.demo.workflow import play

__all__ = ["build", "play"]

"""Write docs/keys.md: the keys of the terminal UI, from the table of its commands.

Run it after a change of that table: `python docs/make_keys_reference.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hopper_tui.tui.commands import COMMANDS, EVERYWHERE, PANES, UNCHANGED, Command, keys_of
from hopper_tui.tui.views import VIEW_NAMES

REFERENCE = Path(__file__).with_name("keys.md")
_INTRODUCTION = """\
# Keys

Written by `docs/make_keys_reference.py` from the table of commands, which the status line, the
palette (`:`) and the help (`?`) come from as well. A command that makes no sense where you are says
why. In forms and lists the line at the bottom names the keys.
"""
_KEYMAP = """\
## Other keys

`keymap.yaml` in Hopper's home (`~/.hopper`, or `$HOPPER_HOME`) gives commands other keys, by the
ids above:

```yaml
task.done: "f2"
task.cancel: ["x", "delete"]
app.redo: []                  # no key; it stays in the palette
```

`hopper tui --keymap` prints a file with all of them. Keys are characters (`"D"`, `"?"`), names
(`space`, `enter`, `f5`, `pagedown`) and combinations (`ctrl+d`). Where two commands of one pane ask
for the same key, the first in the file that asks for it has it, and a command of this table only
if no line asks for its key. When the UI opens, it says what it could not follow: an unknown id, a
key that is none, a key that a command lost. A file that is not YAML changes nothing.
"""


def reference() -> str:
    """The text of docs/keys.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    for group in dict.fromkeys(command.group for command in COMMANDS):
        yield f"## {group}\n"
        yield "| key | does | where | id |"
        yield "|---|---|---|---|"
        for command in COMMANDS:
            if command.group == group:
                yield f"| {_keys(command)} | {command.title} | {_where(command)} | `{command.id}` |"
        yield ""
    yield _KEYMAP


def _keys(command: Command) -> str:
    return " ".join(f"`{key}`" for key in keys_of(command, UNCHANGED).split())


def _where(command: Command) -> str:
    if command.panes == EVERYWHERE:
        return "everywhere"
    if command.panes == VIEW_NAMES:
        return "all views"
    return "all panes" if command.panes == PANES else ", ".join(command.panes)


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")

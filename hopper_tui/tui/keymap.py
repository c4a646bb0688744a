"""Keymap: the keys that a person gave to commands, as `keymap.yaml` in the home says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from json import dumps
from pathlib import Path
from typing import NamedTuple

from textual import keys as textual_keys

from hopper_tui.model.errors import ConfigError
from hopper_tui.tui.commands import (
    BY_ID,
    COMMANDS,
    KEY_NAMES,
    UNCHANGED,
    Command,
    Keys,
    PaneName,
    key_name,
)

FILE = "keymap.yaml"
NEVER = "unbound"
"""A key that no terminal sends: Textual's keymap can replace keys, but not take them away."""
_BY_SHOWN_NAME = {shown: name for name, shown in KEY_NAMES.items()}
_NAMED = frozenset(key.value for key in textual_keys.Keys)
_MODIFIERS = ("ctrl+", "alt+", "shift+", "super+")
_SENT_AS = {"ctrl+j": "enter", "ctrl+m": "enter", "ctrl+i": "tab", "ctrl+[": "escape"}
"""Keys that are one byte with another; terminals tell them apart only if both sides agree."""
_HEAD = """\
# The keys of the terminal UI by command id, as they are without this file.
# Take away the # before a line to change it. Several keys are a list, [] is no key at all.
"""


class Keymap(NamedTuple):
    """The keys of commands that have others than the table says, and what is wrong in the file."""

    keys: Keys = UNCHANGED
    problems: tuple[str, ...] = ()

    def for_textual(self) -> dict[str, str]:
        """The keymap as Textual takes it: keys by the ids of bindings."""
        return {
            command_id: ",".join(map(_textual_name, keys)) or NEVER
            for command_id, keys in self.keys.items()
        }


def read(home: Path | None) -> Keymap:
    """The keymap in a home; the default one where there is no file, or one that cannot be read."""
    if home is None or not (home / FILE).exists():
        return Keymap()
    from hopper_tui.config import document

    try:
        found = document.read(home / FILE)
        values = found.values or {}
        if not isinstance(values, Mapping):
            raise ConfigError(f"{found.at(())}: not a list of command ids with their keys")
    except ConfigError as error:
        return Keymap(problems=(f"{error.message}. The keys are as without it.",))
    problems: list[str] = []
    wanted: dict[str, tuple[str, ...]] = {}
    for command_id, value in values.items():
        try:
            wanted[_command(str(command_id)).id] = _keys(value)
        except ValueError as fault:
            end = "" if str(fault).endswith("?") else "."
            problems.append(f"{FILE}:{found.line((command_id,))}: {fault}{end}")
    keys, clashes = _without_clashes(wanted)
    return Keymap(keys, (*problems, *clashes))


def template() -> str:
    """A keymap.yaml that says what holds without it."""
    return "\n".join(_template())


def _template() -> Iterator[str]:
    yield _HEAD
    lines = [(command, f"#{command.id}: {_value(command.keys)}") for command in COMMANDS]
    width = max(len(line) for _, line in lines)
    for group in dict.fromkeys(command.group for command in COMMANDS):
        yield f"# {group}"
        for command, line in lines:
            if command.group == group:
                yield f"{line:<{width}}  # {command.title}"
        yield ""


def _value(keys: tuple[str, ...]) -> str:
    return dumps(keys[0] if len(keys) == 1 else keys)


def _command(command_id: str) -> Command:
    if (command := BY_ID.get(command_id)) is not None:
        return command
    close = get_close_matches(command_id, BY_ID, n=1)
    raise ValueError(
        f"there is no command {command_id!r}" + (f"; did you mean {close[0]}?" if close else "")
    )


def _keys(value: object) -> tuple[str, ...]:
    """The keys that a value of the file names."""
    values = value if isinstance(value, list) else [value]
    return tuple(_key(one) for one in values)


def _key(value: object) -> str:
    if value is None:
        raise ValueError("no key is given; [] says that it has none")
    name = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    name = _BY_SHOWN_NAME.get(name, name.replace("^", "ctrl+") if len(name) > 1 else name)
    plain = name
    for modifier in _MODIFIERS:
        plain = plain.removeprefix(modifier)
    if name == " " or not (len(plain) == 1 or plain in _NAMED):
        raise ValueError(f'{value!r} is no key; write "d", "ctrl+d", "f5" or "space"')
    if name in _SENT_AS:
        raise ValueError(f"{value!r} is {_SENT_AS[name]} on most terminals; take another key")
    return name


def _textual_name(key: str) -> str:
    """A character by the name it has in Textual, for a comma separates keys there."""
    return "comma" if key == "," else key


def _without_clashes(wanted: Mapping[str, tuple[str, ...]]) -> tuple[Keys, list[str]]:
    """The keys of the commands that do not have those of the table: a key goes to who asks for
    it first, and to the table's command only if nobody asks."""
    taken: dict[tuple[PaneName, str], Command] = {}
    changed: dict[str, tuple[str, ...]] = {}
    clashes: list[str] = []
    for command in (*map(BY_ID.__getitem__, wanted), *(c for c in COMMANDS if c.id not in wanted)):
        kept = []
        for key in wanted.get(command.id, command.keys):
            owner = next(_owners(taken, command.panes, key), None)
            if owner is None:
                kept.append(key)
                taken.update(((pane, key), command) for pane in command.panes)
            elif owner is not command:
                clashes.append(f"{key_name(key)} is {owner.id}, so {command.id} is without it.")
        if tuple(kept) != command.keys:
            changed[command.id] = tuple(kept)
    return changed, clashes


def _owners(
    taken: Mapping[tuple[PaneName, str], Command], panes: Iterable[PaneName], key: str
) -> Iterator[Command]:
    for pane in panes:
        if (pane, key) in taken:
            yield taken[pane, key]

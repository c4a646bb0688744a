"""Document: a YAML file as plain values, with the line of every key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from hopper_tui.model.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from hopper_tui.config.expand import Loc

MOST_BYTES = 1 << 20
"""Of a larger file no more is read."""
Stamp = tuple[int, int, int]
"""Time of change in nanoseconds, size and inode: what tells whether a file changed."""


class _Loader(yaml.SafeLoader):
    """YAML in which a date is text, as every value of a configuration that looks like one."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML reads it from the class
        first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `lines` holds where each key and list element stands, counted from 1."""

    path: Path
    stamp: Stamp
    values: Any
    lines: dict[Loc, int]

    def line(self, loc: Loc) -> int:
        """The line of a key, or of the nearest one around it that stands in the file."""
        while loc:
            for known in (loc, (*loc[:-1], str(loc[-1]))):
                if known in self.lines:
                    return self.lines[known]
            loc = loc[:-1]
        return 1

    def at(self, loc: Loc) -> str:
        """`path:line` of a key."""
        return f"{self.path}:{self.line(loc)}"


def read(path: Path) -> Document:
    """The YAML file at `path`; raises ConfigError with the line of what is wrong."""
    try:
        with path.open("rb") as file:
            # Before reading: a change in between then makes the stamp stale, not the values.
            about = os.fstat(file.fileno())
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ConfigError(f"{path} has more than {MOST_BYTES >> 20} MiB", "Make it smaller")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text", "Save it as UTF-8") from None
    except OSError as wrong:
        raise ConfigError(f"cannot read {path}: {wrong.strerror}") from wrong
    return parse(text, path, (about.st_mtime_ns, about.st_size, about.st_ino))


def parse(text: str, path: Path, stamp: Stamp = (0, 0, 0)) -> Document:
    """The YAML, or JSON, in a text that `path` stands for; raises ConfigError with the line of
    what is wrong."""
    loader = None
    try:
        given = _json(text)
        # Outside its texts JSON may have tabs and YAML may not; inside them neither has any.
        loader = _Loader(text if given is None else text.replace("\t", " "))
        node = loader.get_single_node()
        lines: dict[Loc, int] = {}
        if node is not None:
            _note_lines(path, node, (), lines, set())
        values = loader.construct_document(node) if node is not None and given is None else given
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{place}: not valid YAML: {wrong.problem or wrong.context}") from None
    except yaml.reader.ReaderError as wrong:
        line = text.count("\n", 0, wrong.position) + 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {wrong.reason}") from None
    except (ValueError, RecursionError) as wrong:
        raise ConfigError(f"{path}: not valid YAML: {wrong}") from None
    finally:
        if loader:
            loader.dispose()
    return Document(path, stamp, values, lines)


def _json(text: str) -> Any:
    """What a text says as JSON; None if it is none. Its escapes of one character as two are not
    YAML's."""
    if not text.lstrip().startswith("{"):
        return None
    from json import loads

    try:
        return loads(text)
    except ValueError:
        return None


def _note_lines(
    path: Path, node: yaml.Node, loc: Loc, lines: dict[Loc, int], seen: set[int]
) -> None:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*loc, str(key.value))
            line = key.start_mark.line + 1
            if inner in lines and key.tag != "tag:yaml.org,2002:merge":
                first = lines[inner]
                raise ConfigError(
                    f"{path}:{line}: the key {key.value!r} is given twice",
                    f"It was given first in line {first}; keep one",
                )
            lines[inner] = line
            _note_lines(path, value, inner, lines, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*loc, index)] = value.start_mark.line + 1
            _note_lines(path, value, (*loc, index), lines, seen)

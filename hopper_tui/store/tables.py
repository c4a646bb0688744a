"""How values are laid out in tables: one table a value class, one column a field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from hopper_tui.model.delegation import Delegation
from hopper_tui.model.event import Patch
from hopper_tui.model.instance import Instance
from hopper_tui.model.lifecycle import (
    PRIORITIES,
    DelegationStatus,
    DelegationType,
    HopperScope,
    InstanceStatus,
    Priority,
    TaskStatus,
)
from hopper_tui.model.task import Task

V = TypeVar("V", bound=Task | Instance | Delegation)
Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""How a field is written into a column, and read back."""

dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _read_list(text: str) -> tuple[Any, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _read_map(text: str) -> dict[str, Any]:
    return {} if text == "{}" else json.loads(text)


def _write_list(value: Iterable[Any]) -> str:
    return dumps(list(value)) if value else "[]"


def _write_map(value: Mapping[str, Any] | None) -> str:
    return dumps(value) if value else "{}"


def _write_json(value: Any) -> str | None:
    return None if value is None else dumps(value)


def _read_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


LIST: Codec = (_write_list, _read_list)
MAP: Codec = (_write_map, _read_map)
JSON: Codec = (_write_json, _read_json)
BOOL: Codec = (int, bool)


def _words(enum: type[StrEnum]) -> Codec:
    """A field that holds one of the words of an enum."""
    return str, {word.value: word for word in enum}.__getitem__


RANK: Codec = (lambda p: Priority(p).rank, PRIORITIES.__getitem__)


Update = tuple[str, list[tuple[int, Callable[[Any], Any]]]]
"""A statement, and how the values at some places are written."""


class Table(Generic[V]):
    """The layout of one value class, and the way between value, row and recorded patch."""

    def __init__(
        self,
        entity: str,
        name: str,
        cls: type[V],
        codecs: Mapping[str, Codec],
        sets: Iterable[str] = (),
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self.entity = entity
        self.name = name
        self.cls = cls
        self.sets = frozenset(sets)
        self._codecs = codecs
        self.fields = cls._fields
        self.defaults: Mapping[str, Any] = cls._field_defaults
        renamed = columns or {}
        self.column = {f: renamed.get(f, f) for f in self.fields}
        self.select = ", ".join(self.column[f] for f in self.fields)
        self.key_column = self.column["id"]
        self.insert = (
            f"INSERT INTO {name} ({self.select}) VALUES ({', '.join('?' * len(self.fields))})"
        )
        self._places = {f: i for i, f in enumerate(self.fields)}
        self._updates: dict[tuple[str, ...], Update] = {}
        self._encoders = tuple((i, codecs[f][0]) for i, f in enumerate(self.fields) if f in codecs)
        self._decoders = tuple((i, codecs[f][1]) for i, f in enumerate(self.fields) if f in codecs)

    def value(self, row: Sequence[Any]) -> V:
        """The value in a row of the columns `select`."""
        cells = list(row)
        for index, decode in self._decoders:
            cells[index] = decode(cells[index])
        return cast(V, self.cls._make(cells))

    def changed(self, value: V, changed: Mapping[str, Any]) -> V:
        """The value with other fields: `_replace` looks at each one, and takes thrice as long."""
        cells = list(value)
        for field, new in changed.items():
            cells[self._places[field]] = new
        return cast(V, self.cls._make(cells))

    def update(self, changed: Mapping[str, Any], key: str) -> tuple[str, list[Any]]:
        """The statement that sets some fields of the entity with that id, and its values; what is
        no field of the class goes into the column of that name."""
        known = self._updates.get(fields := tuple(changed))
        if known is None:
            assignments = ", ".join(f"{self.column.get(f, f)} = ?" for f in fields)
            sql = f"UPDATE {self.name} SET {assignments} WHERE {self.key_column} = ?"
            encoders = [(i, self._codecs[f][0]) for i, f in enumerate(fields) if f in self._codecs]
            known = self._updates[fields] = (sql, encoders)
        sql, encoders = known
        cells = [*changed.values(), key]
        for index, encode in encoders:
            cells[index] = encode(cells[index])
        return sql, cells

    def row(self, value: V) -> list[Any]:
        """The row of a value, in the order of `insert`."""
        cells = list(value)
        for index, encode in self._encoders:
            cells[index] = encode(cells[index])
        return cells

    def thaw(self, state: Mapping[str, Any]) -> V:
        """The value of a state folded from recorded patches, which are plain JSON.

        Fields of a newer version are left out.
        """
        known = {f: v for f, v in state.items() if f in self.column}
        for field, value in known.items():
            if value is None:
                continue
            if self._codecs.get(field) is LIST:
                known[field] = tuple(value)
            elif field in WORDS.get(self.entity, {}):
                known[field] = WORDS[self.entity][field](value)
        return self.cls(**known)


WORDS: dict[str, dict[str, Callable[[str], Any]]] = {
    "task": {"status": TaskStatus, "priority": Priority},
    "instance": {"status": InstanceStatus, "scope": HopperScope},
    "delegation": {"status": DelegationStatus, "type": DelegationType},
}

TASKS: Table[Task] = Table(
    "task",
    "tasks",
    Task,
    {
        "tags": LIST,
        "required_capabilities": LIST,
        "depends_on": LIST,
        "priority": RANK,
        "status": _words(TaskStatus),
        "needs_orchestration": BOOL,
        "waiting": BOOL,
        "external": JSON,
        "metadata": MAP,
        "result": JSON,
        "feedback": JSON,
    },
    sets=("tags", "required_capabilities", "depends_on"),
    columns={"instance": "instance_id", "parent_task": "parent_task_id"},
)
INSTANCES: Table[Instance] = Table(
    "instance",
    "hopper_instances",
    Instance,
    {"scope": (str, HopperScope), "status": (str, InstanceStatus), "config": MAP},
    columns={"id": "instance_id"},
)
DELEGATIONS: Table[Delegation] = Table(
    "delegation",
    "task_delegations",
    Delegation,
    {
        "type": (str, DelegationType),
        "status": (str, DelegationStatus),
        "child_tasks": LIST,
        "subtasks": LIST,
        "result": JSON,
        "decision": JSON,
    },
)
TABLES: dict[str, Table[Any]] = {t.entity: t for t in (TASKS, INSTANCES, DELEGATIONS)}
DERIVED = frozenset({"open_deps", "updated_at", "told", "lease_expires_at"})
"""Fields that the store computes or that are local to it: never part of a patch."""


_PARTS = ("s", "b", "on", "off")
"""How the parts of a patch are called as recorded."""


def write_patch(patch: Patch) -> str:
    """A patch as recorded."""
    return dumps({name: part for name, part in zip(_PARTS, patch, strict=True) if part})


def read_patch(text: str) -> Patch:
    """The patch that `write_patch` gave."""
    parts = json.loads(text)
    on, off = (
        {field: tuple(elements) for field, elements in parts.get(name, {}).items()}
        for name in ("on", "off")
    )
    return Patch(parts.get("s", {}), parts.get("b", {}), on, off)

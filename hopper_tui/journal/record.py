"""Record: an event as it stands in the journal, one line of JSON.

The id is a hash of the line without the id itself: the same event has it wherever it is found,
and a line that was changed no longer fits its own.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, NoReturn

from hopper_tui.journal import hlc
from hopper_tui.journal.digest import blake2b
from hopper_tui.model.clock import is_time
from hopper_tui.model.errors import Invalid
from hopper_tui.model.event import Patch

FORMAT = 1
LINE_LIMIT = 64 * 1024
"""Bytes of one event; a longer line is not read."""
DEPTH_LIMIT = 32
"""Levels of lists and objects in one event."""
_ID_BYTES = 16
_SALT = b'{"_":"'
"""How a packed line begins: see `salted`."""
_LONG = 512
"""Characters from which on a line may hold a text that stands in another one, too."""
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,199}", re.ASCII)
_REPLICA = re.compile(r"[a-z0-9]{1,16}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{32}", re.ASCII)
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_TEXTS = ("id", "clock", "replica", "actor", "at", "group", "kind", "entity", "key")
"""The members that every event has, in the order of a Record."""
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False
).encode


@cache
def _escapable() -> re.Pattern[str]:
    """What stands in texts only, wherever it is in a compact line; slow to make."""
    return re.compile(r"[ \u0080-\U0010ffff]")


class Record(NamedTuple):
    """One event of the journal.

    `base` names, for each register the event writes, the events whose value its author saw; one
    left out means that the author saw what the entity was created with. `at` is wall time, for
    display only; order is (clock, replica, id).
    """

    id: str
    clock: str
    replica: str
    actor: str
    at: str
    group: str
    kind: str
    entity: str
    key: str
    patch: Patch = Patch()
    base: Mapping[str, tuple[str, ...]] = {}
    note: Any = None

    @property
    def order(self) -> tuple[str, str, str]:
        """Where it stands among all events."""
        return self.clock, self.replica, self.id

    @property
    def is_creation(self) -> bool:
        """Whether it brings its entity into being."""
        return "id" in self.patch.set


class Damaged(ValueError):
    """A line that cannot be used, and why."""


def write(record: Record) -> tuple[Record, bytes]:
    """A record with its id, as it will be read, and its line.

    Raises Invalid for what a journal cannot hold: too long, too deep, or no JSON.
    """
    patch = record.patch
    data = {"set": patch.set, "on": patch.on, "off": patch.off}
    members: dict[str, Any] = {
        "actor": record.actor,
        "at": record.at,
        "clock": record.clock,
        "entity": record.entity,
        "group": record.group,
        "key": record.key,
        "kind": record.kind,
        "replica": record.replica,
        "v": FORMAT,
    }
    if record.base:
        members["base"] = dict(record.base)
    if kept := {name: dict(part) for name, part in data.items() if part}:
        members["data"] = kept
    if record.note is not None:
        members["note"] = record.note
    try:
        text = _encode(members)
        uneven = _uneven(f"{record.clock}{record.replica}")
        for written in (uneven, str) if len(text) >= _LONG else (str,):
            identity = _hash(written(text).encode())
            line = written(_encode(members | {"id": identity})).encode()
            if len(line) <= LINE_LIMIT:
                break
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid(f"the change cannot be written as JSON: {error}") from None
    if len(line) > LINE_LIMIT:
        raise Invalid(
            f"one change has {len(line)} bytes, more than the {LINE_LIMIT} that a journal holds",
            "Put long text into a file and name it in the description",
        )
    try:
        return read(line, verify=False), line
    except Damaged as reason:
        raise Invalid(f"the change cannot be kept in a journal: it is {reason}") from None


def _uneven(seed: str) -> Callable[[str], str]:
    """Writes a long line with every fourth or so space and foreign letter escaped.

    Git takes a new file for an old one that is gone, renamed, when half of their pieces of 64
    bytes are the same, and merges of such renames conflict. So no two events share the pieces of
    a long text, though they share the text.
    """
    marks = blake2b(seed.encode()).digest()

    def uneven(text: str) -> str:
        count = itertools.count()

        def written(sign: re.Match[str]) -> str:
            n = next(count)
            if (marks[n % 64] >> n // 64 % 4 * 2) & 3:
                return sign[0]
            return "\\u0020" if sign[0] == " " else json.dumps(sign[0])[1:-1]

        return _escapable().sub(written, text)

    return uneven


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=_ID_BYTES).hexdigest()


def read(line: bytes, *, verify: bool = True) -> Record:
    """The record of a line; raises Damaged, also when `verify` finds that it was changed.

    A well-formed event of a kind or with keys that this version does not know is returned too.
    """
    line = bare(line)
    if len(line) > LINE_LIMIT:
        raise Damaged(f"longer than {LINE_LIMIT} bytes")
    try:
        members = _parse(line)
    except RecursionError:
        raise Damaged("nested too deeply") from None
    except ValueError:
        raise Damaged(_not_json(line)) from None
    if not isinstance(members, dict):
        raise Damaged("not an event")
    if verify:
        _verify(line, members)
    return _record(members)


def bare(line: bytes) -> bytes:
    """A line without what surrounds it: line ends, byte order mark, salt."""
    line = line.strip(b"\r\n\xef\xbb\xbf")
    if line.startswith(_SALT):
        _, _, rest = line.partition(b'",')
        return b"{" + rest
    return line


def salted(line: bytes, salt: str) -> bytes:
    """A line as a pack holds it: git's rename detection, which compares lines in pieces of 64
    bytes, finds none of them in the file the line came from."""
    return _SALT + salt.encode() + b'",' + line[1:]


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def _parse(line: bytes) -> Any:
    if line.count(b"{") + line.count(b"[") > DEPTH_LIMIT and _depth(line) > DEPTH_LIMIT:
        raise RecursionError
    text = line.decode("utf-8")
    members = _decoder.decode(text)
    if b"\\ud" in line or b"\\uD" in line:  # half a surrogate pair is no character
        _encode(members).encode()
    return members


def _depth(line: bytes) -> int:
    """How deep the brackets of a line are nested; those in its texts do not count."""
    deepest = level = 0
    for byte in _STRING.sub(b"", line):
        if byte in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"}]":
            level -= 1
    return deepest


def _not_json(line: bytes) -> str:
    if line.startswith((b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")):
        return "a conflict marker of git"
    return "not JSON: truncated or edited"


def _verify(line: bytes, members: Mapping[str, Any]) -> None:
    """Raise Damaged unless the line fits its id.

    The hash is over the bytes as written, so no line has to be written again to be checked.
    """
    identity = members.get("id")
    if not isinstance(identity, str) or not _HASH.fullmatch(identity):
        raise Damaged("has no id")
    if _hash(line.replace(b'"id":"' + identity.encode() + b'",', b"", 1)) != identity:
        raise Damaged("does not fit its id: it was edited or damaged")


def _record(members: dict[str, Any]) -> Record:
    """The record that verified members describe; raises Damaged for what no version writes."""
    get = members.get
    data, base = get("data") or {}, get("base") or {}
    if get("v") != FORMAT:
        raise Damaged(f"of an unknown format: {str(get('v'))[:20]}")
    if not all(isinstance(get(name), str) for name in _TEXTS):
        raise Damaged("lacks a member")
    if not _KEY.fullmatch(members["key"]) or not _REPLICA.fullmatch(members["replica"]):
        raise Damaged("has an impossible key")
    if not is_time(members["at"]):
        raise Damaged("has an impossible time")
    if not hlc.is_valid(get("clock")):
        raise Damaged("has an impossible clock")
    if not isinstance(data, dict) or not isinstance(base, dict):
        raise Damaged("has impossible data")
    identity, clock, replica, actor, at, group, kind, entity, key = (members[n] for n in _TEXTS)
    return Record(
        identity, clock, replica, actor, at, group, kind, entity, key,
        Patch(_part(data, "set"), {}, _elements(data, "on"), _elements(data, "off")),
        {name: tuple(map(str, ids)) for name, ids in base.items() if isinstance(ids, list)},
        get("note"),
    )  # fmt: skip


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name) or {}
    return part if isinstance(part, dict) else {}


def _elements(data: Mapping[str, Any], name: str) -> Mapping[str, tuple[str, ...]]:
    part = _part(data, name)
    return {
        field: tuple(e for e in elements if isinstance(e, str))
        for field, elements in part.items()
        if isinstance(elements, list)
    }

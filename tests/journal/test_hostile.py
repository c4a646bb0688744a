"""A journal from strangers: what is damaged is named, what is forged does no harm."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hopper_tui.journal import files, hlc, record
from hopper_tui.journal.files import Journal
from hopper_tui.journal.record import Record
from hopper_tui.model.clock import stamp
from hopper_tui.model.event import Patch

from .clones import Clone

NOW = 1_800_000_000.0
EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m \u202egnp.exe\u202c \u2066x\u2069 [bold]b[/bold] [/x] \x00"
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029"
    "\U000e0000-\U000e007f]"
)
KEY = "k7m2q9x4d1f0a8b3"
NAME = "0000000000000-bad001-evil.jsonl"


def forged(number: int = 0, **fields: Any) -> Record:
    told: dict[str, Any] = {
        "id": "", "clock": hlc.pack(hlc.unpack(hlc.at(NOW)) + number), "replica": "bad001",
        "actor": "mallory", "at": stamp(NOW), "group": "g1", "kind": "task.created",
        "entity": "task", "key": KEY, "patch": Patch(set={"id": KEY, "title": "Forged"}),
    }  # fmt: skip
    return Record(**{**told, **fields})


def line_of(event: Record) -> bytes:
    return record.write(event)[1]


def hashed(text: str) -> bytes:
    """A line whose id fits, whatever stands in it: `ID` is where the id goes."""
    content = text.replace('"id":"ID",', "", 1).encode("utf-8", "surrogatepass")
    identity = record._hash(content)
    return text.replace("ID", identity, 1).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with two tasks."""
    ann = Clone.first(tmp_path_factory.mktemp("hostile") / "ann")
    first = ann.add("Fix login", "-t", "api")
    ann.hopper("add", "Write docs", "--depends-on", first)
    ann.commit()
    return ann


@pytest.fixture
def project(base: Clone, tmp_path: Path) -> Clone:
    return base.clone(tmp_path / "bob")


def put(project: Clone, *lines: bytes, name: str = NAME) -> None:
    month = project.journal / "2026-11"
    month.mkdir(exist_ok=True)
    (month / name).write_bytes(files.content(list(lines)))


def titles(project: Clone) -> set[str]:
    return set(project.tasks())


def first_file(project: Clone) -> Path:
    """The file that adds "Write docs"."""
    return next(p for p in project.journal.glob("*/*.jsonl") if b"Write docs" in p.read_bytes())


def doctor(project: Clone) -> str:
    return project.hopper("doctor", check=None)


def look_everywhere(project: Clone, *tasks: str) -> None:
    """Run what people run; nothing breaks and nothing reaches the terminal unescaped."""
    commands: list[tuple[str, ...]] = [
        ("list", "--all"), ("list", "--instance", "web", "--all", "--json"), ("log",),
        ("log", "--json"), ("status",), ("stats",), ("instance", "tree"),
        ("instance", "show", "web"), ("tasks", "--instance", "web", "--hierarchy"),
        ("conflicts",), ("export", "--instance", "web"), ("delegation", "list"),
        ("feedback", "report"), ("search", "login"), ("next",), ("doctor",),
    ]  # fmt: skip
    for task in tasks:
        commands += [
            ("task", "show", task), ("task", "show", task, "--json"), ("task", "log", task),
            ("task", "why", task), ("task", "chain", task),
        ]  # fmt: skip
    for args in commands:
        _, out, said = project.run(*args)
        assert not UNSAFE.search(out + said), (args, UNSAFE.search(out + said))
        assert "internal" not in said, (args, said)
        assert "[bold]b[/bold]" in out or "\\u001b" in out or "b[/bold]" not in out, args
        if "--json" in args and out:
            json.loads(out, parse_constant=pytest.fail)


# Damage


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[:-40],
    "a bit flipped": lambda data: data.replace(b"Write docs", b"Write dogs"),
    "edited by hand": lambda data: data.replace(b"Write docs", b"Write more docs"),
    "a bracket lost": lambda data: data.replace(b'{"actor"', b'"actor"', 1),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_only_what_is_damaged_is_lost_to_view(project: Clone, how: str) -> None:
    path = first_file(project)
    whole = path.read_bytes()
    path.write_bytes(DAMAGE[how](whole))
    assert "Fix login" in titles(project)
    said = doctor(project)
    assert path.name in said
    assert re.search(r"line \d", said)
    path.write_bytes(whole)
    assert titles(project) == {"Fix login", "Write docs"}
    assert path.name not in doctor(project)


@pytest.mark.installed
def test_both_sides_of_conflict_markers_are_used(project: Clone) -> None:
    ours, theirs = line_of(forged()), line_of(forged(1, key="a" * 16))
    data = files.content([ours, theirs])
    head, _ = data.split(b"\n", 1)
    marked = b"<<<<<<< HEAD\n" + head + b"\n" + ours + b"\n=======\n" + head + b"\n" + theirs
    (first_file(project).parent / NAME).write_bytes(marked + b"\n>>>>>>> topic\n")
    assert len(project.tasks()) == 3  # two of the same title
    assert len(project.json("list", "--instance", "web", "--all")) == 4
    said = doctor(project)
    assert "a conflict marker of git" in said
    assert "line 1 " in said


@pytest.mark.parametrize("how", ["CRLF", "BOM"])
def test_line_ends_and_a_byte_order_mark_do_no_harm(project: Clone, how: str) -> None:
    path = first_file(project)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\n", b"\r\n") if how == "CRLF" else b"\xef\xbb\xbf" + data)
    assert titles(project) == {"Fix login", "Write docs"}
    assert path.name not in doctor(project)


def test_a_file_that_git_was_still_writing_is_read_again(project: Clone) -> None:
    path = first_file(project)
    data = path.read_bytes()
    for end in (0, 30, len(data) // 2):
        path.write_bytes(data[:end])
        assert "Fix login" in titles(project)
    path.write_bytes(data)
    assert titles(project) == {"Fix login", "Write docs"}
    assert path.name not in doctor(project)


# Odd things in the directory


def make_odd(project: Clone, what: str) -> str:
    month = first_file(project).parent
    path = month / NAME
    outside = project.root / "outside.jsonl"
    outside.write_bytes(files.content([line_of(forged())]))
    if what == "symbolic link":
        path.symlink_to(outside)
    elif what == "linked month":
        path = project.journal / "2025-01"
        folder = project.root / "outside"
        folder.mkdir()
        (folder / NAME).write_bytes(outside.read_bytes())
        path.symlink_to(folder)
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "directory":
        path.mkdir()
    elif what == "month that is a file":
        path = project.journal / "2025-01"
        path.write_bytes(outside.read_bytes())
    elif what == "name with escapes":
        path = month / "a\x1b[31m.jsonl"
        path.write_bytes(outside.read_bytes())
        return "no journal file"
    elif what == "name that is no text":
        path = Path(os.fsdecode(os.fsencode(month) + b"/\xff.jsonl"))
        path.write_bytes(outside.read_bytes())
        return "no journal file"
    else:
        with open(path, "wb") as opened:
            opened.truncate(files.FILE_LIMIT + 1)
    return path.name


@pytest.mark.parametrize(
    "what",
    ["symbolic link", "linked month", "pipe", "directory", "month that is a file",
     "name with escapes", "name that is no text", "huge file"],
)  # fmt: skip
def test_what_is_no_journal_file_is_not_followed_and_named(project: Clone, what: str) -> None:
    name = make_odd(project, what)
    assert titles(project) == {"Fix login", "Write docs"}
    project.hopper("add", "Goes on")
    assert "Goes on" in titles(project)
    assert name in doctor(project)


def test_a_linked_month_is_not_written_into(project: Clone, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    before = titles(project)
    for year in (2026, 2027):
        for month in range(1, 13):
            path = project.journal / f"{year}-{month:02d}"
            if not path.exists():
                path.symlink_to(outside)
    now = stamp(__import__("time").time())[:7]
    if (project.journal / now).is_symlink():
        said = project.says("add", "Outside")
        assert said.count("\n") == 1
        assert titles(project) == before
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("longer than", b'{"actor":"' + b"x" * 70_000 + b'"}'),
        ("nested too deeply", b'{"data":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        ("nested too deeply", b"[" * 60_000),
        ("not an event", b"[1,2]"),
        ("not an event", b"7"),
        ("not JSON", b"\xff\xfe\x00"),
        ("not JSON", b'{"a":NaN}'),
        ("not JSON", b'{"a":1e999}'),
        ("not JSON", b'{"a":' + b"9" * 5000 + b"}"),
        ("not JSON", b'{"a":"\\ud800"}'),
        ("not JSON", b'{"a":"\xed\xa0\x80"}'),
        ("has no id", b"{}"),
        ("has no id", b'{"id":7}'),
        ("does not fit its id", b'{"id":"' + b"0" * 32 + b'","v":1}'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_line_is_named_and_the_others_are_used(
    tmp_path: Path, what: str, line: bytes
) -> None:
    good = line_of(forged())
    data = files.content([line, good])
    found = files.parse("2026-11/x.jsonl", data)
    assert [r.key for r in found.records] == [KEY]
    assert found.damage[0].line == 2
    assert found.damage[0].reason.startswith(what)


@pytest.mark.parametrize(
    "head",
    [b"", b"7", b"[]", b"null", b'{"count":1e999,"sum":"x"}', b'{"count":"x","sum":1}',
     b'{"count":null}', b"[" * 70_000, b'{"count":-1,"sum":[]}', b'{"count":' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_a_bad_first_line_costs_no_event(head: bytes) -> None:
    found = files.parse("2026-11/x.jsonl", head + b"\n" + line_of(forged()) + b"\n")
    assert [r.key for r in found.records] == [KEY]
    assert found.damage


def test_there_is_an_end_to_what_one_file_can_ask_for() -> None:
    bad = files.parse("2026-11/x.jsonl", b"x\n" * 500_000)
    assert len(bad.damage) < files.DAMAGE_LIMIT + 5
    blank = files.parse("2026-11/x.jsonl", b"\n" * files.FILE_LIMIT)
    assert len(blank.damage) < 5


# Well-formed lines with forged content

MEMBERS = {
    "actor": "m", "at": stamp(NOW), "clock": hlc.at(NOW), "entity": "task", "group": "g",
    "id": "ID", "key": KEY, "kind": "task.created", "replica": "bad001", "v": 1,
    "data": {"set": {"id": KEY, "title": "Forged"}},
}  # fmt: skip
IMPOSSIBLE: list[dict[str, Any]] = [
    {"v": 2}, {"v": "1"}, {"v": None}, {"v": [EVIL]}, {"actor": 7}, {"actor": None},
    {"at": "yesterday"}, {"at": 7}, {"at": "2026-99-01T00:00:00Z"}, {"at": "2026-01-01"},
    {"clock": "0"}, {"clock": "z" * 13}, {"clock": 7}, {"clock": "é" * 13},
    {"clock": hlc.pack(hlc.LAST + 1)}, {"key": "../../x"}, {"key": ""}, {"key": "K" * 16},
    {"key": "a" * 500}, {"key": EVIL}, {"key": 7}, {"replica": "../x"}, {"replica": "x" * 40},
    {"replica": EVIL}, {"kind": 7}, {"entity": None}, {"group": {}}, {"data": [1]}, {"data": "x"},
    {"base": [1]}, {"base": "x"},
]  # fmt: skip


@pytest.mark.parametrize("change", IMPOSSIBLE, ids=lambda c: next(iter(c)))
def test_an_event_that_nobody_writes_is_damage(change: dict[str, Any]) -> None:
    line = hashed(json.dumps({**MEMBERS, **change}, separators=(",", ":"), sort_keys=True))
    with pytest.raises(record.Damaged):
        record.read(line)


def test_all_impossible_events_at_once_are_named_and_printed_harmlessly(project: Clone) -> None:
    lines = [
        hashed(json.dumps({**MEMBERS, **change}, separators=(",", ":"), sort_keys=True))
        for change in IMPOSSIBLE
    ]
    put(project, *lines)
    assert titles(project) == {"Fix login", "Write docs"}
    said = doctor(project)
    assert len(re.findall(r"line \d+ ", said)) >= len(lines)
    look_everywhere(project)


def raw(**change: Any) -> bytes:
    return hashed(json.dumps({**MEMBERS, **change}, separators=(",", ":"), sort_keys=True))


WRONG: list[Any] = [
    None, True, 7, -1, 1.5, 10**40, "", "x", EVIL, "x" * 3000, [], ["x", 7, None], [EVIL], {},
    {"x": [1, {"y": EVIL}]}, {EVIL: EVIL}, "\u0000", "\ud83d\ude00", [["x"]], 10**400, -0.0, 1e300,
    "2026-13-45T99:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
]  # fmt: skip
FIELDS = {
    "task": (
        "title", "description", "project", "tags", "priority", "executor_preference",
        "required_capabilities", "depends_on", "needs_orchestration", "phase", "estimated_effort",
        "due", "requester", "source", "external", "metadata", "status", "owner", "parent_task",
        "root_task", "origin", "attempts", "result", "feedback", "reason", "waiting", "created_at",
        "started_at", "completed_at", "instance", "lease_expires_at", "open_deps", "updated_at",
        "colour", EVIL,
    ),
    "instance": (
        "name", "scope", "parent", "status", "config", "reason", "created_at", "started_at",
        "stopped_at",
    ),
    "delegation": (
        "task", "root_task", "source", "target", "type", "child_tasks", "subtasks", "status",
        "notes", "reason", "result", "decision", "delegated_at", "accepted_at", "completed_at",
        "told",
    ),
}  # fmt: skip
GOOD = {
    "task": {"title": "Forged"},
    "instance": {"name": "forged", "scope": "orchestration", "parent": "web"},
    "delegation": {
        "task": KEY, "root_task": KEY, "source": "web", "target": "web", "type": "route",
    },
}  # fmt: skip


def key_of(number: int) -> str:
    return "z" + "".join("0123456789abcdef"[number >> 4 * n & 15] for n in range(15))


@pytest.mark.parametrize("entity", FIELDS)
def test_any_value_in_any_field_breaks_nothing(project: Clone, entity: str) -> None:
    """One entity a field and value, so that each is looked at with the others as they should be;
    half of them get the value by a later change."""
    lines, keys = [], []
    for field in FIELDS[entity]:
        for value in WRONG:
            key = key_of(len(keys))
            keys.append(key)
            good = {"id": key, **GOOD[entity]}
            if entity == "task":
                good["instance"] = "web"
            number = 10 * len(keys)
            patches = [{**good, field: value}] if len(keys) % 2 else [good, {field: value}]
            for n, patch in enumerate(patches):
                lines.append(
                    raw(
                        entity=entity,
                        kind=f"{entity}.changed",
                        key=key,
                        actor=EVIL,
                        group=EVIL,
                        clock=hlc.pack(hlc.unpack(hlc.at(NOW)) + number + n),
                        data={"set": patch},
                    )
                )
    put(project, *lines)
    assert {"Fix login", "Write docs"} <= titles(project)
    project.hopper("add", "Goes on")
    some = keys[:: max(1, len(keys) // 4)] if entity == "task" else []
    look_everywhere(project, *some)
    assert "counters differ" not in doctor(project)
    before = project.json("list", "--instance", "web", "--all", "--limit", "0")
    project.forget_caches()
    assert project.json("list", "--instance", "web", "--all", "--limit", "0") == before


SETTINGS: list[Any] = [
    {"max_concurrent_tasks": "many"}, {"capabilities": 7}, {"capabilities": [1, {}]},
    {"persistence": "x"}, {"persistence": {"retention": EVIL}}, {"integrations": [1]},
    {"child_instances": {"template": 7}}, {"intelligence": {"rules": ["x"]}},
    {"intelligence": {"rules": [{"keywords": 7}]}}, {"routing_engine": EVIL}, {"prefix": EVIL},
    {"velocity": {}}, {"orchestration_threshold": "x"}, {"auto_delegate": "no"}, {EVIL: EVIL},
    {"scope": 7}, {"parent": EVIL}, {"name": []},
]  # fmt: skip


@pytest.mark.parametrize("config", SETTINGS, ids=range(len(SETTINGS)))
def test_a_forged_configuration_of_the_project_breaks_nothing(
    project: Clone, config: dict[str, Any]
) -> None:
    put(
        project,
        raw(entity="instance", kind="instance.configured", key="web",
            data={"set": {"config": config}}),
    )  # fmt: skip
    for args in (
        ("add", "Fix the login form", "-t", "api"), ("instance", "show", "web"), ("next",),
        ("doctor", "--maintain"),
    ):  # fmt: skip
        _, out, said = project.run(*args)
        assert not UNSAFE.search(out + said), args
        assert "internal" not in said, (args, said)


def test_forged_decisions_feedback_and_notes_break_nothing(project: Clone) -> None:
    task = project.add("Take notes")
    lines = []
    for n, note in enumerate(WRONG):
        for kind in ("task.decided", "task.note", "run.archived", "task.feedback", EVIL):
            clock = hlc.pack(hlc.unpack(hlc.at(NOW)) + len(lines))
            lines.append(raw(kind=kind, key=task, data={}, note=note, clock=clock, group=f"{n}"))
    decision = {
        "task": task, "target": None, "strategy": EVIL, "confidence": 1, "reason": EVIL,
        "candidates": [{"target": EVIL, "score": 1, "factors": {EVIL: 2}, "more": 1}],
        "decided_by": EVIL, "decided_at": stamp(NOW), "more": EVIL,
    }  # fmt: skip
    lines.append(raw(kind="task.decided", key=task, data={}, note=decision))
    for change in ({"candidates": [7]}, {"candidates": None}, {"reason": 7}, {"decided_at": "x"}):
        lines.append(raw(kind="task.decided", key=task, data={}, note={**decision, **change}))
    put(project, *lines)
    look_everywhere(project, task)


def test_unknown_entities_kinds_and_members_are_kept_and_do_no_harm(project: Clone) -> None:
    task = project.add("Known")
    lines = [
        raw(entity="board", kind="board.made", key="b1", data={"set": {"colour": "red"}}),
        raw(entity=EVIL, kind=EVIL, key="b2", data={"set": {EVIL: EVIL}, "on": {"x": [EVIL]}}),
        raw(key=task, kind="task.painted", data={"set": {"colour": EVIL}, "swap": [1, 2]}, zzz=1),
        hashed(
            json.dumps({"a": 1, **MEMBERS, "key": "k0", "data": {"on": 3, "set": [1], "off": "x"}},
                       separators=(",", ":"), sort_keys=True)
        ),
    ]  # fmt: skip
    put(project, *lines)
    assert "Known" in titles(project)
    look_everywhere(project, task)
    project.forget_caches()
    assert len(project.json("log", "--instance", "web")) > 0


def test_the_last_of_two_equal_keys_counts_for_everybody_alike(project: Clone) -> None:
    text = json.dumps(MEMBERS, separators=(",", ":"), sort_keys=True)
    text = text.replace('"actor":"m"', '"actor":"x","actor":"m","id":"no"', 1)
    put(project, hashed(text))
    once = project.tasks()
    project.forget_caches()
    assert project.tasks() == once
    look_everywhere(project)


def test_circles_of_parents_hops_and_dependencies_end(project: Clone) -> None:
    one, two, three = (key_of(n) for n in range(3))
    lines, ring = [], [(one, two), (two, three), (three, one)]
    for n, (key, after) in enumerate(ring):
        hop = f"h{key[1:]}"
        fields = {
            "id": key, "title": f"Ring {n}", "instance": "web", "parent_task": after,
            "root_task": one, "depends_on": [after, key], "origin": f"h{after[1:]}",
            "status": "delegated",
        }  # fmt: skip
        lines.append(
            raw(key=key, data={"set": fields}, clock=hlc.pack(hlc.unpack(hlc.at(NOW)) + n))
        )
        hop_fields = {
            **GOOD["delegation"], "id": hop, "task": key, "root_task": one,
            "child_tasks": [after, key], "status": "accepted",
        }  # fmt: skip
        lines.append(
            raw(entity="delegation", kind="delegation.made", key=hop, data={"set": hop_fields},
                clock=hlc.pack(hlc.unpack(hlc.at(NOW)) + 10 + n))
        )  # fmt: skip
    for n, (key, parent) in enumerate([("web", "run1"), ("run1", "run2"), ("run2", "web")]):
        lines.append(
            raw(entity="instance", kind="instance.made", key=key,
                data={"set": {"id": key, "name": key, "scope": "orchestration", "parent": parent}},
                clock=hlc.pack(hlc.unpack(hlc.at(NOW)) + 20 + n))
        )  # fmt: skip
    put(project, *lines)
    look_everywhere(project, one, two)
    assert "in a circle" in doctor(project)
    for args in (
        ("task", "done", one), ("task", "cancel", two), ("delegation", "cancel", f"h{three[1:]}"),
        ("task", "reopen", one), ("undo",), ("task", "done", three),
    ):  # fmt: skip
        assert "internal" not in project.run(*args)[2]


def test_a_forged_removal_and_a_stolen_id_leave_a_working_project(project: Clone) -> None:
    (instance,) = [e["instance"] for e in list(project.tasks().values())[:1]]
    put(
        project,
        raw(entity="instance", kind="instance.removed", key=instance, data={}),
        raw(entity="task", kind="task.removed", key=instance, data={}),
        raw(entity="task", key=instance, data={"set": {"id": instance, "title": EVIL}}),
    )
    project.hopper("add", "Goes on")
    look_everywhere(project)
    assert "Goes on" in titles(project)


def test_reading_never_raises_whatever_the_bytes(tmp_path: Path) -> None:
    import random

    chance = random.Random(11)
    good = files.content([line_of(forged(n)) for n in range(4)])
    journal = Journal(tmp_path)
    (tmp_path / "2026-11").mkdir()
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            where = chance.randrange(len(data))
            data[where : where + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        found = files.parse("2026-11/x.jsonl", bytes(data))
        assert len(found.records) == len(found.lines)
        for made in found.records:
            assert made.key == KEY
    assert journal.names() == set()

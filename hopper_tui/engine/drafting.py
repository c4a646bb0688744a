"""Drafting: a task as the texts that a person edits, and what was changed in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.engine.completing import Completion
from hopper_tui.model import ids
from hopper_tui.model.errors import AmbiguousId, InvalidTransition, NotFound
from hopper_tui.model.query import Query, Term
from hopper_tui.model.task import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hopper_tui.engine.world import World
    from hopper_tui.model.task import Task

OFFERED = 6
"""So many tasks are offered to depend on; who seeks another one types more of its title."""


class Draft(NamedTuple):
    """What a person edits of a task. An empty text stands for nothing. Tags stand with spaces or
    commas between them, in quotes where they have some inside; dependencies stand with commas, as
    short ids or words of a title."""

    title: str = ""
    tags: str = ""
    priority: str = "medium"
    due: str = ""
    effort: str = ""
    depends_on: str = ""
    description: str = ""


_FIELDS = {
    "title": "title", "priority": "priority", "due": "due", "effort": "estimated_effort",
    "description": "description",
}  # fmt: skip
"""The fields of a draft that are one field of a task, and which."""
_MAY_BE_NONE = ("due", "effort")
_APART = re.compile(r"[\s,]")
_TAG = re.compile(r'"([^"]*)"|([^\s,"]+)')


def read_draft(world: World, task: Task) -> Draft:
    """A task as it is edited, read from its store."""
    before = world.store(task.instance).tasks(task.depends_on)
    return draft_of(task, world.short_ids(before))


def draft_of(task: Task, short_ids: Mapping[str, str]) -> Draft:
    """A task as it is edited, given the short ids of what it depends on."""
    return Draft(
        task.title,
        " ".join(f'"{tag}"' if _APART.search(tag) else tag for tag in task.tags),
        str(task.priority),
        (task.due or "").removesuffix("T00:00:00.000Z"),
        task.estimated_effort or "",
        ", ".join(short_ids.get(key, key) for key in task.depends_on),
        task.description,
    )


def fields_of(world: World, instance: str, draft: Draft) -> dict[str, Any]:
    """The fields of a new task at an instance; raises Invalid, NotFound, AmbiguousId."""
    return _plain(draft, _FIELDS) | {
        "tags": tags(draft.tags),
        "depends_on": dependencies(world, instance, draft.depends_on),
    }


def save(world: World, key: str, before: Draft, after: Draft) -> Task:
    """Change what differs between two drafts of a task, in one command.

    Raises InvalidTransition if somebody changed one of these fields since `before`, and whatever
    an update raises.
    """
    hopper, task = world.find_task(key)
    changed = [name for name in Draft._fields if getattr(before, name) != getattr(after, name)]
    now = read_draft(world, task)
    for name in changed:
        if getattr(now, name) not in (getattr(before, name), getattr(after, name)):
            raise InvalidTransition(
                f"the {_said(name)} of {world.short_id(task)} was changed meanwhile to"
                f" {getattr(now, name)!r}",
                "Save again to let yours stand",
            )
    fields = _plain(after, [name for name in changed if name in _FIELDS])
    if "tags" in changed:
        fields |= _difference("tags", set(task.tags), tags(after.tags))
    if "depends_on" in changed:
        wanted = dependencies(world, task.instance, after.depends_on)
        fields |= _difference("depends_on", set(task.depends_on), wanted)
    return hopper.update(task.id, **fields)


def _plain(draft: Draft, names: Mapping[str, str] | list[str]) -> dict[str, Any]:
    values = draft._asdict()
    return {
        _FIELDS[name]: (values[name].strip() or None) if name in _MAY_BE_NONE else values[name]
        for name in names
    }


def _difference(name: str, before: set[str], after: tuple[str, ...]) -> dict[str, Any]:
    return {
        f"add_{name}": tuple(one for one in after if one not in before),
        f"remove_{name}": tuple(before - set(after)),
    }


def _said(name: str) -> str:
    return name.replace("_", " ")


def tags(text: str) -> tuple[str, ...]:
    """The tags in a text, a `#` before one being no part of it."""
    found = (quoted or word.lstrip("#") for quoted, word in _TAG.findall(text))
    return words(found, "tag")


def dependencies(world: World, instance: str, text: str) -> tuple[str, ...]:
    """The ids of the tasks that a text names; raises NotFound, and AmbiguousId with those that
    could be meant."""
    found: list[str] = []
    for piece in filter(None, (part.strip() for part in text.split(","))):
        parts = piece.split()
        if all(_with_prefix(world, instance, part) for part in parts):
            found += [_one(world, _with_prefix(world, instance, part), part) for part in parts]
        else:
            found.append(_one(world, _with_words(world, instance, piece), piece))
    return tuple(dict.fromkeys(found))


def _one(world: World, tasks: list[Task], piece: str) -> str:
    exact = [task for task in tasks if piece in (task.id, task.title)]
    if len(exact or tasks) == 1:
        return (exact or tasks)[0].id
    if not tasks:
        hint = "Give words of its title, or its short id"
        raise NotFound(f"no task here is called {piece!r}", hint)
    short = world.short_ids(tasks)
    known = [(short[task.id], task.title) for task in tasks]
    named = "; ".join(f"{one} {title}" for one, title in known)
    raise AmbiguousId(f"{piece!r} could be {named}", known, "Type more of it")


def _with_prefix(world: World, instance: str, text: str) -> list[Task]:
    key = ids.read_key(text)
    return [] if key is None else world.store(instance).tasks_by_prefix(key, OFFERED)


def _with_words(world: World, instance: str, text: str) -> list[Task]:
    """The open tasks of an instance with all words of a text in them, in the order of its queue."""
    terms = tuple(Term("text", (word,)) for word in text.split())
    return world.store(instance).query(Query(instance, terms, limit=OFFERED))


def offered(world: World, instance: str, text: str) -> tuple[Completion, ...]:
    """The tasks that the last dependency in a text may mean."""
    piece = text.rpartition(",")[2].strip()
    if not piece:
        return ()
    head = text[: len(text) - len(text.rpartition(",")[2])]
    tasks = _with_prefix(world, instance, piece) or _with_words(world, instance, piece)
    short = world.short_ids(tasks)
    return tuple(
        Completion(f"{head}{' ' if head else ''}{short[task.id]}", f"{short[task.id]} {task.title}")
        for task in tasks
        if short[task.id] != piece
    )

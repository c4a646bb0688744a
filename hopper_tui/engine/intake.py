"""Intake: what a caller gave, checked and made into what may be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.model.clock import due_date, stamp
from hopper_tui.model.errors import AmbiguousId, Invalid, NotFound
from hopper_tui.model.ids import read_key
from hopper_tui.model.lifecycle import Priority, TaskStatus
from hopper_tui.model.task import Task, storable, valid_title, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hopper_tui.engine.world import World
    from hopper_tui.model.instance import Instance
    from hopper_tui.store.protocol import Store

_TEXTS = (
    "description", "project", "executor_preference", "phase", "estimated_effort", "requester",
    "source",
)  # fmt: skip
_TOGETHER = 1000
"""A task has at most so many dependencies."""


def fresh_task(world: World, instance: Instance, given: Task) -> Task:
    """A given task with a new id, ready to be stored at an instance; raises Invalid."""
    at = stamp(world.now())
    store = world.store(instance.id)
    return given._replace(
        **{name: _text(getattr(given, name), name) for name in _TEXTS},
        title=valid_title(given.title),
        tags=words(given.tags, "tag"),
        priority=Priority.read(str(given.priority)),
        required_capabilities=words(given.required_capabilities, "capability"),
        depends_on=dependencies(store, given.depends_on),
        due=None if given.due is None else due_date(given.due, world.now()),
        external=_json(given.external, "external"),
        metadata=_json(given.metadata, "metadata") or {},
        needs_orchestration=bool(given.needs_orchestration),
        id=world.new_id(),
        instance=instance.id,
        status=TaskStatus.PENDING,
        owner=None,
        parent_task=None,
        root_task=None,
        origin=None,
        attempts=0,
        lease_expires_at=None,
        result=None,
        feedback=None,
        reason=None,
        waiting=False,
        open_deps=0,
        created_at=at,
        updated_at=at,
        started_at=None,
        completed_at=None,
    )


def _text(value: Any, name: str) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid(f"{name} must be text, not {type(value).__name__}")
    return storable(value, name)


def _json(value: Any, name: str) -> Any:
    if value is None:
        return None
    from json import dumps

    if not hasattr(value, "keys"):
        raise Invalid(f"{name} must be an object of keys and values")
    try:
        storable(dumps(dict(value)), name)
    except (TypeError, ValueError):
        raise Invalid(f"{name} holds something that is not JSON") from None
    return dict(value)


def dependencies(store: Store, refs: Iterable[str]) -> tuple[str, ...]:
    """The full ids of tasks in a store; raises NotFound, AmbiguousId.

    Dependencies hold within one store: a task is handed on only when all of them are done.
    """
    found: dict[str, None] = {}
    for ref in words(refs, "dependency"):
        key = read_key(ref)
        tasks = [] if key is None else store.tasks_by_prefix(key, 2)
        if not tasks:
            hint = "A task can depend on tasks of the same hopper: hopper list --all"
            raise NotFound(f"there is no task {ref!r} to depend on", hint)
        if len(tasks) > 1:
            candidates = [(t.id, t.title) for t in tasks]
            raise AmbiguousId(f"{ref!r} could be several tasks", candidates, "Type more of the id")
        found[tasks[0].id] = None
    if len(found) > _TOGETHER:
        raise Invalid(f"a task can have at most {_TOGETHER} dependencies")
    return tuple(found)


def check_acyclic(store: Store, task: Task, new: Iterable[str]) -> None:
    """Raise Invalid if a task would, by new dependencies, come to wait for itself."""
    ahead, seen = list(new), set()
    while ahead:
        key = ahead.pop()
        if key == task.id:
            raise Invalid(
                "a task cannot wait for itself", "Leave out the dependency that leads back"
            )
        if key not in seen:
            seen.add(key)
            ahead += [d for t in store.tasks([key]) for d in t.depends_on]

"""What the values of Hopper look like as text: pure functions from values to harmless lines."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hopper_tui.cli.columns import align
from hopper_tui.model.clock import age
from hopper_tui.model.lifecycle import DelegationType, HopperScope, TaskStatus
from hopper_tui.model.text import counted as counted
from hopper_tui.model.text import plain, plain_block

if TYPE_CHECKING:
    from hopper_tui.engine.tree import Node
    from hopper_tui.model.delegation import Delegation
    from hopper_tui.model.event import Event
    from hopper_tui.model.instance import Instance, Load
    from hopper_tui.model.task import Task

Name = Callable[[str], str]
"""Gives the display name of an instance id."""


def left_to_commit(events: int) -> str:
    """`, 3 events uncommitted: hopper commit`; nothing when git has them all."""
    return f", {counted(events, 'event')} uncommitted: hopper commit" if events else ""


def wanting(conflicts: int) -> str:
    """`2 conflicts want attention: hopper conflicts`."""
    verb = "wants" if conflicts == 1 else "want"
    return f"{counted(conflicts, 'conflict')} {verb} attention: hopper conflicts"


def pairs(values: Mapping[str, Any]) -> list[str]:
    """`name  value` lines, aligned; what is None or empty is left out."""
    return align([(name, _word(value)) for name, value in values.items() if _says(value)])


def task_line(task: Task, short_id: str) -> str:
    """`web-k7m2q  in_progress by alice  Fix login: reason`."""
    holder = f" by {task.owner}" if task.is_active and task.owner else ""
    reason = f": {task.reason}" if task.reason else ""
    return plain(f"{short_id}  {task.status}{holder}  {task.title}{reason}")


def task_rows(
    tasks: Sequence[Task],
    short_ids: Mapping[str, str],
    holders: Mapping[str, str],
    now: float,
    width: int | None = None,
    *,
    color: bool = False,
) -> list[str]:
    """A line for each task: id, priority, status, age, who, title and tags.

    `holders` names the instance that holds the work of delegated tasks.
    """
    rows = [
        (
            short_ids[task.id],
            task.priority,
            task.status,
            age(task.created_at, now),
            plain(_who(task, holders)),
            plain(" ".join((task.title, *(f"#{tag}" for tag in task.tags)))),
        )
        for task in tasks
    ]
    return align(rows, width, color=color)


def task_details(task: Task, short_id: str, name: Name) -> list[str]:
    """Everything about a task that is said in one line each, then its description."""
    lines = [plain(f"{short_id}  {task.title}")]
    lines += pairs(
        {
            "id": task.id,
            "status": task.status,
            "reason": task.reason,
            "priority": task.priority,
            "instance": name(task.instance),
            "project": task.project,
            "tags": task.tags,
            "owner": task.owner,
            "for": task.executor_preference,
            "needs": task.required_capabilities,
            "depends on": task.depends_on,
            "phase": task.phase,
            "effort": task.estimated_effort,
            "due": task.due,
            "requester": task.requester,
            "source": task.source,
            "external": task.external,
            "parent task": task.parent_task,
            "attempts": task.attempts or None,
            "lease until": task.lease_expires_at,
            "created": task.created_at,
            "started": task.started_at,
            "completed": task.completed_at,
            "result": task.result,
            "feedback": given(task.feedback),
            "metadata": task.metadata,
        }
    )
    if task.description:
        lines += ["", *plain_block(task.description).rstrip("\n").split("\n")]
    return lines


def given(feedback: Mapping[str, Any] | None) -> dict[str, Any]:
    """What feedback says, without what it leaves open."""
    said = {name: value for name, value in (feedback or {}).items() if _says(value)}
    return said if said != {"tasks": 1} else {}


def placement(task: Task, chain: Sequence[Delegation], holder: Instance, name: Name) -> str:
    """Where a new task went, in a few words; `holder` is the instance that holds it."""
    path = [hop for hop in chain if hop.is_open]
    whole = [n for n, hop in enumerate(path) if hop.type is DelegationType.DECOMPOSE]
    if path:
        path = path[: whole[0] + 1] if whole else path
        word = "routed to" if path[-1].accepted_at else "offered to"
        return plain(f"{word} " + " → ".join(name(hop.target) for hop in path))
    here = holder.name
    if task.waiting or holder.scope is HopperScope.GLOBAL:
        return plain(f"waits at {here}: {task.reason}" if task.reason else f"waits at {here}")
    if not holder.is_running:
        here = f"{here} ({holder.status})"
    if holder.scope is HopperScope.ORCHESTRATION:
        return plain(f"queued for {here}")
    if task.executor_preference:
        executor = "a human" if task.executor_preference == "human" else task.executor_preference
        return plain(f"kept for {executor} at {here}")
    return plain(f"kept at {here}")


def chain_lines(chain: Sequence[Delegation], name: Name, now: float | None = None) -> list[str]:
    """`1. global → webapp (route) [accepted]` for each hop; with `now` also age, who and why."""
    lines = []
    for number, hop in enumerate(chain, 1):
        path = f"{name(hop.source)} → {name(hop.target)}"
        lines.append(plain(f"{number}. {path} ({hop.type}) [{hop.status}]"))
        if now is not None:
            lines.append(plain(f"   {_circumstances(hop, now)}"))
    return lines


def delegation_line(hop: Delegation, name: Name) -> str:
    """What a verb did to one hop: its id, path, type and status."""
    path = f"{name(hop.source)} → {name(hop.target)}"
    why = f": {hop.reason}" if hop.reason else ""
    return plain(f"{hop.id}  {path} ({hop.type}) [{hop.status}]{why}")


def delegation_rows(
    hops: Sequence[Delegation], name: Name, now: float, width: int | None, *, color: bool
) -> list[str]:
    """A line for each hop: id, status, type, age, path and reason."""
    rows = [
        (
            hop.id,
            hop.status,
            hop.type,
            age(hop.delegated_at, now),
            plain(f"{name(hop.source)} → {name(hop.target)}"),
            plain(_why(hop)),
        )
        for hop in hops
    ]
    return align(rows, width, color=color)


def tree_lines(nodes: Sequence[Node]) -> list[str]:
    """The instances as a tree, as the multi-instance guide draws it."""
    return list(draw_tree(nodes, node_label, lambda node: node.children))


def draw_tree(
    roots: Iterable[Any],
    label: Callable[[Any], str],
    children: Callable[[Any], Sequence[Any]],
    indent: str = "",
) -> Iterator[str]:
    """Lines of any tree: roots at the margin, the others on branches."""
    for root in roots:
        yield label(root)
        yield from _branches(children(root), label, children, indent)


def _branches(
    nodes: Sequence[Any],
    label: Callable[[Any], str],
    children: Callable[[Any], Sequence[Any]],
    indent: str,
) -> Iterator[str]:
    for node in nodes:
        last = node is nodes[-1]
        yield indent + ("└── " if last else "├── ") + label(node)
        yield from _branches(children(node), label, children, indent + ("    " if last else "│   "))


def phase_name(number: int, name: str) -> str:
    """`Phase 1 (Design)`, or just `Phase 1` where its name says no more."""
    said = name.casefold().replace("-", " ")
    return f"Phase {number}" if said == f"phase {number}" else f"Phase {number} ({name})"


def node_label(node: Node, phase: int | None = None) -> str:
    """`worker-1 (ORCHESTRATION) [running] - 1 task`: an instance in one line; with `phase`, its
    number, as that phase of its run."""
    instance = node.instance
    state = f"error: {node.error.message}" if node.error else instance.status
    name = f"{instance.name} ({instance.scope.upper()})"
    label = f"{name if phase is None else phase_name(phase, instance.name)} [{state}]"
    here = node.load.queued + node.load.active
    return plain(f"{label} - {counted(here, 'task')}" if here else label)


def still_held(load: Load) -> str:
    """`, 2 tasks are still held, 3 wait`: what an instance that ends has not let go of."""
    held, waiting = load.active, load.queued
    parts = []
    if held:
        parts.append(f"{counted(held, 'task')} {'is' if held == 1 else 'are'} still held")
    if waiting:
        verb = "waits" if waiting == 1 else "wait"
        parts.append(f"{waiting if held else counted(waiting, 'task')} {verb}")
    return "".join(f", {part}" for part in parts)


def instance_rows(
    nodes: Sequence[Node], name: Name, width: int | None, *, color: bool
) -> list[str]:
    """A line for each instance: id, name, scope, status, open tasks, parent and what is wrong."""
    rows = [
        (
            node.instance.id,
            plain(node.instance.name),
            node.instance.scope,
            "error" if node.error else node.instance.status,
            counted(node.load.open, "task"),
            plain(f"in {name(node.instance.parent)}" if node.instance.parent else ""),
            plain(node.error.message if node.error else ""),
        )
        for node in nodes
    ]
    return align(rows, width, color=color)


def instance_details(node: Node, name: Name) -> list[str]:
    """Everything about an instance, one line each."""
    instance, load = node.instance, node.load
    room = "unlimited" if load.capacity is None else load.capacity
    lines = [plain(f"{instance.id}  {instance.name} ({instance.scope.upper()})")]
    return lines + pairs(
        {
            "status": instance.status,
            "reason": node.error.message if node.error else instance.reason,
            "parent": instance.parent and name(instance.parent),
            "path": node.path,
            "open tasks": load.open,
            "queued": load.queued,
            "active": f"{load.active} of {room}",
            "children": f"{len(node.children)}",
            "config": instance.config,
            "created": instance.created_at,
            "started": instance.started_at,
            "stopped": instance.stopped_at,
        }
    )


def decision_lines(decision: Mapping[str, Any], name: Name) -> list[str]:
    """A routing decision in words: the choice, the reason, and each candidate with its factors."""
    from hopper_tui.routing.option import NEW_RUN

    here, target = decision["decided_by"], decision["target"]
    if target is None:
        choice = f"{name(here)}: waits"
    elif target == here:
        choice = f"{name(here)}: kept for {decision['executor'] or 'anybody'}"
    elif target == NEW_RUN:
        choice = f"{name(here)} → a new run"
    else:
        choice = f"{name(here)} → {name(target)}"
    how = f"{decision['strategy']}, confidence {_number(decision['confidence'])}"
    rows = [
        (
            f"  {'a new run' if candidate['target'] == NEW_RUN else name(candidate['target'])}",
            _number(candidate["score"]),
            "  ".join(f"{word} {_number(value)}" for word, value in candidate["factors"].items()),
            f"refused: {candidate['refused']}" if candidate["refused"] else "",
        )
        for candidate in decision["candidates"]
    ]
    lines = [f"{choice} ({how}, {decision['duration_ms']:.1f} ms)", f"  {decision['reason']}"]
    return [plain(line) for line in lines + (align(rows) if rows else [])]


def event_json(event: Event) -> dict[str, Any]:
    """An event as scripts see it."""
    patch = event.patch
    changes = {field: {"to": value, "from": patch.base.get(field)} for field, value in
               patch.set.items()}  # fmt: skip
    for sign, elements in (("added", patch.on), ("removed", patch.off)):
        for field, words in elements.items():
            changes.setdefault(field, {})[sign] = list(words)
    return {
        "seq": event.seq,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind,
        "entity": event.entity,
        "key": event.key,
        "changes": changes,
        "note": event.note,
        "replica": event.replica or None,
    }


def clone_name(replica: str, here: Container[str]) -> str:
    """The clone that something was made in: `here`, or its id; "" where no clone is known."""
    return "here" if replica and replica in here else plain(replica)


def event_rows(events: Sequence[Event], width: int | None, here: Container[str] = ()) -> list[str]:
    """A line for each event: time, actor, clone, kind, what it is about and what changed.

    `here` holds the ids of this machine's clones.
    """
    rows = [
        (
            event.at[:19] + "Z",
            plain(event.actor),
            clone_name(event.replica, here),
            plain(event.kind),
            plain(event.key),
            plain(_what_changed(event)),
        )
        for event in events
    ]
    return align(rows, width)


_BOOKKEEPING = frozenset({
    "id", "task", "root_task", "child_tasks", "parent_task", "origin", "instance", "parent",
    "attempts", "waiting", "decision", "started_at", "stopped_at", "completed_at", "created_at",
    "accepted_at", "delegated_at", "lease_expires_at",
})  # fmt: skip
"""Fields that the log as text leaves out; `--json` and `task show` have them."""


def _what_changed(event: Event) -> str:
    if event.kind == "run.archived" and isinstance(event.note, Mapping):
        from hopper_tui.model.summary import sentence

        return sentence(event.note)
    note = event.note.get("reason") if isinstance(event.note, Mapping) else event.note
    parts = [_word(note)] if _says(note) else []
    parts += [
        f"{field}={_phrase(value) if isinstance(value, Mapping) else _word(value)}"
        for field, value in event.patch.set.items()
        if _says(value) and field not in _BOOKKEEPING
    ]
    parts += [f"+{word}" for words in event.patch.on.values() for word in words]
    parts += [f"-{word}" for words in event.patch.off.values() for word in words]
    return " ".join(parts)


def _who(task: Task, holders: Mapping[str, str]) -> str:
    if task.status is TaskStatus.DELEGATED:
        return f"→ {holders[task.id]}" if task.id in holders else ""
    if task.owner:
        return task.owner
    return f"for {task.executor_preference}" if task.executor_preference else ""


def _circumstances(hop: Delegation, now: float) -> str:
    by = (hop.decision or {}).get("decided_by")
    when = f"{age(hop.delegated_at, now)} ago" + (f", by {by}" if by else "")
    why = _why(hop)
    return f"{when}: {why}" if why else when


def _why(hop: Delegation) -> str:
    return hop.reason or (hop.decision or {}).get("reason") or hop.notes or ""


def _says(value: Any) -> bool:
    return value is not None and value not in ("", (), [], {})


def _word(value: Any) -> str:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return plain(", ".join(value))
    if isinstance(value, Mapping | list | tuple | bool):
        from json import dumps

        return plain(dumps(value, ensure_ascii=False, default=dict))
    return _number(value) if isinstance(value, float) else plain(str(value))


def _phrase(values: Mapping[str, Any]) -> str:
    """`quality 4, notes went well`: what says something, without quotes and braces."""
    return ", ".join(f"{plain(str(k))} {_word(v)}" for k, v in values.items() if _says(v))


def word(value: Any) -> str:
    """Any value of a field in few words; `-` for nothing."""
    return _word(value) if _says(value) else "-"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")

"""Chains: the hops a task went through, found from any task on the way, and why it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.model.clock import age, seconds, stamp
from hopper_tui.model.delegation import Decision, Delegation
from hopper_tui.model.errors import HopperError, InvalidTransition, NotFound
from hopper_tui.model.executor import whom
from hopper_tui.model.lifecycle import (
    HOP_OPEN,
    DelegationStatus,
    HopperScope,
    InstanceStatus,
    TaskStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hopper_tui.engine.world import World
    from hopper_tui.model.event import Event
    from hopper_tui.model.task import Task


def root_of(task: Task) -> str:
    """The id of the first task of the chain."""
    return task.root_task or task.id


def _holder(world: World, key: str) -> Task:
    return world.find_task(key)[1]


def _walk_hops(world: World, root: str, start: Task) -> list[Delegation]:
    """The hops of a root in the order they were made, each as its most informed side has it."""
    found: dict[str, Delegation] = {}
    by_task: dict[str, list[str]] = {}
    instances = [start.instance]
    seen: set[str] = set()
    while instances:
        key = instances.pop(0)
        if key in seen:
            continue
        seen.add(key)
        try:
            hops = world.store(key).hops_of_root(root)
        except HopperError:
            continue
        for hop in hops:
            found[hop.id] = _better(found.get(hop.id), hop, at=key)
            instances += [hop.source, hop.target]
            if hop.source == key:
                by_task.setdefault(hop.task, []).append(hop.id)
    walked = dict.fromkeys(_downward(found, by_task, root, set()))
    walked |= dict.fromkeys(found)  # hops whose source cannot be read
    return sorted((found[key] for key in walked), key=lambda h: h.delegated_at)


def _better(known: Delegation | None, hop: Delegation, at: str) -> Delegation:
    """The side that knows more: the one that is settled, else the source with its decision."""
    if known is None or known.is_open != hop.is_open:
        return hop if known is None or known.is_open else known
    return hop if hop.source == at else known


def _downward(
    found: Mapping[str, Delegation], by_task: Mapping[str, list[str]], task: str, seen: set[str]
) -> Iterator[str]:
    """The hops below a task, each before those it led to: the order when times are equal."""
    if task in seen:  # hops in a circle, which only a forged record has
        return
    seen.add(task)
    for key in by_task.get(task, ()):
        yield key
        for child in found[key].child_tasks:
            yield from _downward(found, by_task, child, seen)


def chain(world: World, task: str) -> list[Delegation]:
    """All hops of the root of a task, rejected ones included, in order."""
    held = _holder(world, task)
    return _walk_hops(world, root_of(held), held)


def tasks_of_chain(world: World, task: str) -> list[Task]:
    """The tasks of a chain, the root first."""
    held = _holder(world, task)
    places: dict[str, str] = {}
    for hop in _walk_hops(world, root_of(held), held):
        places[hop.task] = hop.source
        places |= dict.fromkeys(hop.child_tasks, hop.target)
    places[held.id] = held.instance
    found = []
    for key, instance in places.items():
        try:
            one = world.store(instance).task(key)
        except HopperError:
            continue
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda t: (t.id != root_of(held), t.created_at))


def delegations(world: World, status: str | None, instance: str | None) -> list[Delegation]:
    """Every hop known, oldest first, narrowed by status and by an instance it touches."""
    wanted = None if status is None else DelegationStatus.read(status)
    touching = None if instance is None else world.find_instance(instance)
    found: dict[str, Delegation] = {}
    for store in world.stores():
        for hop in store.delegations():
            known = found.get(hop.id)
            if known is None or (known.is_open and not hop.is_open):
                found[hop.id] = hop
    return sorted(
        (
            hop
            for hop in found.values()
            if wanted in (None, hop.status) and touching in (None, hop.source, hop.target)
        ),
        key=lambda h: h.delegated_at,
    )


def decisions(world: World, task: str) -> list[Decision]:
    """The routing decisions along the chain of a task, oldest first."""
    from hopper_tui.journal.rules import is_decision

    found = []
    for one in tasks_of_chain(world, task):
        for event in world.store(one.instance).events(key=one.id, kind="task.decided"):
            if is_decision(event.note):
                found.append(Decision.from_json(event.note))
    return sorted(found, key=lambda d: d.decided_at)


def notes(world: World, task: str) -> list[Event]:
    """The notes taken on any task of the chain of a task, oldest first."""
    found = [
        event
        for one in tasks_of_chain(world, task)
        for event in world.store(one.instance).events(key=one.id, kind="task.note")
    ]
    return sorted(found, key=lambda e: e.at)


def diagnose(world: World, task: str) -> list[str]:
    """Why a task waits and what blocks its completion, in sentences.

    Source: the guide's "Task Stuck at Global", "Delegation Rejected", "Completion Not Bubbling".
    """
    said: list[str] = []
    asked, hops = _holder(world, task), chain(world, task)
    same = _same_work(asked, hops)
    for one in [] if asked.status is TaskStatus.DONE else tasks_of_chain(world, task):
        said += _about_task(world, one, "it" if one.id in same else world.short_id(one))
    for hop in hops:
        source, target = world.name(hop.source), world.name(hop.target)
        if hop.status is DelegationStatus.PENDING:
            said.append(f"{source} → {target} is not accepted yet; it blocks completion")
        elif hop.status is DelegationStatus.REJECTED:
            said.append(f"{target} rejected it: {hop.reason}")
        elif hop.status is DelegationStatus.FAILED:
            said.append(f"{source} → {target}: {hop.reason}")
        elif hop.status is DelegationStatus.COMPLETED and _kept_silent(world, hop):
            said.append(
                f"{target} is done and does not report to {source}: its configuration says"
                " integrations.parent_hopper: false"
            )
        if hop.status in HOP_OPEN:
            said += _about_target(world, hop)
    return list(dict.fromkeys(said))


def _same_work(task: Task, hops: list[Delegation]) -> set[str]:
    """The tasks of a chain that stand for the same work as one of them: not its parts, nor what it
    is a part of."""
    same, before = {task.id}, 0
    pairs = [{hop.task, *hop.child_tasks} for hop in hops if len(hop.child_tasks) == 1]
    while len(same) > before:
        before = len(same)
        for pair in pairs:
            same |= pair if pair & same else set()
    return same


def _about_task(world: World, task: Task, it: str) -> Iterator[str]:
    """What there is to say about a task, which is called `it`."""
    place = world.name(task.instance)
    if task.open_deps:
        deps = world.store(task.instance).tasks(task.depends_on)
        deps = [t for t in deps if t.status is not TaskStatus.DONE]
        short = world.short_ids(deps)
        waits = ", ".join(
            f"{short[t.id]} {t.title}" + ("" if t.is_open else f", which is {t.status}")
            for t in deps
        )
        yield f"at {place} {it} waits for {waits}"
    if task.status is TaskStatus.PENDING and task.waiting and task.reason:
        yield f"{it} waits at {place}: {task.reason}"
    elif task.status in (TaskStatus.BLOCKED, TaskStatus.FAILED, TaskStatus.CANCELLED):
        yield f"at {place} {it} is {task.status}: {task.reason or 'no reason was given'}"
    elif task.status is TaskStatus.PENDING and not task.open_deps:
        instance = world.instance(task.instance)
        if instance.scope is not HopperScope.GLOBAL:
            held = _held_by_phase(world, task) or _held_by_backoff(world, task, it)
            ready = f"{it} is ready at {place}{_for_whom(task)}; nobody has claimed it"
            yield held or ready
            if ageing := world.settings(instance).work.ageing:
                yield from _lifted(world, task, ageing, it)
    elif task.is_active:
        yield f"{task.owner} holds {it} at {place}"


def _for_whom(task: Task) -> str:
    """Who may take a task, unless anybody may."""
    if not task.executor_preference and not task.required_capabilities:
        return ""
    return f" for {whom(task.executor_preference, task.required_capabilities)}"


def _held_by_phase(world: World, task: Task) -> str | None:
    """Which earlier phase of its run a task waits for, in a sentence; None if for none."""
    from hopper_tui.engine.phases import Layout

    try:
        Layout.read(world, task.instance).check_active(world, task)
    except InvalidTransition as waits:
        return waits.message
    return None


def _held_by_backoff(world: World, task: Task, it: str) -> str | None:
    """Until when a task waits after an attempt that failed, in a sentence; None if it does not."""
    now = world.now()
    if task.not_before is None or seconds(task.not_before) <= now:
        return None
    wait = age(stamp(now), seconds(task.not_before))
    return (
        f"at {world.name(task.instance)} attempt {task.attempts} failed: {task.reason};"
        f" {it} is handed out again in {wait}, at {task.not_before}"
    )


def _lifted(world: World, task: Task, ageing: float, it: str) -> Iterator[str]:
    """How many priorities higher a task counts that waited for long, in a sentence."""
    higher = int((world.now() - seconds(task.created_at)) / ageing)
    if higher > 0:
        yield (
            f"{it} is {age(task.created_at, world.now())} old and counts {higher}"
            f" priorit{'y' if higher == 1 else 'ies'} higher in the queue: work.ageing"
        )


def _kept_silent(world: World, hop: Delegation) -> bool:
    try:
        task = world.store(hop.source).task(hop.task)
        silent = not world.settings(world.instance(hop.target)).parent_hopper
    except HopperError:
        return False
    return silent and task is not None and task.status is TaskStatus.DELEGATED


def _about_target(world: World, hop: Delegation) -> Iterator[str]:
    try:
        target = world.instance(hop.target)
    except NotFound:
        yield (
            f"{hop.target} is not known on this machine; completion arrives when it is. If it is"
            f" gone for good, take the task back: hopper delegation cancel {hop.id}"
        )
        return
    except HopperError as error:
        yield f"{hop.target} cannot be read: {error}"
        return
    if target.status is not InstanceStatus.RUNNING:
        yield f"{target.name} is {target.status}: its tasks cannot be claimed"

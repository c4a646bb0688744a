"""Undo and redo: a command taken back by compensating events, in every store it touched.

A command that came after on the same tasks stands in the way: undoing never takes away what
somebody else did since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hopper_tui.engine import flow
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import InvalidTransition, NotFound
from hopper_tui.model.event import Event, Patch
from hopper_tui.model.lifecycle import HOP_OPEN, InstanceStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.store.protocol import Store, Transaction

UNDO, REDO = "undo", "redo"
_CREATED = ("task.created", "delegation.offered", "delegation.received")
_WITHDRAWN: dict[str, dict[str, Any]] = {
    "task": {"status": "cancelled", "reason": "adding it was undone", "waiting": False},
    "delegation": {"status": "cancelled", "reason": "undone"},
}
"""What undoing a creation sets: nothing is deleted, so that it can be redone."""
_VERBS: dict[str, str] = {
    "task.created": "add",
    "task.claimed": "claim",
    "task.started": "start",
    "task.done": "finish",
    "task.failed": "fail",
    "task.blocked": "block",
    "task.released": "release",
    "task.returned": "take back",
    "task.cancelled": "cancel",
    "task.reopened": "reopen",
    "task.delegated": "delegate",
    "task.changed": "change",
    "task.feedback": "feedback on",
    "task.resolved": "decide a conflict about",
}
"""What a command is called by the first change it made."""
_ANSWERS = {
    "delegation.accepted": "accept a delegation",
    "delegation.rejected": "reject a delegation",
}
_BEGINNINGS = ({"delegation.offered"}, {"delegation.cancelled", "task.returned"})
"""What only the store records that a delegation is sent from, or called back to."""
_DONE = {UNDO: "undone", REDO: "redone"}
RECENT = 2000
"""How many events back a command is looked for at first; further if it is not among them."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo or redo took back: a sentence, and the tasks it changed."""

    summary: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A command that may be taken back: its group, what it did, who did it and when."""

    group: str
    summary: str
    actor: str
    at: str


@dataclass(frozen=True, slots=True)
class _Step:
    """A group of events as undo sees it: undoing it, or redoing it, may be what it was for."""

    group: str
    events: tuple[Event, ...]
    takes_back: str | None = None
    again: bool = False


def undo(world: World, ref: str | None, only: str | None = None) -> Undone:
    """Take back the last command at a hopper that was not taken back yet; with `only`, the group
    of a command, that one and no other.

    Raises NotFound when there is none, InvalidTransition when later work depends on it.
    """
    with world.command(UNDO):
        step = _last(world, ref)
        if only not in (None, step.group):
            raise InvalidTransition(
                "something else was done here since", "Look at it, and undo again"
            )
        return _take_back(world, step.group, UNDO)


def last(world: World, ref: str | None) -> Done:
    """The command that `undo` would take back now; raises as it does where there is none."""
    with world.command(UNDO):
        step = _last(world, ref)
        first = step.events[-1]
        touched, _ = _touched(world, step.group)
        return Done(step.group, _told(world, touched), first.actor, first.at)


def _last(world: World, ref: str | None) -> _Step:
    """The last command at a hopper that was not taken back yet. Pausing the hopper is a command
    too, and so on: it is not passed over to take back something older."""
    here = world.hopper(ref)
    for steps, _ in _looking_back(here.store):
        gone = _undone(steps)
        moves: list[Event] = []
        for step in steps:
            if step.takes_back is not None or step.group in gone:
                continue
            if _counts(step):
                _check_unmoved(world, moves, set())
                return step
            made = _made(step.events)
            moves += [e for e in step.events if e.key == here.id and e.key not in made]
    hint = "What was done at another hopper is undone there: hopper undo --instance NAME"
    raise NotFound(f"there is nothing to undo at {here.name}", hint)


def redo(world: World, ref: str | None) -> Undone:
    """Take back the last undo, unless something else was done since; raises NotFound."""
    with world.command(REDO):
        store = world.store(world.hopper(ref).id)
        hint = "Undo comes first; a new command ends redo"
        nothing = NotFound("there is nothing to redo", hint)
        for steps, _ in _looking_back(store):
            gone = _undone(steps)
            for step in steps:
                if step.takes_back in gone and gone[step.takes_back] == step.group:
                    return _take_back(world, step.group, REDO, named=step.takes_back)
                if step.takes_back is None and step.group not in gone and _counts(step):
                    raise nothing
        raise nothing


def overtaken(world: World, command: str, stores: Iterable[Store]) -> bool:
    """Whether a command that is under way was undone meanwhile, in a store that it writes to;
    what it recorded there since is taken back as part of that undo."""
    found = False
    for store in stores:
        marks = [e for e in store.events(key=command) if e.kind in (UNDO, REDO)]
        if marks and marks[-1].kind == UNDO:
            found = True
            with world.grouped(marks[-1].group), world.writing(store) as tx:
                _invert(world, tx, store.events(group=command, after=marks[-1].seq), UNDO)
    return found


def _counts(step: _Step) -> bool:
    """Whether a person would call it a command: it changed a task or a delegation."""
    return any(e.entity in ("task", "delegation") and e.patch != Patch() for e in step.events)


def _looking_back(store: Store) -> Iterator[tuple[list[_Step], int]]:
    """The latest commands, the newest first, and the number of the event they reach back to; then
    more, for who did not find one among them."""
    limit, oldest = RECENT, -1
    while oldest:
        events = store.events(newest=True, limit=limit)
        oldest = events[-1].seq if len(events) == limit else 0
        yield _steps(store, events, cut=oldest > 0), oldest
        limit *= 16


def _steps(store: Store, events: list[Event], cut: bool) -> list[_Step]:
    """The commands that some events are of; of the oldest some may have been cut off."""
    grouped: dict[str, list[Event]] = {}
    for event in events:
        if event.replica != store.replica:  # what came through git is not ours to take back
            continue
        grouped.setdefault(event.group, []).append(event)
    if cut and grouped:
        last = next(reversed(grouped))
        grouped[last] += store.events(group=last, limit=1)
    steps = []
    for group, made in grouped.items():
        mark = next((e for e in made if e.kind in (UNDO, REDO)), None)
        if mark is None:
            steps.append(_Step(group, tuple(made)))
        else:
            steps.append(_Step(group, tuple(made), mark.note["takes_back"], mark.kind == REDO))
    return steps


def _undone(steps: list[_Step]) -> dict[str, str]:
    """The groups that are taken back now, each with the group that did it."""
    gone: dict[str, str] = {}
    for step in reversed(steps):
        if step.takes_back is None:
            continue
        if step.again:
            gone = {g: by for g, by in gone.items() if by != step.takes_back}
        else:
            gone[step.takes_back] = step.group
    return gone


def _take_back(world: World, group: str, kind: str, named: str | None = None) -> Undone:
    """Invert the events of a group; `named` is the group that the sentence is about."""
    touched, made = _touched(world, group)
    for store, events in touched:
        _check_unmoved(world, events, made)
        _check_last(world, store, events, group)
        _check_there(world, store, events)
    world.announce()
    changed = _compensate(world, touched, group, kind, made)
    flow.drive(world, [store for store, _ in touched], _routers(store for store, _ in touched))
    tasks = tuple(dict.fromkeys(changed))
    told = [(store, store.events(group=named or group)) for store, _ in touched]
    return Undone(f"{_DONE[kind]}: {_told(world, told)}", tasks)


def finish(world: World, command: str) -> None:
    """Go on, in the stores it did not come to, with an undo or redo that died on its way."""
    begun = {
        id(store): event
        for store in world.stores()
        for event in store.events(group=command)
        if event.kind in (UNDO, REDO)
    }
    if not begun:
        return
    mark = next(iter(begun.values()))
    touched, made = _touched(world, mark.note["takes_back"])
    rest = [(store, events) for store, events in touched if id(store) not in begun]
    with world.command(mark.kind), world.grouped(command):
        _compensate(world, rest, mark.note["takes_back"], mark.kind, made)


def _touched(world: World, group: str) -> tuple[list[tuple[Store, list[Event]]], set[str]]:
    """The stores that a command wrote to, with its events there, and the instances it made."""
    found = [(store, store.events(group=group)) for store in world.stores()]
    touched = [(store, events) for store, events in found if events]
    touched.sort(key=lambda pair: (pair[1][0].at, pair[1][0].seq))
    return touched, _made(e for _, events in touched for e in events)


def _made(events: Iterable[Event]) -> set[str]:
    """The instances that some events created."""
    return {e.key for e in events if e.kind == "instance.created"}


def _compensate(
    world: World,
    touched: list[tuple[Store, list[Event]]],
    group: str,
    kind: str,
    made: set[str],
) -> list[str]:
    """Record the inverse of the events of a group; returns the tasks that changed."""
    changed: list[str] = []
    for store, _ in touched:
        with world.writing(store) as tx:
            events = store.events(group=group)  # a command under way may have gone on meanwhile
            tx.remark("command", group, kind, {"takes_back": group})
            changed += _invert(world, tx, [e for e in events if e.key not in made], kind)
    return changed


def _invert(world: World, tx: Transaction, events: Sequence[Event], kind: str) -> list[str]:
    """Record the inverse of some events; returns the tasks that changed."""
    changed: list[str] = []
    for event in reversed(events):
        patch = _inverse(world, event)
        if not (patch.set or patch.on or patch.off):
            continue
        tx.patch(event.entity, event.key, patch, f"{event.entity}.{kind}")
        if event.entity == "task":
            changed.append(event.key)
    return changed


def _routers(stores: Iterable[Store]) -> list[str]:
    """The hoppers whose waiting tasks may go now that these stores changed."""
    known = [instance for store in stores for instance in store.instances()]
    return list(dict.fromkeys(key for i in known for key in (i.id, i.parent) if key is not None))


def _inverse(world: World, event: Event) -> Patch:
    if event.kind not in _CREATED:
        return event.patch.inverse
    withdrawn = dict(_WITHDRAWN[event.entity])
    withdrawn["completed_at"] = stamp(world.now())
    base = {name: event.patch.set.get(name) for name in withdrawn}
    if event.entity == "task":
        base["waiting"] = event.patch.set.get("waiting", False)
    base["status"] = event.patch.set.get("status", "pending")
    return Patch(set=withdrawn, base=base)


def _check_unmoved(world: World, events: Sequence[Event], made: set[str]) -> None:
    """Refuse to take back the start or stop of a hopper: its lifecycle only goes forward.

    A hopper that the command made stays, for others may use it by now.
    """
    for event in events:
        status = event.patch.set.get("status")
        if event.entity == "instance" and event.key not in made and status is not None:
            raise InvalidTransition(
                f"the last command made {world.name(event.key)} {status}; that is not undone",
                "Move it back by hand: hopper instance start, stop, pause or resume",
            )


def _check_last(world: World, store: Store, events: list[Event], group: str) -> None:
    """Refuse to take back what was gone on from; what was taken back itself does not count."""
    keys = dict.fromkeys(e.key for e in events if e.entity in ("task", "delegation"))
    later = [e for key in keys for e in store.events(key=key, after=events[-1].seq)]
    blocking = [e for e in later if e.group != group and e.patch != Patch()]
    for steps, oldest in _looking_back(store) if blocking else ():
        harmless = {*_undone(steps), *(s.group for s in steps if s.takes_back)}
        blocking = [e for e in blocking if e.group not in harmless]
        if not blocking or oldest <= events[-1].seq:
            break
    if blocking:
        last = blocking[-1]
        task = store.task(last.key)
        what = f"{world.short_id(task)} {task.title!r}" if task else f"delegation {last.key}"
        where = f": hopper undo --instance {task.instance}" if task else ""
        raise InvalidTransition(
            f"{what} was changed since by {last.actor} ({last.kind})",
            f"Undo that first{where}, or change it by hand",
        )


def _check_there(world: World, store: Store, events: list[Event]) -> None:
    """Refuse to give work back to a run that has ended, or is not known here: it would stay there
    for ever."""
    first = {event.key: event for event in reversed(events) if event.entity == "delegation"}
    for event in first.values():
        hop = store.delegation(event.key)
        if event.kind in _CREATED or event.patch.base.get("status") not in HOP_OPEN or hop is None:
            continue
        try:
            if world.instance(hop.target).status is not InstanceStatus.TERMINATED:
                continue
            name, ended = world.name(hop.target), "is terminated"
        except NotFound:
            name, ended = hop.target, "is archived, or not known here,"
        task = store.task(hop.task)
        short = hop.task if task is None else world.short_id(task)
        verb = "delegate" if task is not None and task.is_open else "reopen"
        raise InvalidTransition(
            f"{name} {ended} and cannot take {short} up again",
            f"Put it into the queue anew: hopper task {verb} {short}",
        )


def _told(world: World, touched: list[tuple[Store, list[Event]]]) -> str:
    """What a command did, as the store tells it where it began."""
    began = [(s, es) for s, es in touched if any({e.kind for e in es} >= b for b in _BEGINNINGS)]
    (store, events), *others = began[:1] or touched
    return _sentence(world, store, events, others)


def _sentence(
    world: World, store: Store, events: list[Event], others: list[tuple[Store, list[Event]]]
) -> str:
    """What a command did, by its first change: `add "Fix login"`, `claim 3 tasks`. In other
    stores that happened to tasks of their own as well, and to those that came from there."""
    changes = [e for e in events if e.entity == "task" and e.patch != Patch()]
    answer = next((e for e in events if e.kind in _ANSWERS), None)
    hop = None if answer is None else store.delegation(answer.key)
    if answer is not None and hop is not None:
        by_hand = all(e.key in (hop.task, *hop.child_tasks) for e in changes)
        if by_hand and all(e.kind != "delegation.offered" for e in events):
            return f"{_ANSWERS[answer.kind]} from {world.name(hop.source)}"
    if not changes:
        return "a delegation"
    verb = _VERBS.get(changes[0].kind, changes[0].kind.replace("task.", ""))
    found = {task.id: task for task in store.tasks(list({e.key for e in changes}))}
    for other, made in others:
        same = list({e.key for e in made if e.kind == changes[0].kind})
        found |= {task.id: task for task in other.tasks(same)}
    apart = [task for task in found.values() if not others or task.parent_task not in found]
    if len(apart) == 1:
        return f'{verb} "{apart[0].title}"'
    return f"{verb} {len(apart)} tasks"

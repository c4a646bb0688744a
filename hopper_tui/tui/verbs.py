"""The verbs of the screen: what each does to one task, and how a report says it was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.model.errors import HopperError, InvalidTransition
from hopper_tui.model.lifecycle import TaskStatus

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.model.feedback import TaskFeedback
    from hopper_tui.model.task import Task

_ENDED = frozenset({TaskStatus.DONE, TaskStatus.FAILED})
"""What is rated as it is."""
Change = Callable[["Hopper", str], object]
"""What a verb does to the task with that id, which the hopper holds."""


class Verb(NamedTuple):
    """A change of a task; `past` is how a report says it was done."""

    past: str
    change: Change


def _recall(hopper: Hopper, task: str) -> object:
    from hopper_tui.engine import delegating

    return delegating.recall(hopper.world, hopper.get(task))


VERBS: Mapping[str, Verb] = {
    "claim": Verb("claimed", lambda hopper, task: hopper.claim(task)),
    "start": Verb("started", lambda hopper, task: hopper.start(task)),
    "done": Verb("done", lambda hopper, task: hopper.complete(task)),
    "release": Verb("given back", lambda hopper, task: hopper.release(task)),
    "reopen": Verb("reopened", lambda hopper, task: hopper.reopen(task)),
    "recall": Verb("taken back", _recall),
}
"""The verbs that need nothing but a task."""


APPROVE = Verb("approved", lambda hopper, task: hopper.complete(task))
"""What is done to a checkpoint."""


def block(reason: str) -> Verb:
    """Block a task."""
    return Verb("blocked", lambda hopper, task: hopper.block(task, reason))


def fail(reason: str) -> Verb:
    """Mark a task failed."""
    return Verb("failed", lambda hopper, task: hopper.fail(task, reason))


def cancel(reason: str) -> Verb:
    """Cancel a task."""
    return Verb("cancelled", lambda hopper, task: hopper.cancel(task, reason))


def set_priority(priority: str) -> Verb:
    """Give a task another priority."""

    def change(hopper: Hopper, task: str) -> object:
        if (known := hopper.get(task)).priority == priority:
            raise _unchanged(hopper, known, f"is {priority}")
        return hopper.update(task, priority=priority)

    return Verb(f"now {priority}", change)


def _unchanged(hopper: Hopper, task: Task, what: str) -> HopperError:
    """A verb that changes nothing is refused: undoing it would take back something older."""
    return InvalidTransition(f"{hopper.world.short_id(task)} {what} already")


def rate(feedback: TaskFeedback, finish: bool | None = None) -> Verb:
    """Say how a task went, and `finish` it; None finishes one that was neither done nor failed."""

    def change(hopper: Hopper, task: str) -> object:
        if hopper.get(task).status not in _ENDED if finish is None else finish:
            return hopper.complete(task, feedback)
        return hopper.give_feedback(task, feedback)

    return Verb("rated", change)


def retag(words: str) -> Verb:
    """Add the tags named in `words`, and remove those with a minus before them."""
    names = words.replace(",", " ").split()
    add = tuple(name.lstrip("+#") for name in names if not name.startswith("-"))
    remove = tuple(name[1:] for name in names if name.startswith("-"))

    def change(hopper: Hopper, task: str) -> object:
        tags = set((known := hopper.get(task)).tags)
        if tags.issuperset(add) and tags.isdisjoint(remove):
            raise _unchanged(hopper, known, "has these tags")
        return hopper.update(task, add_tags=add, remove_tags=remove)

    return Verb("tagged", change)


def note(text: str) -> Verb:
    """Write a note on a task."""
    return Verb("noted", lambda hopper, task: hopper.note(task, text))


def delegate(kind: str, target: str | None, subtasks: tuple[str, ...], notes: str | None) -> Verb:
    """Delegate a task; `target` None lets routing choose."""
    return Verb(
        "delegated",
        lambda hopper, task: hopper.delegate(
            task, target=target, type=kind, subtasks=subtasks, notes=notes
        ),
    )

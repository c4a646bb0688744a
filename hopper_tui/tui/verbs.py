"""The verbs of the screen: what each does to one task, and how a report says it was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.model.feedback import TaskFeedback

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
    return Verb(f"now {priority}", lambda hopper, task: hopper.update(task, priority=priority))


def rate(feedback: TaskFeedback) -> Verb:
    """Say how a task went; one that is open is done thereby."""

    def change(hopper: Hopper, task: str) -> object:
        if hopper.get(task).is_open:
            return hopper.complete(task, feedback)
        return hopper.give_feedback(task, feedback)

    return Verb("rated", change)


def retag(words: str) -> Verb:
    """Add the tags named in `words`, and remove those with a minus before them."""
    names = words.replace(",", " ").split()
    add = tuple(name.lstrip("+#") for name in names if not name.startswith("-"))
    remove = tuple(name[1:] for name in names if name.startswith("-"))
    return Verb(
        "tagged", lambda hopper, task: hopper.update(task, add_tags=add, remove_tags=remove)
    )


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

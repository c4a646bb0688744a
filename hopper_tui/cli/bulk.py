"""Doing one thing to several tasks, instances or hops: one undo step, each refusal reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hopper_tui.cli.failure import PartlyRefused
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import HopperError
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.task import Task, task_json
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper

T = TypeVar("T")
_Changed = tuple[str, Task]
"""What was done to a task, in the past, and the task afterwards."""


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """How the result of a change is printed: as JSON, as a line, as an id.

    `fault` says what is wrong with a result that is printed and yet no success.
    """

    json: Callable[[T], Any]
    text: Callable[[T], str]
    id: Callable[[T], str]
    fault: Callable[[T], HopperError | None] = lambda _: None


def apply(
    session: Session, refs: Sequence[str], word: str, act: Callable[[str], T], shown: Shown[T]
) -> None:
    """Do `act` to each reference and print what came out: one value, or a list of several.

    `word` says in the past what was done. With several references those that are refused do not
    keep the others from being done; raises PartlyRefused at the end.
    """
    done: list[T] = []
    refused: list[HopperError] = []
    with session.world.command(f"{word} {' '.join(refs)}"):
        for ref in dict.fromkeys(refs):
            try:
                done.append(act(ref))
            except HopperError as error:
                if len(refs) == 1:
                    raise
                refused.append(error)
    session.answer(
        json=lambda: shown.json(done[0]) if len(refs) == 1 else [shown.json(x) for x in done],
        ids=lambda: [shown.id(value) for value in done],
        text=lambda: [shown.text(value) for value in done],
    )
    faults = [fault for value in done if (fault := shown.fault(value))]
    if len(refs) == 1 and faults:
        raise faults[0]
    if refused := [*refused, *faults]:
        reasons = "; ".join(error.message for error in refused)
        raise PartlyRefused(f"{len(done) - len(faults)} {word}, {len(refused)} refused: {reasons}")


def change(
    session: Session,
    refs: Sequence[str],
    instance: str | None,
    word: str,
    act: Callable[[Hopper, Task], Task],
    already: TaskStatus | None = None,
) -> None:
    """`apply` to tasks, each found wherever it is and changed through the hopper that holds it.

    One that has the status `already` is left as it is, and the line about it says so.
    """

    def changed(ref: str) -> _Changed:
        hopper, task = session.find(ref, instance)
        if task.status is already:
            return f"already {word}", task
        return word, act(hopper, task)

    apply(session, refs, word, changed, _shown_task(session))


def print_task(session: Session, task: Task, word: str) -> None:
    """Print what was done to one task."""
    shown, changed = _shown_task(session), (word, task)
    session.answer(
        json=lambda: shown.json(changed), ids=lambda: [task.id], text=lambda: [shown.text(changed)]
    )


def _shown_task(session: Session) -> Shown[_Changed]:
    world = session.world

    def text(changed: _Changed) -> str:
        word, task = changed
        return plain(f"{world.short_id(task)}  {word}  {task.title}")

    return Shown(
        json=lambda changed: task_json(changed[1], world.short_id(changed[1])),
        text=text,
        id=lambda changed: changed[1].id,
    )

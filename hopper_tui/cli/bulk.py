"""Doing one thing to several tasks, instances or hops: one undo step, each refusal reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hopper_tui.cli.failure import PartlyRefused
from hopper_tui.cli.session import Session
from hopper_tui.model.errors import HopperError
from hopper_tui.model.task import Task, task_json
from hopper_tui.model.text import plain

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """How the result of a change is printed: as JSON, as a line, as an id."""

    json: Callable[[T], Any]
    text: Callable[[T], str]
    id: Callable[[T], str]


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
    if refused:
        reasons = "; ".join(error.message for error in refused)
        raise PartlyRefused(f"{len(done)} {word}, {len(refused)} refused: {reasons}")


def change(
    session: Session,
    refs: Sequence[str],
    instance: str | None,
    word: str,
    act: Callable[[Hopper, Task], Task],
) -> None:
    """`apply` to tasks, each found wherever it is and changed through the hopper that holds it."""
    shown = _shown_task(session, word)
    apply(session, refs, word, lambda ref: act(*session.find(ref, instance)), shown)


def print_task(session: Session, task: Task, word: str) -> None:
    """Print what was done to one task."""
    shown = _shown_task(session, word)
    session.answer(
        json=lambda: shown.json(task), ids=lambda: [task.id], text=lambda: [shown.text(task)]
    )


def _shown_task(session: Session, word: str) -> Shown[Task]:
    world = session.world
    return Shown(
        json=lambda task: task_json(task, world.short_id(task)),
        text=lambda task: plain(f"{world.short_id(task)}  {word}  {task.title}"),
        id=lambda task: task.id,
    )

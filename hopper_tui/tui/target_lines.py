"""Where a task may be delegated to, to lines of text: pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from hopper_tui.model.instance import Load
from hopper_tui.model.lifecycle import DelegationType
from hopper_tui.tui.presentation import clip, clip_middle, fit, spread
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.snapshot import Target
from hopper_tui.tui.why_lines import score_bar

NAME = 20
"""Cells of a name where there is room."""
BAR = 8
"""Cells of the bar of the best score."""
ROOMY = 60
"""From so many cells on there is room for bars."""
_WAYS: dict[DelegationType, str] = {
    DelegationType.ROUTE: "↓",
    DelegationType.REASSIGN: "→",
    DelegationType.ESCALATE: "↑",
}


def best_of(targets: Sequence[Target]) -> float:
    """The score that fills a bar."""
    return max((target.score or 0.0 for target in targets), default=0.0)


def target_line(target: Target, best: float, width: int) -> Line:
    """A hopper to delegate to: the way there, name, state and room or why it would refuse, and its
    score with a bar beside it."""
    role: Role = "muted" if target.refused else "text"
    name = fit(clip_middle(target.name, NAME), min(NAME, width // 3))
    left = [Span(f"{_WAYS.get(target.kind, ' ')} ", "muted"), Span(f"{name} ", role)]
    right: list[Span] = []
    if target.score is not None:
        if width >= ROOMY:
            right.append(Span(f"{score_bar(target.score, best, BAR)} ", "accent"))
        right.append(Span(f"{round(target.score, 2):>5g}", role))
    room = width - sum(len(span.text) for span in right) - 4 - min(NAME, width // 3)
    note = target.refused or f"{target.status} {_room(target.load)}"
    left.append(Span(clip(note, room), "bad" if target.refused else "muted"))
    return spread(left, right, width)


def routing_line(choice: str, width: int) -> Line:
    """The choice to let routing decide, and what it would."""
    text = "Let routing decide"
    return (Span(text), Span(clip(f"  {choice}" if choice else "", width - len(text)), "muted"))


def _room(load: Load) -> str:
    return f"{load.active}/{load.capacity}" if load.capacity is not None else f"{load.open} open"

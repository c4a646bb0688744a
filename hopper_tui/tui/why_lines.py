"""Why a task is where it is, to lines of text: candidates, factors and scores as bars; pure
functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hopper_tui.model.clock import age
from hopper_tui.model.delegation import Candidate, Decision
from hopper_tui.tui.presentation import Words, clip, clip_middle, fit, spread, wrap
from hopper_tui.tui.roles import Line, Role, Span

NAME = 22
"""Cells of a candidate or a factor where there is room."""
BAR = 20
"""Cells of a full bar where there is room."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


def score_bar(value: float, best: float, cells: int) -> str:
    """A bar of `cells` cells, filled in proportion to the best; whatever there is any of shows."""
    share = value / best if best else 0.0
    eighths = round(cells * 8 * max(0.0, min(1.0, share)))
    full, part = divmod(max(eighths, 1) if value > 0 else eighths, 8)
    return fit("█" * full + (_EIGHTHS[part] if part else ""), cells)


def why_lines(
    decisions: Sequence[Decision], reasons: Sequence[str], names: Words, width: int, now: float
) -> tuple[Line, ...]:
    """Why a task is where it is: what it waits for, then each decision, the newest first."""
    lines: list[Line] = [(Span(text),) for reason in reasons for text in wrap(reason, width)]
    for decision in reversed(decisions):
        if lines:
            lines.append(())
        lines += _decision(decision, names, width, now)
    return tuple(lines) or ((Span("Nobody decided anything about it yet.", "muted"),),)


def _decision(decision: Decision, names: Words, width: int, now: float) -> Iterator[Line]:
    target = decision.target or ""
    where = clip(names.get(target, target) or "nobody", 30)
    when = f"{age(decision.decided_at, now)} ago" if decision.decided_at else ""
    yield spread([Span("→ "), Span(where, "strong")], [Span(when, "muted")], width)
    sure = f"{decision.strategy}, {decision.confidence:.0%} sure"
    for text in wrap(sure, width):
        yield (Span(text, "muted"),)
    for text in wrap(decision.reason, width):
        yield (Span(text),)
    best = max(
        (value for one in decision.candidates for value in (one.score, *one.factors.values())),
        default=0.0,
    )
    for candidate in decision.candidates:
        yield ()
        name = names.get(candidate.target, candidate.target)
        yield from _candidate(candidate, name, candidate.target == target, best, width)


def _candidate(
    candidate: Candidate, name: str, is_chosen: bool, best: float, width: int
) -> Iterator[Line]:
    """A candidate with its score, and below it what that is made of, drawn to the same scale."""
    role: Role = "strong" if is_chosen else "muted" if candidate.refused else "text"
    yield _bar(name, candidate.score, best, role, "accent", width)
    for text in wrap(candidate.refused or "", width - 2):
        if text:
            yield (Span("  "), Span(text, "bad"))
    for factor, value in _weightiest(candidate.factors):
        yield _bar(f"  {factor}", value, best, "muted", "medium", width)


def _weightiest(factors: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(factors.items(), key=lambda one: -abs(one[1]))


def _bar(name: str, value: float, best: float, role: Role, filled: Role, width: int) -> Line:
    """A name, a bar and a number; what takes away is told by its sign."""
    name_width = min(NAME, max(10, width // 3))
    cells = max(4, min(BAR, width - name_width - 10))
    indent = name[: len(name) - len(name.lstrip())]
    shown = fit(indent + clip_middle(name.strip(), name_width - len(indent)), name_width)
    return (
        Span(f"{shown} ", role),
        Span(score_bar(value, best, cells), filled),
        Span(f" {round(value, 2):g}", "bad" if value < 0 else role),
    )

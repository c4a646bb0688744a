"""Feedback: what was learned from several tasks, as one, and as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.model.task import Task

NOTES_LENGTH = 500
"""Characters of joined notes; the full ones stay with their tasks."""

MOST_FREQUENT = 5
"""Entries of each ranking in a report."""


def aggregate(children: Sequence[TaskFeedback]) -> TaskFeedback:
    """The feedback on a task from that on its parts; no parts give an empty one.

    Durations are summed; quality and complexity are means, weighted by the tasks behind each; it
    was a good match unless a part says no; any rework counts.
    """
    return TaskFeedback(
        was_good_match=_all(child.was_good_match for child in children),
        should_have_routed_to=next(
            iter(_distinct(child.should_have_routed_to for child in children)), None
        ),
        quality=_mean((child.quality, child.tasks) for child in children),
        complexity=_mean((child.complexity, child.tasks) for child in children),
        estimated_duration=_sum(child.estimated_duration for child in children),
        actual_duration=_sum(child.actual_duration for child in children),
        rework=_any(child.rework for child in children),
        rework_reason=_joined(child.rework_reason for child in children),
        blockers=_distinct(one for child in children for one in child.blockers),
        missing_skills=_distinct(one for child in children for one in child.missing_skills),
        notes=_joined(child.notes for child in children),
        tasks=sum(child.tasks for child in children),
    )


def report(feedback: Sequence[tuple[Task, TaskFeedback]]) -> dict[str, Any]:
    """What the feedback on many tasks says, as JSON values.

    Shares (`good_matches`, `rework_rate`) are of those that say anything, 0 to 1; means and shares
    of nothing are None; durations are seconds. `duration_ratio` is actual by estimated duration,
    over the tasks that have both.
    """
    given = [one for _, one in feedback]
    both = [
        (one.actual_duration, one.estimated_duration)
        for one in given
        if one.actual_duration is not None and one.estimated_duration
    ]
    estimated = sum(planned for _, planned in both)
    return {
        "tasks": sum(one.tasks for one in given),
        "feedback": len(given),
        "good_matches": _share(one.was_good_match for one in given),
        "rework_rate": _share(one.rework for one in given),
        "mean_quality": _mean((one.quality, one.tasks) for one in given),
        "mean_complexity": _mean((one.complexity, one.tasks) for one in given),
        "mean_duration": _mean((one.actual_duration, 1) for one in given),
        "duration_ratio": round(sum(took for took, _ in both) / estimated, 2) if both else None,
        "should_have_routed_to": _ranking(
            one.should_have_routed_to for one in given if one.should_have_routed_to
        ),
        "misrouted_from": _ranking(
            task.instance for task, one in feedback if one.was_good_match is False and task.instance
        ),
        "blockers": _ranking(name for one in given for name in one.blockers),
        "missing_skills": _ranking(name for one in given for name in one.missing_skills),
    }


def _all(answers: Iterable[bool | None]) -> bool | None:
    said = [answer for answer in answers if answer is not None]
    return all(said) if said else None


def _any(answers: Iterable[bool | None]) -> bool | None:
    said = [answer for answer in answers if answer is not None]
    return any(said) if said else None


def _share(answers: Iterable[bool | None]) -> float | None:
    said = [answer for answer in answers if answer is not None]
    return round(sum(said) / len(said), 2) if said else None


def _mean(weighed: Iterable[tuple[float | None, int]]) -> float | None:
    said = [(value, weight) for value, weight in weighed if value is not None and weight > 0]
    total = sum(weight for _, weight in said)
    return round(sum(value * weight for value, weight in said) / total, 2) if said else None


def _sum(numbers: Iterable[float | None]) -> float | None:
    said = [number for number in numbers if number is not None]
    return sum(said) if said else None


def _distinct(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _joined(texts: Iterable[str | None]) -> str | None:
    joined = "; ".join(_distinct(text.strip() for text in texts if text))
    if not joined:
        return None
    return joined if len(joined) <= NOTES_LENGTH else f"{joined[: NOTES_LENGTH - 1]}…"


def _ranking(names: Iterable[str]) -> list[dict[str, Any]]:
    counted = sorted(Counter(names).items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"name": name, "count": count} for name, count in counted[:MOST_FREQUENT]]

"""Projects: which project under a global hopper gets a task."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hopper_tui.model.lifecycle import Priority
from hopper_tui.routing.fit import can_take, lacks, listed, refusal
from hopper_tui.routing.ranking import best, candidate, count, decision, find
from hopper_tui.routing.rules import Match, matches, priority_set
from hopper_tui.routing.words import mentioned, mentions, shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hopper_tui.model.delegation import Candidate, Decision
    from hopper_tui.model.task import Task
    from hopper_tui.routing.option import Option

WEIGHTS: Mapping[str, float] = {
    "explicit": 100_000,
    "rules": 10_000,
    "tags": 100,
    "object": 12,
    "topic": 4,
    "velocity": 2,
}
"""What one hit of a factor adds to a project's score, in the order the factors matter: no amount
of a later one, nor an idle project's load of 1, makes up for an earlier one. A rule's own weight
multiplies `rules`."""

COUNTED: Mapping[str, int] = {"object": 7, "topic": 2}
"""Hits that count at most, so that words never outweigh a tag, nor topics an object."""

TOPIC_WORDS: tuple[str, ...] = (
    "about", "at", "for", "from", "in", "inside", "into", "on", "regarding", "to", "with", "within",
)  # fmt: skip
"""Before one of these a title says what the thing is, after it what the thing is about."""

NAME_LENGTH = 3
"""A shorter project name is not looked for in texts."""

_TOPIC = re.compile(rf"(?<!\S)(?:{'|'.join(TOPIC_WORDS)})(?!\S)", re.IGNORECASE)


def to_project(task: Task, here: Option, options: Sequence[Option]) -> Decision:
    """Which of `options`, the projects under the global hopper `here`, gets a task.

    The project the task names, or else the best by rules, tags, content and load, in that order.
    `target` is None when nobody can take it now; a project named by the task is never replaced by
    another. The order of `options` makes no difference.
    """
    options = sorted(options, key=lambda option: option.instance.id)
    found = matches(here.settings.rules, task)
    made = _named(task, task.project, options) if task.project else _matched(task, found, options)
    return made._replace(priority=priority_set(found))


def _named(task: Task, project: str, options: Sequence[Option]) -> Decision:
    chosen = find(project, options)
    if chosen is None:
        known = listed([o.instance.name for o in options]) or "none yet"
        return decision(None, "none", f"no project is called {project}; there are: {known}")
    explicit = {"explicit": WEIGHTS["explicit"]}
    scored = [candidate(task, o, explicit if o is chosen else {}) for o in options]
    if refused := refusal(task, chosen):
        return decision(None, "none", f"it is for {project}, but {refused}", scored)
    reason = f"the task names the project {chosen.instance.name}"
    return decision(chosen.instance.id, "explicit", reason, scored)


def _matched(task: Task, found: Sequence[Match], options: Sequence[Option]) -> Decision:
    ruled: dict[str, list[Match]] = {}
    for rule in found:
        if rule.rule.target and (named := find(rule.rule.target, options)):
            ruled.setdefault(named.instance.id, []).append(rule)
    scored = [candidate(task, o, _factors(task, o, ruled.get(o.instance.id, ()))) for o in options]
    chosen = best(scored)
    if chosen is None:
        return decision(None, "none", _nobody(task, options), scored)
    option = next(o for o in options if o.instance.id == chosen.target)
    strategy, reason = _why(task, option, chosen, ruled.get(chosen.target, ()))
    if better := _better(chosen, scored):
        reason += f"; a better fit was passed over: {better.refused}"
    return decision(chosen.target, strategy, reason, scored)


def _factors(task: Task, option: Option, rules: Sequence[Match]) -> dict[str, float]:
    hits = {
        "rules": sum(rule.score for rule in rules),
        "tags": len(_tags(task, option)),
        "object": len(_objects(task, option)),
        "topic": len(_topics(task, option)),
        "velocity": int(_is_urgent(task) and _is_fast(option)),
    }
    return {
        name: WEIGHTS[name] * min(number, COUNTED.get(name, number))
        for name, number in hits.items()
        if number
    }


def _skills(option: Option) -> tuple[str, ...]:
    return option.settings.capabilities + option.settings.domains


def _subjects(option: Option) -> tuple[str, ...]:
    name = option.instance.name
    named = (name,) if len(name) >= NAME_LENGTH else ()
    return tuple(dict.fromkeys(s.casefold() for s in _skills(option) + named))


def _tags(task: Task, option: Option) -> list[str]:
    return shared(dict.fromkeys(tag.casefold() for tag in task.tags), _skills(option))


def _objects(task: Task, option: Option) -> list[str]:
    return mentioned(_TOPIC.split(task.title, maxsplit=1)[0], _subjects(option))


def _topics(task: Task, option: Option) -> list[str]:
    said = mentioned(f"{task.title}\n{task.description}", _subjects(option))
    objects = _objects(task, option)
    return [subject for subject in said if subject not in objects]


def _is_urgent(task: Task) -> bool:
    return task.priority is Priority.URGENT or mentions(task.title, "urgent")


def _is_fast(option: Option) -> bool:
    return option.settings.velocity == "fast" or bool(shared(["urgent"], _skills(option)))


def _why(task: Task, option: Option, chosen: Candidate, rules: Sequence[Match]) -> tuple[str, str]:
    name = option.instance.name
    if rules:
        return "rules", f"{rules[0]} and names {name}"
    if tags := _tags(task, option):
        return "tags", f"{name} covers {count(len(tags), 'tag')}: {', '.join(tags)}"
    if said := _objects(task, option) or _topics(task, option):
        return "content", f"its words point to {name}: {', '.join(said)}"
    if "velocity" in chosen.factors:
        return "content", f"it is urgent and {name} is fast"
    idle = count(option.load.open, "open task")
    return "load", f"nothing in it points to a project, and {name} has the least to do: {idle}"


def _better(chosen: Candidate, scored: Sequence[Candidate]) -> Candidate | None:
    """The best of those that refuse, if it would have won by more than its load."""
    top = max((c for c in scored if c.refused), key=_merit, default=None)
    return top if top and _merit(top) > _merit(chosen) else None


def _merit(scored: Candidate) -> float:
    return sum(value for name, value in scored.factors.items() if name != "load")


def _nobody(task: Task, options: Sequence[Option]) -> str:
    if not options:
        return "no project exists"
    running = [o for o in options if o.instance.is_running]
    if not running:
        return f"no running project: {listed([can_take(task, o) or '' for o in options])}"
    refusals = listed([refusal(task, o) or "" for o in running])
    if all(lacks(task, o.settings.capabilities) for o in running):
        return f"no running project has the capability: {refusals}"
    if all(o.refused for o in running):
        return f"every running project refused it: {refusals}"
    return f"no running project can take it now: {refusals}"

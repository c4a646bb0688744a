"""Complexity: how much work a task is, as a score made of named factors."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.model.lifecycle import Priority
from hopper_tui.routing.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hopper_tui.model.task import Task

WEIGHTS: dict[str, dict[float, str]] = {
    "verb": {
        2: "architect build create design develop implement integrate migrate orchestrate "
        "overhaul port rearchitect redesign refactor restructure rework rewrite",
        1: "add automate convert enable extend improve introduce optimise optimize replace split "
        "support upgrade",
        0: "ask bump call change check clean close correct delete document edit execute fix merge "
        "move publish read remove rename reply rerun review run send test tweak update write",
    },
    "scope": {
        1: "api architecture auth authentication authorization backend cluster database "
        "engine framework infrastructure integration migration oauth pipeline platform "
        "protocol schema security server service subsystem system workflow",
    },
    "small": {
        1: "changelog comment docstring heading license link readme spelling typo typos wording "
        "whitespace",
    },
}
"""Words of a title and what they weigh. The first known verb counts and nothing else does;
`scope` counts unless that verb is a light one; `small` takes off what the two have added."""

_TABLE = {
    kind: {word: weight for weight, text in table.items() for word in text.split()}
    for kind, table in WEIGHTS.items()
}

PRIORITY = {Priority.URGENT: 0.5, Priority.HIGH: 0.25}

BASE = 1.0
TAG, TAGS_MOST = 0.5, 1.5
DEPENDENCY, DEPENDENCIES_MOST = 0.4, 2.0
DESCRIPTION_UNIT, DESCRIPTION_MOST = 400, 2.0
"""Characters that add the first point; every further point takes twice as many."""
ORCHESTRATION = 3.0
"""Enough to reach the default threshold alone."""


class Complexity(NamedTuple):
    """`score` is the sum of `factors`; factors that add nothing are left out."""

    score: float
    factors: Mapping[str, float]

    def __str__(self) -> str:
        named = (f"{name} {value:g}" for name, value in self.factors.items() if name != "base")
        return ", ".join(named) or "nothing adds to it"


def complexity(task: Task) -> Complexity:
    """The complexity of a task: at least 1, at most about 13.

    More text, tags, dependencies or priority never lower it.
    """
    title = words(task.title)
    verb = next((_TABLE["verb"][word] for word in title if word in _TABLE["verb"]), None)
    scope = _heaviest("scope", title) if verb != 0 else 0.0
    added = (verb or 0.0) + scope
    factors = {
        "base": BASE,
        "verb": verb or 0.0,
        "scope": scope,
        "small": -min(_heaviest("small", title), added),
        "description": min(DESCRIPTION_MOST, log2(1 + len(task.description) / DESCRIPTION_UNIT)),
        "tags": min(TAGS_MOST, TAG * len(set(task.tags))),
        "dependencies": min(DEPENDENCIES_MOST, DEPENDENCY * len(set(task.depends_on))),
        "priority": PRIORITY.get(task.priority, 0.0),
        "needs_orchestration": ORCHESTRATION if task.needs_orchestration else 0.0,
    }
    told = {name: round(value, 2) for name, value in factors.items() if round(value, 2)}
    return Complexity(round(sum(told.values()), 2), told)


def _heaviest(kind: str, title: tuple[str, ...]) -> float:
    return max((_TABLE[kind].get(word, 0.0) for word in title), default=0.0)

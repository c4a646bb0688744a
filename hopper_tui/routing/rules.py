"""Rules: what the configuration says about tasks of a kind, as conditions and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.model.lifecycle import Priority
from hopper_tui.routing.words import mentioned, shared, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hopper_tui.model.task import Task

EXECUTORS: tuple[str, ...] = ("human", "ci", "orchestration", "manual")
"""The kinds of executor a rule may name; all but orchestration keep the task where it is."""
KEEPERS: tuple[str, ...] = ("human", "ci", "manual")

DEFAULT_RULES: tuple[Mapping[str, Any], ...] = (
    {
        "name": "continuous integration",
        "verbs": ["run", "rerun", "re-run", "execute", "trigger", "kick off"],
        "title": [
            "test", "tests", "test suite", "pipeline", "pipelines", "lint", "linter", "linters",
            "build", "builds", "deploy", "deployment", "release", "ci", "checks", "benchmarks",
            "type check",
        ],
        "executor": "ci",
    },
)  # fmt: skip
"""Who does what a project keeps, unless its own rules say otherwise; all else is for a human."""


class Rule(NamedTuple):
    """One rule. Every condition that is not empty must hold, by any of its words.

    `verbs` begin the title, `title` stands in it, `keywords` in title or description; words match
    whole and in any case, phrases may be given. `target` names an instance, `executor` a kind of
    executor, `set_priority` the priority the task gets.
    """

    name: str
    verbs: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    executor: str | None = None
    target: str | None = None
    set_priority: Priority | None = None
    weight: float = 1.0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Rule:
        """The rule of a validated mapping; a single word may stand for a list of one."""
        lists = {name: _tuple(values.get(name)) for name in _HITS}
        priority = values.get("set_priority")
        return cls(
            name=values.get("name") or "unnamed",
            executor=values.get("executor"),
            target=values.get("target"),
            set_priority=Priority.read(priority) if priority else None,
            weight=values.get("weight", 1.0),
            **lists,
        )


class Match(NamedTuple):
    """A rule that holds for a task: `score` is its weight times the words that matched."""

    rule: Rule
    score: float
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"rule {self.rule.name!r} matches {', '.join(self.words)}"


def match(rule: Rule, task: Task) -> Match | None:
    """How a rule holds for a task; None if it does not, or has no condition at all."""
    found: list[str] = []
    for name in _HITS:
        wanted: tuple[str, ...] = getattr(rule, name)
        if not wanted:
            continue
        hits = _HITS[name](wanted, task)
        if not hits:
            return None
        found += hits
    return Match(rule, rule.weight * len(found), tuple(found)) if found else None


def matches(rules: Iterable[Mapping[str, Any]], task: Task) -> list[Match]:
    """The rules that hold for a task, best first; equal ones in the order they were given."""
    held = (match(Rule.of(values), task) for values in rules)
    return sorted((m for m in held if m), key=lambda m: -m.score)


def priority_set(found: Sequence[Match]) -> str | None:
    """The priority the best of these rules sets, if one does."""
    return next((m.rule.set_priority for m in found if m.rule.set_priority), None)


def _opens(verbs: tuple[str, ...], title: tuple[str, ...]) -> list[str]:
    return [verb for verb in verbs if (said := words(verb)) and title[: len(said)] == said]


_HITS: Mapping[str, Callable[[tuple[str, ...], Task], list[str]]] = {
    "verbs": lambda wanted, task: _opens(wanted, words(task.title)),
    "title": lambda wanted, task: mentioned(task.title, wanted),
    "keywords": lambda wanted, task: mentioned(f"{task.title}\n{task.description}", wanted),
    "tags": lambda wanted, task: shared(wanted, task.tags),
    "priority": lambda wanted, task: [w for w in wanted if Priority.read(w) is task.priority],
    "capabilities": lambda wanted, task: shared(wanted, task.required_capabilities),
}
"""For each condition, those of its words that hold for a task."""


def _tuple(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)

"""Plans: files that say what a task is broken down into, and the templates made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from hopper_tui.config.document import Document, parse, read
from hopper_tui.config.expand import expand, placeholders
from hopper_tui.config.fault import nearest
from hopper_tui.config.load import checked
from hopper_tui.config.schema import Label, LabelOrLabels, PriorityName, Section
from hopper_tui.model.errors import ConfigError, Invalid, NotFound
from hopper_tui.model.plan import Plan, PlanFault
from hopper_tui.model.task import TEXT_LIMIT, TITLE_LIMIT
from hopper_tui.resources import TEMPLATES

if TYPE_CHECKING:
    from hopper_tui.model.plan import Decomposer
    from hopper_tui.model.task import Task

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_FILLED = ("title",)
"""What a template may ask of the task."""
_ROOM = {"title": TITLE_LIMIT, "description": TEXT_LIMIT}
"""Characters that a filled text may have; the others have the room of a name."""
_NAME_ROOM = 100


def _titled(value: Any) -> Any:
    """A plain title stands for a task that says no more."""
    if not isinstance(value, list):
        return value
    return [{"title": one} if isinstance(one, str) else one for one in value]


def _places(value: Any) -> Any:
    """`1`, `"#1"` and lists of them."""
    listed = value if isinstance(value, list) else [value]
    return [f"#{one}" if type(one) is int else one for one in listed]


Text = Annotated[str, StringConstraints(max_length=TEXT_LIMIT)]


class StepSection(Section):
    """One task; see `hopper_tui.model.plan.Step`."""

    title: Annotated[str, StringConstraints(max_length=TITLE_LIMIT)]
    description: Text = ""
    executor: Label | None = None
    capabilities: LabelOrLabels = Field(default_factory=list)
    priority: PriorityName | None = None
    effort: Label | None = None
    tags: LabelOrLabels = Field(default_factory=list)
    depends_on: Annotated[list[str], BeforeValidator(_places)] = Field(default_factory=list)
    checkpoint: bool = False


class GoalSection(StepSection):
    """One goal; see `hopper_tui.model.plan.Goal`."""

    phase: Label | None = None
    tasks: Annotated[list[StepSection], BeforeValidator(_titled)] = Field(default_factory=list)


class PlanFile(Section):
    """A plan: what it is for, and its goals."""

    goals: Annotated[list[GoalSection], BeforeValidator(_titled)]
    description: Text = ""


def plan_from(path: Path) -> Plan:
    """The plan in a YAML or JSON file; raises ConfigError with the line of what is wrong."""
    return _plan(read(path))


def plan_in(text: str, name: str = "<stdin>") -> Plan:
    """The plan in a YAML or JSON text that `name` stands for; raises ConfigError with the line."""
    return _plan(parse(text, Path(name)))


def template(name: str, folder: Path | None = None) -> Decomposer:
    """The decomposer of that name: NAME.yaml in `folder`, else the one that Hopper brings.

    `{title}` in it becomes the title of the task. Raises NotFound, Invalid for what is no name,
    and ConfigError with the line of what is wrong.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no name of a template", "Names are like: feature, bugfix")
    found = next((path for path in _places_of(name, folder) if path.is_file()), None)
    if found is None:
        raise NotFound(f"there is no template {name!r}", nearest(name, templates(folder)))
    document = read(found)
    for loc, word in placeholders(document.values):
        if word not in _FILLED:
            message = f"{document.at(loc)}: unknown placeholder {{{word}}}"
            raise ConfigError(message, nearest(word, _FILLED))
    _plan(document)

    def decompose(task: Task) -> Plan:
        return _plan(document, task.title)

    return decompose


def templates(folder: Path | None = None) -> list[str]:
    """The names of the templates there are, those in `folder` included."""
    paths = [path for at in (folder, TEMPLATES) if at is not None for path in at.glob("*.yaml")]
    return sorted({path.stem for path in paths if _NAME.fullmatch(path.stem)})


def _places_of(name: str, folder: Path | None) -> list[Path]:
    return [at / f"{name}.yaml" for at in (folder, TEMPLATES) if at is not None]


def _plan(document: Document, title: str | None = None) -> Plan:
    section = checked(document, PlanFile)
    goals = section.model_dump(mode="json", exclude_unset=True)["goals"]
    if title is not None:
        goals = _filled(goals, title)
    try:
        return Plan.read(goals)
    except PlanFault as wrong:
        raise ConfigError(f"{document.at(wrong.loc)}: {wrong.message}", wrong.hint) from None


def _filled(value: Any, title: str, room: int = _NAME_ROOM) -> Any:
    """A value with the title filled in once, as it is; shortened where there is no room for it."""
    if isinstance(value, Mapping):
        return {k: _filled(v, title, _ROOM.get(k, _NAME_ROOM)) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(one, title, room) for one in value]
    if not isinstance(value, str):
        return value
    holes = value.count("{title}") or 1
    left = (room - len(value)) // holes + len("{title}")
    return expand(value, {"title": title if len(title) <= left else f"{title[: left - 1]}…"})

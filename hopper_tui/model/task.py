"""The Task value: one piece of work, held by one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hopper_tui.model.errors import Invalid
from hopper_tui.model.lifecycle import ACTIVE, CLOSED, Priority, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TITLE_LIMIT = 1000
"""Characters; a longer title belongs into the description."""
TEXT_LIMIT = 60_000
"""Characters of any one text; a journal event holds at most 64 KiB."""


class Task(NamedTuple):
    """A piece of work. Give at least a title; the hopper that takes it fills in the rest.

    Times are RFC 3339 text in UTC. `reason` says why it waits, is blocked or failed. `parent_task`
    is the task this one was delegated from, `root_task` the first of the chain, `origin` the
    delegation that made it. `waiting` means that nobody fitted yet and it will be offered again.
    It is handed out again at `not_before`, after an attempt that failed.
    """

    title: str = "Untitled task"
    description: str = ""
    project: str | None = None
    tags: tuple[str, ...] = ()
    priority: Priority = Priority.MEDIUM
    executor_preference: str | None = None
    required_capabilities: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    needs_orchestration: bool = False
    phase: str | None = None
    estimated_effort: str | None = None
    due: str | None = None
    requester: str | None = None
    source: str | None = None
    external: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = {}
    id: str = ""
    instance: str = ""
    status: TaskStatus = TaskStatus.PENDING
    owner: str | None = None
    parent_task: str | None = None
    root_task: str | None = None
    origin: str | None = None
    attempts: int = 0
    lease_expires_at: str | None = None
    result: Any = None
    feedback: Mapping[str, Any] | None = None
    reason: str | None = None
    waiting: bool = False
    open_deps: int = 0
    created_at: str = ""
    updated_at: str = ""
    started_at: str | None = None
    completed_at: str | None = None
    not_before: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether work remains."""
        return self.status not in CLOSED

    @property
    def is_active(self) -> bool:
        """Whether somebody holds it: what counts against capacity."""
        return self.status in ACTIVE

    @property
    def is_ready(self) -> bool:
        """Whether it could be claimed now."""
        return self.status is TaskStatus.PENDING and not self.open_deps


TASK_JSON = (
    "id", "short_id", "title", "description", "instance", "project", "status", "priority", "tags",
    "owner", "executor_preference", "required_capabilities", "depends_on", "needs_orchestration",
    "phase", "estimated_effort", "due", "requester", "source", "external", "parent_task",
    "root_task", "attempts", "lease_expires_at", "result", "feedback", "reason", "metadata",
    "created_at", "updated_at", "started_at", "completed_at", "not_before",
)  # fmt: skip
"""The keys of a task in JSON, in order; a contract: add, never change."""


def task_json(task: Task, short_id: str) -> dict[str, Any]:
    """A task as scripts see it."""
    values = {name: getattr(task, name) for name in TASK_JSON if name != "short_id"}
    for name in ("tags", "required_capabilities", "depends_on"):
        values[name] = list(values[name])
    return {name: short_id if name == "short_id" else values[name] for name in TASK_JSON}


def valid_title(title: object) -> str:
    """`title` as it may be stored: exactly as given; raises Invalid when empty or too long."""
    if not isinstance(title, str) or not title.strip():
        raise Invalid("a task needs a title", "Say in a few words what is to be done")
    if len(title) > TITLE_LIMIT:
        raise Invalid(
            f"the title has {len(title)} characters, more than {TITLE_LIMIT}",
            "Put the detail into the description: -d",
        )
    return storable(title, "title")


def storable(text: str, what: str) -> str:
    """`text` unchanged; raises Invalid if no store could keep it exactly."""
    if len(text) > TEXT_LIMIT:
        raise Invalid(f"the {what} has more than {TEXT_LIMIT} characters", "Link to a file instead")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid(f"the {what} is not valid Unicode", "Send it as UTF-8") from None
    return text


def words(values: Iterable[str], what: str) -> tuple[str, ...]:
    """A tuple of distinct, stripped, non-empty words in the order given; raises Invalid."""
    if isinstance(values, str):
        values = (values,)
    if not hasattr(values, "__iter__"):
        raise Invalid(f"{what}: give a list of words, not {values!r}")
    kept: dict[str, None] = {}
    for value in values:
        word = str(value).strip()
        if not word:
            continue
        if len(word) > 100:
            raise Invalid(f"the {what} {word[:20]}… is longer than 100 characters")
        kept[storable(word, what)] = None
    return tuple(kept)

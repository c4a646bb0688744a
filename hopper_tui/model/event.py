"""Event: one recorded change. State is a fold of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


KINDS: tuple[str, ...] = (
    *("task." + word for word in (
        "created", "changed", "decided", "kept", "waiting", "delegated", "claimed", "started",
        "done", "failed", "tried", "expired", "released", "returned", "blocked", "cancelled",
        "reopened", "feedback", "note", "removed", "resolved", "undo", "redo",
    )),
    *("delegation." + word for word in (
        "offered", "received", "pending", "accepted", "rejected", "completed", "failed",
        "cancelled", "reopened", "removed", "resolved", "undo", "redo",
    )),
    *("instance." + word for word in (
        "created", "registered", "configured", "starting", "running", "paused", "stopping",
        "stopped", "error", "terminated", "removed", "resolved", "undo", "redo",
    )),
    "run.ending", "run.archived", "child.event", "undo", "redo",
)  # fmt: skip
"""What the kind of an event may be."""


class Patch(NamedTuple):
    """What an event changes: fields set, and elements put into or taken out of sets.

    `base` holds the value each set field had before, which undo restores. Sets (tags,
    dependencies, capabilities) change one element at a time, so that two people can both add one.
    """

    set: Mapping[str, Any] = {}
    base: Mapping[str, Any] = {}
    on: Mapping[str, tuple[str, ...]] = {}
    off: Mapping[str, tuple[str, ...]] = {}

    @property
    def inverse(self) -> Patch:
        """The patch that takes this one back."""
        return Patch(set=self.base, base=self.set, on=self.off, off=self.on)


class Event(NamedTuple):
    """One change to one entity, as recorded.

    `entity` is "instance", "task" or "delegation" and `key` its id; `kind` says what happened
    (`task.claimed`); `group` joins the events of one command, the unit of undo; `note` carries
    what changes no field: a text, a decision, a summary. `replica` is the clone it was made in,
    "" where the record stays on one machine.
    """

    seq: int
    group: str
    at: str
    actor: str
    kind: str
    entity: str
    key: str
    patch: Patch
    note: Any = None
    replica: str = ""


class HopperEvent(NamedTuple):
    """Something a child hopper tells its parent: see `Hopper.notify_parent`."""

    kind: str
    task: str | None = None
    data: Mapping[str, Any] = {}

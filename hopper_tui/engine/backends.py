"""Backends that a configuration may name, and what stands in for those that are not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STAND_INS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("intelligence", "provider"), "llm", "tasks are routed by rules"),
    (("intelligence", "provider"), "sage", "tasks are routed by rules"),
    (("routing_engine",), "llm", "tasks are routed by rules"),
    (("routing_engine",), "sage", "tasks are routed by rules"),
    (("memory", "episodic", "backend"), "opensearch", "decisions are kept in the event log"),
    (("memory", "consolidated", "backend"), "gitlab", "nothing is consolidated"),
    (("persistence", "storage"), "postgresql", "tasks are kept in SQLite"),
)
"""Where a configuration names a backend, its name, and what happens without it."""


def stand_ins(config: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each configured backend that this Hopper does without."""
    for path, backend, instead in _STAND_INS:
        value: Any = config
        for name in path:
            value = value.get(name) if hasattr(value, "get") else None
        if value == backend:
            yield f"{'.'.join(path)}: {backend} is not available here; {instead}"

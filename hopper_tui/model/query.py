"""Query: which tasks, in which order. Stores translate it; the filter language makes it."""

from __future__ import annotations

from typing import NamedTuple

SORTS: tuple[str, ...] = ("queue", "created", "updated", "due", "title", "status")
"""`queue` is the order in which work is handed out: priority, then first in first out."""


class Term(NamedTuple):
    """One condition: `field` compared by `op` (`=`, `<`, `<=`, `>`, `>=`) with any of `values`.

    Field `text` looks in title, description and tags; `fuzzy` for the letters in order.
    """

    field: str
    values: tuple[str, ...]
    op: str = "="
    negated: bool = False


class Query(NamedTuple):
    """Tasks of one instance (None: all in the store) for which every term holds.

    Closed tasks are left out unless `closed`, or a term asks for a status.
    """

    instance: str | None = None
    terms: tuple[Term, ...] = ()
    closed: bool = False
    sort: str = "queue"
    limit: int | None = None

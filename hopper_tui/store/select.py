"""Queries as SQL: every value is bound, every column comes from a table here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.model.errors import Invalid
from hopper_tui.model.lifecycle import CLOSED, Priority

if TYPE_CHECKING:
    from hopper_tui.model.query import Query, Term

IS_OPEN = "status <> 'done' AND status <> 'failed' AND status <> 'cancelled'"
"""Word for word the condition of the partial index task_open, which each change of a task is held
against: NOT IN would make a table of the three each time."""
IS_READY = "status = 'pending' AND open_deps = 0"
"""Word for word the condition of the partial index task_ready."""

SORT_SQL: dict[str, str] = {
    "queue": "priority, born, n",
    "created": "born, n",
    "updated": "updated_at DESC, born, n",
    "due": "due IS NULL, due, priority, born, n",
    "title": "title COLLATE NOCASE, born, n",
    "status": "status, priority, born, n",
}

_TRIGRAM = 3
"""FTS5's trigram index finds nothing shorter."""
_NEWEST = 5000
"""So many tasks are looked at for the words in use: the cost stays flat as the backlog grows."""
_WORDS = 200
"""No more words of one field than that are of use to anybody who types."""
_PROSE = ("title", "description")
_JSON_SIGNS = frozenset('"[],\\')
"""Tags are kept as JSON; its signs between them are nobody's text."""

_COLUMNS: dict[str, str] = {
    "status": "status",
    "priority": "priority",
    "owner": "owner COLLATE NOCASE",
    "project": "project COLLATE NOCASE",
    "executor": "executor_preference COLLATE NOCASE",
    "phase": "phase COLLATE NOCASE",
    "source": "source COLLATE NOCASE",
    "requester": "requester COLLATE NOCASE",
    "created": "created_at",
    "updated": "updated_at",
    "completed": "completed_at",
    "due": "due",
    "root": "root_task",
    "parent": "parent_task_id",
}
_LISTS: dict[str, str] = {"tag": "tags", "capability": "required_capabilities"}
_FLAGS: dict[str, str] = {
    "ready": f"({IS_READY})",
    "waiting": "(waiting = 1 AND status = 'pending')",
    "blocked": "(status = 'blocked' OR open_deps > 0)",
    "rated": "(feedback IS NOT NULL)",
    "overdue": "(due IS NOT NULL AND due < ?)",
}
_OPS = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
FIELDS = (*_COLUMNS, *_LISTS, *_FLAGS, "id", "text", "fuzzy")


def _like(text: str) -> str:
    """A pattern for text that contains `text`; a NUL would end the pattern, so it is left out."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%".replace("\0", "")


def _text(value: str) -> tuple[str, list[Any]]:
    columns = _PROSE if _JSON_SIGNS.intersection(value) else (*_PROSE, "tags")
    if "\0" in value:  # neither the index nor a pattern can look beyond one
        found = " OR ".join(f"instr({c}, ?)" for c in columns)
        return f"({found})", [value] * len(columns)
    if len(value) >= _TRIGRAM:
        phrase = value.replace('"', '""')
        match = f'{{{" ".join(columns)}}} : "{phrase}"'
        return "n IN (SELECT rowid FROM tasks_fts WHERE tasks_fts MATCH ?)", [match]
    likes = " OR ".join(f"{c} LIKE ? ESCAPE '\\'" for c in columns)
    return f"({likes})", [_like(value)] * len(columns)


def _fuzzy(value: str) -> tuple[str, list[Any]]:
    return "title LIKE ? ESCAPE '\\'", ["%" + "".join(_like(c)[1:] for c in value)]


def _one(term: Term, value: str) -> tuple[str, list[Any]]:
    if term.field == "text":
        return _text(value)
    if term.field == "fuzzy":
        return _fuzzy(value)
    if term.field == "id":
        return "id >= ? AND id < ? || '~'", [value, value]
    if term.field in _FLAGS:
        sql = _FLAGS[term.field]
        return sql, [value] * sql.count("?")
    if term.field in _LISTS:
        column = _LISTS[term.field]
        sql = f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = ? COLLATE NOCASE)"
        return sql, [value]
    if term.field not in _COLUMNS:
        raise Invalid(f"cannot filter by {term.field!r}", "Choose one of: " + ", ".join(FIELDS))
    column = _COLUMNS[term.field]
    bound: Any = Priority.read(value).rank if term.field == "priority" else value
    op = _OPS[term.op]
    if term.field == "priority":  # urgent is rank 0, so "priority >= high" is "rank <= 1"
        op = op.translate(str.maketrans("<>", "><"))
    return f"{column} {op} ?", [bound]


def where(query: Query) -> tuple[str, list[Any]]:
    """The WHERE clause of a query and its values."""
    clauses: list[str] = []
    values: list[Any] = []
    if query.instance is not None:
        clauses.append("instance_id = ?")
        values.append(query.instance)
    asked = [term for term in query.terms if term.field == "status" and not term.negated]
    if any(CLOSED.isdisjoint(t.values) for t in asked) or not (asked or query.closed):
        clauses.append(IS_OPEN)  # said even where it follows: the index is used only then
    for term in query.terms:
        parts = [_one(term, value) for value in term.values]
        sql = " OR ".join(p[0] for p in parts) or "1"
        values += [v for p in parts for v in p[1]]
        if term.negated:
            clauses.append(f"NOT coalesce(({sql}), 0)")
        else:
            clauses.append(f"({sql})" if len(parts) > 1 else sql)
    return " AND ".join(clauses) or "1", values


def words(field: str) -> str:
    """The statement for the values of a text field or a list, given an instance."""
    column = _LISTS.get(field) or _COLUMNS[field].split()[0]
    newest = f"SELECT {column} AS found FROM tasks WHERE instance_id = ? ORDER BY n DESC"
    source = f"({newest} LIMIT {_NEWEST:d})"
    value = "found"
    if field in _LISTS:
        source, value = f"{source}, json_each(found)", "value"
    return (
        f"SELECT {value} FROM {source} WHERE {value} IS NOT NULL AND {value} <> ''"
        f" GROUP BY {value} ORDER BY count(*) DESC, {value} LIMIT {_WORDS:d}"
    )


def tail(query: Query) -> str:
    """ORDER BY and LIMIT of a query; raises Invalid for an unknown order."""
    order = SORT_SQL.get(query.sort)
    if order is None:
        raise Invalid(f"cannot sort by {query.sort!r}", "Choose one of: " + ", ".join(SORT_SQL))
    limit = "" if query.limit is None else f" LIMIT {int(query.limit):d}"
    return f" ORDER BY {order}{limit}"

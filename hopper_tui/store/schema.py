"""The schema of a SQLite store, as migrations that sqlite-utils applies in order.

Loaded only when a database is new or older than the code.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from threading import Lock

from sqlite_utils import Database, Migrations

migrations = Migrations("hopper")


@migrations()
def tables(db: Database) -> None:
    """Events are the record; the other tables are projections of them.

    Parents live in other stores, so `parent` and `parent_task_id` cannot be foreign keys.
    """
    db.create_table(
        "events",
        {
            "seq": int, "grp": str, "at": str, "actor": str, "kind": str, "entity": str,
            "key": str, "patch": str, "note": str,
        },
        pk="seq",
        not_null={"grp", "at", "actor", "kind", "entity", "key", "patch"},
        strict=True,
    )  # fmt: skip
    db.create_table(
        "hopper_instances",
        {
            "instance_id": str, "name": str, "scope": str, "parent": str, "status": str,
            "config": str, "reason": str, "created_at": str, "started_at": str, "stopped_at": str,
        },
        pk="instance_id",
        not_null={"name", "scope", "status", "config", "created_at"},
        strict=True,
    )  # fmt: skip
    db.create_table(
        "tasks",
        {
            "n": int, "id": str, "title": str, "description": str, "instance_id": str,
            "project": str, "tags": str, "priority": int, "status": str, "owner": str,
            "executor_preference": str, "required_capabilities": str, "depends_on": str,
            "needs_orchestration": int, "phase": str, "estimated_effort": str, "due": str,
            "requester": str, "source": str, "external": str, "metadata": str,
            "parent_task_id": str, "root_task": str, "origin": str, "attempts": int,
            "lease_expires_at": str, "result": str, "feedback": str, "reason": str,
            "waiting": int, "open_deps": int, "created_at": str, "updated_at": str,
            "started_at": str, "completed_at": str,
        },
        pk="n",
        not_null={"id", "title", "description", "instance_id", "tags", "priority", "status"},
        strict=True,
    )  # fmt: skip
    db.create_table(
        "task_delegations",
        {
            "id": str, "task": str, "root_task": str, "source": str, "target": str, "type": str,
            "child_tasks": str, "subtasks": str, "status": str, "notes": str, "reason": str,
            "result": str, "decision": str, "delegated_at": str, "accepted_at": str,
            "completed_at": str, "told": str,
        },
        pk="id",
        not_null={"task", "root_task", "source", "target", "type", "status"},
        strict=True,
    )  # fmt: skip
    db.create_table("task_deps", {"task": str, "dep": str}, pk=("task", "dep"), strict=True)
    db.create_table(
        "status_counts", {"instance_id": str, "status": str, "n": int},
        pk=("instance_id", "status"), strict=True,
    )  # fmt: skip
    db.create_table("local", {"name": str, "value": str}, pk="name", strict=True)


@migrations()
def indexes(db: Database) -> None:
    """Partial indexes, so that claiming and listing cost the same at any backlog.

    A plain index on status would be taken by the planner for the claim and make it slow.
    """
    for sql in (
        "CREATE UNIQUE INDEX task_id ON tasks (id)",
        "CREATE INDEX task_ready ON tasks (instance_id, priority, n)"
        " WHERE status = 'pending' AND open_deps = 0",
        "CREATE INDEX task_open ON tasks (instance_id, priority, n)"
        " WHERE status NOT IN ('done', 'failed', 'cancelled')",
        "CREATE INDEX task_waiting ON tasks (instance_id, priority, n)"
        " WHERE waiting = 1 AND status = 'pending' AND open_deps = 0",
        "CREATE INDEX task_origin ON tasks (origin) WHERE origin IS NOT NULL",
        "CREATE INDEX task_root ON tasks (root_task) WHERE root_task IS NOT NULL",
        "CREATE INDEX dep_on ON task_deps (dep)",
        "CREATE INDEX hop_task ON task_delegations (task)",
        "CREATE INDEX hop_root ON task_delegations (root_task)",
        "CREATE INDEX hop_unsettled ON task_delegations (id) WHERE told IS NOT status",
        "CREATE INDEX event_key ON events (key, seq)",
        "CREATE INDEX event_group ON events (grp)",
    ):
        db.execute(sql)


@migrations()
def counters(db: Database) -> None:
    """Counts by status, kept by triggers: counting a million rows would take a quarter second."""
    bump = (
        "INSERT INTO status_counts VALUES ({0}.instance_id, {0}.status, {1})"
        " ON CONFLICT DO UPDATE SET n = n + {1};"
    )
    db.execute(f"CREATE TRIGGER count_new AFTER INSERT ON tasks BEGIN {bump.format('NEW', 1)} END")
    db.execute(
        f"CREATE TRIGGER count_gone AFTER DELETE ON tasks BEGIN {bump.format('OLD', -1)} END"
    )
    db.execute(
        "CREATE TRIGGER count_moved AFTER UPDATE OF status, instance_id ON tasks"
        " WHEN OLD.status <> NEW.status OR OLD.instance_id <> NEW.instance_id"
        f" BEGIN {bump.format('OLD', -1)} {bump.format('NEW', 1)} END"
    )
    db.execute(
        "INSERT INTO status_counts SELECT instance_id, status, count(*) FROM tasks GROUP BY 1, 2"
    )


@migrations()
def full_text(db: Database) -> None:
    """Substring search over title, description and tags.

    The triggers are written out, because those of `enable_fts` would index anew on every claim.
    """
    db.execute(
        "CREATE VIRTUAL TABLE tasks_fts USING fts5"
        " (title, description, tags, content='tasks', content_rowid='n', tokenize='trigram')"
    )
    new = (
        "INSERT INTO tasks_fts (rowid, title, description, tags)"
        " VALUES (NEW.n, NEW.title, NEW.description, NEW.tags);"
    )
    old = (
        "INSERT INTO tasks_fts (tasks_fts, rowid, title, description, tags)"
        " VALUES ('delete', OLD.n, OLD.title, OLD.description, OLD.tags);"
    )
    db.execute(f"CREATE TRIGGER fts_new AFTER INSERT ON tasks BEGIN {new} END")
    db.execute(f"CREATE TRIGGER fts_gone AFTER DELETE ON tasks BEGIN {old} END")
    db.execute(
        "CREATE TRIGGER fts_changed AFTER UPDATE OF title, description, tags ON tasks"
        f" BEGIN {old} {new} END"
    )
    db.execute("INSERT INTO tasks_fts (tasks_fts) VALUES ('rebuild')")


@migrations()
def journal(db: Database) -> None:
    """What a store needs whose truth is a journal: who made an event and when, which files hold
    it, and whether they are in this checkout; `born` orders what clones made apart."""
    for column in (
        "events ADD COLUMN id TEXT",
        "events ADD COLUMN clock TEXT",
        "events ADD COLUMN replica TEXT",
        "events ADD COLUMN present INTEGER NOT NULL DEFAULT 1",
        "tasks ADD COLUMN born TEXT NOT NULL DEFAULT ''",
        "task_delegations ADD COLUMN born TEXT NOT NULL DEFAULT ''",
        "task_deps ADD COLUMN since TEXT NOT NULL DEFAULT ''",
        "task_deps ADD COLUMN inert INTEGER NOT NULL DEFAULT 0",
    ):
        db.execute(f"ALTER TABLE {column}")
    for sql in (
        "CREATE TABLE files (file INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
        " present INTEGER NOT NULL) STRICT",
        "CREATE TABLE file_events (file INTEGER NOT NULL, seq INTEGER NOT NULL,"
        " PRIMARY KEY (file, seq)) STRICT, WITHOUT ROWID",
        "CREATE TABLE damage (file INTEGER NOT NULL, line INTEGER NOT NULL, reason TEXT NOT NULL)"
        " STRICT",
        "CREATE TABLE clashes (entity TEXT NOT NULL, key TEXT NOT NULL, register TEXT NOT NULL,"
        " winner TEXT NOT NULL, loser TEXT NOT NULL, kind TEXT NOT NULL) STRICT",
        "CREATE UNIQUE INDEX event_id ON events (id) WHERE id IS NOT NULL",
        "CREATE INDEX event_clock ON events (clock) WHERE clock IS NOT NULL",
        "CREATE INDEX file_event ON file_events (seq)",
        "CREATE INDEX clash_key ON clashes (key)",
        "CREATE INDEX dep_inert ON task_deps (task) WHERE inert = 1",
        "CREATE INDEX task_leased ON tasks (instance_id, lease_expires_at)"
        " WHERE lease_expires_at IS NOT NULL",
        "DROP INDEX task_origin",
        "CREATE INDEX task_origin ON tasks (origin, born, n) WHERE origin IS NOT NULL",
        "DROP INDEX task_ready",
        "DROP INDEX task_open",
        "DROP INDEX task_waiting",
        "CREATE INDEX task_ready ON tasks (instance_id, priority, born, n)"
        " WHERE status = 'pending' AND open_deps = 0",
        "CREATE INDEX task_open ON tasks (instance_id, priority, born, n)"
        " WHERE status NOT IN ('done', 'failed', 'cancelled')",
        "CREATE INDEX task_waiting ON tasks (instance_id, priority, born, n)"
        " WHERE waiting = 1 AND status = 'pending' AND open_deps = 0",
    ):
        db.execute(sql)


@migrations()
def attempts(db: Database) -> None:
    """When a task that failed may be tried again, and leases by the time they end."""
    for sql in (
        "ALTER TABLE tasks ADD COLUMN not_before TEXT",
        "DROP INDEX task_leased",
        "CREATE INDEX task_leased ON tasks (lease_expires_at) WHERE lease_expires_at IS NOT NULL",
    ):
        db.execute(sql)


@migrations()
def later(db: Database) -> None:
    """When the next task may be tried again, at any backlog."""
    db.execute(
        "CREATE INDEX task_later ON tasks (instance_id, not_before)"
        " WHERE not_before IS NOT NULL AND status = 'pending' AND open_deps = 0"
    )


@migrations()
def numbered(db: Database) -> None:
    """The number of the task that an event is about, by which the stores of runs find it."""
    db.execute("ALTER TABLE events ADD COLUMN task INTEGER")


@migrations()
def chained(db: Database) -> None:
    """The last event of a task, and the one before each, by which the stores of runs find them: an
    index of events would be written to by every command."""
    for sql in (
        "DROP INDEX IF EXISTS event_task",
        "DROP INDEX IF EXISTS event_other",
        "ALTER TABLE events DROP COLUMN task",
        "ALTER TABLE events ADD COLUMN prev INTEGER",
        "ALTER TABLE tasks ADD COLUMN last_event INTEGER",
    ):
        db.execute(sql)


@migrations()
def open_index(db: Database) -> None:
    """The same index of open tasks, with a condition that is held against a task in a third of the
    time: NOT IN makes a table of its values each time."""
    for sql in (
        "DROP INDEX task_open",
        "CREATE INDEX task_open ON tasks (instance_id, priority, born, n)"
        " WHERE status <> 'done' AND status <> 'failed' AND status <> 'cancelled'",
    ):
        db.execute(sql)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database up to `version`; each migration is one transaction."""
    db = Database(connection)
    migrations.apply(db)
    connection.execute(f"PRAGMA user_version = {version:d}")


_copying = Lock()


def fill(connection: sqlite3.Connection, version: int) -> None:
    """Make a store of an empty database in memory: as a copy, which takes a twentieth of the time
    of all migrations."""
    with _copying:
        _blank(version).backup(connection)


@cache
def _blank(version: int) -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(made, version)
    return made

"""The journaled store: a SQLite cache of the events in a journal that travels in git.

The journal's files are the truth. The database can be deleted at any moment; it keeps every event
ever seen here, with whether it is in this checkout, so that switching a branch folds anew only
what differs. Source of the rules: docs/git.md.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hopper_tui.journal import files, hlc, record
from hopper_tui.journal.files import Journal
from hopper_tui.journal.fold import Fold, fold
from hopper_tui.journal.record import Record
from hopper_tui.model.clock import seconds, stamp
from hopper_tui.model.conflict import Absorbed, Conflict, Side
from hopper_tui.model.errors import StorageError
from hopper_tui.model.event import Event
from hopper_tui.model.task import Task
from hopper_tui.store.failure import is_out_of_space
from hopper_tui.store.gate import Gate
from hopper_tui.store.leases import Leases
from hopper_tui.store.projecting import Projection
from hopper_tui.store.recording import JournalTransaction
from hopper_tui.store.sqlite import SqliteStore
from hopper_tui.store.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hopper_tui.journal.replica import Replica
    from hopper_tui.model.ids import Entropy

FRESH = 0.05
"""Seconds for which a look at the journal's directory is good enough for another read."""
SKEW = 3600.0
"""Seconds by which a clock may be off before the doctor says so."""
MARK = "journal:names"
"""Under this local name stands the fingerprint of the file names last taken in."""
_CHUNK = 500
"""Values bound in one statement."""
_INSERT_RECORD = (
    "INSERT INTO events (seq, grp, at, actor, kind, entity, key, patch, id, clock, replica)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ORDER = ("clock", "replica", "id")

Place = tuple[str, str]
"""An entity: what it is, and its key."""


class JournaledStore(SqliteStore):
    """The store of a project whose `.hopper/` travels in git.

    `path` is the cache. In a directory that cannot be written the cache is kept in memory, and
    nothing can be changed. `instance` is the project's id: what events are about that lack it.
    """

    synchronous = "NORMAL"
    comes_back = True
    travels = True
    step: Callable[[str], None] = staticmethod(lambda _: None)
    """Told each step of writing when it is done."""

    def __init__(
        self, path: Path, journal: Journal, replica: Replica, instance: str, entropy: Entropy
    ) -> None:
        super().__init__(path)
        self.journal = journal
        self.clone = replica
        self.instance_id = instance
        self.entropy = entropy
        self.leases = Leases(replica.leases, journal.root)
        self._file = path
        self._looked = 0.0
        self._changed = False
        self._cramped = False
        self._printed: tuple[Iterable[str], str] = (frozenset(), files.fingerprint(()))
        self._notices: list[str] = []
        self._at_work = False
        self._open_transaction: JournalTransaction | None = None

    @property
    def replica(self) -> str:  # type: ignore[override]
        """Which clone writes here; "" before it has written anything."""
        return self.clone.known_id or ""

    # Opening

    def _open(self) -> sqlite3.Connection:
        self._check_directory(str(self.journal.directory.parent.parent))
        self._check_format()
        self._check_sparse()
        if not _writable(self._file.parent):
            return self._open_in_memory()
        try:
            db = super()._open()
            db.execute("SELECT 1 FROM files LIMIT 1").fetchone()
            return db
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
                raise
        except StorageError:  # of a newer version: a cache all the same
            if not self.journal.names():
                raise
        self._set_aside()
        return super()._open()

    def _may_write(self, path: Path) -> bool:
        is_possible = _writable(path.parent) and (not path.exists() or super()._may_write(path))
        return is_possible and not self._cramped

    def _set_aside(self) -> None:
        """Begin a new cache; the old file keeps its content under another name."""
        aside = f"{self._file}.damaged"
        os.replace(self._file, aside)
        for suffix in ("-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        self._notices.append(
            f"the cache {self._file.name} could not be used and was made anew from the journal;"
            f" the old one is {aside}"
        )

    def _open_in_memory(self) -> sqlite3.Connection:
        db = self._connect(":memory:")
        self._migrate(db)
        self._gate = Gate(None)
        self._read_only = True
        return db

    def _check_format(self) -> None:
        """Raise StorageError when the directory needs a newer Hopper to be read."""
        path = os.path.join(os.path.dirname(self.journal.root), "format.json")
        try:
            with open(path, encoding="utf-8") as opened:
                import json

                needed = json.load(opened)["min_reader"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        if isinstance(needed, int) and needed > record.FORMAT:
            raise StorageError(
                f"{os.path.dirname(path)} is of format {needed}, and this Hopper reads"
                f" {record.FORMAT}",
                "Upgrade Hopper; nothing was changed",
                "newer",
            )

    def _check_sparse(self) -> None:
        """Raise StorageError when a sparse checkout hides the journal: its queue would look
        empty."""
        from hopper_tui.journal import git

        hidden = git.hidden_by_sparse_checkout(self.journal.directory)
        if hidden:
            raise StorageError(
                f"a sparse checkout hides {hidden} of the journal's files in {self.journal.root}",
                "Let git check them out: git sparse-checkout add .hopper",
            )

    def _check_there(self, db: sqlite3.Connection) -> None:
        """Raise StorageError when the journal is not here any more: no files would mean no tasks,
        and what is written now would bring back a directory that somebody removed."""
        self._check_sparse()
        if db.execute("SELECT 1 FROM files WHERE present = 1 LIMIT 1").fetchone():
            self._check_directory(self.journal.root)

    def _check_directory(self, path: str) -> None:
        if not os.path.isdir(path):
            raise StorageError(
                f"{path} is not there any more",
                "Check out a branch that has it, or go on in another working tree",
            )

    # Reading

    @property
    def _reading(self) -> sqlite3.Connection:
        if not self._at_work and time.monotonic() - self._looked > FRESH:
            self.look()
        return self._connection

    def look(self) -> None:
        """Take in what came or went in the journal's directory since the last look."""
        with self._lock, self._translated():
            db = self._connection
            if self._at_work:
                return
            self._looked = 0.0  # a look that fails is none: the next reading fails as well
            names = self.journal.names()
            if self._print(db, names) != self._mark(db) or self._is_plain(db):
                try:
                    with self._updating() as db:
                        self._take_in(db)
                except StorageError as error:
                    if self._cramped or not is_out_of_space(error):
                        raise
                    self._read_without_cache()
            self._looked = time.monotonic()

    def _read_without_cache(self) -> None:
        """Read the journal although there is no room for a cache; writing looks for room again."""
        if self._db is not None:
            self._db.close()
        self._db = self._open_in_memory()
        self._cramped = True
        with self._updating() as db:
            self._take_in(db)

    def revision(self) -> int:
        """A number that changes when anybody committed, or git changed the journal."""
        self.look()
        return super().revision()

    def absorb(self) -> Absorbed:
        """Take in what came or went without a command, as by a checkout."""
        self.look()
        told = Absorbed(self._changed, tuple(self._notices))
        self._changed = False
        self._notices.clear()
        return told

    def _mark(self, db: sqlite3.Connection) -> str | None:
        row = db.execute("SELECT value FROM local WHERE name = ?", (MARK,)).fetchone()
        return row[0] if row else None

    def _is_plain(self, db: sqlite3.Connection) -> bool:
        """Whether the database was the truth so far: of a project that moved into a directory."""
        first = db.execute("SELECT id FROM events ORDER BY seq LIMIT 1").fetchone()
        return first == (None,) and not self._read_only

    @contextmanager
    def _updating(self) -> Iterator[sqlite3.Connection]:
        """Change the cache itself, which is possible in memory too."""
        read_only, self._read_only = self._read_only, False
        self._at_work = True
        try:
            with self._writing() as db:
                yield db
        finally:
            self._at_work = False
            self._read_only = read_only

    # Taking in

    def _take_in(self, db: sqlite3.Connection) -> None:
        """Make the cache what the journal says now."""
        self._check_there(db)
        if self._is_plain(db):
            self._adopt(db)
        names = self.journal.names()
        known = dict(db.execute("SELECT name, file FROM files WHERE present = 1"))
        touched: set[Place] = set()
        history: dict[Place, list[Record]] | None = None
        if not known and not db.execute("SELECT 1 FROM files LIMIT 1").fetchone():
            history = {}
        self._arrive(db, sorted(names - known.keys()), touched, history)
        self._leave(db, [known[name] for name in known.keys() - names], touched)
        self._read_again(db, touched)
        self._fold_anew(db, touched, history)
        self._set_mark(db, names)
        if touched:
            self._changed = True

    def _set_mark(self, db: sqlite3.Connection, names: Iterable[str]) -> None:
        db.execute("INSERT OR REPLACE INTO local VALUES (?, ?)", (MARK, self._print(db, names)))

    def _print(self, db: sqlite3.Connection, names: Iterable[str]) -> str:
        """A fingerprint of what is in the journal: names, and versions of damaged files, which git
        may just have been writing, or somebody restores."""
        damaged = db.execute(
            "SELECT DISTINCT name FROM damage JOIN files USING (file) WHERE present = 1"
        )
        versions = [f"{name} {self.journal.version(name)}" for (name,) in damaged]
        if versions:
            return files.fingerprint((*names, *versions))
        if names is not self._printed[0]:
            self._printed = (names, files.fingerprint(names))
        return self._printed[1]

    def _arrive(
        self,
        db: sqlite3.Connection,
        names: Sequence[str],
        touched: set[Place],
        history: dict[Place, list[Record]] | None,
    ) -> None:
        """Files that are here now: read those never seen, mark the events of the others."""
        arrived: list[tuple[Record, bytes, int]] = []
        for name in names:
            if history is None:
                row = db.execute("SELECT file FROM files WHERE name = ?", (name,)).fetchone()
                if row is not None:
                    self._return(db, row[0], touched)
                    continue
            content = self.journal.read(name)
            file = db.execute("INSERT INTO files (name, present) VALUES (?, 1)", (name,)).lastrowid
            assert file is not None
            self._note_damage(db, file, content)
            arrived += zip(content.records, content.lines, [file] * len(content.lines), strict=True)
        self._store_records(db, arrived, touched, history)

    def _read_again(self, db: sqlite3.Connection, touched: set[Place]) -> None:
        """Look whether damaged files are whole by now."""
        damaged = db.execute(
            "SELECT DISTINCT name, file FROM damage JOIN files USING (file) WHERE present = 1"
        ).fetchall()
        for name, file in damaged:
            content = self.journal.read(name)
            db.execute("DELETE FROM damage WHERE file = ?", (file,))
            self._note_damage(db, file, content)
            pairs = zip(content.records, content.lines, strict=True)
            self._store_records(db, [(*pair, file) for pair in pairs], touched, None)

    def _note_damage(self, db: sqlite3.Connection, file: int, content: files.Content) -> None:
        if content.damage:
            db.executemany(
                "INSERT INTO damage VALUES (?, ?, ?)",
                [(file, damage.line, damage.reason) for damage in content.damage],
            )

    def _store_records(
        self,
        db: sqlite3.Connection,
        arrived: list[tuple[Record, bytes, int]],
        touched: set[Place],
        history: dict[Place, list[Record]] | None,
    ) -> None:
        arrived.sort(key=lambda each: each[0].order)
        seq = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        known: dict[str, int] = {}
        if history is None:
            for start in range(0, len(arrived), _CHUNK):
                ids = [r.id for r, _, _ in arrived[start : start + _CHUNK]]
                marks = ", ".join("?" * len(ids))
                known |= dict(db.execute(f"SELECT id, seq FROM events WHERE id IN ({marks})", ids))
            db.executemany(
                "UPDATE events SET present = 1 WHERE seq = ?", [(s,) for s in known.values()]
            )
        rows, places = [], []
        for r, line, file in arrived:
            at = known.get(r.id)
            if at is None:
                seq += 1
                at = known[r.id] = seq
                rows.append(
                    (
                        seq, r.group, r.at, r.actor, r.kind, r.entity, r.key, line.decode(), r.id,
                        r.clock, r.replica,
                    )
                )  # fmt: skip
                if history is not None:
                    history.setdefault((r.entity, r.key), []).append(r)
            places.append((file, at))
            touched.add((r.entity, r.key))
        db.executemany(_INSERT_RECORD, rows)
        db.executemany("INSERT OR IGNORE INTO file_events VALUES (?, ?)", places)

    def _return(self, db: sqlite3.Connection, file: int, touched: set[Place]) -> None:
        """A file that was here before is here again."""
        db.execute("UPDATE files SET present = 1 WHERE file = ?", (file,))
        here = "seq IN (SELECT seq FROM file_events WHERE file = ?)"
        touched.update(
            db.execute(
                f"SELECT DISTINCT entity, key FROM events WHERE {here} AND present = 0", (file,)
            )
        )
        db.execute(f"UPDATE events SET present = 1 WHERE {here}", (file,))

    def _leave(self, db: sqlite3.Connection, gone: Sequence[int], touched: set[Place]) -> None:
        """Files that are not here any more: their events are remembered as absent."""
        if not gone:
            return
        db.executemany("UPDATE files SET present = 0 WHERE file = ?", [(file,) for file in gone])
        for file in gone:
            lost = db.execute(
                "SELECT e.seq, e.entity, e.key FROM file_events AS f JOIN events AS e USING (seq)"
                " WHERE f.file = ? AND NOT EXISTS (SELECT 1 FROM file_events AS o"
                " JOIN files USING (file) WHERE o.seq = f.seq AND files.present = 1)",
                (file,),
            ).fetchall()
            db.executemany(
                "UPDATE events SET present = 0 WHERE seq = ?", [(seq,) for seq, _, _ in lost]
            )
            touched.update((entity, key) for _, entity, key in lost)

    def _fold_anew(
        self,
        db: sqlite3.Connection,
        touched: Iterable[Place],
        history: Mapping[Place, list[Record]] | None = None,
    ) -> None:
        """Make the tables say what the events that are here say about these entities."""
        places = [place for place in touched if place[0] in TABLES]
        if not places:
            return
        empty = history is not None
        if history is None:
            history = self._records(db, places)
        projection = Projection(db, self.instance_id, empty=empty)
        for place in places:
            projection.show(place[1], fold(place[0], history.get(place, ())))
        projection.finish()
        self._purge_again(db)

    def _records(
        self, db: sqlite3.Connection, places: Sequence[Place]
    ) -> dict[Place, list[Record]]:
        """The events about some entities that are here."""
        found: dict[Place, list[Record]] = {}
        keys = sorted({key for _, key in places})
        for start in range(0, len(keys), _CHUNK):
            some = keys[start : start + _CHUNK]
            marks = ", ".join("?" * len(some))
            for (line,) in db.execute(
                f"SELECT patch FROM events WHERE present = 1 AND key IN ({marks})", some
            ):
                read = record.read(line.encode(), verify=False)
                found.setdefault((read.entity, read.key), []).append(read)
        return found

    def fold_of(self, db: sqlite3.Connection, entity: str, key: str) -> Fold:
        """The fold of one entity as it is here."""
        return fold(entity, self._records(db, [(entity, key)]).get((entity, key), ()))

    def _adopt(self, db: sqlite3.Connection) -> None:
        """Write the history of a store without a journal into one, and begin the cache anew."""
        told = db.execute("SELECT told, id FROM task_delegations").fetchall()
        history = super()._events("id IS NULL", (), ("seq",), False, None)
        for name in (*(t.name for t in TABLES.values()), "task_deps", "status_counts", "events"):
            db.execute(f"DELETE FROM {name}")
        tx = JournalTransaction(self, db, "", "", "")
        for event in history:
            tx.adopt(event)
        tx.commit()
        db.executemany("UPDATE task_delegations SET told = ? WHERE id = ?", told)

    # Writing

    @contextmanager
    def transaction(self, group: str, actor: str, at: str) -> Iterator[JournalTransaction]:
        """Begin writing: the events get this group, actor and time. Takes the write lock."""
        tx: JournalTransaction | None = None
        if self._cramped:
            self._cramped = False
            self.close()
        try:
            with self._writing() as db, self._working():
                if self._print(db, self.journal.names()) != self._mark(db):
                    self._take_in(db)
                tx = JournalTransaction(self, db, group, actor, at)
                self._open_transaction = tx
                with tx:
                    yield tx
        except StorageError:
            # once the file is there the change is durable; the next look takes it in
            if tx is None or not tx.is_durable:
                raise
            self._looked = 0.0
        else:
            self.step("applied")

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._at_work = True
        try:
            yield
        finally:
            self._at_work = False
            self._open_transaction = None

    def _is_taken(self) -> Callable[[str], bool] | None:
        """What tells whether another worktree of this clone has taken a task, or finished it.

        Inside a transaction nobody in the clone takes anything until that is over.
        """
        moment = stamp(time.time())
        if self._open_transaction is not None:
            moment = self._open_transaction.begin_claiming()
        if not self.leases.exist:
            return None
        return lambda key: self.leases.in_the_way(key, moment) is not None

    def expired(self, now: str) -> list[Task]:
        """The tasks that somebody holds with a lease that ran out before `now`."""
        if not self.leases.exist:
            return []
        if self._open_transaction is not None:
            self._open_transaction.begin_claiming()
        with self._lock, self._translated():
            over = {lease.task: lease.owner for lease in self.leases.expired(now)}
        held = [t for t in self.tasks(sorted(over)) if t.is_active]
        return [task for task in held if task.owner == over[task.id]]

    # The record

    def events(
        self,
        *,
        key: str | None = None,
        group: str | None = None,
        kind: str | None = None,
        after: int = 0,
        newest: bool = False,
        limit: int | None = None,
    ) -> list[Event]:
        """Recorded events that are in this checkout, oldest first unless `newest`.

        After a sequence number they come as they were taken in, otherwise in their own order.
        """
        clauses, values = ["present = 1"], []
        for column, value in (("key", key), ("grp", group), ("kind", kind)):
            if value is not None:
                clauses.append(f"{column} = ?")
                values.append(value)
        if after:
            clauses.append(f"seq > {after:d}")
        order = ("seq",) if after else _ORDER
        return self._events(" AND ".join(clauses), values, order, newest, limit)

    def _event(self, row: Sequence[Any]) -> Event:
        try:
            read = record.read(row[7].encode(), verify=False)
        except record.Damaged:  # of before the project had a journal
            return super()._event(row)
        patch = read.patch
        if patch.set and not read.is_creation and read.entity in TABLES:
            patch = patch._replace(base=_Before(self, read))
        return Event(
            row[0], read.group, read.at, read.actor, read.kind, read.entity, read.key, patch,
            read.note, read.replica,
        )  # fmt: skip

    def before(self, event: Record) -> Mapping[str, Any]:
        """What the fields that an event set were before it."""
        with self._lock, self._translated():
            records = self._records(self._reading, [(event.entity, event.key)])
        earlier = [r for r in records.get((event.entity, event.key), ()) if r.order < event.order]
        state = fold(event.entity, earlier).state or {}
        defaults = TABLES[event.entity].defaults
        return {name: state.get(name, defaults.get(name)) for name in event.patch.set}

    def conflicts(self, kind: str | None = None) -> list[Conflict]:
        """Changes that had not seen each other, the oldest first, perhaps of one kind only."""
        found: list[tuple[tuple[str, str, str], Conflict]] = []
        with self._lock, self._translated():
            db = self._reading
            rows = db.execute(
                "SELECT * FROM clashes WHERE kind = coalesce(?, kind)", (kind,)
            ).fetchall()
            records = self._records(db, [(row[0], row[1]) for row in rows])
        for entity, key, register, winner, loser, kind in rows:
            about = {r.id: r for r in records.get((entity, key), ())}
            folded = fold(entity, about.values())
            sides = [
                Side(r.id, r.actor, r.at, r.replica, folded.value_of(r.id, register))
                for r in (about[winner], about[loser])
            ]
            conflict = Conflict(entity, key, register, kind, *sides)
            found.append((about[loser].order, conflict))
        return [conflict for _, conflict in sorted(found, key=lambda each: each[0])]

    def elsewhere(self, prefix: str) -> dict[str, str]:
        """Tasks known from another branch by a prefix of their id: id and title."""
        rows = self._all(
            "SELECT patch FROM events WHERE present = 0 AND entity = 'task'"
            " AND key >= ? AND key < ? || '~' ORDER BY clock, replica, id LIMIT 200",
            (prefix, prefix),
        )
        titles: dict[str, str] = {}
        for (line,) in rows:
            read = record.read(line.encode(), verify=False)
            title = read.patch.set.get("title")
            if isinstance(title, str):
                titles[read.key] = title
            titles.setdefault(read.key, read.key)
        return {key: title for key, title in titles.items() if self.task(key) is None}

    def files_of(self, key: str) -> set[str]:
        """The names of the files, absent ones included, that events about an entity were in."""
        rows = self._all(
            "SELECT name FROM files JOIN file_events USING (file) JOIN events USING (seq)"
            " WHERE key = ?",
            (key,),
        )
        return {name for (name,) in rows}

    def lines_of(self, keys: Iterable[str]) -> list[tuple[Record, bytes]]:
        """Every event ever seen here about some entities, absent ones included, with its line."""
        found = []
        for key in keys:
            for (line,) in self._all("SELECT patch FROM events WHERE key = ?", (key,)):
                found.append((record.read(line.encode(), verify=False), line.encode()))
        return found

    def absent_lines(self) -> list[tuple[Record, bytes]]:
        """Every event ever seen here that is not in this checkout, with its line."""
        rows = self._all("SELECT patch FROM events WHERE present = 0")
        return [(record.read(line.encode(), verify=False), line.encode()) for (line,) in rows]

    def ids_by_file(self) -> dict[str, set[str]]:
        """The ids of the events that were taken in of each file that is here."""
        found: dict[str, set[str]] = {}
        for name, key in self._all(
            "SELECT files.name, events.id FROM files JOIN file_events USING (file)"
            " JOIN events USING (seq) WHERE files.present = 1"
        ):
            found.setdefault(name, set()).add(key)
        return found

    def present_ids(self) -> set[str]:
        """The ids of all events in this checkout."""
        return {row[0] for row in self._all("SELECT id FROM events WHERE present = 1")}

    def add_lines(self, lines: Sequence[bytes]) -> str | None:
        """Put events into this checkout, in a file of a fresh name, which is returned; None when
        there are none."""
        if not lines:
            return None
        with self._lock, self._translated():
            now = time.time()
            clock = hlc.tick(hlc.START, now)
            name = files.new_name(clock, self.clone.id, self.salt())
            self.journal.write(name, files.content(lines), self.step)
            with suppress(OSError):
                self.clone.keep(self.journal, name)
            self._looked = 0.0
            self.look()
        return name

    def salt(self) -> str:
        """What makes the name of a file unique, whatever the clock says."""
        return files.random_salt(self.entropy)

    # Maintenance

    def rebuild(self) -> int:
        """Make the cache anew from the journal; returns how many events were folded."""
        with self._lock, self._translated():
            told = self._all("SELECT told, id FROM task_delegations")
            with self._updating() as db:
                if self._is_plain(db):
                    self._adopt(db)
                for name in (
                    *(t.name for t in TABLES.values()), "task_deps", "status_counts", "clashes",
                    "damage", "file_events", "files", "events",
                ):  # fmt: skip
                    db.execute(f"DELETE FROM {name}")
                self._take_in(db)
                db.executemany("UPDATE task_delegations SET told = ? WHERE id = ?", told)
            return int(self._one("SELECT count(*) FROM events WHERE present = 1")[0])

    def damage(self) -> list[files.Damage]:
        """What could not be used in the files that are here."""
        rows = self._all(
            "SELECT name, line, reason FROM damage JOIN files USING (file) WHERE present = 1"
            " ORDER BY name, line"
        )
        return [files.Damage(*row) for row in rows]

    def check(self) -> list[str]:
        """What is wrong with the stored data, in sentences; empty when all is well."""
        found = super().check()
        for name, line, reason in self.damage():
            where = f"line {line} " if line else ""
            found.append(f"journal/{name}: {where}{reason}; what is whole is used")
        for task, dep in self._all("SELECT task, dep FROM task_deps WHERE inert = 1"):
            found.append(f"{task} waits for {dep} in a circle; that dependency has no effect")
        for path in self.journal.odd():
            found.append(f"journal/{path} is no journal file and is ignored")
        return found

    def skew(self, now: float) -> list[str]:
        """Whose clock differs by more than an hour from the others', in sentences.

        The wall clock of an event is compared with `now`, and with the events its author had
        seen: an event takes at least their clock.
        """
        off: dict[str, float] = {}
        beyond = False
        for replica, at, clock in self._all(
            "SELECT replica, at, clock FROM events WHERE present = 1 AND clock IS NOT NULL"
            " ORDER BY clock, replica, id"
        ):
            wall, said = seconds(at), hlc.seconds(clock)
            if said <= now + SKEW:
                gap = min(0.0, wall - said)
            else:  # the first one beyond is the cause; who had seen it has to follow
                gap = max(wall, now if beyond else said) - now
                beyond = True
            if abs(gap) > max(SKEW, abs(off.get(replica, 0.0))):
                off[replica] = gap
        return [
            f"the clock of replica {replica} was {_long(gap)} {'ahead' if gap > 0 else 'behind'};"
            " the order of events holds"
            for replica, gap in sorted(off.items())
        ]

    def close(self) -> None:
        """Give everything held open back; the next use opens it again."""
        super().close()
        if self._db is None:
            self.leases.close()
            self._gate = Gate(self.path)

    def _purge_again(self, db: sqlite3.Connection) -> None:
        """What was purged here stays away, though its events come and go with the checkout."""
        for name, before in db.execute(
            "SELECT name, value FROM local WHERE name LIKE 'purged:%'"
        ).fetchall():
            self._purge(db, name.partition(":")[2], before)


class _Before(Mapping[str, Any]):
    """The values before an event, looked up when somebody asks."""

    def __init__(self, store: JournaledStore, event: Record) -> None:
        self._store = store
        self._event = event
        self._known: Mapping[str, Any] | None = None

    def _values(self) -> Mapping[str, Any]:
        if self._known is None:
            self._known = self._store.before(self._event)
        return self._known

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._event.patch.set)

    def __len__(self) -> int:
        return len(self._event.patch.set)


def _long(gap: float) -> str:
    """A time in one unit, as people say it."""
    hours = round(abs(gap) / 3600)
    number, unit = next(
        ((hours // size, unit) for unit, size in (("year", 8760), ("day", 24)) if hours >= size),
        (hours, "hour"),
    )
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _writable(directory: Path) -> bool:
    """Whether files can be made in a directory, or the directory itself can be made."""
    path = str(directory)
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return os.access(path, os.W_OK)

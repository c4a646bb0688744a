"""Walk: three clones of one repository do at random what people do with git and with tasks.

    walk = Walk(seed, directory)
    walk.run(steps=60)      # raises Astray, which tells the last steps

Git is real, tasks are changed in this process. After every step the working tree it was made in is
looked at: git reports no conflict and refuses nothing, no line of the journal is damaged, every
task that a file there creates is there and no other, and the tables are what a cache begun anew
makes of the same files. In the end everything is merged and all clones show the same.

Everything follows from the seed: time, ids, and which steps are made.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hopper_tui.engine import bringing, committing, compacting, recovering
from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.journal.files import Journal
from hopper_tui.journal.replica import Replica
from hopper_tui.model.errors import HopperError, StorageError
from hopper_tui.model.query import Query
from hopper_tui.model.task import Task
from hopper_tui.store.journaled import JournaledStore
from hopper_tui.store.tables import TABLES

from .clones import QUICK_GIT

Tables = dict[str, list[dict[str, Any]]]
"""The rows of each table."""

START = 1_795_980_000.0
"""Seconds since the epoch: the evening of a 29 November, so that a walk sees two months."""
PAUSE = 7200
"""Seconds that pass between two steps, at most."""
SKEW = 4000
"""Seconds by which the clock of a clone is wrong, at most."""
BRANCHES = 4
TEMPLATE = "Read the guide, change the code, run the checks and say what you did. " * 40
"""A long text that many tasks share, as those have that agents add."""
_LOCAL = {"lease_expires_at", "told"}
"""Columns that never leave a machine."""


SEEDS = Path(__file__).with_name("walk_seeds.txt")
"""Walks that went astray once: a seed and a number of steps a line."""


class Astray(AssertionError):
    """A walk that came upon what must not be."""


@dataclass
class Tree:
    """A working tree of a clone, and the world of who works in it."""

    clone: str
    root: Path
    home: Path
    skew: float
    world: World

    @property
    def store(self) -> JournaledStore:
        """The store of the project in this tree."""
        store = self.world.store("hopper-web")
        assert isinstance(store, JournaledStore)
        return store

    @property
    def journal(self) -> Path:
        """The directory of the journal."""
        return self.root / ".hopper" / "journal"


class Walk:
    """One walk, which keeps everything below `directory`."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.directory = directory
        self.now = START
        self.log: deque[str] = deque(maxlen=12)
        self.trees: dict[str, Tree] = {}
        self.withdrawn: set[str] = set()
        self.made: Counter[str] = Counter()
        self._count = 0
        self._finished: set[str] = set()
        self._taken: set[str] = set()
        self._seen: dict[str, tuple[bytes, tuple[tuple[str, str | None], ...]]] = {}
        self._blank: Path | None = None
        self._expected: dict[frozenset[str], Tables] = {}
        self._merged: dict[Path, bytes] = {}
        self._begin()

    def _begin(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._git(self.directory, "init", "-q", "--bare", "-b", "main", "origin.git")
        for name in ("ann", "bob", "eve"):
            root = self.directory / name
            self._git(self.directory, "clone", "-q", "origin.git", name)
            tree = self._tree(name, name, root)
            if name == "ann":
                self._git(root, "checkout", "-q", "-B", "main")
                (root / "README").write_text("A web shop.\n")
                tree.world.init_project(root, "web")
                for _ in range(4):
                    add(self, tree)
                self._git(root, "add", "-A")
                self._git(root, "commit", "-q", "-m", "first")
                self._git(root, "push", "-q", "-u", "origin", "main")
            worker = tree.world.create_instance(f"w-{name}", "orchestration", "hopper-web")
            tree.world.move_instance(worker.id, "start")

    def _tree(self, name: str, clone: str, root: Path) -> Tree:
        skew = self.random.uniform(-SKEW, SKEW)
        home = self.directory / f"{clone}-home"
        tree = Tree(clone, root, home, skew, World.memory())
        self._enter(tree)
        self.trees[name] = tree
        return tree

    def _enter(self, tree: Tree) -> None:
        """Begin to work in a tree as a new process does."""
        tree.world.close()
        tree.world = World(
            tree.home, tree.root, actor=tree.clone, entropy=self.random.randbytes,
            clock=lambda: self.now + tree.skew,
        )  # fmt: skip

    def close(self) -> None:
        """Close every store."""
        for tree in self.trees.values():
            tree.world.close()

    # Git

    def _git(self, at: Path, *args: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *args], cwd=at, env=self._environment(at), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        if "CONFLICT" in said or "overwritten" in said or (check and done.returncode):
            raise Astray(self._story(f"git {' '.join(args)} in {at.name}: {said.strip()}"))
        return done.stdout

    def _environment(self, at: Path) -> dict[str, str]:
        tree = next((t for t in self.trees.values() if t.root == at), None)
        who = tree.clone if tree else "nobody"
        when = f"@{int(self.now + (tree.skew if tree else 0))} +0000"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "HOPPER_HOME": str(tree.home if tree else self.directory),
            "HOPPER_ACTOR": who,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": who,
            "GIT_AUTHOR_EMAIL": f"{who}@example.org",
            "GIT_COMMITTER_NAME": who,
            "GIT_COMMITTER_EMAIL": f"{who}@example.org",
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_DATE": when,
            "GIT_EDITOR": "true",
            "LC_ALL": "C.UTF-8",
        } | QUICK_GIT

    def _branches(self, tree: Tree) -> list[str]:
        return self._git(
            tree.root, "for-each-ref", "--format=%(refname:short)", "refs/heads"
        ).split()

    def _branch(self, tree: Tree) -> str:
        return self._git(tree.root, "symbolic-ref", "--short", "HEAD").strip()

    def _others(self, tree: Tree) -> list[str]:
        here = self._branch(tree)
        return [branch for branch in self._branches(tree) if branch != here]

    def _commits(self, tree: Tree, branch: str, most: int, *options: str) -> list[str]:
        return self._git(tree.root, "rev-list", *options, "-n", str(most), branch).split()

    def _is_dirty(self, tree: Tree) -> bool:
        return bool(self._git(tree.root, "status", "--porcelain"))

    def _commit(self, tree: Tree, message: str = "work") -> None:
        if self._is_dirty(tree):
            self._git(tree.root, "add", "-A")
            self._git(tree.root, "commit", "-q", "-m", message)

    def _tidy(self, tree: Tree) -> None:
        """Commit what is staged or gone, as git demands before it merges; at times the rest."""
        lines = self._git(tree.root, "status", "--porcelain").splitlines()
        if any(not line.startswith("??") for line in lines) or (lines and self._chance(0.5)):
            self._commit(tree)

    # Choosing

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _task(self, tree: Tree, **conditions: Any) -> Task | None:
        tasks = tree.store.query(Query("hopper-web", closed=True, **conditions))
        return self.random.choice(tasks) if tasks else None

    def created(self) -> list[str]:
        """The ids of all tasks that any file seen so far creates."""
        return sorted({key for _, lines in self._seen.values() for _, key in lines if key})

    @contextmanager
    def acting(self, tree: Tree) -> Iterator[None]:
        """The environment of who works in a tree, for what asks git itself."""
        before = dict(os.environ)
        os.environ.update(self._environment(tree.root))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    # Walking

    def run(self, steps: int) -> int:
        """Make so many steps, then merge everything; returns the number of events there are."""
        try:
            for number in range(steps):
                self.step(number)
            return self.meet()
        finally:
            self.close()

    def step(self, number: int) -> None:
        """Make one step, and look at the tree it was made in."""
        self.now += self.random.uniform(0.001, PAUSE if self._chance(0.3) else 20)
        name = self.random.choice(sorted(self.trees))
        tree = self.trees[name]
        if self._chance(0.2):
            self._enter(tree)
        (step,) = self.random.choices(list(STEPS), list(STEPS.values()))
        for _ in range(self.random.choice((1, 2, 3)) if step in _TASK_STEPS else 1):
            self.log.append(f"{number} {name}: {step.__name__}")
            self.made[step.__name__] += 1
            try:
                step(self, tree)
            except HopperError as error:
                self.log[-1] += f" refused: {error.message}"
                self.check(not isinstance(error, StorageError), error.message)
        self.look(tree)

    def _story(self, fault: str) -> str:
        return "\n".join([f"seed {self.seed}: {fault}", *self.log])

    def check(self, holds: bool, fault: str) -> None:
        """Raise Astray unless that holds."""
        if not holds:
            raise Astray(self._story(fault))

    # Looking

    def look(self, tree: Tree) -> None:
        """Check what can be seen in a tree."""
        where = tree.root.name
        self._look_at_index(tree)
        try:
            store = tree.store
            store.look()
            damage, shown = store.damage(), tables(store)
        except HopperError as error:
            raise Astray(self._story(f"{where} cannot be read: {error.message}")) from error
        self.check(not damage, f"{where} is damaged: {damage}")
        events, created = self._on_disk(tree)
        self.check(store.present_ids() == events, f"{where} knows other events than its files")
        tasks = {row["id"] for row in shown["task"]}
        self.check(created <= tasks, f"{where} lost {created - tasks}")
        partial = {r["id"] for r in shown["task"] if r["executor_preference"] == "manual"}
        self.check(tasks - partial <= created, f"{where} raised {tasks - created} from the dead")
        self.check(not partial & created, f"{where} takes {partial & created} for others' work")
        undone = self._finished & self._taken
        self.check(not undone, f"{where}: who took a task undid the completions {undone}")
        anew = self._anew(tree)
        for entity, rows in anew.items():
            self.check(shown[entity] == rows, f"{where}: {entity} {differing(shown[entity], rows)}")

    def _look_at_index(self, tree: Tree) -> None:
        """Check that nothing is unmerged, unless the index is what it was at the last look."""
        directory = tree.root / ".git"
        if directory.is_file():  # of a worktree
            directory = Path(directory.read_text().removeprefix("gitdir: ").strip())
        index = (directory / "index").read_bytes()
        if self._merged.get(tree.root) != index:
            unmerged = self._git(tree.root, "ls-files", "-u")
            self.check(not unmerged, f"{tree.root.name} has conflicts: {unmerged}")
            self._merged[tree.root] = index

    def _on_disk(self, tree: Tree) -> tuple[set[str], set[str]]:
        """The ids of all events in the files of a tree, and of the tasks that they create; read
        without the program's own reader."""
        events: set[str] = set()
        created: set[str] = set()
        for path in tree.journal.glob("*/*.jsonl"):
            content = path.read_bytes()
            before = self._seen.get(path.name)
            if before is None:
                lines = [json.loads(line) for line in content.splitlines()[1:]]
                self._finished |= {e["id"] for e in lines if e["kind"] == "task.done"}
                for e in lines:
                    if e["kind"] in ("task.claimed", "task.started"):
                        self._taken |= set(e.get("base", {}).get("status", ()))
                before = (
                    content,
                    tuple(
                        (e["id"], e["key"] if e["kind"] == "task.created" else None) for e in lines
                    ),
                )
                self._seen[path.name] = before
            self.check(before[0] == content, f"{path.name} was changed")
            events.update(event for event, _ in before[1])
            created.update(key for _, key in before[1] if key)
        return events, created

    def _anew(self, tree: Tree) -> Tables:
        """The tables of a store whose cache begins anew with the same journal.

        They are made once for every set of files: a file never changes, as `_on_disk` sees to.
        """
        here = frozenset(str(p.relative_to(tree.journal)) for p in tree.journal.glob("*/*.jsonl"))
        if here not in self._expected:
            self._expected[here] = self._fold_anew(tree)
        return self._expected[here]

    def _fold_anew(self, tree: Tree) -> Tables:
        if self._blank is None:
            self._blank = self.directory / "blank.db"
            made = self._store_at(self._blank, self.directory / "no-journal")
            made.instances()
            made.close()
        path = self.directory / "fresh" / "tasks.db"
        path.parent.mkdir()
        shutil.copyfile(self._blank, path)
        store = self._store_at(path, tree.journal)
        found = tables(store)
        store.close()
        shutil.rmtree(path.parent)
        return found

    def _store_at(self, path: Path, journal: Path) -> JournaledStore:
        replica = Replica(self.directory / "nowhere", self.random.randbytes)
        return JournaledStore(path, Journal(journal), replica, "hopper-web", os.urandom)

    # Meeting

    def meet(self) -> int:
        """Merge every branch of every clone, pull it everywhere and compare what all of them see.

        Nothing is gone that a branch had and nobody took back.
        """
        expected: set[str] = set()
        for name, tree in self.trees.items():
            self.log.append(f"meet: {name} pushes")
            self._commit(tree)
            for branch in self._branches(tree):
                ref = f"{branch}:refs/heads/{tree.clone}/{branch}"
                self._git(tree.root, "push", "-q", "--force", "origin", ref)
            expected |= self._on_disk(tree)[0]
        first, *others = [self.trees[name] for name in ("ann", "bob", "eve")]
        self._free_main(first)
        self._git(first.root, "fetch", "-q", "origin")
        refs = self._git(
            first.root, "for-each-ref", "--format=%(refname:short)", "refs/remotes/origin/*/*"
        ).split()
        self.random.shuffle(refs)
        for ref in refs:
            self.log.append(f"meet: ann merges {ref}")
            self._git(first.root, "merge", "-q", "--no-edit", ref)
            self.look(first)
        self._git(first.root, "push", "-q", "--force", "origin", "main")
        lost = expected - self._on_disk(first)[0] - self.withdrawn
        self.check(not lost, f"{len(lost)} events are gone though nobody took them back")
        for tree in others:
            self.log.append(f"meet: {tree.clone} pulls")
            self._free_main(tree)
            self._git(tree.root, "pull", "-q", "--no-rebase", "origin", "main")
            self.look(tree)
            for entity, rows in tables(first.store).items():
                mine = tables(tree.store)[entity]
                self.check(mine == rows, f"{tree.clone}: {entity} {differing(mine, rows)}")
            seen, there = (t.store.conflicts() for t in (tree, first))
            self.check(seen == there, f"{tree.clone} lists other conflicts")
        self._account()
        return len(self._on_disk(first)[0])

    def _account(self) -> None:
        """Every event there ever was is in some tree, in some commit, or said to be lost."""
        everything = {event for _, lines in self._seen.values() for event, _ in lines}
        found: set[str] = set()
        for tree in self.trees.values():
            found |= self._on_disk(tree)[0]
            with self.acting(tree):
                found |= {record.id for record, _ in recovering.lost(tree.store).events}
            paths = self._git(
                tree.root, "log", "--all", "--reflog", "-m", "--format=", "--name-only"
            ).splitlines()
            for path in paths:
                _, lines = self._seen.get(Path(path).name, (b"", ()))
                found.update(event for event, _ in lines)
        self.check(everything <= found, f"{len(everything - found)} events vanished unsaid")

    def _free_main(self, tree: Tree) -> None:
        """Switch to main, which another worktree may have checked out."""
        for other in self.trees.values():
            if other.clone == tree.clone and other is not tree:
                self._git(other.root, "checkout", "-q", "--detach")
        self._git(tree.root, "checkout", "-q", "main")


@contextmanager
def quick_directory() -> Iterator[Path]:
    """A directory that is gone afterwards, in memory where there is room for it."""
    memory = Path("/dev/shm")
    quick = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 28
    with tempfile.TemporaryDirectory(prefix="walk-", dir=memory if quick else None) as made:
        yield Path(made)


def kept_seeds() -> list[tuple[int, int]]:
    """The walks that went astray once: seed and steps."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines() if SEEDS.exists() else []
    walks = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [(int(seed), int(steps)) for seed, steps in walks]


def tables(store: JournaledStore) -> Tables:
    """What a store shows: every row of its tables, less what is local to a machine."""
    found: Tables = {}
    for entity, table in TABLES.items():
        fields = [f for f in table.fields if f not in _LOCAL]
        columns = ", ".join(table.column[f] for f in fields)
        rows = store._all(f"SELECT {columns} FROM {table.name} ORDER BY {table.key_column}")
        found[entity] = [dict(zip(fields, row, strict=True)) for row in rows]
    for name in ("task_deps", "clashes"):
        rows = store._all(f"SELECT * FROM {name}")
        found[name] = sorted(({"row": str(row)} for row in rows), key=str)
    counts = store._all("SELECT * FROM status_counts WHERE n > 0")
    found["counts"] = sorted(({"row": str(row)} for row in counts), key=str)
    return found


def differing(here: list[dict[str, Any]], there: list[dict[str, Any]]) -> str:
    """How two lists of rows differ, in a line."""
    gone = [row for row in there if row not in here]
    more = [row for row in here if row not in there]
    return f"is {more[:2]}, should be {gone[:2]}"


# The steps: what people do with tasks


def add(walk: Walk, tree: Tree) -> None:
    web = tree.world.hopper("web")
    given = []
    for _ in range(walk.random.choice((1, 1, 1, 2, 12))):
        walk._count += 1
        other = walk._task(tree) if walk._chance(0.2) else None
        given.append(
            Task(
                title=f"task {walk._count} of {tree.clone}",
                description=TEMPLATE if walk._chance(0.5) else "",
                tags=tuple(walk.random.sample(("api", "ui", "docs"), walk.random.randrange(3))),
                depends_on=(other.id,) if other else (),
            )
        )
    if len(given) > 1:
        web.add_tasks(given)
    else:
        web.add_task(given[0])


def edit(walk: Walk, tree: Tree) -> None:
    task = walk._task(tree)
    if task is None:
        return
    name, value = walk.random.choice(
        (("title", f"title {walk.random.randrange(1000)}"), ("priority", "high"),
         ("priority", "low"), ("description", TEMPLATE), ("due", "2027-01-01T00:00:00Z"),
         ("executor_preference", None))
    )  # fmt: skip
    tree.world.hopper("web").update(task.id, **{name: value})


def tag(walk: Walk, tree: Tree) -> None:
    task = walk._task(tree)
    if task is not None:
        word = walk.random.choice(("api", "ui", "docs", "later"))
        how = walk.random.choice(("add_tags", "remove_tags"))
        tree.world.hopper("web").update(task.id, **{how: [word]})


def depend(walk: Walk, tree: Tree) -> None:
    task, other = walk._task(tree), walk._task(tree)
    if task is not None and other is not None:
        how = walk.random.choice(("add_depends_on", "add_depends_on", "remove_depends_on"))
        tree.world.hopper("web").update(task.id, **{how: [other.id]})


def move(walk: Walk, tree: Tree) -> None:
    task = walk._task(tree)
    if task is not None:
        verb = walk.random.choice(
            ("claim", "claim", "start", "complete", "complete", "fail", "block", "release",
             "cancel", "reopen", "reopen")
        )  # fmt: skip
        getattr(tree.world.hopper("web"), verb)(task.id)


def take_next(walk: Walk, tree: Tree) -> None:
    name = walk.random.choice(("web", f"w-{tree.clone}"))
    Hopper.open(tree.world, tree.world.find_instance(name)).claim_next()


def delegate(walk: Walk, tree: Tree) -> None:
    task = walk._task(tree)
    if task is not None:
        tree.world.hopper("web").delegate(task.id, f"w-{tree.clone}")


def undo(walk: Walk, tree: Tree) -> None:
    tree.world.undo()


# ... and with git


def commit(walk: Walk, tree: Tree) -> None:
    walk._commit(tree)


def commit_journal(walk: Walk, tree: Tree) -> None:
    with walk.acting(tree):
        committing.commit(tree.world, "web")


def compact(walk: Walk, tree: Tree) -> None:
    """Pack what is committed, and commit that."""
    walk._commit(tree)
    with walk.acting(tree):
        compacting.compact(tree.world, "web", everything=walk._chance(0.7))
    walk.look(tree)
    if walk._chance(0.5):
        commit_journal(walk, tree)
    walk._commit(tree, "compact")


def bring(walk: Walk, tree: Tree) -> None:
    """Get a task of another branch, or of no branch at all."""
    others, known = walk._others(tree), walk.created()
    if others and known:
        source = walk.random.choice([None, *others])
        with walk.acting(tree):
            bringing.bring(tree.store, walk.random.choice(known), source)


def recover(walk: Walk, tree: Tree) -> None:
    """Get back what was removed before it was committed, all of it."""
    with walk.acting(tree):
        recovering.recover(tree.store)
        walk.check(not recovering.lost(tree.store).events, "recovering left something behind")


def branch(walk: Walk, tree: Tree) -> None:
    if len(walk._branches(tree)) < BRANCHES:
        walk._count += 1
        walk._git(tree.root, "checkout", "-q", "-b", f"b{walk._count}")


def worktree(walk: Walk, tree: Tree) -> None:
    name = f"{tree.clone}-tree"
    if name not in walk.trees:
        root = walk.directory / name
        walk._git(tree.root, "worktree", "add", "-q", "-b", name, str(root))
        walk._tree(name, tree.clone, root)


def switch(walk: Walk, tree: Tree) -> None:
    others = walk._others(tree)
    taken = {
        walk._branch(t) for t in walk.trees.values() if t.clone == tree.clone and t is not tree
    }
    free = [other for other in others if other not in taken]
    if free:
        walk._git(tree.root, "checkout", "-q", walk.random.choice(free))


def merge(walk: Walk, tree: Tree) -> None:
    others = walk._others(tree)
    if others:
        walk._tidy(tree)
        walk._git(tree.root, "merge", "-q", "--no-edit", walk.random.choice(others))


def octopus(walk: Walk, tree: Tree) -> None:
    others = walk._others(tree)
    if len(others) > 1:
        walk._tidy(tree)
        walk._git(tree.root, "merge", "-q", "--no-edit", *others)


def squash(walk: Walk, tree: Tree) -> None:
    others = walk._others(tree)
    if others:
        walk._tidy(tree)
        walk._git(tree.root, "merge", "-q", "--squash", walk.random.choice(others))
        if walk._git(tree.root, "diff", "--cached", "--name-only"):
            walk._git(tree.root, "commit", "-q", "-m", "squashed")


def rebase(walk: Walk, tree: Tree) -> None:
    others = walk._others(tree)
    if others:
        walk._tidy(tree)
        walk._git(tree.root, "rebase", "-q", "--empty=drop", walk.random.choice(others))


def cherry_pick(walk: Walk, tree: Tree) -> None:
    others = walk._others(tree)
    if others:
        walk._tidy(tree)
        commits = walk._commits(tree, walk.random.choice(others), 5, "--no-merges")
        options = ("--allow-empty", "--keep-redundant-commits")
        before = walk._on_disk(tree)[0]
        walk._git(tree.root, "cherry-pick", *options, walk.random.choice(commits))
        walk.withdrawn |= before - walk._on_disk(tree)[0]


def revert(walk: Walk, tree: Tree) -> None:
    walk._commit(tree)
    commits = walk._commits(tree, "HEAD", 4, "--no-merges", "--invert-grep", "--grep=^first$")
    if commits:
        before = walk._on_disk(tree)[0]
        walk._git(tree.root, "revert", "--no-edit", walk.random.choice(commits), check=False)
        if walk._git(tree.root, "rev-parse", "-q", "--verify", "REVERT_HEAD", check=False):
            walk._git(tree.root, "revert", "--abort")  # there was nothing left to take back
        walk.withdrawn |= before - walk._on_disk(tree)[0]


def amend(walk: Walk, tree: Tree) -> None:
    if walk._is_dirty(tree) and len(walk._commits(tree, "HEAD", 3)) > 2:
        walk._git(tree.root, "add", "-A")
        walk._git(tree.root, "commit", "-q", "--amend", "--no-edit", "--allow-empty")


def reset_soft(walk: Walk, tree: Tree) -> None:
    if len(walk._commits(tree, "HEAD", 3, "--first-parent")) > 2:
        walk._git(tree.root, "reset", "-q", "--soft", "HEAD~1")


def reset_hard(walk: Walk, tree: Tree) -> None:
    if len(walk._commits(tree, "HEAD", 3, "--first-parent")) > 2:
        walk._git(tree.root, "reset", "-q", "--hard", "HEAD~1")


def stash(walk: Walk, tree: Tree) -> None:
    """Stash, do something else, perhaps on another branch, and take it out again."""
    if not walk._is_dirty(tree):
        return
    walk._git(tree.root, "stash", "-q", "-u")
    walk.look(tree)
    if walk._chance(0.4):
        switch(walk, tree)
    add(walk, tree)
    walk._git(tree.root, "stash", "pop", "-q")


def pull(walk: Walk, tree: Tree) -> None:
    walk._tidy(tree)
    walk._git(tree.root, "pull", "-q", "--no-rebase", "origin", "main")


def pull_rebase(walk: Walk, tree: Tree) -> None:
    walk._tidy(tree)
    walk._git(tree.root, "pull", "-q", "--rebase", "origin", "main")


def push(walk: Walk, tree: Tree) -> None:
    """Push, which git refuses when somebody else was faster."""
    walk._git(tree.root, "push", "-q", "origin", "HEAD:main", check=False)


STEPS: dict[Callable[[Walk, Tree], None], int] = {
    add: 20, edit: 14, tag: 7, depend: 7, move: 24, take_next: 7, delegate: 7, undo: 3,
    commit: 12, commit_journal: 4, compact: 6, bring: 2, recover: 2, branch: 4, worktree: 1,
    switch: 6, merge: 6, octopus: 2, squash: 4, rebase: 4, cherry_pick: 4, revert: 3, amend: 2,
    reset_soft: 2, reset_hard: 2, stash: 3, pull: 6, pull_rebase: 4, push: 8,
}  # fmt: skip
"""What may be done, and how often."""
_TASK_STEPS = {add, edit, tag, depend, move, take_next, delegate, undo}
"""Those that people make several of at once."""

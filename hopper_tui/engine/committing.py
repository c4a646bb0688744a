"""Committing: what a project's journal holds goes into git, and nothing else does."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine.checkout import PREFIX, Pending, journaled, pending_of, require_checkout
from hopper_tui.journal import files, git
from hopper_tui.model.errors import NotAllowed, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hopper_tui.engine.world import World
    from hopper_tui.journal.record import Record
    from hopper_tui.journal.replica import Checkout
    from hopper_tui.store.journaled import JournaledStore

_HALFWAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "sequencer": "several picks or reverts",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
"""The files by which git remembers what it is in the middle of. It commits no part then, or takes
it away again when that is given up."""
_VERBS = {
    "task.created": "add", "task.done": "finish", "task.failed": "fail",
    "task.cancelled": "cancel", "task.reopened": "reopen", "task.delegated": "delegate",
    "task.blocked": "block", "task.released": "release", "task.claimed": "claim",
    "task.started": "claim", "task.changed": "change", "task.note": "change",
    "task.feedback": "change",
}  # fmt: skip
"""How a commit's message speaks of events, in the order it does."""
_IMPLIED = {
    "change": frozenset(_VERBS.values()) - {"change"},
    "claim": frozenset({"finish", "fail", "cancel", "release", "block", "delegate"}),
}
"""What goes without saying of a task of which one of these is said."""


class Committed(NamedTuple):
    """What was committed or staged: the commit's name, None without one, and how many events and
    files that no commit on this branch held. `branch` is None where none is checked out."""

    commit: str | None
    events: int
    files: int
    branch: str | None


def commit(world: World, ref: str | None = None, message: str | None = None) -> Committed:
    """Commit what the journal of a project holds; what else is changed or staged stays as it is.

    Nothing to commit is no error. Raises NotAllowed outside of git, where git ignores the
    journal, and in the middle of a merge; StorageError with what git says.
    """
    from hopper_tui.store.gate import Gate

    store = journaled(world, ref)
    directory, checkout = store.journal.directory.parent, require_checkout(store.journal)
    _refuse_halfway(checkout)
    drafts = directory / "tmp"
    drafts.mkdir(exist_ok=True)
    try:
        with Gate(drafts / "commit"):
            return _commit(world, store, directory, message)
    except BlockingIOError:
        raise NotAllowed("another hopper commit is under way here", "Try again later") from None


def _commit(world: World, store: JournaledStore, directory: Path, message: str | None) -> Committed:
    coalesce(world, store)
    pending, branch = _settled(world, store), git.branch(directory)
    if not pending.paths:
        return Committed(None, 0, 0, branch)
    _refuse_ignored(directory, pending.new)
    fresh = set(pending.new) - git.staged(directory).keys()
    try:
        git.stage(directory, pending.new)
        said = describe(pending.records.values(), pending.gone) if message is None else message
        made = git.commit(directory, said, pending.paths)
    except BaseException:
        with suppress(StorageError):
            git.unstage(directory, fresh)
        raise
    if branch is not None:  # else nothing may hold the commit soon
        store.clone.let_go(path.removeprefix(PREFIX) for path in pending.new)
    return Committed(made, len(pending.records), len(pending.paths), branch)


def stage(world: World, ref: str | None = None) -> Committed:
    """Put what the journal of a project holds into the index, for the next commit to take.

    In a hook of git that is the commit under way. Raises as `commit` does.
    """
    store = journaled(world, ref)
    directory = store.journal.directory.parent
    require_checkout(store.journal)
    coalesce(world, store)
    pending = _settled(world, store)
    _refuse_ignored(directory, pending.new)
    for index in git.indexes(directory):
        known = git.staged(directory, index)
        paths = [*pending.new, *(path for path in pending.gone if path in known)]
        if paths:
            git.stage(directory, paths, index)
    return Committed(None, len(pending.records), len(pending.paths), git.branch(directory))


def _settled(world: World, store: JournaledStore) -> Pending:
    """What the next commit takes; warns of what is lost."""
    found = pending_of(store)
    if found.lost:
        world.warnings.append(
            f"{len(found.lost)} of the journal's files that the last commit has are gone here, and"
            " what they hold is in no other; that is left as it is: git status names them"
        )
    return found


def _refuse_halfway(checkout: Checkout) -> None:
    for name, what in _HALFWAY.items():
        if (checkout.git / name).exists():
            raise NotAllowed(
                f"git is in the middle of {what}, where the journal is not committed by itself",
                "Finish that first; to take the journal along, stage it: hopper commit --stage",
            )


def _refuse_ignored(directory: Path, paths: Sequence[str]) -> None:
    if paths and (ignored := git.ignored(directory).intersection(paths)):
        raise NotAllowed(
            f"git ignores {directory / min(ignored)}",
            "Change the rule that says so, for tasks to travel: git check-ignore -v PATH names it",
        )


# Coalescing


def coalesce(world: World, store: JournaledStore) -> int:
    """Merge this clone's files that git has never seen into one for each month; returns how many
    files fewer there are. A crash in between leaves some events in two files, which is harmless.
    """
    directory = store.journal.directory.parent
    known = set(git.committed(directory))
    for index in git.indexes(directory):
        known |= git.staged(directory, index).keys()
    fewer = 0
    with world.command("commit"), world.writing(world.store(store.instance_id)):
        months: dict[str, list[str]] = {}
        for name in sorted(store.journal.names()):
            if files.replica_of(name) == store.clone.known_id and PREFIX + name not in known:
                months.setdefault(name.partition("/")[0], []).append(name)
        for month, names in months.items():
            fewer += _coalesce(store, month, names)
    if fewer:
        store.look()
    return fewer


def _coalesce(store: JournaledStore, month: str, names: Sequence[str]) -> int:
    """Merge some files of one month, as many at a time as one file may hold."""
    together: list[str] = []
    lines: dict[str, tuple[Record, bytes]] = {}
    fewer = size = 0
    for name in names:
        content = store.journal.read(name)
        if content.damage:
            continue
        added = sum(map(len, content.lines))
        if size + added > files.PACK_LIMIT:
            fewer += _merge(store, month, together, lines)
            together, lines, size = [], {}, 0
        together.append(name)
        size += added
        for record, line in zip(content.records, content.lines, strict=True):
            lines[record.id] = record, line
    return fewer + _merge(store, month, together, lines)


def _merge(
    store: JournaledStore,
    month: str,
    names: Sequence[str],
    lines: Mapping[str, tuple[Record, bytes]],
) -> int:
    if len(names) < 2 or not lines:
        return 0
    ordered = sorted(lines.values(), key=lambda each: each[0].order)
    name = files.new_name(ordered[0][0].clock, store.clone.id, store.salt())
    new = f"{month}/{name.partition('/')[2]}"
    store.journal.write(new, files.content([line for _, line in ordered]), store.step)
    with suppress(OSError):
        store.clone.keep(store.journal, new)
    replace(store, {new: names})
    return len(names) - 1


def replace(store: JournaledStore, names: Mapping[str, Sequence[str]]) -> None:
    """Remove files whose events are in another one, by its name; the caller is writing here."""
    if store.leases.exist:
        with store.leases.held():
            for new, old in names.items():
                store.leases.renamed(old, new)
    store.step("replaced")
    gone = [name for old in names.values() for name in old]
    for name in gone:
        store.journal.remove(name)
    store.step("removed")
    store.clone.let_go(gone)


# The message


def describe(records: Iterable[Record], gone: Sequence[str] = ()) -> str:
    """`Hopper: add 2 tasks, finish 1`: what events say, in a line."""
    said: dict[str, set[str]] = {}
    total = 0
    for record in records:
        total += 1
        if verb := _VERBS.get(record.kind):
            said.setdefault(record.key, set()).add(verb)
    counts = Counter(
        verb for verbs in said.values() for verb in verbs
        if not verbs & _IMPLIED.get(verb, frozenset())
    )  # fmt: skip
    parts = [f"{verb} {counts[verb]}" for verb in dict.fromkeys(_VERBS.values()) if counts[verb]]
    if parts:
        first = parts[0]
        parts[0] = f"{first} task" + ("" if first.endswith(" 1") else "s")
    elif total:
        parts = [f"record {total} event" + ("" if total == 1 else "s")]
    elif gone:
        parts = [f"pack {len(gone)} files"]
    else:
        parts = ["set up the project"]
    return "Hopper: " + ", ".join(parts)

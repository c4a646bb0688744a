"""Git, asked through its own program; only what no file of the repository says simply."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hopper_tui.journal.replica import checkout_of
from hopper_tui.model.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def run(
    directory: Path, *args: str, given: bytes | None = None, check: bool = True
) -> tuple[int, bytes]:
    """Run git in a directory; returns its exit code and output, raises StorageError.

    Paths are never read as options or patterns, and no user setting changes the output.
    """
    import subprocess

    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    environment |= {"GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - arguments, never a shell
            ["git",  # noqa: S607 - the user's own git
              "-c", "core.quotepath=off", *args],
            cwd=directory, env=environment, input=given, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise StorageError("git is not installed", "Install it; everything else works") from None
    if check and done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise StorageError(
            f"git {args[0]} failed: {said[-1] if said else 'it says nothing'}",
            "Look at: git status",
        )
    return done.returncode, done.stdout


def paths(output: bytes) -> list[str]:
    """The paths in output that was asked for with `-z`."""
    return [os.fsdecode(path) for path in output.split(b"\0") if path]


def hidden_by_sparse_checkout(journal: Path) -> int:
    """How many files of the journal a sparse checkout leaves out; 0 without one."""
    checkout = checkout_of(journal.parent)
    if checkout is None or not (checkout.git / "info" / "sparse-checkout").exists():
        return 0
    code, output = run(checkout.top, "ls-files", "-t", "-z", "--", str(journal), check=False)
    return 0 if code else sum(path.startswith("S ") for path in paths(output))


def untracked(journal: Path) -> list[str]:
    """The names of journal files that no commit on this branch holds: new or only staged."""
    code, there = run(journal, "ls-tree", "-r", "-z", "--name-only", "HEAD", ".", check=False)
    committed = set(paths(there)) if not code else set()
    _, listed = run(journal, "ls-files", "-z", "--cached", "--others", "--", ".")
    return sorted(
        path for path in set(paths(listed)) - committed
        if path.endswith(".jsonl") and (journal / path).exists()
    )  # fmt: skip


def ever_committed(journal: Path, names: Iterable[str], since: float) -> set[str]:
    """Which of these journal files any commit after `since` (seconds) brought, on any branch, in
    the stash or in a reflog."""
    wanted = set(names)
    prefix = run(journal.parent, "rev-parse", "--show-prefix")[1].decode().strip()
    code, output = run(
        journal.parent, "log", "--all", "--reflog", "-m", "--diff-filter=A", "--name-only", "-z",
        "--format=", f"--since=@{int(since)}", "--",
        *(f"{journal.name}/{name}" for name in sorted(wanted)), check=False,
    )  # fmt: skip
    if code:
        return set()
    head = f"{prefix}{journal.name}/"
    return {path.removeprefix(head).lstrip("\n") for path in paths(output)} & wanted


def show(journal: Path, ref: str) -> dict[str, bytes]:
    """The journal as a commit has it: names and contents."""
    tree = commit_of(journal.parent, ref)
    _, listed = run(journal.parent, "ls-tree", "-r", "-z", tree, f"{journal.name}/")
    entries = []
    for line in paths(listed):
        kind, _, path = line.partition("\t")
        entries.append((path.removeprefix(f"{journal.name}/"), kind.split()[2]))
    return dict(zip((n for n, _ in entries), blobs(journal, [b for _, b in entries]), strict=True))


def commit_of(directory: Path, ref: str) -> str:
    """The commit that a name means; raises StorageError."""
    if ref.startswith("-"):
        raise StorageError(f"{ref!r} is no commit", "Name a branch, a tag or a commit")
    code, output = run(
        directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}",
        check=False,
    )  # fmt: skip
    if code:
        raise StorageError(f"there is no commit {ref!r}", "Name a branch, a tag or a commit")
    return output.decode().strip()


def blobs(directory: Path, objects: Sequence[str]) -> list[bytes]:
    """The contents of some objects, in order."""
    if not objects:
        return []
    _, output = run(directory, "cat-file", "--batch", given="\n".join(objects).encode() + b"\n")
    found, at = [], 0
    for _ in objects:
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[2])
        found.append(output[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found

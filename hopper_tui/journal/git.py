"""Git, asked through its own program; only what no file of the repository says simply."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hopper_tui.journal.replica import checkout_of
from hopper_tui.model.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_BOUND = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX",
    "GIT_INDEX_FILE",
)  # fmt: skip
"""What git tells its hooks about the repository they run in; we may be asked about another."""
_FROM_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")
_AS_IS = ("-c", "core.safecrlf=false")
"""What git thinks of line ends is no reason to refuse a journal file."""


def run(
    directory: Path,
    *args: str,
    given: bytes | None = None,
    check: bool = True,
    index: str | None = None,
    hint: str = "Look at: git status",
) -> tuple[int, bytes]:
    """Run git in a directory; returns its exit code and output, raises StorageError.

    Paths are never read as options or patterns, and no user setting changes the output. `index`
    is used in place of the index of the working tree.
    """
    import subprocess

    environment = {name: value for name, value in os.environ.items() if name not in _BOUND}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    environment |= {"GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0"}
    if index is not None:
        environment["GIT_INDEX_FILE"] = index
    try:
        done = subprocess.run(  # noqa: S603 - arguments, never a shell
            ["git",  # noqa: S607 - the user's own git
              "-c", "core.quotepath=off", *args],
            cwd=directory, env=environment, input=given, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise StorageError("git is not installed", "Install it; everything else works") from None
    if check and done.returncode:
        verb = next(word for word in args if not word.startswith("-") and "." not in word)
        raise StorageError(f"git {verb} failed: {_reason(done.stderr)}", hint)
    return done.returncode, done.stdout


def _reason(said: bytes) -> str:
    """The line of what git said that tells why."""
    lines = said.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"]
    fatal = (line for line in lines if line.startswith(("fatal: ", "error: ")))
    return next(fatal, lines[-1]).removeprefix("fatal: ").removeprefix("error: ")


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


def left_out(start: Path, file: str) -> Path | None:
    """The directory at or above `start` whose `file` a sparse checkout leaves out, the nearest."""
    checkout = checkout_of(start)
    if checkout is None or not (checkout.git / "info" / "sparse-checkout").exists():
        return None
    here = start.absolute()
    for directory in (here, *here.parents):
        _, output = run(checkout.top, "ls-files", "-t", "-z", "--", str(directory / file),
                        check=False)  # fmt: skip
        if any(path.startswith("S ") for path in paths(output)):
            return directory
        if directory == checkout.top:
            break
    return None


def untracked(journal: Path) -> list[str]:
    """The names of journal files that no commit on this branch holds: new or only staged."""
    code, there = run(journal, "ls-tree", "-r", "-z", "--name-only", "HEAD", ".", check=False)
    committed = set(paths(there)) if not code else set()
    _, listed = run(journal, "ls-files", "-z", "--cached", "--others", "--", ".")
    return sorted(
        path for path in set(paths(listed)) - committed
        if path.endswith(".jsonl") and (journal / path).exists()
    )  # fmt: skip


ANYWHERE = ("--all", "--reflog")
"""Every commit that git still knows: of branches, of the stash and of the reflogs."""
LASTING = ("--exclude=refs/stash", "--all")
"""The commits of branches and tags, here and of remotes: what stays until somebody deletes it."""


def added(
    journal: Path, since: float = 0, commits: Sequence[str] = ANYWHERE
) -> dict[str, set[str]]:
    """The journal files that commits after `since` (seconds) brought: names and blobs.

    A file that was taken away again counts too, also where a merge left it out.
    """
    code, output = run(
        journal.parent, "log", *commits, "--full-history", "-m", "--root", "--no-renames",
        "--no-relative", "--diff-filter=A", "--raw", "--no-abbrev", "-z", "--format=",
        f"--since=@{max(0, int(since))}", "--", f"{journal.name}/", check=False,
    )  # fmt: skip
    if code:
        return {}
    head = f"{folder_of(journal)}/"
    found: dict[str, set[str]] = {}
    listed = iter(paths(output))
    for about in listed:
        name = next(listed, "")
        found.setdefault(name.removeprefix(head), set()).add(about.split()[3])
    return found


def ever_committed(journal: Path, names: Iterable[str], since: float) -> set[str]:
    """Which of these journal files any commit after `since` (seconds) brought, on any branch, in
    the stash or in a reflog."""
    return set(names) & added(journal, since).keys()


def show(journal: Path, ref: str) -> dict[str, bytes]:
    """The journal as a commit has it: names and contents."""
    found = listing(journal.parent, commit_of(journal.parent, ref), folder_of(journal))
    return dict(zip(found, blobs(journal.parent, list(found.values())), strict=True))


def folder_of(journal: Path) -> str:
    """The path of the journal within the repository."""
    prefix = run(journal.parent, "rev-parse", "--show-prefix")[1].rstrip(b"\n")
    return f"{os.fsdecode(prefix)}{journal.name}"


def listing(directory: Path, tree: str, folder: str = "") -> dict[str, str]:
    """The files in a folder of a tree: their names below it, and their blobs."""
    within = [f"{folder}/"] if folder else []
    _, listed = run(directory, "ls-tree", "--full-tree", "-r", "-z", tree, *within)
    found: dict[str, str] = {}
    for line in paths(listed):
        about, _, path = line.partition("\t")
        mode, kind, blob = about.split()
        if kind == "blob" and mode != "120000":
            found[path[len(folder) + 1 :] if folder else path] = blob
    return found


def trees(directory: Path, refs: Sequence[str], folder: str) -> dict[str, str]:
    """The tree that each of these commits has in a folder; those without it are left out."""
    asked = "".join(f"{ref}:{folder}\n" for ref in refs)
    _, output = run(directory, "cat-file", "--batch-check", given=os.fsencode(asked))
    answers = output.decode("utf-8", "replace").splitlines()
    return {
        ref: words[0]
        for ref, words in zip(refs, map(str.split, answers), strict=False)
        if len(words) == 3 and words[1] == "tree"
    }


def branches(directory: Path) -> list[str]:
    """The full names of all branches, local ones first, those committed to last before others."""
    _, output = run(
        directory, "for-each-ref", "--sort=-committerdate", "--format=%(refname)",
        "refs/heads", "refs/remotes",
    )  # fmt: skip
    names = output.decode("utf-8", "surrogateescape").split("\n")
    return sorted(filter(None, names), key=lambda name: name.startswith("refs/remotes"))


def merge_base(directory: Path, one: str, other: str) -> str:
    """The best common ancestor of two commits; raises StorageError when they have none."""
    code, output = run(directory, "merge-base", one, other, check=False)
    if code:
        raise StorageError(
            f"{one[:12]} and {other[:12]} have no common ancestor", "Compare them with two dots"
        )
    return output.decode().strip()


def has_commits(directory: Path) -> bool:
    """Whether anything was committed on this branch yet."""
    return not run(directory, "rev-parse", "--verify", "--quiet", "HEAD", check=False)[0]


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
        words = output[at:end].split()
        if len(words) != 3:
            raise StorageError(
                f"git lacks the object {words[0].decode()[:12]}", "Fetch it: git fetch --refetch"
            )
        size = int(words[2])
        found.append(output[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found


# What of a project's directory is in a commit, in the index, in the working tree; paths are
# relative to `directory`, the `.hopper/` of the project


def indexes(directory: Path) -> tuple[str | None, ...]:
    """The indexes that decide what the next commit holds; None is the one of the working tree.

    In a hook they are those of the commit under way: `git commit PATH` makes one for the commit,
    and another one that stands afterwards.
    """
    named, checkout = os.environ.get("GIT_INDEX_FILE"), checkout_of(directory)
    if not named or checkout is None:
        return (None,)
    folder, name = os.path.split(os.path.realpath(named))
    if folder != os.path.realpath(checkout.git):
        return (None,)
    if name.startswith("next-index-"):
        return (os.path.join(folder, name), os.path.join(folder, "index.lock"))
    return (os.path.join(folder, name),)


def committed(directory: Path) -> dict[str, str]:
    """The paths that the present commit has here, with their objects; none before the first."""
    code, listed = run(directory, "ls-tree", "-r", "-z", "HEAD", ".", check=False)
    if code:
        return {}
    rows = (line.partition("\t") for line in paths(listed))
    return {path: kind.split()[2] for kind, _, path in rows}


def staged(directory: Path, index: str | None = None) -> dict[str, str]:
    """The paths that an index has here, with their objects."""
    _, listed = run(directory, "ls-files", "--stage", "-z", "--", ".", index=index)
    rows = (line.partition("\t") for line in paths(listed))
    return {path: kind.split()[1] for kind, _, path in rows}


def modified(directory: Path) -> set[str]:
    """The paths of the index that differ in the working tree, or are gone from it."""
    return set(paths(run(directory, "ls-files", "--modified", "-z", "--", ".")[1]))


def ignored(directory: Path) -> set[str]:
    """The paths here that git was told to ignore, and does not know yet."""
    _, listed = run(
        directory, "ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--",
        "journal",
    )  # fmt: skip
    return set(paths(listed))


def branch(directory: Path) -> str | None:
    """The branch that is checked out, so that a commit stays; None for a detached HEAD."""
    code, name = run(directory, "symbolic-ref", "--quiet", "--short", "HEAD", check=False)
    return None if code else name.decode("utf-8", "surrogateescape").rstrip("\n")


def stage(directory: Path, wanted: Iterable[str], index: str | None = None) -> None:
    """Put paths into an index as they are, those that are gone as removed."""
    run(
        directory, *_AS_IS, "add", *_FROM_STDIN, given=_listed(wanted), index=index,
        hint="Nothing is lost; set that right and try again",
    )  # fmt: skip


def unstage(directory: Path, wanted: Iterable[str]) -> None:
    """Take paths that no commit has out of the index again."""
    run(directory, "update-index", "--force-remove", "-z", "--stdin", given=_listed(wanted))


def commit(directory: Path, message: str, wanted: Iterable[str]) -> str:
    """Commit these paths and nothing else, staged or not; returns the new commit."""
    run(
        directory, *_AS_IS, "commit", "--quiet", "--only", "--cleanup=whitespace",
        f"--message={message}", *_FROM_STDIN, given=_listed(wanted),
        hint="Nothing was committed and nothing is lost; set that right and try again",
    )  # fmt: skip
    return run(directory, "rev-parse", "HEAD")[1].decode().strip()


def hooks(directory: Path) -> Path:
    """The directory of the hooks: of the whole clone, or the one that core.hooksPath names."""
    _, found = run(directory, "rev-parse", "--git-path", "hooks")
    return directory / os.fsdecode(found.rstrip(b"\n"))


def _listed(wanted: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in wanted)

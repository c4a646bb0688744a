"""Hooks: scripts that git runs, which take a project's events along with every commit.

They are a convenience: nothing relies on them, and they never make git fail. A hook that was
there before is kept beside them and runs first.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine.checkout import journaled, require_checkout
from hopper_tui.model.errors import NotAllowed
from hopper_tui.store.failure import storage_error

if TYPE_CHECKING:
    from pathlib import Path

    from hopper_tui.engine.world import World

ASIDE = ".before-hopper"
"""What the name of a hook that was there before ends with."""
_MARK = "# Made by `hopper hooks install`; `hopper hooks remove` brings back what was here before."
_PROJECTS = "for project in"
_SCRIPT = """\
#!/bin/sh
{mark}
before="$0{aside}"
if [ -x "$before" ]; then
    "$before" "$@" || exit $?
fi
{condition}command -v hopper >/dev/null 2>&1 || exit 0
{projects} {names}; do
    [ -f "./$project/.hopper/hopper.yaml" ] || continue
    hopper -C "./$project" {command} || true
done
exit 0
"""
_HOOKS = {
    "pre-commit": ("", "commit --stage >/dev/null"),
    "post-checkout": ('[ "$3" = 1 ] || exit 0\n', "list --limit 1 -q >/dev/null 2>&1"),
}
"""For each hook: on which condition it runs, and what it runs in each project."""


class Hook(NamedTuple):
    """A hook: where it is, whether anything was changed, and whether another one runs first."""

    name: str
    path: Path
    changed: bool
    chained: bool


def install(world: World, ref: str | None = None) -> list[Hook]:
    """Make the hooks of the repository that a project is in, or add the project to them.

    Raises NotAllowed outside of git, and where a hook that was set aside earlier is in the way;
    StorageError where they cannot be changed.
    """
    directory, project = _where(world, ref)
    try:
        return _install(directory, project)
    except OSError as error:
        raise storage_error(error, directory) from error


def _install(directory: Path, project: str) -> list[Hook]:
    directory.mkdir(parents=True, exist_ok=True)
    for name in _HOOKS:
        path = directory / name
        if os.path.lexists(path) and not _is_ours(path) and os.path.lexists(_aside(path)):
            raise NotAllowed(
                f"{path} is not Hopper's, and {_aside(path).name} is there already",
                "Keep one of the two under another name, then try again",
            )
    done = []
    for name, (condition, command) in _HOOKS.items():
        path = directory / name
        ours = _is_ours(path)
        projects = sorted({project, *(_projects(path) if ours else ())})
        script = _SCRIPT.format(
            mark=_MARK, aside=ASIDE, condition=condition, projects=_PROJECTS,
            names=shlex.join(projects), command=command,
        )  # fmt: skip
        changed = not ours or path.read_text(encoding="utf-8", errors="surrogateescape") != script
        if changed:
            draft = path.with_name(f"{name}.new-hopper")
            draft.write_text(script, encoding="utf-8", errors="surrogateescape")
            draft.chmod(0o755)
            if not ours and os.path.lexists(path):
                os.rename(path, _aside(path))
            os.replace(draft, path)
        done.append(Hook(name, path, changed, os.path.lexists(_aside(path))))
    return done


def remove(world: World, ref: str | None = None) -> list[Hook]:
    """Take the hooks away, of all projects of the repository, and bring back what was before.

    Raises NotAllowed outside of git, StorageError where they cannot be changed.
    """
    directory, _ = _where(world, ref)
    try:
        return _remove(directory)
    except OSError as error:
        raise storage_error(error, directory) from error


def _remove(directory: Path) -> list[Hook]:
    done = []
    for name in _HOOKS:
        path = directory / name
        ours, chained = _is_ours(path), os.path.lexists(_aside(path))
        if ours and chained:
            os.replace(_aside(path), path)
        elif ours:
            path.unlink()
        elif chained and not os.path.lexists(path):
            os.rename(_aside(path), path)
        changed = ours or (chained and not os.path.lexists(_aside(path)))
        done.append(Hook(name, path, changed, chained))
    return done


def installed(root: Path) -> bool:
    """Whether the repository around a directory has the hooks."""
    from hopper_tui.journal import git

    return all(_is_ours(git.hooks(root) / name) for name in _HOOKS)


def _where(world: World, ref: str | None) -> tuple[Path, str]:
    """The directory of the hooks, and the project's from the top of the working tree."""
    from hopper_tui.journal import git

    store = journaled(world, ref)
    checkout = require_checkout(store.journal)
    root = store.journal.directory.parent.parent
    return git.hooks(root).resolve(), os.path.relpath(root, checkout.top)


def _aside(path: Path) -> Path:
    return path.with_name(path.name + ASIDE)


def _is_ours(path: Path) -> bool:
    try:
        with open(path, "rb") as opened:
            return _MARK.encode() in opened.read(4096)
    except OSError:
        return False


def _projects(path: Path) -> list[str]:
    """The projects that a hook of ours is for."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    for line in text.splitlines():
        if line.startswith(_PROJECTS):
            return shlex.split(line.removeprefix(_PROJECTS).rpartition(";")[0])
    return []

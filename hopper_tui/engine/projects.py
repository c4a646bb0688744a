"""Projects with a directory: `hopper init`."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hopper_tui.engine.places import CONFIG_FILE, PROJECT_DIRECTORY, Project, project_name
from hopper_tui.journal.replica import checkout_of
from hopper_tui.model import ids
from hopper_tui.model.errors import HopperError, Invalid, StorageError
from hopper_tui.store.failure import storage_error

if TYPE_CHECKING:
    from pathlib import Path

    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.world import World

ATTRIBUTES_FILE = ".gitattributes"
_ATTRIBUTED = ".hopper/journal/** "
_ATTRIBUTES = f"""\
# Hopper's journal: events are known by their bytes, and nobody reviews them line by line.
{_ATTRIBUTED}-text -diff linguist-generated
"""


@dataclass(frozen=True, slots=True)
class InitReport:
    """What `init` did: `created` is false when the project was there already."""

    hopper: Hopper
    created: bool
    root: Path
    files: tuple[str, ...] = ()


def init(world: World, path: Path, name: str | None) -> InitReport:
    """Make the `.hopper/` directory of the project in `path`, register and start it.

    Everything that git will track is made here and nowhere else. A project of that name which
    lived in the home directory so far moves in. Raises Invalid when another directory has the
    name, StorageError when the directory cannot be written.
    """
    from hopper_tui.engine.hopper import Hopper

    root = path.absolute()
    directory = root / PROJECT_DIRECTORY
    if world.home is not None and directory == world.home:
        raise Invalid(f"{root} holds the home of Hopper itself", "Run init inside a project")
    exists = (directory / CONFIG_FILE).is_file()
    files: list[str] = []
    if not exists:
        slug = ids.slug(name or root.name)
        project = _planned(world, root, slug)
        files = _write_files(directory, project)
        _move_in(world, project)
    world.make_global()
    world.places.start = root
    world.places.look_again()
    known = world.places.project_at(root)
    world.places.register(known)
    world.forget(known.id)
    return InitReport(Hopper.open(world, known.id), not exists, root, tuple(files))


def offers(root: Path) -> dict[str, str]:
    """What one may add for git and has not yet: commands, each with what it is good for."""
    from hopper_tui.engine import hooks

    if checkout_of(root) is None:
        return {}
    found = {}
    if not _has_attributes(root):
        found["hopper init --gitattributes"] = "keep journal files out of diffs, byte by byte"
    with suppress(HopperError):
        if not hooks.installed(root):
            found["hopper hooks install"] = "take tasks along with every git commit"
    return found


def add_attributes(root: Path) -> bool:
    """Tell git in `.gitattributes` to leave journal files as they are; False when it knows.

    What is in the file stays. Raises StorageError when it cannot be written.
    """
    path = root / ATTRIBUTES_FILE
    if _has_attributes(root):
        return False
    try:
        before = path.read_bytes() if path.exists() else b""
        gap = b"\n" if before and not before.endswith(b"\n") else b""
        temporary = path.with_name(f"{path.name}.tmp-hopper")
        temporary.write_bytes(before + gap + _ATTRIBUTES.encode())
        if path.exists():
            temporary.chmod(path.stat().st_mode)
        os.replace(temporary, path.resolve())
    except OSError as error:
        raise storage_error(error, path) from error
    return True


def _has_attributes(root: Path) -> bool:
    try:
        lines = (root / ATTRIBUTES_FILE).read_bytes().splitlines()
    except OSError:
        return False
    return any(line.startswith(_ATTRIBUTED.encode()) for line in lines)


def _planned(world: World, root: Path, slug: str) -> Project:
    key = f"hopper-{slug}"
    for candidate in (key, slug):
        taken = world.places.project(candidate)
        if taken is not None:
            key = candidate
            if taken.root is not None and taken.root != root and taken.root.is_dir():
                raise Invalid(
                    f"there is already a project {slug!r} at {taken.root}",
                    "Give this one another name: hopper init --name NAME",
                )
    name = project_name(key)
    database = root / PROJECT_DIRECTORY / name / "tasks.db"
    return Project(key, name, root, database, (str(root),))


def _write_files(directory: Path, project: Project) -> list[str]:
    from hopper_tui.config.templates import hopper_files

    files = hopper_files(project.id, project.name)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = directory / name
            if path.exists():
                continue
            path.parent.mkdir(exist_ok=True)
            temporary = path.with_name(f"{path.name}.tmp")
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
    except OSError as error:
        raise storage_error(error, directory) from error
    return [f"{PROJECT_DIRECTORY}/{name}" for name in files]


def _move_in(world: World, project: Project) -> None:
    """Bring the databases of a project that lived in the home so far into its directory."""
    known = world.places.project(project.id)
    if known is None or known.root is not None or known.database is None:
        return
    assert project.database is not None
    if not known.database.exists() or project.database.exists():
        return
    world.places.close()
    world.forget(project.id)
    try:
        project.database.parent.mkdir(parents=True, exist_ok=True)
        os.replace(known.database.parent, project.database.parent)
    except OSError as error:
        raise StorageError(
            f"the tasks of {project.name} cannot be moved from {known.database.parent}",
            f"Move that directory to {project.database.parent} by hand ({error.strerror})",
        ) from error

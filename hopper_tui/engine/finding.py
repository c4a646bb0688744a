"""Finding: what a typed reference means, nearest first, never a guess."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain as joined
from typing import TYPE_CHECKING, TypeVar

from hopper_tui.engine.places import CONFIG_FILE, PROJECT_DIRECTORY, project_name
from hopper_tui.model import ids
from hopper_tui.model.clock import seconds
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.errors import AmbiguousId, HopperError, Invalid, NotFound
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.query import Query, Term
from hopper_tui.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hopper_tui.engine.places import Project
    from hopper_tui.engine.world import World
    from hopper_tui.model.event import Event
    from hopper_tui.model.instance import Instance
    from hopper_tui.store.journaled import JournaledStore
    from hopper_tui.store.protocol import Store

V = TypeVar("V", Task, Delegation)
_MANY = 20
"""At most so many candidates are listed for an ambiguous reference."""
_BRANCHES = 100
"""At most so many branches, those committed to last, are searched for a task that is not here."""
_REMEMBERED = 4096
"""Ids whose store is remembered."""


def stores(world: World) -> Iterator[Store]:
    """Every known store: the project around and its runs, the home, then the others."""
    yield from joined(_near(world), _far(world))


def _near(world: World) -> Iterator[Store]:
    around = world.places.around
    if around is not None:
        yield from _of_project(world, around.id)


def _far(world: World) -> Iterator[Store]:
    if world.home is None or (world.home / "home.db").exists():
        yield from _readable(world, world.places.home_store)
    around = world.places.around
    for key in world.places.projects():
        if around is None or key != around.id:
            yield from _of_project(world, key)
    for name in world.places.memory_instances():
        yield world.places.in_memory(name)


def _of_project(world: World, key: str) -> Iterator[Store]:
    project = world.places.project(key)
    if project is None:
        return
    try:
        store = world.places.store_of(project)
    except HopperError as error:
        _warn(world, error)
        return
    if store.path is None or store.path.exists() or _travels_here(store, project):
        yield from _readable(world, store)
    for run in world.places.runs(project):
        path = world.places.run_path(project, run)
        assert path is not None
        yield from _readable(world, world.places.run_at(path))


def _travels_here(store: Store, project: Project) -> bool:
    """Whether the tasks are in the project's directory, though no cache of them is: as where
    nothing can be written."""
    if project.root is None or not store.travels:
        return False
    return (project.root / PROJECT_DIRECTORY / CONFIG_FILE).is_file()


def _readable(world: World, store: Store) -> Iterator[Store]:
    """The store if it can be read; a warning if not."""
    try:
        store.instances()
    except HopperError as error:
        _warn(world, error)
    else:
        yield store


def _warn(world: World, error: HopperError) -> None:
    if error.message not in world.warnings:
        world.warnings.append(error.message)


def find_instance(world: World, ref: str) -> str:
    """The id that a reference means.

    Tried in order: the exact id, the word `global`, the id that is made for such a project name
    (`hopper-NAME`), the exact name, a unique prefix of id or name. The guide writes `webapp-id`
    for "the id of webapp"; that is understood too. Raises NotFound, AmbiguousId.
    """
    word = ref.strip()
    for key in (word, word.casefold(), f"hopper-{word.casefold()}"):
        if world.has(key):
            return key
    if word.casefold() in ("global", "hopper-global") and world.global_id:
        return world.global_id
    known = [node.instance for node in world.nodes()]
    named = [i for i in known if i.name.casefold() == word.casefold()]
    if not named and word:
        named = [i for i in known if _starts(i, word.casefold())]
    if not named and word.endswith("-id"):
        return find_instance(world, word.removesuffix("-id"))
    if len(named) == 1:
        return named[0].id
    if named:
        raise AmbiguousId(
            f"{ref!r} could be {len(named)} hoppers",
            [(i.id, i.name) for i in named[:_MANY]],
            "Type more of the id",
        )
    raise NotFound(f"there is no hopper {ref!r}", _nearest(word, known))


def _starts(instance: Instance, word: str) -> bool:
    return instance.id.startswith(word) or instance.name.casefold().startswith(word)


def _nearest(word: str, known: Sequence[Instance]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.casefold(), [i.id for i in known], n=1)
    return f"Did you mean {near[0]}?" if near else "See: hopper instance list"


def _find(world: World, ref: str, what: str, look: Callable[[Store, str], list[V]]) -> list[V]:
    prefix = ids.read_key(ref)
    if prefix is None and len(ref.strip()) < ids.MIN_PREFIX:
        hint = f"Type at least {ids.MIN_PREFIX} characters"
        raise NotFound(f"{ref!r} is too short for the id of a {what}", hint)
    if prefix is None:
        raise NotFound(f"{ref!r} is not the id of a {what}", _HINTS[what])
    is_whole = len(prefix) == ids.KEY_LENGTH
    if is_whole and (known := _where_it_was(world, prefix, look)):
        return known
    for circle in (_near, _far):
        found: dict[str, V] = {}
        for store in circle(world):
            for value in look(store, prefix):
                found.setdefault(value.id, value)
            if found and is_whole:
                remember(world, prefix, store)
                break
        if found:
            return list(found.values())
    if world.places.around is not None:  # what cannot be read may have it: raises its error
        world.places.store_of(world.places.around).instances()
    if what == "task":
        _check_branches(world, prefix)
    raise NotFound(f"there is no {what} {ref!r}", _HINTS[what])


def remember(world: World, key: str, store: Store) -> None:
    """Look there first for what has this id: a home may have hundreds of stores."""
    if len(world.last_found) >= _REMEMBERED:
        world.last_found.clear()
    world.last_found[key] = store


def _where_it_was(world: World, key: str, look: Callable[[Store, str], list[V]]) -> list[V]:
    store = world.last_found.get(key)
    if store is None or (store.path is not None and not store.path.exists()):
        return []
    try:
        return look(store, key)
    except HopperError:  # looking everywhere tells more
        return []


def _check_branches(world: World, prefix: str) -> None:
    """Raise NotFound, or AmbiguousId, for tasks that were in a checkout and are not now."""
    from hopper_tui.engine import recovering
    from hopper_tui.store.journaled import JournaledStore

    found: dict[str, str] = {}
    titles: dict[str, str] = {}
    branches: dict[str, str] = {}
    removed: set[str] = set()
    for store in stores(world):
        if not isinstance(store, JournaledStore):
            continue
        for key, title in store.elsewhere(prefix).items():
            mark = next((id_prefix(world, instance.id) for instance in store.instances()), "")
            found[key] = mark + key[: max(ids.SHORT_LENGTH, len(prefix))]
            titles[key] = title
            branches[key] = _branch_of(store, key)
            removed.update(recovering.lost(store).tasks)
    if len(found) > 1:
        raise AmbiguousId(
            f"{prefix!r} could be {len(found)} tasks of other branches",
            [(found[key], titles[key]) for key in sorted(found)[:_MANY]],
            "Type one character more",
        )
    for key, short in found.items():
        if key in removed:
            what = f"task {short} {titles[key]!r} was removed before it was committed"
            raise NotFound(what, "Bring it back: hopper recover")
        raise NotFound(
            f"task {short} {titles[key]!r} is on another branch{branches[key]}, not in this"
            " checkout",
            f"Bring it here: hopper bring {short}",
        )


def _branch_of(store: JournaledStore, key: str) -> str:
    """Which branch has files that a task was seen in, as ` (feature)`; "" where none is known."""
    from hopper_tui.journal import git

    journal = store.journal.directory
    with suppress(HopperError):
        names = store.files_of(key)
        refs = git.branches(journal.parent)[:_BRANCHES]
        for ref, tree in git.trees(journal.parent, refs, git.folder_of(journal)).items():
            if not names.isdisjoint(git.listing(journal.parent, tree)):
                return f" ({ref.removeprefix('refs/heads/').removeprefix('refs/remotes/')})"
    return ""


_HINTS = {"task": "See: hopper list --all", "delegation": "See: hopper delegation list"}


def find_task(world: World, ref: str) -> Task:
    """The task with that id or prefix: first in the project around, then anywhere.

    Raises NotFound; AmbiguousId with the candidates.
    """
    tasks = _find(world, ref, "task", lambda store, key: store.tasks_by_prefix(key, _MANY))
    if len(tasks) > 1:
        short = short_ids(world, tasks)
        raise AmbiguousId(
            f"{ref!r} could be {len(tasks)} tasks",
            [(short[t.id], t.title) for t in tasks],
            "Type one character more",
        )
    return tasks[0]


def find_delegation(world: World, ref: str) -> tuple[str, Delegation]:
    """The hop with that id or prefix, and the instance that answers for it."""
    hops = _find(
        world, ref, "delegation", lambda store, key: store.delegations_by_prefix(key, _MANY)
    )
    if len(hops) > 1:
        raise AmbiguousId(
            f"{ref!r} could be {len(hops)} delegations",
            [(h.id, f"{h.source} → {h.target}") for h in hops],
            "Type one character more",
        )
    hop = hops[0]
    for instance in (hop.target, hop.source):
        try:
            known = world.store(instance).delegation(hop.id)
        except HopperError:
            continue
        if known is not None:
            return instance, known
    return hop.source, hop


def short_ids(world: World, tasks: Sequence[Task]) -> dict[str, str]:
    """The short ids of tasks by id: the project's prefix, and at least five characters."""
    by_instance: dict[str, list[str]] = {}
    for task in tasks:
        by_instance.setdefault(task.instance, []).append(task.id)
    short: dict[str, str] = {}
    for instance, keys in by_instance.items():
        prefix = id_prefix(world, instance)
        lengths = world.store(instance).prefix_lengths(keys, ids.SHORT_LENGTH)
        short |= {key: prefix + key[: lengths[key]] for key in keys}
    return short


def id_prefix(world: World, key: str) -> str:
    """The prefix of a project's ids, `web-`: three letters of its name; none for the global."""
    try:
        instance = world.instance(key)
        while instance.scope is HopperScope.ORCHESTRATION and instance.parent:
            instance = world.instance(instance.parent)
    except HopperError:
        return ""
    if instance.scope is not HopperScope.PROJECT:
        return ""
    stated = instance.config.get("prefix") or world.settings(instance).prefix
    return (stated or project_name(instance.id).replace("-", "")[:3]) + "-"


def log(world: World, ref: str | None, limit: int) -> list[Event]:
    """Events, newest first: of a task, of everything an instance's store records, or of the
    hopper we are at."""
    if ref is not None:
        try:
            task = find_task(world, ref)
        except NotFound:
            return world.store(find_instance(world, ref)).events(newest=True, limit=limit)
        return world.store(task.instance).events(key=task.id, newest=True, limit=limit)
    here = world.hopper()
    return world.store(here.id).events(newest=True, limit=limit)


def search(world: World, text: str, limit: int) -> list[Task]:
    """Tasks, closed ones too, that contain a text, over all stores, newest change first."""
    if not text.strip():
        raise Invalid("there is nothing to search for", "Give a word or a part of one")
    query = Query(terms=(Term("text", (text,)),), closed=True, sort="updated", limit=limit)
    found = [task for store in world.stores() for task in store.query(query)]
    found.sort(key=lambda t: -seconds(t.updated_at))
    return found[:limit]

"""Doctor: check every store and configuration; rebuild and maintain on request. Deletes nothing
that is open, and nothing at all unless asked to maintain."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hopper_tui.engine.backends import stand_ins
from hopper_tui.engine.checkout import run_is_beside
from hopper_tui.engine.flow import check_known, made_elsewhere
from hopper_tui.model.errors import HopperError, NotFound
from hopper_tui.model.lifecycle import DelegationStatus, InstanceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hopper_tui.engine.tree import Node
    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Delegation
    from hopper_tui.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor saw: level `ok`, `warning` or `error`."""

    level: str
    subject: str
    message: str


class Orders(NamedTuple):
    """What to do beside looking: make the tables anew, remove what is over, compare everything
    with the record, drop leftovers."""

    rebuild: bool = False
    maintain: bool = False
    deep: bool = False
    fix: bool = False


def examine(world: World, orders: Orders) -> list[Finding]:
    """Everything worth knowing about the health of a world, worst things included."""
    found = [Finding("ok", "SQLite", f"version {sqlite3.sqlite_version}")]
    found += _home(world)
    if any(finding.level == "error" for finding in found) and world.here is None:
        return found
    seen: set[int] = set()
    for node in world.nodes():
        name = node.instance.name
        if node.error is not None:
            found.append(Finding("error", name, str(node.error)))
            continue
        store = world.store(node.instance.id)
        if id(store) not in seen:
            seen.add(id(store))
            found += _store(name, store, orders)
            found += [Finding("warning", name, said) for said in store.skew(world.now())]
        found += _configuration(world, node)
    moved = world.reconcile()
    if moved:
        found.append(Finding("ok", "hops", f"{moved} steps between hoppers were repeated"))
    if orders.maintain:
        found += _maintain(world)
    found += _unsettled(world)
    said = " ".join(finding.message for finding in found)
    found += [Finding("warning", "world", w) for w in world.warnings if w not in said]
    world.warnings.clear()
    return found


def _home(world: World) -> Iterator[Finding]:
    if world.home is None:
        return
    try:
        world.places.home_store.instances()
        world.places.home_config()
    except HopperError as error:
        yield Finding("error", "home", str(error))
        return
    if world.global_id is None:
        yield Finding("warning", "home", f"{world.home} has no global hopper yet")
    else:
        yield Finding("ok", "home", str(world.home))


def _store(name: str, store: Store, orders: Orders) -> Iterator[Finding]:
    if orders.rebuild:
        yield Finding("ok", name, f"tables rebuilt from {store.rebuild()} events")
    if store.travels:
        from hopper_tui.engine.inspecting import inspect

        found = [Finding(level, name, message) for level, message in inspect(store, orders)]
    else:
        hint = "" if orders.rebuild else "; see: hopper doctor --rebuild"
        found = [Finding("error", name, problem + hint) for problem in store.check()]
    yield from found
    if not any(finding.level == "error" for finding in found):
        yield Finding("ok", name, str(store.path or "in memory"))


def _configuration(world: World, node: Node) -> Iterator[Finding]:
    instance = node.instance
    try:
        config = world.full_config(instance)
    except HopperError as error:
        yield Finding("error", instance.name, str(error))
        return
    for sentence in stand_ins(config):
        yield Finding("warning", instance.name, sentence)
    if instance.status is InstanceStatus.ERROR:
        yield Finding("warning", instance.name, f"is in error: {instance.reason or 'no reason'}")
    if isinstance(name := config.get("decomposer"), str):
        from hopper_tui.config.plans import template
        from hopper_tui.engine import breakdown

        try:
            template(name, breakdown.templates_at(world, instance.id))
        except HopperError as error:
            yield Finding("error", instance.name, f"decomposer: {error}")


def _maintain(world: World) -> Iterator[Finding]:
    """Archive and remove finished runs, and remove tasks whose retention has passed."""
    from hopper_tui.engine import upkeep

    readable = [node.instance for node in world.nodes() if node.error is None]
    for swept in upkeep.maintain(world, readable):
        yield Finding("warning" if swept.is_trouble else "ok", swept.subject, swept.message)


def _unsettled(world: World) -> Iterator[Finding]:
    for store in world.stores():
        own = {instance.id for instance in store.instances()}
        for hop in store.delegations((DelegationStatus.ACCEPTED,)):
            if hop.source in own and world.name(hop.target) == hop.target:
                yield from _lost(world, store, hop)
        for hop in store.unsettled():
            if made_elsewhere(store, hop):
                continue
            source, target = world.name(hop.source), world.name(hop.target)
            message = f"{source} → {target} ({hop.status}) waits for the other side"
            yield Finding("warning", "hops", message)


def _lost(world: World, store: Store, hop: Delegation) -> Iterator[Finding]:
    """An accepted hop to a hopper that is known nowhere here, as a run in memory that ended."""
    try:
        check_known(world, hop)
    except NotFound as unknown:
        if made_elsewhere(store, hop):
            where = "worktree" if run_is_beside(store, hop.target) else "clone"
            yield Finding("ok", "hops", f"{hop.target} works on {hop.task} in another {where}")
            return
        hint = str(unknown.hint)
        yield Finding("error", "hops", f"{unknown.message}; {hint[:1].lower()}{hint[1:]}")
    except HopperError:
        return

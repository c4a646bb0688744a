"""Conflicts: what two people changed without having seen each other's change, and which stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.engine import finding, flow
from hopper_tui.engine.places import project_name
from hopper_tui.model import ids
from hopper_tui.model.clock import stamp
from hopper_tui.model.errors import AmbiguousId, Invalid, NotFound
from hopper_tui.model.lifecycle import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hopper_tui.engine.world import World
    from hopper_tui.model.conflict import Conflict, Side
    from hopper_tui.store.protocol import Store

MINE, THEIRS = "mine", "theirs"
_TOLD = "told:"
"""Under this local name and an event stands that who made it knows that they were later."""


def listed(store: Store, everything: bool = False) -> list[Conflict]:
    """The conflicts to look at, the oldest first; with `everything` also, after them, those that
    settled themselves."""
    found = store.conflicts()
    if not everything:
        return [conflict for conflict in found if conflict.wants_attention]
    return sorted(found, key=lambda conflict: not conflict.wants_attention)


def resolve(
    world: World, store: Store, ref: str, take: str, field: str | None = None
) -> list[Conflict]:
    """Decide the conflicts about a task, or about one field of it; returns them as they were.

    `take` is "mine", the value that this clone wrote, or "theirs", the other one. Where neither
    or both were written here, mine is the one that stands. Raises NotFound when there is nothing
    to decide, AmbiguousId, Invalid.
    """
    if take not in (MINE, THEIRS):
        raise Invalid(f"{take!r} is nobody's value", f"Take {MINE} or {THEIRS}")
    about = _about(world, ref, listed(store))
    chosen = [c for c in about if field in (None, c.register)]
    if not chosen:
        fields = ", ".join(dict.fromkeys(c.register for c in about))
        what = f"the {field} of {ref}" if field else ref
        raise NotFound(
            f"nobody disagrees about {what}",
            f"In conflict: {fields}" if fields else "See: hopper conflicts",
        )
    registers: dict[str, list[Conflict]] = {}
    for conflict in chosen:
        registers.setdefault(conflict.register, []).append(conflict)
    with world.command("resolve"):
        with world.writing(store) as tx:
            for conflicts in registers.values():
                conflict, take_loser = _choice(conflicts, take, store.replica)
                tx.resolve(conflict, take_loser=take_loser)
                task = store.task(conflict.key)
                if task is not None and task.status is not TaskStatus.DELEGATED:
                    flow.take_back(tx, store, task, "somebody else has it", stamp(world.now()))
        flow.drive(world, [store])
    return chosen


def _about(world: World, ref: str, conflicts: Sequence[Conflict]) -> list[Conflict]:
    """The conflicts about what a reference means."""
    prefix = ids.read_key(ref)
    named = [c for c in conflicts if ref in (c.key, project_name(c.key))]
    named = named or [c for c in conflicts if prefix and c.key.startswith(prefix)]
    keys = dict.fromkeys(c.key for c in named)
    if len(keys) > 1:
        raise AmbiguousId(
            f"{ref!r} could be {len(keys)} things in conflict",
            [(key, key) for key in keys],
            "Type one character more",
        )
    if not keys:
        finding.find_task(world, ref)
    return named


def sides(conflicts: Sequence[Conflict], here: str) -> tuple[Side, Side]:
    """Of the conflicts about one register, what `resolve` takes in the clone `here`: the side that
    is mine, and the one that is theirs."""
    standing = conflicts[0].winner
    known = [standing, *(c.loser for c in conflicts)]
    own = [side for side in known if here and side.replica == here]
    mine = own[-1] if own and standing not in own else standing
    return mine, _other(known, mine)


def _choice(conflicts: Sequence[Conflict], take: str, here: str) -> tuple[Conflict, bool]:
    """Of the conflicts about one register: the one with the value to take, and whether it is that
    of the loser."""
    mine, theirs = sides(conflicts, here)
    chosen = mine if take == MINE else theirs
    if chosen is conflicts[0].winner:
        return conflicts[0], False
    return next(c for c in conflicts if c.loser is chosen), True


def _other(sides: Sequence[Side], mine: Side) -> Side:
    """The side across from mine; of several the one that stands, else the latest."""
    others = [side for side in sides if side is not mine]
    return others[0] if sides[0] is not mine else max(others, key=lambda side: side.at)


def contested(world: World, store: Store) -> None:
    """Tell who acts, once, that a task they took here was somebody else's before."""
    for conflict in _lost_claims(world, store):
        mark = _TOLD + conflict.loser.event
        if store.local(mark) is not None:
            continue
        store.set_local(mark, "1")
        task = store.task(conflict.key)
        short = world.short_id(task) if task else conflict.key[: ids.SHORT_LENGTH]
        world.warnings.append(
            f"{holder(conflict.winner)} has {short} since {conflict.winner.at[11:16]} UTC; your"
            " claim came later. See: hopper conflicts"
        )


def _lost_claims(world: World, store: Store) -> Iterable[Conflict]:
    for conflict in store.conflicts("claim"):
        loser = conflict.loser
        here = store.replica and loser.replica == store.replica
        who = (loser.actor, loser.values.get("owner"))
        if here and world.actor in who:
            yield conflict


def holder(side: Side) -> str:
    """Who has a task by one side of a contested claim."""
    return str(side.values.get("owner") or side.actor)

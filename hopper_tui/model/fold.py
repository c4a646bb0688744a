"""The fold: how an event changes what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hopper_tui.model.event import Patch

if TYPE_CHECKING:
    from collections.abc import Mapping


def apply(state: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """The fields of an entity after a patch; fields are as in the value classes.

    A pure function: applying the patches of an entity in order to nothing gives its state.
    """
    after = {**state, **patch.set}
    for name, gone in patch.off.items():
        after[name] = tuple(e for e in after.get(name) or () if e not in gone)
    for name, new in patch.on.items():
        before = tuple(after.get(name) or ())
        after[name] = before + tuple(e for e in new if e not in before)
    return after


def changes(before: Mapping[str, Any], wanted: Mapping[str, Any], sets: frozenset[str]) -> Patch:
    """The patch from `before` to `wanted`, which names only the fields to change.

    Fields in `sets` change element by element, the others as a whole; equal ones are left out.
    """
    fields: dict[str, Any] = {}
    base: dict[str, Any] = {}
    on: dict[str, tuple[str, ...]] = {}
    off: dict[str, tuple[str, ...]] = {}
    for name, new in wanted.items():
        old = before.get(name)
        if old == new:
            continue
        if name in sets:
            was, will = tuple(old or ()), tuple(new or ())
            if added := tuple(e for e in will if e not in was):
                on[name] = added
            if removed := tuple(e for e in was if e not in will):
                off[name] = removed
        else:
            fields[name], base[name] = new, old
    return Patch(fields, base, on, off)

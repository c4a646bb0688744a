"""Edges without cycles: which dependencies hold when two people made a circle together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Edge = tuple[str, str]


def inert(edges: Iterable[tuple[tuple[str, ...], Edge]]) -> set[Edge]:
    """The edges that would close a cycle, when they are put in by their order one by one."""
    ways: dict[str, set[str]] = {}
    closing: set[Edge] = set()
    for _, (source, target) in sorted(_on_circles(list(edges))):
        if source == target or leads(ways, target, source):
            closing.add((source, target))
        else:
            ways.setdefault(source, set()).add(target)
    return closing


def _on_circles(edges: list[tuple[tuple[str, ...], Edge]]) -> list[tuple[tuple[str, ...], Edge]]:
    """The edges among which all circles are: what begins or ends nowhere is taken off until
    nothing such is left, which leaves nothing at all in the usual case."""
    for end in (0, 1):
        degree: dict[str, int] = {}
        ways: dict[str, list[str]] = {}
        for _, edge in edges:
            degree[edge[end]] = degree.get(edge[end], 0) + 1
            ways.setdefault(edge[1 - end], []).append(edge[end])
        free = [node for node in ways if node not in degree]
        gone = set(free)
        while free:
            for node in ways.get(free.pop(), ()):
                degree[node] -= 1
                if not degree[node]:
                    gone.add(node)
                    free.append(node)
        edges = [each for each in edges if each[1][0] not in gone and each[1][1] not in gone]
    return edges


def leads(ways: dict[str, set[str]], start: str, end: str) -> bool:
    """Whether a way leads from `start` to `end`."""
    open_, seen = [start], set()
    while open_:
        node = open_.pop()
        if node == end:
            return True
        if node not in seen:
            seen.add(node)
            open_ += ways.get(node, ())
    return False

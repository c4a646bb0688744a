"""Offers to lines of text: who offers what to whom, since when, and why; pure functions."""

from __future__ import annotations

from hopper_tui.model.clock import age
from hopper_tui.model.lifecycle import DelegationType
from hopper_tui.model.text import plain
from hopper_tui.tui.commands import Keys, key_of
from hopper_tui.tui.presentation import PRIORITY, clip, clip_middle, count, fit, width_of, wrap
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.view_snapshot import Offer, OffersSnapshot

_INDENT = 8
"""Cells before what is told below an offer."""


def offer_line(offer: Offer, width: int, now: float) -> Line:
    """An offer on one line of exactly `width` cells: since when, what, from whom to whom."""
    hop = offer.hop
    since = age(hop.delegation.delegated_at, now) if hop.delegation.delegated_at else ""
    sign = PRIORITY[offer.task.task.priority] if offer.task else Span(" ")
    short = f"{offer.task.short_id}  " if offer.task and width >= 72 else ""
    way = clip_middle(f"{plain(hop.source)} → {plain(hop.target)}", max(16, width * 2 // 5))
    room = max(1, width - 8 - width_of(short) - width_of(way) - 3)
    return (
        Span(f" {since:>4} ", "warn"),
        sign,
        Span(f" {short}", "id"),
        Span(fit(hop.title, room)),
        Span(f"  {way} ", "accent"),
    )


def notes_of(offer: Offer) -> str:
    """What kind of offer it is unless it is a usual one, what was said with it, and why."""
    it = offer.hop.delegation
    kind = "" if it.type is DelegationType.ROUTE else str(it.type)
    reason = str((it.decision or {}).get("reason") or "")
    return " · ".join(filter(None, (kind, it.notes, reason)))


def notes_line(text: str, width: int, now: float) -> Line:
    """What is told below an offer."""
    return (Span(" " * _INDENT), Span(clip(text, max(1, width - _INDENT - 1)), "muted"))


def offers_title(offers: OffersSnapshot, keys: Keys) -> tuple[str, str]:
    """`offers · 2 wait for an answer`, and the keys that answer."""
    number = len(offers.offers)
    title = f"offers · {number:,} wait{'s' if number == 1 else ''} for an answer"
    notes = []
    if number:
        accept, reject = (key_of(f"task.{verb}", keys) for verb in ("accept", "reject"))
        notes.append(f"{accept} accepts, {reject} rejects")
    if offers.unreadable:
        notes.append(f"{count(offers.unreadable, 'hopper')} cannot be read")
    return (title if number else "offers", " · ".join(notes))


def no_offers(width: int, keys: Keys) -> tuple[Line, ...]:
    """That nothing waits, and the key that offers something."""
    key = key_of("task.delegate", keys)
    help_ = "offers a task to another hopper; it shows here if the hopper answers by hand."
    return (
        *((Span(line, "muted"),) for line in wrap("Nothing waits for your answer.", width)),
        *((Span(line, "muted"),) for line in wrap(f"{key} {help_}", min(width, 60))),
    )

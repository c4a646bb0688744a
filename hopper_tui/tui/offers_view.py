"""OffersView: the delegations that wait for an answer, at all hoppers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import bindings_of
from hopper_tui.tui.offer_lines import no_offers, notes_line, notes_of, offer_line, offers_title
from hopper_tui.tui.presentation import problem_lines
from hopper_tui.tui.roles import Line
from hopper_tui.tui.row_list import Row, RowList
from hopper_tui.tui.stage import Place
from hopper_tui.tui.view_snapshot import Offer, OffersSnapshot


class OffersView(RowList):
    """The offer under the cursor is accepted or rejected; Enter goes to its task."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("offers")

    snapshot = OffersSnapshot(0)

    def show(self, offers: OffersSnapshot) -> None:
        """Show what is offered now; the cursor stays on its offer."""
        self.snapshot = offers
        self.notice = self._explanation
        self.show_title(*offers_title(offers, self.keys))
        self.lay_out([row for offer in offers.offers for row in _rows(offer)])

    def _explanation(self, width: int) -> tuple[Line, ...]:
        problem = self.snapshot.problem
        return problem_lines(problem, width) if problem else no_offers(width, self.keys)


def _rows(offer: Offer) -> Iterator[Row]:
    """An offer, and below it what was said with it."""
    it = offer.hop.delegation
    row = Row(it.id, partial(offer_line, offer), Place(it.source, it.task), offer.task, offer.hop)
    yield row
    if notes := notes_of(offer):
        yield row._replace(draw=partial(notes_line, notes), below=True)

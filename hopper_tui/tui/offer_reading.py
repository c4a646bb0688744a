"""Reading offers: the delegations that wait for an answer, at every hopper that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hopper_tui.model.errors import HopperError
from hopper_tui.model.lifecycle import DelegationStatus
from hopper_tui.tui.snapshot import Problem, Question, TaskRow
from hopper_tui.tui.task_reading import hop_of
from hopper_tui.tui.view_snapshot import Offer, OffersSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.model.delegation import Delegation


class OfferReader:
    """Reads all that is offered to anybody here."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, number: int, question: Question) -> OffersSnapshot:
        """The offers, those that wait longest first."""
        try:
            nodes = self._world.nodes()
            here = {node.instance.id for node in nodes if node.error is None}
            found = {hop.id: hop for hop in self._pending(here)}
            offers = [self._offer(hop) for hop in found.values()]
        except Exception as error:
            return OffersSnapshot(number, problem=Problem.of(error))
        offers.sort(key=lambda offer: offer.hop.delegation.delegated_at)
        return OffersSnapshot(number, tuple(offers), len(nodes) - len(here))

    def _pending(self, here: set[str]) -> list[Delegation]:
        """What waits at its target, which is the side that answers."""
        stores = {id(store): store for key in here if (store := self._world.store(key))}
        return [
            hop
            for store in stores.values()
            for hop in store.delegations((DelegationStatus.PENDING,))
            if hop.target in here and self._world.store(hop.target) is store
        ]

    def _offer(self, delegation: Delegation) -> Offer:
        hop = hop_of(self._world, delegation)
        try:
            _, task = self._world.find_task(delegation.task)
        except HopperError:
            return Offer(hop)
        return Offer(hop, TaskRow(task, self._world.short_id(task)))

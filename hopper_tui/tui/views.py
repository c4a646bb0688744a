"""The registry of views: what can stand in place of the panes, and the key that shows it."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

ViewName = Literal["board", "offers", "runs", "log", "stats", "doctor"]

VIEW_NAMES: tuple[ViewName, ...] = get_args(ViewName)


class View(NamedTuple):
    """A view: the key that shows it and, pressed again, leaves it; what it is good for; and where
    its widget and what reads it are, `module:Class` in this package, loaded when they are needed.

    One that is `live` is read again whenever a store changes. One that is read `apart` may take
    seconds, and nothing else waits for it.
    """

    name: ViewName
    key: str
    about: str
    widget: str
    reader: str
    live: bool = True
    apart: bool = False


VIEWS: tuple[View, ...] = (
    View("board", "B", "See the board: tasks by their state",
         "board_view:BoardView", "board_reading:BoardReader"),
    View("offers", "O", "See the offers: delegations that wait for an answer",
         "offers_view:OffersView", "offer_reading:OfferReader"),
    View("runs", "W", "See the runs and who works on what",
         "runs_view:RunsView", "run_reading:RunReader"),
    View("log", "L", "See the log: what happens, as it happens",
         "log_view:LogView", "log_reading:LogReader"),
    View("stats", "T", "See the stats: how the work goes, drawn and in numbers",
         "stats_view:StatsView", "stats_reading:StatsReader", live=False),
    View("doctor", "H", "See the doctor: what is wrong, and what to do about it",
         "doctor_view:DoctorView", "doctor_reading:DoctorReader", live=False, apart=True),
)  # fmt: skip
"""In the order of the list that `V` opens."""

BY_NAME: dict[ViewName, View] = {view.name: view for view in VIEWS}

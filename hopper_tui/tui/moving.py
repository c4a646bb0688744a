"""MovingScreen: from pane to pane, by key, tab and label, and how much room each pane has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import getters, on
from textual.events import DescendantFocus
from textual.geometry import Offset
from textual.widgets import Input

from hopper_tui.tui.arrangement import Axis
from hopper_tui.tui.commands import PANES, PaneName
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.panes import Panes
from hopper_tui.tui.tabs import Tabs
from hopper_tui.tui.viewing import ViewingScreen
from hopper_tui.tui.views import VIEW_NAMES

if TYPE_CHECKING:
    from hopper_tui.tui.jumping import Target

BOUND = frozenset((*PANES, *VIEW_NAMES))
"""The ids of the panes and views: commands are bound to them."""


class MovingScreen(ViewingScreen):
    """A screen that knows which pane the user is in."""

    tabs = getters.query_one(Tabs)
    body: Panes
    _pane: PaneName = "queue"

    def show_status(self) -> None:
        """Show the keys of the pane that has the focus, and where we are."""
        raise NotImplementedError

    def view(self, pane: PaneName) -> LineView:
        """The view inside a pane."""
        return self.query_one(f"#{pane}", LineView)

    def on_resize(self) -> None:
        self.call_after_refresh(self._keep_focus)

    def _keep_focus(self) -> None:
        """A pane that a smaller screen hides loses the focus: give it to the one that is shown."""
        if self.focused is None:
            self.action_go(self._pane)

    @on(DescendantFocus)
    def _pane_focused(self, event: DescendantFocus) -> None:
        if isinstance(event.widget, Input):
            self.is_opening = False
        pane = next((node.id for node in event.widget.ancestors_with_self if node.id in BOUND), "")
        if pane in VIEW_NAMES:
            self._pane = pane
            self.show_status()
        elif pane in PANES:
            self._pane = pane
            self._show_pane(pane)
            self.tabs.show(PANES.index(pane))
            self.show_status()

    def _show_pane(self, pane: PaneName) -> None:
        """Let a pane be the one that is shown where there is room for one."""
        for name in PANES:
            self.body.set_class(name == pane, f"show-{name}")

    @on(Tabs.Picked)
    def _tab_picked(self, message: Tabs.Picked) -> None:
        self.action_go(PANES[message.number])

    def action_go(self, pane: PaneName) -> None:
        """Focus a pane; whoever goes to the queue has left the view of its hopper."""
        self.leave_view()
        if pane == "queue":
            self.view_of.pop(str(self._hopper), None)
        self._show_pane(pane)  # one that is not displayed cannot take the focus
        self._pane = pane
        self.view(pane).focus()

    def action_step(self, step: int) -> None:
        """Focus the next pane or the one before."""
        self.action_go(PANES[(PANES.index(self._pane) + step) % len(PANES)])

    def action_back(self) -> None:
        """Leave the view, zoom, or the program."""
        if self.stage.shown:
            self.action_go("queue")
        elif self.has_class("-zoom"):
            self.action_zoom()
        elif self.underway is not None and self.underway.progress:
            self.ask(self._quit())
        else:
            self.app.exit()

    # Room

    def action_zoom(self) -> None:
        """Show only the focused pane, or all again."""
        self.toggle_class("-zoom")
        self.body.lay_out()

    def action_grow(self, axis: Axis, by: int) -> None:
        """Make the focused pane larger, or smaller."""
        self.body.grow(self._pane, axis, by)

    def action_usual_sizes(self) -> None:
        """Let all panes have their usual sizes."""
        self.body.reset()

    # Labels

    def action_jump(self) -> None:
        """Show where one can go, and go where the label leads that is typed."""
        self.run_worker(self._jump(), group="ask")

    async def _jump(self) -> None:
        from hopper_tui.tui.jumping import JumpScreen

        places = self._places()
        if places and (target := await self.app.push_screen_wait(JumpScreen(places))):
            target.go()

    def _places(self) -> list[Target]:
        """Every pane and every row on the screen."""
        from hopper_tui.tui.jumping import Target

        places = []
        if not self.stage.shown:
            panes = [(str(n), pane) for n, pane in enumerate(PANES, 1) if self.view(pane).region]
            for label, pane in panes:
                at = self.view(pane).region.offset + Offset(1, 0)
                places.append(Target(at, partial(self.action_go, pane), label))
        for view in self.query(LineList):
            for row, index in enumerate(view.visible_lines if view.region else ()):
                at = view.content_region.offset + Offset(0, row)
                places.append(Target(at, partial(self._go_to_line, view, index)))
        return places

    def _go_to_line(self, view: LineList, index: int) -> None:
        for pane in PANES:
            if view is self.view(pane):
                self._pane = pane  # the tree opens what is selected in it
        view.focus()
        view.cursor = index

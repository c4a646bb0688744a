"""ViewingScreen: views in place of the panes, and the one that each hopper was left in."""

from __future__ import annotations

from textual import getters, on

from hopper_tui.tui.commands import PaneName
from hopper_tui.tui.messages import ViewLoaded
from hopper_tui.tui.queue_view import QueueView
from hopper_tui.tui.snapshot import Question
from hopper_tui.tui.stage import Place, Stage, Staged
from hopper_tui.tui.tree_view import TreeView
from hopper_tui.tui.verbs import APPROVE
from hopper_tui.tui.views import ViewName
from hopper_tui.tui.working import WorkingScreen


class ViewingScreen(WorkingScreen):
    """A screen with panes, and with a stage for what takes their place."""

    stage = getters.query_one(Stage)
    tree_view = getters.query_one("#tree", TreeView)
    view_of: dict[str, ViewName]
    _hopper: str | None
    _view_asked_for = 0
    """The question about the view shown that was asked last."""
    _by_others: frozenset[int] = frozenset()
    """The questions that were asked because others changed something."""
    answered_at: str | None = None
    """The hopper that answered an offer in the view shown, which may have gone from it."""

    @property
    def filter_text(self) -> str:
        """The filter of the hopper that is shown."""
        raise NotImplementedError

    def action_go(self, pane: PaneName) -> None:
        """Focus a pane."""
        raise NotImplementedError

    def look_at(self, place: Place) -> None:
        """Read the queue of another hopper, and put the cursor on a task there."""
        raise NotImplementedError

    @property
    def tasks(self) -> QueueView | Staged:
        """Where the task is that verbs act on: the queue, or the view in its place."""
        return self.stage.view or self.queue_view

    @property
    def here(self) -> str | None:
        """The hopper that the user looks at: that of the queue, or the one under the cursor."""
        if self.stage.view and self.answered_at:
            return self.answered_at
        place = self.stage.view.place if self.stage.view else None
        return place.instance if place else self._hopper

    async def action_view(self, name: ViewName) -> None:
        """Show a view in place of the panes, or the queue again."""
        if self.stage.shown and self.stage.shown.name == name:
            self.action_go("queue")
            return
        self.answered_at = None
        self.add_class("-staged")
        self.view_of[str(self._hopper)] = name
        await self.stage.open(name)
        if self.stage.view:
            self.stage.view.focus()

    def leave_view(self) -> None:
        """Show the panes again."""
        if self.stage.shown:
            self.remove_class("-staged")
            self.stage.clear()
            self.post_message(Stage.Highlighted())  # the task of the queue is looked at again

    def action_beside(self, step: int) -> None:
        """Look at the hopper before or after this one in the tree, with the same view."""
        if key := self.tree_view.beside(str(self._hopper), step):
            if self.stage.shown:
                self.view_of[key] = self.stage.shown.name
            self.look_at(Place(key))
            self.load_view()

    def action_approve(self) -> None:
        """Approve the checkpoint under the cursor: to say so is all there is to do in it."""
        if self.stage.view and (held := self.stage.view.approval):
            self.run_worker(self.work(APPROVE, [held.row.task.id]), group="work")

    @on(Staged.Wanted)
    def load_view(self) -> None:
        """Read the view shown."""
        if (view := self.stage.view) and self.stage.shown:
            task = self.queue_view.selected
            question = Question(self._hopper, self.filter_text, task, view.wanted)
            self._view_asked_for = self.session.load_view(self.stage.shown, question)

    @on(ViewLoaded)
    def _show_view(self, message: ViewLoaded) -> None:
        by_others = message.snapshot.revision in self._by_others
        self.stage.receive(message.name, message.snapshot, by_others)

    @on(Staged.PageWanted)
    def _fetch_cards(self, message: Staged.PageWanted) -> None:
        self.session.load_page(message.instance, message.revision, message.ids)

    @on(Stage.Opened)
    def _place_opened(self, message: Stage.Opened) -> None:
        if (row := self.tasks.selected_row) and not row.task.is_open:
            self.action_ask("read")  # no queue shows it
            return
        self._hopper = message.place.instance
        self.action_go("queue")
        self.look_at(message.place)

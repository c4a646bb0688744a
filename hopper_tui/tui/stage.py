"""Stage: where a view stands that takes the place of the panes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from hopper_tui.tui.commands import Keys
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.snapshot import Hop, PageSnapshot, TaskRow
from hopper_tui.tui.views import BY_NAME, View, ViewName

if TYPE_CHECKING:
    from hopper_tui.tui.view_snapshot import Held


class Place(NamedTuple):
    """Where the cursor leads to: a hopper, and a task there."""

    instance: str
    task: str | None = None


class Staged(Widget):
    """What every view has in common: what it shows, and what the cursor is on.

    It is mixed into a list of lines, or into what holds several.
    """

    class PageWanted(Message):
        """Bodies of some tasks of a hopper are needed soon, for what is shown of it."""

        def __init__(self, instance: str, revision: int, ids: tuple[str, ...]) -> None:
            super().__init__()
            self.instance = instance
            self.revision = revision
            self.ids = ids

    class Wanted(Message):
        """What the view shows is to be read, for the first time or again."""

    snapshot: Any
    by_others = False
    """Whether what is shown next was read because others changed something."""

    def show(self, snapshot: Any) -> None:
        """Show another state."""
        raise NotImplementedError

    def add_page(self, page: PageSnapshot) -> None:
        """Take in bodies that were wanted."""

    @property
    def with_cursor(self) -> Widget:
        """What the keys that move the cursor act on."""
        return self

    @property
    def wanted(self) -> tuple[str, ...]:
        """What is to be read beyond what is always read, in words of the view."""
        return ()

    @property
    def lacks(self) -> bool:
        """Whether something that is wanted now has not been read."""
        return False

    @property
    def place(self) -> Place | None:
        """What the cursor is on: undo works there, and Enter leads there."""
        return None

    @property
    def selected_row(self) -> TaskRow | None:
        """The task under the cursor."""
        return None

    @property
    def task_id(self) -> str | None:
        """The id of the task under the cursor."""
        return self.selected_row.task.id if self.selected_row else None

    @property
    def chosen(self) -> tuple[str, ...]:
        """What a verb acts on."""
        return (self.task_id,) if self.task_id else ()

    def row(self, task_id: str) -> TaskRow | None:
        """What is known of a task on the screen."""
        return self.selected_row if self.task_id == task_id else None

    @property
    def hop(self) -> Hop | None:
        """The delegation under the cursor."""
        return None

    @property
    def approval(self) -> Held | None:
        """The checkpoint under the cursor, if it waits for approval."""
        return None


class Stage(Container):
    """Shows one view at a time, or none; each is made when it is first shown."""

    class Highlighted(Message):
        """The cursor of the view is on something else."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Stage.Highlighted)

    class Opened(Message):
        """Somebody wants to go where the cursor is."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    def __init__(self, clock: Callable[[], float], keys: Keys, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._keys = keys
        self._views: dict[ViewName, Staged] = {}
        self.shown: View | None = None

    @property
    def view(self) -> Staged | None:
        """The widget of the view shown."""
        return self._views[self.shown.name] if self.shown else None

    async def open(self, name: ViewName) -> None:
        """Show a view and have it read."""
        if name not in self._views:
            module, _, widget = BY_NAME[name].widget.partition(":")
            make = getattr(import_module(f"hopper_tui.tui.{module}"), widget)
            self._views[name] = made = make(self._clock, self._keys, id=name)
            await self.mount(made)
        self.shown = BY_NAME[name]
        for key, view in self._views.items():
            view.display = key == name
        self.post_message(Staged.Wanted())

    def clear(self) -> None:
        """Show none."""
        if view := self.view:
            view.display = False
        self.shown = None

    def receive(self, name: ViewName, snapshot: Any, by_others: bool = False) -> None:
        """Hand a view what was read for it."""
        if view := self._views.get(name):
            view.by_others = by_others
            view.show(snapshot)
            self.post_message(self.Highlighted())

    @on(LineList.Highlighted)
    def _line_highlighted(self, message: LineList.Highlighted) -> None:
        message.stop()
        if self.view and self.view.lacks:
            self.post_message(Staged.Wanted())
        self.post_message(self.Highlighted())

    @on(LineList.Chosen)
    def _line_chosen(self, message: LineList.Chosen) -> None:
        message.stop()
        if self.view and (place := self.view.place):
            self.post_message(self.Opened(place))

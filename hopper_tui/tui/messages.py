"""Messages about the whole: a new state of something is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

from hopper_tui.tui.snapshot import (
    CheckoutSnapshot,
    DetailSnapshot,
    PageSnapshot,
    QueueSnapshot,
    TreeSnapshot,
)
from hopper_tui.tui.views import ViewName

if TYPE_CHECKING:
    from hopper_tui.engine.completing import Words


class TreeLoaded(Message):
    """The tree of hoppers was read."""

    def __init__(self, tree: TreeSnapshot) -> None:
        super().__init__()
        self.tree = tree


class QueueLoaded(Message):
    """The queue of a hopper was read."""

    def __init__(self, queue: QueueSnapshot) -> None:
        super().__init__()
        self.queue = queue


class PageLoaded(Message):
    """Bodies of some tasks were read."""

    def __init__(self, page: PageSnapshot) -> None:
        super().__init__()
        self.page = page


class DetailLoaded(Message):
    """Everything about a task was read."""

    def __init__(self, detail: DetailSnapshot) -> None:
        super().__init__()
        self.detail = detail


class ViewLoaded(Message):
    """What a view shows was read."""

    def __init__(self, name: ViewName, snapshot: Any) -> None:
        super().__init__()
        self.name = name
        self.snapshot = snapshot


class CheckoutLoaded(Message):
    """Branch, uncommitted events and conflicts of the hopper shown were read."""

    def __init__(self, checkout: CheckoutSnapshot) -> None:
        super().__init__()
        self.checkout = checkout


class Warned(Message):
    """The engine found something that a person should know."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class WordsLoaded(Message):
    """What completes a filter at a hopper was read."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.words = words


class StoreChanged(Message):
    """A store was changed by somebody."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StoreChanged)


class FirstQueueShown(Message):
    """The first queue is on the screen: the program is open."""

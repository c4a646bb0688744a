"""Cockpit: the one screen: hoppers, queue, task and chain, and what connects them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from textual import getters, on
from textual.app import ComposeResult

from hopper_tui.model.errors import HopperError, Invalid, NotFound
from hopper_tui.tui.arrangement import layout_of
from hopper_tui.tui.chain_view import ChainView
from hopper_tui.tui.commands import (
    BY_ID,
    PANES,
    UNCHANGED,
    Command,
    Keys,
    PaneName,
    Situation,
    hints_of,
    key_of,
)
from hopper_tui.tui.delays import Delays
from hopper_tui.tui.detail_view import DetailView
from hopper_tui.tui.filtering import FilteringScreen
from hopper_tui.tui.following import Following
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.messages import (
    CheckoutLoaded,
    DetailLoaded,
    FirstQueueShown,
    PageLoaded,
    QueueLoaded,
    StoreChanged,
    TreeLoaded,
    Warned,
)
from hopper_tui.tui.opening import Opening
from hopper_tui.tui.panes import Panes
from hopper_tui.tui.presentation import clip_middle, count, queue_title
from hopper_tui.tui.queue_view import QueueView
from hopper_tui.tui.snapshot import CheckoutSnapshot, Hop, Problem, QueueSnapshot
from hopper_tui.tui.stage import Place, Stage
from hopper_tui.tui.state import Remembered
from hopper_tui.tui.status_line import StatusLine
from hopper_tui.tui.tabs import Tabs
from hopper_tui.tui.tree_view import TreeView
from hopper_tui.tui.views import VIEW_NAMES, ViewName
from hopper_tui.tui.working import BULK, SILENT_FOR, TAKES_TIME

if TYPE_CHECKING:
    from hopper_tui.engine.world import World
    from hopper_tui.tui.session import Session

DETAIL_AFTER = 0.12
"""Seconds the cursor rests on a task before its details are read: holding `j` reads none."""
QUEUE_AFTER = 0.08
"""Seconds the cursor rests on a hopper before its queue is read."""
CHECKOUT_AFTER = 0.1
"""Seconds without another change before git is asked: what is on the screen comes first."""
POLL_EVERY = 1.0
"""Seconds between looks at the stores, in case the file system told nothing."""
TITLES: dict[PaneName, str] = {
    "tree": "hoppers",
    "queue": "queue",
    "task": "task",
    "chain": "chain",
}


@runtime_checkable
class ShowsCheckout(Protocol):
    """A screen above the cockpit that follows what git does."""

    def show_checkout(self, checkout: CheckoutSnapshot) -> None:
        """Show another state of the checkout."""


class Cockpit(FilteringScreen):
    """Snapshots go down to the panes, what the user does comes up as messages and commands."""

    AUTO_FOCUS = "#queue"

    task_view = getters.query_one("#task", DetailView)
    chain_view = getters.query_one("#chain", ChainView)

    def __init__(
        self,
        world: World,
        opening: Opening,
        remembered: Remembered,
        keys: Keys = UNCHANGED,
        local: bool = True,
    ) -> None:
        super().__init__()
        self._local = local
        self.keys = keys
        self._world = world
        self._clock = world.now
        self._actor = world.actor
        self._home = world.home
        self._returns = opening == Opening()
        self._named_task = opening.task
        self._wrong: str | None = None
        """Why the queue could not be read."""
        self._was_at = (remembered.hopper, remembered.task)
        opening = opening.after(remembered)
        self._hopper = opening.instance
        self._filters = dict(remembered.filters.items())
        if opening.filter is not None:
            self._filters[opening.instance] = opening.filter
        self._wanted_task = opening.task
        self._selected = opening.task
        self.body = Panes(remembered.sizes, id="body", classes="show-queue")
        views = remembered.views.items()
        self.view_of: dict[str, ViewName] = {k: v for k, v in views if v in VIEW_NAMES}
        self.delays = Delays(self)
        self.following = Following(self)
        self.drafts = dict(remembered.drafts)
        """What was typed into forms that were left, by the hopper the task was to be added to."""
        self._loaded = False
        self.checkout = CheckoutSnapshot()
        self._asks_git = True

    def compose(self) -> ComposeResult:
        clock = self._clock
        self.add_class(*layout_of(self.app.size))  # the first layout is the right one
        yield Tabs(tuple(TITLES[pane] for pane in PANES), id="tabs")
        with self.body:
            views: dict[PaneName, LineView] = {
                "tree": TreeView(id="tree"),
                "queue": QueueView(clock, self.keys, id="queue"),
                "task": DetailView(clock, self.keys, id="task"),
                "chain": ChainView(clock, id="chain"),
            }
            for pane, view in views.items():
                view.show_title(TITLES[pane])
                yield view
        yield Stage(clock, self.keys, id="stage")
        yield StatusLine(id="status")

    @cached_property
    def session(self) -> Session:
        """What talks to the engine; neither is loaded before the frame is painted."""
        from hopper_tui.tui.session import Session

        return Session(self._world, self.post_message)

    async def load(self) -> None:
        """Read what is to be shown first."""
        if self._named_task is not None:
            await self._go_to_named(self._named_task)
        self.load_queue()
        self.session.load_tree()
        self.set_timer(SILENT_FOR, self._say_it_takes_time)
        self.set_interval(POLL_EVERY, partial(self.session.check, everywhere=False))

    def _say_it_takes_time(self) -> None:
        if not self._loaded:
            self.status.say(TAKES_TIME, "warn")

    async def _go_to_named(self, task: str) -> None:
        """Open where the task is that was named, which may be below the hopper that was."""
        self._wanted_task = self._selected = None
        try:
            place = await self.session.find_task(task, self._hopper)
        except HopperError as error:
            self.warn(Problem.of(error).sentence)
        else:
            self._filters[place.instance] = self._filters.get(self._hopper, "")
            self._hopper, self._wanted_task = place
            self._selected = place.task

    def on_unmount(self) -> None:
        self.session.close()

    # Snapshots, on their way down

    @on(TreeLoaded)
    def _show_tree(self, message: TreeLoaded) -> None:
        self.tree_view.show(message.tree, message.tree.revision in self._by_others)
        self._select_hopper()
        self.following.watch()

    def _select_hopper(self) -> None:
        """Point at the hopper that is shown, unless somebody is walking the tree."""
        instance = self.queue_view.snapshot.instance
        if instance is not None and self._pane != "tree":
            self.tree_view.select(instance.id)

    @on(QueueLoaded)
    def _show_queue(self, message: QueueLoaded) -> None:
        queue = message.queue
        self._answered = queue.revision
        self._wrong = queue.problem and queue.problem.code
        instance = queue.instance
        if queue.revision != self._asked_for and instance and instance.id != self._hopper:
            return  # somebody went on to another hopper meanwhile
        if self._is_gone(queue):
            self._hopper = self._wanted_task = None
            self.load_queue()
            return
        if instance is not None and self._hopper != instance.id:  # asked for by another name
            if self._hopper in self._filters:
                self._filters[instance.id] = self._filters.pop(self._hopper)
            self._hopper = instance.id
            if self._filters.get(instance.id, "") != queue.filter:
                self.load_queue()
        if (shown := self.queue_view.snapshot.instance) and instance and shown.id != instance.id:
            self.checkout = CheckoutSnapshot()
        self.queue_view.show(queue, queue.revision in self._by_others)
        self._select_hopper()
        self._load_checkout()
        if self._wanted_task and (self.queue_view.select(self._wanted_task) or self._returns):
            self._wanted_task = None
        self._show_titles()
        if not self._loaded:
            self._loaded = True
            self.app.post_message(FirstQueueShown())
            if self._returns and (view := self.view_of.get(str(self._hopper))):
                self.run_worker(self.action_view(view), group="view")
            self._returns = False

    def _is_gone(self, queue: QueueSnapshot) -> bool:
        """Whether the hopper that was left open last time does not exist any more."""
        is_unknown = queue.problem is not None and queue.problem.code == NotFound.code
        return is_unknown and self._returns and not self._loaded

    @property
    def remembered(self) -> Remembered:
        """Where somebody is who comes back later: at nothing that is not there, and with no filter
        that cannot be read."""
        filters = {key: text for key, text in self._filters.items() if key and text}
        if self._wrong == Invalid.code:
            filters.pop(str(self._hopper), None)
        views = dict(self.view_of)
        sizes, drafts = self.body.sizes, dict(self.drafts)
        hopper, task = self._hopper, self._selected
        if self._wrong == NotFound.code:
            hopper, task = self._was_at
        return Remembered(hopper, task, "", filters, views, sizes, drafts)

    @property
    def is_settled(self) -> bool:
        """Whether everything on the screen has been read."""
        if not self._loaded or self._asks_git or not self.tree_view.snapshot.revision:
            return False
        if self.stage.view and not self.stage.view.snapshot.revision:
            return False
        detail = self.task_view.snapshot
        return (detail.task_id if detail else None) == self.tasks.task_id

    @on(PageLoaded)
    def _show_page(self, message: PageLoaded) -> None:
        self.queue_view.add_page(message.page)
        if self.stage.view:
            self.stage.view.add_page(message.page)

    @on(DetailLoaded)
    def _show_detail(self, message: DetailLoaded) -> None:
        if message.detail.task_id == self.tasks.task_id:
            self.task_view.show(message.detail)
            self.chain_view.show(message.detail.hops)

    def _load_checkout(self) -> None:
        self._asks_git = True
        self.delays.after(CHECKOUT_AFTER, "checkout", self._ask_checkout)

    def _ask_checkout(self) -> None:
        self.session.load_checkout(self._hopper)

    @on(CheckoutLoaded)
    def _show_checkout(self, message: CheckoutLoaded) -> None:
        self.checkout = message.checkout
        self._asks_git = False
        self.show_status()
        for screen in self.app.screen_stack:
            if isinstance(screen, ShowsCheckout):
                screen.show_checkout(message.checkout)

    @on(Warned)
    def _tell(self, message: Warned) -> None:
        self.warn(message.text)

    @on(StoreChanged)
    def _refresh(self) -> None:
        if self.following.takes():
            self.reload(by_others=True)

    def reload(self, by_others: bool = False) -> None:
        """Read again what is on the screen; cursor and scroll stay. What changed is marked for a
        moment if others did it."""
        self.load_queue()  # first: it is what one looks at, and a tree may have hundreds of stores
        tree = self.session.load_tree()
        if (selected := self.tasks.task_id) is not None:
            self.session.load_detail(selected)
        if self.stage.shown and self.stage.shown.live:
            self.load_view()
        asked = (tree, self._asked_for, self._view_asked_for)
        self._by_others = frozenset(asked if by_others else ())

    def load_queue(self) -> None:
        view = self.queue_view
        near = (self._wanted_task or view.selected, view.cursor)
        filter_text = self._filters.get(self._hopper, "")
        self._asked_for = self.session.load_queue(self._hopper, filter_text, near)

    # What the user looks at

    @on(LineList.Highlighted, "#queue")
    @on(Stage.Highlighted)
    def _task_highlighted(self) -> None:
        self._selected = selected = self.tasks.task_id
        self.show_status()
        if selected is None:
            self.task_view.show(None)
            self.chain_view.show(())
        elif (shown := self.task_view.snapshot) is None or shown.task_id != selected:
            wait = DETAIL_AFTER if shown else 0
            self.delays.after(wait, "detail", partial(self.session.load_detail, selected))

    @on(LineList.Highlighted, "#tree")
    def _hopper_highlighted(self) -> None:
        if self._pane == "tree":  # a refresh opens nothing
            self.delays.after(QUEUE_AFTER, "queue", self._open_highlighted)

    def look_at(self, place: Place) -> None:
        """Read the queue of another hopper, and put the cursor on a task there."""
        self._hopper, self._wanted_task = place
        self.load_queue()

    def _open_highlighted(self) -> None:
        key = self.tree_view.selected
        if key is not None and key != self._hopper:
            self._hopper = key
            self.load_queue()

    def action_go(self, pane: PaneName) -> None:
        if self._pane == "tree" and pane != "tree":  # what comes next is meant for that hopper
            self._open_highlighted()
            self.await_rows()
        super().action_go(pane)

    @on(LineList.Chosen, "#tree")
    def _hopper_chosen(self) -> None:
        self._open_highlighted()
        if view := self.view_of.get(str(self._hopper)):
            self.run_worker(self.action_view(view), group="view")
        else:
            self.action_go("queue")

    @on(LineList.Chosen, "#queue")
    def _task_chosen(self) -> None:
        self.action_go("task")

    @on(QueueView.PageWanted)
    def _fetch_page(self, message: QueueView.PageWanted) -> None:
        queue = self.queue_view.snapshot
        if queue.instance is not None:
            self.session.load_page(queue.instance.id, queue.revision, message.ids)

    def _show_titles(self) -> None:
        view = self.queue_view
        queue = view.snapshot
        name = queue.instance.name if queue.instance else ""
        notes = [f"/{queue.filter}"] if queue.filter else []
        if queue.read_only:
            directory = clip_middle(queue.read_only, max(16, view.line_width - 32))
            notes.append(f"read-only, make writable: {directory}")
        if queue.offers:
            accept, reject = (key_of(f"task.{verb}", self.keys) for verb in ("accept", "reject"))
            offers = count(len(queue.offers), "offer")
            notes.append(f"{offers}: {accept} accepts, {reject} rejects")
        view.show_title(queue_title(queue, name), " · ".join(notes))
        self.show_status()

    @on(QueueView.MarksChanged)
    def show_status(self) -> None:
        marked = len(self.queue_view.marks)
        instance = self.queue_view.snapshot.instance
        where = instance.name if instance else ""
        self.status.show(
            hints_of(self.situation),
            self._actor,
            where,
            marked,
            self.checkout,
            self.following.is_paused,
        )

    def action_pause(self) -> None:
        """Hold the screen still while others work, or follow them again."""
        if self.following.pause():
            self.reload(by_others=True)
        self.show_status()

    def action_screenshot(self) -> None:
        """Keep a picture of the screen."""
        from hopper_tui.tui.picture import keep

        self.run_worker(keep(self, self._home, self.now), group="screenshot")

    # Commands

    @property
    def situation(self) -> Situation:
        """All that decides whether a command makes sense."""
        detail, view = self.task_view.snapshot, self.stage.view
        if detail is not None and detail.task_id != self.tasks.task_id:
            detail = None
        return Situation(
            pane=self._pane,
            hopper=self.tree_view.hopper,
            task=self.tasks.selected_row,
            marked=0 if view else len(self.queue_view.marks),
            queue=self.queue_view.snapshot,
            detail=detail,
            hop=self._hop(detail.hops if detail else ()),
            checkout=self.checkout,
            approval=view.approval if view else None,
            keys=self.keys,
            local=self._local,
            working=self.underway is not None and self.underway.is_long,
            arranged=self.body.arranged,
        )

    def _hop(self, hops: Sequence[Hop]) -> Hop | None:
        """The hop to answer: the one under the cursor, else that of the task which waits."""
        if self._pane == "chain":
            return self.chain_view.hop
        if self.stage.view and (hop := self.stage.view.hop):
            return hop
        return next((hop for hop in hops if hop.delegation.status == "pending"), None)

    def reason_against(self, command: Command) -> str | None:
        """Why a command makes no sense now, None if it does."""
        return command.enabled(self.situation)

    async def action_command(self, command_id: str) -> None:
        """Run a command of the registry, or say why it is disabled."""
        command = BY_ID[command_id]
        if reason := self.reason_against(command):
            if command_id == "find.back":  # pressed out of habit: no box in the way
                self.status.say(reason, "muted")
            else:
                self.warn(reason)
        else:
            where = self.stage.view.with_cursor if self.stage.view else self.focused or self
            await self.app.run_action(command.action, where, {"screen": self})

    @property
    def now(self) -> float:
        """The time, in seconds."""
        return self._clock()

    def want(self, task_id: str) -> None:
        """Put the cursor on a task as soon as the queue shows it."""
        self._wanted_task = task_id

    async def _ask(self, name: str) -> None:
        from hopper_tui.tui.asking import DIALOGS

        if name not in BULK or await self._agreed(name, self.tasks.chosen):
            await DIALOGS[name](self)

    def action_steer(self, verb: str) -> None:
        """Move the selected hopper through its life."""
        from hopper_tui.tui.asking import steer

        self.ask(steer(self, verb))

"""The registry of commands: bindings, status line, palette, help, the keymap and docs/keys.md all
come from this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.binding import Binding, BindingType

from hopper_tui.model.errors import InvalidTransition
from hopper_tui.model.lifecycle import (
    CLOSED,
    TASK_MOVES,
    DelegationStatus,
    HopperScope,
    TaskStatus,
    instance_steps,
)
from hopper_tui.tui.arrangement import USUAL, Axis
from hopper_tui.tui.snapshot import (
    CheckoutSnapshot,
    DetailSnapshot,
    Hop,
    QueueSnapshot,
    TaskRow,
    TreeRow,
)
from hopper_tui.tui.views import VIEW_NAMES, VIEWS, View, ViewName

if TYPE_CHECKING:
    from hopper_tui.tui.view_snapshot import Held

PaneName = Literal["tree", "queue", "task", "chain"] | ViewName

PANES: tuple[PaneName, ...] = ("tree", "queue", "task", "chain")
"""In the order of the keys 1 to 4."""
EVERYWHERE: tuple[PaneName, ...] = (*PANES, *VIEW_NAMES)
"""The panes, and the views that take their place."""
WORK: tuple[PaneName, ...] = PANES[1:]
"""The panes of the selected task, between which `h` and `l` go."""
TASKS: tuple[PaneName, ...] = (*WORK, "board")
"""Where verbs act on the selected task."""


Keys = Mapping[str, tuple[str, ...]]
"""The keys of the commands, by id, that have others than the table says: see `keymap`."""
UNCHANGED: Keys = {}


class Situation(NamedTuple):
    """What is focused, selected and shown: all that decides whether a command makes sense, and
    the keys to name in the reason."""

    pane: PaneName
    hopper: TreeRow | None
    task: TaskRow | None
    marked: int
    queue: QueueSnapshot
    detail: DetailSnapshot | None
    hop: Hop | None
    checkout: CheckoutSnapshot = CheckoutSnapshot()
    approval: Held | None = None
    keys: Keys = UNCHANGED
    local: bool = True
    working: bool = False
    arranged: str = ""

    def key(self, command_id: str) -> str:
        """How to reach a command from here: its key."""
        return key_of(command_id, self.keys)


Enabled = Callable[[Situation], str | None]
"""None where a command makes sense, otherwise the reason why it does not, as a sentence."""


def always(situation: Situation) -> str | None:
    """Makes sense everywhere."""
    return None


def at_this_machine(situation: Situation) -> str | None:
    """Needs somebody who sits at this machine."""
    return None if situation.local else "In a browser no file is written."


def from_a_shell(situation: Situation) -> str | None:
    """Needs a shell to go back to."""
    return None if situation.local else "A browser has no shell to go to."


def at_rest(situation: Situation) -> str | None:
    """Needs that no verb is being done to many tasks."""
    return f"Still at it; {situation.key('find.back')} stops it." if situation.working else None


def with_task(situation: Situation) -> str | None:
    """Needs a task."""
    return None if situation.task or situation.marked else "No task is selected."


def with_queue(situation: Situation) -> str | None:
    """Needs a hopper that can be read."""
    if situation.queue.instance is None:
        return "Choose a hopper first."
    if situation.queue.problem:
        return f"This hopper cannot be used: {situation.queue.problem.message}."
    return None


def moving(to: TaskStatus) -> Enabled:
    """Needs a task that may become `to`. Marked ones are tried one by one."""

    def enabled(situation: Situation) -> str | None:
        if situation.marked or situation.task is None:
            return with_task(situation)
        task = situation.task.task
        if to in TASK_MOVES[task.status]:
            return None
        now = task.status.replace("_", " ")
        again = (
            f"; {situation.key('task.reopen')} reopens it"
            if task.status in CLOSED and to is not TaskStatus.PENDING
            else ""
        )
        return f"{situation.task.short_id} is {now}{again}."

    return enabled


def executing(to: TaskStatus) -> Enabled:
    """Like `moving`, and needs a hopper that executes."""
    move = moving(to)

    def enabled(situation: Situation) -> str | None:
        instance = situation.queue.instance
        if instance is not None and instance.scope is HopperScope.GLOBAL:
            return (
                f"A global hopper only routes; {situation.key('task.delegate')} delegates the task."
            )
        return move(situation)

    return enabled


def _delegable(situation: Situation) -> str | None:
    if situation.marked or situation.task is None:
        return with_task(situation)
    task, short = situation.task.task, situation.task.short_id
    if task.status is TaskStatus.DELEGATED:
        return f"{short} is delegated already; {situation.key('task.recall')} takes it back."
    if not task.is_open:
        return f"{short} is {task.status}; {situation.key('task.reopen')} reopens it."
    return None


def _delegated(situation: Situation) -> str | None:
    if situation.marked or situation.task is None:
        return with_task(situation)
    task, short = situation.task.task, situation.task.short_id
    if task.status is TaskStatus.DELEGATED:
        return None
    if task.origin is not None and task.is_open:
        return f"{short} is what was delegated; where it came from, this takes it back."
    return f"{short} is not delegated."


def _waiting_hop(situation: Situation) -> str | None:
    if situation.queue.offers:
        return None
    if situation.hop is None:
        return "No delegation of this task waits for an answer."
    status = situation.hop.delegation.status
    return None if status is DelegationStatus.PENDING else f"This delegation is {status}."


def lifecycle(verb: str) -> Enabled:
    """Needs a hopper in a state from which `verb` leads on."""

    def enabled(situation: Situation) -> str | None:
        row = situation.hopper
        if row is None:
            return "No hopper is selected."
        if row.problem:
            return f"{row.instance.name} cannot be used: {row.problem.message}."
        try:
            instance_steps(row.instance.name, row.instance.status, verb)
        except InvalidTransition as refusal:
            return f"{refusal.message}. {refusal.hint}."
        return None

    return enabled


def _can_have_children(situation: Situation) -> str | None:
    row = situation.hopper
    if row is None:
        return None
    return f"{row.instance.name} cannot be used." if row.problem else None


def _escapable(situation: Situation) -> str | None:
    if situation.marked or situation.queue.filter or situation.working:
        return None
    return "Nothing is marked or filtered."


def with_conflicts(situation: Situation) -> str | None:
    """Needs conflicts in the project shown."""
    checkout = situation.checkout
    if checkout.problem:
        return f"The conflicts cannot be read: {checkout.problem.message}."
    if checkout.project is None:
        return "The tasks of this hopper do not travel in git, so nothing can conflict."
    return None if checkout.conflicts else f"{checkout.name} has no conflicts."


def with_approval(situation: Situation) -> str | None:
    """Needs a checkpoint that waits for approval."""
    if situation.pane != "runs":
        return f"{situation.key('view.runs')} shows the runs."
    return None if situation.approval else "The cursor is on no checkpoint that waits."


def resizable(axis: Axis) -> Enabled:
    """Needs a pane with a border that can be moved along an axis."""

    def enabled(situation: Situation) -> str | None:
        if situation.arranged not in USUAL:
            return "This pane has the whole screen."
        if (situation.pane, axis) not in USUAL[situation.arranged].growing:
            return "This pane has the whole height."
        return None

    return enabled


class Command(NamedTuple):
    """Something the user can do.

    `action` is a Textual action: `screen.…`, `app.…`, or one of the focused view. `hint` is its
    short title in the status line of the `panes`, in the order of this table; none leaves it out.
    `direct` commands are bound straight to their action, because they must be fast.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    panes: tuple[PaneName, ...]
    group: str
    action: str
    enabled: Enabled = always
    hint: str = ""
    direct: bool = False


def _move(id_: str, title: str, keys: tuple[str, ...], action: str) -> Command:
    return Command(f"move.{id_}", title, keys, EVERYWHERE, "Move", action, direct=True)


def _go(pane: PaneName, number: int, title: str) -> Command:
    action = f"screen.go('{pane}')"
    return Command(f"go.{pane}", title, (str(number),), EVERYWHERE, "Move", action)


def _work(name: str, title: str, key: str, enabled: Enabled, hint: str = "") -> Command:
    action = f"screen.work('{name}')"
    return Command(f"task.{name}", title, (key,), TASKS, "Task", action, enabled, hint)


def _ask(name: str, title: str, key: str, enabled: Enabled, hint: str = "") -> Command:
    return Command(
        f"task.{name}", title, (key,), TASKS, "Task", f"screen.ask('{name}')", enabled, hint
    )


def _answer(name: str, title: str, key: str) -> Command:
    panes: tuple[PaneName, ...] = (*TASKS, "offers")
    action = f"screen.ask('{name}')"
    return Command(f"task.{name}", title, (key,), panes, "Task", action, _waiting_hop)


def _steer(verb: str, title: str, key: str) -> Command:
    action = f"screen.steer('{verb}')"
    return Command(
        f"hopper.{verb}", title, (key,), ("tree",), "Hopper", action, lifecycle(verb), verb
    )


def _view(view: View) -> Command:
    action = f"screen.view('{view.name}')"
    return Command(f"view.{view.name}", view.about, (view.key,), EVERYWHERE, "View", action)


_T = TaskStatus
COMMANDS: tuple[Command, ...] = (
    Command("find.filter", "Filter the queue", ("/",), (*PANES, "board"), "Find", "screen.filter",
            with_queue, "filter"),
    Command("find.saved", "Use a saved filter, or save this one", ("@",), (*PANES, "board"), "Find",
            "screen.ask('saved')", with_queue),
    Command("task.add", "Add a task", ("a",), (*PANES, "board"), "Task", "screen.ask('add')",
            with_queue, "add"),
    _work("claim", "Claim it for me", "c", executing(_T.CLAIMED), "claim"),
    _work("start", "Start working on it", "s", executing(_T.IN_PROGRESS), "start"),
    _work("done", "Mark it done", "d", moving(_T.DONE), "done"),
    _ask("rate", "Mark it done and say how it went", "F", with_task),
    _ask("delegate", "Delegate it", "D", _delegable, "delegate"),
    _work("recall", "Take the delegation back", "U", _delegated),
    Command("task.why", "Explain why it is where it is", ("w",),
            (*TASKS, "offers", "runs", "log"), "Task", "screen.ask('why')", with_task, "why"),
    _ask("block", "Block it, with a reason", "b", moving(_T.BLOCKED), "block"),
    _ask("fail", "Mark it failed, with a reason", "f", moving(_T.FAILED)),
    _work("release", "Give it back to the queue", "r", moving(_T.PENDING)),
    _work("reopen", "Reopen it", "o", moving(_T.PENDING)),
    _ask("cancel", "Cancel it, with a reason", "x", moving(_T.CANCELLED), "cancel"),
    _answer("accept", "Accept the delegation", "A"),
    _answer("reject", "Reject the delegation, with a reason", "R"),
    _ask("priority", "Change its priority", "p", with_task),
    _ask("edit", "Edit it as text, in $EDITOR", "e", with_task),
    _ask("form", "Edit it in a form", "E", with_task),
    _ask("tag", "Add and remove tags", "t", with_task),
    _ask("note", "Write a note", "n", with_task),
    Command("task.copy", "Copy its id", ("y",), TASKS, "Task", "screen.copy", with_task),
    Command("mark.toggle", "Mark it", ("space",), ("queue",), "Mark", "screen.mark",
            with_task),
    Command("mark.range", "Mark a range: from here to where the cursor goes", ("v",), ("queue",),
            "Mark", "screen.mark_range", with_task),
    Command("mark.all", "Mark all the filter shows", ("*",), ("queue",), "Mark",
            "screen.mark_all", with_queue),
    _steer("start", "Start the hopper", "S"),
    _steer("stop", "Stop the hopper", "X"),
    _steer("pause", "Pause the hopper", "P"),
    _steer("resume", "Resume the hopper", "E"),
    Command("hopper.create", "Create a hopper below this one", ("n",), ("tree",), "Hopper",
            "screen.ask('create')", _can_have_children, "new"),
    _move("down", "Down", ("j", "down"), "cursor(1)"),
    _move("up", "Up", ("k", "up"), "cursor(-1)"),
    _move("half_down", "Half a page down", ("ctrl+d",), "page(0.5)"),
    _move("half_up", "Half a page up", ("ctrl+u",), "page(-0.5)"),
    _move("page_down", "A page down", ("pagedown",), "page(1)"),
    _move("page_up", "A page up", ("pageup",), "page(-1)"),
    _move("top", "To the first", ("g", "home"), "edge(False)"),
    _move("bottom", "To the last", ("G", "end"), "edge(True)"),
    Command("move.choose", "Open what is selected", ("enter",), ("tree", "queue", *VIEW_NAMES),
            "Move", "choose", direct=True),
    Command("tree.toggle", "Fold or unfold", ("space",), ("tree", "runs"), "Move",
            "fold_toggle", direct=True),
    Command("board.left", "To the column before", ("h", "left", "shift+tab"), ("board",), "Move",
            "step(-1)", direct=True),
    Command("board.right", "To the next column", ("l", "right", "tab"), ("board",), "Move",
            "step(1)", direct=True),
    Command("tree.fold", "Fold, or go to the parent", ("h", "left"), ("tree",), "Move",
            "fold", direct=True),
    Command("tree.unfold", "Unfold, or go to the queue", ("l", "right"), ("tree",), "Move",
            "unfold", direct=True),
    Command("go.left", "To the pane before", ("h", "left", "shift+tab"), WORK, "Move",
            "screen.step(-1)"),
    Command("go.right", "To the next pane", ("l", "right", "tab"), WORK, "Move",
            "screen.step(1)"),
    Command("go.tab", "To the next pane", ("tab",), ("tree",), "Move", "screen.step(1)"),
    Command("go.back", "To the pane before", ("shift+tab",), ("tree",), "Move",
            "screen.step(-1)"),
    _go("tree", 1, "To the hoppers"),
    _go("queue", 2, "To the queue"),
    _go("task", 3, "To the task"),
    _go("chain", 4, "To the chain"),
    Command("find.back", "Unmark all, then drop the filter", ("escape",), PANES, "Find",
            "screen.clear", _escapable),
    Command("runs.approve", "Approve the checkpoint", ("A",), ("runs",), "Run",
            "screen.approve", with_approval, "approve"),
    Command("stats.period", "Over another time: a day, a week, a month, an hour", ("space",),
            ("stats",), "Stats", "period", hint="time", direct=True),
    Command("doctor.again", "Look again", ("r",), ("doctor",), "Doctor", "again",
            hint="again", direct=True),
    Command("log.pause", "Let nothing move, or go on", ("space",), ("log",), "Log", "pause",
            hint="pause", direct=True),
    Command("log.only", "Only the task under the cursor, or all", ("o",), ("log",), "Log", "only",
            hint="only", direct=True),
    Command("view.leave", "Back to the queue", ("escape",), VIEW_NAMES, "View",
            "screen.go('queue')", hint="back"),
    Command("app.undo", "Undo the last command here", ("u",), EVERYWHERE, "App", "screen.undo",
            at_rest, "undo"),
    Command("app.redo", "Redo what was undone here", ("ctrl+r",), EVERYWHERE, "App",
            "screen.redo", at_rest),
    Command("go.next_hopper", "The next hopper, with the same view", ("]",),
            ("queue", *VIEW_NAMES), "Move", "screen.beside(1)"),
    Command("go.hopper_before", "The hopper before, with the same view", ("[",),
            ("queue", *VIEW_NAMES), "Move", "screen.beside(-1)"),
    Command("view.choose", "Choose a view", ("V",), EVERYWHERE, "View", "screen.ask('views')",
            hint="views"),
    *(_view(view) for view in VIEWS),
    Command("view.conflicts", "Settle the conflicts", ("C",), EVERYWHERE, "View",
            "screen.ask('conflicts')", with_conflicts),
    Command("view.pause", "Hold the screen still, or follow what others do", ("Z",), EVERYWHERE,
            "View", "screen.pause"),
    Command("view.jump", "Jump to a pane or a row", ("'",), EVERYWHERE, "Move", "screen.jump"),
    Command("app.screenshot", "Save a picture of the screen", (), EVERYWHERE, "App",
            "screen.screenshot", at_this_machine),
    Command("view.zoom", "Only this pane, or all again", ("z",), PANES, "View", "screen.zoom"),
    Command("view.wider", "Make this pane wider", (">",), PANES, "View", "screen.grow('x', 1)",
            resizable("x")),
    Command("view.narrower", "Make this pane narrower", ("<",), PANES, "View",
            "screen.grow('x', -1)", resizable("x")),
    Command("view.taller", "Make this pane taller", ("+",), PANES, "View",
            "screen.grow('y', 1)", resizable("y")),
    Command("view.shorter", "Make this pane shorter", ("-",), PANES, "View",
            "screen.grow('y', -1)", resizable("y")),
    Command("view.usual_sizes", "Give all panes their usual sizes", ("=",), PANES, "View",
            "screen.usual_sizes", resizable("x")),
    Command("view.theme", "Change the theme", (), EVERYWHERE, "View", "app.change_theme"),
    Command("app.palette", "Search all commands", (":", "ctrl+p"), EVERYWHERE, "App",
            "app.command_palette"),
    Command("app.suspend", "Go to the shell; fg comes back", ("ctrl+z",), EVERYWHERE, "App",
            "app.suspend_process", from_a_shell),
    Command("app.quit", "Back, or quit", ("q", "ctrl+q"), EVERYWHERE, "App",
            "screen.back", hint="quit"),
    Command("app.help", "All commands", ("?",), EVERYWHERE, "App", "screen.ask('help')",
            hint="help"),
)  # fmt: skip

BY_ID: dict[str, Command] = {command.id: command for command in COMMANDS}
CHOOSABLE: tuple[str, ...] = (
    "go.queue", *(f"view.{view.name}" for view in VIEWS), "task.why", "view.conflicts",
)  # fmt: skip
"""The commands that show something else in place of the queue, or above it."""

KEY_NAMES = {
    "space": "space", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup", "down": "↓",
    "up": "↑", "left": "←", "right": "→", "shift+tab": "⇧tab",
}  # fmt: skip
"""How keys are shown whose names are long."""


def key_name(key: str) -> str:
    """A key as it is shown: `^r`, `esc`, `G`."""
    return KEY_NAMES.get(key, key.replace("ctrl+", "^"))


def keys_of(command: Command, keys: Keys) -> str:
    """The keys of a command as they are shown."""
    return " ".join(key_name(key) for key in keys.get(command.id, command.keys))


def key_of(command_id: str, keys: Keys) -> str:
    """The key to name in a text: the first of a command, or that it is in the palette."""
    command = BY_ID[command_id]
    found = keys.get(command_id, command.keys)
    return key_name(found[0]) if found else f"“{command.title}”"


def bindings_of(pane: PaneName) -> list[BindingType]:
    """The bindings of a pane; a keymap may rebind them by command id."""
    return [
        Binding(
            ",".join(command.keys),
            command.action if command.direct else f"screen.command('{command.id}')",
            command.title,
            show=False,
            id=command.id,
        )
        for command in COMMANDS
        if pane in command.panes and command.keys
    ]


class Hint(NamedTuple):
    """A key of the status line, what it does in a word, and whether that makes sense now."""

    key: str
    title: str
    enabled: bool = True


def hints_of(situation: Situation) -> tuple[Hint, ...]:
    """What the status line says in a situation; the last one is always shown.

    What the selected task allows is not looked at, for the line would flicker with every move.
    """
    commands = [c for c in COMMANDS if c.hint and situation.pane in c.panes]
    found = [(situation.keys.get(c.id, c.keys), c) for c in commands]
    is_empty = not situation.task and not situation.marked
    return tuple(
        Hint(key_name(own[0]), c.hint, not (is_empty and c.enabled(situation)))
        for own, c in found
        if own
    )

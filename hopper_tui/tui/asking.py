"""Asking: the dialog each command opens, and what is done with the answer."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from hopper_tui.engine import drafting, saved_filters
from hopper_tui.engine.completing import word_completions
from hopper_tui.engine.conflicts import resolve
from hopper_tui.engine.drafting import Draft
from hopper_tui.engine.filter import SAVED
from hopper_tui.model.errors import HopperError, Invalid
from hopper_tui.model.lifecycle import PRIORITIES, HopperScope, InstanceStatus, Priority
from hopper_tui.tui import choosing, verbs
from hopper_tui.tui import editor as editors
from hopper_tui.tui.commands import (
    key_of,
)
from hopper_tui.tui.completing_input import Complete
from hopper_tui.tui.dialogs.choice import Choice, ChoiceDialog
from hopper_tui.tui.dialogs.confirm import ConfirmDialog
from hopper_tui.tui.dialogs.conflicts import ConflictsDialog
from hopper_tui.tui.dialogs.delegate import DelegateDialog, Order
from hopper_tui.tui.dialogs.feedback import FeedbackDialog, read_feedback
from hopper_tui.tui.dialogs.form import Attempt, Field, FormDialog, Values
from hopper_tui.tui.dialogs.saved_filters import NEW, SavedFiltersDialog
from hopper_tui.tui.dialogs.text import TextDialog
from hopper_tui.tui.presentation import PRIORITY, clip, count
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import ConflictRow, Hop, Problem, Report, Take
from hopper_tui.tui.target_reading import RANKED
from hopper_tui.tui.task_lines import detail_lines
from hopper_tui.tui.verbs import Verb
from hopper_tui.tui.why_lines import why_lines

if TYPE_CHECKING:
    from hopper_tui.engine.hopper import Hopper
    from hopper_tui.engine.world import World
    from hopper_tui.tui.cockpit import Cockpit


def _subject(cockpit: Cockpit) -> str:
    """`web-k7m2q Fix login`, or how many tasks are marked."""
    chosen = cockpit.tasks.chosen
    row = cockpit.tasks.row(chosen[0]) if len(chosen) == 1 else None
    return clip(f"{row.short_id} {row.task.title}", 60) if row else count(len(chosen), "task")


def _trying(cockpit: Cockpit, make: Callable[[Values], Verb]) -> Attempt:
    """An attempt that does a verb to the chosen tasks; refused for all of them, it is a problem."""
    chosen = cockpit.tasks.chosen

    async def attempt(values: Values) -> Problem | None:
        return _problem(await cockpit.work(make(values), chosen))

    return attempt


def _problem(report: Report) -> Problem | None:
    return report.refused[0].problem if report.refused and not report.done else None


async def _form(cockpit: Cockpit, verb: str, field: Field, make: Callable[[str], Verb]) -> None:
    attempt = _trying(cockpit, lambda values: make(values[field.name].strip()))
    title = f"{verb} {_subject(cockpit)}"
    await cockpit.app.push_screen_wait(FormDialog(title, [field], verb, attempt))


_WHY = Field("reason", "Why", required=True, placeholder="shown wherever the task is shown")


async def block(cockpit: Cockpit) -> None:
    """Block the chosen tasks, with a reason."""
    await _form(cockpit, "block", _WHY, verbs.block)


async def fail(cockpit: Cockpit) -> None:
    """Mark the chosen tasks failed, with a reason."""
    await _form(cockpit, "fail", _WHY, verbs.fail)


async def cancel(cockpit: Cockpit) -> None:
    """Cancel the chosen tasks; that a reason must be typed is the confirmation."""
    await _form(cockpit, "cancel", _WHY, verbs.cancel)


async def note(cockpit: Cockpit) -> None:
    """Write a note on the chosen tasks."""
    await _form(cockpit, "note", Field("text", "Note", required=True), verbs.note)


async def tag(cockpit: Cockpit) -> None:
    """Add and remove tags of the chosen tasks."""
    instance = cockpit.queue_view.snapshot.instance
    placeholder = "api -old adds api, removes old"
    complete = _known_tags(cockpit, instance.id if instance else None)
    field = Field("tags", "Tags", "", placeholder, required=True, complete=complete)
    await _form(cockpit, "tag", field, verbs.retag)


async def edit(cockpit: Cockpit) -> None:
    """Change the selected task in an editor, or in a form where there is none."""
    editor = editors.command(os.environ) if cockpit.situation.local else None
    row = cockpit.tasks.selected_row
    if row is None or editor is None:
        await form(cockpit)
    else:
        await editors.edit(cockpit, row, editor)


async def form(cockpit: Cockpit) -> None:
    """Change the fields of the selected task."""
    row = cockpit.tasks.selected_row
    if row is None:
        cockpit.warn("Still reading this task; try again.")
        return
    key, instance = row.task.id, row.task.instance
    if row.task.depends_on:  # their short ids have to be read
        before = await cockpit.session.draft(key)
        if not cockpit.is_current:
            return
    else:
        before = drafting.draft_of(row.task, {})
    fields = _draft_fields(cockpit, instance, before)
    shown = {field.name: field.shown for field in fields}

    async def attempt(values: Values) -> Problem | None:
        nonlocal before
        typed = {name: text for name, text in values.items() if text != shown[name]}
        after = before._replace(**typed)
        problem = await cockpit.attempt(
            lambda world: drafting.save(world, key, before, after),
            lambda task: f"changed {row.short_id}" if typed else "nothing was changed",
        )
        if problem:  # saving again knows what it overwrites
            now = await cockpit.session.draft(key)
            before = now
        return problem

    title = clip(f"edit {row.short_id} {row.task.title}", 60)
    await cockpit.app.push_screen_wait(FormDialog(title, fields, "save", attempt))


def _draft_fields(cockpit: Cockpit, instance: str, draft: Draft) -> list[Field]:
    """A field for each text of a draft, completed by what is known at an instance."""
    search = partial(cockpit.session.offered_dependencies, instance)
    return [
        Field("title", "Title", draft.title, required=True),
        Field("tags", "Tags", draft.tags, "api auth", complete=_known_tags(cockpit, instance)),
        Field("priority", "Priority", draft.priority, complete=_words(PRIORITIES), replaced=True),
        Field("due", "Due", draft.due, "2026-12-24, tomorrow, 3d"),
        Field("effort", "Effort", draft.effort, "4h"),
        Field("depends_on", "After", draft.depends_on, "ids or titles, with commas",
              search=search),
        Field("description", "Description", draft.description, lines=4),
    ]  # fmt: skip


def _known_tags(cockpit: Cockpit, instance: str | None) -> Complete:
    """Completes by the tags of an instance, once they are read: no form waits for them."""
    known: list[str] = []

    async def read() -> None:
        known.extend((await cockpit.session.words(instance)).get("tag", ()))

    cockpit.run_worker(read(), group="words")
    return _words(known)


def _words(known: Iterable[str]) -> Complete:
    return lambda text: word_completions(text, known)


async def rate(cockpit: Cockpit) -> None:
    """Say how the chosen tasks went; those that are open are done thereby."""
    chosen = cockpit.tasks.chosen
    row = cockpit.tasks.row(chosen[0]) if len(chosen) == 1 else None
    names = [row.instance.name for row in cockpit.tree_view.snapshot.rows]
    fields = [
        Field("notes", "Notes"),
        Field("took", "Took", placeholder="4h"),
        Field("elsewhere", "Better at", placeholder="another hopper",
              complete=_words(names)),
    ]  # fmt: skip
    finish = row.task.is_open if row else None
    title = f"{'feedback' if finish is False else 'done'}: {_subject(cockpit)}"

    async def attempt(values: Values) -> Problem | None:
        try:
            feedback = read_feedback(values)
        except Invalid as error:
            return Problem.of(error)
        return _problem(await cockpit.work(verbs.rate(feedback, finish), chosen))

    await cockpit.app.push_screen_wait(FeedbackDialog(title, fields, "done", attempt))


async def priority(cockpit: Cockpit) -> None:
    """Pick a priority for the chosen tasks."""
    choices = [Choice(str(p), partial(_priority_line, p)) for p in PRIORITIES]
    chosen = cockpit.tasks.chosen
    row = cockpit.tasks.row(chosen[0])
    present = str(row.task.priority) if row else None
    title = f"priority of {_subject(cockpit)}"
    dialog = ChoiceDialog(title, choices, "set", present=present)
    picked = await cockpit.app.push_screen_wait(dialog)
    if picked:
        await cockpit.work(verbs.set_priority(picked), chosen)


def _priority_line(value: Priority, width: int) -> Line:
    return (PRIORITY[value], Span(f" {value}"))


async def add(cockpit: Cockpit) -> None:
    """Add a task to the hopper that is shown; a form that was left goes on where it was, or here if
    it was at a hopper that takes no more tasks."""
    instance = cockpit.queue_view.snapshot.instance
    assert instance is not None
    if instance.id not in cockpit.drafts and (stranded := _stranded(cockpit)):
        cockpit.drafts[instance.id] = cockpit.drafts.pop(stranded)
    kept = cockpit.drafts.get(instance.id, {})
    draft = Draft(**{field: kept[field] for field in Draft._fields if field in kept})
    fields = _draft_fields(cockpit, instance.id, draft)
    is_added = False

    async def attempt(values: Values) -> Problem | None:
        def job(world: World) -> str:
            nonlocal is_added
            given = drafting.fields_of(world, instance.id, Draft(**values))
            task_id = world.hopper(instance.id).add_task(**given, source="tui")
            is_added = True  # here, for the screen may be left before anybody is told
            cockpit.drafts.pop(instance.id, None)
            return task_id

        def said(task_id: str) -> str:
            cockpit.want(task_id)
            return f"added {values['title']}"

        return await cockpit.attempt(job, said)

    def keep(values: Values) -> None:
        cockpit.drafts.pop(instance.id, None)
        if not is_added and Draft(**values) != Draft():
            cockpit.drafts[instance.id] = dict(values)

    dialog = FormDialog(f"add to {instance.name}", fields, "add", attempt, keep)
    if not await cockpit.app.push_screen_wait(dialog) and instance.id in cockpit.drafts:
        adds = key_of("task.add", cockpit.keys)
        cockpit.say(f"kept what you typed; {adds} goes on with it")


def _stranded(cockpit: Cockpit) -> str | None:
    """A hopper that is over, or gone, and for which a task was being typed."""
    known = {row.instance.id: row.instance for row in cockpit.tree_view.snapshot.rows}
    for key in cockpit.drafts if known else ():
        if key not in known or known[key].status is InstanceStatus.TERMINATED:
            return key
    return None


async def delegate(cockpit: Cockpit) -> None:
    """Delegate the chosen tasks."""
    chosen = cockpit.tasks.chosen
    targets = await cockpit.session.targets(chosen)
    if not cockpit.is_current:  # something else was opened meanwhile: it keeps the focus
        return

    async def attempt(order: Order) -> Problem | None:
        return _problem(await cockpit.work(verbs.delegate(*order), chosen))

    first = f" · ranked for the first {RANKED}" if len(chosen) > RANKED else ""
    dialog = DelegateDialog(f"delegate {_subject(cockpit)}{first}", targets, attempt)
    await cockpit.app.push_screen_wait(dialog)


async def _waiting(cockpit: Cockpit) -> Hop | None:
    """The delegation to answer; asks which when the selected task says nothing about it."""
    situation = cockpit.situation
    if situation.hop is not None and situation.hop.delegation.status == "pending":
        return situation.hop
    offers = {hop.delegation.id: hop for hop in situation.queue.offers}
    choices = [Choice(key, partial(_offer_line, hop)) for key, hop in offers.items()]
    picked = await cockpit.app.push_screen_wait(ChoiceDialog("offers", choices, "choose"))
    return offers[picked] if picked else None


def _offer_line(hop: Hop, width: int) -> Line:
    return (Span(clip(hop.title, width - 20)), Span(f"  from {clip(hop.source, 16)}", "muted"))


def _answering(hop: Hop, answer: Callable[[Hopper], object]) -> Callable[[World], object]:
    return lambda world: answer(world.find_delegation(hop.delegation.id)[0])


def _answered(cockpit: Cockpit, hop: Hop, how: str) -> str:
    """What became of an offer; undo is about the hopper that answered from now on."""
    cockpit.answered_at = hop.delegation.target
    return f"{hop.target} {how} {hop.title}"


async def accept(cockpit: Cockpit) -> None:
    """Accept the delegation that waits."""
    if hop := await _waiting(cockpit):
        key = hop.delegation.id
        job = _answering(hop, lambda hopper: hopper.accept(key))
        await cockpit.insist(job, lambda _: _answered(cockpit, hop, "accepted"))


async def reject(cockpit: Cockpit) -> None:
    """Reject the delegation that waits, with a reason."""
    if hop := await _waiting(cockpit):
        key = hop.delegation.id

        async def attempt(values: Values) -> Problem | None:
            job = _answering(hop, lambda hopper: hopper.reject(key, values["reason"]))
            return await cockpit.attempt(job, lambda _: _answered(cockpit, hop, "rejected"))

        title = clip(f"reject {hop.title} from {hop.source}", 60)
        await cockpit.app.push_screen_wait(FormDialog(title, [_WHY], "reject", attempt))


async def create(cockpit: Cockpit) -> None:
    """Create a hopper below the selected one."""
    row = cockpit.tree_view.hopper
    parent = row.instance if row else None
    if parent is None:
        scope = HopperScope.GLOBAL
    elif parent.scope is HopperScope.GLOBAL:
        scope = HopperScope.PROJECT
    else:
        scope = HopperScope.ORCHESTRATION
    fields = [
        Field("name", "Name", required=True),
        Field("capabilities", "Capabilities", placeholder="python react"),
    ]

    async def attempt(values: Values) -> Problem | None:
        able = values["capabilities"].replace(",", " ").split()

        def job(world: World) -> str:
            made = world.create_instance(
                values["name"],
                scope,
                parent.id if parent else None,
                {"capabilities": able} if able else None,
            )
            return made.name

        start = key_of("hopper.start", cockpit.keys)
        return await cockpit.attempt(job, lambda name: f"created {name}; {start} starts it")

    where = f" below {parent.name}" if parent else ""
    dialog = FormDialog(f"new {scope} hopper{where}", fields, "create", attempt)
    await cockpit.app.push_screen_wait(dialog)


async def steer(cockpit: Cockpit, verb: str) -> None:
    """Start, stop, pause or resume the selected hopper; stopping one that holds tasks asks."""
    row = cockpit.tree_view.hopper
    if row is None:
        return
    instance = row.instance
    if verb == "stop" and row.load.open:
        question = (
            f"Stop {instance.name}? It holds {count(row.load.open, 'open task')}: unclaimed ones "
            "go back to where they came from."
        )
        if not await cockpit.app.push_screen_wait(ConfirmDialog("stop", question)):
            return
    await cockpit.insist(
        lambda world: world.move_instance(instance.id, verb),
        lambda moved: f"{moved.name} is {moved.status}",
    )


async def why(cockpit: Cockpit) -> None:
    """Show why the selected task is where it is."""
    detail = cockpit.situation.detail
    if detail is None:
        cockpit.warn("Still reading this task; try again.")
        return
    now = cockpit.now
    await cockpit.app.push_screen_wait(
        TextDialog(
            f"why {_subject(cockpit)}",
            lambda width: why_lines(detail.decisions, detail.reasons, detail.names, width, now),
        )
    )


async def read(cockpit: Cockpit) -> None:
    """Show all about the selected task."""
    detail = cockpit.situation.detail
    if detail is None:
        cockpit.warn("Still reading this task; try again.")
        return
    now = cockpit.now
    dialog = TextDialog(_subject(cockpit), lambda width: detail_lines(detail, width, now))
    await cockpit.app.push_screen_wait(dialog)


async def conflicts(cockpit: Cockpit) -> None:
    """List the conflicts of the project shown; each is settled by taking one side."""
    project = cockpit.checkout.project

    async def settle(row: ConflictRow, take: Take) -> Problem | None:
        said = f"{row.short_id} {row.conflict.register}: took {take}"
        it = row.conflict

        def job(world: World) -> object:
            return resolve(world, world.store(str(project)), it.key, take, it.register)

        return await cockpit.attempt(job, lambda _: said)

    async def take_back() -> Problem | None:
        return await cockpit.attempt(lambda world: world.undo(project), lambda done: done.summary)

    about = cockpit.tasks.task_id
    dialog = ConflictsDialog(cockpit.checkout, cockpit.now, settle, take_back, about)
    await cockpit.app.push_screen_wait(dialog)


async def saved(cockpit: Cockpit) -> None:
    """Use a saved filter, or save the present one under a name."""
    text = cockpit.filter_text
    try:
        known = await cockpit.session.do(saved_filters.saved)
    except HopperError as error:
        cockpit.warn(Problem.of(error).sentence)
        return
    if not cockpit.is_current:
        return
    picked = await cockpit.app.push_screen_wait(SavedFiltersDialog(known, text))
    if not picked:
        return
    name = picked[1:]
    if picked.startswith(SAVED):
        cockpit.filter_by(picked)
    elif picked.startswith(NEW):
        await cockpit.insist(
            lambda world: saved_filters.save(world, name, text),
            lambda name: f"saved @{name}: type it in any filter",
        )
    elif await cockpit.app.push_screen_wait(
        ConfirmDialog("saved filter", f"Remove @{name}, {known[name]}?")
    ):
        await cockpit.insist(
            lambda world: saved_filters.remove(world, name), lambda _: f"removed @{name}"
        )


DIALOGS: Mapping[str, Callable[[Cockpit], Awaitable[None]]] = {
    "add": add,
    "delegate": delegate,
    "why": why,
    "read": read,
    "block": block,
    "fail": fail,
    "cancel": cancel,
    "accept": accept,
    "reject": reject,
    "priority": priority,
    "rate": rate,
    "edit": edit,
    "form": form,
    "tag": tag,
    "note": note,
    "create": create,
    "conflicts": conflicts,
    "saved": saved,
    "help": choosing.every,
    "views": choosing.views,
}
"""By the name that commands use."""

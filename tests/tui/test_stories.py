"""One story for each thing a person does."""

from __future__ import annotations

import string

import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.errors import HopperError
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.tui.app import HopperApp
from hopper_tui.tui.dialogs.choice import Choice, ChoiceDialog
from hopper_tui.tui.dialogs.text import TextDialog
from hopper_tui.tui.roles import Span
from hopper_tui.tui.snapshot import Problem

from .story import Story, story
from .worlds import empty_world


def open_at(world: World, title: str, size: tuple[int, int] = (120, 40)):
    """A story that begins on the task with that title at webapp."""
    tasks = world.hopper("webapp").list(closed=True)
    task = next(task for task in tasks if title in task.title)
    return story(world, size, instance="webapp", task=task.id)


def the(world: World, title: str):
    """The task at webapp with that title, as it is stored now."""
    tasks = world.hopper("webapp").list(closed=True)
    return next(task for task in tasks if title in task.title)


async def test_opening_shows_the_tree_the_queue_and_the_first_task(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.sees("hopper-global", "worker-1", "webapp · 11 open", "Fix login crash")
        await s.sees("a polite login page", "Not delegated.", "me @ webapp")


async def test_the_queue_is_in_the_order_work_is_handed_out(webapp: World):
    async with story(webapp, instance="webapp") as s:
        lines = s.screen
        titles = ["Fix login crash", "Rotate the", "Ship OAuth", "Tidy the docs", "Launch the beta"]
        assert sorted(titles, key=lambda title: lines.index(title)) == titles


async def test_adding_a_task_selects_it(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("a")
        await s.sees("add to webapp")
        await s.type("Sharpen the saw")
        await s.press("enter")
        await s.sees("added Sharpen the saw", "webapp · 12 open")
        await s.selects("Sharpen the saw")


@pytest.mark.parametrize("enter", ["enter", "ctrl+j"])  # until keys are asked for as they are
async def test_what_is_typed_before_the_first_queue_is_read_waits_for_it(webapp: World, enter: str):
    app = HopperApp(webapp, instance="webapp")
    async with app.run_test(size=(120, 40)) as pilot:
        told = Story(app, pilot, webapp)
        for key in ("a", *"Sharpen the saw", enter):
            told.tap("space" if key == " " else key)
        await told.sees("added Sharpen the saw", "webapp · 12 open")
    webapp.close()


async def test_a_refused_form_keeps_what_was_typed(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("a")
        await s.type("Sharpen the saw")
        await s.press("tab", "tab")
        await s.press(*["backspace"] * 6)
        await s.type("soonish")
        await s.press("enter")
        await s.sees("unknown priority 'soonish'", "Sharpen the saw", "soonish")
        await s.press("escape")
        await s.sees_no("add to webapp")


async def test_an_empty_title_is_asked_for(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("a", "enter")
        await s.sees("Title is missing.")


async def test_claiming(webapp: World):
    async with open_at(webapp, "Fix login crash") as s:
        await s.press("c")
        await s.sees("claimed web-")
        assert "◇" in s.row("Fix login crash")
        assert the(webapp, "Fix login crash").owner == "me"


async def test_starting(webapp: World):
    async with open_at(webapp, "Fix login crash") as s:
        await s.press("s")
        await s.sees("started web-", "in progress")


async def test_done_takes_it_off_the_queue_and_the_cursor_stays(webapp: World):
    async with open_at(webapp, "Ship OAuth") as s:
        await s.selects("Ship OAuth")
        await s.press("d")
        await s.sees("webapp · 10 open")
        await s.selects("Build login page")


async def test_done_on_a_delegated_task_completes_the_chain(webapp: World):
    async with open_at(webapp, "Build login page") as s:
        await s.sees("webapp → worker-1 accepted")
        await s.press("d")
        await s.sees("webapp · 10 open")
        assert the(webapp, "Build login page").status is TaskStatus.DONE


async def test_blocking_needs_a_reason(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("b")
        await s.sees("block web-")
        await s.press("enter")
        await s.sees("Why is missing.")
        await s.type("no access yet")
        await s.press("enter")
        await s.sees_no("block web-")
        await s.until(lambda: "no access yet" in s.row("Tidy the docs"), "no reason")


async def test_failing_and_reopening(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("f")
        await s.type("cannot be tidied")
        await s.press("enter")
        await s.sees("failed web-", "webapp · 10 open")
        await s.press("/")
        await s.type("status:failed")
        await s.press("enter")
        await s.selects("Tidy the docs")
        await s.press("o")
        await s.sees("reopened web-")


async def test_giving_back(webapp: World):
    async with open_at(webapp, "Rotate the signing keys") as s:
        await s.press("r")
        await s.sees("given back web-")
        assert the(webapp, "Rotate the signing keys").status is TaskStatus.PENDING


async def test_enter_alone_never_cancels(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("x", "enter", "enter")
        await s.sees("Why is missing.")
        await s.type("not worth it")
        await s.press("enter")
        await s.sees("cancelled web-", "webapp · 10 open")


async def test_delegating_to_a_child_routes(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("D")
        await s.sees("Let routing decide", "route → whoever fits best")
        await s.press("j")
        await s.sees("route → worker-1")
        await s.press("enter")
        await s.sees("delegated web-", "webapp → worker-1 accepted")


async def test_delegating_to_the_parent_escalates(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("D", "j", "j")
        await s.sees("escalate → hopper-global")
        await s.press("escape")
        assert the(webapp, "Tidy the docs").status is TaskStatus.PENDING


async def test_subtasks_decompose(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("D", "j", "tab")
        await s.type("gently")
        await s.press("tab")
        await s.type("read them")
        await s.press("enter")
        await s.type("sort them")
        await s.sees("decompose into 2 tasks → worker-1")
        await s.press("ctrl+s")
        await s.sees("webapp → worker-1 accepted", "decompose", "gently")
        titles = [task.title for task in webapp.hopper("worker-1").list()]
        assert {"read them", "sort them"} <= set(titles)


async def test_an_offer_is_accepted(webapp: World):
    webapp.hopper("worker-1").configure({"auto_accept": False})
    webapp.hopper("webapp").delegate(the(webapp, "Tidy the docs").id, "worker-1")
    async with open_at(webapp, "Tidy the docs") as s:
        await s.sees("webapp → worker-1 pending")
        await s.press("A")
        await s.sees("worker-1 accepted Tidy the docs", "webapp → worker-1 accepted")


async def test_an_offer_is_rejected_with_a_reason(webapp: World):
    webapp.hopper("worker-1").configure({"auto_accept": False})
    webapp.hopper("webapp").delegate(the(webapp, "Tidy the docs").id, "worker-1")
    async with open_at(webapp, "Tidy the docs") as s:
        await s.sees("webapp → worker-1 pending")
        await s.press("R")
        await s.type("no hands free")
        await s.press("enter")
        await s.sees("webapp → worker-1 rejected", "no hands free")


async def test_the_target_sees_what_is_offered(webapp: World):
    webapp.hopper("worker-1").configure({"auto_accept": False})
    webapp.hopper("webapp").delegate(the(webapp, "Tidy the docs").id, "worker-1")
    async with story(webapp, instance="worker-1") as s:
        await s.sees("1 offer: A accepts, R rejects")
        await s.press("A")
        await s.sees("from webapp")
        await s.press("enter")
        await s.sees("worker-1 accepted Tidy the docs")
        await s.sees_no("1 offer")


async def test_priority(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("p")
        await s.sees("priority of web-")
        await s.press("g", "enter")
        await s.sees("now urgent web-")
        await s.until(lambda: "!" in s.row("Tidy the docs"), "not urgent")
        await s.selects("Tidy the docs")


async def test_the_present_priority_is_chosen_first(webapp: World):
    async with open_at(webapp, "Ship OAuth") as s:
        await s.press("p", "j", "enter")
        await s.sees("now medium web-")


async def test_editing_the_title(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("e")
        await s.type(" properly")
        await s.press("enter")
        await s.sees("changed web-", "Tidy the docs properly")


async def test_tags(webapp: World):
    async with open_at(webapp, "Ship OAuth") as s:
        await s.press("t")
        await s.type("soon -auth")
        await s.press("enter")
        await s.sees("tagged web-", "#soon")
        assert the(webapp, "Ship OAuth").tags == ("soon",)


async def test_a_note(webapp: World):
    async with open_at(webapp, "Ship OAuth") as s:
        await s.press("n")
        await s.type("asked the vendor")
        await s.press("enter")
        await s.sees("noted web-", "asked the vendor")


async def test_copying_the_id(webapp: World):
    async with open_at(webapp, "Ship OAuth") as s:
        await s.press("y")
        await s.sees("copied web-")
        assert s.app.clipboard == webapp.short_id(the(webapp, "Ship OAuth"))


async def test_why(webapp: World):
    async with open_at(webapp, "Build login page") as s:
        await s.sees("before Friday, please")
        await s.press("w")
        await s.sees("why web-", "% sure")
        await s.press("escape")
        await s.sees_no("why web-")


async def test_marks_and_one_report_for_many(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("space", "space", "space")
        await s.sees("3 marked")
        await s.press("c")
        await s.sees("2 claimed, 1 refused:")
        await s.press("u")
        await s.sees("undone: ")
        assert the(webapp, "Fix login crash").status is TaskStatus.PENDING


async def test_many_marked_tasks_ask_first_and_enter_says_no(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("*")
        await s.sees("11 marked")
        await s.press("d")
        await s.sees("Mark 11 tasks done?")
        await s.press("enter")
        await s.sees_no("Mark 11 tasks done?")
        await s.sees("11 marked", "webapp · 11 open")
        await s.press("escape")
        await s.sees_no("11 marked")


async def test_undo_and_redo(webapp: World):
    async with open_at(webapp, "Fix login crash") as s:
        await s.press("d")
        await s.sees("webapp · 10 open")
        await s.press("u")
        await s.sees("undone: ", "webapp · 11 open")
        await s.press("ctrl+r")
        await s.sees("redone: ", "webapp · 10 open")


async def test_filtering_while_typing_and_dropping_it(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("/")
        await s.type("login")
        await s.sees("webapp · 2 of 11", "Build login page")
        await s.sees_no("Ship OAuth")
        await s.press("enter")
        await s.sees("/login")
        await s.press("escape")
        await s.sees("webapp · 11 open", "Ship OAuth")


async def test_a_filter_that_hides_everything_says_so(webapp: World):
    async with story(webapp, instance="webapp", filter="nothing like this") as s:
        await s.sees("The filter hides 11 tasks.", "shows them again")


async def test_a_wrong_filter_says_what_is_wrong(webapp: World):
    async with story(webapp, instance="webapp", filter="status:sleepy") as s:
        await s.sees("unknown status 'sleepy'", "Choose one of: pending")


async def test_filters_stay_with_their_hopper(webapp: World):
    async with story(webapp, instance="webapp", filter="login") as s:
        await s.press("1", "j")
        await s.sees("worker-1 · 2 open")
        await s.press("k")
        await s.sees("webapp · 2 of 11")


async def test_walking_the_tree_opens_queues(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("1", "j")
        await s.sees("worker-1 · 2 open", "Run integration tests")
        await s.press("l")
        assert s.app.focused is s.app.cockpit.queue_view


async def test_folding(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("1", "h")
        await s.until(
            lambda: s.screen.count("worker-1") == 1, "not folded"
        )  # in a row of the queue
        await s.press("h")
        await s.sees("hopper-global · 0 open", "Nothing waits here.")


async def test_steering_a_hopper(webapp: World):
    async with story(webapp, instance="worker-1") as s:
        await s.press("1", "P")
        await s.sees("worker-1 is paused")
        await s.until(lambda: "‖ worker-1" in s.screen, "not shown as paused")
        await s.press("E")
        await s.sees("worker-1 is running")
        await s.press("X")
        await s.sees("Stop worker-1? It holds 2 open tasks")
        await s.press("enter")
        await s.sees_no("Stop worker-1?")
        assert webapp.hopper("worker-1").status == "running"
        await s.press("X", "y")
        await s.sees("worker-1 is stopped")
        await s.press("S")
        await s.sees("worker-1 is running")


async def test_creating_a_hopper(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("1", "n")
        await s.sees("new orchestration hopper below webapp")
        await s.type("worker-2")
        await s.press("enter")
        await s.sees("created worker-2")


async def test_a_disabled_command_says_why(webapp: World):
    async with open_at(webapp, "Ship OAuth") as s:
        await s.press("A")
        await s.sees("No delegation of this task waits")
        await s.press("1", "S")
        await s.sees("cannot start webapp: it is running.")


async def test_help_finds_and_runs(webapp: World):
    async with open_at(webapp, "Fix login crash") as s:
        await s.press("?")
        await s.sees("Claim it for me")
        await s.type("claim")
        await s.sees_no("Mark it done")
        await s.press("enter")
        await s.sees("claimed web-")


async def test_the_palette_runs_commands(webapp: World):
    async with open_at(webapp, "Fix login crash") as s:
        await s.press(":")
        await s.type("start working")
        await s.sees("Start working on it")
        await s.pilot.pause(0.5)
        await s.press("enter", "enter")
        await s.sees("started web-")


async def test_zoom_and_back(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("3", "z")
        await s.sees_no("hopper-global")
        await s.press("q")
        await s.sees("hopper-global")


async def test_quitting(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("q")
        await s.until(lambda: not s.app.is_running, "did not quit")


async def test_ctrl_q_quits_nothing_that_is_typed(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("W", "ctrl+q")
        await s.sees("webapp · 11 open")
        await s.press("a", *"half", "ctrl+q", *" a title")
        await s.sees("half a title")
        await s.press("escape", "ctrl+q")
        await s.until(lambda: not s.app.is_running, "did not quit")


async def test_escape_out_of_habit_puts_no_box_in_the_way(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("escape")
        await s.sees("Nothing is marked or filtered.")
        assert "Nothing is marked or filtered." in s.screen.splitlines()[-1]


async def test_a_key_that_comes_before_its_dialog_is_complete_does_nothing(webapp: World):
    async with story(webapp, instance="webapp") as s:
        s.app.push_screen(ChoiceDialog("pick one", [Choice("a", lambda _: ())], "take"))
        await s.app.run_action("screen.move(1)")
        await s.sees("pick one", "esc leave")
        await s.press("down", "escape")
        await s.sees_no("pick one")


async def test_a_dialog_uses_the_room_there_is(webapp: World):
    async with story(webapp, (160, 48), instance="webapp") as s:
        await s.press("?")
        await s.sees("Filter the queue", "A page down")
        await s.press("escape")
        text = [(Span(f"line {number}."),) for number in range(60)]
        await s.app.push_screen(TextDialog("sixty", lambda width: tuple(text)))
        await s.sees("line 0.", "line 36.")
        await s.press("G")
        await s.sees("line 59.")
        await s.press("g")
        await s.sees("line 0.")


async def test_reasons_are_told_whole_however_narrow_the_screen(webapp: World):
    async with story(webapp, (50, 20), instance="webapp") as s:
        await s.press("?")
        await s.type("settle")
        await s.sees(
            "Not now: The tasks of this hopper do not", "travel in git, so nothing can conflict."
        )
        await s.press(*["backspace"] * 6, *"mark it done")
        await s.sees_no("Not now")


@pytest.mark.parametrize("keys", ["?", "D", "a", "F", "@", "p", "x"])
async def test_hints_are_whole_or_left_out_and_the_way_out_is_among_them(webapp: World, keys: str):
    async with story(webapp, (50, 20), instance="webapp") as s:
        await s.press(keys)
        await s.sees(" esc leave ")
        await s.until(lambda: "  ? help  " in s.screen.splitlines()[-1], "no help in sight")
        assert "…" not in s.screen.splitlines()[-1]


async def test_keys_that_follow_a_walk_through_the_tree_are_meant_for_that_hopper(webapp: World):
    async with story(webapp, instance="webapp") as s:
        for key in "1g2a":
            s.tap(key)
        await s.sees("add to hopper-global")


async def test_a_refusal_names_no_shell_where_the_screen_will_do(webapp: World):
    for hint, here in (
        ("Reopen it first: hopper task reopen", "Reopen it first"),
        ("See: hopper doctor", "The doctor tells more"),
        ("See: hopper instance tree", "The tree shows which are there"),
        ("Bring it back: hopper recover", "Bring it back: hopper recover"),
    ):
        assert Problem.of(HopperError("no", hint)).hint == here


async def test_an_empty_world_says_how_to_begin():
    async with story(empty_world()) as s:
        await s.sees("Nothing waits here.", "adds a task", "hopper-global · 0 open")


async def test_narrow_terminals_show_one_pane_with_tabs(webapp: World):
    async with story(webapp, (60, 20), instance="webapp") as s:
        await s.sees("[2 queue]", "Fix login crash")
        await s.sees_no("Not delegated.")
        await s.press("tab")
        await s.sees("[3 task]", "a polite login page")
        await s.press("1")
        await s.sees("[1 hoppers]", "worker-1")


async def test_tiny_terminals_say_so(webapp: World):
    async with story(webapp, (40, 10), instance="webapp") as s:
        await s.sees("Hopper needs 50 columns and 12 lines.")


@pytest.mark.parametrize("size", [(160, 48), (80, 24), (50, 20)])
async def test_hostile_titles_are_shown_as_text(webapp: World, size: tuple[int, int]):
    async with story(webapp, size, instance="webapp") as s:
        await s.sees("[bold]not", "修复登录", "abc �g", "🚀 Launch")
        assert "\x1b" not in s.screen
        assert "\u202e" not in s.screen


async def test_an_unknown_hopper_says_so_and_the_others_stay_usable(webapp: World):
    async with story(webapp, instance="nowhere") as s:
        await s.sees("there is no hopper 'nowhere'", "worker-1")
        await s.press("a")
        await s.sees("This hopper cannot be used")


@pytest.mark.parametrize("named", [{}, {"instance": "webapp"}])
async def test_it_opens_at_a_task_named_by_its_short_id(webapp: World, named: dict[str, str]):
    async with story(webapp, task=webapp.short_id(the(webapp, "Ship OAuth")), **named) as s:
        await s.selects("Ship OAuth")


@pytest.mark.parametrize("named", [{}, {"instance": "webapp"}])
async def test_an_unknown_task_says_so_and_the_queue_is_shown(webapp: World, named: dict[str, str]):
    async with story(webapp, task="zzzz", **named) as s:
        await s.sees("there is no task 'zzzz'", "open ")
        assert s.app.cockpit.queue_view.snapshot.problem is None


async def test_the_terminals_cursor_is_on_the_selected_row(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("j", "j")
        row = s.app.cursor_position.y
        assert row == s.height_of("Ship OAuth")


@pytest.mark.parametrize("pane", "12")
async def test_every_key_of_the_tree_and_of_the_queue_can_be_pressed(webapp: World, pane: str):
    """No key brings the screen down, whatever is selected."""
    from hopper_tui.tui.commands import COMMANDS

    async with story(webapp, instance="webapp") as s:
        for command in COMMANDS:
            if command.keys and command.id not in ("app.quit", "app.palette"):
                await s.strike(pane)
                await s.strike(command.keys[0])
                if len(s.app.screen_stack) > 1:
                    await s.strike("escape")
        await s.sees("webapp")


@pytest.mark.parametrize("pane", "12")
async def test_no_printable_key_brings_the_screen_down(webapp: World, pane: str):
    async with story(webapp, instance="webapp") as s:
        for key in string.punctuation:
            await s.strike(pane)
            await s.strike(key)
            while len(s.app.screen_stack) > 1:
                await s.strike("escape")
        await s.sees("webapp")


async def test_ctrl_c_says_how_to_quit(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("ctrl+c")
        await s.sees("q quits Hopper")

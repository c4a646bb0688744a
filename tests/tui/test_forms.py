"""Forms: what they complete, what they change, and that nothing typed is ever lost."""

from __future__ import annotations

import pytest
from textual.events import Paste

from hopper_tui.engine.world import World

from .story import story
from .test_stories import open_at, the
from .worlds import guide_world, routing_world


async def test_adding_with_all_fields(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("a")
        await s.type("Sharpen the saw")
        await s.press("tab")
        await s.type("ap")
        await s.sees("api", "→ takes it")
        await s.press("right", "space", *"soon", "tab", *["backspace"] * 6, *"hi", "right", "tab")
        await s.type("2026-12-24")
        await s.press("tab", *"4h", "tab")
        await s.type("Ship OA")
        await s.sees("web-bc4e1 Ship OAuth")
        await s.press("right", "tab")
        await s.type("With the fine file.")
        await s.press("ctrl+s")
        await s.sees("added Sharpen the saw")
        task = the(webapp, "Sharpen the saw")
        assert (task.tags, task.priority) == (("api", "soon"), "high")
        assert (task.due, task.estimated_effort) == ("2026-12-24T00:00:00.000Z", "4h")
        assert task.depends_on == (the(webapp, "Ship OAuth").id,)
        assert task.description == "With the fine file."


async def test_a_form_that_is_left_goes_on_where_it_was(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("a", *"Sharpen the", "tab", *"soon", "escape")
        await s.sees("kept what you typed; a goes on with it")
        await s.press("1", "j", "2", "a", "escape")
        await s.sees_no("kept what you typed")
        await s.press("1", "k", "2")
        await s.sees("webapp · 11 open")
        await s.press("a")
        await s.sees("Sharpen the", "soon")
        await s.press(*" saw", "enter")
        await s.sees("added Sharpen the saw")
        assert the(webapp, "Sharpen the saw").tags == ("soon",)
        await s.press("a")
        await s.sees("add to webapp")
        assert "Sharpen" not in s.line("Title")


@pytest.mark.parametrize("is_archived", [False, True])
async def test_a_form_for_a_hopper_that_is_over_goes_on_at_another(is_archived: bool):
    world = guide_world()
    async with story(world, (160, 48), instance="worker-1") as s:
        await s.press("a", *"Sharpen the saw", "escape")
        await s.sees("kept what you typed")
        world.move_instance("worker-1", "terminate")
        if is_archived:
            world.archive("worker-1")
        await s.sees_no("● worker-1")
        await s.press("1", "g", "j", "j", "2")
        await s.sees("webapp · ")
        await s.press("a")
        await s.sees("add to webapp", "Sharpen the saw")
        await s.press("enter")
        await s.sees("added Sharpen the saw")


@pytest.mark.parametrize("key", ["a", "n", "b", "/", "@", "?"])
async def test_all_lines_of_what_is_pasted_are_kept(webapp: World, key: str):
    async with story(webapp, instance="webapp") as s:
        await s.press(key)
        s.app.post_message(Paste("Fix the header\n\n  1. open\r\n  2. crash\n"))
        await s.sees("Fix the header 1. open 2. crash")


async def test_a_form_scrolls_where_there_is_no_room_for_all_of_it(webapp: World):
    async with story(webapp, (50, 12), instance="webapp") as s:
        await s.press("a")
        await s.sees("Title", "enter add", "esc leave")
        await s.sees_no("Description")
        await s.press(*["tab"] * 6, *"with the fine file")
        await s.sees("with the fine file", "esc leave")
        await s.press(*["shift+tab"] * 6)
        await s.sees("Title")
        await s.press(*["tab"] * 6)
        await s.pilot.resize_terminal(80, 24)
        await s.sees("Title", "with the fine file")
        await s.pilot.resize_terminal(50, 12)
        await s.sees("with the fine file", "esc leave")
        await s.sees_no("Title")
        await s.press("escape", "V")
        await s.sees("To the queue", "See the offers", "esc leave")


async def test_what_is_typed_takes_the_place_of_a_priority(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("a", *"Sharpen the saw", "tab", "tab", *"low", "enter")
        await s.sees("added Sharpen the saw")
        assert the(webapp, "Sharpen the saw").priority == "low"


async def test_a_form_says_which_key_takes_what_it_offers(webapp: World):
    async with story(webapp, (50, 20), instance="webapp") as s:
        await s.press("E")
        await s.sees("enter save  tab next  → takes  esc leave")


async def test_no_box_hides_or_repeats_what_a_form_says(webapp: World):
    async with story(webapp, (80, 24), instance="webapp") as s:
        await s.press("a")
        s.app.cockpit.warn("A box from before.")
        await s.sees("A box from before.")
        await s.press("enter")
        await s.sees("Title is missing.")
        await s.sees_no("A box from before.")
        for text in ("Title is missing.", "The first of three.", "The second.", "The third."):
            s.app.cockpit.warn(text)
        await s.sees("The second.", "The third.")
        assert "The first of three." not in s.screen
        assert s.screen.count("Title is missing.") == 1
        assert "esc leave" in s.screen


async def test_a_dependency_may_be_given_by_words_of_its_title(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("a")
        await s.type("Sharpen the saw")
        await s.press(*["tab"] * 5)
        await s.type("signing keys, login")
        await s.press("enter")
        await s.sees("'login' could be", "Fix login crash")
        await s.press(*" crash", "enter")
        await s.sees("added Sharpen the saw")
        task = the(webapp, "Sharpen the saw")
        wanted = (the(webapp, "Rotate the signing keys").id, the(webapp, "Fix login crash").id)
        assert task.depends_on == wanted


async def test_editing_all_fields(webapp: World):
    async with open_at(webapp, "Write the release notes") as s:
        await s.press("E")
        await s.sees("edit web-", "Write the release notes")
        await s.type(" soon")
        await s.press("tab", *"docs", "tab", *["backspace"] * 6, *"urgent", "tab", *"tomorrow")
        await s.press("tab", *"1d", "tab")
        await s.press(*["backspace"] * 9, "tab", *"All of them.", "ctrl+s")
        await s.sees("changed web-")
        task = the(webapp, "Write the release notes soon")
        assert (task.tags, task.priority, task.depends_on) == (("docs",), "urgent", ())
        assert (task.due, task.estimated_effort) == ("2026-11-21T00:00:00.000Z", "1d")
        assert task.description == "All of them."
        await s.press("u")
        await s.sees("undone: change", "waits for 1")
        back = the(webapp, "Write the release notes")
        assert (back.tags, back.description) == ((), "")


async def test_what_was_not_touched_is_not_changed(webapp: World):
    """A form shows hostile text as harmless text; saving does not store that."""
    hostile = the(webapp, "not bold")
    webapp.hopper("webapp").update(
        hostile.id, description="a\x1b[31mb\r\nc", add_tags=("two words",)
    )
    before = webapp.hopper("webapp").get(hostile.id)
    async with open_at(webapp, "not bold") as s:
        await s.press("E")
        await s.sees('"two words"')
        await s.press("enter")
        await s.sees("nothing was changed")
        assert webapp.hopper("webapp").get(hostile.id) == before
        await s.press("E", "tab")
        await s.type(" api")
        await s.press("enter")
        await s.sees("changed web-")
        after = webapp.hopper("webapp").get(hostile.id)
        assert after.tags == ("two words", "api")
        assert (after.title, after.description) == (before.title, before.description)


async def test_what_somebody_else_changed_meanwhile_is_told_and_nothing_is_lost(webapp: World):
    task = the(webapp, "Tidy the docs")
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("E")
        await s.sees("edit web-")
        await s.type(" properly")
        webapp.hopper("webapp").update(task.id, title="Burn the docs", add_tags=("hot",))
        await s.press("enter")
        await s.sees("was changed meanwhile", "'Burn the docs'", "Tidy the docs properly")
        await s.press("enter")
        await s.sees("changed web-")
        after = webapp.hopper("webapp").get(task.id)
        assert (after.title, after.tags) == ("Tidy the docs properly", ("hot",))


async def test_what_the_store_refuses_stays_in_the_form(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("E", "tab", "tab", "tab")
        await s.type("someday")
        await s.press("enter")
        await s.sees("'someday' is not a date", "someday")
        await s.press(*["backspace"] * 7, "tab", "tab")
        await s.type("Tidy the docs")
        await s.press("enter")
        await s.sees("a task cannot wait for itself")


async def test_done_and_rated_by_one_key_and_one_undo(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("F")
        await s.sees("done: web-", "excellent", "wrong place")
        await s.press("4")
        await s.sees("rated web-", "webapp · 10 open")
        task = the(webapp, "Tidy the docs")
        assert (task.status, task.feedback["quality"]) == ("done", 4)
        await s.press("u")
        await s.sees("webapp · 11 open")
        assert the(webapp, "Tidy the docs").feedback is None


async def test_what_somebody_cancelled_meanwhile_is_not_rated_as_if_it_were_done(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("F")
        await s.sees("done: web-", "excellent")
        webapp.hopper("webapp").cancel(the(webapp, "Tidy the docs").id, "no time")
        await s.press("4")
        await s.sees("is cancelled and cannot become done")
        assert the(webapp, "Tidy the docs").feedback is None


async def test_of_many_only_those_are_rated_that_were_done(webapp: World):
    async with story(webapp, (160, 48), instance="webapp", filter="priority:medium") as s:
        await s.press("*", "F")
        await s.sees("excellent")
        webapp.hopper("webapp").cancel(the(webapp, "Tidy the docs").id, "no time")
        await s.press("4")
        await s.sees("1 refused", "is cancelled")
        assert the(webapp, "Tidy the docs").feedback is None


async def test_what_changes_nothing_is_said_and_is_no_step_of_undo(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("t", *"chore", "enter")
        await s.sees("tagged web-")
        await s.press("t", *"+chore -rust", "enter")
        await s.sees("has these tags already")
        await s.press("escape", "p", "enter")
        await s.sees("is medium already")
        await s.press("u")
        await s.sees('undone: change "Tidy the docs"')
        assert "chore" not in the(webapp, "Tidy the docs").tags


async def test_feedback_with_detail(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("F", "tab")
        await s.type("took 3 tries")
        await s.press("tab", *"soon", "tab", *"wor", "right", "enter")
        await s.sees("'soon' is not a duration", "took 3 tries", "worker-1")
        await s.press("shift+tab", *["backspace"] * 4, *"2h", "shift+tab", "shift+tab", "2")
        await s.sees("rated web-")
        said = the(webapp, "Tidy the docs").feedback
        assert (said["quality"], said["actual_duration"]) == (2, 7200)
        assert (said["should_have_routed_to"], said["was_good_match"]) == ("worker-1", False)
        assert said["notes"] == "took 3 tries"


async def test_enter_rates_nothing_by_itself_and_escape_leaves(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("F", "enter")
        await s.sees("excellent")
        await s.press("escape")
        await s.sees_no("excellent")
        assert the(webapp, "Tidy the docs").status == "pending"


async def test_what_is_done_is_rated_where_it_is(webapp: World):
    async with story(webapp, instance="webapp", filter="status:done") as s:
        await s.selects("Set up CI")
        await s.press("F")
        await s.sees("feedback: web-")
        await s.press("g")
        await s.sees("rated web-")
        task = the(webapp, "Set up CI")
        assert (task.status, task.feedback["was_good_match"]) == ("done", True)


async def test_the_marked_task_is_rated_wherever_the_cursor_is(webapp: World):
    async with story(webapp, instance="webapp", filter="status:done,pending") as s:
        await s.press("j")
        await s.selects("Tidy the docs")
        await s.press("space", "G", "k", "k")
        await s.selects("Set up CI")
        await s.press("F")
        await s.sees("done: web-", "Tidy the docs")
        await s.press("4")
        await s.sees("rated web-")
        assert the(webapp, "Tidy the docs").status == "done"
        assert the(webapp, "Set up CI").feedback is None


async def test_tags_are_completed_where_they_are_added(webapp: World):
    async with open_at(webapp, "Tidy the docs") as s:
        await s.press("t")
        await s.type("rea")
        await s.sees("react", "→ takes it")
        await s.press("right", "enter")
        await s.sees("tagged web-")
        assert the(webapp, "Tidy the docs").tags == ("react",)


async def test_targets_are_ranked_with_scores_and_refusals():
    async with story(routing_world()) as s:
        await s.selects("Build the react login page")
        await s.press("D")
        await s.sees("it would go to webapp", "↓ webapp", "↓ mobile", "↓ api", "█")
        lines = [line for line in s.screen.splitlines() if "↓" in line]
        assert ["webapp" in lines[0], "mobile" in lines[1], "api" in lines[2]] == [True] * 3
        assert "api is created" in lines[2]
        await s.press("j", "j", "enter")
        await s.sees("hopper-global → mobile accepted")
        await s.press("D")
        await s.sees("is delegated already")

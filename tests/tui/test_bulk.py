"""Marks, verbs on many tasks, and undo that is one with that of the command line."""

from __future__ import annotations

from pathlib import Path

import launch
import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.lifecycle import TaskStatus
from hopper_tui.model.task import Task

from .story import story
from .worlds import Clock, add, busy_world, guide_world, routing_world

MANY = 1500


def many(home: Path | None = None) -> World:
    """A long queue."""
    world = guide_world(home)
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    webapp.add_tasks([Task(title=f"Task {n}") for n in range(MANY)])
    return world


def statuses(world: World, *titles: str) -> list[TaskStatus]:
    """What has become of some tasks of webapp."""
    found = {task.title: task.status for task in world.hopper("webapp").list(closed=True)}
    return [found[title] for title in titles]


class Shell:
    """The command line at the same home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._env = launch.environment(home.parent, home, "me")

    def __call__(self, *args: str) -> str:
        done = launch.hopper([*args, "--instance", "webapp"], self._home.parent, self._env)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def home(tmp_path: Path) -> World:
    return busy_world(tmp_path / "home")


async def test_targets_for_many_are_ranked_for_all_of_them():
    world = routing_world()
    top = world.hopper()
    add(top, "Tune the queries", tags=("sql",))
    for hop in top.store.delegations(("accepted", "pending")):
        top.cancel_delegation(hop.id)
    async with story(world, (160, 48), instance=top.id) as s:
        await s.press("*", "D")
        await s.sees("delegate 2 tasks", "1 would go to webapp, 1 would go to mobile")
        best, other, stopped = (s.line(f"↓ {name}") for name in ("webapp", "mobile", "api"))
        assert "  107  " in best
        assert "  57  " in other
        assert "api is created" in stopped


async def test_delegations_are_taken_back_unless_somebody_works_on_them():
    world = guide_world()
    webapp, worker = world.hopper("webapp"), world.hopper("worker-1")
    webapp.configure({"auto_delegate": False})
    titles = ("Held", "Idle", "Here")
    for title in titles:
        add(webapp, title)
    for task in webapp.list()[:2]:
        webapp.delegate(task.id, target="worker-1")
    worker.claim(worker.list()[0].id, executor="coder")
    away, back = TaskStatus.DELEGATED, TaskStatus.PENDING
    async with story(world, (160, 48), instance="webapp") as s:
        await s.press("G", "U")
        await s.sees("is not delegated.")
        await s.press("*", "U")
        await s.sees("1 taken back, 2 refused", "coder works on it", "2 marked")
        assert statuses(world, *titles) == [away, back, back]
        await s.press("u")
        await s.sees('undone: take back "Idle"')
        assert statuses(world, *titles) == [away, away, back]
        assert worker.list()[1].is_open
        await s.press("1", "j", "2")
        await s.selects("Held")
        await s.press("U")
        await s.sees("is what was delegated; where")


async def test_a_range_follows_the_cursor_until_v_ends_it(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("space", "j", "v")
        await s.sees("2 marked")
        await s.press("j", "j")
        await s.sees("4 marked")
        await s.press("k")
        await s.sees("3 marked")
        await s.press("v", "j", "j", "j")
        await s.sees("3 marked")
        assert [s.row(title)[:1] for title in ("Fix login", "Rotate", "Ship OAuth", "Build")] == [
            "◉", " ", "◉", "◉",
        ]  # fmt: skip
        await s.press("escape")
        await s.sees_no("marked")


async def test_a_range_to_the_end_takes_everything_between(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("j", "v", "G")
        await s.sees("10 marked")
        await s.press("g")
        await s.sees("2 marked")


async def test_the_mouse_marks_too(webapp: World):
    async with story(webapp, instance="webapp") as s:
        queue = s.app.cockpit.queue_view
        await s.pilot.click(queue, offset=(5, 3), control=True)
        await s.sees("1 marked")
        await s.pilot.click(queue, offset=(5, 6), shift=True)
        await s.sees("4 marked")
        await s.pilot.click(queue, offset=(5, 3), control=True)
        await s.sees("3 marked")
        await s.pilot.click(queue, offset=(5, 1))
        await s.sees("3 marked")


async def test_undo_counts_tasks_wherever_they_were_done():
    world = guide_world()
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    for title in ("Here", "There", "There too"):
        add(webapp, title)
    for task in webapp.list()[1:]:
        webapp.delegate(task.id, target="worker-1")
    async with story(world, (160, 48), instance="webapp") as s:
        await s.press("*", "d", "y")
        await s.sees("3 done")
        await s.press("u")
        await s.sees("undone: finish 3 tasks")
        await s.press("ctrl+r")
        await s.sees("redone: finish 3 tasks")


async def test_all_in_the_filter_are_marked_and_nothing_else(webapp: World):
    async with story(webapp, instance="webapp", filter="login") as s:
        await s.press("*")
        await s.sees("2 marked")
        await s.press("p", "g", "enter")
        await s.sees("1 now urgent, 1 refused", "is urgent already")
        assert [t.title for t in webapp.hopper("webapp").list("priority:urgent")] == [
            "Fix login crash", "Build login page", "Rotate the signing keys",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "question"), [("x", "Cancel 11"), ("p", "the priority of"), ("t", "Change the tags")]
)
async def test_dialogs_about_many_tasks_ask_first(webapp: World, key: str, question: str):
    async with story(webapp, instance="webapp") as s:
        await s.press("*", key)
        await s.sees(question, "11 tasks?")
        await s.press("enter")
        await s.sees_no("11 tasks?")
        await s.press(key)
        await s.sees("11 tasks?")
        await s.press(key)
        await s.sees("11 tasks?")
        await s.press("y")
        await s.sees("esc leave")


async def test_refusals_are_counted_and_the_first_is_told(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("*", "s", "y")
        await s.sees("10 started, 1 refused:", "web-dgg09")


async def test_marks_stay_when_others_change_the_queue(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("space", "space", "v", "j")
        await s.sees("4 marked")
        webapp.hopper("webapp").add_task(title="The most urgent", priority="urgent")
        s.app.cockpit.reload()
        await s.sees("The most urgent", "4 marked")
        await s.press("j")
        await s.sees("5 marked")
        assert not s.row("The most urgent").startswith("◉")


async def test_many_tasks_are_one_command_that_says_how_far_it_is():
    world = many()
    async with story(world, instance="webapp") as s:
        await s.press("*", "d")
        s.tap("y")
        await s.glimpses("of 1,500; esc stops")
        await s.sees("1,500 done", "webapp · 0 open")
        await s.press("u")
        await s.sees("undone: finish 1500 tasks", "webapp · 1,500 open")
        await s.press("ctrl+r")
        await s.sees("redone: finish 1500 tasks", "webapp · 0 open")


async def test_escape_stops_a_verb_on_many_tasks_and_undo_takes_back_what_it_did():
    world = many()
    async with story(world, instance="webapp") as s:
        await s.press("*", "d")
        s.tap("y")
        await s.glimpses("of 1,500; esc stops")
        s.tap("escape")
        await s.sees("stopped before")
        left = len(world.hopper("webapp").list())
        assert 0 < left < MANY
        await s.press("u")
        await s.sees("webapp · 1,500 open")


async def test_quitting_in_the_middle_of_a_verb_on_many_tasks_asks():
    async with story(many(), instance="webapp") as s:
        await s.press("*", "d")
        s.tap("y")
        await s.glimpses("of 1,500; esc stops")
        s.tap("q")
        await s.sees("of 1,500; quit all the same?")
        await s.press("enter")
        await s.sees("webapp · 0 open")
        assert s.app.is_running


async def test_undo_waits_until_a_verb_on_many_tasks_is_through():
    async with story(many(), instance="webapp") as s:
        await s.press("*", "d")
        s.tap("y")
        await s.glimpses("of 1,500; esc stops")
        s.tap("u")
        await s.glimpses("Still at it; esc stops it.")
        await s.sees("1,500 done", "webapp · 0 open")


async def test_a_verb_on_many_tasks_that_is_undone_meanwhile_stops(tmp_path: Path):
    home = tmp_path / "home"
    async with story(many(home), instance="webapp") as s:
        await s.press("*", "d")
        s.tap("y")
        await s.glimpses("of 1,500; esc stops")
        other = World(home, home, actor="bob")
        assert other.undo("webapp").summary.startswith("undone: finish ")
        await s.sees("undone meanwhile; stopped")
        await s.sees("webapp · 1,500 open")
        assert other.store("webapp").check() == []
        other.close()


async def test_what_the_screen_did_the_command_line_takes_back(home: World, shell: Shell):
    titles = ("Fix login crash", "Rotate the signing keys")
    async with story(home, instance="webapp") as s:
        before = statuses(home, *titles)
        await s.press("space", "space", "d")
        await s.sees("2 done", "webapp · 9 open")
        assert shell("undo") == "undone: finish 2 tasks\n"
        await s.sees("webapp · 11 open")
        assert statuses(home, *titles) == before
        await s.press("ctrl+r")
        await s.sees("redone: finish 2 tasks", "webapp · 9 open")
        assert shell("undo") == "undone: finish 2 tasks\n"
        assert shell("redo") == "redone: finish 2 tasks\n"
        await s.sees("webapp · 9 open")


async def test_what_the_command_line_did_the_screen_takes_back(home: World, shell: Shell):
    async with story(home, instance="webapp") as s:
        ids = shell("list", "-q", "login").split()
        shell("task", "update", *ids, "--add-tag", "soon")
        await s.sees("soon")
        await s.press("u")
        await s.sees("undone: change 2 tasks")
        await s.sees_no("soon")
        await s.press("ctrl+r")
        await s.sees("soon")
        assert shell("undo") == "undone: change 2 tasks\n"
        await s.sees_no("soon")


async def test_undo_after_somebody_went_on_says_who(home: World, shell: Shell):
    async with story(home, instance="webapp") as s:
        await s.press("c")
        await s.sees("claimed web-")
        shell("task", "note", shell("list", "-q", "login crash").strip(), "on it")
        task = shell("list", "-q", "login crash").strip()
        shell("task", "release", task)
        shell("task", "claim", task, "--actor", "bob")
        await s.sees("bob")
        await s.press("u")
        await s.sees("Undo: claim", "by bob, 0s ago?")
        await s.press("enter")
        await s.sees_no("ago?")
        await s.sees("bob 0s")
        await s.press("u", "y")
        await s.sees("undone: claim")
        await s.sees_no("bob 0s")


async def test_undo_of_what_was_done_long_ago_asks():
    world = guide_world()
    clock = world.now
    assert isinstance(clock, Clock)
    async with story(world, instance="webapp") as s:
        await s.press("a")
        await s.type("Call home")
        await s.press("enter")
        await s.sees("added Call home", "webapp · 1 open")
        clock.forward(7200)
        await s.press("u")
        await s.sees("Undo: add", "by me, 2h ago?")
        await s.press("u", "n")
        await s.sees_no("ago?")
        await s.sees("webapp · 1 open")


async def test_undo_after_the_hopper_was_paused_says_that_this_is_not_undone(webapp: World):
    async with story(webapp, instance="webapp") as s:
        await s.press("1", "P")
        await s.sees("webapp is paused")
        await s.press("2", "u")
        await s.sees("that is not undone")
        await s.sees_no("hopper instance")
        await s.sees("webapp · 11 open")


async def test_leaving_in_the_middle_loses_nothing_and_is_one_undo(tmp_path: Path):
    world = many(tmp_path / "home")
    shell = Shell(tmp_path / "home")
    async with story(world, instance="webapp") as s:
        await s.press("*", "d")
        s.tap("y")
        await s.glimpses("of 1,500; esc stops")
        s.app.exit()
    done = len(shell("list", "-q", "status:done").split())
    assert 0 < done < MANY
    assert shell("undo") == f"undone: finish {done} tasks\n"
    assert len(shell("list", "-q").split()) == MANY


async def test_no_key_waits_for_a_question_to_take_the_focus():
    world = busy_world()
    async with story(world, instance="webapp") as s:
        await s.press("*", "d")
        await s.sees("11 tasks")
        await s.until(lambda: not s.app.is_opening, "keys wait for a focus that never comes")

"""Other processes change stores while the screen is open."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from hopper_tui.engine.world import World

from .story import story
from .worlds import add, busy_world, guide_world


def another(home: Path) -> World:
    """The same home, as another process sees it."""
    return World(home, home, actor="claude")


async def test_another_process_adds_and_the_cursor_stays(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        await s.press("j", "j")
        await s.selects("Ship OAuth")
        row = s.app.cursor_position.y
        other = another(tmp_path)
        other.hopper("webapp").add_task(title="Put out the fire", priority="urgent")
        await s.sees("Put out the fire", "webapp · 12 open")
        await s.selects("Ship OAuth")
        assert s.height_of("Ship OAuth") == s.app.cursor_position.y
        assert row <= s.app.cursor_position.y <= row + 1
        other.close()


async def test_a_refresh_never_moves_the_scroll_under_the_eye(tmp_path: Path):
    world = guide_world(tmp_path)
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    for number in range(300):
        add(webapp, f"Task number {number:03}")
    async with story(world, (100, 30), instance="webapp") as s:
        await s.press("pagedown", "pagedown", "pagedown")
        selected = s.app.cockpit.queue_view.selected_row
        assert selected is not None
        title = selected.task.title
        await s.sees(title)
        height = s.height_of(title)
        other = another(tmp_path)
        other.hopper("webapp").add_task(title="Put out the fire", priority="urgent")
        await s.sees("webapp · 301 open")
        await s.selects(title)
        assert s.height_of(title) == height
        other.close()


async def test_bodies_come_in_pages_and_the_end_is_near(tmp_path: Path):
    world = guide_world(tmp_path)
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    from hopper_tui.model.task import Task

    webapp.add_tasks(Task(title=f"Task number {number:04}") for number in range(1000))
    async with story(world, (100, 30), instance="webapp") as s:
        await s.press("G")
        await s.sees("Task number 0999")
        await s.press("g")
        await s.sees("Task number 0000")
        for _ in range(20):
            await s.press("pagedown")
        await s.until(lambda: s.app.cockpit.queue_view.selected_row is not None, "no body")


async def test_a_corrupt_project_is_an_error_of_its_own(tmp_path: Path):
    world = busy_world(tmp_path)
    project = world.places.project("api")
    assert project is not None
    assert project.database is not None
    world.close()
    for file in project.database.parent.glob(project.database.name + "*"):
        file.unlink()
    project.database.write_bytes(b"this is no database" * 400)
    async with story(another(tmp_path), instance="webapp") as s:
        await s.sees("damaged", "Fix login crash")
        await s.press("1", "k")
        await s.sees("api")
        await s.sees_no("Fix login crash")
        await s.sees("✗")
        await s.press("j")
        await s.sees("Fix login crash")


async def test_what_others_change_is_marked_for_a_moment(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        await s.press("j", "j", "j")
        other = another(tmp_path)
        webapp = other.hopper("webapp")
        docs = next(task for task in webapp.list() if task.title == "Tidy the docs")
        webapp.update(docs.id, priority="high")
        webapp.add_task(title="Put out the fire", priority="urgent")
        await s.until(lambda: "▎" in s.row("Put out the fire"), "the new one is not marked")
        await s.until(lambda: "▎▲" in s.row("Tidy the docs"), "the change is not marked")
        assert "▎" not in s.row("Ship OAuth")
        await s.until(lambda: "▎" in s.line("● webapp"), "the hopper is not marked")
        await s.sees_no("▎")
        await s.selects("Build login page")
        other.close()


async def test_what_others_change_is_marked_on_the_board_as_well(tmp_path: Path):
    async with story(busy_world(tmp_path), (160, 48), instance="webapp") as s:
        await s.press("B")
        await s.sees("7 pending")
        other = another(tmp_path)
        webapp = other.hopper("webapp")
        docs = next(task for task in webapp.list() if task.title == "Tidy the docs")
        webapp.claim(docs.id, executor="claude", role="human")
        await s.until(lambda: "▎◇ Tidy" in s.screen, "the card is not marked")
        assert s.screen.count("▎") == 1
        await s.sees_no("▎")
        await s.press("c")
        await s.sees("claimed web-")
        assert "▎" not in s.screen
        other.close()


async def test_what_we_do_ourselves_is_not_marked(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        seen: list[str] = []
        queue = s.app.cockpit.queue_view
        freshen = queue.freshen
        queue.freshen = lambda keys: freshen(list(seen.extend(keys) or ()))
        await s.press("c")
        await s.sees("claimed web-")
        await s.press("a")
        await s.type("Sharpen the saw")
        await s.press("enter")
        await s.sees("added Sharpen the saw")
        await s.selects("Sharpen the saw")
        other = another(tmp_path)
        other.hopper("webapp").add_task(title="Put out the fire", priority="urgent")
        await s.sees("Put out the fire")
        assert len(seen) == 1
        other.close()


async def test_a_screen_held_still_follows_again_when_it_is_let_go(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        await s.press("Z")
        await s.sees("‖ paused · me @ webapp")
        other = another(tmp_path)
        other.hopper("webapp").add_task(title="Put out the fire", priority="urgent")
        await s.until(lambda: s.app.cockpit.following.has_missed, "the change was never noticed")
        assert "Put out the fire" not in s.screen
        await s.press("Z")
        await s.sees("Put out the fire")
        await s.sees_no("paused")
        other.close()


async def test_what_one_does_oneself_is_seen_while_the_screen_is_held_still(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        await s.press("Z", "d")
        await s.sees("done web-", "webapp · 10 open")


async def test_a_change_is_read_at_most_twice(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        reads: list[int] = []
        load = s.app.cockpit.session.load_queue
        s.app.cockpit.session.load_queue = lambda *a: (reads.append(1), load(*a))[1]
        other = another(tmp_path)
        for number in range(1, 4):
            other.hopper("webapp").add_task(title=f"Fire {number}", priority="urgent")
            await s.sees(f"Fire {number}")
            await s.sees_no("▎")  # a second later
            assert len(reads) <= 2 * number
        other.close()


async def test_a_burst_is_read_a_few_times(tmp_path: Path):
    async with story(busy_world(tmp_path), instance="webapp") as s:
        reads: list[int] = []
        load = s.app.cockpit.session.load_queue
        s.app.cockpit.session.load_queue = lambda *a: (reads.append(1), load(*a))[1]
        code = (
            "import sys; from pathlib import Path; from hopper_tui.engine.world import World\n"
            "webapp = World(Path(sys.argv[1])).hopper('webapp')\n"
            "for n in range(200): webapp.add_task(title=f'Fire {n}', priority='urgent')\n"
        )
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path))
        assert await process.wait() == 0
        await s.sees("webapp · 211 open")
        await s.sees_no("▎")
        assert len(reads) < 100

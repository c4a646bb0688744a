"""The view of offers: what waits for an answer, wherever it is, and answering it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.delegation import Delegation
from hopper_tui.model.lifecycle import DelegationStatus, DelegationType
from hopper_tui.model.task import Task
from hopper_tui.tui.offer_lines import notes_line, notes_of, offer_line
from hopper_tui.tui.presentation import line_width
from hopper_tui.tui.roles import Line
from hopper_tui.tui.snapshot import Hop, TaskRow
from hopper_tui.tui.view_snapshot import Offer

from .story import Story, story
from .worlds import NOW, empty_world, offers_world

SIZES = [(160, 48), (80, 24), (50, 20)]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def statuses(world: World) -> dict[str, str]:
    """The status of every hop, by the title of its task."""
    return {world.find_task(hop.task)[1].title: hop.status for hop in world.delegations()}


def offered(told: Story) -> str:
    """The task that is offered under the cursor."""
    hop = told.app.cockpit.situation.hop
    return hop.title if hop else ""


@pytest.mark.parametrize("width", [48, 78, 158])
def test_lines_keep_within_the_width(width: int):
    hop = Delegation(
        "h", "x", "x", "s" * 90, "t" * 90, DelegationType.DECOMPOSE,
        notes="\x1b[31m漢字" * 90, delegated_at="2026-11-20T11:00:00.000Z",
    )  # fmt: skip
    task = TaskRow(Task(id="x", title="修复" * 90), "webapp-k7m2qxyz")
    for offer in (
        Offer(Hop(hop, "源" * 80, "t" * 80, "修复" * 90), task),
        Offer(Hop(hop, "a", "b")),
    ):
        line = offer_line(offer, width, NOW)
        assert line_width(line) == width
        below = notes_line(notes_of(offer), width, NOW)
        assert line_width(below) <= width
        assert "\x1b" not in text(below)
    assert notes_of(Offer(Hop(hop, "a", "b"))).startswith("decompose · ")


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_shows_what_is_offered_the_oldest_first(size: tuple[int, int]):
    async with story(offers_world(), size) as told:
        await told.press("O")
        await told.sees("offers · 3 wait for an answer", "A accepts, R rejects")
        assert told.screen.index("Rotate") < told.screen.index("Write") < told.screen.index("Tune")
        await told.sees("webapp → ", "before Friday")


async def test_what_is_offered_is_accepted_and_that_can_be_undone():
    async with story(offers_world()) as told:
        await told.press("O")
        await told.until(lambda: offered(told) == "Rotate the keys", "another is selected")
        await told.press("A")
        await told.sees("2 wait for an answer", "accepted Rotate the keys")
        assert statuses(told.world)["Rotate the keys"] == DelegationStatus.ACCEPTED
        await told.until(lambda: offered(told) == "Write the post", "another is selected")
        await told.press("u")
        await told.sees("3 wait for an answer")
        assert statuses(told.world)["Rotate the keys"] == DelegationStatus.PENDING


async def test_the_last_answer_can_be_undone_when_nothing_is_offered_any_more():
    async with story(offers_world()) as told:
        await told.press("O")
        await told.sees("3 wait for an answer")
        for title in ("Rotate the keys", "Write the post", "Tune"):
            await told.until(lambda title=title: title in offered(told), f"{title} is not selected")
            await told.press("A")
            await told.sees(f"accepted {title}")
        await told.sees("Nothing waits for your answer.")
        await told.press("u")
        await told.sees("undone: accept a delegation", "Tune")


async def test_what_is_offered_is_rejected_with_a_reason():
    async with story(offers_world()) as told:
        await told.press("O")
        await told.until(lambda: offered(told) == "Rotate the keys", "another is selected")
        await told.press("j")
        await told.until(lambda: offered(told) == "Write the post", "another is selected")
        await told.press("R")
        await told.sees("reject Write the post")
        await told.type("no writer here")
        await told.press("enter")
        await told.sees("2 wait for an answer")
        assert statuses(told.world)["Write the post"] == DelegationStatus.REJECTED
        assert statuses(told.world)["Rotate the keys"] == DelegationStatus.PENDING


async def test_enter_goes_to_the_task():
    async with story(offers_world()) as told:
        await told.press("O")
        await told.until(lambda: offered(told) == "Rotate the keys", "another is selected")
        await told.press("enter")
        await told.selects("Rotate the keys")
        await told.sees("webapp · 3 open")


async def test_the_cursor_stays_on_its_offer_while_others_answer():
    async with story(offers_world()) as told:
        await told.press("O")
        await told.until(lambda: offered(told) == "Rotate the keys", "another is selected")
        await told.press("j")
        await told.until(lambda: offered(told) == "Write the post", "another is selected")
        first = next(hop for hop in told.world.delegations() if hop.notes is None)
        told.world.hopper(first.target).accept(first.id)
        told.app.cockpit.session.check()
        await told.sees("2 wait for an answer")
        assert offered(told) == "Write the post"


async def test_the_cursor_goes_from_offer_to_offer_and_not_to_what_was_said():
    async with story(offers_world(), (80, 24), instance="webapp") as told:
        await told.press("O")
        await told.sees("before Friday, please")
        for title in ("Rotate the keys", "Write the post", "Tune the queries", "Tune the queries"):
            assert title in told.app.cockpit.tasks.selected_row.task.title
            await told.press("j")
        await told.press("k")
        assert "Write the post" in told.app.cockpit.tasks.selected_row.task.title
        await told.press("G")
        assert "Tune the queries" in told.app.cockpit.tasks.selected_row.task.title


async def test_where_nothing_waits_it_says_what_would():
    async with story(empty_world()) as told:
        await told.press("O")
        await told.sees("Nothing waits for your answer.", "D offers a task")
        await told.press("A")
        await told.sees("No delegation of this task waits for an answer.")


async def test_a_hopper_that_cannot_be_read_hides_no_other(tmp_path: Path):
    world = offers_world(tmp_path)
    path = world.hopper("api").store.path
    world.close()
    assert path is not None
    path.write_bytes(b"this is no database, " * 1000)
    async with story(world) as told:
        await told.press("O")
        await told.sees("2 wait for an answer", "1 hopper cannot be read", "Rotate the keys")

"""Pictures of the screen, compared with those approved before; see tests/snapshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import pytest_textual_snapshot
from syrupy.location import PyTestLocation
from textual.pilot import Pilot
from textual.widgets import Input

from hopper_tui.engine.doctor import Finding
from hopper_tui.engine.world import World
from hopper_tui.model.errors import StorageError
from hopper_tui.store.protocol import Store
from hopper_tui.tui.app import HopperApp

from .repositories import disagreement, pull, repository, world_of
from .story import Story
from .worlds import (
    NOW,
    add,
    busy_world,
    empty_world,
    guide_world,
    offers_world,
    routing_world,
    run_world,
)

SIZES = {"160x48": (160, 48), "80x24": (80, 24), "50x20": (50, 20)}
WAYS = {  # keys that lead from the first screen to another
    "help": ("?",),
    "delegate": ("D",),
    "why": ("w",),
    "marks": ("space", "space"),
}


DIALOGS = {
    "add": ("a", *"Sharpen", "tab", "a"),
    "edit": ("E",),
    "rate": ("F",),
    "saved": ("at", *"hot"),
    "many": ("asterisk", "d"),
}


def below(directory: Path) -> type:
    """The plugin's way to keep pictures, in a directory of our choice."""

    class Pictures(pytest_textual_snapshot.SVGImageExtension):
        @classmethod
        def dirname(cls, *, test_location: PyTestLocation) -> str:
            return str(directory / test_location.basename)

    return Pictures


@pytest.fixture
def looks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Whether a world looks as it did, on a terminal of that size after those keys."""
    directory = Path(__file__).parent.parent / "snapshots"
    monkeypatch.setattr(pytest_textual_snapshot, "SVGImageExtension", below(directory))
    snap_compare = request.getfixturevalue("snap_compare")

    def compare(
        world: World,
        size: str,
        keys: Sequence[str] = (),
        theme: str = "",
        seen: Sequence[str] = (),
        **options: str,
    ) -> bool:
        app = HopperApp(world, **options)
        app.theme = theme or app.theme

        async def settle(pilot: Pilot[None]) -> None:
            told = Story(app, pilot, world)
            await told.until(lambda: app.cockpit.is_settled, "nothing was ever loaded")
            for key in keys:
                await told.press(key)
                await told.until(lambda: app.cockpit.is_settled, "nothing was loaded again")
            await told.sees(*seen)
            for widget in app.screen.query(Input):
                widget.cursor_blink = False

        return snap_compare(app, terminal_size=SIZES[size], run_before=settle)

    return compare


def cjk_world() -> World:
    """Wide characters everywhere."""
    world = guide_world()
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    add(webapp, "修复登录崩溃：会话过期后应显示登录页面", tags=("认证",), priority="urgent")
    add(webapp, "日本語のタイトルは、どの行にも収まらないほど長くなることがあります。" * 3)
    add(webapp, "한국어 제목도 있습니다", priority="high", tags=("긴급", "로그인"))
    blocked = add(webapp, "等待供应商")
    webapp.block(blocked, "供应商没有回复")
    world.now.now = NOW
    return world


@pytest.mark.parametrize("size", SIZES)
def test_full(looks: Callable[..., bool], size: str):
    assert looks(busy_world(), size, instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_empty(looks: Callable[..., bool], size: str):
    assert looks(empty_world(), size)


def broken_world() -> World:
    """The queue of webapp cannot be read; everything else can."""
    world = busy_world()
    readable = world.store

    def store(instance: str) -> Store:
        if instance == "webapp":
            raise StorageError(
                "the database of webapp was written by a newer version of Hopper",
                "Upgrade: pip install --upgrade hopper-tui",
            )
        return readable(instance)

    world.store = store  # type: ignore[method-assign]
    return world


@pytest.mark.parametrize("size", SIZES)
def test_error(looks: Callable[..., bool], size: str):
    assert looks(broken_world(), size, instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_cjk(looks: Callable[..., bool], size: str):
    assert looks(cjk_world(), size, instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_no_color(looks: Callable[..., bool], size: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks(busy_world(), size, instance="webapp")


@pytest.mark.parametrize("theme", ["hopper-light", "high-contrast"])
def test_themes(looks: Callable[..., bool], theme: str):
    assert looks(busy_world(), "80x24", theme=theme, instance="webapp")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
def test_ways(looks: Callable[..., bool], way: str, size: str):
    assert looks(busy_world(), size, WAYS[way], instance="webapp")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dialog", DIALOGS)
def test_dialogs(looks: Callable[..., bool], dialog: str, size: str):
    assert looks(busy_world(), size, DIALOGS[dialog], instance="webapp", filter="!nothing")


@pytest.mark.parametrize("size", SIZES)
def test_filter(looks: Callable[..., bool], size: str):
    keys = ("/", *"login", "space", "exclamation_mark", *"tag", "colon")
    seen = ("/login", "auth  api", "takes it")
    assert looks(busy_world(), size, keys, seen=seen, instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_targets(looks: Callable[..., bool], size: str):
    assert looks(routing_world(), size, ("D", "j", "j"))


def test_chain(looks: Callable[..., bool]):
    assert looks(busy_world(), "160x48", ("j", "j", "j"), instance="webapp")


def ailing_world() -> World:
    """The doctor finds something of each kind, and always the same."""
    world = guide_world()
    world.now.now = NOW
    examine = world.doctor

    def doctor(**orders: bool) -> list[Finding]:
        found = [finding for finding in examine(**orders) if finding.subject != "SQLite"]
        return [
            *found,
            Finding("warning", "webapp", "2 conflicts to decide; see: hopper conflicts"),
            Finding("error", "api", "task 5 has no events; see: hopper doctor --rebuild"),
        ]

    world.doctor = doctor  # type: ignore[method-assign]
    return world


def git_world(directory: Path) -> World:
    """A project with something to commit and a conflict."""
    ann = repository(directory / "ann")
    bob = ann.clone(directory / "bob")
    disagreement(ann, bob)
    pull(ann, bob)
    world = world_of(ann, 21)
    world.now.now = NOW + 7200
    add(world.hopper("web"), "Ship OAuth", priority="low", executor_preference="human")
    return world


@pytest.mark.parametrize("size", SIZES)
def test_git(looks: Callable[..., bool], tmp_path: Path, size: str):
    assert looks(git_world(tmp_path), size)


@pytest.mark.parametrize("size", SIZES)
def test_conflicts(looks: Callable[..., bool], tmp_path: Path, size: str):
    assert looks(git_world(tmp_path), size, ("C",))


@pytest.mark.parametrize("size", SIZES)
def test_board(looks: Callable[..., bool], size: str):
    assert looks(busy_world(), size, ("B", "j"), instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_board_with_wide_characters(looks: Callable[..., bool], size: str):
    assert looks(cjk_world(), size, ("B",), instance="webapp")


def test_board_of_nothing(looks: Callable[..., bool]):
    assert looks(empty_world(), "160x48", ("B",))


def test_board_that_cannot_be_read(looks: Callable[..., bool]):
    assert looks(broken_world(), "80x24", ("B",), instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_offers(looks: Callable[..., bool], size: str):
    assert looks(offers_world(), size, ("O",))


def test_no_offers(looks: Callable[..., bool]):
    assert looks(empty_world(), "80x24", ("O",))


@pytest.mark.parametrize("size", SIZES)
def test_log(looks: Callable[..., bool], size: str):
    assert looks(busy_world(), size, ("L", "k"), instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_stats(looks: Callable[..., bool], size: str):
    assert looks(run_world(), size, ("T",), instance="search")


def test_stats_that_cannot_be_read(looks: Callable[..., bool]):
    assert looks(broken_world(), "80x24", ("T",), instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_doctor(looks: Callable[..., bool], size: str):
    assert looks(ailing_world(), size, ("H",))


def test_views(looks: Callable[..., bool]):
    assert looks(busy_world(), "80x24", ("V",), instance="webapp")


@pytest.mark.parametrize("size", SIZES)
def test_runs(looks: Callable[..., bool], size: str):
    assert looks(run_world(), size, ("W", "j"), instance="search")


def test_no_runs(looks: Callable[..., bool]):
    assert looks(empty_world(), "80x24", ("W",))


def test_runs_without_color(looks: Callable[..., bool], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks(run_world(), "80x24", ("W",), instance="search")

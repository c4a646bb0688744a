"""What a hopper's configuration changes, from its file and from itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.errors import ConfigError, NotAllowed

from .scene import COMPLEX, SIMPLE, Clock, Scene


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty directory of a project."""
    path = tmp_path / "shop"
    path.mkdir()
    return path


def _write(root: Path, text: str) -> None:
    (root / ".hopper").mkdir(exist_ok=True)
    (root / ".hopper" / "hopper.yaml").write_text(text)


def test_every_project_has_its_own_database_at_its_path(home: Path, root: Path) -> None:
    world = World(home, root)
    report = world.init_project(root)
    assert (report.created, report.hopper.id) == (True, "hopper-shop")
    world.hopper().add_task(title=SIMPLE)
    assert (root / ".hopper" / "shop" / "tasks.db").exists()
    assert not world.init_project(root).created
    world.close()


def test_the_file_and_what_was_set_later(home: Path, root: Path) -> None:
    _write(root, "scope: project\ncapabilities: [python]\nmax_concurrent_tasks: 4\n")
    world = World(home, root)
    shop = world.hopper()
    assert (shop.id, shop.settings.capabilities, shop.settings.capacity) == (
        "hopper-shop",
        ("python",),
        4,
    )
    shop.configure({"max_concurrent_tasks": 7})
    assert (shop.settings.capacity, shop.config["capabilities"]) == (7, ["python"])
    shop.configure({"max_concurrent_tasks": None})
    assert shop.settings.capacity == 4
    world.close()


def test_a_fresh_clone_joins_by_its_first_command(home: Path, root: Path, clock: Clock) -> None:
    Scene(World(home, clock=clock), clock)
    _write(root, "scope: project\ninstance_id: hopper-shop\n")
    world = World(home, root / "src", clock=clock)
    (root / "src").mkdir()
    assert world.hopper().add_task(title=SIMPLE)
    elsewhere = World(home, clock=clock)
    assert elsewhere.hopper("shop").load().open == 1
    task = elsewhere.hopper("global").add_task(title="x", project="shop")
    assert elsewhere.chain(task)[0].target == "hopper-shop"
    world.close()
    elsewhere.close()


def test_an_unknown_parent_is_an_error(home: Path, root: Path, clock: Clock) -> None:
    Scene(World(home, clock=clock), clock)
    _write(root, "scope: project\nparent: hopper-other\n")
    world = World(home, root, clock=clock)
    with pytest.raises(ConfigError, match="the parent 'hopper-other' of shop is not known here"):
        world.hopper()
    world.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: shop\n", "the key scope is missing"),
        ("scope: galaxy\n", "hopper.yaml:1: scope"),
        ("scope: project\ninstance_id: hopper-{team}\n", "hopper.yaml:2: unknown placeholder"),
        ("scope: project\ncapabilites: [x]\n", "hopper.yaml:2: .*capabilites"),
        ("scope: [\n", "not valid YAML"),
    ],
)
def test_a_wrong_file_says_where(home: Path, root: Path, text: str, message: str) -> None:
    _write(root, text)
    world = World(home, root)
    with pytest.raises(ConfigError, match=message):
        world.hopper().add_task(title="x")
    world.close()


def test_local_cli_off_closes_the_command_line_only(home: Path, clock: Clock) -> None:
    world = World(home, clock=clock, via="cli")
    scene = Scene(world, clock)
    web = scene.project("web", integrations={"local_cli": False})
    with pytest.raises(NotAllowed, match="web takes no tasks from the command line"):
        web.add_task(title="x")
    task = scene.top.add_task(title=SIMPLE)
    assert scene.holder(task) == "web"
    world.via = "python"
    assert web.add_task(title="x")
    world.close()


def test_configurations_are_independent(scene: Scene) -> None:
    web, _ = scene.team("w1")
    api = scene.project("api", capabilities=["go"])
    before = api.config
    web.configure({"capabilities": ["python"], "child_instances.max_depth": 3})
    assert api.config == before
    assert web.settings.max_depth == 3


def test_a_wrong_change_changes_nothing(scene: Scene) -> None:
    web, _ = scene.team("w1")
    before = web.instance
    for changes in ({"max_concurrent_tasks": 0}, {"colour": "red"}, {"routing_engine": "magic"}):
        with pytest.raises(ConfigError):
            web.configure(changes)
        assert web.instance == before


def test_changed_capabilities_hold_for_the_next_task(scene: Scene) -> None:
    web, api = scene.project("web", capabilities=["react"]), scene.project("api")
    first = scene.top.add_task(title="x", tags=("react",))
    web.configure({"capabilities": []})
    api.configure({"capabilities": ["react"]})
    second = scene.top.add_task(title="y", tags=("react",))
    assert (scene.holder(first), scene.holder(second)) == ("web", "api")


def test_more_depth_when_a_run_allows_it(scene: Scene) -> None:
    scene.team("w0")
    run = scene.worker("run", child_instances={"max_depth": 3})
    deeper = run.get_child_hopper("phase-1").get_child_hopper("step-1")
    assert deeper.id == "run-phase-1-step-1"
    with pytest.raises(NotAllowed, match="step-1 is as deep as max_depth allows"):
        deeper.get_child_hopper("too-deep")


@pytest.mark.parametrize(("retention", "left"), [("1_year", 1), ("forever", 2), ("400_days", 2)])
def test_only_maintenance_removes_what_is_old_and_finished(
    scene: Scene, retention: str, left: int
) -> None:
    web = scene.project("web", persistence={"retention": retention})
    web.complete(web.add_task(title=SIMPLE))
    web.add_task(title="open for ever")
    scene.clock.tick(366 * 86400)
    scene.world.doctor()
    assert len(web.list(closed=True)) == 2
    scene.world.doctor(maintain=True)
    assert len(web.list(closed=True)) == left


def test_backends_that_are_not_here_are_named(scene: Scene) -> None:
    scene.project("web", routing_engine="llm", llm_fallback=True)
    task = scene.top.add_task(title=COMPLEX)
    assert scene.leaf(task).instance != "web"
    said = [f.message for f in scene.world.doctor() if f.level == "warning"]
    assert any("routing_engine: llm is not available here" in text for text in said)


def test_deleting_one_project_s_store_leaves_the_others(filed: Scene) -> None:
    web, api = filed.project("web"), filed.project("api")
    api.add_task(title=SIMPLE)
    task = filed.top.add_task(title=SIMPLE, project="web")
    filed.world.close()
    assert web.store.path is not None
    web.store.path.unlink()
    world = World(filed.world.home, clock=filed.clock)
    assert world.hopper("api").load().open == 1
    assert world.find_task(task)[1].status == "delegated"
    world.close()

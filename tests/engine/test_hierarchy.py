"""Making hoppers: scopes, parents, ids, and where a task enters."""

from __future__ import annotations

from typing import Any

import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.errors import (
    AmbiguousId,
    ConfigError,
    Invalid,
    NotAllowed,
    NotFound,
)

from .scene import COMPLEX, SIMPLE, Scene


def test_scopes_and_parents(scene: Scene) -> None:
    web, worker = scene.team("w1")
    assert (scene.top.scope, scene.top.instance.parent) == ("global", None)
    assert (web.scope, web.instance.parent) == ("project", "global")
    assert (worker.scope, worker.instance.parent) == ("orchestration", "web")


def test_three_projects_with_three_workers_are_thirteen(scene: Scene) -> None:
    for project in ("a1", "b1", "c1"):
        scene.project(project)
        for n in range(3):
            scene.worker(f"{project}-w{n}", project)
    nodes = scene.world.nodes()
    assert len(nodes) == 13
    assert len(scene.world.nodes(scope="orchestration", parent="b1")) == 3
    [root] = scene.world.tree()
    assert [len(child.children) for child in root.children] == [3, 3, 3]


def test_a_second_global_is_refused(scene: Scene) -> None:
    with pytest.raises(NotAllowed, match="already has a global hopper: global"):
        scene.world.create_instance("other", "global")
    assert len(scene.world.nodes()) == 1


@pytest.mark.parametrize(
    ("scope", "parent", "message"),
    [
        ("global", "web", "a global hopper cannot be below a project hopper"),
        ("project", "web", "a project hopper cannot be below a project hopper"),
        ("project", "w1", "a project hopper cannot be below an orchestration hopper"),
        ("orchestration", None, "an orchestration hopper needs a parent"),
        ("orchestration", "global", "an orchestration hopper cannot be below a global hopper"),
    ],
)
def test_a_parent_of_the_wrong_scope_is_refused(
    scene: Scene, scope: str, parent: str | None, message: str
) -> None:
    scene.team("w1")
    with pytest.raises(Invalid, match=message):
        scene.world.create_instance("new", scope, parent)
    assert len(scene.world.nodes()) == 3


@pytest.mark.parametrize(
    "config",
    [
        {"max_concurrent_tasks": 0},
        {"max_concurrent_tasks": -1},
        {"max_concurrent_tasks": None},
        {"max_concurrent_tasks": "many"},
        {"orchestration_threshold": "high"},
        {"routing_engine": "magic"},
        {"capabilites": ["python"]},
    ],
)
def test_a_wrong_configuration_makes_nothing(scene: Scene, config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        scene.world.create_instance("web", "project", config=config)
    assert [node.instance.id for node in scene.world.nodes()] == ["global"]


def test_an_id_is_taken_once(scene: Scene) -> None:
    scene.project("My Shop!")
    assert scene.world.hopper("My Shop!").id == "my-shop"
    with pytest.raises(Invalid, match="already a hopper 'my-shop'"):
        scene.world.create_instance("my shop", "project")
    with pytest.raises(Invalid, match="no usable id"):
        scene.world.create_instance("日本", "project")


def test_a_hopper_is_found_by_id_name_and_unique_prefix(scene: Scene) -> None:
    scene.project("webapp")
    scene.project("warehouse")
    for ref in ("webapp", "WebApp", "web", "webapp-id"):
        assert scene.world.hopper(ref).id == "webapp"
    with pytest.raises(AmbiguousId) as several:
        scene.world.hopper("w")
    assert sorted(key for key, _ in several.value.candidates) == ["warehouse", "webapp"]
    with pytest.raises(NotFound, match="no hopper 'webap9'") as near:
        scene.world.hopper("webap9")
    assert near.value.hint == "Did you mean webapp?"


def test_phases_hang_below_runs_and_no_deeper(filed: Scene) -> None:
    filed.team("w1")
    phase = filed.world.create_instance("design", "orchestration", "w1")
    assert (phase.id, phase.name) == ("w1-design", "design")
    with pytest.raises(NotAllowed, match="as deep as max_depth allows"):
        filed.world.create_instance("deeper", "orchestration", phase.id)
    other = World(filed.world.home, clock=filed.clock)
    assert other.hopper("w1-design").instance.parent == "w1"
    other.close()


def test_a_task_enters_at_any_level(scene: Scene) -> None:
    web, worker = scene.team("w1")
    at_top = scene.top.add_task(title=COMPLEX)
    at_project = web.add_task(title=SIMPLE)
    at_worker = worker.add_task(title="Run tests")
    assert scene.task(at_top).instance == "global"
    assert scene.chain(at_top) == [
        "global → web (route) [accepted]",
        "web → w1 (route) [accepted]",
    ]
    assert (scene.task(at_project).instance, scene.chain(at_project)) == ("web", [])
    assert (scene.task(at_worker).instance, scene.chain(at_worker)) == ("w1", [])
    assert [load.open for load in (scene.top.load(), web.load(), worker.load())] == [1, 2, 2]


def test_every_hop_says_why(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    reasons = [hop.reason for hop in scene.world.chain(task)]
    assert reasons == [
        "nothing in it points to a project, and web has the least to do: 0 open tasks",
        "complexity 4 reaches the threshold 3 (verb 2, scope 1): w1 has the least to do",
    ]
    assert [d.reason for d in scene.world.why(task)] == reasons
    assert [h.reason for h in scene.world.chain(scene.leaf(task).id)] == reasons


def test_the_chain_is_the_same_from_any_of_its_tasks(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    ids = [task, *(hop.child_tasks[0] for hop in scene.world.chain(task))]
    assert len({tuple(scene.chain(key)) for key in ids}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"title": "  "},
        {"title": "x" * 1001},
        {"title": "x", "description": "y" * 60_001},
        {"title": "\ud800"},
        {"title": "x", "metadata": {"f": object()}},
        {"title": "x", "external": "url"},
        {"title": "x", "priority": "soon"},
        {"title": "x", "due": "someday"},
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_is(
    scene: Scene, fields: dict[str, Any]
) -> None:
    scene.project()
    with pytest.raises(Invalid):
        scene.top.add_task(**fields)
    assert [node.load.open for node in scene.world.nodes()] == [0, 0]


@pytest.mark.parametrize(
    "title", ["[/x]", "[bold]a", "\x1b[31mred", "a‮b", "漢字", "👩‍🚀", "x" * 400]
)
def test_a_title_is_kept_exactly(scene: Scene, title: str) -> None:
    scene.project()
    task = scene.top.add_task(title=title)
    assert (scene.task(task).title, scene.leaf(task).title) == (title, title)


def test_a_task_can_be_given_with_tags_alone(scene: Scene) -> None:
    web = scene.project()
    task = web.get(web.add_task(title="x", tags=("a", "b", " a ", "")))
    assert (task.tags, task.requester, task.source) == (("a", "b"), "me", "python")


def test_a_batch_is_added_whole_or_not_at_all(scene: Scene) -> None:
    from hopper_tui.model.task import Task

    web = scene.project()
    first, second = web.add_tasks([Task("Paint"), Task("Varnish", depends_on=("#1",))])
    assert web.get(second).depends_on == (first,)
    with pytest.raises(Invalid):
        web.add_tasks([Task("fine"), Task("")])
    assert scene.titles(web) == ["Paint", "Varnish"]

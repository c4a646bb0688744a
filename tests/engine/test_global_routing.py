"""A global hopper: which project gets a task, and what waits for whom."""

from __future__ import annotations

import pytest

from hopper_tui.model.errors import HopperError

from .scene import Scene

OFF = {"child_instances": {"auto_create": False}}


def test_an_explicit_project_wins_over_better_tags(scene: Scene) -> None:
    scene.project("api", capabilities=["python", "fastapi"])
    scene.project("web")
    task = scene.top.add_task(title="x", project="Web", tags=("python", "fastapi"))
    assert scene.holder(task) == "web"
    assert scene.world.why(task)[0].strategy == "explicit"


@pytest.mark.parametrize("order", [("one", "all"), ("all", "one")])
def test_the_best_overlap_of_tags_wins_in_any_order_and_case(
    scene: Scene, order: tuple[str, str]
) -> None:
    skills = {"one": ["PYTHON"], "all": ["Python", "FastAPI", "Testing"]}
    for name in order:
        scene.project(name, capabilities=skills[name])
    task = scene.top.add_task(title="x", tags=("python", "fastapi", "testing"))
    assert scene.holder(task) == "all"
    [first, *_] = scene.world.why(task)
    assert [(c.target, c.factors.get("tags")) for c in first.candidates] == [
        ("all", 300),
        ("one", 100),
    ]


def test_content_matches_domains(scene: Scene) -> None:
    scene.project("web", domains=["react"])
    scene.project("api", domains=["fastapi"])
    assert scene.holder(scene.top.add_task(title="Add fastapi endpoint")) == "api"


def test_the_addendum_s_examples(scene: Scene) -> None:
    scene.project("czarina", velocity="fast", capabilities=["orchestration", "urgent"])
    scene.project("sark", capabilities=["security", "mcp"])
    scene.project("waypoint", domains=["blog", "writing"])
    scene.project("hopper-docs")
    for title, tags, project in (
        ("Add MCP server support to SARK", ("security", "mcp", "integration"), "sark"),
        ("Write blog post about Hopper", (), "waypoint"),
        ("Fix urgent production bug", (), "czarina"),
    ):
        assert scene.holder(scene.top.add_task(title=title, tags=tags)).startswith(
            f"hopper-{project}-run" if project == "sark" else project
        )


def test_equal_projects_share_the_load(scene: Scene) -> None:
    projects = [scene.project(name) for name in ("a1", "b1", "c1")]
    for n in range(6):
        scene.top.add_task(title=f"thing {n}")
    assert [p.load().open for p in projects] == [2, 2, 2]


def test_load_is_what_is_open_now(scene: Scene) -> None:
    one, two = scene.project("a1"), scene.project("b1")
    for _ in range(3):
        one.complete(one.add_task(title="done"))
    two.add_task(title="open")
    assert scene.holder(scene.top.add_task(title="x")) == "a1"


def test_it_says_which_of_four_reasons_holds_a_task_up(scene: Scene) -> None:
    def why(**fields: object) -> list[str]:
        return scene.world.diagnose(scene.top.add_task(title="x", **fields))

    assert why() == ["it waits at global: no project exists"]
    scene.world.create_instance("web", "project", config={"auto_accept": False})
    assert why() == ["it waits at global: no running project: web is created"]
    scene.world.move_instance("web", "start")
    assert why(required_capabilities=("gpu",)) == [
        "it waits at global: no running project has the capability: web lacks capability gpu"
    ]
    task = scene.top.add_task(title="x")
    scene.top.reject(scene.world.chain(task)[0].id, "busy")
    assert scene.world.diagnose(task) == [
        "it waits at global: every running project refused it: web refused it: busy",
        "web rejected it: busy",
    ]


def test_waiting_tasks_go_when_a_project_starts(scene: Scene) -> None:
    task = scene.top.add_task(title="x")
    assert (scene.status(task), scene.task(task).reason) == ("pending", "no project exists")
    scene.world.create_instance("web", "project")
    assert scene.status(task) == "pending"
    scene.world.move_instance("web", "start")
    assert scene.holder(task) == "web"
    assert scene.task(task).reason is None


def test_waiting_tasks_go_when_one_is_resumed_or_learns_a_skill(scene: Scene) -> None:
    web = scene.project("web")
    scene.world.move_instance("web", "pause")
    task = scene.top.add_task(title="x", required_capabilities=("gpu",))
    scene.world.move_instance("web", "resume")
    assert scene.status(task) == "pending"
    web.configure({"capabilities": ["gpu"]})
    assert scene.holder(task) == "web"


def test_an_unknown_project_waits_when_none_may_be_made(scene: Scene) -> None:
    scene.top.configure(OFF)
    scene.project("web")
    task = scene.top.add_task(title="x", project="api")
    assert scene.task(task).reason == "no project is called api; there are: web"
    assert (scene.status(task), scene.chain(task)) == ("pending", [])
    scene.project("api")
    assert scene.holder(task) == "api"


def test_an_unknown_project_is_made(scene: Scene) -> None:
    task = scene.top.add_task(title="x", project="New Shop")
    shop = scene.world.hopper("New Shop")
    assert (shop.id, shop.status, scene.holder(task)) == ("hopper-new-shop", "running", "New Shop")
    again = scene.top.add_task(title="y", project="new-shop")
    assert scene.world.hopper("hopper-new-shop").load().open == 2
    assert scene.holder(again) == "New Shop"


def test_a_shorter_name_is_a_project_of_its_own(scene: Scene) -> None:
    scene.project("webapp")
    scene.project("webserver")
    assert scene.holder(scene.top.add_task(title="x", project="web")) == "web"


def test_a_batch_makes_its_projects(scene: Scene) -> None:
    from hopper_tui.model.task import Task

    keys = scene.top.add_tasks([Task("a", project="p1"), Task("b", project="p2"), Task("c")])
    assert [scene.holder(key) for key in keys[:2]] == ["p1", "p2"]
    assert scene.status(keys[2]) == "delegated"


def test_a_project_that_was_waited_for_is_made_once_it_may(scene: Scene) -> None:
    scene.top.configure(OFF)
    keys = [scene.top.add_task(title="x", project="api") for _ in range(2)]
    scene.top.configure({"child_instances.auto_create": True})
    assert [scene.holder(key) for key in keys] == ["api", "api"]


def test_a_name_that_gives_no_id_waits(scene: Scene) -> None:
    scene.top.configure(OFF)
    task = scene.top.add_task(title="x", project="日本")
    scene.top.configure({"child_instances.auto_create": True})
    assert scene.status(task) == "pending"
    assert any("no usable id" in warning for warning in scene.world.warnings)


def test_naming_a_project_later_sends_the_task(scene: Scene) -> None:
    task = scene.top.add_task(title="x")
    scene.top.update(task, project="api")
    assert scene.holder(task) == "api"


def test_a_global_at_rest_passes_nothing_on(scene: Scene) -> None:
    scene.project("web")
    scene.world.move_instance("global", "pause")
    task = scene.top.add_task(title="x")
    assert scene.task(task).reason == "global is paused and passes nothing on"
    scene.world.move_instance("global", "resume")
    assert scene.holder(task) == "web"


def test_many_that_cannot_go_hold_up_no_other(scene: Scene) -> None:
    scene.project("web")
    scene.world.move_instance("web", "stop")
    for n in range(25):
        scene.top.add_task(title=f"{n}", project="web")
    scene.project("api")
    scene.world.move_instance("api", "stop")
    task = scene.top.add_task(title="y", project="api")
    scene.world.move_instance("api", "start")
    assert scene.holder(task) == "api"


def test_a_full_project_is_passed_over(scene: Scene) -> None:
    web = scene.project("web", max_concurrent_tasks=1, capabilities=["react"])
    scene.project("api")
    web.claim(web.add_task(title="x"))
    task = scene.top.add_task(title="y", tags=("react",))
    assert scene.holder(task) == "api"
    assert "web is at capacity: 1/1" in scene.world.why(task)[0].reason


def test_a_preview_changes_nothing(scene: Scene) -> None:
    task = scene.top.add_task(title="x")
    before = scene.task(task)
    assert scene.top.candidates(task).reason == "no project exists"
    scene.project("web")
    routed = scene.top.candidates(task)
    assert [c.target for c in routed.candidates] == ["web"]
    assert scene.task(task).created_at == before.created_at
    worker = scene.worker()
    at_worker = worker.add_task(title="x")
    with pytest.raises(HopperError, match="routes to nobody"):
        worker.candidates(at_worker)


def test_rules_of_the_global(scene: Scene) -> None:
    scene.project("web")
    scene.project("ops")
    rule = {"name": "incidents", "keywords": ["outage"], "target": "ops", "set_priority": "urgent"}
    scene.top.configure({"intelligence": {"provider": "rules", "rules": [rule]}})
    task = scene.top.add_task(title="Outage of the shop")
    assert (scene.holder(task), scene.leaf(task).priority) == ("ops", "urgent")
    assert scene.world.why(task)[0].strategy == "rules"

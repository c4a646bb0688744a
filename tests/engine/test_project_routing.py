"""A project: keep a task for a person or a pipeline, hand it to a worker, or make a run."""

from __future__ import annotations

import pytest

from .scene import COMPLEX, SIMPLE, Scene


def test_a_simple_task_stays_for_a_person(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.get(web.add_task(title=SIMPLE))
    assert (task.instance, task.status, task.executor_preference) == ("web", "pending", "human")
    [decision] = scene.world.why(task.id)
    assert (decision.target, decision.executor) == ("web", "human")
    assert decision.reason.startswith("kept for human: complexity 1 is below the threshold 3")
    web.claim(task.id)
    assert web.complete(task.id).status == "done"


@pytest.mark.parametrize(
    ("title", "tags", "goes"),
    [
        (COMPLEX, (), "w1"),
        ("Build login page", ("frontend", "react"), "w1"),
        ("Implement structured logging", (), "w1"),
        (SIMPLE, (), "human"),
        ("Run integration tests", (), "ci"),
    ],
)
def test_the_examples_of_the_guide(
    scene: Scene, title: str, tags: tuple[str, ...], goes: str
) -> None:
    scene.team("w1")
    leaf = scene.leaf(scene.top.add_task(title=title, tags=tags))
    assert goes in (leaf.instance, leaf.executor_preference)


def test_without_a_worker_a_run_is_made(scene: Scene) -> None:
    web = scene.project("web")
    task = web.add_task(title=COMPLEX)
    [run] = scene.world.nodes(scope="orchestration")
    assert run.instance.id.startswith("hopper-web-run-")
    assert (run.instance.parent, run.instance.status) == ("web", "running")
    assert scene.holder(task) == run.instance.name
    second = web.add_task(title="Implement audit")
    assert scene.holder(second) == run.instance.name


@pytest.mark.parametrize("way", ["project", "global", "batch"])
def test_every_task_that_needs_it_gets_a_run_of_its_own(scene: Scene, way: str) -> None:
    from hopper_tui.model.task import Task

    web, _ = scene.team("w1", child_instances={"auto_create": True})
    wanted = [Task(f"thing {n}", needs_orchestration=True) for n in range(2)]
    if way == "batch":
        keys = web.add_tasks(wanted)
    else:
        keys = [(web if way == "project" else scene.top).add_task(task) for task in wanted]
    runs = {node.instance.id for node in scene.world.nodes(scope="orchestration")} - {"w1"}
    assert {scene.leaf(key).instance for key in keys} == runs
    assert len(runs) == 2
    assert scene.settled()


def test_without_worker_and_without_runs_it_is_kept(scene: Scene) -> None:
    web = scene.project("web", child_instances={"auto_create": False})
    task = web.get(web.add_task(title=COMPLEX))
    assert (task.instance, task.executor_preference) == ("web", "human")
    assert scene.world.why(task.id)[0].reason.endswith(
        "but no worker is running and auto_create is off"
    )
    assert web.complete(task.id).status == "done"


def test_a_full_worker_lets_it_wait_and_the_next_that_frees_up_takes_it(scene: Scene) -> None:
    web, *_ = scene.team("w0")
    scene.world.move_instance("w0", "pause")
    one = scene.worker("w1", max_concurrent_tasks=2)
    two = scene.worker("w2", max_concurrent_tasks=1)
    for worker, many in ((one, 2), (two, 1)):
        for _ in range(many):
            worker.add_task(title="x")
            worker.claim_next("bot")
    task = web.add_task(title=COMPLEX)
    waiting = web.get(task)
    assert (waiting.status, waiting.waiting) == ("pending", True)
    assert waiting.reason is not None
    assert waiting.reason.endswith("but w1 is at capacity: 2/2; w2 is at capacity: 1/1")
    two.complete(two.list()[0].id, executor="bot")
    assert scene.holder(task) == "w2"


def test_a_person_may_take_what_waits_and_give_it_up_again(scene: Scene) -> None:
    web, worker = scene.team("w1", max_concurrent_tasks=2)
    worker.configure({"max_concurrent_tasks": 1})
    busy = worker.claim(worker.add_task(title="x"))
    task = web.add_task(title=COMPLEX)
    assert web.claim(task, "me").status == "claimed"
    worker.complete(busy.id)
    assert scene.holder(task) == "web"
    web.release(task)
    assert scene.holder(task) == "w1"


def test_the_least_loaded_worker_gets_it(scene: Scene) -> None:
    web, one, two = scene.team("w1", "w2")
    for _ in range(4):
        web.add_task(title=COMPLEX)
    assert (one.load().open, two.load().open) == (2, 2)


def test_auto_delegate_off_keeps_everything(scene: Scene) -> None:
    web, _ = scene.team("w1", auto_delegate=False)
    for title in (COMPLEX, SIMPLE):
        task = web.add_task(title=title, needs_orchestration=True)
        assert scene.holder(task) == "web"


@pytest.mark.parametrize(("threshold", "holder"), [(1, "w1"), (99, "web")])
def test_the_threshold_decides(scene: Scene, threshold: int, holder: str) -> None:
    web, _ = scene.team("w1", orchestration_threshold=threshold)
    for title in (COMPLEX, SIMPLE):
        assert scene.holder(web.add_task(title=title)) == holder


def test_a_changed_threshold_holds_for_the_next_task(scene: Scene) -> None:
    web, _ = scene.team("w1")
    before = web.add_task(title=SIMPLE)
    web.configure({"orchestration_threshold": 1})
    assert scene.holder(before) == "web"
    assert scene.holder(web.add_task(title=SIMPLE)) == "w1"


def test_an_orchestration_routes_to_nobody(scene: Scene) -> None:
    _, worker = scene.team("w1")
    worker.configure({"auto_delegate": True})
    task = worker.add_task(title=COMPLEX, needs_orchestration=True, tags=("a", "b", "c"))
    scene.world.reconcile()
    assert (scene.chain(task), scene.holder(task)) == ([], "w1")


def test_a_global_with_one_project_and_nothing_else(scene: Scene) -> None:
    web = scene.project("web", child_instances={"auto_create": False})
    task = scene.top.add_task(title=COMPLEX)
    web.start(web.get_next().id)  # type: ignore[union-attr]
    scene.top.complete(task)
    assert (scene.status(task), scene.chain(task)) == (
        "done",
        ["global → web (route) [completed]"],
    )


def test_a_run_that_failed_is_tried_again_in_another(scene: Scene) -> None:
    web = scene.project("web")
    task = web.add_task(title="x", needs_orchestration=True)
    first = scene.leaf(task)
    scene.world.hopper(first.instance).fail(first.id, "crashed")
    web.release(task)
    assert scene.leaf(task).instance not in ("web", first.instance)


def test_a_run_is_made_by_the_template(scene: Scene) -> None:
    template = {"max_concurrent_tasks": 3, "name": "run {run_id} of {project_name}"}
    web = scene.project("web", child_instances={"template": template})
    web.add_task(title=COMPLEX)
    [run] = web.children
    assert run.settings.capacity == 3
    assert run.config["name"] == f"run {run.id[-6:]} of web"


def test_projects_are_made_by_the_template_of_the_global(scene: Scene) -> None:
    template = {"capabilities": ["python"], "child_instances": {"auto_create": False}}
    scene.top.configure({"child_instances": {"template": template}})
    task = scene.top.add_task(title=COMPLEX, project="new")
    made = scene.world.hopper("new")
    assert (made.settings.capabilities, made.settings.auto_create) == (("python",), False)
    assert scene.holder(task) == "new"

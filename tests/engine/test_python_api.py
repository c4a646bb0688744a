"""The addendum's snippets, as a program that imports `hopper` would run them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hopper import (
    Hopper,
    HopperConfig,
    HopperError,
    HopperEvent,
    HopperScope,
    InvalidTransition,
    NotAllowed,
    NotFound,
    Task,
    TaskFeedback,
)
from hopper_tui.engine import hopper as engine_hopper


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own for Hoppers made without a parent."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOPPER_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    yield home
    for world in list(engine_hopper._worlds.values()):
        world.close()
    engine_hopper._worlds.clear()


@dataclass
class Family:
    """The three scopes of the addendum."""

    top: Hopper
    project: Hopper
    run: Hopper


@pytest.fixture
def family() -> Family:
    """Made as the addendum makes them."""
    global_hopper = Hopper(
        scope=HopperScope.GLOBAL, instance_id="hopper-global", config=HopperConfig.for_global()
    )
    project_hopper = Hopper(
        scope=HopperScope.PROJECT,
        instance_id="hopper-czarina",
        parent=global_hopper,
        config=HopperConfig.for_project(),
    )
    orch_hopper = Hopper(
        scope=HopperScope.ORCHESTRATION,
        instance_id="hopper-czarina-run-xyz",
        parent=project_hopper,
        config=HopperConfig.for_orchestration(),
    )
    return Family(global_hopper, project_hopper, orch_hopper)


def test_three_scopes_have_what_they_were_made_with(family: Family) -> None:
    assert [h.scope for h in (family.top, family.project, family.run)] == [
        HopperScope.GLOBAL,
        HopperScope.PROJECT,
        HopperScope.ORCHESTRATION,
    ]
    assert family.top.instance_id == "hopper-global"
    assert family.project.parent is not None
    assert family.project.parent.id == "hopper-global"
    assert [child.id for child in family.project.children] == ["hopper-czarina-run-xyz"]
    assert family.run.config["intelligence"] == {"provider": "simple_priority"}
    assert family.top.config["persistence"]["retention"] == "forever"


def test_the_same_calls_at_every_scope(family: Family) -> None:
    for hopper in (family.top, family.project, family.run):
        task_id = hopper.add_task(Task(title="Fix typo in README", project="czarina"))
        assert isinstance(task_id, str)
        assert hopper.get(task_id).title == "Fix typo in README"
        hopper.claim(task_id, executor="james", role="human")
        hopper.complete(task_id, feedback=TaskFeedback(quality=5, was_good_match=True))
        assert hopper.get(task_id).status == "done"


def test_add_task_by_keywords_and_get_child(family: Family) -> None:
    task = family.top.add_task(title="Add feature X", project="czarina")
    project_hopper = family.top.get_child_hopper("czarina")
    assert project_hopper.id == "hopper-czarina"
    assert [t.parent_task for t in project_hopper.list()] == [task]
    made = family.top.get_child_hopper("symposium")
    assert (made.id, made.scope, made.status) == ("hopper-symposium", "project", "running")
    assert family.top.get_child_hopper("symposium").id == made.id


def test_projects_and_runs_are_made_when_needed(family: Family) -> None:
    family.top.add_task(Task(project="new-project"))
    project = Hopper.get_instance("hopper-new-project")
    project.add_task(Task(title="big", needs_orchestration=True))
    [run] = Hopper.list_instances(scope=HopperScope.ORCHESTRATION, parent=project.id)
    assert run.id.startswith("hopper-new-project-run-")


@dataclass
class Worker:
    """Somebody who executes tasks."""

    name: str

    def execute(self, task: Task) -> None:
        assert task.status == "pending"


def test_the_phase_loop_of_czarina(family: Family) -> None:
    run_hopper = Hopper(
        scope=HopperScope.ORCHESTRATION, instance_id="czarina-run-7", parent=family.project
    )
    for title in ("Design solution", "Implement code", "Write tests", "Document changes"):
        run_hopper.add_task(Task(title=title))
    executed: list[str] = []
    for phase in (1, 2):
        phase_hopper = run_hopper.get_child_hopper(f"phase-{phase}")
        assert phase_hopper.id == f"czarina-run-7-phase-{phase}"
        phase_hopper.add_task(title=f"phase {phase} task")
        while not phase_hopper.is_empty():
            for worker in (Worker("architect"), Worker("coder")):
                task = phase_hopper.get_next(executor=worker.name)
                if task:
                    worker.execute(task)
                    phase_hopper.complete(task.id)
                    executed.append(task.title)
    assert executed == ["phase 1 task", "phase 2 task"]
    summary = run_hopper.summary()
    assert (summary["pending"], summary["open"], summary["total"]) == (4, 4, 4)
    assert [child["done"] for child in summary["children"]] == [1, 1]


def test_a_run_alone_needs_no_parent_and_no_disk(own_home: Path) -> None:
    run_hopper = Hopper(scope=HopperScope.ORCHESTRATION)
    assert run_hopper.id.startswith("hopper-orchestration-")
    run_hopper.add_task(Task(title="a"))
    run_hopper.add_task(Task(title="b", priority="urgent"))  # type: ignore[arg-type]
    order = []
    while not run_hopper.is_empty():
        task = run_hopper.get_next(executor="coder")
        assert task is not None
        run_hopper.complete(task.id)
        order.append(task.title)
    assert (order, run_hopper.get_next(executor="coder")) == (["b", "a"], None)
    run_hopper.notify_parent(HopperEvent("progress", data={"percent": 50}))
    assert run_hopper.archive_and_delete()["done"] == 2
    assert not own_home.exists()


def test_three_workers_execute_each_task_once() -> None:
    run = Hopper(scope=HopperScope.ORCHESTRATION, config={"max_concurrent_tasks": 3})
    keys = {run.add_task(title=f"{n}") for n in range(12)}
    done: list[str] = []

    def work(name: str) -> None:
        while (task := run.claim_next(executor=name)) is not None:
            run.complete(task.id, executor=name)
            done.append(task.id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(keys)


def test_a_memory_run_of_a_project_leaves_no_file(family: Family, own_home: Path) -> None:
    family.run.add_task(title="x")
    assert [p.name for p in own_home.rglob("*.db")] == ["home.db", "tasks.db"] or {
        p.name for p in own_home.rglob("*.db")
    } == {"home.db", "tasks.db"}


def test_completion_is_noted_by_the_parent(family: Family) -> None:
    task = family.project.add_task(title="Implement OAuth")
    assert family.project.delegations[task]["child_instance"] == family.run.id
    child_task = family.project.delegations[task]["child_task_id"]
    with pytest.raises(InvalidTransition, match="not done"):
        family.project.notify_child_completion(family.run.id, child_task)
    family.run.complete(child_task)
    noted = family.project.notify_child_completion(
        child_instance=family.run.id, task_id=child_task, feedback=TaskFeedback(quality=4)
    )
    assert noted is not None
    assert (noted.id, noted.status) == (task, "done")
    assert noted.feedback is not None
    assert noted.feedback["quality"] == 4


def test_the_parent_hears_events(family: Family) -> None:
    family.run.notify_parent(HopperEvent("phase.done", data={"phase": 1}))
    [event] = family.project.store.events(kind="child.event")
    assert (event.key, event.note["kind"], event.note["data"]) == (
        family.run.id,
        "phase.done",
        {"phase": 1},
    )


def test_list_all_instances_has_the_shape_of_the_addendum(family: Family) -> None:
    family.project.add_task(title="Fix typo in README")
    family.run.get_child_hopper("phase-1")
    assert Hopper.list_all_instances() == [
        {
            "instance_id": "hopper-global",
            "scope": "global",
            "status": "running",
            "tasks": 0,
            "children": ["hopper-czarina"],
        },
        {
            "instance_id": "hopper-czarina",
            "scope": "project",
            "parent": "hopper-global",
            "status": "running",
            "tasks": 1,
            "children": ["hopper-czarina-run-xyz"],
        },
        {
            "instance_id": "hopper-czarina-run-xyz",
            "scope": "orchestration",
            "parent": "hopper-czarina",
            "status": "running",
            "tasks": 0,
            "children": ["hopper-czarina-run-xyz-phase-1"],
        },
        {
            "instance_id": "hopper-czarina-run-xyz-phase-1",
            "scope": "orchestration",
            "parent": "hopper-czarina-run-xyz",
            "status": "running",
            "tasks": 0,
            "children": [],
        },
    ]


def test_list_instances_combines_its_filters(family: Family) -> None:
    def found(**filters: str) -> list[str]:
        return [h.id for h in Hopper.list_instances(**filters)]

    assert found(scope="project") == ["hopper-czarina"]
    assert found(parent="hopper-czarina") == ["hopper-czarina-run-xyz"]
    assert found(scope="project", parent="hopper-czarina") == []
    with pytest.raises(HopperError):
        found(scope="nonsense")


def test_a_run_is_registered_and_removed(family: Family) -> None:
    alone = Hopper(scope=HopperScope.ORCHESTRATION, instance_id="loose-run")
    task = alone.add_task(title="x")
    family.project.register_child(alone)
    assert alone.id in [h.id for h in Hopper.list_instances(parent="hopper-czarina")]
    assert alone.get(task).title == "x"
    assert alone.parent is not None
    family.project.unregister_child(alone.id)
    assert alone.id not in [h.id for h in Hopper.list_instances()]
    again = Hopper(HopperScope.ORCHESTRATION, "loose-run", parent=family.project)
    assert again.list() == []
    assert [t.title for t in family.project.list()] == ["x"]


def test_a_project_is_registered_and_removed(family: Family) -> None:
    special = Hopper(scope=HopperScope.PROJECT, instance_id="special", parent=family.top)
    family.top.register_child(special)
    task = special.add_task(title="Fix typo")
    family.top.unregister_child("special")
    with pytest.raises(NotFound):
        Hopper.get_instance("special")
    fresh = Hopper(scope=HopperScope.PROJECT, instance_id="special", parent=family.top)
    assert fresh.list(closed=True) == []
    copies = [t for t in family.top.list() if t.parent_task == task]
    assert [t.title for t in copies] == ["Fix typo"]


def test_a_finished_run_is_archived_and_deleted(family: Family) -> None:
    phase = family.run.get_child_hopper("phase-1")
    open_task = phase.add_task(title="x")
    with pytest.raises(InvalidTransition, match="still has 1 open task"):
        family.run.archive_and_delete()
    phase.complete(open_task)
    family.run.complete(family.run.add_task(title="y"))
    summary = family.run.archive_and_delete()
    assert (summary["done"], summary["children"][0]["done"]) == (1, 1)
    assert family.project.archived_run(family.run.id) == summary
    assert Hopper.list_instances(scope="orchestration") == []
    with pytest.raises(NotAllowed, match="permanent"):
        family.project.archive_and_delete()


def test_archiving_can_be_left_out(family: Family) -> None:
    key = family.run.id
    family.run.archive_and_delete(archive=False)
    with pytest.raises(NotFound, match="keeps no summary"):
        family.project.archived_run(key)


def test_unknown_ids_raise(family: Family) -> None:
    for call in (family.run.complete, family.run.claim, family.run.get, Hopper.get_instance):
        with pytest.raises(NotFound):
            call("zzzzzzzz")


def test_everything_permanent_survives_a_restart(family: Family) -> None:
    task = family.top.add_task(title="Fix typo in README", project="czarina")
    engine_hopper._worlds.clear()
    again = Hopper.global_instance()
    assert (again.id, again.get(task).status) == ("hopper-global", "delegated")
    assert Hopper.get_instance("hopper-czarina").load().open == 1


def test_a_hopper_is_a_context_manager() -> None:
    with Hopper(scope="PROJECT", instance_id="hopper-x") as project:
        task = project.add_task(title="Fix typo")
    assert project.get(task).title == "Fix typo"
    assert Hopper.global_instance().id == "hopper-global"


def test_work_for_people(family: Family) -> None:
    new = family.project.assign_to_human(Task(title="Implement OAuth"))
    assert family.project.get(new).executor_preference == "human"
    named = family.project.assign_to_human(new, "james")
    assert [t.id for t in family.project.list("executor:james")] == [named]


def test_deciding_is_not_doing(family: Family) -> None:
    decision = family.top.intelligence.decide_routing(Task(title="x", project="czarina"))
    assert (decision.target, decision.strategy) == ("hopper-czarina", "explicit")
    assert family.top.list() == family.project.list() == []


def test_an_id_keeps_its_scope(family: Family) -> None:
    with pytest.raises(HopperError, match="is a project hopper, not a global one"):
        Hopper(scope=HopperScope.GLOBAL, instance_id="hopper-czarina")
    with pytest.raises(HopperError, match="is not an id"):
        Hopper(scope=HopperScope.PROJECT, instance_id="Not An Id")
    with pytest.raises(HopperError, match="already has a global"):
        Hopper(scope=HopperScope.GLOBAL, instance_id="second")

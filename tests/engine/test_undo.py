"""Undo and redo: one command at a time, in every store it touched."""

from __future__ import annotations

import pytest

from hopper_tui.engine.undo import last
from hopper_tui.model.errors import InvalidTransition, NotFound
from hopper_tui.model.task import Task

from .scene import COMPLEX, SIMPLE, Scene


def test_each_verb_is_taken_back(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE, tags=("a",))
    seen = [web.get(task)]
    for verb in (
        lambda: web.claim(task, "bot", role="human"),
        lambda: web.start(task, "bot", role="human"),
        lambda: web.block(task, "stuck"),
        lambda: web.release(task),
        lambda: web.update(task, title="new", add_tags=("b",), remove_tags=("a",)),
        lambda: web.complete(task, result=1),
        lambda: web.reopen(task),
        lambda: web.fail(task, "no"),
    ):
        verb()
        seen.append(web.get(task))
    for before in reversed(seen[:-1]):
        undone = scene.world.undo("web")
        assert undone.tasks == (task,)
        assert web.get(task) == before
    for after in seen[1:]:
        scene.world.redo("web")
        assert web.get(task) == after
    with pytest.raises(NotFound, match="nothing to redo"):
        scene.world.redo("web")


def test_an_add_that_was_delegated_is_taken_back_everywhere(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    assert scene.world.undo("global").summary == f'undone: add "{COMPLEX}"'
    hoppers = (scene.top, web, worker)
    assert [t.status for h in hoppers for t in h.list(closed=True)] == ["cancelled"] * 3
    assert [h.status for h in scene.world.chain(task)] == ["cancelled"] * 2
    assert scene.settled()
    assert scene.world.redo("global").summary == f'redone: add "{COMPLEX}"'
    assert scene.holder(task) == "w1"
    assert [h.status for h in scene.world.chain(task)] == ["accepted"] * 2
    scene.top.complete(task)
    assert scene.status(task) == "done"
    assert scene.settled()


def test_a_project_or_run_made_on_the_way_stays(scene: Scene) -> None:
    task = scene.top.add_task(title=COMPLEX, project="new")
    known = [node.instance for node in scene.world.nodes()]
    assert [i.scope for i in known] == ["global", "project", "orchestration"]
    scene.world.undo("global")
    assert scene.status(task) == "cancelled"
    assert [node.instance for node in scene.world.nodes()] == known
    scene.world.redo("global")
    assert scene.task(scene.leaf(task).id).instance == known[2].id


def test_not_once_somebody_has_started_the_work(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    worker.claim_next("bot")
    before = scene.leaf(task)
    with pytest.raises(InvalidTransition, match=r"was changed since by .* \(task.claimed\)"):
        scene.world.undo("global")
    assert (scene.leaf(task), scene.status(task)) == (before, "delegated")
    scene.world.undo("w1")
    assert scene.leaf(task).status == "pending"
    scene.world.undo("global")
    assert scene.status(task) == "cancelled"


def test_a_completion_that_bubbled_is_taken_back(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = worker.claim_next("bot")
    assert leaf is not None
    worker.complete(leaf.id, executor="bot")
    scene.world.undo("w1")
    assert [h.status for h in scene.world.chain(task)] == ["accepted"] * 2
    # the lease was over with the work
    held = leaf._replace(lease_expires_at=None)
    assert (scene.status(task), scene.task(leaf.id)) == ("delegated", held)
    assert scene.settled()
    scene.world.redo("w1")
    assert scene.status(task) == "done"


def test_a_rejection_and_its_fallback_are_taken_back(scene: Scene) -> None:
    scene.project("web", child_instances={"auto_create": False})
    for name in ("w1", "w2"):
        scene.worker(name, auto_accept=False)
    task = scene.top.add_task(title=COMPLEX)
    scene.top.reject(scene.world.chain(task)[1].id, "no")
    assert scene.chain(task)[2:] == ["web → w2 (route) [pending]"]
    scene.world.undo("w1")
    assert [h.status for h in scene.world.chain(task)] == ["accepted", "pending", "cancelled"]


def test_what_was_accepted_undone_and_accepted_again(scene: Scene) -> None:
    scene.project("web", child_instances={"auto_create": False})
    worker = scene.worker("w1", auto_accept=False)
    task = scene.top.add_task(title=COMPLEX)
    hop = scene.world.chain(task)[1].id
    scene.top.accept(hop)
    scene.world.undo("w1")
    assert scene.chain(task)[1:] == ["web → w1 (route) [pending]"]
    assert worker.list() == []
    scene.top.accept(hop)
    assert scene.titles(worker) == [COMPLEX]
    scene.top.complete(task)
    assert scene.status(task) == "done"
    assert scene.settled()


def test_rejecting_after_an_undone_rejection(scene: Scene) -> None:
    scene.project("web", child_instances={"auto_create": False})
    for name in ("w1", "w2"):
        scene.worker(name, auto_accept=False)
    task = scene.top.add_task(title=COMPLEX)
    hop = scene.world.chain(task)[1].id
    scene.top.reject(hop, "no")
    scene.world.undo("w1")
    scene.top.reject(hop, "still no")
    assert [h.status for h in scene.world.chain(task)][1:] == ["rejected", "cancelled", "pending"]
    assert scene.world.chain(task)[3].target == "w2"


def test_many_changes_of_one_command_are_one_step(scene: Scene) -> None:
    web, _ = scene.team("w1")
    keys = [web.add_task(title=f"{n}") for n in range(3)]
    with scene.world.command("done 3"):
        for key in keys:
            web.complete(key)
    assert set(scene.world.undo("web").tasks) == set(keys)
    assert [t.status for t in web.list()] == ["pending"] * 3


def test_a_new_command_ends_redo(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE)
    web.claim(task, "bot", role="human")
    scene.world.undo("web")
    web.note(task, "a note changes nothing")
    scene.world.redo("web")
    scene.world.undo("web")
    web.update(task, title="new")
    with pytest.raises(NotFound, match="nothing to redo"):
        scene.world.redo("web")


def test_nothing_to_undo(scene: Scene) -> None:
    with pytest.raises(NotFound, match="nothing to undo"):
        scene.world.undo("global")


def test_what_came_before_a_step_of_the_hopper_is_not_undone_by_mistake(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE)
    scene.world.move_instance("web", "pause")
    with pytest.raises(InvalidTransition, match="made web paused; that is not undone"):
        scene.world.undo("web")
    assert web.get(task).status == "pending"
    web.update(task, title="new")
    assert scene.world.undo("web").summary == f'undone: change "{SIMPLE}"'


def test_what_another_hopper_in_the_store_went_through_is_no_hindrance(scene: Scene) -> None:
    web, _ = scene.team("w1")
    web.add_task(title=SIMPLE)
    scene.world.move_instance("w1", "pause")
    assert scene.world.undo("web").summary == f'undone: add "{SIMPLE}"'


def test_only_the_command_that_was_looked_at_is_undone(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE)
    seen = last(scene.world, "web")
    assert (seen.summary, seen.actor) == (f'add "{SIMPLE}"', "me")
    web.update(task, title="new")
    with pytest.raises(InvalidTransition, match="something else was done here since"):
        scene.world.undo("web", seen.group)
    scene.world.undo("web", last(scene.world, "web").group)
    assert web.get(task).title == SIMPLE


def test_undo_appends_and_forgets_nothing(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE)
    scene.world.undo("web")
    kinds = [e.kind for e in reversed(scene.world.log(task))]
    assert kinds[0] == "task.created"
    assert kinds[-1] == "task.undo"
    assert scene.world.log(task)[0].actor == "me"


def test_one_command_on_thousands_of_tasks_hides_none_before_it(scene: Scene) -> None:
    web, _ = scene.team("w1")
    first = web.add_task(title=SIMPLE)
    tasks = web.add_tasks([Task(title=f"task {n}") for n in range(1100)])
    web.note(first, "here")
    web.update(first, title="renamed")
    with scene.world.command("retag"):
        for task in tasks:
            web.update(task, add_tags=("a",))
            web.update(task, add_tags=("b",))
    assert scene.world.undo("web").summary == "undone: change 1100 tasks"
    assert web.get(tasks[-1]).tags == ()
    assert scene.world.redo("web").summary == "redone: change 1100 tasks"
    assert web.get(tasks[-1]).tags == ("a", "b")
    scene.world.undo("web")
    assert scene.world.undo("web").summary == f'undone: change "{SIMPLE}"'
    assert web.get(first).title == SIMPLE

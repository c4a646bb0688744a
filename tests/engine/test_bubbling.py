"""Completion bubbles up; failure, reopening and cancelling travel the same way."""

from __future__ import annotations

import pytest

from hopper_tui.model.errors import InvalidTransition, NotAllowed
from hopper_tui.model.feedback import TaskFeedback

from .scene import COMPLEX, SIMPLE, Scene


def test_completing_at_the_worker_completes_every_level(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    scene.clock.tick(10)
    worker.complete(worker.claim_next("bot").id, result={"pr": 7}, executor="bot")  # type: ignore[union-attr]
    assert scene.chain(task) == [
        "global → web (route) [completed]",
        "web → w1 (route) [completed]",
    ]
    hops = scene.world.chain(task)
    assert all(h.completed_at and h.completed_at > h.delegated_at for h in hops)
    assert [h.result for h in hops] == [{"pr": 7}] * 2
    assert [t.status for h in (scene.top, web, worker) for t in h.list(closed=True)] == ["done"] * 3
    assert scene.task(task).result == {"pr": 7}
    assert scene.settled()


def test_completing_by_the_id_of_the_root(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    assert scene.top.set_status(task, "completed").status == "done"
    assert [h.status for h in scene.world.chain(task)] == ["completed"] * 2


def test_completing_twice_changes_no_time(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    scene.top.complete(task)
    before = [scene.task(task), scene.task(leaf), scene.world.chain(task)]
    scene.clock.tick(99)
    scene.top.complete(task)
    scene.top.complete(leaf, TaskFeedback(quality=1))
    assert [scene.task(task), scene.task(leaf), scene.world.chain(task)] == before


def test_a_pending_hop_holds_completion_up(scene: Scene) -> None:
    scene.team("w0")
    scene.world.move_instance("w0", "stop")
    scene.worker("w1", auto_accept=False)
    task = scene.top.add_task(title=COMPLEX)
    assert scene.chain(task)[1:] == ["web → w1 (route) [pending]"]
    with pytest.raises(InvalidTransition, match="the hop web → w1 is not accepted yet"):
        scene.top.complete(task)
    assert scene.world.diagnose(task) == ["web → w1 is not accepted yet; it blocks completion"]
    scene.top.accept(scene.world.chain(task)[1].id)
    assert scene.top.complete(task).status == "done"


def test_an_old_rejected_hop_stays_rejected(scene: Scene) -> None:
    web, _one, _two = scene.team("w1", "w2")
    task = web.add_task(title="x")
    scene.world.move_instance("w1", "pause")
    hop = web.delegate(task, "w1")
    assert (hop.status, hop.reason) == ("rejected", "w1 is paused")
    web.delegate(task, "w2")
    web.complete(task)
    assert scene.chain(task) == ["web → w1 (route) [rejected]", "web → w2 (route) [completed]"]


def test_a_failed_child_blocks_its_parent_with_the_reason(scene: Scene) -> None:
    _web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    worker.fail(scene.leaf(task).id, "no network")
    middle = scene.world.chain(task)[1].task
    assert (scene.status(middle), scene.task(middle).reason) == (
        "blocked",
        "failed: no network",
    )
    assert scene.status(task) == "delegated"
    assert [h.status for h in scene.world.chain(task)] == ["accepted", "failed"]
    said = scene.world.diagnose(task)
    assert "web → w1: failed: no network" in said
    assert "at web it is blocked: failed: no network" in said
    assert scene.settled()


@pytest.mark.parametrize("by", ["finishing it", "reopening it first"])
def test_a_failed_child_recovers_its_chain(scene: Scene, by: str) -> None:
    _web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    why = scene.world.chain(task)[1].reason
    worker.fail(leaf, "no network")
    worker.reopen(leaf)
    middle = scene.world.chain(task)[1].task
    assert scene.status(middle) == "delegated"
    assert [(h.status, h.completed_at) for h in scene.world.chain(task)] == [("accepted", None)] * 2
    assert scene.world.chain(task)[1].reason == why
    if by == "finishing it":
        worker.complete(leaf)
    else:
        scene.top.complete(task)
    assert scene.status(task) == "done"
    assert [h.status for h in scene.world.chain(task)] == ["completed"] * 2
    assert scene.settled()


def test_releasing_a_blocked_parent_tries_again(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    worker.fail(scene.leaf(task).id, "no network")
    middle = scene.world.chain(task)[1].task
    web.release(middle)
    assert [h.status for h in scene.world.chain(task)] == ["accepted", "failed", "accepted"]
    assert scene.leaf(task).status == "pending"
    scene.top.complete(task)
    assert [h.status for h in scene.world.chain(task)] == ["completed", "failed", "completed"]


def test_a_person_may_finish_what_a_worker_failed(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    worker.fail(scene.leaf(task).id, "no network")
    web.complete(scene.world.chain(task)[1].task)
    assert scene.status(task) == "done"
    assert [h.status for h in scene.world.chain(task)] == ["completed", "failed"]


def test_reopening_reaches_the_work_and_everything_above(scene: Scene) -> None:
    _, _worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    scene.top.complete(task)
    assert scene.top.reopen(task).status == "delegated"
    assert scene.task(leaf).status == "pending"
    assert [h.status for h in scene.world.chain(task)] == ["accepted", "accepted"]
    scene.top.complete(task)
    assert scene.status(task) == "done"
    assert scene.settled()


def test_reopening_what_several_did_asks_which(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title="x")
    hop = web.delegate(task, "w1", "decompose", ["a", "b"])
    for child in hop.child_tasks:
        worker.complete(child)
    with pytest.raises(InvalidTransition, match=r"2 subtasks at w1 did it: .* a, .* b"):
        web.reopen(task)
    worker.reopen(hop.child_tasks[1])
    assert scene.status(task) == "delegated"


def test_what_was_given_to_another_is_not_reopened(scene: Scene) -> None:
    web, one, _ = scene.team("w1", "w2")
    task = web.add_task(title=COMPLEX)
    stopped = scene.leaf(task).id
    scene.world.move_instance("w1", "stop")
    assert scene.holder(task) == "w2"
    with pytest.raises(InvalidTransition, match=r"web took .* back"):
        one.reopen(stopped)
    failed = scene.leaf(task).id
    scene.world.hopper("w2").fail(failed, "no")
    scene.world.move_instance("w1", "start")
    web.release(task)
    with pytest.raises(InvalidTransition, match=r"web took .* back"):
        one.reopen(failed)
    assert [h.status for h in scene.world.chain(task)] == ["cancelled", "failed", "accepted"]


@pytest.mark.parametrize("verb", ["claim", "cancel"])
def test_what_its_parent_does_otherwise_is_not_reopened(scene: Scene, verb: str) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    worker.fail(leaf, "no")
    getattr(web, verb)(task)
    with pytest.raises(InvalidTransition, match=r"web took .* back"):
        worker.reopen(leaf)


def test_work_of_a_terminated_worker_is_reopened_at_its_source(scene: Scene) -> None:
    web, worker, _ = scene.team("w1", "w2")
    task = web.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    worker.complete(leaf)
    scene.world.move_instance("w1", "terminate")
    with pytest.raises(NotAllowed, match="w1 is terminated"):
        worker.reopen(leaf)
    web.reopen(task)
    assert scene.holder(task) == "w2"


def test_cancelling_flows_down(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    worker.claim_next("bot")
    scene.top.cancel(task, "not needed")
    hoppers = (scene.top, web, worker)
    assert [t.status for h in hoppers for t in h.list(closed=True)] == ["cancelled"] * 3
    assert [h.status for h in scene.world.chain(task)] == ["cancelled"] * 2
    assert worker.load().active == 0
    assert scene.settled()


def test_cancelling_the_work_blocks_what_waits_for_it(scene: Scene) -> None:
    _web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    worker.cancel(scene.leaf(task).id, "too dear")
    middle = scene.task(scene.world.chain(task)[1].task)
    assert (middle.status, middle.reason) == ("blocked", "cancelled: too dear")


def test_a_cancelled_task_reopened_is_routed_anew(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    scene.top.cancel(task)
    scene.top.reopen(task)
    assert [h.status for h in scene.world.chain(task)] == ["cancelled"] * 2 + ["accepted"] * 2


def test_blocking_is_local(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    scene.top.block(task, "waiting for legal")
    leaf = scene.leaf(task)
    assert (leaf.status, leaf.reason, scene.status(task)) == (
        "blocked",
        "waiting for legal",
        "delegated",
    )
    assert "at w1 it is blocked: waiting for legal" in scene.world.diagnose(task)
    assert worker.start(leaf.id).reason is None


def test_without_upward_notice_the_parent_closes_by_hand(scene: Scene) -> None:
    scene.team("w0")
    scene.world.move_instance("w0", "stop")
    worker = scene.worker("w1", integrations={"parent_hopper": False})
    task = scene.top.add_task(title=COMPLEX)
    worker.complete(scene.leaf(task).id)
    assert [h.status for h in scene.world.chain(task)] == ["accepted", "completed"]
    assert scene.status(task) == "delegated"
    assert any("does not report to web" in said for said in scene.world.diagnose(task))
    scene.top.complete(task)
    assert scene.status(task) == "done"


def test_results_too_long_for_a_record_stay_where_they_are(scene: Scene) -> None:
    """What is above is done all the same, and says where to look."""
    web, worker = scene.team()
    key = web.add_task(title=SIMPLE)
    hop = web.delegate(key, worker.id, type="decompose", subtasks=["one", "two", "three"])
    for child, result in zip(hop.child_tasks, ("short", "x" * 40_000, "y" * 40_000), strict=True):
        worker.complete(child, result=result)
    assert scene.status(key) == "done"
    short, first, second = scene.task(key).result
    assert (short, len(first)) == ("short", 40_000)
    assert hop.child_tasks[2] in second

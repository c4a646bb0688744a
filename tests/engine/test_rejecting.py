"""Rejection, the next candidate, and waiting when nobody is left."""

from __future__ import annotations

import pytest

from hopper_tui.model.errors import AtCapacity, Invalid, InvalidTransition, NotAllowed

from .scene import COMPLEX, Scene


def _asked(scene: Scene, *names: str) -> None:
    """Workers that wait for somebody to accept, below `web`."""
    scene.project(child_instances={"auto_create": False})
    for name in names:
        scene.worker(name, auto_accept=False)


def test_reject_then_the_next_then_nobody(scene: Scene) -> None:
    _asked(scene, "w1", "w2")
    task = scene.top.add_task(title=COMPLEX)
    first = scene.world.chain(task)[1]
    assert (first.target, first.status) == ("w1", "pending")
    assert scene.leaf(task).instance == "web"
    scene.top.reject(first.id, "wrong skills")
    second = scene.world.chain(task)[2]
    assert (second.target, second.status) == ("w2", "pending")
    scene.top.reject(second.id, "holiday")
    assert scene.chain(task) == [
        "global → web (route) [accepted]",
        "web → w1 (route) [rejected]",
        "web → w2 (route) [rejected]",
    ]
    assert [h.reason for h in scene.world.chain(task)[1:]] == ["wrong skills", "holiday"]
    waiting = scene.leaf(task)
    assert (waiting.instance, waiting.status) == ("web", "pending")
    assert waiting.reason is not None
    assert waiting.reason.endswith("but w1 refused it: wrong skills; w2 refused it: holiday")
    assert [d.target for d in scene.world.why(task)][-1] is None
    said = scene.world.diagnose(task)
    assert "w1 rejected it: wrong skills" in said
    assert f"it waits at web: {waiting.reason}" in said
    scene.worker("w3")
    assert scene.holder(task) == "w3"
    assert scene.settled()


def test_projects_refuse_too(scene: Scene) -> None:
    scene.project("api", auto_accept=False, capabilities=["python"])
    scene.project("web", capabilities=["python"])
    task = scene.top.add_task(title="x", tags=("python",), required_capabilities=("python",))
    [hop] = scene.world.chain(task)
    assert (hop.target, hop.status) == ("api", "pending")
    scene.world.reconcile()
    assert scene.chain(task) == ["global → api (route) [pending]"]
    scene.top.reject(hop.id, "no time")
    assert scene.holder(task) == "web"


def test_a_named_project_that_refuses_is_not_replaced(scene: Scene) -> None:
    scene.project("api", auto_accept=False)
    scene.project("web")
    task = scene.top.add_task(title="x", project="api")
    scene.top.reject(scene.world.chain(task)[0].id, "no time")
    held = scene.task(task)
    assert (held.status, held.reason) == (
        "pending",
        "it is for api, but api refused it: no time",
    )
    assert scene.world.diagnose(task) == [
        "it waits at global: it is for api, but api refused it: no time",
        "api rejected it: no time",
    ]


def test_rejecting_needs_a_reason_and_a_pending_hop(scene: Scene) -> None:
    _asked(scene, "w1")
    task = scene.top.add_task(title=COMPLEX)
    into_project, hop = scene.world.chain(task)
    with pytest.raises(Invalid, match="needs a reason"):
        scene.top.reject(hop.id, " ")
    with pytest.raises(InvalidTransition, match="has accepted it already"):
        scene.top.reject(into_project.id, "late")
    assert scene.top.accept(hop.id).status == "accepted"
    with pytest.raises(InvalidTransition):
        scene.top.accept(hop.id)
    assert scene.holder(task) == "w1"


@pytest.mark.parametrize("verb", ["pause", "stop", "terminate", "fail"])
def test_a_hopper_at_rest_rejects_and_names_its_state(scene: Scene, verb: str) -> None:
    web, *_ = scene.team("w1", "w2")
    scene.world.move_instance("w1", verb)
    task = web.add_task(title="x")
    hop = web.delegate(task, "w1")
    state = {"pause": "paused", "stop": "stopped", "terminate": "terminated", "fail": "error"}
    assert (hop.status, hop.reason) == ("rejected", f"w1 is {state[verb]}")


def test_a_full_hopper_rejects_and_names_the_numbers(scene: Scene) -> None:
    web = scene.project(child_instances={"auto_create": False})
    worker = scene.worker(max_concurrent_tasks=2)
    for _ in range(2):
        worker.add_task(title="x")
        worker.claim_next("bot")
    hop = web.delegate(web.add_task(title="y"), "w1")
    assert (hop.status, hop.reason) == ("rejected", "w1 is at capacity: 2/2")


def test_a_missing_capability_is_named(scene: Scene) -> None:
    web = scene.project(child_instances={"auto_create": False})
    scene.worker(capabilities=["Python"])
    task = web.add_task(title="x", required_capabilities=("python", "gpu"))
    hop = web.delegate(task, "w1")
    assert (hop.status, hop.reason) == ("rejected", "w1 lacks capability gpu")


def test_accepting_what_one_cannot_take(scene: Scene) -> None:
    scene.project(child_instances={"auto_create": False})
    worker = scene.worker(auto_accept=False, max_concurrent_tasks=1)
    task = scene.top.add_task(title=COMPLEX)
    hop = scene.world.chain(task)[1].id
    worker.add_task(title="x")
    own = worker.claim_next("bot")
    with pytest.raises(AtCapacity, match="w1 is at capacity: 1/1"):
        scene.top.accept(hop)
    assert own is not None
    worker.complete(own.id, executor="bot")
    scene.world.move_instance("w1", "pause")
    with pytest.raises(NotAllowed, match="w1 is paused"):
        scene.top.accept(hop)
    scene.world.move_instance("w1", "resume")
    assert scene.top.accept(hop).status == "accepted"


def test_rejections_are_listed(scene: Scene) -> None:
    _asked(scene, "w1")
    task = scene.top.add_task(title=COMPLEX)
    scene.clock.tick(30)
    scene.top.reject(scene.world.chain(task)[1].id, "no")
    [rejected] = scene.world.delegations(status="rejected")
    assert (rejected.target, rejected.reason) == ("w1", "no")
    assert rejected.completed_at is not None
    assert rejected.completed_at > rejected.delegated_at
    assert scene.world.delegations(status="rejected", instance="w1") == [rejected]
    assert scene.world.delegations(instance="global")[0].target == "web"


def test_a_withdrawn_offer_leaves_nothing_at_the_target(scene: Scene) -> None:
    _asked(scene, "w1")
    task = scene.top.add_task(title=COMPLEX)
    scene.top.cancel(task)
    assert scene.world.hopper("w1").list(closed=True) == []
    assert [h.status for h in scene.world.chain(task)] == ["cancelled"] * 2
    assert scene.settled()

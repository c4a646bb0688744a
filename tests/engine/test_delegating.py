"""The four types of delegation, and what each refuses."""

from __future__ import annotations

import pytest

from hopper_tui.model.errors import Invalid, InvalidTransition, NotAllowed, NotFound

from .scene import COMPLEX, SIMPLE, Scene


def test_route_goes_to_a_child(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title=SIMPLE)
    hop = web.delegate(task, "w1", notes="please")
    assert (hop.status, hop.notes, hop.type) == ("accepted", "please", "route")
    assert (scene.status(task), scene.holder(task)) == ("delegated", "w1")
    assert scene.leaf(task).parent_task == task


@pytest.mark.parametrize(
    ("source", "target", "type_", "message"),
    [
        ("web", "web", "route", "web cannot delegate to itself"),
        ("web", "api", "route", "api is not below web: route goes to a child"),
        ("web", "global", "route", "global is not below web"),
        ("web", "a1", "route", "a1 is not below web"),
        ("global", "w1", "route", "w1 is not below global"),
        ("w1", "w2", "route", "w2 is not below w1"),
        ("w1", "a1", "reassign", "a1 is not a sibling of w1"),
        ("w1", "web", "reassign", "web is not a sibling of w1"),
        ("w1", "w1", "reassign", "w1 cannot delegate to itself"),
        ("w1", "api", "escalate", "escalate goes to the parent, web"),
        ("global", None, "escalate", "global has no parent to escalate to"),
    ],
)
def test_a_target_the_type_does_not_lead_to_is_refused(
    scene: Scene, source: str, target: str | None, type_: str, message: str
) -> None:
    scene.team("w1", "w2")
    scene.project("api")
    scene.worker("a1", "api")
    hopper = scene.world.hopper(source)
    task = hopper.add_task(title=SIMPLE, project="nobody" if source == "global" else None)
    if source == "global":
        hopper.cancel_delegation(hopper.world.chain(task)[0].id)
    before = scene.chain(task)
    with pytest.raises(NotAllowed, match=message):
        hopper.delegate(task, target, type_)
    assert scene.chain(task) == before


def test_types_that_lack_something(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task, at_worker = web.add_task(title=SIMPLE), worker.add_task(title="x")
    with pytest.raises(Invalid, match="at least one subtask"):
        web.delegate(task, "w1", "decompose")
    with pytest.raises(Invalid, match="route takes no subtasks"):
        web.delegate(task, "w1", "route", ["a"])
    with pytest.raises(Invalid, match="needs a title"):
        web.delegate(task, "w1", "decompose", ["a", " "])
    with pytest.raises(Invalid, match="reassign needs a target"):
        worker.delegate(at_worker, None, "reassign")
    with pytest.raises(Invalid, match="unknown delegation type 'push'"):
        web.delegate(task, "w1", "push")
    with pytest.raises(NotFound, match="no hopper 'w9'"):
        web.delegate(task, "w9")
    with pytest.raises(NotAllowed, match="nobody fits: kept for human"):
        web.delegate(task)


def test_a_delegated_or_finished_task_is_not_delegated(scene: Scene) -> None:
    web, *_ = scene.team("w1", "w2")
    task = web.add_task(title=COMPLEX)
    with pytest.raises(InvalidTransition, match=r"already delegated to w1 \(accepted\)"):
        web.delegate(task, "w2")
    web.complete(task)
    with pytest.raises(InvalidTransition, match="is done"):
        web.delegate(task, "w2")
    assert scene.chain(task) == ["web → w1 (route) [completed]"]


def test_a_pending_hop_is_the_only_one(scene: Scene) -> None:
    web, *_ = scene.team("w1")
    scene.worker("slow", auto_accept=False)
    task = web.add_task(title=SIMPLE)
    web.delegate(task, "slow")
    with pytest.raises(InvalidTransition, match=r"already delegated to slow \(pending\)"):
        web.delegate(task, "w1")


def test_decompose_is_done_after_the_last_subtask(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title="Checkout", description="all of it", tags=("shop",))
    hop = web.delegate(task, "w1", "decompose", ["Cart", "Payment", "Mail"])
    subtasks = [scene.task(key) for key in hop.child_tasks]
    assert [(t.title, t.description, t.tags) for t in subtasks] == [
        (title, "", ("shop",)) for title in ("Cart", "Payment", "Mail")
    ]
    assert {t.parent_task for t in subtasks} == {task}
    with pytest.raises(InvalidTransition, match=r"3 subtasks at w1 are open: .* Cart, .* Payment"):
        web.complete(task)
    for key in hop.child_tasks[:2]:
        worker.complete(key, result=key)
        assert scene.status(task) == "delegated"
    web.complete(task)
    assert (scene.status(task), scene.chain(task)) == (
        "done",
        ["web → w1 (decompose) [completed]"],
    )
    assert scene.task(task).result == [*hop.child_tasks[:2], None]


def test_decompose_at_a_project_is_routed_piece_by_piece(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title="Launch", project="nobody")
    scene.top.cancel_delegation(scene.world.chain(task)[0].id)
    hop = scene.top.delegate(task, "web", "decompose", [COMPLEX, SIMPLE])
    assert [scene.holder(key) for key in hop.child_tasks] == ["w1", "web"]
    for key in hop.child_tasks:
        scene.top.complete(key)
    assert scene.status(task) == "done"


def test_one_failed_subtask_blocks_the_parent(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title="Checkout")
    a, b, c = web.delegate(task, "w1", "decompose", ["a", "b", "c"]).child_tasks
    worker.complete(a)
    worker.fail(b, "no bank")
    parent = scene.task(task)
    assert (parent.status, parent.reason) == (
        "blocked",
        "1 of 3 subtasks lost; 'b' failed: no bank",
    )
    worker.complete(c)
    assert (scene.status(task), scene.chain(task)) == ("blocked", ["web → w1 (decompose) [failed]"])
    worker.reopen(b)
    assert scene.status(task) == "delegated"
    worker.complete(b)
    assert scene.status(task) == "done"


@pytest.mark.parametrize("verb", ["cancel", "release", "delegate"])
def test_giving_up_a_blocked_parent_gives_up_the_other_subtasks(scene: Scene, verb: str) -> None:
    web, one, _two = scene.team("w1", "w2")
    task = web.add_task(title=COMPLEX, executor_preference="human")
    a, b = web.delegate(task, "w1", "decompose", ["a", "b"]).child_tasks
    one.fail(a, "no bank")
    assert (scene.status(task), scene.status(b)) == ("blocked", "pending")
    if verb == "cancel":
        web.cancel(task)
    elif verb == "delegate":
        web.delegate(task, "w2")
    else:
        web.update(task, executor_preference="orchestration")
        web.release(task)
    assert (scene.status(a), scene.status(b)) == ("failed", "cancelled")
    assert scene.chain(task)[0] == "web → w1 (decompose) [cancelled]"
    assert "no bank" in (scene.world.chain(task)[0].reason or "")
    assert scene.settled()


def test_escalate_keeps_the_task_at_the_project_for_a_person(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX, executor_preference="orchestration")
    leaf = scene.leaf(task).id
    hop = worker.delegate(leaf, type="escalate", notes="too complex")
    assert (hop.target, hop.status) == ("web", "accepted")
    kept = scene.leaf(task)
    assert (kept.instance, kept.status, kept.executor_preference, kept.reason) == (
        "web",
        "pending",
        "human",
        "escalated by w1: too complex",
    )
    assert web.get_next().id == kept.id  # type: ignore[union-attr]
    assert scene.chain(task)[2:] == ["w1 → web (escalate) [accepted]"]
    web.complete(kept.id)
    assert [h.status for h in scene.world.chain(task)] == ["completed"] * 3
    assert scene.status(task) == "done"


def test_what_was_escalated_is_not_given_back_in_a_circle(scene: Scene) -> None:
    web, _one, _ = scene.team("w1", "w2")
    task = web.add_task(title=COMPLEX)
    first = scene.leaf(task).instance
    scene.world.hopper(first).delegate(scene.leaf(task).id, type="escalate")
    kept = scene.leaf(task).id
    with pytest.raises(NotAllowed, match="would go in a circle"):
        web.delegate(kept, first)
    other = "w2" if first == "w1" else "w1"
    assert web.delegate(kept, other).status == "accepted"
    scene.top.complete(task)
    assert scene.status(task) == "done"


def test_escalate_to_the_global_goes_to_another_project(scene: Scene) -> None:
    web, _ = scene.team("w1")
    api = scene.project("api")
    scene.project("late")
    scene.world.move_instance("late", "pause")
    task = web.add_task(title=SIMPLE)
    web.delegate(task, type="escalate", notes="not ours")
    assert scene.holder(task) == "api"
    api.delegate(scene.leaf(task).id, type="escalate", notes="not ours either")
    assert scene.holder(task) == "global"
    reason = scene.leaf(task).reason
    assert reason is not None
    assert "api refused it: it escalated it" in reason
    assert "web refused it: it escalated it" in reason
    scene.world.move_instance("late", "resume")
    assert scene.holder(task) == "late"
    scene.top.complete(task)
    assert scene.status(task) == "done"
    assert scene.settled()


def test_reassign_moves_to_a_sibling(scene: Scene) -> None:
    web, one, two = scene.team("w1", "w2")
    task = web.add_task(title="x")
    web.delegate(task, "w1")
    one.delegate(scene.leaf(task).id, "w2", "reassign")
    assert scene.holder(task) == "w2"
    two.complete(scene.leaf(task).id)
    assert scene.chain(task) == [
        "web → w1 (route) [completed]",
        "w1 → w2 (reassign) [completed]",
    ]
    assert scene.status(task) == "done"


def test_projects_are_siblings_too(scene: Scene) -> None:
    web, _ = scene.team("w1")
    scene.project("api")
    task = web.add_task(title=SIMPLE)
    web.delegate(task, "api", "reassign")
    assert scene.holder(task) == "api"


def test_a_refused_reassign_leaves_the_task_where_it_was(scene: Scene) -> None:
    _, one, _ = scene.team("w1", "w2")
    task = one.add_task(title="x")
    scene.world.move_instance("w2", "pause")
    assert one.delegate(task, "w2", "reassign").reason == "w2 is paused"
    back = scene.task(task)
    assert (back.status, back.waiting, back.reason) == (
        "pending",
        False,
        "w2 rejected it: w2 is paused",
    )
    assert one.claim(task).status == "claimed"


def test_a_run_hands_tasks_to_its_own_phases(scene: Scene) -> None:
    _, run = scene.team("w1")
    phase = run.get_child_hopper("phase-1")
    task = run.add_task(title="x")
    run.delegate(task, phase.id)
    assert scene.holder(task) == phase.name
    phase.complete(scene.leaf(task).id)
    assert scene.status(task) == "done"
    assert scene.settled()


def test_cancelling_a_run_s_task_reaches_its_phase(scene: Scene) -> None:
    _, run = scene.team("w1")
    phase = run.get_child_hopper("phase-1")
    task = run.add_task(title="x")
    run.delegate(task, phase.id, "decompose", ["a", "b"])
    run.cancel(task)
    assert [t.status for t in phase.list(closed=True)] == ["cancelled"] * 2
    assert scene.settled()


def test_a_hop_is_taken_back_until_somebody_works(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title=COMPLEX)
    hop = scene.world.chain(task)[0].id
    worker.claim_next("bot")
    with pytest.raises(InvalidTransition, match="bot works on it at w1"):
        web.cancel_delegation(hop)
    worker.release(scene.leaf(task).id)
    assert web.cancel_delegation(hop).status == "cancelled"
    back = scene.task(task)
    assert (back.status, back.reason, back.waiting) == ("pending", "taken back", False)
    assert [t.status for t in worker.list(closed=True)] == ["cancelled"]
    assert scene.settled()


def test_a_hop_is_completed_with_a_result(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    last = scene.world.chain(task)[-1].id
    assert scene.top.complete_delegation(last, {"output": "fine"}).result == {"output": "fine"}
    assert (scene.status(task), scene.task(task).result) == ("done", {"output": "fine"})
    assert scene.top.complete_delegation(last).status == "completed"


def test_a_hop_is_found_by_a_prefix_of_its_id(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    hop = scene.world.chain(task)[1]
    where, found = scene.world.find_delegation(hop.id[:8])
    assert (where.id, found.id) == ("w1", hop.id)
    with pytest.raises(NotFound, match="no delegation"):
        scene.world.find_delegation("zzzzzzzz")

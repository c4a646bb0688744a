"""Starting, stopping and the rest: every state with every verb, and what becomes of the tasks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hopper_tui.model.errors import HopperError, InvalidTransition, NotAllowed
from hopper_tui.model.lifecycle import InstanceStatus

from .scene import COMPLEX, SIMPLE, Scene

ROADS: dict[str, tuple[str, ...]] = {
    "created": (),
    "running": ("start",),
    "paused": ("start", "pause"),
    "stopped": ("start", "stop"),
    "error": ("start", "fail"),
    "terminated": ("terminate",),
}
"""How to get into each state in which an instance can rest."""

ENDS: dict[str, dict[str, str]] = {
    "created": {"start": "running", "fail": "error", "terminate": "terminated"},
    "running": {
        "stop": "stopped", "pause": "paused", "fail": "error", "terminate": "terminated",
    },
    "paused": {
        "resume": "running", "stop": "stopped", "fail": "error", "terminate": "terminated",
    },
    "stopped": {"start": "running", "fail": "error", "terminate": "terminated"},
    "error": {"start": "running", "terminate": "terminated"},
    "terminated": {},
}  # fmt: skip
"""Where each verb leads; what is not here is refused."""

VERBS = ("start", "stop", "pause", "resume", "fail", "terminate")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", ROADS)
@pytest.mark.parametrize("scope", ["project", "orchestration"])
def test_every_state_with_every_verb(filed: Scene, scope: str, state: str, verb: str) -> None:
    filed.project("web")
    filed.world.create_instance("it", scope, "global" if scope == "project" else "web")
    for step in ROADS[state]:
        filed.world.move_instance("it", step)
    before = filed.world.instance("it")
    assert before.status == state
    end = ENDS[state].get(verb)
    if end is None:
        with pytest.raises(InvalidTransition, match=f"cannot {verb} it: it is {state}"):
            filed.world.move_instance("it", verb)
        assert filed.world.instance("it") == before
    else:
        assert filed.world.move_instance("it", verb, "because").status == end


@pytest.mark.parametrize("state", ["starting", "stopping"])
@pytest.mark.parametrize("verb", ["fail", "terminate"])
def test_states_in_passing_can_fail_and_end(scene: Scene, state: str, verb: str) -> None:
    web = scene.project("web")
    with scene.world.command("halfway"), scene.world.writing(web.store) as tx:
        tx.change(web.instance, f"instance.{state}", status=InstanceStatus(state))
    ended = scene.world.move_instance("web", verb, "power cut")
    assert (ended.status, ended.reason) == (
        "error" if verb == "fail" else "terminated",
        "power cut",
    )


def test_both_steps_are_in_the_history(scene: Scene) -> None:
    web = scene.project("web")
    scene.world.move_instance("web", "stop")
    kinds = [e.kind for e in web.store.events(key="web")]
    assert kinds == [
        "instance.created",
        "instance.starting",
        "instance.running",
        "instance.stopping",
        "instance.stopped",
    ]
    assert web.instance.started_at is not None
    assert web.instance.stopped_at is not None


def test_terminated_is_final(scene: Scene) -> None:
    web, worker = scene.team("w1")
    scene.world.move_instance("w1", "terminate")
    before = worker.instance
    attempts: list[Callable[[], object]] = [
        lambda: worker.add_task(title="x"),
        lambda: worker.get_next(),
        lambda: worker.claim_next(),
        lambda: scene.world.create_instance("phase", "orchestration", "w1"),
        lambda: scene.world.undo("w1"),
        lambda: worker.configure({"max_concurrent_tasks": 5}),
    ]
    for attempt in attempts:
        with pytest.raises(HopperError):
            attempt()
    assert worker.instance == before
    assert web.delegate(web.add_task(title="x"), "w1").status == "rejected"


def test_a_parent_is_terminated_after_its_children(scene: Scene) -> None:
    scene.team("w1")
    with pytest.raises(InvalidTransition, match="web still has hoppers below it: w1"):
        scene.world.move_instance("web", "terminate")
    for key in ("w1", "web", "global"):
        assert scene.world.move_instance(key, "terminate").status == "terminated"


@pytest.mark.parametrize("verb", ["stop", "terminate"])
def test_unclaimed_tasks_go_back_and_find_another_worker(scene: Scene, verb: str) -> None:
    _web, one, _two = scene.team("w1", "w2")
    task = scene.top.add_task(title=COMPLEX)
    assert scene.holder(task) == "w1"
    scene.world.move_instance("w1", verb)
    assert scene.holder(task) == "w2"
    past = "stopped" if verb == "stop" else "terminated"
    assert scene.chain(task) == [
        "global → web (route) [accepted]",
        "web → w1 (route) [cancelled]",
        "web → w2 (route) [accepted]",
    ]
    assert scene.world.chain(task)[1].reason == f"w1 was {past}"
    assert one.load().open == 0
    scene.top.complete(task)
    assert scene.status(task) == "done"
    assert scene.settled()


def test_a_stopped_project_hands_its_tasks_to_the_global(scene: Scene) -> None:
    web = scene.project("web")
    api = scene.project("api")
    own = web.add_task(title=SIMPLE)
    routed = scene.top.add_task(title=SIMPLE, project=None, tags=())
    named = scene.top.add_task(title=SIMPLE, project="web")
    assert {scene.holder(routed), scene.holder(named)} == {"api", "web"}
    free = scene.top.add_task(title="web things")
    assert scene.holder(free) == "web"
    scene.world.move_instance("web", "stop")
    assert scene.holder(free) == "api"
    assert (scene.holder(named), scene.task(named).reason) == (
        "global",
        "it is for web, but web is stopped",
    )
    assert (scene.task(own).instance, scene.status(own)) == ("web", "pending")
    scene.world.move_instance("web", "start")
    assert scene.holder(named) == "web"
    assert api.load().open == 2


def test_claimed_tasks_finish_first(scene: Scene) -> None:
    _, one, _ = scene.team("w1", "w2")
    claimed = scene.top.add_task(title=COMPLEX)
    one.claim_next("bot")
    scene.world.move_instance("w1", "stop")
    assert (scene.holder(claimed), scene.leaf(claimed).owner) == ("w1", "bot")
    one.complete(scene.leaf(claimed).id, executor="bot")
    assert scene.status(claimed) == "done"


def test_what_is_released_at_a_stopped_worker_goes_back(scene: Scene) -> None:
    _, one, _ = scene.team("w1", "w2")
    task = scene.top.add_task(title=COMPLEX)
    one.claim_next("bot")
    scene.world.move_instance("w1", "stop")
    one.release(scene.leaf(task).id)
    assert scene.holder(task) == "w2"


def test_claimed_tasks_forbid_termination_unless_it_is_now(scene: Scene) -> None:
    _, one, _ = scene.team("w1", "w2")
    task = scene.top.add_task(title=COMPLEX)
    one.claim_next("bot")
    with pytest.raises(InvalidTransition, match="1 tasks of w1 are held by bot"):
        scene.world.move_instance("w1", "terminate")
    assert one.status == "running"
    scene.world.move_instance("w1", "terminate", now=True)
    assert scene.holder(task) == "w2"
    assert one.load().open == 0


def test_now_releases_at_once(scene: Scene) -> None:
    _, one, _ = scene.team("w1", "w2")
    task = scene.top.add_task(title=COMPLEX)
    one.claim_next("bot")
    scene.world.move_instance("w1", "stop", now=True)
    assert scene.holder(task) == "w2"


def test_a_decompose_with_a_claimed_subtask_stays_together(scene: Scene) -> None:
    web, one = scene.team("w1")
    task = web.add_task(title="x")
    a, b = web.delegate(task, "w1", "decompose", ["a", "b"]).child_tasks
    one.claim(a, "bot")
    scene.world.move_instance("w1", "stop")
    assert (scene.status(a), scene.status(b)) == ("claimed", "pending")
    one.complete(a, executor="bot")
    one.complete(b)
    assert scene.status(task) == "done"


def test_a_worker_s_own_task_stays_when_stopped_and_is_escalated_at_the_end(scene: Scene) -> None:
    web, one = scene.team("w1")
    own = one.add_task(title="worker's own")
    scene.world.move_instance("w1", "stop")
    assert (scene.task(own).instance, scene.status(own)) == ("w1", "pending")
    scene.world.move_instance("w1", "terminate")
    assert scene.holder(own) == "web"
    assert scene.leaf(own).reason == "escalated by w1: w1 was terminated"
    web.complete(scene.leaf(own).id)
    assert scene.status(own) == "done"


def test_what_comes_back_to_a_hopper_that_is_gone_goes_back_further(scene: Scene) -> None:
    web, one, two = scene.team("w1", "w2")
    task = web.add_task(title=SIMPLE)
    web.delegate(task, "w1")
    one.delegate(scene.leaf(task).id, "w2", "reassign")
    own = one.add_task(title="own")
    scene.world.move_instance("w1", "terminate")
    scene.world.move_instance("w2", "stop")
    assert (scene.holder(task), scene.status(task)) == ("web", "pending")
    web.cancel(scene.leaf(own).id, "not worth it")
    assert (scene.status(own), scene.task(own).reason) == (
        "cancelled",
        "cancelled: not worth it",
    )
    assert (one.load().open, two.load().open) == (0, 0)
    assert scene.settled()


def test_without_a_parent_nothing_may_be_left(scene: Scene) -> None:
    task = scene.top.add_task(title="x")
    with pytest.raises(InvalidTransition, match="has 1 open tasks and no parent"):
        scene.world.move_instance("global", "terminate", now=True)
    scene.top.cancel(task)
    assert scene.world.move_instance("global", "terminate").status == "terminated"


def test_paused_takes_nothing_new_and_keeps_what_it_has(scene: Scene) -> None:
    web, one = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    scene.world.move_instance("w1", "pause")
    assert (scene.holder(task), scene.status(scene.leaf(task).id)) == ("w1", "pending")
    assert "w1 is paused: its tasks cannot be claimed" in scene.world.diagnose(task)
    with pytest.raises(NotAllowed):
        one.claim_next()
    assert scene.holder(web.add_task(title=COMPLEX)) == "web"


def test_a_project_at_rest_decides_nothing(scene: Scene) -> None:
    web, _ = scene.team("w1")
    scene.world.move_instance("web", "stop")
    task = web.add_task(title=COMPLEX)
    assert scene.task(task).reason == "web is stopped and passes nothing on"
    scene.world.move_instance("web", "start")
    assert scene.holder(task) == "w1"


def test_stopping_is_undone_by_starting_not_by_undo(scene: Scene) -> None:
    scene.team("w1", "w2")
    scene.top.add_task(title=COMPLEX)
    scene.world.move_instance("w1", "stop")
    with pytest.raises(InvalidTransition, match="the last command made w1 stop"):
        scene.world.undo("w1")

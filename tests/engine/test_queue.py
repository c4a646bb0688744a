"""The queue of a worker: order, who may take what, and how much at a time."""

from __future__ import annotations

import pytest

from hopper_tui.model.errors import (
    AtCapacity,
    Invalid,
    InvalidTransition,
    LeaseLost,
    NotAllowed,
    NotFound,
)

from .scene import COMPLEX, Scene


def test_urgent_before_high_before_medium_before_low(scene: Scene) -> None:
    _, worker = scene.team("w1")
    for priority in ("low", "medium", "high", "urgent"):
        worker.add_task(title=priority, priority=priority)
    assert scene.titles(worker) == ["urgent", "high", "medium", "low"]
    taken = [task.title for _ in range(4) if (task := worker.claim_next("bot"))]
    assert taken == ["urgent", "high", "medium", "low"]
    assert worker.claim_next("bot") is None


def test_equals_come_out_in_the_order_they_came_in(scene: Scene) -> None:
    _, worker = scene.team("w1")
    titles = [f"task {n}" for n in range(12)]
    for title in titles:
        worker.add_task(title=title)
    assert scene.titles(worker) == titles


def test_a_changed_priority_changes_the_order(scene: Scene) -> None:
    _, worker = scene.team("w1")
    worker.add_task(title="first")
    second = worker.add_task(title="second")
    worker.update(second, priority="urgent")
    assert scene.titles(worker) == ["second", "first"]


def test_looking_at_the_next_task_does_not_take_it(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = worker.add_task(title="x")
    assert worker.get_next("bot") == worker.get_next("other") == worker.get(task)
    assert worker.get(task).status == "pending"


def test_claim_start_finish_each_with_its_time(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = worker.add_task(title="x")
    scene.clock.tick(60)
    claimed = worker.claim(task, "bot")
    assert (claimed.status, claimed.owner, claimed.attempts) == ("claimed", "bot", 1)
    scene.clock.tick(60)
    started = worker.start(task, "bot")
    assert (started.status, started.owner, started.attempts) == ("in_progress", "bot", 1)
    scene.clock.tick(60)
    done = worker.complete(task, executor="bot", result={"lines": 3})
    assert (done.status, done.result) == ("done", {"lines": 3})
    times = [done.created_at, started.started_at, done.completed_at]
    assert [t and t[14:19] for t in times] == ["06:40", "08:40", "09:40"]
    kinds = [e.kind for e in reversed(scene.world.log(task))]
    assert kinds == ["task.created", "task.claimed", "task.started", "task.done"]


def test_a_second_claim_changes_nothing(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = worker.add_task(title="x")
    worker.claim(task, "bot")
    with pytest.raises(InvalidTransition, match="is held by bot"):
        worker.claim(task, "other")
    with pytest.raises(LeaseLost, match="other does not hold"):
        worker.start(task, "other")
    with pytest.raises(LeaseLost, match="other does not hold"):
        worker.complete(task, executor="other")
    with pytest.raises(LeaseLost):
        worker.release(task, "other")
    assert (worker.get(task).owner, worker.get(task).status) == ("bot", "claimed")
    assert worker.claim(task, "bot").attempts == 1


def test_a_released_task_is_taken_again(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = worker.add_task(title="x")
    worker.claim(task, "bot")
    assert worker.release(task, "bot").owner is None
    assert worker.claim(task, "other").attempts == 2
    assert worker.release(task).status == "pending"
    assert worker.release(task).status == "pending"


def test_a_full_worker_hands_out_no_more(scene: Scene) -> None:
    scene.team("w0")
    worker = scene.worker("w1", max_concurrent_tasks=2)
    first, second, third = (worker.add_task(title=f"{n}") for n in range(3))
    worker.claim(first, "a")
    worker.start(second, "b")
    for take in (lambda: worker.claim(third, "c"), lambda: worker.start(third, "c")):
        with pytest.raises(AtCapacity, match="w1 is at capacity: 2/2"):
            take()
    with pytest.raises(AtCapacity):
        worker.claim_next("c")
    worker.block(first, "waiting for a key")
    assert worker.claim_next("c").id == third  # type: ignore[union-attr]


def test_executor_and_capabilities_must_fit(scene: Scene) -> None:
    _, worker = scene.team("w1")
    worker.add_task(title="gpu", required_capabilities=("GPU",), priority="urgent")
    worker.add_task(title="code", executor_preference="coder", priority="high")
    worker.add_task(title="ci", executor_preference="ci")
    worker.add_task(title="by hand", executor_preference="manual")
    worker.add_task(title="anybody", priority="low")

    def gets(executor: str | None, *capabilities: str) -> str | None:
        task = worker.get_next(executor, capabilities)
        return task and task.title

    assert gets("coder") == "code"
    assert gets("Coder", "gpu") == "gpu"
    assert gets("tester") == "anybody"
    assert gets("ci") == "ci"
    assert gets(None) == "gpu"


def test_an_open_dependency_holds_a_task_back(scene: Scene) -> None:
    _, worker = scene.team("w1")
    first = worker.add_task(title="first", priority="low")
    second = worker.add_task(title="second", depends_on=(first[:6],), priority="urgent")
    assert worker.get_next().id == first  # type: ignore[union-attr]
    for take in (worker.claim, worker.start):
        with pytest.raises(InvalidTransition, match="waits for"):
            take(second)
    worker.fail(first, "no idea")
    assert worker.get_next() is None
    assert scene.world.diagnose(second) == [
        f"at w1 it waits for web-{first[:5]} first, which is failed"
    ]
    worker.reopen(first)
    worker.complete(first)
    assert worker.get_next().id == second  # type: ignore[union-attr]
    worker.reopen(first)
    assert worker.get_next().id == first  # type: ignore[union-attr]


def test_dependencies_stay_within_a_hopper_and_without_circles(scene: Scene) -> None:
    web, worker = scene.team("w1")
    elsewhere = web.add_task(title="elsewhere")
    one, two, three = (worker.add_task(title=t) for t in ("one", "two", "three"))
    with pytest.raises(NotFound, match=r"no task .* to depend on"):
        worker.add_task(title="x", depends_on=(elsewhere,))
    with pytest.raises(NotFound):
        worker.update(one, add_depends_on=(elsewhere,))
    worker.update(two, add_depends_on=(one,))
    worker.update(three, add_depends_on=(two,))
    for late in (one, three):
        with pytest.raises(Invalid, match="cannot wait for itself"):
            worker.update(one, add_depends_on=(late,))
    assert worker.update(three, remove_depends_on=(two,)).depends_on == ()


def test_a_held_back_task_is_routed_only_when_its_dependencies_are_done(scene: Scene) -> None:
    web, worker = scene.team("w1")
    first = scene.top.add_task(title=COMPLEX)
    second = scene.top.add_task(title="Implement audit", depends_on=(first,))
    assert (scene.status(second), scene.chain(second)) == ("pending", [])
    with pytest.raises(InvalidTransition, match="waits for"):
        scene.top.delegate(second, "web")
    scene.top.complete(first)
    assert scene.holder(second) == "w1"
    kept = web.add_task(title="Build login page", tags=("a", "b"))
    later = web.add_task(title="Build logout page", tags=("a", "b"), depends_on=(kept,))
    assert scene.chain(later) == []
    worker.complete(scene.leaf(kept).id)
    assert scene.chain(later) == ["web → w1 (route) [accepted]"]


def test_nothing_can_hold_back_what_is_delegated(scene: Scene) -> None:
    scene.team("w1")
    first, second = (scene.top.add_task(title=COMPLEX) for _ in range(2))
    with pytest.raises(InvalidTransition, match="is delegated"):
        scene.top.update(second, add_depends_on=(first,))


def test_a_bounded_queue_takes_no_more(scene: Scene) -> None:
    scene.team("w0")
    worker = scene.worker("w1", max_queued_tasks=1)
    worker.add_task(title="x")
    with pytest.raises(AtCapacity, match="w1 has a full queue: 1/1"):
        worker.add_task(title="y")


def test_a_global_hands_out_nothing(scene: Scene) -> None:
    task = scene.top.add_task(title="x")
    for refused in (
        scene.top.get_next,
        scene.top.claim_next,
        lambda: scene.top.claim(task),
        lambda: scene.top.start(task),
        lambda: scene.top.complete(task, executor="bot"),
    ):
        with pytest.raises(NotAllowed, match="routes work and executes none"):
            refused()
    assert scene.status(task) == "pending"
    assert scene.top.complete(task).status == "done"


def test_a_hopper_at_rest_hands_out_nothing(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = worker.add_task(title="x")
    scene.world.move_instance("w1", "pause")
    with pytest.raises(NotAllowed, match="w1 is paused and hands out no work") as paused:
        worker.claim_next()
    assert paused.value.hint == "hopper instance resume w1"
    with pytest.raises(NotAllowed):
        worker.claim(task)
    scene.world.move_instance("web", "stop")
    with pytest.raises(NotAllowed, match="web is stopped"):
        web.get_next()


def test_any_word_for_a_status(scene: Scene) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title="Fix typo")
    for word, status in (
        ("claimed", "claimed"),
        ("started", "in_progress"),
        ("Blocked", "blocked"),
        ("open", "pending"),
        ("completed", "done"),
        ("todo", "pending"),
        ("failed", "failed"),
        ("pending", "pending"),
        ("canceled", "cancelled"),
    ):
        assert web.set_status(task, word, "because").status == status
    with pytest.raises(Invalid, match="unknown status 'finished'"):
        web.set_status(task, "finished")
    with pytest.raises(NotAllowed, match="by delegating it"):
        web.set_status(task, "delegated")


def test_done_and_completed_are_one_status(scene: Scene) -> None:
    web, _ = scene.team("w1")
    web.complete(web.add_task(title="x"))
    assert web.list(status="done") == web.list(status="completed") != []


@pytest.mark.parametrize("close", ["complete", "fail", "cancel"])
def test_a_closed_task_moves_only_by_reopening(scene: Scene, close: str) -> None:
    web, _ = scene.team("w1")
    task = web.add_task(title="Fix typo")
    getattr(web, close)(task)
    closed = web.get(task)
    scene.clock.tick(5)
    for verb in ("claim", "start", "block", "release", "complete", "fail", "cancel"):
        if verb == close:
            getattr(web, verb)(task)
        else:
            with pytest.raises(InvalidTransition):
                getattr(web, verb)(task)
        assert web.get(task) == closed
    reopened = web.reopen(task)
    assert (reopened.status, reopened.completed_at, reopened.reason) == ("pending", None, None)
    with pytest.raises(InvalidTransition, match="is pending, not closed"):
        web.reopen(task)

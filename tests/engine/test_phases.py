"""Phases: a run's work comes one phase after the other, and counts as the run's."""

from __future__ import annotations

import pytest

from hopper_tui.engine.hopper import Hopper
from hopper_tui.model.errors import AtCapacity, InvalidTransition, LeaseLost, NotAllowed, NotFound
from hopper_tui.model.plan import Goal, Plan, Step
from hopper_tui.model.task import Task

from .scene import Scene


def staged(scene: Scene, *titles: str, capacity: int = 10) -> tuple[Hopper, ...]:
    """A run with the phases design and build, each with a task of these titles, and those."""
    scene.team("w0")
    run = scene.worker("run", max_concurrent_tasks=capacity)
    phases = tuple(run.get_child_hopper(name) for name in ("design", "build"))
    for phase in phases:
        for title in titles:
            phase.add_task(title=f"{phase.name} {title}")
    return (run, *phases)


def taken(hopper: Hopper, who: str | None = "bot") -> str | None:
    """The title of what somebody gets who asks."""
    task = hopper.claim_next(who)
    return task and task.title


def end(hopper: Hopper, title: str, how: str = "complete") -> None:
    """End a task in one of the ways it can end."""
    (task,) = [t for t in hopper.list() if t.title == title]
    if how == "complete":
        hopper.complete(task.id, executor=task.owner)
    else:
        getattr(hopper, how)(task.id)


def test_the_run_hands_out_one_phase_after_the_other(scene: Scene) -> None:
    run, design, build = staged(scene, "a", "b")
    assert [taken(run), taken(run), taken(run)] == ["design a", "design b", None]
    end(design, "design a")
    assert run.get_next("bot") is None, "what is claimed is not done"
    end(design, "design b")
    assert [taken(run), taken(run)] == ["build a", "build b"]
    for title in ("build a", "build b"):
        end(build, title)
    assert taken(run) is None


def test_a_later_phase_hands_out_nothing_and_says_so_to_who_names_its_task(scene: Scene) -> None:
    run, design, build = staged(scene, "a", "b")
    assert build.get_next("bot") is None
    assert build.claim_next("bot") is None
    later = build.list()[0]
    for hopper in (run, build):
        for take in (hopper.claim, hopper.start):
            for who in ("bot", None):
                with pytest.raises(InvalidTransition, match=r"is of build, which waits for design"):
                    take(later.id, who)
    assert (scene.task(later.id).status, scene.task(later.id).attempts) == ("pending", 0)
    (said,) = scene.world.diagnose(later.id)
    assert said.endswith("is of build, which waits for design: 2 tasks left there")
    end(design, "design a")
    (said,) = scene.world.diagnose(later.id)
    assert said.endswith("is of build, which waits for design: 1 task left there")
    end(design, "design b")
    assert build.claim(later.id, "bot").owner == "bot"


def test_an_earlier_phase_is_worked_on_again_when_there_is_more_to_do(scene: Scene) -> None:
    run, design, build = staged(scene, "a")
    end(design, "design a")
    assert taken(run) == "build a"
    late = design.add_task(title="design late")
    build.add_task(title="build late")
    assert [taken(run), taken(run)] == ["design late", None]
    end(build, "build a")
    design.complete(late, executor="bot")
    assert taken(run) == "build late"


def test_reopening_holds_the_next_phase_again(scene: Scene) -> None:
    run, design, build = staged(scene, "a")
    first = design.list()[0].id
    design.complete(first)
    assert run.get_next("bot").title == "build a"  # type: ignore[union-attr]
    design.reopen(first)
    assert build.get_next("bot") is None
    assert taken(run) == "design a"


@pytest.mark.parametrize("still", ["claim", "start", "block", "fail"])
def test_what_is_not_done_holds_the_next_phase(scene: Scene, still: str) -> None:
    run, design, build = staged(scene, "a")
    first = design.list()[0].id
    getattr(design, still)(first)
    assert run.get_next("bot") is None
    with pytest.raises(InvalidTransition, match=r"waits for design: 1 task left"):
        run.claim(build.list()[0].id, "bot")


@pytest.mark.parametrize("way", ["reopen and complete", "cancel"])
def test_a_failed_task_holds_the_next_phase_until_somebody_decides(scene: Scene, way: str) -> None:
    run, design, _ = staged(scene, "a", "b")
    end(design, "design a")
    failed = next(t.id for t in design.list())
    design.fail(failed, "impossible")
    assert run.get_next("bot") is None
    if way == "cancel":
        with pytest.raises(InvalidTransition, match="is failed and cannot become cancelled"):
            design.cancel(failed)
    design.reopen(failed)
    (design.cancel if way == "cancel" else design.complete)(failed)
    assert taken(run) == "build a"


def test_a_cancelled_task_holds_nothing(scene: Scene) -> None:
    run, design, _ = staged(scene, "a", "b")
    end(design, "design a", "cancel")
    assert run.get_next("bot").title == "design b"  # type: ignore[union-attr]
    end(design, "design b", "cancel")
    assert taken(run) == "build a"


def test_an_attempt_that_is_given_up_holds_the_next_phase(scene: Scene) -> None:
    run, design, _ = staged(scene, "a")
    run.configure({"work.max_attempts": 1})
    assert taken(run) == "design a"
    scene.clock.tick(901)
    assert taken(run, "other") is None
    assert [t.status for t in design.list(closed=True)] == ["failed"]


def test_an_empty_phase_is_passed_by(scene: Scene) -> None:
    run, design, build = staged(scene)
    ship = run.get_child_hopper("ship")
    ship.add_task(title="ship it")
    assert run.get_next("bot").title == "ship it"  # type: ignore[union-attr]
    build.add_task(title="build it")
    assert ship.get_next("bot") is None
    assert run.get_next("bot").title == "build it"  # type: ignore[union-attr]
    assert design.claim_next("bot") is None


def test_the_run_s_own_tasks_come_with_those_of_the_active_phase_in_queue_order(
    scene: Scene,
) -> None:
    run, design, build = staged(scene, "a")
    run.add_task(title="low", priority="low")
    run.add_task(title="urgent", priority="urgent")
    build.add_task(title="build urgent", priority="urgent")
    assert [taken(run) for _ in range(4)] == ["urgent", "design a", "low", None]
    end(design, "design a")
    assert [taken(run), taken(run)] == ["build urgent", "build a"]


def test_the_run_s_own_tasks_hold_no_phase(scene: Scene) -> None:
    run, design, build = staged(scene, "a")
    run.add_task(title="the goal", executor_preference="human")
    end(design, "design a")
    assert taken(build) == "build a"


@pytest.mark.parametrize("name", ["build", "BUILD", "phase-2", "id"])
def test_a_task_added_to_a_run_with_a_phase_goes_into_that_phase(scene: Scene, name: str) -> None:
    run, design, build = staged(scene, "a")
    key = run.add_task(title="late", phase=build.id if name == "id" else name)
    task = scene.task(key)
    assert (task.instance, task.phase) == (build.id, "build")
    assert [taken(run), taken(run)] == ["design a", None]
    assert run.add_tasks([Task(title="x", phase="design"), Task(title="y")])
    assert scene.titles(design) == ["design a", "x"]


def test_an_unknown_phase_is_refused_where_there_are_phases(scene: Scene) -> None:
    run, *_ = staged(scene, "a")
    with pytest.raises(NotFound, match="no phase 'Fix'") as refused:
        run.add_task(title="late", phase="Fix")
    assert "design, build" in str(refused.value.hint)
    assert scene.titles(run) == []
    alone = scene.worker("w9")
    assert scene.task(alone.add_task(title="x", phase="Fix")).phase == "Fix"


def test_a_task_of_a_run_with_phases_does_not_change_its_phase_by_a_word(scene: Scene) -> None:
    run, design, _ = staged(scene, "a")
    (task,) = design.list()
    with pytest.raises(NotAllowed, match="queue of its own") as refused:
        run.update(task.id, phase="build")
    assert f"--instance {run.id}" in str(refused.value.hint)
    run.update(task.id, title="other")


def test_an_open_dependency_holds_a_task_within_its_phase(scene: Scene) -> None:
    run, design, _ = staged(scene, "a")
    first = design.list()[0].id
    design.add_task(title="design b", depends_on=(first,), priority="urgent")
    assert [taken(run), taken(run)] == ["design a", None]
    run.complete(first, executor="bot")
    assert taken(run) == "design b"


# Checkpoints


def checked(scene: Scene) -> tuple[Hopper, str]:
    """A run with a checkpoint after its first phase, and the id of that."""
    web, run = scene.team("run")
    plan = Plan(
        (
            Goal("make", tasks=(Step("a"), Step("b"), Step("look", checkpoint=True))),
            Goal("ship", tasks=(Step("c"),)),
        )
    )
    web.break_down(web.add_task(title="x"), lambda _: plan)
    (look,) = [t.id for phase in run.children for t in phase.list() if t.title == "look"]
    return run, look


def test_a_checkpoint_is_reached_when_all_else_in_its_phase_is_done(scene: Scene) -> None:
    run, look = checked(scene)
    assert [taken(run), taken(run), taken(run)] == ["a", "b", None]
    for take in (run.claim, run.start):
        with pytest.raises(InvalidTransition, match="waits for"):
            take(look)
    for phase in run.children:
        for task in phase.list():
            if task.is_active:
                run.complete(task.id, executor="bot")
    assert taken(run) is None, "it is for a person"
    assert taken(run, None) == "look"
    assert taken(run) is None, "a person who looks at it has not approved it"
    run.complete(look)
    assert taken(run) == "c"


@pytest.mark.parametrize("verb", ["claim", "start", "complete", "fail", "release", "heartbeat"])
def test_no_worker_can_take_or_approve_a_checkpoint(scene: Scene, verb: str) -> None:
    run, look = checked(scene)
    for _ in range(2):
        task = run.claim_next("bot")
        assert task is not None
        run.complete(task.id, executor="bot")
    before = scene.task(look)
    ways = {
        "claim": lambda: run.claim(look, "bot"),
        "start": lambda: run.start(look, "bot", role="reviewer"),
        "complete": lambda: run.complete(look, executor="bot"),
        "fail": lambda: run.fail(look, "no", executor="bot"),
        "heartbeat": lambda: run.heartbeat(look, "bot"),
    }
    if verb in ways:
        with pytest.raises((NotAllowed, LeaseLost)):
            ways[verb]()
    assert scene.task(look) == before
    run.claim(look)
    held = scene.task(look)
    ways["release"] = lambda: run.release(look, "bot")
    with pytest.raises((InvalidTransition, LeaseLost), match=r"held by me|: me does"):
        ways[verb]()
    assert scene.task(look) == held
    assert run.get_next("bot") is None


def test_a_checkpoint_that_is_refused_holds_the_next_phase(scene: Scene) -> None:
    run, look = checked(scene)
    for _ in range(2):
        run.complete(run.claim_next("bot").id, executor="bot")  # type: ignore[union-attr]
    run.fail(look, "not like this")
    assert run.get_next("bot") is None
    run.reopen(look)
    run.complete(look)
    assert taken(run) == "c"


# Room


def test_phases_count_towards_the_room_of_their_run(scene: Scene) -> None:
    run, design, _ = staged(scene, "a", "b", "c", capacity=2)
    run.add_task(title="own", priority="urgent")
    assert [taken(run), taken(design)] == ["own", "design a"]
    waiting = design.list()[-1].id
    for hopper in (run, design):
        for take in (
            lambda h=hopper: h.claim_next("bot"),
            lambda h=hopper: h.claim(waiting, "bot"),
            lambda h=hopper: h.start(waiting),
        ):
            with pytest.raises(AtCapacity, match=r"run is at capacity: 2/2"):
                take()
    run.complete(run.list()[0].id, executor="bot")
    assert taken(design) == "design b"


def test_a_phase_has_at_most_as_much_room_as_its_run(scene: Scene) -> None:
    run, design, _ = staged(scene, "a", "b", "c", capacity=3)
    design.configure({"max_concurrent_tasks": 1})
    assert taken(design) == "design a"
    with pytest.raises(AtCapacity, match=r"design is at capacity: 1/1"):
        design.claim_next("bot")
    design.configure({"max_concurrent_tasks": 9})
    assert [taken(design), taken(design)] == ["design b", "design c"]
    run.add_task(title="own")
    with pytest.raises(AtCapacity, match=r"run is at capacity: 3/3"):
        run.claim_next("bot")


def test_a_phase_s_own_room_counts_also_for_who_asks_its_run(scene: Scene) -> None:
    run, design, _ = staged(scene, "a", "b", capacity=3)
    design.configure({"max_concurrent_tasks": 1})
    assert taken(run) == "design a"
    with pytest.raises(AtCapacity, match=r"design is at capacity: 1/1"):
        run.claim(design.list()[1].id, "bot")


# While it runs


def test_a_worker_adds_tasks_to_its_run_while_it_works(scene: Scene) -> None:
    run, design, build = staged(scene, "a")
    task = run.claim_next("bot")
    assert task is not None
    found = run.add_task(title="found on the way", requester="bot")
    more = design.add_tasks([Task(title="first"), Task(title="then", depends_on=("#1",))])
    run.complete(task.id, executor="bot")
    assert [taken(run), taken(run), taken(run)] == ["found on the way", "first", None]
    assert scene.task(found).requester == "bot"
    for key in (found, more[0]):
        run.complete(key, executor="bot")
    assert build.get_next("bot") is None
    assert taken(run) == "then"


def test_a_paused_phase_hands_out_nothing_and_lets_nothing_pass(scene: Scene) -> None:
    run, design, build = staged(scene, "a")
    scene.world.move_instance(design.id, "pause")
    run.add_task(title="own")
    assert [taken(run), taken(run)] == ["own", None]
    with pytest.raises(NotAllowed, match="design is paused"):
        design.claim_next("bot")
    assert build.claim_next("bot") is None
    scene.world.move_instance(design.id, "resume")
    assert taken(run) == "design a"


def test_a_phase_of_a_paused_run_hands_out_nothing(scene: Scene) -> None:
    run, design, _ = staged(scene, "a")
    scene.world.move_instance(run.id, "pause")
    for hopper in (run, design):
        with pytest.raises(NotAllowed, match="run is paused"):
            hopper.claim_next("bot")
    with pytest.raises(NotAllowed, match="run is paused"):
        design.claim(design.list()[0].id, "bot")

"""A task becomes goals and phases of a run; done, it flips upward level by level."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hopper import Goal, Hopper, Plan, Step, Task, TaskFeedback, template
from hopper_tui.config.plans import plan_in, templates
from hopper_tui.engine.world import World
from hopper_tui.journal.rules import SHAPES
from hopper_tui.model.errors import (
    ConfigError,
    Invalid,
    InvalidTransition,
    LeaseLost,
    NotAllowed,
    NotFound,
)
from hopper_tui.model.lifecycle import Priority

from .scene import Clock, Scene

SARK = Plan(
    (
        Goal(
            "Design MCP server API",
            phase="Design",
            executor="architect",
            tasks=(
                Step("Research MCP protocol"),
                Step("Design API schema"),
                Step("Create implementation plan"),
            ),
        ),
        Goal(
            "Implement server",
            phase="Implementation",
            executor="coder",
            tasks=(Step("Implement MCP server class"), Step("Add tool registration")),
        ),
        Goal(
            "Add authentication",
            phase="Implementation",
            executor="coder",
            tasks=(Step("Implement authentication"),),
        ),
        Goal(
            "Write tests",
            phase="Testing",
            executor="tester",
            tasks=(
                Step("Write unit tests"),
                Step("Write integration tests"),
                Step("Test with real MCP client"),
            ),
        ),
    )
)
"""The addendum's example."""
TITLE = "Add MCP server support to SARK"
HOSTILE = [
    "{title}", "{0.__class__}", "${HOME}", "%s %(x)s", "a\nb: c\n- d", "\x1b[31mred\x07",
    "'\"#&*!|",
    "日本 🎉", "x" * 1000, "{title}" * 100,
]  # fmt: skip


def sark(scene: Scene, **config: Any) -> Hopper:
    """The project of the example, which hands nothing on by itself."""
    return scene.project(
        "sark", **{"capabilities": ["security", "mcp"], "auto_delegate": False} | config
    )


def added(scene: Scene) -> str:
    """The example's task, added at the top; it comes to sark."""
    return scene.top.add_task(title=TITLE, tags=("security", "mcp", "integration"))


def run_of(scene: Scene) -> Hopper:
    """The only run below sark."""
    (run,) = scene.world.hopper("sark").children
    return run


def roles(hopper: Hopper) -> list[tuple[str, str | None]]:
    return [(t.title, t.executor_preference) for t in hopper.list(closed=True)]


def leaves(scene: Scene, *phases: Hopper) -> list[str]:
    return [t.id for phase in phases for t in phase.list(closed=True)]


# The addendum's example


def test_the_example_comes_out_as_drawn(scene: Scene) -> None:
    project = sark(scene)
    task = added(scene)
    hop = project.break_down(project.list()[0].id, lambda _: SARK)
    run = run_of(scene)
    assert run.id.startswith("hopper-sark-run-")
    assert [t.title for t in run.list()] == [
        "Design MCP server API", "Implement server", "Add authentication", "Write tests",
    ]  # fmt: skip
    assert [(p.id.removeprefix(run.id), p.name, roles(p)) for p in run.children] == [
        ("-phase-1", "Design", [
            ("Research MCP protocol", "architect"), ("Design API schema", "architect"),
            ("Create implementation plan", "architect"),
        ]),
        ("-phase-2", "Implementation", [
            ("Implement MCP server class", "coder"), ("Add tool registration", "coder"),
            ("Implement authentication", "coder"),
        ]),
        ("-phase-3", "Testing", [
            ("Write unit tests", "tester"), ("Write integration tests", "tester"),
            ("Test with real MCP client", "tester"),
        ]),
    ]  # fmt: skip
    assert scene.chain(task) == [
        "global → sark (route) [accepted]",
        f"sark → {run.name} (decompose) [accepted]",
        f"{run.name} → Design (decompose) [accepted]",
        f"{run.name} → Implementation (decompose) [accepted]",
        f"{run.name} → Implementation (decompose) [accepted]",
        f"{run.name} → Testing (decompose) [accepted]",
    ]
    assert hop.status == "accepted"
    assert {t.root_task for p in run.children for t in p.list()} == {task}
    assert [t.status for t in run.list()] == ["delegated"] * 4
    assert scene.settled()


class Ticking(Clock):
    """Every look at it is a second later."""

    def __call__(self) -> float:
        self.tick(1)
        return super().__call__()


@pytest.fixture(params=["files", "memory"])
def ticking(request: pytest.FixtureRequest, home: Path) -> Iterator[Scene]:
    """A scene whose clock tells what came before what."""
    clock = Ticking()
    world = World(home if request.param == "files" else None, clock=clock)
    yield Scene(world, clock)
    world.close()


def test_the_last_task_flips_all_levels_in_order_with_their_feedback(ticking: Scene) -> None:
    project = sark(ticking)
    task = added(ticking)
    middle = project.list()[0].id
    project.break_down(middle, lambda _: SARK)
    run = run_of(ticking)
    goals = [t.id for t in run.list()]
    given = TaskFeedback(quality=4, actual_duration=1600, notes="high quality")
    design, build, testing = run.children
    for key in leaves(ticking, design):
        run.complete(key, given, result="ok")
    assert [ticking.status(g) for g in goals] == ["done", *["delegated"] * 3]
    for key in leaves(ticking, build):
        run.complete(key, given)
    assert [ticking.status(g) for g in goals] == ["done"] * 3 + ["delegated"]
    *rest, last = leaves(ticking, testing)
    for key in rest:
        run.complete(key, given)
    assert [ticking.status(k) for k in (goals[3], middle, task)] == ["delegated"] * 3
    run.complete(last, given)
    levels = [ticking.task(key) for key in (last, goals[3], middle, task)]
    assert [t.status for t in levels] == ["done"] * 4
    times = [str(t.completed_at) for t in levels]
    assert times == sorted(set(times))
    feedback = [TaskFeedback.from_json(t.feedback or {}) for t in levels]
    assert [(f.tasks, f.actual_duration, f.quality) for f in feedback] == [
        (1, 1600, 4), (3, 4800, 4), (9, 14400, 4), (9, 14400, 4),
    ]  # fmt: skip
    assert all(f.notes == "high quality" for f in feedback)
    assert ticking.task(goals[0]).result == ["ok"] * 3
    assert ticking.task(goals[3]).result is None
    project.give_feedback(middle, TaskFeedback(notes="MCP integration successful"))
    assert (ticking.task(task).feedback or {})["notes"] == "MCP integration successful"
    ticking.top.give_feedback(task, TaskFeedback(notes="SARK routing was correct"))
    assert [(ticking.task(k).feedback or {})["notes"] for k in (goals[3], middle, task)] == [
        "high quality", "MCP integration successful", "SARK routing was correct",
    ]  # fmt: skip
    assert {line.rpartition(" ")[2] for line in ticking.chain(task)} == {"[completed]"}
    assert ticking.settled()


def test_workers_get_phase_after_phase(scene: Scene) -> None:
    project = sark(scene)
    added(scene)
    project.break_down(project.list()[0].id, lambda _: SARK)
    run = run_of(scene)
    last = leaves(scene, run.children[2])[0]
    assert any("waits for Design: 3 tasks left" in said for said in scene.world.diagnose(last))
    order = []
    while any(phase.load().open for phase in run.children):
        for role in ("tester", "coder", "architect"):
            if task := run.claim_next(executor=role):
                run.complete(task.id, executor=role)
                order.append(task.phase)
    assert order == ["Design"] * 3 + ["Implementation"] * 3 + ["Testing"] * 3


def test_a_failed_task_blocks_its_goal_and_holds_the_next_phase(scene: Scene) -> None:
    project = sark(scene)
    task = added(scene)
    project.break_down(project.list()[0].id, lambda _: SARK)
    run = run_of(scene)
    first, second, third = leaves(scene, run.children[0])
    run.complete(first)
    run.fail(second, "no access")
    run.complete(third)
    goal = run.list()[0]
    assert (goal.status, goal.reason) == (
        "blocked",
        "1 of 3 subtasks lost; 'Design API schema' failed: no access",
    )
    assert scene.status(task) == "delegated"
    assert run.get_next(executor="coder") is None
    run.reopen(second)
    assert scene.status(goal.id) == "delegated"
    assert run.get_next(executor="coder") is None
    run.complete(second)
    assert scene.status(goal.id) == "done"
    assert run.get_next(executor="coder") is not None


def test_giving_the_task_up_gives_up_all_it_became(scene: Scene) -> None:
    project = sark(scene)
    task = added(scene)
    project.break_down(project.list()[0].id, lambda _: SARK)
    run = run_of(scene)
    scene.top.cancel(task, "not needed")
    assert {t.status for p in (run, *run.children) for t in p.list(closed=True)} == {"cancelled"}
    assert scene.settled()


# Words of a plan


def test_a_task_says_what_its_plan_says_and_takes_the_rest_from_above(scene: Scene) -> None:
    web, worker = scene.team("w1", capabilities=["python"])
    task = web.add_task(
        title="x", tags=("shop",), priority="high", executor_preference="human", due="2030-01-01"
    )
    step = Step(
        "a", "how", executor="coder", capabilities=("go",), priority=Priority.LOW, effort="2h",
        tags=("t",), depends_on=("2",),
    )  # fmt: skip
    web.break_down(task, lambda _: Plan((Goal("g", "why", tags=("u",), tasks=(step, Step("b"))),)))
    goal = worker.list()[0]
    assert (goal.title, goal.description, goal.tags) == ("g", "why", ("shop", "u"))
    (phase,) = worker.children
    b, a = sorted(phase.list(), key=lambda t: t.title == "a")
    assert phase.name == "g"
    assert (a.description, a.executor_preference, a.required_capabilities, a.priority) == (
        "how", "coder", ("go",), "low",
    )  # fmt: skip
    assert (a.estimated_effort, a.tags, a.phase, a.depends_on) == (
        "2h", ("shop", "u", "t"), "g", (b.id,),
    )  # fmt: skip
    assert (b.executor_preference, b.priority, b.parent_task) == (None, "high", goal.id)
    assert b.due == web.get(task).due
    assert not a.is_ready
    assert b.is_ready


def test_places_count_through_the_goals_that_share_a_phase(scene: Scene) -> None:
    web, worker = scene.team("w1")
    plan = Plan(
        (
            Goal("one", phase="P", tasks=(Step("a", depends_on=("#2",)),)),
            Goal("two", phase="p2", tasks=(Step("z"),)),
            Goal("three", phase="P", tasks=(Step("b"), Step("ok", checkpoint=True))),
        )
    )
    web.break_down(web.add_task(title="x"), lambda _: plan)
    phase = worker.children[0]
    waits = {t.title: {scene.task(d).title for d in t.depends_on} for t in phase.list()}
    assert waits == {"a": {"b"}, "b": set(), "ok": {"a", "b"}}


def test_goals_without_tasks_are_tasks_of_the_run(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title="x")
    web.break_down(task, lambda _: Plan(("one", Goal("two", depends_on=("#1",)))))  # type: ignore[arg-type]
    assert worker.children == []
    one, two = worker.list()
    assert two.depends_on == (one.id,)
    worker.complete(one.id)
    worker.complete(two.id)
    assert scene.status(task) == "done"


def test_a_checkpoint_waits_for_a_person_and_holds_the_next_phase(scene: Scene) -> None:
    web, worker = scene.team("w1")
    plan = Plan(
        (
            Goal("make", tasks=(Step("ok?", checkpoint=True), Step("a"), Step("b"))),
            Goal("ship", tasks=(Step("c"),)),
        )
    )
    web.break_down(web.add_task(title="x"), lambda _: plan)
    for title in ("a", "b"):
        task = worker.claim_next(executor="coder")
        assert task is not None
        assert task.title == title
        worker.complete(task.id, executor="coder")
    assert worker.get_next(executor="coder") is None
    check = worker.get_next()
    assert check is not None
    assert (check.title, check.executor_preference, check.tags) == ("ok?", "human", ("checkpoint",))
    worker.complete(check.id)
    assert getattr(worker.get_next(executor="coder"), "title", None) == "c"


# Where it goes


def test_a_plan_goes_to_the_run_that_is_named_or_fits(scene: Scene) -> None:
    web, one, two = scene.team("w1", "w2")
    named = web.break_down(web.add_task(title="x"), lambda _: SARK, to="w2")
    assert named.target == two.id
    free = web.break_down(web.add_task(title="y"), lambda _: SARK)
    assert free.target == one.id
    assert "it is broken down" in (free.reason or "")
    assert [d.target for d in scene.world.why(free.task)][-1] == one.id


def test_the_phases_of_a_run_are_shared_by_name(scene: Scene) -> None:
    web, worker = scene.team("w1")
    for title in ("x", "y"):
        web.break_down(web.add_task(title=title), lambda _: SARK)
    assert [p.name for p in worker.children] == ["Design", "Implementation", "Testing"]
    assert [len(p.list()) for p in worker.children] == [6, 6, 6]
    assert scene.settled()


def test_no_plan_for_a_run_that_cannot_have_it(scene: Scene) -> None:
    web = scene.project(child_instances={"auto_create": False})
    task = web.add_task(title="x")
    with pytest.raises(NotAllowed, match="no run can take it"):
        web.break_down(task, lambda _: SARK)
    flat = scene.worker("flat", child_instances={"max_depth": 1})
    with pytest.raises(NotAllowed, match="as deep as max_depth allows"):
        web.break_down(task, lambda _: SARK, to="flat")
    scene.worker("off")
    scene.world.move_instance("off", "pause")
    with pytest.raises(NotAllowed, match="off is paused"):
        web.break_down(task, lambda _: SARK, to="off")
    with pytest.raises(NotAllowed, match="global is no run of web"):
        web.break_down(task, lambda _: SARK, to="global")
    assert (scene.status(task), scene.chain(task)) == ("pending", [])
    assert web.break_down(task, lambda _: Plan((Goal("one"),)), to="flat").target == flat.id


def test_only_a_project_or_a_run_breaks_down(scene: Scene) -> None:
    task = scene.top.add_task(title="x", project=None)
    with pytest.raises(NotAllowed, match="global is a global hopper"):
        scene.top.break_down(task, lambda _: SARK)
    web = scene.project(auto_delegate=False)
    key = web.add_task(title="x")
    web.complete(key)
    with pytest.raises(InvalidTransition, match="is done"):
        web.break_down(key, lambda _: SARK)
    with pytest.raises(Invalid, match="gave list, not a Plan"):
        web.break_down(web.add_task(title="y"), lambda _: ["a"])  # type: ignore[arg-type, return-value]
    with pytest.raises(Invalid, match="web names no decomposer"):
        web.break_down(web.add_task(title="z"))


def test_broken_down_twice_is_refused(scene: Scene) -> None:
    web, _worker = scene.team("w1")
    task = web.add_task(title="x")
    web.break_down(task, lambda _: SARK)
    with pytest.raises(InvalidTransition, match="4 subtasks at w1 are open"):
        web.break_down(task, lambda _: SARK)


# Inside a run


def test_whoever_holds_a_task_breaks_it_down_where_it_is(scene: Scene) -> None:
    web, worker = scene.team("w1", auto_delegate=False)
    task = web.add_task(title="x")
    web.delegate(task, "w1")
    held = worker.claim_next(executor="ann")
    assert held is not None
    with pytest.raises(LeaseLost, match="bob does not hold"):
        worker.break_down(held.id, lambda _: SARK, executor="bob")
    with pytest.raises(InvalidTransition, match="ann holds"):
        worker.break_down(held.id, lambda _: SARK)
    worker.break_down(held.id, lambda _: SARK, executor="ann")
    assert (scene.status(held.id), scene.task(held.id).owner) == ("delegated", None)
    assert worker.load().active == 0
    assert scene.chain(task)[:3] == [
        "web → w1 (route) [accepted]",
        "w1 → w1 (decompose) [accepted]",
        "w1 → Design (decompose) [accepted]",
    ]
    assert scene.settled()
    for key in leaves(scene, *worker.children):
        worker.complete(key)
    assert (scene.status(held.id), scene.status(task)) == ("done", "done")


def test_a_task_of_a_phase_becomes_tasks_of_that_phase(scene: Scene) -> None:
    web, worker = scene.team("w1")
    web.break_down(web.add_task(title="x"), lambda _: SARK)
    design = worker.children[0]
    first = design.list()[0].id
    with pytest.raises(NotAllowed, match="Design is as deep as max_depth allows"):
        design.break_down(first, lambda _: SARK)
    design.break_down(first, lambda _: Plan(("read", "ask")))  # type: ignore[arg-type]
    assert [t.title for t in design.list("status:pending")][-2:] == ["read", "ask"]
    assert {t.phase for t in design.list()} == {"Design"}
    for task in design.list("status:pending"):
        design.complete(task.id)
    assert worker.list(closed=True)[0].status == "done"


def test_a_checkpoint_in_parts_is_still_for_a_person_and_no_more_checkpoints(scene: Scene) -> None:
    _, worker = scene.team("w1")
    key = worker.add_task(title="ok?", tags=("checkpoint", "x"), executor_preference="human")
    worker.break_down(key, lambda _: Plan((Goal("look", tasks=(Step("closely"),)), Goal("say"))))
    (inner,) = worker.children[0].list()
    say = worker.list("status:pending")[0]
    assert [(t.title, t.executor_preference, t.tags) for t in (inner, say)] == [
        ("closely", "human", ("x",)), ("say", "human", ("x",)),
    ]  # fmt: skip


def test_taken_back_it_is_one_task_again(scene: Scene) -> None:
    _, worker = scene.team("w1")
    key = worker.add_task(title="x")
    hop = worker.break_down(key, lambda _: SARK)
    worker.cancel_delegation(hop.id)
    assert scene.status(key) == "pending"
    assert sum(p.load().open for p in worker.children) == 0
    assert [t.title for t in worker.list()] == ["x"]
    worker.break_down(key, lambda _: SARK)
    assert [p.load().open for p in worker.children] == [3, 3, 3]
    assert scene.settled()


def test_a_run_that_ends_gives_the_task_back(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title="x")
    web.break_down(task, lambda _: SARK)
    for one in (*worker.children, worker):
        scene.world.move_instance(one.id, "terminate")
    assert (scene.status(task), scene.holder(task)) == ("pending", "web")
    assert worker.load().open == 0
    assert scene.settled()


# Nothing twice, nothing half


def test_undone_and_redone_it_is_one_step(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title="x")
    web.break_down(task, lambda _: SARK)
    before = [(t.id, t.status) for p in (worker, *worker.children) for t in p.list()]
    scene.world.undo("web")
    assert scene.status(task) == "pending"
    assert [p.load().open for p in (worker, *worker.children)] == [0] * 4
    scene.world.redo("web")
    assert before == [(t.id, t.status) for p in (worker, *worker.children) for t in p.list()]
    assert scene.settled()


def test_accepted_by_hand_again_after_an_undo_it_is_whole(scene: Scene) -> None:
    web = scene.project(child_instances={"auto_create": False})
    slow = scene.worker("slow", auto_accept=False)
    task = web.add_task(title="x")
    hop = web.break_down(task, lambda _: SARK, to="slow")
    assert (hop.status, slow.children) == ("pending", [])
    slow.accept(hop.id)
    keys = leaves(scene, slow, *slow.children)
    scene.world.undo("slow")
    assert {scene.status(key) for key in keys} == {"cancelled"}
    slow.accept(hop.id)
    assert leaves(scene, slow, *slow.children) == keys
    for key in leaves(scene, *slow.children):
        slow.complete(key)
    assert scene.status(task) == "done"
    assert scene.settled()


def test_a_run_may_have_lost_the_depth_before_it_accepts(scene: Scene) -> None:
    web = scene.project(child_instances={"auto_create": False})
    slow = scene.worker("slow", auto_accept=False)
    hop = web.break_down(web.add_task(title="x"), lambda _: SARK)
    slow.configure({"child_instances.max_depth": 1})
    with pytest.raises(NotAllowed, match="slow is as deep as max_depth allows"):
        slow.accept(hop.id)
    assert (slow.list(), slow.children) == ([], [])


def test_a_run_that_lost_its_store_gets_the_same_plan_again(filed: Scene) -> None:
    project = sark(filed)
    added(filed)
    project.break_down(project.list()[0].id, lambda _: SARK)
    run = run_of(filed)
    path, name = run.store.path, run.name
    assert path is not None
    keys = leaves(filed, run, *run.children)
    run.store.close()
    with sqlite3.connect(path) as db:
        for table in ("tasks", "task_delegations", "events"):
            db.execute(f"DELETE FROM {table}")
    db.close()
    filed.world.reconcile()
    assert leaves(filed, run, *run.children) == keys
    assert name == run.name
    assert filed.settled()


# Templates


def test_the_templates_that_come_along_fill_the_title_in(scene: Scene) -> None:
    assert templates() == ["bugfix", "feature", "migration"]
    for name in templates():
        plan = template(name)(Task(title="Log in with a key"))
        assert any("Log in with a key" in goal.title for goal in plan.goals)
        assert len(plan.phases) > 1
        assert all(step.executor for step in plan.tasks)
        assert Plan.read(list(plan.json())) == plan
    assert [s.title for s in template("feature")(Task(title="T")).checkpoints] == [
        "Review the design: T"
    ]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_filled_in_as_it_is(scene: Scene, title: str) -> None:
    web, worker = scene.team("w1")
    web.break_down(web.add_task(title=title), "feature")
    made = worker.list()[0].title
    shown = made.removeprefix("Design: ")
    assert shown == title or (len(made) == 1000 and title.startswith(shown[:-1]))
    assert scene.settled()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory for templates."""
    made = tmp_path / "templates"
    made.mkdir()
    return made


def test_a_project_has_its_own_templates_and_may_replace_one(folder: Path) -> None:
    (folder / "release.yaml").write_text("goals: [Cut it, {title: Announce, depends_on: 1}]")
    (folder / "bugfix.yaml").write_text("goals: ['Fix {title}']")
    assert templates(folder) == ["bugfix", "feature", "migration", "release"]
    assert [g.title for g in template("bugfix", folder)(Task(title="x")).goals] == ["Fix x"]
    assert template("release", folder)(Task()).goals[1].depends_on == ("#1",)
    assert len(template("feature", folder)(Task()).goals) == 3
    with pytest.raises(NotFound, match=r"there is no template 'featur'.*Did you mean feature"):
        template("featur", folder)
    for name in ("../hopper", "/etc/passwd", "", "a b"):
        with pytest.raises(Invalid, match="is no name of a template"):
            template(name, folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("goals:\n  - tile: x", ":2: unknown key 'tile' in goals[0]. Did you mean title?"),
        ("goals:\n  - title: x\n    tasks:\n      - y\n      - priorty: low",
         ":5: unknown key 'priorty' in goals[0].tasks[1]. Did you mean priority?"),
        ("goals:\n  - title: x\n    tasks:\n      - title: y\n        depends_on: '#2'",
         ":5: goals[0].tasks[0].depends_on: there is no task #2 here"),
        ("goals:\n  - title: x\n    tasks:\n      - y\n      - {title: z, depends_on: 2}",
         ":5: goals[0].tasks[1].depends_on: #2 wait"),
        ("goals:\n  - title: x\n    tasks: [{title: y, depends_on: [first]}]",
         ":3: goals[0].tasks[0].depends_on: 'first' is no place in the phase"),
        ("goals:\n  - title: x\n    phase: p", ":3: goals[0].phase: the goal has no tasks for 'p'"),
        ("goals:\n  - title: x\n    checkpoint: true\n    tasks: [y]",
         ":3: goals[0].checkpoint: a goal with tasks waits"),
        ("goals:\n  - title: ' '", ":2: goals[0].title: a task needs a title"),
        ("goals:\n  - a\n  - title: 7", ":3: goals[1].title must be a valid string, not 7"),
        ("goals:\n  - title: '{titel}'", ":2: unknown placeholder {titel}. Did you mean title?"),
        ("goals: []", ":1: goals: a plan needs at least one goal"),
        ("goals:\n  - title: x\n   y: z", ":3: not valid YAML"),
        ("", ":1: the file is empty"),
        ("goals:\n  - {title: x, priority: soon}", ":2: goals[0].priority must be one of urgent"),
        ("goals: ['" + "', '".join("abcdefghij" for _ in range(501)) + "']", "more than 500"),
        ("goals: ['" + "', '".join("é" * 900 for _ in range(30)) + "']", "bytes, more than"),
    ],
)  # fmt: skip
def test_a_wrong_template_is_named_with_file_and_line(folder: Path, text: str, said: str) -> None:
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as wrong:
        template("mine", folder)
    assert str(folder / "mine.yaml") in str(wrong.value)
    assert said in str(wrong.value)


def test_a_plan_in_json_is_read_exactly() -> None:
    plan = plan_in('{\t"goals": [\n\t{"title": "\\ud83c\\udf89 {title} a\\/b",\t"tasks": ["x"]}]}')
    assert plan.goals[0].title == "🎉 {title} a/b"
    with pytest.raises(ConfigError, match="<stdin>:3: unknown key 'wat'"):
        plan_in('{"goals": [\n{"title": "x",\n"wat": 1}]}')


# Configured


@pytest.fixture
def checkout(filed: Scene, tmp_path: Path) -> tuple[Scene, Path]:
    """A project with a directory, whose runs get what its template says."""
    root = tmp_path / "shop"
    root.mkdir()
    filed.world.init_project(root, "shop")
    config = root / ".hopper" / "hopper.yaml"
    config.write_text(config.read_text() + "\ndecomposer: mine\n")
    (root / ".hopper" / "templates").mkdir()
    (root / ".hopper" / "templates" / "mine.yaml").write_text(
        "goals: [{title: 'Do {title}', phase: Doing, tasks: [a, b]}]"
    )
    return filed, root


def test_work_for_a_run_of_its_own_is_broken_down_as_configured(
    checkout: tuple[Scene, Path],
) -> None:
    scene, _ = checkout
    shop = scene.world.hopper("shop")
    task = shop.add_task(title="Implement OAuth", needs_orchestration=True)
    (run,) = shop.children
    assert [t.title for t in run.list()] == ["Do Implement OAuth"]
    assert scene.titles(run.children[0]) == ["a", "b"]
    again = shop.add_task(title="Implement SAML", needs_orchestration=True)
    assert scene.chain(again)[0].endswith("(decompose) [accepted]")
    scene.worker("by-hand", "shop")
    for own in [child for child in shop.children if child.name != "by-hand"]:
        scene.world.move_instance(own.id, "pause")
    whole = shop.add_task(title="Implement structured logging")
    assert scene.chain(whole) == ["shop → by-hand (route) [accepted]"]
    assert shop.store.check() == []
    hop = scene.world.chain(task)[0]
    shop.store.rebuild()
    assert scene.world.chain(task)[0] == hop
    assert scene.settled()


def test_work_goes_on_as_a_whole_where_the_template_is_wrong(
    checkout: tuple[Scene, Path],
) -> None:
    scene, root = checkout
    (root / ".hopper" / "templates" / "mine.yaml").write_text("goals:\n  - tile: x")
    shop = scene.world.hopper("shop")
    task = shop.add_task(title="Implement OAuth", needs_orchestration=True)
    assert scene.chain(task)[0].endswith("(route) [accepted]")
    assert any("mine.yaml:2: unknown key 'tile'" in said for said in scene.world.warnings)
    found = [f.message for f in scene.world.doctor() if f.level == "error"]
    assert len(found) == 1
    assert "decomposer: " in found[0]


# What a journal may bring


@pytest.mark.parametrize(
    "value",
    [
        [{"title": 1}], [{"description": "x"}], [1], {"title": "x"}, "x", ["a"] * 501,
        [{"title": "x", "tasks": ["y"]}], [{"title": "x", "tasks": {"title": "y"}}],
        [{"title": "x", "tasks": [{"title": "y", "tasks": [{"title": "z"}]}]}],
        [{"title": "x", "tasks": [{"title": "y"}] * 500}], [{"title": "x", "priority": "soon"}],
        [{"title": "x", "tags": [1]}], [{"title": "x", "depends_on": "#1"}], None,
    ],
)  # fmt: skip
def test_parts_that_no_plan_has_are_not_taken_from_a_journal(value: Any) -> None:
    assert not SHAPES["delegation"]["subtasks"](value)


def test_the_parts_of_a_plan_are_taken_from_a_journal() -> None:
    assert SHAPES["delegation"]["subtasks"](list(SARK.json()))
    assert SHAPES["delegation"]["subtasks"](["a", "b"])

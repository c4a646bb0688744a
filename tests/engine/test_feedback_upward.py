"""Feedback is kept at its own level and aggregated upward."""

from __future__ import annotations

import pytest

from hopper_tui.model.errors import Invalid
from hopper_tui.model.feedback import TaskFeedback
from hopper_tui.model.task import Task

from .scene import COMPLEX, Scene


def _feedback(task: Task) -> TaskFeedback:
    assert task.feedback is not None
    return TaskFeedback.from_json(task.feedback)


def test_every_level_has_its_own_line(scene: Scene) -> None:
    _, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    worker.complete(leaf, TaskFeedback(quality=4, actual_duration="4h", notes="high quality"))  # type: ignore[arg-type]
    middle = scene.world.chain(task)[1].task
    for key in (leaf, middle, task):
        given = _feedback(scene.task(key))
        assert (given.quality, given.actual_duration, given.tasks) == (4, 14400, 1)
        assert given.notes == "high quality"
    scene.top.give_feedback(task, TaskFeedback(was_good_match=True, notes="web was right"))
    assert _feedback(scene.task(task)).notes == "web was right"
    assert _feedback(scene.task(middle)).notes == "high quality"


def test_subtasks_are_counted_summed_and_averaged(scene: Scene) -> None:
    web, worker = scene.team("w1")
    task = web.add_task(title="x")
    keys = web.delegate(task, "w1", "decompose", ["a", "b", "c"]).child_tasks
    for key, quality in zip(keys, (5, 3, None), strict=True):
        given = None if quality is None else TaskFeedback(quality=quality, actual_duration=60)
        worker.complete(key, given)
    whole = _feedback(web.get(task))
    assert (whole.quality, whole.actual_duration, whole.tasks) == (4, 120, 2)


def test_late_feedback_travels_up_too(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    scene.top.complete(task)
    assert scene.task(task).feedback is None
    scene.top.give_feedback(leaf, TaskFeedback(quality=2))
    assert _feedback(scene.task(task)).quality == 2
    scene.top.give_feedback(leaf, TaskFeedback(quality=5))
    assert _feedback(scene.task(task)).quality == 5


def test_late_feedback_overrules_nobody(scene: Scene) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    scene.top.complete(task)
    scene.top.give_feedback(task, TaskFeedback(quality=1))
    scene.top.give_feedback(leaf, TaskFeedback(quality=5))
    assert _feedback(scene.task(task)).quality == 1
    middle = scene.world.chain(task)[1].task
    assert _feedback(scene.task(middle)).quality == 5


def test_a_report_for_a_hopper(scene: Scene) -> None:
    _, worker = scene.team("w1")
    for good in (True, False):
        key = worker.add_task(title="x")
        worker.complete(key, TaskFeedback(was_good_match=good, blockers=("ci",)))
    report = worker.feedback_report()
    assert (report["tasks"], report["good_matches"]) == (2, 0.5)
    assert report["blockers"] == [{"name": "ci", "count": 2}]


def test_feedback_out_of_range_is_refused() -> None:
    with pytest.raises(Invalid, match="quality is 0 to 5"):
        TaskFeedback(quality=6)
    with pytest.raises(Invalid, match="not a duration"):
        TaskFeedback(actual_duration="long")  # type: ignore[arg-type]

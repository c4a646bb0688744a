"""Recovering: lost databases, damaged homes, hoppers that went away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.errors import ConfigError, NotAllowed, StorageError

from .scene import COMPLEX, SIMPLE, Clock, Scene

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kept(tmp_path: Path) -> Scene:
    """A scene in files."""
    clock = Clock()
    return Scene(World(tmp_path / "home", clock=clock), clock)


def _again(scene: Scene) -> World:
    """The same home in another process."""
    assert scene.world.home is not None
    scene.world.close()
    return World(scene.world.home, clock=scene.clock)


def test_work_whose_database_was_lost_is_made_again(kept: Scene) -> None:
    kept.project("web")
    task = kept.top.add_task(title=SIMPLE)
    assert kept.world.home is not None
    kept.world.close()
    (kept.world.home / "web" / "tasks.db").unlink()
    world = _again(kept)
    assert [t.title for t in world.hopper("web").list()] == []
    assert any("was missing or empty" in warning for warning in world.warnings)
    world.doctor()
    (child,) = world.hopper("web").list()
    assert (child.title, child.parent_task) == (SIMPLE, task)
    world.hopper("web").complete(child.id)
    assert world.hopper("global").get(task).status == "done"


def test_the_doctor_names_a_run_that_ended_with_its_process(kept: Scene) -> None:
    web = kept.project("web")
    run = Hopper("orchestration", "run-1", parent=web)
    task = web.add_task(title=COMPLEX)
    assert run.list()[0].parent_task == task
    world = _again(kept)
    (finding,) = [f for f in world.doctor() if f.level == "error"]
    assert "run-1 took task" in finding.message
    hop = finding.message.rpartition(" ")[2]
    world.hopper("web").cancel_delegation(hop)
    assert world.hopper("web").get(task).status == "pending"


def test_tasks_climb_past_every_hopper_that_ends(kept: Scene) -> None:
    kept.project("web")
    worker = kept.worker("w1")
    task = worker.add_task(title="direct")
    kept.world.move_instance("w1", "terminate")
    kept.world.move_instance("web", "terminate")
    (climbed,) = kept.top.list()
    assert (climbed.title, climbed.status, climbed.root_task) == ("direct", "pending", task)
    assert kept.world.hopper("web").counts().get("pending", 0) == 0


def test_a_damaged_project_is_not_called_unknown(kept: Scene) -> None:
    kept.project("web")
    kept.project("api")
    assert kept.world.home is not None
    kept.world.close()
    (kept.world.home / "web" / "tasks.db").write_bytes(b"no database at all" * 100)
    world = _again(kept)
    task = world.hopper("global").add_task(title=SIMPLE, project="web")
    waiting = world.hopper("global").get(task)
    assert waiting.waiting
    assert "it is for web, which cannot be read" in (waiting.reason or "")
    assert [n.instance.id for n in world.nodes() if n.error] == ["web"]


def test_a_project_works_without_a_readable_home(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "shop"
    root.mkdir()
    world = World(home, root)
    world.init_project(root)
    world.close()
    (home / "home.db").write_bytes(b"no database at all" * 100)
    world = World(home, root)
    task = world.hopper().add_task(title=SIMPLE)
    assert [t.id for t in world.hopper().list()] == [task]
    levels = {f.subject: f.level for f in world.doctor()}
    assert (levels["home"], levels["shop"]) == ("error", "ok")


def test_a_free_place_in_a_bounded_queue_is_offered_at_once(kept: Scene) -> None:
    web = kept.project("web", child_instances={"auto_create": False})
    worker = kept.worker("w1", max_queued_tasks=1)
    first, second = (web.add_task(title=COMPLEX) for _ in range(2))
    assert (kept.holder(first), kept.holder(second)) == ("w1", "web")
    worker.claim_next("bot")
    assert kept.holder(second) == "w1"


def test_what_a_hopper_is_cannot_be_configured(kept: Scene) -> None:
    web = kept.project("web")
    for key in ("scope", "parent", "name", "instance_id"):
        with pytest.raises(ConfigError, match=f"{key} of web cannot be changed"):
            web.configure({key: "other"})
    assert web.config == {}


def test_a_claim_on_a_hopper_at_rest_is_refused(kept: Scene) -> None:
    kept.project("web")
    worker = kept.worker("w1")
    worker.add_task(title="x")
    kept.world.move_instance("w1", "pause")
    with pytest.raises(NotAllowed, match="w1 is paused"):
        worker.claim_next("bot")


def test_purged_tasks_stay_purged_when_the_tables_are_rebuilt(kept: Scene) -> None:
    web = kept.project("web", persistence={"retention": "90_days"})
    old, new = (web.add_task(title=t) for t in ("old", "new"))
    web.complete(old)
    kept.clock.tick(100 * 86400)
    web.complete(new)
    kept.world.doctor(maintain=True)
    assert [t.title for t in web.list(closed=True)] == ["new"]
    kept.world.doctor(rebuild=True)
    assert [t.title for t in web.list(closed=True)] == ["new"]


def test_the_projects_kept_in_a_damaged_home_work(kept: Scene) -> None:
    kept.project("web")
    task = kept.project("api").add_task(title=SIMPLE)
    assert kept.world.home is not None
    kept.world.close()
    (kept.world.home / "home.db").write_bytes(b"no database at all" * 100)
    world = _again(kept)
    assert [t.id for t in world.hopper("api").list()] == [task]
    assert {n.instance.id: n.error is None for n in world.nodes()} == {
        "hopper-global": False, "api": True, "web": True,
    }  # fmt: skip
    with pytest.raises(StorageError, match=r"home\.db is damaged"):
        world.hopper("global")

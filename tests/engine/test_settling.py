"""Two sides of a hop in two stores: whatever is missing is repeated, and nothing twice."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hopper_tui.engine import flow
from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.errors import HopperError
from hopper_tui.store.protocol import Store

from .scene import COMPLEX, SIMPLE, Clock, Scene

TABLES = ("tasks", "hopper_instances", "task_delegations", "task_deps", "status_counts")


@contextmanager
def _dying_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> Iterator[None]:
    """Let only so many transactions between stores happen, as if the process died then."""
    whole = World.writing
    left = [steps]

    def writing(self: World, store: Store) -> Any:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return whole(self, store)

    with monkeypatch.context() as patched:
        patched.setattr(World, "writing", writing)
        with suppress(KeyboardInterrupt):
            yield


@pytest.mark.parametrize("steps", range(1, 9))
def test_an_add_that_was_cut_short_is_finished(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    web, worker = scene.team("w1")
    with _dying_after(monkeypatch, steps):
        scene.top.add_task(title=COMPLEX)
    scene.world.reconcile()
    [task] = scene.top.list(closed=True)
    assert scene.chain(task.id) == [
        "global → web (route) [accepted]",
        "web → w1 (route) [accepted]",
    ]
    assert [len(h.list(closed=True)) for h in (web, worker)] == [1, 1]
    assert scene.settled()


@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("verb", ["complete", "fail", "cancel", "reopen"])
def test_a_way_up_that_was_cut_short_is_finished(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, verb: str, steps: int
) -> None:
    _, worker = scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    if verb == "reopen":
        worker.complete(leaf)
    with _dying_after(monkeypatch, steps):
        getattr(worker, verb)(leaf)
    scene.world.reconcile()
    middle = scene.task(scene.world.chain(task)[1].task)
    told = {
        "complete": ("done", "done", "completed"),
        "fail": ("delegated", "blocked", "failed"),
        "cancel": ("delegated", "blocked", "failed"),
        "reopen": ("delegated", "delegated", "accepted"),
    }
    last = scene.world.chain(task)[1].status
    assert (scene.status(task), middle.status, last) == told[verb]
    assert len(scene.world.chain(task)) == 2
    assert scene.settled()


@pytest.mark.parametrize("steps", range(1, 6))
def test_a_cancel_that_was_cut_short_reaches_the_work(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    scene.team("w1")
    task = scene.top.add_task(title=COMPLEX)
    leaf = scene.leaf(task).id
    with _dying_after(monkeypatch, steps):
        scene.top.cancel(task)
    scene.world.reconcile()
    assert scene.status(leaf) == "cancelled"
    assert scene.settled()


def test_reconciling_a_world_at_rest_does_nothing(scene: Scene) -> None:
    web, one, two = scene.team("w1", "w2")
    keys = [scene.top.add_task(title=COMPLEX) for _ in range(4)]
    web.add_task(title=SIMPLE)
    scene.top.complete(keys[0])
    one.fail(scene.leaf(keys[2]).id, "no")
    scene.top.cancel(keys[1])
    two.delegate(scene.leaf(keys[3]).id, type="escalate")
    scene.top.add_task(title="x", required_capabilities=("gpu",))
    events = [len(store.events()) for store in scene.world.stores()]
    for _ in range(2):
        assert scene.settled()
    assert [len(store.events()) for store in scene.world.stores()] == events


def test_a_completion_reaches_a_project_that_was_away(filed: Scene, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    filed.world.init_project(root)
    shop = filed.world.hopper("shop")
    task = filed.top.add_task(title=SIMPLE, project="shop")
    leaf = filed.leaf(task).id
    filed.world.close()
    moved = root.rename(tmp_path / "unmounted")
    alone = World(filed.world.home, clock=filed.clock)
    assert alone.find_task(task)[1].status == "delegated"
    with pytest.raises(HopperError, match="directory of shop is gone"):
        alone.hopper("shop").list()
    alone.close()
    moved.rename(root)
    inside = World(tmp_path / "other-home", root, clock=filed.clock)
    inside.hopper().complete(leaf)
    inside.close()
    again = World(filed.world.home, clock=filed.clock)
    assert again.reconcile() > 0
    assert again.find_task(task)[1].status == "done"
    assert shop.id == "hopper-shop"
    again.close()


def test_a_store_that_is_gone_breaks_no_other(filed: Scene) -> None:
    _web, _ = filed.team("w1")
    filed.project("api")
    assert filed.world.home is not None
    task = filed.top.add_task(title=SIMPLE, project="api")
    filed.world.close()
    (filed.world.home / "api" / "tasks.db").write_bytes(b"not a database" * 99)
    world = World(filed.world.home, clock=filed.clock)
    broken = {n.instance.id: n.error for n in world.nodes()}
    assert [key for key, error in broken.items() if error] == ["api"]
    top = world.hopper("global")
    other = top.add_task(title=COMPLEX)
    assert [h.target for h in world.chain(other)] == ["web", "w1"]
    assert world.find_task(task)[1].status == "delegated"
    assert any(f.level == "error" and f.subject == "api" for f in world.doctor())
    world.close()


def test_a_hop_whose_target_is_gone_can_be_taken_back(scene: Scene) -> None:
    web, worker = scene.team("w1")
    other = scene.worker("w2")
    scene.world.move_instance("w1", "pause")
    task = web.add_task(title=COMPLEX)
    assert scene.holder(task) == "w2"
    from hopper_tui.engine import runs

    runs.remove(scene.world, other.instance)
    scene.world.reconcile()
    hop = scene.world.chain(task)[0].id
    assert web.cancel_delegation(hop).status == "cancelled"
    assert web.claim(task).status == "claimed"
    assert worker.is_empty()


def _tables(store: Any) -> dict[str, list[Any]]:
    tables = {}
    for name in TABLES:
        rows = store._all(f"SELECT * FROM {name}")
        names = [d[1] for d in store._all(f"PRAGMA table_info({name})")]
        keep = [i for i, n in enumerate(names) if n not in ("n", "told") or name != "tasks"]
        keep = [i for i in keep if names[i] != "told"]
        tables[name] = sorted(repr([row[i] for i in keep]) for row in rows if row[-1] != 0)
    return tables


def test_every_store_can_be_rebuilt_from_its_events(scene: Scene) -> None:
    web, one, two = scene.team("w1", "w2")
    keys = [scene.top.add_task(title=COMPLEX, tags=(f"t{n}",)) for n in range(6)]
    waits = one.add_task(title="later", depends_on=(scene.leaf(keys[0]).id,))
    scene.top.complete(keys[0], result={"a": [1, 2]})
    scene.top.cancel(keys[1])
    one.fail(scene.leaf(keys[2]).id, "no")
    web.update(web.add_task(title=SIMPLE), add_tags=("x", "y"), remove_tags=("x",))
    two.delegate(scene.leaf(keys[3]).id, type="escalate")
    scene.world.undo("w2")
    scene.world.move_instance("w2", "stop")
    web.add_task(title="split")
    web.delegate(web.list("split")[0].id, "w1", "decompose", ["a", "b"])
    one.reopen(scene.leaf(keys[0]).id)
    assert one.get(waits).open_deps == 1
    for store in scene.world.stores():
        before = _tables(store)
        assert store.rebuild() == len(store.events())
        assert _tables(store) == before
        assert store.check() == []
    events = [len(store.events()) for store in scene.world.stores()]
    scene.world.reconcile()
    assert [len(store.events()) for store in scene.world.stores()] == events
    assert scene.settled()


def test_threads_share_one_hopper(filed: Scene) -> None:
    _, worker = filed.team("w1", "w2")[:2]
    filed.world.hopper("w1").configure({"max_concurrent_tasks": 100})
    taken: list[str] = []
    errors: list[Exception] = []

    def work(n: int) -> None:
        try:
            for m in range(5):
                worker.add_task(title=f"{n}.{m}")
                task = worker.claim_next(f"bot-{n}")
                if task is not None:
                    taken.append(task.id)
                    worker.complete(task.id, executor=f"bot-{n}")
                filed.top.add_task(title=COMPLEX)
                filed.world.nodes()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(taken) == len(set(taken)) == 20
    assert len(filed.top.list(closed=True)) == 20
    assert filed.settled()


def _add_and_claim(home: Path, name: str, count: int, answers: Any) -> None:
    world = World(home, actor=name)
    top = world.hopper()
    keys = [top.add_task(title=f"{name} {n}", project="shop") for n in range(count)]
    shop = world.hopper("shop")
    taken = []
    while (task := shop.claim_next(name, role="human")) is not None:
        taken.append(task.id)
        shop.complete(task.id, executor=name)
    world.close()
    answers.put((keys, taken))


def test_processes_share_a_home_from_the_first_command_on(home: Path, clock: Clock) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    workers = [
        context.Process(target=_add_and_claim, args=(home, f"p{n}", 5, answers)) for n in range(4)
    ]
    for worker in workers:
        worker.start()
    told = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    added = [key for keys, _ in told for key in keys]
    taken = [key for _, some in told for key in some]
    assert len(added) == len(set(added)) == 20
    assert len(taken) == len(set(taken)) == 20
    world = World(home)
    assert [(n.instance.scope, n.load.open) for n in world.nodes()] == [
        ("global", 0),
        ("project", 0),
    ]
    assert {t.status for t in world.hopper("global").list(closed=True)} == {"done"}
    world.close()


def test_two_processes_see_each_other(filed: Scene) -> None:
    _web, worker = filed.team("w1")
    other = World(filed.world.home, clock=filed.clock, actor="other")
    revision = filed.world.revision()
    task = other.hopper("global").add_task(title=COMPLEX)
    assert filed.world.revision() != revision
    assert filed.holder(task) == "w1"
    worker.claim_next("bot")
    with pytest.raises(HopperError, match="held by bot"):
        Hopper.open(other, "w1").claim(filed.leaf(task).id, "late")
    other.close()


def test_flow_is_what_reconcile_drives(scene: Scene) -> None:
    scene.team("w1")
    scene.top.add_task(title=COMPLEX)
    with scene.world.command("check"):
        assert flow.drive(scene.world, list(scene.world.stores()), ["global", "web"]) == 0

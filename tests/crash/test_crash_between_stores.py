"""Kill -9 at every commit of a command that touches several stores, then any other command: the
command has happened as a whole or not at all, and every hop is whole on both sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import launch
import pytest

from hopper_tui.engine.world import World
from hopper_tui.model.lifecycle import HOP_OPEN, DelegationStatus, TaskStatus
from hopper_tui.model.query import Query

from .scenarios import SCENARIOS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
TESTS = Path(__file__).parent.parent

ARRIVED = (DelegationStatus.ACCEPTED, DelegationStatus.COMPLETED, DelegationStatus.FAILED)

State = list[tuple[object, ...]]


def _world(where: Path) -> World:
    return World.from_environment(where / "home", where, "ann")


def _state(world: World) -> State:
    """What a person sees of the tasks: where each is, what became of it and why."""
    return sorted(
        (task.title, world.name(task.instance).split("-run-")[0], str(task.status), task.waiting)
        for store in world.stores()
        for task in store.query(Query(closed=True))
    )


def _check_whole(world: World) -> None:
    """Every hop is the same on both sides, and every task where its hops say."""
    tasks = {t.id: t for store in world.stores() for t in store.query(Query(closed=True))}
    assert len(tasks) == sum(store.count(Query(closed=True)) for store in world.stores())
    for store in world.stores():
        assert store.check() == []
        assert store.unsettled() == []
        for hop in store.delegations():
            source = world.store(hop.source).delegation(hop.id)
            target = world.store(hop.target).delegation(hop.id)
            assert source is not None
            assert target is not None or hop.status is DelegationStatus.CANCELLED
            if target is not None:
                assert source.status is target.status
                children = [t.id for t in world.store(hop.target).children(hop.id)]
                assert sorted(children) in ([], sorted(hop.child_tasks))
                assert children or hop.status not in ARRIVED
    for task in tasks.values():
        hops = world.store(task.instance).hops_of(task.id)
        still_open = [h for h in hops if h.status in HOP_OPEN]
        assert len(still_open) == (task.status is TaskStatus.DELEGATED), task
        if task.origin is not None:
            assert world.store(task.instance).delegation(task.origin) is not None
            assert task.parent_task in tasks


def _check_clean(world: World) -> None:
    """Nothing is left to do, and the doctor has nothing to say."""
    pending = Path(str(world.home)) / "pending"
    assert not pending.exists() or list(pending.iterdir()) == []
    assert world.reconcile() == 0
    assert [f for f in world.doctor() if f.level != "ok"] == []


@pytest.fixture(params=SCENARIOS)
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[tuple[str, bool]]]:
    """A scenario's home before its command, and the copies left by its kills."""
    base, out = tmp_path / "base", tmp_path / "out"
    base.mkdir()
    out.mkdir()
    world = _world(base)
    SCENARIOS[request.param].prepare(world)
    world.close()
    done = subprocess.run(
        [sys.executable, "-m", "crash.harness", request.param, str(base), str(out)],
        capture_output=True, text=True, cwd=TESTS, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path, json.loads(done.stdout)


def test_a_command_killed_at_any_step_happens_as_a_whole_or_not_at_all(
    killed: tuple[Path, list[tuple[str, bool]]],
) -> None:
    root, copies = killed
    before_world = _world(root / "base")
    before = _state(before_world)
    after: State | None = None
    outcomes: dict[str, State] = {}
    for name, died in copies:
        where = root / "out" / name
        if name.startswith("before") and died:
            _list(where)
        world = _world(where)
        world.nodes()
        try:
            _check_clean(world)
            _check_whole(world)
        except AssertionError as error:
            raise AssertionError(f"killed {name}") from error
        outcomes[name] = _state(world)
        if not died:
            after = outcomes[name]
        world.close()
    before_world.close()
    assert after is not None
    assert sum(died for _, died in copies) >= 2
    for name, state in outcomes.items():
        assert state in (before, after), f"killed {name}"
    for kind in ("before", "again"):
        happened = [outcomes[n] == after for n, _ in copies if n.startswith(kind)]
        assert happened == sorted(happened), "a step once taken is never lost by a later kill"


def _list(where: Path) -> None:
    """Any command picks up the pieces: here the installed one, at its least."""
    done = launch.hopper(["list"], where, launch.environment(where, where / "home"), timeout=30)
    assert done.returncode == 0, done.stderr
    assert list((where / "home" / "pending").glob("*")) == []

"""Commands that touch more than one store: the world each starts in, and the command itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model import plan
from hopper_tui.model.lifecycle import HopperScope
from hopper_tui.model.task import Task

Step = Callable[[World], object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` makes the world before, `command` is what is killed."""

    prepare: Step
    command: Step


def _family(world: World, *workers: str, auto_accept: bool = True) -> None:
    """The guide's hierarchy, running, with these workers; the first may wait for an answer."""
    world.make_global()
    web = world.create_instance("webapp", HopperScope.PROJECT, config={"capabilities": ["react"]})
    world.move_instance(web.id, "start")
    for n, name in enumerate(workers):
        config = None if auto_accept or n else {"auto_accept": False}
        worker = world.create_instance(name, HopperScope.ORCHESTRATION, web.id, config)
        world.move_instance(worker.id, "start")


def _add(world: World, title: str = "Build login page") -> str:
    return world.hopper("global").add_task(title=title, tags=("react", "frontend"))


def _down(world: World) -> None:
    _family(world, "worker-1")
    _add(world)


def _down_unanswered(world: World) -> None:
    _family(world, "worker-1", auto_accept=False)
    world.create_instance("worker-2", HopperScope.ORCHESTRATION, "webapp")
    _add(world)
    world.move_instance("worker-2", "start")


def _kept(world: World) -> None:
    _family(world)
    world.hopper("webapp").configure({"auto_delegate": False, "child_instances.auto_create": False})
    world.hopper("webapp").add_task(title="Fix typo")
    worker = world.create_instance("worker-1", HopperScope.ORCHESTRATION, "webapp")
    world.move_instance(worker.id, "start")


def _busy_worker(world: World) -> None:
    _family(world, "worker-1")
    for n in range(2):
        _add(world, f"Build login page {n}")
    world.create_instance("worker-2", HopperScope.ORCHESTRATION, "webapp")
    world.move_instance("worker-2", "start")


def _only(world: World, where: str) -> Task:
    (task,) = world.hopper(where).list(closed=True)
    return task


def _first_hop(world: World, where: str) -> tuple[Hopper, str]:
    hop = next(h for h in world.delegations(instance=where) if h.target == where)
    return world.hopper(where), hop.id


def _reject(world: World) -> object:
    worker, hop = _first_hop(world, "worker-1")
    return worker.reject(hop, "too hard")


def _accept(world: World) -> object:
    worker, hop = _first_hop(world, "worker-1")
    return worker.accept(hop)


def _on(where: str, act: Callable[[Hopper, Task], object]) -> Step:
    return lambda world: act(world.hopper(where), _only(world, where))


def _done(world: World) -> None:
    _down(world)
    worker = world.hopper("worker-1")
    worker.complete(_only(world, "worker-1").id)


def _undone(world: World) -> None:
    _down(world)
    world.undo("global")


def _decomposed(world: World) -> None:
    _kept(world)
    _split(world.hopper("webapp"), _only(world, "webapp"))


def _split(hopper: Hopper, task: Task) -> object:
    return hopper.delegate(task.id, "worker-1", "decompose", ("one", "two", "three"))


def _fail_one(world: World) -> object:
    worker = world.hopper("worker-1")
    return worker.fail(worker.list()[1].id, "cannot be done")


def _plan(_: Task) -> plan.Plan:
    first, second = plan.Step("one"), plan.Step("two", depends_on=("#1",))
    build = (plan.Step("three"), plan.Step("ok", checkpoint=True))
    design = plan.Goal("Draw", phase="Design", tasks=(first, second))
    return plan.Plan((design, plan.Goal("Make", phase="Build", tasks=build)))


def _working(world: World) -> None:
    _down(world)
    world.hopper("worker-1").claim_next(executor="ann")


def _finish_design(world: World) -> None:
    run = world.hopper("worker-1")
    run.complete(run.children[0].list()[0].id)


def _designed(world: World) -> None:
    _kept(world)
    world.hopper("webapp").break_down(_only(world, "webapp").id, _plan)
    _finish_design(world)


SCENARIOS: dict[str, Scenario] = {
    "add": Scenario(lambda world: _family(world, "worker-1"), _add),
    "add a batch": Scenario(
        lambda world: _family(world, "worker-1"),
        lambda world: world.hopper("global").add_tasks(
            [Task(title=f"Build login page {n}", tags=("react", "ui")) for n in range(2)]
        ),
    ),
    "add makes a project and a run": Scenario(
        lambda world: world.make_global(),
        lambda world: world.hopper("global").add_task(
            title="Build a login page", project="shop", tags=("react", "ui", "api")
        ),
    ),
    "complete": Scenario(_down, _on("worker-1", lambda h, t: h.complete(t.id, result="it works"))),
    "complete from above": Scenario(_down, _on("global", lambda h, t: h.set_status(t.id, "done"))),
    "fail": Scenario(_down, _on("worker-1", lambda h, t: h.fail(t.id, "broken"))),
    "fail one of three": Scenario(_decomposed, _fail_one),
    "reopen": Scenario(_done, _on("worker-1", lambda h, t: h.reopen(t.id))),
    "accept": Scenario(_down_unanswered, _accept),
    "reject": Scenario(_down_unanswered, _reject),
    "decompose": Scenario(_kept, _on("webapp", _split)),
    "break down": Scenario(_kept, _on("webapp", lambda h, t: h.break_down(t.id, _plan))),
    "break down into a new run": Scenario(
        lambda world: (
            _family(world),
            world.hopper("webapp").configure({"auto_delegate": False}),
            world.hopper("webapp").add_task(title="Fix typo"),
        ),
        _on("webapp", lambda h, t: h.break_down(t.id, _plan)),
    ),
    "break down in a run": Scenario(
        _working, _on("worker-1", lambda h, t: h.break_down(t.id, _plan, executor="ann"))
    ),
    "complete a phase": Scenario(_designed, _finish_design),
    "undo a break-down": Scenario(
        lambda world: (
            _kept(world),
            world.hopper("webapp").break_down(_only(world, "webapp").id, _plan),
        ),
        lambda world: world.undo("webapp"),
    ),
    "escalate": Scenario(_down, _on("worker-1", lambda h, t: h.delegate(t.id, type="escalate"))),
    "cancel": Scenario(_down, _on("global", lambda h, t: h.cancel(t.id, "not needed"))),
    "cancel the hop": Scenario(
        _down_unanswered, lambda world: _first_hop(world, "worker-1")[0].cancel_delegation(
            _first_hop(world, "worker-1")[1]
        ),
    ),
    "undo an add": Scenario(_down, lambda world: world.undo("global")),
    "redo an add": Scenario(_undone, lambda world: world.redo("global")),
    "stop a worker": Scenario(_busy_worker, lambda world: world.move_instance("worker-1", "stop")),
    "terminate a worker": Scenario(
        _busy_worker, lambda world: world.move_instance("worker-1", "terminate")
    ),
    "start a worker": Scenario(
        lambda world: (
            _family(world),
            world.hopper("webapp").configure({"child_instances.auto_create": False}),
            world.create_instance("worker-1", HopperScope.ORCHESTRATION, "webapp"),
            _add(world),
        ),
        lambda world: world.move_instance("worker-1", "start"),
    ),
}  # fmt: skip

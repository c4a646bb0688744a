"""Worlds to tell stories in: the clock stands still and ids are always the same."""

from __future__ import annotations

import random
from pathlib import Path

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World
from hopper_tui.model.plan import Goal, Plan, Step

NOW = 1_795_176_000.0
"""2026-11-20T12:00:00Z."""


class Clock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.now = NOW - 86_400

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


def empty_world(home: Path | None = None) -> World:
    """Nothing but the global hopper that the first look makes."""
    entropy = random.Random(7).randbytes
    return World(home, home, actor="me", clock=Clock(), entropy=entropy, via="tui")


def guide_world(home: Path | None = None) -> World:
    """The guide's hierarchy, all running: global, webapp with worker-1, api stopped."""
    world = empty_world(home)
    world.hopper()
    for name, capabilities in (("webapp", ["react", "auth"]), ("api", ["sql"])):
        world.create_instance(name, "project", None, {"capabilities": capabilities})
    world.create_instance("worker-1", "orchestration", "webapp", {"max_concurrent_tasks": 3})
    world.move_instance("webapp", "start")
    world.move_instance("worker-1", "start")
    return world


def routing_world() -> World:
    """A global hopper with a task that was taken back, for one of three projects: one of them fits
    best and one is stopped."""
    world = guide_world()
    world.create_instance("mobile", "project", None, {"capabilities": ["react", "swift"]})
    world.move_instance("mobile", "start")
    top = world.hopper()
    add(top, "Build the react login page", tags=("react", "auth"))
    (hop,) = (hop for hop in top.store.delegations() if hop.source == top.id)
    top.cancel_delegation(hop.id)
    clock = world.now
    assert isinstance(clock, Clock)
    clock.now = NOW
    return world


def add(hopper: Hopper, title: str, **fields: object) -> str:
    """A task that stays where it is added, a minute after the one before."""
    clock = hopper.world.now
    assert isinstance(clock, Clock)
    clock.forward(60)
    return hopper.add_task(title=title, **fields)


def plan() -> Plan:
    """Three phases, the first with a review that a person has to pass."""
    design = (Step("Research the protocol"), Step("Review the design", checkpoint=True))
    build = tuple(Step(title) for title in ("Write the server", "修复登录崩溃", "Add the tools"))
    return Plan((
        Goal("Design it", phase="Design", executor="architect", tasks=design),
        Goal("Build it", phase="Build", executor="coder", tasks=build),
        Goal("Test it", phase="Test", executor="tester", tasks=(Step("Write tests"),)),
    ))  # fmt: skip


def run_world(home: Path | None = None) -> World:
    """Three runs of webapp: one in its second phase with a failure, a worker that lost a lease
    and one that is about to; one that waits for approval; one that is over."""
    world = empty_world(home)
    world.hopper()
    world.create_instance("webapp", "project", None, {"auto_delegate": False})
    world.move_instance("webapp", "start")
    webapp = world.hopper("webapp")
    clock = world.now
    assert isinstance(clock, Clock)
    runs = []
    for name in ("login-page", "oauth", "search"):
        clock.forward(3600)
        run = world.create_instance(name, "orchestration", "webapp")
        world.move_instance(run.id, "start")
        hop = webapp.break_down(add(webapp, f"Make {name}"), lambda _: plan(), to=run.id)
        runs.append(world.hopper(hop.target))
    over, waits, works = runs
    while task := over.claim_next() or over.claim_next("ada", role="architect"):
        clock.forward(60)
        over.complete(task.id, executor=None if task.owner == "me" else task.owner)
    for role in ("coder", "coder", "coder", "tester"):
        task = over.claim_next(f"{role}-1", role=role)
        clock.forward(120)
        over.complete(task.id, executor=f"{role}-1")
    for run in (waits, works):
        task = run.claim_next("ada", role="architect")
        clock.forward(300)
        run.complete(task.id, executor="ada")
    works.complete(works.claim_next().id)
    works.configure({"work": {"backoff": "1s"}})
    clock.now = NOW - 2400
    works.claim_next("coder-1", role="coder")
    clock.now = NOW - 1200  # its lease ran out meanwhile
    first = works.claim_next("coder-2", role="coder")
    works.fail(first.id, "the build is broken", executor="coder-2")
    works.claim_next("coder-2", role="coder", lease=1230)
    clock.now = NOW - 240
    works.start(works.claim_next("coder-1", role="coder").id, executor="coder-1")
    clock.now = NOW
    return world


def offers_world(home: Path | None = None) -> World:
    """Three tasks of webapp that are offered to hoppers which answer by hand."""
    world = guide_world(home)
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    world.move_instance("api", "start")
    world.create_instance("docs", "project", None, {"capabilities": ["writing"]})
    world.move_instance("docs", "start")
    for name in ("api", "docs", "worker-1"):
        world.hopper(name).configure({"auto_accept": False})
    clock = world.now
    assert isinstance(clock, Clock)
    for title, target, kind, notes in (
        ("Rotate the keys", "worker-1", "route", None),
        ("Write the post", "docs", "reassign", "before Friday, please"),
        ("Tune the queries", "api", "reassign", "修复登录崩溃"),
    ):
        task = add(webapp, title, priority="high", tags=("auth",))
        clock.forward(3600)
        webapp.delegate(task, target, kind, notes=notes)
    clock.now = NOW
    return world


def busy_world(home: Path | None = None) -> World:
    """The guide's hierarchy with a dozen tasks in every state, in hostile and foreign words."""
    world = guide_world(home)
    webapp = world.hopper("webapp")
    webapp.configure({"auto_delegate": False})
    add(
        webapp,
        "Fix login crash",
        priority="urgent",
        tags=("api", "auth"),
        description="Log in, wait an hour, click anything.\n\nExpected: a polite login page.",
    )
    oauth = add(webapp, "Ship OAuth", priority="high", tags=("auth",), estimated_effort="4h")
    add(webapp, "Tidy the docs")
    pages = add(webapp, "Build login page", priority="high", tags=("react",))
    keys = add(webapp, "Rotate the signing keys", priority="urgent", due="2026-12-24")
    vendor = add(webapp, "Renew the certificate")
    add(webapp, "[bold]not bold[/x] and \x1b[31mnot red\x1b[0m")
    add(webapp, "修复登录崩溃：会话过期后应显示登录页面", tags=("认证",))
    add(webapp, "abc \u202egnirts lamron a", priority="low")
    add(webapp, "🚀 Launch the beta " + "with everybody " * 25, priority="low")
    add(webapp, "Write the release notes", depends_on=(pages,))
    done = add(webapp, "Set up CI")
    add(world.hopper("worker-1"), "Run integration tests", priority="high")
    webapp.claim(oauth, executor="claude", role="human")
    webapp.start(keys)
    webapp.block(vendor, "the vendor does not answer")
    webapp.delegate(pages, "worker-1", notes="before Friday, please")
    webapp.complete(done)
    clock = world.now
    assert isinstance(clock, Clock)
    clock.now = NOW
    return world

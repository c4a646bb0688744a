"""Worlds to tell stories in: the clock stands still and ids are always the same."""

from __future__ import annotations

import random
from pathlib import Path

from hopper_tui.engine.hopper import Hopper
from hopper_tui.engine.world import World

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


def add(hopper: Hopper, title: str, **fields: object) -> str:
    """A task that stays where it is added, a minute after the one before."""
    clock = hopper.world.now
    assert isinstance(clock, Clock)
    clock.forward(60)
    return hopper.add_task(title=title, **fields)


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

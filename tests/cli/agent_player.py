"""An agent that has read nothing but what `hopper prime` prints.

    python agent_player.py PATH-TO-HOPPER [OPTIONS OF PRIME]... < plan.json

The plan is a list of {"title": ..., "after": [numbers of earlier ones]}; an empty list is for who
only works. It knows how to start (`hopper prime`), takes every command from what is printed there,
or by the command before, and prints what it did as JSON:
{"runs": [[command, exit code, stderr]], "added": [ids], "done": [ids]}.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from typing import Any

GIVE_UP = 50.0
"""Seconds after which an agent that gets no more work stops asking."""
PATIENCE = "1s"
"""For how long it waits where it is told to wait longer."""
WAITING = re.compile(r"--wait \S+")
COMMAND = re.compile(r"hopper (?:add|next|list|commit|task \w+)\b.*$")


class Agent:
    """Types commands into a shell and reads what they print."""

    def __init__(self, hopper: str) -> None:
        self.hopper = hopper
        self.runs: list[tuple[str, int, str]] = []

    def type(self, *words: str) -> tuple[int, str, str]:
        """Run `hopper WORDS`; returns the exit code, stdout and stderr."""
        done = subprocess.run([self.hopper, *words], capture_output=True, text=True, timeout=60)
        self.runs.append((shlex.join(words), done.returncode, done.stderr))
        return done.returncode, done.stdout, done.stderr

    def follow(self, command: str) -> tuple[int, str, str]:
        """Run a command that was printed."""
        program, *words = shlex.split(command)
        assert program == "hopper", command
        return self.type(*words)


def printed(text: str) -> list[str]:
    """The commands in what was printed, as they stand there."""
    return [found[0] for line in text.splitlines() if (found := COMMAND.search(line))]


def examples(primed: str) -> dict[str, str]:
    """The examples of `hopper prime` by their verb: `add`, `next`, `task done`."""
    found: dict[str, str] = {}
    section = primed.partition("## Commands")[2].partition("## ")[0]
    for command in printed(section):
        words = command.split()
        verb = " ".join(words[1:3]) if words[1] == "task" else words[1]
        found[verb] = command
    return found


def adding(example: str, title: str, after: list[str]) -> list[str]:
    """The words of an `add`: the example with a title, and one `--depends-on` for each task."""
    words, made = iter(shlex.split(example)[1:]), []
    for word in words:
        if word == "--depends-on":
            next(words)
            made += [part for key in after for part in ("--depends-on", key)]
        else:
            made.append({"TITLE": title, "WHY": "as planned"}.get(word, word))
    return made


def play(agent: Agent, arguments: list[str], plan: list[dict[str, Any]]) -> dict[str, Any]:
    """Add the plan, then take and finish tasks until nothing is open."""
    _, primed, _ = agent.type("prime", *arguments)
    known = examples(primed)
    added: list[str] = []
    for step in plan:
        after = [added[number] for number in step["after"]]
        _, out, _ = agent.type(*adding(known["add"], step["title"], after))
        added.append(out.split()[0])
    done: list[str] = []
    finishing = shlex.split(known["task done"])[1:]
    ask, give_up = known["next"], time.monotonic() + GIVE_UP
    while time.monotonic() < give_up:
        code, out, said = agent.follow(ask)
        if code == 0:
            (finish,) = printed(out)
            key = shlex.split(finish)[3]
            agent.type(*(key if word == "ID" else word for word in finishing))
            done.append(key)
            ask = known["next"]
        elif further := [c for c in printed(said) if c.startswith("hopper next")]:
            ask = WAITING.sub(f"--wait {PATIENCE}", further[-1])
        elif ask != known["next"]:
            ask = known["next"]
        else:
            break
    return {"runs": agent.runs, "added": added, "done": done}


if __name__ == "__main__":
    told = play(Agent(sys.argv[1]), sys.argv[2:], json.load(sys.stdin))
    print(json.dumps(told))

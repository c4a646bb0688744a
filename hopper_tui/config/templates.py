"""Templates: the files that `hopper init` writes into a project's `.hopper/`."""

from __future__ import annotations

FORMAT_JSON = '{"format": 1, "min_reader": 1}\n'
"""Which format the directory has, and the oldest one whose programs can read it."""

GITIGNORE = """\
# Made from journal/ when needed, and the runs of this machine.
*.db*
runs/
tmp/
"""

README = """\
# .hopper

This directory is the task queue of the project around it, made by `hopper init`.

- `hopper.yaml`: what this project takes and how it routes. Edit it freely.
- `journal/`: every change of a task, as files that are written once. Do not edit them by hand.
- `format.json`: the format of the directory. Leave it alone.
- `*.db`, `runs/`, `tmp/`: made when needed, ignored by git.

Commit this directory with your code: tasks then follow branches, merges and clones.
Add work with `hopper add "Fix the login page"`, see it with `hopper`, take it with `hopper next`.
"""

_HOPPER_YAML = """\
# How this project takes and routes work. `hopper doctor` checks this file.

scope: project
instance_id: {instance_id}
name: {name}
{parent}

# What this project can do; tasks with such tags are routed here.
capabilities: []
# What its work is about; tasks that speak of it are routed here.
domains: []

# Tasks that may be held at the same time.
max_concurrent_tasks: 10
# Simple tasks stay for people, those of this complexity or more go to an orchestration.
auto_delegate: true
orchestration_threshold: 3

intelligence:
  provider: rules
  # config_file: project_routing_rules.yaml

persistence:
  storage: sqlite
  # How long finished tasks stay: forever, 1_year, 90_days.
  retention: 1_year

child_instances:
  # Make an orchestration run when a task needs one and none is running.
  auto_create: true
"""

_NO_PARENT = "# parent: hopper-global    # unless said, the global hopper of whoever works here"


def hopper_yaml(instance_id: str, name: str, parent: str | None = None) -> str:
    """The text of a new project's hopper.yaml; `parent` is the id of its global hopper."""
    return _HOPPER_YAML.format(
        instance_id=_scalar(instance_id),
        name=_scalar(name),
        parent=f"parent: {_scalar(parent)}" if parent else _NO_PARENT,
    )


def hopper_files(instance_id: str, name: str, parent: str | None = None) -> dict[str, str]:
    """The files of a new `.hopper/`: their names and texts."""
    return {
        "hopper.yaml": hopper_yaml(instance_id, name, parent),
        "format.json": FORMAT_JSON,
        ".gitignore": GITIGNORE,
        "README.md": README,
        "journal/.keep": "",
    }


def _scalar(text: str) -> str:
    """`text` as YAML, quoted only where it would mean something else."""
    import yaml

    dumped = yaml.safe_dump(text, allow_unicode=True, width=10_000)
    return dumped.removesuffix("\n").removesuffix("\n...")

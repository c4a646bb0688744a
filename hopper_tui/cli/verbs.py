"""Every verb: where its code is, and what it does in one sentence. Help is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Verb(NamedTuple):
    """A command: `target` is `module:attribute` in this package, imported when it is used."""

    target: str
    help: str


class Noun(NamedTuple):
    """A group of commands about one kind of thing; `default` is the verb meant where none is
    named."""

    help: str
    verbs: Mapping[str, Verb]
    aliases: Mapping[str, str]
    default: str = ""


TASK = Noun(
    "Work on single tasks.",
    {
        "add": Verb("add:add", "Add a task; it goes where it belongs."),
        "list": Verb("queue:list_", "List the tasks of an instance, in the order of its queue."),
        "show": Verb("task:show", "Show everything about a task."),
        "update": Verb("task:update", "Change fields of tasks."),
        "status": Verb("task:status", "Set the status of tasks in one word."),
        "claim": Verb("task:claim", "Take tasks, so that nobody else does."),
        "heartbeat": Verb("task:heartbeat", "Say that you are still at work on tasks."),
        "start": Verb("task:start", "Say that work on tasks has begun."),
        "done": Verb("task:done", "Mark tasks done; completion bubbles up."),
        "fail": Verb("task:fail", "Mark tasks failed, with the reason."),
        "block": Verb("task:block", "Mark tasks blocked, with the reason."),
        "release": Verb("task:release", "Give claimed or blocked tasks back to the queue."),
        "cancel": Verb("task:cancel", "Cancel tasks that need not be done."),
        "reopen": Verb("task:reopen", "Reopen tasks that are done, failed or cancelled."),
        "delegate": Verb("task:delegate", "Delegate tasks to another instance."),
        "break-down": Verb(
            "breakdown:break_down", "Break a task down into goals and phases of a run."
        ),
        "delegations": Verb("task:delegations", "Show the delegation chain of a task."),
        "why": Verb("task:why", "Explain why a task is where it is, and what it waits for."),
        "note": Verb("task:note", "Add a note to the history of a task."),
        "log": Verb("task:log", "Show the history of a task."),
        "search": Verb("queue:search", "Find tasks anywhere by the words in them."),
    },
    {"ls": "list", "get": "show", "complete": "done"},
)

INSTANCE = Noun(
    "See and steer the hoppers of the tree.",
    {
        "list": Verb("instance:list_", "List the instances."),
        "tree": Verb("instance:tree", "Show the instances as a tree."),
        "create": Verb("instance:create", "Create an instance."),
        "show": Verb("instance:show", "Show everything about an instance."),
        "config": Verb("instance:config", "Show or change the configuration of an instance."),
        "start": Verb("instance:start", "Start instances, so that they take work."),
        "stop": Verb("instance:stop", "Stop instances; unclaimed work goes back."),
        "pause": Verb("instance:pause", "Pause instances: they keep their work and take no more."),
        "resume": Verb("instance:resume", "Resume paused instances."),
        "fail": Verb("instance:fail", "Mark instances as in error; start recovers them."),
        "terminate": Verb("instance:terminate", "End instances for good."),
        "archive": Verb("instance:archive", "Keep the summary of a run and delete the run."),
    },
    {"ls": "list", "get": "show"},
)

DELEGATION = Noun(
    "Accept, reject and finish hops between instances.",
    {
        "list": Verb("delegation:list_", "List delegations, rejected ones included."),
        "accept": Verb("delegation:accept", "Accept pending delegations."),
        "reject": Verb("delegation:reject", "Reject pending delegations, with the reason."),
        "complete": Verb("delegation:complete", "Complete accepted delegations."),
        "cancel": Verb("delegation:cancel", "Take delegations back."),
    },
    {"ls": "list", "done": "complete"},
)

FEEDBACK = Noun(
    "Say how tasks went, and see what was said.",
    {
        "add": Verb("feedback:add", "Say how a task went."),
        "list": Verb("feedback:list_", "List the tasks of an instance that have feedback."),
        "report": Verb("feedback:report", "Sum up the feedback of an instance."),
    },
    {"ls": "list"},
)

PROJECT = Noun(
    "Register projects that work is routed to.",
    {
        "register": Verb("project:register", "Register a project as a target for work."),
        "list": Verb("project:list_", "List the projects."),
        "show": Verb("project:show", "Show everything about a project."),
        "remove": Verb(
            "project:remove", "Remove a project; its open tasks go back to the global hopper."
        ),
    },
    {"ls": "list", "add": "register", "get": "show"},
)

CONFLICTS = Noun(
    "See and decide what two people changed apart; alone it lists.",
    {
        "list": Verb("conflicts:list_", "List what two people changed apart from each other."),
        "resolve": Verb("conflicts:resolve", "Decide which of two values stands."),
    },
    {"ls": "list"},
    default="list",
)

FILTER = Noun(
    "Give filters a name; alone it lists.",
    {
        "list": Verb("filters:list_", "List the saved filters."),
        "save": Verb("filters:save", "Save a filter under a name."),
        "remove": Verb("filters:remove", "Remove saved filters."),
    },
    {"ls": "list", "add": "save"},
    default="list",
)

HOOKS = Noun(
    "Let git take tasks along by itself.",
    {
        "install": Verb("travel:install", "Let every git commit take the project's events along."),
        "remove": Verb(
            "travel:remove", "Remove Hopper's hooks and bring back what was there before."
        ),
    },
    {},
)

VERBS: dict[str, Verb] = {
    "add": TASK.verbs["add"],
    "list": TASK.verbs["list"],
    "next": Verb("queue:next_", "Show the next task to do, or claim it at once."),
    "work": Verb("work:work", "Run a command for each task of an instance, as a worker."),
    "search": TASK.verbs["search"],
    "status": Verb("overview:status", "Show the progress of an instance."),
    "stats": Verb("overview:stats", "Show the counts and speed of an instance."),
    "tasks": Verb("overview:tasks", "Show all tasks of an instance, or a tree of them."),
    "log": Verb("history:log", "Show what happened, newest first."),
    "watch": Verb("watch:watch", "Print what happens, as it happens."),
    "undo": Verb("history:undo", "Take back the last command."),
    "redo": Verb("history:redo", "Repeat what was taken back."),
    "diff": Verb("diff:diff", "Show what became of the tasks between two commits."),
    "bring": Verb("recovery:bring", "Bring a task of another branch into this checkout."),
    "recover": Verb("recovery:recover", "Bring back changes removed before they were committed."),
    "tui": Verb("screen:tui", "Open the terminal UI."),
    "web": Verb("web:web", "Open the terminal UI in a browser."),
    "demo": Verb("demo_command:demo", "Try Hopper in a world that is thrown away afterwards."),
    "prime": Verb("prime:prime", "Print what a coding agent needs to know to work here."),
    "init": Verb("upkeep:init", "Make this directory a project with a hopper of its own."),
    "doctor": Verb("upkeep:doctor", "Check the stores and say what is wrong."),
    "export": Verb("transfer:export", "Write the tasks of an instance as JSON, one a line."),
    "import": Verb(
        "transfer:import_", "Add the open tasks that export wrote, all of them or none."
    ),
    "commit": Verb("travel:commit", "Commit the tasks of a project to git."),
    "compact": Verb("travel:compact", "Pack the journal files of past months into one each."),
    "completion": Verb("completion:completion", "Print the completion script of a shell."),
}

NOUNS: dict[str, Noun] = {
    "task": TASK,
    "instance": INSTANCE,
    "delegation": DELEGATION,
    "feedback": FEEDBACK,
    "project": PROJECT,
    "filter": FILTER,
    "conflicts": CONFLICTS,
    "hooks": HOOKS,
}

ALIASES: dict[str, str] = {
    "ls": "list",
    "instances": "instance",
    "delegations": "delegation",
    "projects": "project",
    "filters": "filter",
    "conflict": "conflicts",
}
"""Other words for verbs and nouns at the top."""

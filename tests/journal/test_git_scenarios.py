"""Sixteen things that people do with git every day, each in both directions: nothing conflicts,
nothing is refused, and everybody sees what docs/git.md says they see.

Where two heads are merged a forge merges them as well: in a bare repository, without Hopper.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from journal.clones import Clone

Tasks = dict[str, dict[str, Any]]
"""What is listed, by id, in the order of the list."""

BRANCHES = pytest.mark.parametrize(("into", "other"), [("main", "topic"), ("topic", "main")])
"""Which branch takes the other one in."""
CLONES = pytest.mark.parametrize("puller", ["ann", "bob"])
"""Which clone takes the other one's work in."""
SQUASH = ("merge", "-q", "--squash")
"""The git command that stages what a branch did, to be committed as one."""


@dataclass(frozen=True)
class Shop:
    """A bare repository that two people cloned, and the tasks that were there at the time."""

    origin: Clone
    ann: Clone
    bob: Clone
    login: str
    docs: str
    cart: str
    shipped: str

    def pair(self, puller: str) -> tuple[Clone, Clone]:
        """Who pulls, and who is pulled from."""
        return (self.ann, self.bob) if puller == "ann" else (self.bob, self.ann)

    def offer(self, clone: Clone, ref: str = "HEAD") -> str:
        """Push a commit under a name of its own; returns its id."""
        commit = clone.git("rev-parse", ref).strip()
        clone.git("push", "-q", "origin", f"{commit}:refs/heads/of-{commit}")
        return commit

    def forge(self, ours: str, *theirs: str) -> str:
        """Merge commits without a working tree, one by one; returns the last merge."""
        for other in theirs:
            (tree,) = self.origin.git("merge-tree", "--write-tree", ours, other).split()
            parents = ("-p", ours, "-p", other)
            ours = self.origin.git("commit-tree", tree, *parents, "-m", "merged").strip()
        return ours

    def merge(self, into: Clone, branch: str, *how: str) -> str:
        """Merge a branch by the git command `how`; returns what a forge made of it, which is the
        same."""
        forged = self.forge(self.offer(into), self.offer(into, branch))
        into.git(*(how or ("merge", "-q", "--no-edit")), branch)
        if how == SQUASH:
            into.commit()
        return self.same(into, forged)

    def pull(self, into: Clone, other: Clone, how: str = "--no-rebase") -> str:
        """Pull from another clone; returns what a forge made of it, which is the same."""
        forged = self.forge(self.offer(into), self.offer(other))
        into.git("pull", "-q", how, "--no-edit", str(other.root), "HEAD")
        return self.same(into, forged)

    def same(self, clone: Clone, forged: str) -> str:
        """Check that the files of a clone are those that a forge made; returns its commit."""
        tree = self.origin.git("rev-parse", f"{forged}^{{tree}}")
        assert clone.git("rev-parse", "HEAD^{tree}") == tree
        return forged

    def everyone(
        self, done: Clone, forged: str | None = None, *others: Clone, said: tuple[str, ...] = ()
    ) -> Tasks:
        """What all see, and that nothing is wrong: `done`, where it was merged, and others, who
        pull what a forge made of it, or else what `done` has.

        `said` is what the doctor has to say nevertheless.
        """
        commit = forged or self.offer(done)
        self.origin.git("branch", "-f", "met", commit)
        others = others or tuple(c for c in (self.ann, self.bob) if c != done)
        for other in others:
            other.git("pull", "-q", "--no-rebase", "--no-edit", "origin", "met")
        first, *more = [sound(clone, said) for clone in (done, *others)]
        assert all(list(tasks.items()) == list(first.items()) for tasks in more)
        return first

    def conflicts(self) -> list[tuple[str, str, str, str]]:
        """What is listed as changed apart: the task, the field, the kind, who wrote what stands."""
        listed = self.ann.json("conflicts", "--all")
        return [(c["id"], c["field"], c["kind"], c["stands"]["actor"]) for c in listed]


def shown(clone: Clone) -> Tasks:
    """What a clone lists, after which git must still see nothing but new files."""
    tasks = {task["id"]: task for task in clone.json("list", "--all", "--limit", "0")}
    changed = clone.git("status", "--porcelain").splitlines()
    assert not [line for line in changed if not line.startswith("??")]
    return tasks


def sound(clone: Clone, said: tuple[str, ...] = ()) -> Tasks:
    """What a clone lists, with its cache and without, when no line of its journal is damaged."""
    caches = list((clone.root / ".hopper" / "web").glob("tasks.db*"))
    tasks = shown(clone)
    found = [
        finding["message"]
        for finding in clone.json("doctor", "--deep")
        if finding["level"] != "ok" and finding["subject"] in ("web", "hops")
    ]
    assert len(found) == len(said), found
    assert all(words in " ".join(found) for words in said), found
    for path in caches:
        path.unlink(missing_ok=True)
    assert not caches or list(shown(clone).items()) == list(tasks.items())
    return tasks


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, list[str]]:
    """A repository with four tasks, one of them done."""
    made = Clone.first(tmp_path_factory.mktemp("shop") / "made")
    titles = "Fix login\nWrite docs\nMend cart\nShip it\n"
    ids = made.hopper("add", "--batch", "-q", "-t", "api", stdin=titles).split()
    made.hopper("task", "done", ids[-1])
    made.commit()
    return made, ids


@pytest.fixture
def shop(tmp_path: Path, project: tuple[Clone, list[str]]) -> Shop:
    made, ids = project
    made.git("clone", "-q", "--bare", str(made.root), str(tmp_path / "origin.git"))
    origin = Clone(tmp_path / "origin.git", tmp_path / "origin-home", "eve")
    return Shop(origin, origin.clone(tmp_path / "ann"), origin.clone(tmp_path / "bob"), *ids)


def on(clone: Clone, branch: str) -> None:
    """Go to a branch, which begins here when there is none of the name."""
    known = clone.git("branch", "--list", branch)
    clone.git("checkout", "-q", *([] if known else ["-b"]), branch)


def begin(clone: Clone) -> None:
    """Make the branch `topic` beside `main`."""
    clone.git("branch", "topic")


def work(clone: Clone, *commands: tuple[str, ...]) -> None:
    """Run commands of hopper and commit what they made."""
    for command in commands:
        clone.hopper(*command)
    clone.commit()


@CLONES
def test_two_clones_work_apart_and_one_pulls_from_the_other(shop: Shop, puller: str) -> None:
    work(shop.ann, ("task", "update", shop.login, "-p", "high"), ("add", "By ann"))
    work(shop.bob, ("task", "update", shop.login, "--title", "Repair login"), ("add", "By bob"))
    one, other = shop.pair(puller)
    tasks = shop.everyone(one, shop.pull(one, other))
    assert len(tasks) == 6
    login = tasks[shop.login]
    assert (login["title"], login["priority"]) == ("Repair login", "high")
    assert shop.conflicts() == []


@BRANCHES
def test_two_branches_of_one_clone_are_merged(shop: Shop, into: str, other: str) -> None:
    ann, login = shop.ann, shop.login
    on(ann, "topic")
    given = ("--remove-tag", "api", "--add-tag", "ui", "--add-depends-on", shop.docs)
    work(ann, ("task", "update", login, *given))
    on(ann, "main")
    work(ann, *(("task", "update", login, how, "api") for how in ("--remove-tag", "--add-tag")))
    on(ann, into)
    task = shop.everyone(ann, shop.merge(ann, other))[login]
    assert set(task["tags"]) == {"api", "ui"}, "it was added after it was removed"
    assert task["depends_on"] == [shop.docs]


@BRANCHES
def test_a_branch_that_was_squashed_goes_on_and_is_squashed_again(
    shop: Shop, into: str, other: str
) -> None:
    ann = shop.ann
    begin(ann)
    on(ann, other)
    work(ann, ("task", "claim", shop.login), ("add", "First part"))
    on(ann, into)
    shop.merge(ann, other, *SQUASH)
    work(ann, ("task", "update", shop.login, "-p", "high"))
    on(ann, other)
    work(ann, ("task", "done", shop.login), ("add", "Second part"))
    on(ann, into)
    tasks = shop.everyone(ann, shop.merge(ann, other, *SQUASH))
    assert len(tasks) == 6
    login = tasks[shop.login]
    assert (login["status"], login["priority"]) == ("done", "high")


@BRANCHES
def test_a_branch_is_merged_of_which_a_commit_was_cherry_picked(
    shop: Shop, into: str, other: str
) -> None:
    ann = shop.ann
    begin(ann)
    on(ann, other)
    work(ann, ("task", "done", shop.login))
    work(ann, ("add", "Later"))
    on(ann, into)
    work(ann, ("task", "cancel", shop.login))
    ann.git("cherry-pick", f"{other}~1")
    assert shown(ann)[shop.login]["status"] == "done"
    tasks = shop.everyone(ann, shop.merge(ann, other))
    assert tasks[shop.login]["status"] == "done"
    assert len(tasks) == 5
    assert shop.conflicts() == [(shop.login, "status", "void", "ann")]


@BRANCHES
def test_a_branch_is_rebased_onto_another(shop: Shop, into: str, other: str) -> None:
    ann = shop.ann
    begin(ann)
    on(ann, other)
    work(ann, ("task", "update", shop.login, "--title", "Repair login"))
    work(ann, ("add", "On the side"))
    on(ann, into)
    work(ann, ("task", "update", shop.login, "--title", "Fix the login"))
    on(ann, other)
    forged = shop.merge(ann, into, "rebase", "-q")
    tasks = shop.everyone(ann, forged, said=("1 conflict to decide",))
    assert tasks[shop.login]["title"] == "Fix the login"
    assert len(tasks) == 5
    assert shop.conflicts() == [(shop.login, "title", "field", "ann")]


@BRANCHES
def test_what_is_not_committed_goes_along_to_another_branch(
    shop: Shop, into: str, other: str
) -> None:
    ann = shop.ann
    begin(ann)
    on(ann, other)
    task = ann.add("On the side")
    ann.commit()
    ann.hopper("task", "update", task, "-p", "high", "--executor", "")
    ann.hopper("add", "Carried")
    on(ann, into)
    tasks = shown(ann)
    assert tasks[task]["title"] == "(created on another branch)"
    assert tasks[task]["executor_preference"] == "manual", "nobody is handed it"
    assert "Carried" in [t["title"] for t in tasks.values()]
    ann.commit()
    tasks = shop.everyone(ann, shop.merge(ann, other))
    assert (tasks[task]["title"], tasks[task]["priority"]) == ("On the side", "high")
    assert not tasks[task]["executor_preference"]
    assert len(tasks) == 6


@CLONES
def test_a_rebasing_pull_leaves_what_is_not_committed(shop: Shop, puller: str) -> None:
    one, other = shop.pair(puller)
    work(other, ("task", "claim", shop.login))
    other.git("push", "-q", "origin", "main")
    one.hopper("task", "done", shop.login)
    one.git("pull", "-q", "--rebase", "origin", "main")
    assert shown(one)[shop.login]["status"] == "done"
    one.commit()
    work(other, ("add", "Meanwhile"))
    tasks = shop.everyone(one, shop.pull(one, other, "--rebase"))
    assert tasks[shop.login]["status"] == "done"
    assert len(tasks) == 5
    assert shop.conflicts() == [(shop.login, "status", "void", one.actor)]


@BRANCHES
def test_what_was_stashed_is_taken_out_again(shop: Shop, into: str, other: str) -> None:
    ann = shop.ann
    begin(ann)
    on(ann, other)
    ann.hopper("task", "done", shop.login)
    first = shown(ann)[shop.login]["completed_at"]
    ann.git("stash", "-q", "-u")
    assert shown(ann)[shop.login]["status"] == "pending"
    on(ann, into)
    work(ann, ("task", "done", shop.login))
    on(ann, other)
    ann.git("stash", "pop", "-q")
    work(ann, ("add", "On the side"))
    on(ann, into)
    login = shop.everyone(ann, shop.merge(ann, other))[shop.login]
    assert (login["status"], login["completed_at"]) == ("done", first)
    assert shop.conflicts() == [(shop.login, "status", "void", "ann")]


@CLONES
def test_a_commit_is_amended_that_others_have_already(shop: Shop, puller: str) -> None:
    ann, bob = shop.ann, shop.bob
    work(ann, ("add", "By ann"))
    bob.git("pull", "-q", "--no-rebase", str(ann.root), "main")
    for clone in (ann, bob):
        run = ("instance", "create", f"of-{clone.actor}", "--scope", "orchestration")
        target = clone.json(*run, "--parent", "web")["instance_id"]
        clone.hopper("instance", "start", target)
        clone.hopper("task", "delegate", shop.login, "--to", target)
    ann.git("add", "-A")
    ann.git("commit", "-q", "--amend", "--no-edit")
    bob.commit()
    one, other = shop.pair(puller)
    tasks = shop.everyone(one, shop.pull(one, other))
    assert tasks[shop.login]["status"] == "delegated"
    assert len(tasks) == 5
    for clone in (ann, bob):
        hops = clone.json("task", "delegations", shop.login)
        assert [hop["target"] for hop in hops] == ["of-ann", "of-bob"]
        assert "→ of-ann" in clone.hopper("list")


@BRANCHES
def test_a_commit_is_reverted_and_the_revert_as_well(shop: Shop, into: str, other: str) -> None:
    ann = shop.ann
    work(ann, ("task", "done", shop.login))
    begin(ann)
    work(ann, ("add", "Afterwards"))
    ann.git("revert", "--no-edit", "HEAD~1")
    assert shown(ann)[shop.login]["status"] == "pending"
    on(ann, "topic")
    work(ann, ("add", "On the side"))
    on(ann, into)
    shop.merge(ann, other)
    assert shown(ann)[shop.login]["status"] == "pending"
    reverted = ann.git("log", "--format=%H", "--grep=^Revert").strip()
    ann.git("revert", "--no-edit", reverted)
    tasks = shop.everyone(ann)
    assert tasks[shop.login]["status"] == "done"
    assert len(tasks) == 6


@BRANCHES
def test_two_worktrees_of_one_clone_are_merged(
    shop: Shop, tmp_path: Path, into: str, other: str
) -> None:
    main = shop.ann
    topic = main.worktree(tmp_path / "topic", "topic", actor="joe")
    main.hopper("task", "claim", shop.login)
    assert "held by ann" in topic.says("task", "claim", shop.login)
    assert topic.json("next", "--claim")["id"] == shop.docs
    main.commit()
    topic.commit()
    one, two = (main, topic) if into == "main" else (topic, main)
    tasks = shop.everyone(one, shop.merge(one, other), two, shop.bob)
    assert [tasks[task]["owner"] for task in (shop.login, shop.docs)] == ["ann", "joe"]
    assert shop.conflicts() == []


@pytest.mark.parametrize("into", ["main", "agent-0"])
def test_five_branches_are_merged_at_once(shop: Shop, into: str) -> None:
    ann = shop.ann
    needs = [(shop.login, shop.docs), (shop.docs, shop.cart), (shop.cart, shop.login)]
    commands = [("task", "update", task, "--add-depends-on", other) for task, other in needs]
    commands += [("task", "reopen", shop.shipped), ("add", "By agent-4")]
    for number, command in enumerate(commands):
        ann.git("checkout", "-q", "-b", f"agent-{number}", "main")
        work(ann, command)
    heads = ["main", *(f"agent-{number}" for number in range(5))]
    on(ann, "main")
    work(ann, ("add", "On main"))
    on(ann, into)
    theirs = [shop.offer(ann, head) for head in heads if head != into]
    forged = shop.forge(shop.offer(ann), *theirs)
    ann.git("merge", "-q", "--no-edit", *theirs)
    tasks = shop.everyone(ann, shop.same(ann, forged), said=("circle",))
    assert tasks[shop.shipped]["status"] == "pending"
    assert len(tasks) == 6
    ready = {task["id"] for task in ann.json("list", "--ready")}
    assert ready & {shop.login, shop.docs, shop.cart} == {shop.cart}, "it closed the circle"


@CLONES
def test_two_clones_claim_the_same_task(shop: Shop, puller: str) -> None:
    work(shop.ann, ("task", "claim", shop.login))
    work(shop.bob, ("task", "claim", shop.login))
    one, other = shop.pair(puller)
    login = shop.everyone(one, shop.pull(one, other), said=("1 conflict to decide",))[shop.login]
    assert (login["status"], login["owner"]) == ("claimed", "ann")
    assert shop.conflicts() == [(shop.login, "status", "claim", "ann")]


@BRANCHES
def test_a_forge_merges_what_two_clones_pushed(shop: Shop, into: str, other: str) -> None:
    ann, bob, shipped = shop.ann, shop.bob, shop.shipped
    on(ann, "topic")
    work(ann, ("task", "reopen", shipped))
    work(bob, ("task", "reopen", shipped), ("task", "done", shipped))
    for clone, branch in ((ann, "topic"), (bob, "main")):
        clone.git("push", "-q", "origin", branch)
    forged = shop.forge(into, other)
    shop.origin.git("branch", "-f", into, forged)
    ann.git("pull", "-q", "--ff-only", "origin", into)
    assert shop.everyone(ann, forged)[shipped]["status"] == "done", "it was done again unseen"
    assert shop.conflicts() == [(shipped, "status", "void", "bob")]


@BRANCHES
def test_own_work_that_was_merged_upstream_is_pulled_beside_what_is_not_committed(
    shop: Shop, into: str, other: str
) -> None:
    ann = shop.ann
    begin(ann)
    on(ann, other)
    work(ann, ("task", "claim", shop.docs), ("task", "done", shop.login))
    ann.git("push", "-q", "origin", f"{other}:{into}")
    on(ann, into)
    ann.hopper("task", "claim", shop.login)
    ann.git("pull", "-q", "--no-rebase", "origin", into)
    assert shown(ann)[shop.login]["status"] == "done"
    ann.commit()
    tasks = shop.everyone(ann)
    assert [tasks[t]["status"] for t in (shop.login, shop.docs)] == ["done", "claimed"]
    assert shop.conflicts() == [(shop.login, "status", "void", "ann")]


@pytest.mark.installed
@pytest.mark.parametrize("puller", ["original", "copy"])
def test_a_copied_directory_is_a_clone_of_its_own(shop: Shop, tmp_path: Path, puller: str) -> None:
    original = shop.ann
    original.hopper("add", "Not committed when it was copied")
    copied = shutil.copytree(original.root, tmp_path / "copy", symlinks=True)
    copy = Clone(copied, original.home, original.actor)
    before = original.files()
    for clone, word in ((original, "Repair"), (copy, "Mend")):
        work(clone, ("task", "update", shop.login, "--title", f"{word} login"), ("add", word))
    made = [{name.split("-")[2] for name in c.files() - before} for c in (original, copy)]
    assert len(made[0] | made[1]) == 2, "each has an identity of its own"
    one, other = (original, copy) if puller == "original" else (copy, original)
    tasks = shop.everyone(one, shop.pull(one, other), other, said=("1 conflict to decide",))
    assert tasks[shop.login]["title"] == "Mend login"
    assert len(tasks) == 7

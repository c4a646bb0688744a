"""Contract: what a transaction records, and that it is all or nothing."""

from __future__ import annotations

import threading

import pytest

from hopper_tui.model.errors import Invalid, StorageError
from hopper_tui.model.event import Patch
from hopper_tui.model.lifecycle import DelegationStatus, InstanceStatus, Priority, TaskStatus
from hopper_tui.model.query import Query, Term
from hopper_tui.store.protocol import Store

from .writing import AT, change, hop, instance, task, tasks, titles, writing


def test_what_is_created_is_read_back_exactly(store: Store) -> None:
    given = task(
        "Fix [/x] \x1b[31m \u202e 日本語 🎉 \x00 end",
        description="a\nb\t\"c\" 'd'",
        tags=("api", "a,b", 'q"uote'),
        priority=Priority.URGENT,
        required_capabilities=("python",),
        needs_orchestration=True,
        external={"platform": "github", "id": 3},
        metadata={"deep": {"list": [1, None, "é"]}},
        result=[1, {"a": None}],
        feedback={"quality": 4},
        attempts=3,
        waiting=True,
    )
    with writing(store) as tx:
        made = tx.create(given, "task.created")
    assert store.task(given.id) == made
    assert made.updated_at == AT


def test_an_instance_and_a_hop_are_read_back_exactly(store: Store) -> None:
    with writing(store) as tx:
        here = tx.create(instance(config={"capabilities": ["react"]}), "instance.created")
        offered = tx.create(
            hop(subtasks=("a", "b"), child_tasks=("c1", "c2"), result={"x": 1}, decision={"y": 2}),
            "delegation.offered",
        )
    assert store.instance("web") == here
    assert store.delegation("h") == offered


def test_an_error_inside_a_transaction_leaves_nothing(store: Store) -> None:
    tasks(store, "before")

    def half() -> None:
        with writing(store, "g2") as tx:
            tx.create(task("half"), "task.created")
            tx.create(instance(), "instance.created")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert titles(store.query(Query())) == ["before"]
    assert store.instances() == []
    assert store.events(group="g2") == []
    assert store.counts("web") == {TaskStatus.PENDING: 1}


def test_a_taken_id_is_refused_and_nothing_of_the_transaction_stays(store: Store) -> None:
    tasks(store, "one")

    def both() -> None:
        with writing(store, "g2") as tx:
            tx.create(task("two"), "task.created")
            tx.create(task("again", id=task("one").id), "task.created")

    with pytest.raises(StorageError):
        both()
    assert titles(store.query(Query())) == ["one"]
    assert len(store.events()) == 1


def test_the_store_works_on_after_a_failed_transaction(store: Store) -> None:

    def fails() -> None:
        with writing(store) as tx:
            tx.create(task("one"), "task.created")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fails()
    tasks(store, "two")
    assert titles(store.query(Query())) == ["two"]


def test_a_transaction_reads_its_own_writes_and_others_do_not(store: Store, another: Store) -> None:
    with writing(store) as tx:
        made = tx.create(task("one"), "task.created")
        assert store.task(made.id) == made
        assert another.task(made.id) is None
    assert another.task(made.id) == made


def test_transactions_of_threads_follow_one_another(store: Store) -> None:
    def work(name: str) -> None:
        for n in range(20):
            with writing(store, f"{name}{n}") as tx:
                tx.create(task(f"{name}{n}"), "task.created")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count(Query()) == 80
    assert store.counts("web") == {TaskStatus.PENDING: 80}
    assert {len(store.events(group=f"{name}{n}")) for name in "abcd" for n in range(20)} == {1}


# Events


def test_creating_records_what_differs_from_the_defaults(store: Store) -> None:
    tasks(store, "one", priority=Priority.HIGH)
    (event,) = store.events()
    assert (event.kind, event.entity, event.actor, event.at, event.group) == (
        "task.created", "task", "ann", AT, "g1",
    )  # fmt: skip
    assert event.patch.set["priority"] == "high"
    assert "description" not in event.patch.set
    assert "open_deps" not in event.patch.set
    assert event.patch.base == {}


def test_a_change_records_new_and_base_values(store: Store) -> None:
    (one,) = tasks(store, "one", tags=("a", "b"))
    changed = change(store, one, title="two", tags=("b", "c"), description="")
    event = store.events(key=one.id)[-1]
    assert event.patch.set == {"title": "two"}
    assert event.patch.base == {"title": "one"}
    assert dict(event.patch.on) == {"tags": ("c",)}
    assert dict(event.patch.off) == {"tags": ("a",)}
    assert changed.tags == ("b", "c")
    assert store.task(one.id) == changed


def test_no_change_records_nothing_unless_there_is_a_note(store: Store) -> None:
    (one,) = tasks(store, "one")
    assert change(store, one, title="one") is one
    assert len(store.events()) == 1
    with writing(store, "g2") as tx:
        tx.change(one, "task.changed", {"why": "said"}, title="one")
    assert store.events()[-1].note == {"why": "said"}
    assert store.events()[-1].patch == Patch()


def test_a_recorded_patch_taken_back_restores_the_entity(store: Store) -> None:
    (one,) = tasks(store, "one", tags=("a", "b"), result={"x": [1]})
    change(
        store, one, title="two", tags=("b", "c"), status=TaskStatus.DONE, result=None,
        priority=Priority.LOW, completed_at=AT,
    )  # fmt: skip
    patch = store.events()[-1].patch
    with writing(store, "g3") as tx:
        tx.patch("task", one.id, patch.inverse, "task.undo")
    after = store.task(one.id)
    assert after is not None
    assert set(after.tags) == {"a", "b"}
    assert after == store.tasks([one.id])[0]
    assert (after.title, after.status, after.result, after.priority, after.completed_at) == (
        "one", TaskStatus.PENDING, {"x": [1]}, Priority.MEDIUM, None,
    )  # fmt: skip


def test_patching_what_is_not_here_records_nothing(store: Store) -> None:
    with writing(store) as tx:
        tx.patch("task", "gone", Patch(set={"title": "x"}), "task.undo")
    assert store.events() == []


def test_a_remark_changes_no_field(store: Store) -> None:
    (one,) = tasks(store, "one")
    with writing(store, "g2") as tx:
        tx.remark("task", one.id, "task.note", "looks hard")
    assert store.task(one.id) == one
    assert store.events(key=one.id, kind="task.note")[0].note == "looks hard"


def test_events_are_found_by_key_group_kind_and_position(store: Store) -> None:
    one, two = tasks(store, "one", "two")
    change(store, one, title="uno")
    seqs = [e.seq for e in store.events()]
    assert seqs == sorted(seqs)
    assert [e.key for e in store.events(group="g1")] == [one.id, two.id]
    assert [e.kind for e in store.events(key=one.id)] == ["task.created", "task.changed"]
    assert [e.key for e in store.events(kind="task.changed")] == [one.id]
    assert [e.seq for e in store.events(after=seqs[0])] == seqs[1:]
    assert [e.seq for e in store.events(newest=True, limit=2)] == seqs[:-3:-1]


# Counts and dependencies


def test_counts_follow_every_change(store: Store) -> None:
    one, two, _three = tasks(store, "one", "two", "three")
    change(store, one, status=TaskStatus.DONE)
    change(store, two, instance="worker")
    assert store.counts("web") == {TaskStatus.PENDING: 1, TaskStatus.DONE: 1}
    assert store.counts("worker") == {TaskStatus.PENDING: 1}
    assert store.all_counts() == {k: store.counts(k) for k in ("web", "worker")}
    assert store.counts("nobody") == {}


def test_open_dependencies_are_counted_and_fall_when_they_are_done(store: Store) -> None:
    a, b = tasks(store, "a", "b")
    (c,) = tasks(store, "c", depends_on=(a.id, b.id))
    assert (c.open_deps, c.is_ready) == (2, False)
    a = change(store, a, status=TaskStatus.DONE)
    b = change(store, b, status=TaskStatus.CANCELLED)
    assert _open_deps(store, c.id) == 1
    change(store, b, status=TaskStatus.DONE)
    assert _open_deps(store, c.id) == 0
    change(store, a, status=TaskStatus.PENDING)
    assert _open_deps(store, c.id) == 1
    assert titles(store.dependents(a.id)) == ["c"]


def test_dependencies_can_change_and_unknown_ones_do_not_hold_back(store: Store) -> None:
    a, b = tasks(store, "a", "b")
    (c,) = tasks(store, "c", depends_on=(a.id, "never-seen"))
    assert c.open_deps == 1
    c = change(store, c, depends_on=(b.id,))
    assert c.open_deps == _open_deps(store, c.id) == 1
    assert store.dependents(a.id) == []
    assert change(store, c, depends_on=()).open_deps == 0


def test_a_dependency_that_arrives_late_counts(store: Store) -> None:
    late = task("late")
    (one,) = tasks(store, "one", depends_on=(late.id,))
    assert one.open_deps == 0
    tasks(store, "late")
    assert _open_deps(store, one.id) == 1


def _open_deps(store: Store, key: str) -> int:
    found = store.task(key)
    assert found is not None
    return found.open_deps


# Hops


def test_told_is_local_and_marks_what_is_settled(store: Store) -> None:
    with writing(store) as tx:
        offered = tx.create(hop(), "delegation.offered")
    assert store.unsettled() == [offered]
    with writing(store) as tx:
        tx.told("h", DelegationStatus.PENDING)
    assert store.unsettled() == []
    assert len(store.events()) == 1
    offered = store.delegations()[0]
    with writing(store) as tx:
        tx.change(offered, "delegation.accepted", status=DelegationStatus.ACCEPTED)
    assert [h.id for h in store.unsettled()] == ["h"]


def test_hops_are_found_by_task_root_status_and_prefix(store: Store) -> None:
    with writing(store) as tx:
        tx.create(hop("h1", status=DelegationStatus.REJECTED), "delegation.offered")
        tx.create(hop("h2"), "delegation.offered")
        tx.create(hop("k3", task="child", source="worker"), "delegation.offered")
    assert [h.id for h in store.hops_of("t")] == ["h1", "h2"]
    assert [h.id for h in store.hops_of_root("t")] == ["h1", "h2", "k3"]
    assert [h.id for h in store.delegations(["pending"])] == ["h2", "k3"]
    assert [h.id for h in store.delegations()] == ["h1", "h2", "k3"]
    assert [h.id for h in store.delegations_by_prefix("h", 9)] == ["h1", "h2"]
    assert len(store.delegations_by_prefix("h", 1)) == 1
    assert store.delegation("none") is None


def test_children_of_a_hop_come_in_the_order_they_were_made(store: Store) -> None:
    tasks(store, "z", "a", "m", origin="h")
    tasks(store, "other", origin="k")
    assert titles(store.children("h")) == ["z", "a", "m"]


# Upkeep


def test_rebuilding_gives_the_same_tables(store: Store) -> None:
    with writing(store) as tx:
        here = tx.create(instance(), "instance.created")
        tx.change(here, "instance.running", status=InstanceStatus.RUNNING)
        offered = tx.create(hop(), "delegation.offered")
        tx.told("h", DelegationStatus.PENDING)
        tx.change(offered, "delegation.accepted", status=DelegationStatus.ACCEPTED)
    one, two = tasks(store, "one", "two", tags=("x", "y"))
    (three,) = tasks(store, "three", depends_on=(one.id, two.id))
    one = change(store, one, tags=("y", "z"), status=TaskStatus.DONE)
    with writing(store, "g3", at="2030-01-01T00:00:00.000Z") as tx:
        tx.remark("task", one.id, "task.note", "x")
    before = _everything(store)
    assert store.rebuild() == len(store.events())
    assert _everything(store) == before
    assert store.check() == []
    assert titles(store.query(Query(terms=(Term("text", ("thre",)),)))) == ["three"]
    assert _open_deps(store, three.id) == 1


def _everything(store: Store) -> tuple[object, ...]:
    return (
        store.query(Query(closed=True, sort="created")),
        store.instances(),
        store.delegations(),
        store.all_counts(),
        store.events(),
    )


def test_removing_an_instance_forgets_its_tasks_and_keeps_the_events(store: Store) -> None:
    with writing(store) as tx:
        tx.create(instance("web"), "instance.created")
        tx.create(instance("worker"), "instance.created")
    (gone,) = tasks(store, "gone", instance="worker")
    tasks(store, "stays", depends_on=(gone.id,))
    recorded = len(store.events())
    with writing(store, "g2") as tx:
        tx.remove_instance("worker", "instance.removed")
    assert [i.id for i in store.instances()] == ["web"]
    assert titles(store.query(Query())) == ["stays"]
    assert store.counts("worker") == {}
    assert len(store.events()) > recorded
    assert store.check() == []
    before = _everything(store)
    store.rebuild()
    assert _everything(store) == before


def test_purging_removes_only_what_was_closed_long_ago(store: Store) -> None:
    old, young, waited_for, unfinished = tasks(store, "old", "young", "waited for", "open")
    tasks(store, "waits", depends_on=(waited_for.id,))
    long_ago = "2020-01-01T00:00:00.000Z"
    change(store, old, status=TaskStatus.DONE, completed_at=long_ago)
    change(store, young, status=TaskStatus.DONE, completed_at=AT)
    change(store, waited_for, status=TaskStatus.FAILED, completed_at=long_ago)
    change(store, unfinished, title="still open")
    assert store.purge("nobody", AT) == 0
    assert store.purge("web", AT) == 1
    left = titles(store.query(Query(closed=True, sort="created")))
    assert left == ["young", "waited for", "still open", "waits"]
    assert store.check() == []
    assert store.query(Query(terms=(Term("text", ("old",)),), closed=True)) == []


def test_check_names_counters_that_drifted(store: Store) -> None:
    tasks(store, "one")
    assert store.check() == []
    store._connection.execute("UPDATE status_counts SET n = 7")  # type: ignore[attr-defined]
    assert store.check() == ["2 counters differ from the tasks"]
    store.rebuild()
    assert store.check() == []


# What is local


def test_locals_are_kept_beside_the_record(store: Store) -> None:
    store.set_local("project:a", "1")
    store.set_local("project:b", "2")
    store.set_local("other", "3")
    store.set_local("project:a", "4")
    assert store.local("project:a") == "4"
    assert store.locals("project:") == {"project:a": "4", "project:b": "2"}
    store.unset_local("project:a")
    assert store.local("project:a") is None
    store.rebuild()
    assert store.local("other") == "3"
    assert store.events() == []


def test_the_revision_changes_with_every_commit_of_ours(store: Store) -> None:
    before = store.revision()
    assert store.revision() == before
    tasks(store, "one")
    assert store.revision() != before


def test_the_revision_changes_when_somebody_else_commits(store: Store, another: Store) -> None:
    before = store.revision()
    tasks(another, "one")
    after = store.revision()
    assert after != before
    assert store.revision() == after


def test_text_that_is_no_unicode_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="Unicode"):
        store.query(Query(terms=(Term("text", ("abc\udcff",)),)))
    with pytest.raises(Invalid, match="Unicode"):
        tasks(store, "bad \udcff", id="x")
    assert store.events() == []


def test_events_outlive_their_task_and_are_no_other_tasks(store: Store) -> None:
    (gone,) = tasks(store, "gone")
    change(store, gone, priority=Priority.HIGH)
    with writing(store) as tx:
        tx.remove_instance("web", "instance.removed")
    (fresh,) = tasks(store, "fresh")
    change(store, fresh, priority=Priority.LOW)
    kinds = [event.kind for event in store.events(key=gone.id)]
    assert kinds[:2] == ["task.created", "task.changed"]
    assert [e.kind for e in store.events(key=fresh.id)] == ["task.created", "task.changed"]

"""Many stores at once: one object each, few of them open."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from hopper_tui.engine.places import OPEN_STORES, Places
from hopper_tui.engine.world import World
from hopper_tui.model.errors import StorageError
from hopper_tui.model.query import Query
from hopper_tui.store.sqlite import SqliteStore

from .writing import tasks


def _open(places: Places) -> int:
    return sum(store._db is not None for store in places._stores.values())


def test_few_stores_are_kept_open_and_each_is_one_object(tmp_path: Path) -> None:
    places = Places(tmp_path, None)
    paths = [tmp_path / f"{n}.db" for n in range(OPEN_STORES + 9)]
    stores = [places.at(path) for path in paths]
    for path in paths:
        tasks(places.at(path), "one")
    assert _open(places) <= OPEN_STORES
    assert [places.at(path) for path in paths] == stores
    assert [store.count(Query()) for store in stores] == [1] * len(paths)
    places.close()
    assert _open(places) == 0


def test_threads_share_the_stores(tmp_path: Path) -> None:
    places = Places(tmp_path, None)
    paths = [tmp_path / f"{n}.db" for n in range(OPEN_STORES + 5)]
    for path in paths:
        tasks(places.at(path), "one")
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for path in paths * 2:
                assert places.at(path).count(Query()) == 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    places.close()


def test_threads_that_begin_at_once_share_the_store_of_the_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []
    threads = 4
    ready = threading.Barrier(threads)

    def slowly(store: SqliteStore, path: Path | None = None) -> None:
        made.append(store)
        time.sleep(0.02)

    monkeypatch.setattr(SqliteStore, "__init__", slowly)
    places = Places(None, None)

    def use() -> None:
        ready.wait()
        assert places.home_store

    begun = [threading.Thread(target=use) for _ in range(threads)]
    for thread in begun:
        thread.start()
    for thread in begun:
        thread.join()
    assert len(made) == 1


def test_nothing_is_made_in_a_checkout_that_lacks_the_project(tmp_path: Path) -> None:
    root = tmp_path / "web"
    root.mkdir()
    world = World(tmp_path / "home", root, actor="ann")
    world.init_project(root, "web")
    world.close()
    shutil.rmtree(root / ".hopper")
    above = World(tmp_path / "home", tmp_path, actor="ann")
    with pytest.raises(StorageError, match="not there any more"):
        above.hopper("web").list()
    above.doctor()
    above.close()
    assert list(root.iterdir()) == []

"""Pages: the bodies of a long list of ids, kept for those that are near the eye."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hopper_tui.tui.snapshot import TaskRow

PAGE = 128
"""Bodies fetched at once."""
KEPT = 32 * PAGE
"""Bodies kept; the oldest are dropped first."""


class Pages:
    """All ids of a queue in order, and the bodies fetched so far.

    A body from before the last refresh is shown until its page has been fetched again.
    """

    def __init__(self) -> None:
        self.ids: Sequence[str] = ()
        self._rows: dict[str, TaskRow] = {}
        self._asked: set[int] = set()

    def replace(self, ids: Sequence[str], rows: Mapping[str, TaskRow]) -> None:
        """Adopt another order of ids with the bodies that came along."""
        self.ids = ids
        self._asked.clear()
        self.add(rows)

    def add(self, rows: Mapping[str, TaskRow]) -> None:
        """Keep these bodies as the newest."""
        for key, row in rows.items():
            self._rows.pop(key, None)
            self._rows[key] = row
        for key in list(self._rows)[: max(0, len(self._rows) - KEPT)]:
            del self._rows[key]

    def get(self, index: int) -> TaskRow | None:
        """The body at `index` if it is here."""
        return self._rows.get(self.ids[index])

    def row(self, key: str | None) -> TaskRow | None:
        """The body of a task if it is here."""
        return self._rows.get(key) if key is not None else None

    def have(self, keys: Iterable[str]) -> None:
        """Note that these ids came fresh with the last refresh."""
        fresh = set(keys)
        for page in range(-(-len(self.ids) // PAGE)):
            if self.ids[page * PAGE] not in fresh:
                continue
            if fresh.issuperset(self.ids[page * PAGE : (page + 1) * PAGE]):
                self._asked.add(page)

    def wanted(self, window: range) -> list[str]:
        """Ids still to be fetched to show `window` and a page to either side; asked for once."""
        if not self.ids:
            return []
        last = (len(self.ids) - 1) // PAGE
        near = range(max(0, window.start // PAGE - 1), min(last, window.stop // PAGE + 1) + 1)
        pages = [page for page in (*near, last) if page not in self._asked]
        self._asked.update(pages)
        return [key for page in pages for key in self.ids[page * PAGE : (page + 1) * PAGE]]

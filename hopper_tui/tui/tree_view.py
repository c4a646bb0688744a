"""TreeView: all hoppers, with their state and load."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from hopper_tui.tui.commands import bindings_of
from hopper_tui.tui.line_list import LineList
from hopper_tui.tui.presentation import problem_lines, tree_row
from hopper_tui.tui.roles import Line, Span
from hopper_tui.tui.snapshot import TreeRow, TreeSnapshot


class TreeView(LineList):
    """Hoppers indented below their parents; folded ones hide what is below them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("tree")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.snapshot = TreeSnapshot(0)
        self._folded: set[str] = set()
        self._rows: list[TreeRow] = []

    def show(self, tree: TreeSnapshot, by_others: bool = False) -> None:
        """Show another state of the tree; the selected hopper stays selected. What others changed
        is marked for a moment."""
        if by_others:
            known = {row.instance.id: row for row in self.snapshot.rows}
            self.freshen(key for row in tree.rows if known.get(key := row.instance.id) != row)
        self.snapshot = tree
        self.notice = (
            problem_lines(tree.problem, max(12, self.line_width - 2))
            if tree.problem
            else ((Span("No hoppers yet.", "muted"),),)
        )
        self._unfold_rows()

    def select(self, instance_id: str) -> bool:
        """Put the cursor on a hopper; False if the tree does not show it."""
        index = self._index(instance_id)
        if index is None:
            return False
        self.place_cursor(index)
        self.lines_changed()
        return True

    def beside(self, instance_id: str, step: int) -> str | None:
        """The hopper so many rows further on; None where there is none."""
        index = self._index(instance_id)
        wanted = -1 if index is None else index + step
        return self._rows[wanted].instance.id if 0 <= wanted < len(self._rows) else None

    @property
    def hopper(self) -> TreeRow | None:
        """The selected hopper."""
        return self._rows[self.cursor] if self._rows else None

    def line_count(self) -> int:
        return len(self._rows)

    def id_at(self, index: int) -> str | None:
        return self._rows[index].instance.id

    def line_at(self, index: int, width: int) -> Line:
        row = self._rows[index]
        key = row.instance.id
        return tree_row(row, width, key in self._folded, key in self.fresh)

    def action_fold(self) -> None:
        """Hide what is below the selected hopper, or go to its parent."""
        row = self.hopper
        if row is None:
            return
        if row.has_children and row.instance.id not in self._folded:
            self._folded.add(row.instance.id)
            self._unfold_rows()
        elif row.instance.parent and (index := self._index(row.instance.parent)) is not None:
            self.cursor = index

    def action_unfold(self) -> None:
        """Show what is below the selected hopper, or go to its queue."""
        row = self.hopper
        if row and row.instance.id in self._folded:
            self._folded.discard(row.instance.id)
            self._unfold_rows()
        else:
            self.action_choose()

    def action_fold_toggle(self) -> None:
        """Hide or show what is below the selected hopper."""
        if row := self.hopper:
            self._folded ^= {row.instance.id}
            self._unfold_rows()

    def _index(self, instance_id: str) -> int | None:
        return next((i for i, r in enumerate(self._rows) if r.instance.id == instance_id), None)

    def _unfold_rows(self) -> None:
        """Recompute what is visible, keeping the cursor on its hopper."""
        selected = self.selected
        rows: list[TreeRow] = []
        hidden_below: int | None = None
        for row in self.snapshot.rows:
            if hidden_below is not None and row.depth > hidden_below:
                continue
            hidden_below = row.depth if row.instance.id in self._folded else None
            rows.append(row)
        self._rows = rows
        index = self._index(selected) if selected else None
        self.place_cursor(self.cursor if index is None else index)
        self.lines_changed()
        if self.selected != selected:
            self.post_message(self.Highlighted(self, self.selected))

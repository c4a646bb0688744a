"""LineInput: a field of one line that takes all lines of what is pasted into it."""

from __future__ import annotations

from textual.events import Paste
from textual.widgets import Input


class LineInput(Input):
    """Textual's keeps the first line of a paste and drops the others without a word."""

    def on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        line = " ".join(filter(None, map(str.strip, event.text.splitlines())))
        if self.selection.is_empty:
            self.insert_text_at_cursor(line)
        else:
            self.replace(line, *self.selection)

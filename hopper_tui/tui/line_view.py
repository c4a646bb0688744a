"""LineView: a scrolling widget that paints lines on demand, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.color import Color
from textual.content import Content
from textual.events import Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hopper_tui.model.text import plain
from hopper_tui.tui.roles import BOLD, GROUNDED, Line, Role

CACHED_STRIPS = 1024


class LineView(ScrollView, can_focus=True):
    """Asks its subclass for the lines on the screen only, and repaints only those that changed.

    A subclass answers `line_count`, `line_at` and, where painting is worth caching, `line_key`.
    `notice` is shown when there are no lines: why, and what to do; lines, or what makes them for
    a width.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = ("", "")
        self.notice: tuple[Line, ...] | Callable[[int], tuple[Line, ...]] = ()
        self._styles: dict[Role, Style] = {}
        self._strips: LRUCache[Hashable, Strip] = LRUCache(CACHED_STRIPS)
        self._painted: dict[int, Strip] = {}

    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line_at(self, index: int, width: int) -> Line:
        """The line at `index`, `width` cells wide."""
        raise NotImplementedError

    def line_key(self, index: int) -> Hashable:
        """What the line at `index` depends on besides width; None paints it each time."""
        return None

    def line_role(self, index: int) -> Role | None:
        """One role for the whole line, or None to leave each span its own."""
        return None

    def show_title(self, title: str, note: str = "") -> None:
        """Show a title in the upper border and a note in the lower one, as text."""
        if (title, note) != self._titles:
            self._titles = (title, note)
            self.border_title = Content(f" {plain(title)} ") if title else None
            self.border_subtitle = Content(f" {plain(note)} ") if note else None

    @property
    def line_width(self) -> int:
        """Cells that a line may take."""
        return self.scrollable_content_region.width

    @property
    def visible_lines(self) -> range:
        """Indices of the lines on the screen."""
        top = self.scroll_offset.y
        return range(top, min(self.line_count(), top + self.size.height))

    def on_resize(self, event: Resize) -> None:
        self._fit()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}
        self._strips.clear()

    def forget_strips(self) -> None:
        """Paint every line anew: what lines depend on has changed."""
        self._strips.clear()

    def lines_changed(self) -> None:
        """Repaint those lines on the screen that now look different, and no other."""
        if self._fit():
            self.refresh()
            return
        top = self.scroll_offset.y
        for y, before in list(self._painted.items()):
            if y < self.size.height and self._strip(y) != before:
                self.refresh_line(top + y)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Textual's question for `height: auto`."""
        return self.line_count()

    def _fit(self) -> bool:
        """Adopt the number of lines; whether that changed the layout.

        What fits needs no scrolling and no layout, and what does not fit needs no other: texts
        replace each other line by line. A scrollbar that comes or goes does so in one layout;
        Textual would paint the whole view before it as well.
        """
        lines = self.line_count()
        size = Size(self.size.width, lines) if lines > self.size.height else Size(0, 0)
        if size == self.virtual_size:
            return False
        height, has_bar = self.styles.height, size.height > 0
        if has_bar == self.show_vertical_scrollbar and height is not None and not height.is_auto:
            self.set_reactive(LineView.virtual_size, size)
            if has_bar:
                self.vertical_scrollbar.window_virtual_size = lines
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
            return False
        if self.size.height:
            self.show_vertical_scrollbar = has_bar
        self.virtual_size = size
        return True

    def render_line(self, y: int) -> Strip:
        """Textual's line API: the strip at `y` of the widget."""
        strip = self._strip(y)
        self._painted[y] = strip
        return strip

    def _strip(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.line_width
        if index >= self.line_count():
            return self._below(y, width)
        role = self.line_role(index)
        key = self.line_key(index)
        if key is None:
            return self._paint(self.line_at(index, width), width, role)
        key = (key, width, role)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._paint(self.line_at(index, width), width, role)
            self._strips[key] = strip
        return strip

    def _below(self, y: int, width: int) -> Strip:
        """A line below the last: empty, or part of the notice in the middle of an empty view."""
        if self.line_count():
            return Strip.blank(width, self._style("text"))
        notice = self.notice(max(1, width - 2)) if callable(self.notice) else self.notice
        first = max(0, (self.size.height - len(notice)) // 2 - 1)
        if not first <= y < first + len(notice):
            return Strip.blank(width, self._style("text"))
        strip = self._paint(notice[y - first], None, None)
        margin = max(0, width - strip.cell_length) // 2
        return Strip([Segment(" " * margin, self._style("text")), *strip]).adjust_cell_length(
            width, self._style("text")
        )

    def _paint(self, line: Line, width: int | None, whole: Role | None) -> Strip:
        """Colour a line; spaces take the style before them, also those that fill the width: each
        piece would cost its colours again."""
        style = self._style(whole or "text")
        segments = []
        for text, role in line:
            if whole is None and text and not text.isspace():
                style = self._style(role)
            segments.append(Segment(text, style))
        if width is None:
            return Strip(Segment.simplify(segments))
        missing = width - sum(segment.cell_length for segment in segments)
        segments.append(Segment(" " * missing, style))
        return Strip(Segment.simplify(segments)).adjust_cell_length(width, style)

    def _style(self, role: Role) -> Style:
        style = self._styles.get(role)
        if style is None:
            style = self._styles[role] = role_style(role, self.app.theme_variables, self.rich_style)
        return style


def role_style(role: Role, theme: Mapping[str, str], base: Style) -> Style:
    """The style of a role under a theme, on a widget with the style `base`.

    Read from the theme's variables: component classes would have Textual match each role against
    every rule for every view, which takes longer than all the rest of the first paint.
    """
    if role == "text":
        return base
    color = Color.parse(theme[f"role-{role}"]).rich_color
    ground = None
    if role in GROUNDED:
        ground = Color.parse(theme[f"role-{role}-background"]).rich_color
    return base + Style(color=color, bgcolor=ground, bold=role in BOLD or None)

"""Every role can be read on every theme of ours."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from hopper_tui.tui.line_view import LineView
from hopper_tui.tui.roles import ROLES
from hopper_tui.tui.themes import THEMES, role_defaults

from .story import story
from .worlds import busy_world

READABLE = 4.5


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2."""

    def luminance(color: Color) -> float:
        linear = [
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", [role for role in ROLES if role != "text"])
def test_roles_can_be_read(theme: Theme, role: str):
    color = Color.parse(theme.variables[f"role-{role}"])
    if role in ("cursor", "resting"):
        grounds = [theme.variables[f"role-{role}-background"]]
    else:
        grounds = [theme.background, theme.surface, theme.panel]
    for ground in grounds:
        assert ground is not None
        assert contrast(color, Color.parse(ground)) >= READABLE, ground


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_plain_text_can_be_read(theme: Theme):
    assert None not in (theme.foreground, theme.background, theme.panel)
    for ground in (theme.background, theme.panel):
        assert contrast(Color.parse(theme.foreground), Color.parse(ground)) >= 7


def test_textuals_own_themes_get_every_role():
    for theme in BUILTIN_THEMES.values():
        roles = role_defaults(theme.to_color_system().generate())
        assert {f"role-{role}" for role in ROLES if role != "text"} <= set(roles)


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=lambda theme: theme.name)
def test_textuals_own_themes_give_every_role_a_colour(theme: Theme):
    roles = role_defaults(theme.to_color_system().generate())
    colours = {role: Color.parse(value) for role, value in roles.items()}
    cursor, ground = colours["role-cursor"], colours["role-cursor-background"]
    assert cursor != ground


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_all_that_is_painted_can_be_read_also_marked_and_fresh_rows(theme: Theme):
    async with story(busy_world(), (160, 48), instance="webapp") as s:
        s.app.theme = theme.name
        await s.press("space", "j", "space")
        queue = s.app.cockpit.queue_view
        queue.freshen(queue.snapshot.ids[5:6])
        queue.lines_changed()
        await s.until(lambda: "◉" in s.screen and "▎" in s.screen, "nothing is marked")
        for pane in ("1", "2", "3"):
            await s.press(pane)
            for view in s.app.screen.query(LineView):
                for y in range(view.size.height):
                    for text, style, _ in view.render_line(y):
                        if style and style.color and not text.isspace():
                            fore, ground = Color.from_rich_color(style.color), style.bgcolor
                            assert ground is not None
                            assert contrast(fore, Color.from_rich_color(ground)) >= READABLE, text

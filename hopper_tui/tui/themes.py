"""The three themes of Hopper, and how its colour roles look under Textual's own themes.

Every role is at least 4.5 to 1 against the background it is shown on; a test measures it.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

_ROLE_COLORS: dict[str, dict[str, str]] = {
    "hopper-dark": {
        "strong": "#f2f5f8", "muted": "#8d98a5", "id": "#9fb0c3",
        "urgent": "#ff7a76", "high": "#f5b25c", "medium": "#8fb4dc", "low": "#85909c",
        "good": "#7ecf98", "warn": "#e9c46a", "bad": "#ff8a80", "accent": "#6cb8f6",
        "cursor": "#ffffff", "cursor-background": "#1f4a73",
        "resting": "#dfe5ec", "resting-background": "#242c36",
        "line": "#333d49",
    },
    "hopper-light": {
        "strong": "#12171c", "muted": "#5d6771", "id": "#47607a",
        "urgent": "#b3261e", "high": "#8a4b00", "medium": "#2f5d8a", "low": "#5a646e",
        "good": "#1c6b38", "warn": "#755200", "bad": "#ad1f1f", "accent": "#0a5ca0",
        "cursor": "#ffffff", "cursor-background": "#0a5ca0",
        "resting": "#12171c", "resting-background": "#dfe6ee",
        "line": "#c3ccd5",
    },
    "high-contrast": {
        "strong": "#ffffff", "muted": "#d6d6d6", "id": "#ffffff",
        "urgent": "#ff9d9d", "high": "#ffd54a", "medium": "#9fd8ff", "low": "#d6d6d6",
        "good": "#7dffa0", "warn": "#ffe066", "bad": "#ff9d9d", "accent": "#66e0ff",
        "cursor": "#000000", "cursor-background": "#ffe600",
        "resting": "#000000", "resting-background": "#d6d6d6",
        "line": "#ffffff",
    },
}  # fmt: skip


def _variables(name: str) -> dict[str, str]:
    colors = _ROLE_COLORS[name]
    return {f"role-{role}": color for role, color in colors.items()} | {
        "border": colors["accent"],
        "block-cursor-foreground": colors["cursor"],
        "block-cursor-background": colors["cursor-background"],
        "block-cursor-text-style": "none",
        "block-cursor-blurred-foreground": colors["resting"],
        "block-cursor-blurred-background": colors["resting-background"],
        "scrollbar": colors["line"],
        "scrollbar-hover": colors["muted"],
        "scrollbar-active": colors["accent"],
    }


_SCROLLBAR_TRACKS = ("", "-hover", "-active")


def _theme(name: str, *, background: str, surface: str, panel: str, text: str, dark: bool) -> Theme:
    colors = _ROLE_COLORS[name]
    tracks = {f"scrollbar-background{state}": background for state in _SCROLLBAR_TRACKS}
    return Theme(
        name=name,
        primary=colors["accent"],
        secondary=colors["medium"],
        accent=colors["accent"],
        warning=colors["warn"],
        error=colors["bad"],
        success=colors["good"],
        foreground=text,
        background=background,
        surface=surface,
        panel=panel,
        dark=dark,
        variables=_variables(name) | tracks,
    )


THEMES: tuple[Theme, ...] = (
    _theme(
        "hopper-dark",
        background="#0f1317", surface="#161b21", panel="#1d242c", text="#ccd4dc", dark=True,
    ),
    _theme(
        "hopper-light",
        background="#fbfbf8", surface="#f2f3f1", panel="#e8ebed", text="#262c32", dark=False,
    ),
    _theme(
        "high-contrast",
        background="#000000", surface="#000000", panel="#1a1a1a", text="#ffffff", dark=True,
    ),
)  # fmt: skip
DEFAULT_THEME = THEMES[0].name
OWN_THEMES: dict[str, Theme] = {theme.name: theme for theme in THEMES}
ALL_THEMES: dict[str, Theme] = BUILTIN_THEMES | OWN_THEMES
"""Made once: Textual looks the theme up for every line it paints."""


def role_defaults(generated: Mapping[str, str]) -> dict[str, str]:
    """Colours of the roles under a theme that does not know them, from its generated variables."""
    named = {
        "strong": "foreground", "muted": "foreground-darken-3", "id": "text-secondary",
        "urgent": "text-error", "high": "text-warning", "medium": "text-primary",
        "low": "foreground-darken-3", "good": "text-success", "warn": "text-warning",
        "bad": "text-error", "accent": "text-accent",
        "cursor": "block-cursor-foreground", "cursor-background": "block-cursor-background",
        "resting": "foreground", "resting-background": "panel", "line": "panel-lighten-2",
    }  # fmt: skip
    found = {f"role-{role}": generated[variable] for role, variable in named.items()}
    if found["role-cursor"].startswith("auto"):  # means: whatever is read best on its ground
        ground = Color.parse(found["role-cursor-background"])
        found["role-cursor"] = ground.get_contrast_text(1.0).hex
    return found

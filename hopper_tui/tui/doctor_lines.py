"""What the doctor finds to lines of text, each with its fix as a sentence; pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hopper_tui.model.clock import age, stamp
from hopper_tui.model.text import counted
from hopper_tui.tui.commands import Keys, key_of
from hopper_tui.tui.presentation import fit, wrap
from hopper_tui.tui.roles import Line, Role, Span
from hopper_tui.tui.view_snapshot import DoctorSnapshot

if TYPE_CHECKING:
    from hopper_tui.engine.doctor import Finding

SIGNS: Mapping[str, Span] = {
    "error": Span("✗", "bad"),
    "warning": Span("!", "warn"),
    "ok": Span("✓", "good"),
}
SUBJECT = 22
"""Cells of the column of subjects where there is room."""
_HINT = re.compile(r"(.*?)(?:; |, |\. )((?:see|bring|take)\b[^;]*?): (hopper .*)", re.DOTALL)
"""What was found, and the command that its last part names."""
_FIXES: Mapping[str, str] = {
    "hopper doctor --rebuild": "The tables can be made anew from what was recorded: hopper doctor"
    " can rebuild them, see its --help.",
    "hopper doctor --fix": "What is made of the record can be made anew, and leftovers dropped:"
    " hopper doctor can fix that, see its --help.",
    "hopper delegation cancel": "Should it never come back, the delegation can be cancelled, and"
    " the task is yours again: see hopper delegation --help.",
}
"""In place of commands that remove something: what they do, not what to type."""


def told(message: str) -> tuple[str, str]:
    """What was found, and what can be done about it."""
    hint = _HINT.fullmatch(message)
    if hint is None:
        what, _, fix = message.partition(". ")
        return what, fix
    what, words, command = hint.groups()
    for beginning, sentence in _FIXES.items():
        if command.startswith(beginning):
            return what, sentence
    return what, f"{words[0].upper()}{words[1:]}: {command}"


def doctor_lines(doctor: DoctorSnapshot, width: int, now: float, keys: Keys) -> tuple[Line, ...]:
    """All findings, the worst first, with their fixes; and how to look again."""
    subject = min(SUBJECT, width // 3)
    lines: list[Line] = []
    for finding in doctor.findings:
        lines += _finding(finding, subject, width)
    again = f"Looked {age(stamp(doctor.at), now)} ago. {key_of('doctor.again', keys)} looks again."
    return (*lines, (), *((Span(f" {line}", "muted"),) for line in wrap(again, width - 2)))


def _finding(finding: Finding, subject: int, width: int) -> list[Line]:
    what, fix = told(finding.message)
    role: Role = "muted" if finding.level == "ok" else "text"
    first, *rest = wrap(what, max(8, width - subject - 5))
    indent = Span(" " * (subject + 4))
    lines: list[Line] = [
        (
            Span(" "),
            SIGNS[finding.level],
            Span(f" {fit(finding.subject, subject)} ", "muted" if role == "muted" else "strong"),
            Span(first, role),
        )
    ]
    lines += [(indent, Span(text, role)) for text in rest]
    return lines + [
        (indent, Span(text, "accent")) for text in wrap(fix, max(8, width - subject - 5)) if fix
    ]


def doctor_title(doctor: DoctorSnapshot) -> str:
    """`doctor · 1 error, 2 warnings`, or that all is well."""
    levels = [finding.level for finding in doctor.findings]
    parts = [
        counted(levels.count(level), level) for level in ("error", "warning") if level in levels
    ]
    if doctor.problem or not levels:
        return "doctor"
    return f"doctor · {', '.join(parts) or 'all is well'}"

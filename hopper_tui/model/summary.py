"""Summaries: what is kept of a run that ended, in words.

A summary is data that may come from another clone: nothing about it is taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hopper_tui.model.text import counted

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))
_ENDS = ("done", "failed", "cancelled")


def length(value: object) -> str:
    """`4.5s`, `12m`, `3h 20m`, `2d 4h`: a number of seconds as people say it; "" for none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e12:
        return ""
    if value < 60:
        return f"{round(value, 1):g}s"
    for index, (size, unit) in enumerate(_UNITS):
        if value >= size:
            smaller, name = _UNITS[index + 1] if index + 1 < len(_UNITS) else (1, "s")
            rest = int(value % size // smaller)
            return f"{int(value // size)}{unit}" + (f" {rest}{name}" if rest else "")
    raise AssertionError(value)


def work_of(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """The numbers of all the work in a summary; its own counts where older ones say no more."""
    work = summary.get("work")
    return work if isinstance(work, Mapping) else summary


def sentence(summary: Mapping[str, Any]) -> str:
    """`12 done, 1 failed in 4h 20m, 3 workers`: a summary in one line."""
    work = work_of(summary)
    ends = [f"{work[end]} {end}" for end in _ENDS if isinstance(work.get(end), int) and work[end]]
    took = length(summary.get("duration_s"))
    workers = summary.get("workers")
    told = (", ".join(ends) or "nothing done") + (f" in {took}" if took else "")
    if isinstance(workers, list | tuple) and workers:
        told += f", {counted(len(workers), 'worker')}"
    return told

"""Rules for a lesson's time: its line says what we estimate, and the estimate keeps to a lab session.

L12 a *Time* line that was typed, or is out of date; L13 a core or deeper part beyond its limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_lab.course.lint_code import Found
from mlops_lab.course.notebooks import text_of
from mlops_lab.course.time import estimate

__all__ = ["limits"]

_MOST_CORE, _MOST_DEEPER, _MOST_FIRST = 60, 45, 25
"""Minutes of a core, of the deeper sections, and of lesson 00 in all."""

UNLIMITED = {
    *("00_start_here", "01_when_to_use_ml", "04_versioning", "05_reproducibility", "06_tracking"),
    *("08_monitoring_performance", "09_monitoring_health", "11_varying_load", "13_expectation_vs_reality"),
}
"""Lessons that were written before there was a limit; it binds from their next rewriting on."""


def limits(notebook: Any, name: str) -> Iterator[Found]:
    """Check a source's *Time* line and its minutes."""
    minutes = estimate(notebook)
    opening = "\n".join(text_of(cell) for cell in notebook["cells"][:3] if cell["cell_type"] == "markdown")
    if "> **Time**" in opening and f"> **Time** {minutes}." not in opening:
        yield "L12", 1, f"the line **Time** must read '{minutes}.': build the lesson, which writes it"
    if name in UNLIMITED:
        return
    if name.startswith("00_"):
        if minutes.core + minutes.deeper > _MOST_FIRST:
            yield "L13", 0, f"{minutes.core + minutes.deeper:.0f} minutes; lesson 00 has {_MOST_FIRST} in all"
        return
    for part, took, most in (("core", minutes.core, _MOST_CORE), ("deeper", minutes.deeper, _MOST_DEEPER)):
        if took > most:
            yield (
                "L13",
                0,
                f"{took:.0f} minutes in {part} sections, {most} are the most: cut, or make a part deeper",
            )

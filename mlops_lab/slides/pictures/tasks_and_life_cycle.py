"""L11, L13 and L14, drawn: the nine tasks, the life of an ML system as a ring, the tool landscape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_lab.setup import lessons
from mlops_lab.slides.pictures.drawing import Theme, arrow, box, canvas, footnote, theme_of, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["landscape", "life_cycle", "nine_tasks"]

_ROOT = Path(__file__).parents[3]

NINE_TASKS = {
    "automation": ("02", "14"),
    "versioning": ("04",),
    "reproducibility": ("05", "06"),
    "development": ("01", "06"),
    "testing": ("10",),
    "deployment": ("10",),
    "monitoring": ("07", "08", "09"),
    "security, access": ("10", "12"),
    "governance": ("12",),
}
"""The lecture's nine tasks (L11), each with the lessons that it is met in."""


def nine_tasks(theme: str = "light") -> Figure:
    """Draw the nine tasks with the lessons that they are met in; a broken edge: none is there yet."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.5)
    there = {name[:2] for name in lessons.names(_ROOT)}
    for number, (task, numbers) in enumerate(NINE_TASKS.items()):
        left, low = 0.12 + (number % 3) * 3.97, 3.17 - (number // 3) * 1.36
        planned = not there & set(numbers)
        box(
            ax,
            colours,
            (left, low),
            (3.82, 1.22),
            dashed=planned,
            edge=colours.line if planned else colours.blue,
        )
        words(ax, colours, (left + 1.91, low + 0.83), task, points=21, bold=True)
        said = "lesson " + ", ".join(numbers) if len(numbers) == 1 else "lessons " + ", ".join(numbers)
        words(ax, colours, (left + 1.91, low + 0.35), said, points=18, ink=colours.soft)
    footnote(ax, colours, "broken edge: planned")
    return figure


_TOP, _UPPER, _LOWER, _BOTTOM = 4.14, 3.08, 1.6, 0.54

STAGES = {
    "1 scoping": (3.75, _TOP),
    "2 data\nengineering": (6.3, _UPPER),
    "3 model\ndevelopment": (6.3, _LOWER),
    "4 deployment": (3.75, _BOTTOM),
    "5 monitoring,\nmaintenance": (1.2, _LOWER),
    "6 business\nanalysis": (1.2, _UPPER),
}
"""The six stages of the lecture (L13), with the middle of each one's box."""

MAINTENANCE_SPLIT = {"initial development": 20, "updates and maintenance": 80}
"""Percent of the working time on an ML system, as the lecture has it (L13). Not the data dilemma of L6."""

_WIDTH, _HEIGHT = 2.2, 0.78


def life_cycle(theme: str = "light") -> Figure:
    """Draw the six stages as a ring, and beside it the working time: a short first lap, and all later ones.

    The two shares are the lecture's figures for maintenance (L13), drawn to scale. They are another matter
    than the data dilemma of L6, which speaks of the time spent on data.
    """
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.6)
    for text, (x, y) in STAGES.items():
        box(ax, colours, (x - _WIDTH / 2, y - _HEIGHT / 2), (_WIDTH, _HEIGHT), text)
    _ring(ax, colours)
    words(ax, colours, (3.75, 2.34), "lap after lap", points=20, ink=colours.soft)
    _working_time(ax, colours)
    footnote(ax, colours, "shares of working time: the lecture's (L13)")
    return figure


def _ring(ax: Axes, colours: Theme) -> None:
    """Draw the arrows: two go straight, four around a corner."""
    half, up, air = _WIDTH / 2, _HEIGHT / 2, 0.07
    arrow(ax, colours, (6.3, _UPPER - up - air), (6.3, _LOWER + up + air))
    arrow(ax, colours, (1.2, _LOWER + up + air), (1.2, _UPPER - up - air))
    for (x0, y0), (x1, y1) in (
        ((3.75 + half + air, _TOP), (6.3, _UPPER + up + air)),
        ((6.3, _LOWER - up - air), (3.75 + half + air, _BOTTOM)),
        ((3.75 - half - air, _BOTTOM), (1.2, _LOWER - up - air)),
        ((1.2, _UPPER + up + air), (3.75 - half - air, _TOP)),
    ):
        arrow(ax, colours, (x0, y0), (x1, y1), bend=-0.35)


def _working_time(ax: Axes, colours: Theme) -> None:
    left, low, width, height = 8.25, 0.6, 1.25, 3.25
    words(ax, colours, (left, 4.2), "working time", points=20, bold=True, align="left")
    top = low + height
    fills = (colours.orange, "#16191F"), (colours.blue, colours.on_strong)
    for (name, percent), (fill, ink) in zip(MAINTENANCE_SPLIT.items(), fills, strict=True):
        part = height * percent / 100
        top -= part
        box(ax, colours, (left, top), (width, part), f"{percent} %", fill=fill, edge=fill, ink=ink,
            points=20, bold=True)  # fmt: skip
        middle = (left + width + 0.2, top + part / 2)
        words(ax, colours, middle, name.replace(" ", "\n", 1), points=18, align="left")


def landscape(theme: str = "light") -> Figure:
    """Draw the six regions of the tool landscape (L14), and what of each this course touches."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.1)
    regions = (
        ("infrastructure", "Kubernetes' rule, simulated"),
        ("analytics", "pandas"),
        ("machine learning", "scikit-learn, W&B,\nTensorBoard"),
        ("applications", "grading fruit"),
        ("open source", "Git, DVC, Prometheus"),
        ("data sources", "one orchard, four\nreal tables"),
    )
    for number, (name, used) in enumerate(regions):
        left, low = 0.12 + (number % 3) * 3.97, 2.12 - (number // 3) * 2.0
        box(ax, colours, (left, low), (3.82, 1.84))
        words(ax, colours, (left + 1.91, low + 1.4), name, points=21, bold=True)
        words(ax, colours, (left + 1.91, low + 0.68), used, points=18, ink=colours.soft)
    return figure

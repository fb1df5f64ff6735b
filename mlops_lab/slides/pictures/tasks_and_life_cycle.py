"""Drawings for L8 to L11 and L14: what to keep, what to watch, who carries what, the tasks, the landscape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_lab.setup import lessons
from mlops_lab.slides.pictures.shapes import arrow, box, footnote, words
from mlops_lab.slides.pictures.themes import canvas, theme_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["landscape", "nine_tasks", "what_to_keep", "what_to_watch", "who_carries_what"]

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


def what_to_keep(theme: str = "light") -> Figure:
    """Draw what must be kept with a model so that it can be made again (L8)."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.1)
    kept = (
        ("code", "which commit?"),
        ("data", "which table?"),
        ("pipeline", "steps in which order?"),
        ("settings, seed", "which knobs?"),
        ("machine", "which libraries?"),
    )
    for number, (name, asks) in enumerate(kept):
        low = 3.32 - number * 0.8
        box(ax, colours, (0.15, low), (2.7, 0.68), name, points=20, bold=True)
        words(ax, colours, (3.1, low + 0.34), asks, points=19, align="left")
        arrow(ax, colours, (6.25, low + 0.34), (7.75, 2.06 + (1.6 - 0.8 * number) * 0.28))
    box(ax, colours, (7.85, 1.21), (2.2, 1.7), "the\nmodel", points=23, bold=True, fill=colours.blue,
        edge=colours.blue, ink=colours.on_strong)  # fmt: skip
    arrow(ax, colours, (10.1, 2.06), (10.65, 2.06))
    words(ax, colours, (11.3, 2.06), "its\nnumbers", points=19)
    return figure


def what_to_watch(theme: str = "light") -> Figure:
    """Draw the three layers that are watched (L9), with their questions."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.1)
    layers = (
        ("data", "do live inputs still look like the past?", colours.blue),
        ("model", "does the metric keep its promise?", colours.orange),
        ("machine", "numbers, memory, speed, graphics card", colours.green),
    )
    for number, (name, asks, edge) in enumerate(layers):
        low = 2.95 - number * 1.15
        box(ax, colours, (0.15, low), (2.2, 1.05), name, points=22, bold=True, edge=edge)
        box(ax, colours, (2.5, low), (9.35, 1.05), asks, points=20)
    words(ax, colours, (6.0, 0.22), "and each needs somebody who is told", points=20, ink=colours.soft)
    return figure


def who_carries_what(theme: str = "light") -> Figure:
    """Draw who answers for what: with machines of one's own, with autoscaling, and without servers (L10)."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=3.8)
    duties = ("the model and its answers", "how many machines, when", "the machines themselves")
    plans = {"fixed fleet": (1, 1, 1), "autoscaled": (1, 0.5, 1), "serverless": (1, 0, 0)}
    for column, name in enumerate(plans):
        words(ax, colours, (5.3 + column * 2.63, 3.55), name, points=20, bold=True)
    for row, duty in enumerate(duties):
        low = 2.2 - row * 1.06
        words(ax, colours, (0.15, low + 0.46), duty, points=19, align="left")
        for column, plan in enumerate(plans.values()):
            whose = {1: "you", 0.5: "your rule", 0: "the provider"}[plan[row]]
            fill, ink = (colours.blue, colours.on_strong) if plan[row] else (colours.panel, colours.ink)
            box(ax, colours, (4.05 + column * 2.63, low), (2.5, 0.92), whose, points=19, fill=fill, ink=ink)
    return figure


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

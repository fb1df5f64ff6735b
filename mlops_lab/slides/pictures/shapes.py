"""The few shapes that our drawings are made of: a box with words, an arrow, a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_lab.slides.pictures.themes import SMALLEST_PT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["arrow", "box", "footnote", "words"]

Place = tuple[float, float]


def box(
    ax: Axes,
    theme: Theme,
    place: Place,
    size: Place,
    text: str = "",
    *,
    fill: str | None = None,
    edge: str | None = None,
    ink: str | None = None,
    points: float = SMALLEST_PT,
    bold: bool = False,
    dashed: bool = False,
) -> None:
    """Draw a box with rounded corners and words in its middle."""
    from matplotlib.patches import FancyBboxPatch

    (left, low), (width, height) = place, size
    shape = FancyBboxPatch(
        (left, low),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=fill or theme.panel,
        edgecolor=edge or theme.line,
        linewidth=1.6,
        linestyle=(0, (4, 3)) if dashed else "-",
    )
    ax.add_patch(shape)
    if text:
        middle = (left + width / 2, low + height / 2)
        words(ax, theme, middle, text, ink=ink, points=points, bold=bold)


def words(
    ax: Axes,
    theme: Theme,
    place: Place,
    text: str,
    *,
    ink: str | None = None,
    points: float = SMALLEST_PT,
    bold: bool = False,
    align: str = "center",
) -> None:
    r"""Write words, line by line, with the middle of their block at a place.

    Lines stand on baselines that do not depend on which letters they hold, so neighbours line up.
    """
    lines = text.split("\n")
    x, y = place
    pitch, capital = points * 1.22 / 72, points * 0.72 / 72
    first = y + (len(lines) - 1) * pitch / 2 - capital / 2
    for number, line in enumerate(lines):
        ax.text(
            x,
            first - number * pitch,
            line,
            color=ink or theme.ink,
            fontsize=points,
            fontweight="bold" if bold else "normal",
            ha=align,
            va="baseline",
        )


def arrow(
    ax: Axes,
    theme: Theme,
    start: Place,
    end: Place,
    *,
    colour: str | None = None,
    bend: float = 0.0,
    width_pt: float = 2.4,
) -> None:
    """Draw an arrow from one place to another."""
    from matplotlib.patches import FancyArrowPatch

    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=22,
            connectionstyle=f"arc3,rad={bend}",
            color=colour or theme.line,
            linewidth=width_pt,
            shrinkA=0,
            shrinkB=0,
        )
    )


def footnote(ax: Axes, theme: Theme, text: str) -> None:
    """Write a remark at the lower edge of a drawing: whose idea it is, or what its sizes do not mean."""
    words(ax, theme, (11.88, 0.2), text, ink=theme.soft, align="right")

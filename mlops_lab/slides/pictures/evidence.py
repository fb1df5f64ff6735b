"""The evidence table of `should_use_ml` (L1-L3): a real verdict, the one that lesson 01 shows."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from mlops_lab import framing, worlds
from mlops_lab.slides.pictures.shapes import box, words
from mlops_lab.slides.pictures.themes import canvas, theme_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["evidence_table", "verdict_of_the_new_plant"]

_NEW_PLANT = 7
_ROW_IN = 0.36
_MARKS = {"for": "for ML", "against": "against", "unclear": "unclear", "unknown": "unknown"}


@functools.lru_cache(maxsize=1)
def verdict_of_the_new_plant() -> framing.Verdict:
    """Give the verdict on case G of lesson 01: machines fail in a plant that no row comes from. About 5 s."""
    case = worlds.case(worlds.CASES[_NEW_PLANT], 600, seed=0)
    attested = framing.Attestation(legal=True, ethical=True, by="the lecturer")
    table = case.data.assign(target=case.target)
    return framing.should_use_ml(table, "target", live=case.live, attest=attested, seed=0)


def evidence_table(theme: str = "light") -> Figure:
    """Draw the thirteen questions with their answers, and where each answer comes from."""
    colours = theme_of(theme)
    verdict = verdict_of_the_new_plant()
    height = _ROW_IN * (len(verdict.evidence) + 1) + 0.06
    figure, ax = canvas(height_in=height)
    looks = {
        "for": (colours.blue, colours.on_strong),
        "against": (colours.red, "#000000"),
        "unclear": (colours.orange, "#000000"),
        "unknown": (colours.paper, colours.ink),
    }
    for x, head in ((1.55, "answer"), (2.85, "question"), (9.2, "known how")):
        align = "center" if head == "answer" else "left"
        words(ax, colours, (x, height - 0.2), head, ink=colours.soft, align=align)
    for number, row in enumerate(verdict.evidence):
        y = height - _ROW_IN * (number + 1) - 0.2
        fill, ink = looks[row.status]
        decides = row.key in verdict.because
        mark = "not so" if row.asks.startswith("not if") and row.status == "for" else _MARKS[row.status]
        box(ax, colours, (0.75, y - 0.16), (1.6, 0.32), mark, fill=fill,
            edge=colours.line, ink=ink)  # fmt: skip
        words(ax, colours, (2.85, y), row.asks, align="left", bold=decides)
        told = f"{row.basis}: decides" if decides else row.basis
        words(
            ax,
            colours,
            (9.2, y),
            told,
            align="left",
            bold=decides,
            ink=colours.ink if decides else colours.soft,
        )
        if decides:
            ax.plot([0.35], [y], marker=">", color=colours.red, markersize=15)
    return figure

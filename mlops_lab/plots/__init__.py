"""One house style for every picture: labelled, with units, readable in greyscale and by colour-blind eyes.

Each function takes the data first and the labels by name, draws on ``ax`` or on a figure of its own, and
returns the axes. Nothing global is changed. A figure of its own is made with pyplot, so that a notebook shows
it at the end of its cell; a lesson hands the axes to ``picture``, which shows it once and closes it.
"""

from mlops_lab.plots.charts import bars, histograms, intervals, line
from mlops_lab.plots.style import GREY, PALETTE, axes, name_ends, png

__all__ = ["GREY", "PALETTE", "axes", "bars", "histograms", "intervals", "line", "name_ends", "png"]

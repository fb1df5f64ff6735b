"""Pictures of slides: drawn by functions of the package when the deck is built, and held to being readable.

A function is called with the fixed seed; what it draws becomes an SVG, the same bytes at every build. Letters
are stored as shapes, so a picture looks alike on every machine. Pictures are most of a build's work, so they
are drawn ahead of reading the deck, on several processors. What goes wrong there is passed over: a picture
that is missing is drawn again where its slide is read, and what is wrong with it is said with file and line.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import itertools
import multiprocessing
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = ["Picture", "arguments", "asked_for", "draw_ahead", "inches", "picture"]

SEED = 0
"""What every figure function with a parameter `seed` is called with."""

_LENGTH = re.compile(r"([0-9.]+)(px|pt|in)?$")

_INCHES = {"px": 1 / 96, "pt": 1 / 72, "in": 1.0, None: 1 / 96}


@dataclass(frozen=True)
class Picture:
    """An SVG, its size, and its smallest letters.

    Parameters
    ----------
    svg
        The file's bytes.
    width_in, height_in
        Its size in inches.
    smallest_pt
        The size of its smallest letters in points; None where it is not known.
    problems
        What is wrong with its texts at any size: two that overlap, one that is cut off.
    """

    svg: bytes
    width_in: float
    height_in: float
    smallest_pt: float | None = None
    problems: tuple[str, ...] = ()

    def letters_px(self, width_px: float) -> float | None:
        """Say how high its smallest letters are where it is shown so wide."""
        return None if self.smallest_pt is None else self.smallest_pt / 72 * width_px / self.width_in


def function(name: str) -> Callable[..., Any]:
    """Find a function of the package."""
    module_name, colon, function_name = name.strip().partition(":")
    if not colon or not re.fullmatch(r"mlops_lab(\.\w+)*", module_name) or not function_name.isidentifier():
        raise ValueError(f"{name!r} is no function of the package: write mlops_lab.module:function")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ValueError(f"{module_name} cannot be imported: {error}") from error
    found = getattr(module, function_name, None)
    if not callable(found):
        public = [name for name in getattr(module, "__all__", ()) if callable(getattr(module, name, None))]
        there = f" It has: {', '.join(public)}." if public else ""
        raise ValueError(f"{module_name} has no function {function_name!r}.{there}")
    return found  # type: ignore[no-any-return]


def arguments(text: str) -> dict[str, Any]:
    """Read arguments that are written as in a call; each value is a literal."""
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        well_formed = isinstance(call, ast.Call) and not call.args and all(k.arg for k in call.keywords)
        if not well_formed:
            raise ValueError("only name=literal")
        return {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}  # type: ignore[attr-defined]
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{text!r} are no arguments: write name=literal, name=literal ({error})") from error


def inches(text: str) -> tuple[float, float]:
    """Read a width and a height."""
    width, _, height = text.lower().partition("x")
    try:
        size = float(width), float(height)
    except ValueError:
        size = (0.0, 0.0)
    if not all(1 <= side <= 30 for side in size):
        raise ValueError(f"size={text!r}: give width x height in inches, each from 1 to 30, as in 7 x 3.2")
    return size


def picture(
    name: str, *, size: tuple[float, float] | None = None, given: Mapping[str, Any] | None = None
) -> Picture:
    """Call a figure function and give what it draws."""
    import matplotlib
    from matplotlib import pyplot

    called = function(name)
    settings: dict[Any, Any] = {k: v for k, v in matplotlib.rcParamsDefault.items() if k != "backend"}
    settings |= {"svg.hashsalt": "mlops_lab", "svg.fonttype": "path"}
    before = set(pyplot.get_fignums())
    with matplotlib.rc_context(settings):
        try:
            drawn = _called(called, name, size, dict(given or {}))
            if isinstance(drawn, str) and drawn.lstrip().startswith("<"):
                return _from_svg(drawn, name)
            return _from_figure(_figure(drawn, name, size), name)
        finally:
            for number in set(pyplot.get_fignums()) - before:
                pyplot.close(number)


def _called(
    called: Callable[..., Any], name: str, size: tuple[float, float] | None, given: dict[str, Any]
) -> Any:
    takes = inspect.signature(called).parameters
    if "seed" in takes:
        given.setdefault("seed", SEED)
    if size is not None:
        if "ax" not in takes:
            raise ValueError(f"{name} takes no `ax`, so it decides on its size by itself: leave :size: out")
        given["ax"] = _axes(size)
    try:
        inspect.signature(called).bind(**given)
    except TypeError as error:
        raise ValueError(f"{name} cannot be called so: {error}") from error
    try:
        return called(**given)
    except Exception as error:  # whatever it is, it is told with its place
        place = traceback.extract_tb(sys.exc_info()[2])[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        raise ValueError(f"{name} failed: {type(error).__name__}: {error} ({where})") from error


def _axes(size: tuple[float, float]) -> Any:
    from matplotlib import pyplot

    return pyplot.subplots(figsize=size, layout="constrained")[1]


def _figure(drawn: Any, name: str, size: tuple[float, float] | None) -> Figure:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    if (
        not isinstance(drawn, (Axes, Figure))
        and callable(getattr(drawn, "plot", None))
        and not hasattr(drawn, "dtype")
    ):
        drawn = drawn.plot(ax=_axes(size or (7, 4)))
    if isinstance(drawn, Axes):
        drawn = drawn.get_figure(root=True)
        if isinstance(drawn, Figure) and drawn.get_layout_engine() is None:
            drawn.set_layout_engine("constrained")
    if not isinstance(drawn, Figure):
        kind = type(drawn).__name__
        raise ValueError(f"{name} gives a {kind}: a figure function gives axes, a figure, a report or an SVG")
    return drawn


def _from_figure(figure: Figure, name: str) -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    if (pixels == pixels[0, 0]).all():
        raise ValueError(f"{name} draws nothing: the picture is one empty area")
    letters = _texts(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
    width, height = (float(inches) for inches in figure.get_size_inches())
    smallest = min((float(text.get_fontsize()) for text in letters), default=None)
    return Picture(buffer.getvalue(), width, height, smallest, tuple(text_problems(figure)))


def _from_svg(text: str, name: str) -> Picture:
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"{name} gives a text that is no SVG: {error}") from error
    if not root.tag.endswith("svg"):
        raise ValueError(f"{name} gives a text that is no SVG: it begins with <{root.tag}>")
    if re.search(r"""(?:href|src)=["'](?!#|data:)|url\((?!["']?(?:#|data:))""", text):
        raise ValueError(f"{name} gives an SVG that refers to another file")
    sides = [_LENGTH.match(root.get(side, "")) for side in ("width", "height")]
    if all(sides):
        width, height = (float(side[1]) * _INCHES[side[2]] for side in sides if side)
    else:
        box = root.get("viewBox", "").replace(",", " ").split()
        if len(box) != 4:
            raise ValueError(f"{name} gives an SVG without width and height, and without a viewBox")
        width, height = float(box[2]) / 96, float(box[3]) / 96
    return Picture(text.encode("utf-8"), width, height)


def _texts(figure: Figure) -> list[Text]:
    """List the texts that are drawn: not those of hidden axes, nor of ticks outside the view."""
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    hidden: set[int] = set()
    for part in [*figure.findobj(Axes), *figure.findobj(Legend)]:
        if not part.get_visible():
            hidden.update(map(id, part.findobj(Text)))
    for axes in figure.findobj(Axes):
        for axis in (axes.xaxis, axes.yaxis):
            if not (axes.axison and axis.get_visible()):
                hidden.update(map(id, axis.findobj(Text)))
                continue
            low, high = sorted(axis.get_view_interval())
            room = 1e-9 * (high - low)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not tick.get_visible() or not low - room <= tick.get_loc() <= high + room:
                    hidden.update(map(id, tick.findobj(Text)))
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


def text_problems(figure: Figure, *, touching_pt: float = 0.75) -> list[str]:
    """Name texts of a figure that overlap, and texts that its edge cuts off.

    It compares the upright boxes around the texts: text at another angle than a right one may be said to
    overlap where only its box does. Text over lines or bars is not looked for.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    room = touching_pt / 72 * figure.dpi
    boxes = [(_short(text.get_text()), text.get_window_extent(renderer)) for text in _texts(figure)]
    found = []
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        if across > room and down > room:
            found.append(f"the texts {one!r} and {other!r} overlap")
    whole = figure.bbox
    for text, box in boxes:
        outside = max(whole.x0 - box.x0, box.x1 - whole.x1, whole.y0 - box.y0, box.y1 - whole.y1)
        if outside > room:
            found.append(f"the text {text!r} is cut off by the picture's edge")
    return found


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


Asked = tuple[str, tuple[float, float] | None, dict[str, Any]]
"""A function's name, the size of the axes handed to it, and its arguments."""

_FENCE = re.compile(
    r"^[ \t]*(?:`{3,}|:{3,})\{package-figure\}[ \t]*(?P<name>\S+)\n(?P<options>(?:[ \t]*:\w+:.*\n)*)",
    re.MULTILINE,
)

_FEWEST = 4

_MOST_WORKERS = 4


def asked_for(paths: Iterable[Path]) -> list[Asked]:
    """List the pictures that files of the deck ask for, each once; what cannot be read is left out."""
    found: list[Asked] = []
    for path in paths:
        for match in _FENCE.finditer(path.read_text(encoding="utf-8")):
            options = dict(re.findall(r":(\w+):[ \t]*(.*)", match["options"]))
            try:
                size = inches(options["size"].strip()) if "size" in options else None
                one = (match["name"], size, arguments(options.get("with", "").strip()))
            except ValueError:
                continue
            if one not in found:
                found.append(one)
    return found


def draw_ahead(wanted: list[Asked]) -> list[tuple[Asked, Picture]]:
    """Draw pictures in processes of their own; those that fail are left out.

    Fewer than four are not worth the processes: then nothing is drawn.
    """
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    if len(wanted) < _FEWEST or workers < 2:
        return []
    context = multiprocessing.get_context("spawn")  # the same on every system
    made: list[tuple[Asked, Picture]] = []
    try:
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            for one, result in zip(wanted, pool.map(_drawn, wanted), strict=True):
                if result is not None:
                    made.append((one, result))
    except (BrokenProcessPool, OSError):
        pass  # no further processes are to be had here
    return made


def _drawn(wanted: Asked) -> Picture | None:
    name, size, given = wanted
    try:
        return picture(name, size=size, given=given)
    except ValueError:
        return None

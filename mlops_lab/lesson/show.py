"""What a lesson shows besides tables: live values, pictures described in words, scratch folders."""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mlops_lab.lesson import cards, derived_texts
from mlops_lab.lesson.outputs import in_ipython, is_id, publish, require_id, show_typed
from mlops_lab.report import shown

if sys.platform == "win32":
    from pathlib import WindowsPath as _NativePath
else:
    from pathlib import PosixPath as _NativePath

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["live", "picture", "scratch"]

_SHARPNESS = 1.5
"""Pixels stored for each pixel shown, so that figures stay sharp on fine screens."""


def live(text: str, value: float | str, unit: str = "", *, id: str = "live.value") -> None:
    """Show a value that differs from run to run (a timing, a port), marked so that none compares it.

    Do not use it for what a seed decides: such a value is never compared again.

    Parameters
    ----------
    text
        A sentence; `{}` stands where the value goes, else it goes to the end.
    value
        A number, shown with four significant digits, or a short text.
    unit
        The unit of a number.
    id
        A name to collect it by, `topic.word`.

    Raises
    ------
    ValueError
        When the text is empty.
    TypeError
        When the value is neither a number nor a text.

    Examples
    --------
    >>> live("Training took {}.", 1.23456, "s")
    Training took ‹1.235 s›.
    """
    require_id(id)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"text={text!r}: say in a sentence what the value is.")
    if not isinstance(value, str):
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"value={value!r} is a {type(value).__name__}: give a number or a short text.")
    seen = value if isinstance(value, str) else shown(value, unit)
    marked = f"‹{seen}›"
    sentence = text.replace("{}", marked) if "{}" in text else f"{text.rstrip(' .:')}: {marked}"
    payload = {"type": "live", "id": id, "text": text, "value": value, "unit": unit}
    face = cards.paragraph(sentence) + "\n" + cards.small("Values in ‹ › differ from run to run.")
    show_typed(payload, sentence, face)


def picture(ax: Axes, alt: str, *, id: str | None = None) -> None:
    """Show the figure of some axes as a picture with a description in words, then close it.

    The description is stored with the picture, and stands below it as a line to unfold, since JupyterLab and
    nbconvert's lab template do not pass a picture's stored description on to a screen reader. Say what the
    figure shows, not that it is a figure.

    Parameters
    ----------
    ax
        Matplotlib axes, as `report.plot()` returns them.
    alt
        The description, at least 15 characters; or an id alone, whose description is then the kit's.
    id
        A name to collect it by, `topic.word`.

    Raises
    ------
    TypeError
        When `ax` is no axes.
    ValueError
        When the description is too short, the figure is empty, or the axes have no labels.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> line = ax.plot([1, 2], [0.8, 0.6])
    >>> text = ax.set(xlabel="week", ylabel="accuracy (share of crates)")
    >>> picture(ax, "Accuracy falls from 0.8 in week 1 to 0.6 in week 2.", id="demo.fall")
    Figure: Accuracy falls from 0.8 in week 1 to 0.6 in week 2.
    """
    if id is None and is_id(alt):
        id, alt = alt, derived_texts.texts_of("pictures", alt) or _described(alt)
    id = require_id("picture.figure" if id is None else id)
    if not hasattr(ax, "get_figure") or not hasattr(ax, "has_data"):
        raise TypeError(f"ax is a {type(ax).__name__}: give matplotlib axes, for example ax = report.plot().")
    if not isinstance(alt, str) or len(alt.strip()) < 15:
        raise ValueError(f"alt={alt!r} says too little: describe in a sentence what the figure shows.")
    figure: Any = ax.get_figure()
    figure = getattr(figure, "get_figure", lambda **_: figure)(root=True) if figure is not None else None
    parts = [] if figure is None else [inner for part in figure.axes for inner in (part, *part.child_axes)]
    if not any(part.has_data() for part in parts):
        raise ValueError(
            "This figure is empty: draw something on its axes first (was it shown and closed before?)."
        )
    if ax.axison and not ax.get_xlabel() and not ax.get_ylabel():
        raise ValueError("These axes have no labels: ax.set(xlabel='week', ylabel='accuracy'), with units.")
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    width, height = (round(inches * 100) for inches in figure.get_size_inches())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100 * _SHARPNESS, facecolor="white", metadata={"Software": None})
    _close(figure)
    words = f"Figure: {alt}"
    if not in_ipython():
        sys.stdout.write(words + "\n")
        return
    image = base64.b64encode(buffer.getvalue()).decode("ascii")
    shape = {"alt": alt, "width": width, "height": height}
    publish({"image/png": image, "text/plain": alt}, {"image/png": shape})
    show_typed({"type": "picture", "id": id, "alt": alt}, words, cards.folded("The figure in words", alt))


def _described(id: str) -> str:
    """Describe a picture of which the kit has no description (any more); an error in strict mode."""
    derived_texts.show_without_texts("picture", id, {})
    return f"A figure of an older copy of the lesson, {id}."


def _close(figure: Any) -> None:
    """Take the figure from pyplot's hands, if it is there, so that it is not shown a second time."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)


class ScratchPath(_NativePath):
    """A path in a scratch folder: works as any path, and shows only what lies below the folder."""

    def __repr__(self) -> str:
        below = (
            self.parts[len(self.parts) - self.parts[::-1].index("scratch") :]
            if "scratch" in self.parts
            else ()
        )
        return f"<scratch folder: {'/'.join(below)}>" if below else "<scratch folder>"

    def __enter__(self) -> ScratchPath:
        """Use the folder in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the folder at the end of the `with` block."""
        folder = _held.pop(str(self), None)
        if folder is not None:
            folder.cleanup()


_held: dict[str, tempfile.TemporaryDirectory[str]] = {}


def scratch() -> ScratchPath:
    """Make an empty temporary folder: a path, also for a `with` block.

    It is removed at the end of the `with` block, else when the kernel stops. Its place differs on every
    machine, so show the path object or a file's `.name`, never `str(path)`.

    Examples
    --------
    >>> with scratch() as folder:
    ...     size = (folder / "notes.txt").write_text("hello", encoding="utf-8")
    ...     folder / "notes.txt"
    <scratch folder: notes.txt>
    >>> folder.exists()
    False
    """
    holder = tempfile.TemporaryDirectory(prefix="mlops-lab-", ignore_cleanup_errors=True)
    folder = ScratchPath(holder.name, "scratch")
    folder.mkdir()
    _held[str(folder)] = holder
    return folder

"""What a lesson stores against what its cells give now, where comparing letters would be wrong.

Claims are compared by their own tolerance, live values by their kind, figures by being there, of the same
size, and not blank. Plain texts and tables are nbval's part.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_lab.course.notebooks import text_of
from mlops_lab.lesson.outputs import MIME, mask_live

__all__ = ["differences", "is_typed", "typed"]

_CLAIM = ("type", "id", "text", "bound", "kind", "unit", "source", "reason", "tolerance", "holds")
_LIVE = ("type", "id", "text", "unit")
_ELSEWHERE = ("type", "id", "outcome")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_BLANK = 0.999
"""The share of pixels of one brightness from which on a picture counts as blank; a bare frame has less."""


def is_typed(output: Any) -> bool:
    """Say whether an output is one of ours, with a typed payload."""
    return MIME in (output.get("data") or {})


def typed(stored: Sequence[Any], fresh: Sequence[Any], *, exact: bool = True) -> Iterator[str]:
    """Compare the typed outputs of a cell with those of a fresh execution."""
    old, new = ([output["data"] for output in outputs if is_typed(output)] for outputs in (stored, fresh))
    names = [[f"{data[MIME].get('type')} {data[MIME].get('id')}" for data in side] for side in (old, new)]
    if names[0] != names[1]:
        yield f"typed outputs are {names[1]}, stored are {names[0]}"
        return
    for name, before, after in zip(names[0], old, new, strict=True):
        yield from (f"{name}: {difference}" for difference in _pair(before, after, exact=exact))


def _pair(before: Mapping[str, Any], after: Mapping[str, Any], *, exact: bool) -> Iterator[str]:
    old, new = before[MIME], after[MIME]
    kind = old["type"]
    parts = {"claim": _CLAIM, "live": _LIVE}.get(kind) or (sorted({*old, *new}) if exact else _ELSEWHERE)
    for part in parts:
        if old.get(part) != new.get(part):
            yield f"its {part} is {new.get(part)!r}, stored is {old.get(part)!r}"
    if not exact:
        return
    same = old.get("measured") == new.get("measured")
    if kind == "claim" and not _close(old["measured"], new["measured"], old["tolerance"]):
        yield f"measured {new['measured']!r}, stored is {old['measured']!r} (tolerance {old['tolerance']!r})"
    for form in ("text/plain", "text/html"):
        faces = [mask_live(_joined(data.get(form, ""))) for data in (before, after)]
        if kind == "claim" and not same:  # the card shows the number that was just compared
            faces = [_NUMBER.sub("#", face) for face in faces]
        if faces[0] != faces[1]:
            yield f"its {form} differs from what is stored"


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _close(old: float | None, new: float | None, tolerance: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return tolerance is None or math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance * 1e-3)


def differences(stored: Any, fresh: Any, *, exact: bool = True) -> list[str]:
    """Compare claims and figures of a stored notebook with those of a fresh execution."""
    cells = [cell for cell in fresh["cells"] if not _injected(cell)]
    if len(cells) != len(stored["cells"]):
        return [f"{len(cells)} cells were executed, {len(stored['cells'])} are stored"]
    found: list[str] = []
    for place, (old, new) in enumerate(zip(stored["cells"], cells, strict=True)):
        if old["cell_type"] != "code":
            continue
        if text_of(old).strip() and old.get("execution_count") is None:
            found.append(f"cell {place} was never run")
            continue
        here = [
            *typed(old["outputs"], new["outputs"], exact=exact),
            *_figures(old["outputs"], new["outputs"]),
        ]
        found += [f"cell {place}: {difference}" for difference in here]
    return found


def _injected(cell: Any) -> bool:
    return "injected-parameters" in cell.get("metadata", {}).get("tags", [])


def _figures(stored: Sequence[Any], fresh: Sequence[Any]) -> Iterator[str]:
    before, after = (
        [output["data"]["image/png"] for output in outputs if "image/png" in (output.get("data") or {})]
        for outputs in (stored, fresh)
    )
    if len(before) != len(after):
        yield f"{len(after)} figures were drawn, {len(before)} are stored"
        return
    for old, new in zip(before, after, strict=True):
        sizes = []
        for which, png in (("stored", old), ("fresh", new)):
            try:
                pixels = _pixels(_joined(png))
            except (ValueError, OSError, SyntaxError, binascii.Error) as error:
                yield f"the {which} figure cannot be read: {error}"
                continue
            height, width = pixels.shape[:2]
            sizes.append(f"{width} x {height}")
            if _is_blank(pixels):
                yield f"the {which} figure is blank"
        if len(set(sizes)) > 1:
            yield f"the figure has {sizes[1]} pixels, the stored one has {sizes[0]}"


def _pixels(png: str) -> Any:
    """Decode a picture to an array of rows, columns and channels from 0 to 1, on white."""
    import numpy as np
    from matplotlib.image import imread

    pixels = np.atleast_3d(imread(io.BytesIO(base64.b64decode(png, validate=False)), format="png"))
    colours, opacity = pixels[..., :3], pixels[..., 3:] if pixels.shape[-1] == 4 else 1.0
    return colours * opacity + (1 - opacity)


def _is_blank(pixels: Any) -> bool:
    """Whether almost every pixel has the picture's commonest brightness."""
    import numpy as np

    grey = (pixels.mean(axis=-1) * 255).round().astype(int)
    return bool(np.bincount(grey.ravel(), minlength=256).max() > _BLANK * grey.size)

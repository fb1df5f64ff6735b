"""Claims: every result that a lesson states, bound to what was measured.

A claim shows its sentence, the value, the bound and how far the value is from it. Under `run`, `test` and CI
a broken claim stops the run; in a student's own kernel it says so and goes on, since a broken claim is
something to look into.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mlops_lab.lesson import cards, derived_texts
from mlops_lab.lesson.outputs import require_id, rounded, show_typed, strict
from mlops_lab.report import shown

__all__ = ["KINDS", "claim"]

KINDS = {"measured": "measured here", "world": "true in our world", "reported": "reported"}
"""What a claim rests on: this run, a simulation that we tuned, or somebody's figure with its source."""

_WHY = (
    "Why? Look at three things: did you change `seed` or a value above; did all cells run from the top "
    "(Kernel > Restart Kernel and Run All Cells); is the measured value what you think it is? "
    "A result that breaks teaches more than one you only read."
)


class BrokenClaim(AssertionError):  # noqa: N818  named for what happened, not for a mistake in the code
    """A claim whose measured value lies outside its bound, raised in strict mode after it was shown.

    Examples
    --------
    >>> issubclass(BrokenClaim, AssertionError)
    True
    """


def claim(
    text: str,
    measured: object,
    *,
    id: str | None = None,
    at_least: float | bool | None = None,
    at_most: float | bool | None = None,
    within: tuple[float, float] | None = None,
    kind: str = "measured",
    unit: str = "",
    source: str = "",
    reason: str = "",
    tolerance: float | None = 1e-6,
) -> None:
    """State a result in a sentence and hold it to what was measured.

    It answers "is this sentence true here, and by how much?". It cannot say whether the sentence describes
    the number, and it misleads when the bound was chosen after looking at one seed: choose it with a margin
    that holds over many.

    Parameters
    ----------
    text
        One plain sentence; or, alone with the measured value, the claim's id: sentence and bound are then the
        kit's texts of this id.
    measured
        The measured number: an int or a float, also numpy's and a Series of length 1. True or False need
        `at_least=True` or `at_most=False`; prefer a number, as it has a margin. None with a `reason`: this
        machine cannot measure it; such a claim is never broken. Not-a-number and infinity are always broken.
    id
        The claim's name for slides and site, `topic.word`.
    at_least, at_most, within
        The bound, exactly one, its ends included.
    kind
        One of `KINDS`.
    unit
        The unit of value and bound.
    source
        Where the figure is from; needed for `kind="reported"`.
    reason
        Why the value cannot be measured here; needed when `measured` is None, refused otherwise.
    tolerance
        How far, relative to its size, the value may differ between two runs of the same notebook; it does not
        loosen the bound. None: the value is live (a timing) and only has to hold.

    Raises
    ------
    ValueError, TypeError
        When an argument does not fit, whatever the mode.
    BrokenClaim
        In strict mode, after the card was shown, when the claim does not hold.

    Examples
    --------
    >>> claim("Most grades are right.", 0.8312, id="demo.mostly_right", at_least=0.75)
    Claim (measured here): Most grades are right.
      holds: measured 0.8312, claimed at least 0.75 (0.0812 to spare)  [demo.mostly_right]
    """
    if id is None:
        _claim_by_id(text, measured, reason)
        return
    require_id(id)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"text={text!r}: a claim is a plain sentence, for example 'The new labels help.'")
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is unknown: choose one of {', '.join(KINDS)}.")
    if kind == "reported" and not source.strip():
        raise ValueError("kind='reported' needs source='who found it, where, when'.")
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise ValueError(
            f"tolerance={tolerance!r}: give a relative difference from 0, or None for a live value."
        )
    bound = _bound(at_least, at_most, within)
    value = _value(measured)
    if value is None and not reason.strip():
        raise ValueError(
            "measured=None needs reason='why this machine cannot measure it'; otherwise pass the number."
        )
    if value is not None and reason:
        raise ValueError(f"reason={reason!r} belongs to measured=None only: leave it out.")
    _same_sort(value, bound)
    margin = _margin(value, bound)
    holds = None if margin is None else margin >= 0
    finite = value is not None and math.isfinite(value)
    seen = "" if value is None else shown(value, unit)
    payload: dict[str, Any] = {
        "type": "claim",
        "id": id,
        "text": text,
        "measured": (value if isinstance(value, int) else rounded(value))
        if value is not None and finite
        else None,
        "shown": seen,
        "bound": {name: list(limit) if isinstance(limit, tuple) else limit for name, limit in bound.items()},
        "margin": rounded(margin) if margin is not None and math.isfinite(margin) else None,
        "kind": kind,
        "unit": unit,
        "source": source,
        "reason": reason,
        "tolerance": tolerance,
        "holds": holds,
    }
    show_typed(payload, *_faces(payload, value, bound, margin))
    if holds is False and strict():
        raise BrokenClaim(f"{id}: {text!r} does not hold: {seen}, claimed {_wanted(bound, unit)}.")


def _claim_by_id(id: str, measured: object, reason: str) -> None:
    """State a claim whose sentence and bound are the kit's."""
    if isinstance(id, str) and " " in id:
        raise ValueError(f"{id!r} needs id='topic.word' and a bound, for example at_least=0.5.")
    require_id(id)
    texts = derived_texts.texts_of("claims", id)
    if texts is None:
        value = _value(measured)
        derived_texts.show_without_texts("claim", id, {"": reason if value is None else shown(value)})
        return
    claim(measured=measured, id=id, reason=reason, **texts)


def _bound(
    at_least: float | bool | None, at_most: float | bool | None, within: tuple[float, float] | None
) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: limit
        for name, limit in (("at_least", at_least), ("at_most", at_most), ("within", within))
        if limit is not None
    }
    if len(given) != 1:
        raise ValueError(
            f"A claim needs exactly one bound and got {len(given)} ({', '.join(given) or 'none'}): "
            "give at_least=, at_most= or within=(low, high)."
        )
    ((name, limit),) = given.items()
    if name != "within":
        number = _value(limit, name)
        if number is None or not math.isfinite(number):
            raise ValueError(f"{name}={limit!r} is no bound: give a finite number.")
        if isinstance(number, bool) and number is not (name == "at_least"):
            raise ValueError(f"{name}={number} is always true: write at_least=True or at_most=False.")
        return {name: number}
    try:
        low, high = (_value(end, "within") for end in tuple(limit))
    except (TypeError, ValueError) as error:
        raise ValueError(f"within={limit!r} is no bound: give two numbers, within=(low, high).") from error
    if low is None or high is None or not math.isfinite(low) or not math.isfinite(high) or low > high:
        raise ValueError(f"within={limit!r} is no bound: give two finite numbers, the lower first.")
    return {name: (low, high)}


def _value(measured: object, name: str = "measured") -> float | int | bool | None:
    """Return a plain Python number, None for None."""
    item: Callable[[], object] | None = getattr(measured, "item", None)
    if callable(item):
        try:
            measured = item()
        except ValueError as error:
            raise TypeError(
                f"{name} holds several values, and a claim is about one: take a mean, a share or one row."
            ) from error
    if measured is None or isinstance(measured, (bool, int, float)):
        return measured
    raise TypeError(
        f"{name}={measured!r} is a {type(measured).__name__}: a claim needs one number, True or False."
    )


def _same_sort(value: float | bool | None, bound: dict[str, Any]) -> None:
    (limit,) = bound.values()
    if value is not None and isinstance(value, bool) != isinstance(limit, bool):
        raise TypeError(
            f"measured={value!r} and the bound {limit!r} do not fit: "
            "give a number and a numeric bound, or a truth and at_least=True."
        )


def _margin(value: float | bool | None, bound: dict[str, Any]) -> float | None:
    """How far inside the bound the value lies (negative: outside); None when not measurable."""
    if value is None:
        return None
    if not math.isfinite(value):
        return -math.inf
    ((name, limit),) = bound.items()
    if name == "at_least":
        return float(value - limit)
    if name == "at_most":
        return float(limit - value)
    return float(min(value - limit[0], limit[1] - value))


def _wanted(bound: dict[str, Any], unit: str) -> str:
    ((name, limit),) = bound.items()
    if isinstance(limit, bool):
        return shown(limit)
    if name == "within" and limit[0] == limit[1]:
        return f"exactly {shown(limit[0], unit)}"
    if name == "within":
        return f"from {shown(limit[0], unit)} to {shown(limit[1], unit)}"
    return f"{name.replace('_', ' ')} {shown(limit, unit)}"


def _distance(margin: float, bound: dict[str, Any], unit: str) -> str:
    """Say in words how far the value is from its bound; nothing where that has no meaning."""
    (limit,) = bound.values()
    if isinstance(limit, bool) or not math.isfinite(margin):
        return ""
    if margin == 0 and isinstance(limit, tuple) and limit[0] == limit[1]:
        return ""
    if margin == 0:
        return "just on the bound"
    gap = shown(rounded(abs(margin), 3), unit)
    return f"{gap} to spare" if margin > 0 else f"{gap} outside"


def _faces(
    payload: dict[str, Any], value: float | bool | None, bound: dict[str, Any], margin: float | None
) -> tuple[str, str]:
    """Write the claim as plain text and as a card."""
    kind = KINDS[payload["kind"]] if value is not None else ""
    wanted = f"claimed {_wanted(bound, payload['unit'])}"
    source = f"Source: {payload['source']}" if payload["source"] else ""
    seen = payload["shown"] if payload["tolerance"] is not None else f"‹{payload['shown']}›"
    if value is None or margin is None:
        word, tone = "not measurable here", "open"
        seen, line = payload["reason"], f"{payload['reason']}; {wanted}"
    else:
        word, tone = ("holds", "good") if margin >= 0 else ("does not hold here", "bad")
        distance = _distance(margin, bound, payload["unit"])
        if distance and payload["tolerance"] is None:
            distance = f"‹{distance}›"
        wanted += f" ({distance})" if distance else ""
        line = f"measured {seen}, {wanted}"
    why = _WHY if payload["holds"] is False else ""
    text = "\n".join(
        [f"Claim{kind and f' ({kind})'}: {payload['text']}", f"  {word}: {line}  [{payload['id']}]"]
        + [f"  {extra}" for extra in (source, why) if extra]
    )
    blocks = [cards.measured(seen, kind, f"{word}: {wanted}", source, payload["id"])]
    blocks += [cards.paragraph(why)] if why else []
    return text, cards.card(tone, payload["text"], *blocks, label=f"Claim, {word}")

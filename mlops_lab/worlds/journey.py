"""The journey of a crate, step by step: the whole data-generating process of the orchard in one sitting.

Fruit grows, it has a true grade, a scanner reads it, graders label it, and a few crates are opened by an
expert. Each step is one short function that says why it is so; each defect hangs on one dial of `Orchard`,
and 0 is none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mlops_lab.worlds.batch import Batch
from mlops_lab.worlds.packhouse import FEATURES, GRADES
from mlops_lab.worlds.randomness import Streams

if TYPE_CHECKING:
    from mlops_lab.worlds.orchard import Orchard

__all__ = ["travel"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LAMP_WEEK = 7.0
"""The week in which half of the belt's lamps have been swapped; nearly all of it happens in weeks 5 to 9."""


def travel(
    dials: Orchard,
    streams: Streams,
    numbers: pd.Index,
    week: int,
    *,
    share: float,
    scanner: str | None = None,
    grade: str | None = None,
) -> Batch:
    """Let crates of one week travel through the packhouse.

    Answers: how a crate comes to look as it does. It draws the next crates of `streams`, so two calls with
    the same streams give different crates. With `grade`, only "spoiled" is met by every crate; of the
    others the caller keeps those that have the grade. Users call the methods of `Orchard` instead.
    """
    n = len(numbers)
    fruit, rot_luck = _grow(streams, n), streams.uniform("rot", n)
    # rot strikes by chance alone, so picking a grade is the same as forcing or forbidding it
    rotten = rot_luck < dials.p_rare if grade is None else np.full(n, grade == "spoiled")
    handheld = streams.uniform("scanner", n) < share if scanner is None else np.full(n, scanner == "handheld")
    truth = _true_grade(_quality(fruit), rotten)
    crates = pd.DataFrame(
        _scan(dials, streams, fruit, rotten, handheld, week), index=numbers, columns=FEATURES
    )
    scanners = np.where(handheld, "handheld", "belt").astype(object)
    crates["scanner"] = pd.Series(scanners, index=numbers, dtype=object)
    crates["week"] = week
    night = streams.uniform("shift", n) < 0.30
    labels = _label(dials, streams, truth, night)
    chance = _check(dials, fruit)
    checked = streams.uniform("checked", n) < chance
    names, shifts = np.array(GRADES, dtype=object), np.where(night, "night", "day").astype(object)
    return Batch(
        crates=crates,
        labels=pd.Series(names[labels], index=numbers, name="label", dtype=object),
        truth=pd.Series(names[truth], index=numbers, name="truth", dtype=object),
        checked=pd.Series(checked, index=numbers, name="checked"),
        chance=pd.Series(chance, index=numbers, name="chance"),
        shift=pd.Series(shifts, index=numbers, name="shift", dtype=object),
    )


def _grow(streams: Streams, n: int) -> dict[str, Floats]:
    """Fruit as it is, before anyone has looked at it."""
    traits = {trait: streams.normal(trait, n) for trait in ("ripeness", "sugar", "firmness", "weight")}
    return traits | {"blemish": streams.exponential("blemish", n)}


def _quality(fruit: dict[str, Floats]) -> Floats:
    """What the fruit is worth eating; ripe and sweet together count extra, big and firm together less."""
    ripe, sugar, firm = fruit["ripeness"], fruit["sugar"], fruit["firmness"]
    together = 0.35 * ripe * sugar - 0.3 * np.maximum(fruit["weight"], 0) * firm
    return 1.15 * ripe + 0.8 * sugar + 0.35 * firm - 0.5 * fruit["blemish"] + together


def _true_grade(quality: Floats, rotten: Flags) -> NDArray[np.int64]:
    """Grade by two quality limits; inner rot spoils a crate however fine it looks."""
    return np.where(rotten, 0, 1 + (quality > -0.75).astype(int) + (quality > 0.55).astype(int))


def _lamp(week: int) -> float:
    """Share of the belt's lamps that are new: an S-curve, since they are swapped one by one."""
    return 1 / (1 + math.exp(-(week - LAMP_WEEK) / 0.7))


def _scan(
    dials: Orchard,
    streams: Streams,
    fruit: dict[str, Floats],
    rotten: Flags,
    handheld: Flags,
    week: int,
) -> dict[str, Floats]:
    """Read the fruit: new lamps push the belt's colour up, handhelds read it low, rot shows in `nir`."""
    n = len(rotten)
    lamps = dials.drift * _lamp(week)
    colour_offset = np.where(handheld, dials.group_lamps * lamps - 0.35 * dials.group_shift, lamps)
    rot_signal = 1.45 * (2 - dials.rare_gap)
    return {
        "colour": fruit["ripeness"] + colour_offset + 0.2 * streams.normal("colour error", n),
        "sugar": fruit["sugar"] + 0.2 * streams.normal("sugar error", n),
        "firmness": fruit["firmness"] - 0.6 * rotten + 0.2 * streams.normal("firmness error", n),
        "blemish": fruit["blemish"],
        "nir": rot_signal * rotten + 0.25 * fruit["blemish"] + 0.6 * streams.normal("nir error", n),
        "weight": fruit["weight"],
    }


def _label(dials: Orchard, streams: Streams, truth: NDArray[np.int64], night: Flags) -> NDArray[np.int64]:
    """Grade by eye: tired at night one grade low, now and then off by one, and blind to inner rot."""
    n = len(truth)
    low = night & (truth >= 2) & (streams.uniform("low", n) < 0.60 * dials.noise)
    slipped = (truth >= 1) & ~low & (streams.uniform("slip", n) < 0.06 * dials.noise)
    step = np.where(streams.uniform("slip up", n) < 0.5, 1, -1)
    missed = (truth == 0) & (streams.uniform("miss", n) < 0.45 * dials.noise)
    taken_for = 1 + (streams.uniform("missed as", n) < 0.5).astype(int)
    return np.select([low, slipped, missed], [truth - 1, np.clip(truth + step, 1, 3), taken_for], truth)


def _check(dials: Orchard, fruit: dict[str, Floats]) -> Floats:
    """Give the chance to be opened by an expert, who reaches for the crates that look ripe and clean."""
    if not dials.checked_bias or dials.checked_share in (0, 1):
        return np.full(len(fruit["blemish"]), float(dials.checked_share))
    # exp(-blemish) is uniform, so `clean` and `looks` are standard normal, and the mean of the chances
    # is exactly `checked_share`
    clean = special.ndtri(np.clip(np.exp(-fruit["blemish"]), 1e-12, 1 - 1e-12))
    looks = (fruit["ripeness"] + clean) / math.sqrt(2)
    limit = -special.ndtri(dials.checked_share) * math.hypot(1, dials.checked_bias)
    chance: Floats = special.ndtr(dials.checked_bias * looks - limit)
    return chance

"""The orchard co-operative: a world whose truth we own, with every trouble on a dial.

`Orchard` holds the dials and the ways to ask for crates. Below it stands the whole data-generating process:
fruit grows, it has a true grade, a scanner reads it, graders label it, and a few crates are opened by an
expert. Each step is one short function that says why it is so; each defect hangs on one dial, and 0 is none.
The figures are tuned so that a course's effects show in a week's crates: true in our world, not in yours.
Left out: seasons, growers with fruit of different quality, graders who learn.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mlops_lab.worlds.crates import FEATURES, GRADES, SCANNERS, Batch
from mlops_lab.worlds.random_streams import Streams

__all__ = ["Orchard"]

ARCHIVE_WEEKS = (0, 1, 2, 3)
"""The weeks whose crates the co-operative kept; all lie before the lamps are swapped."""

LIMITS: dict[str, tuple[float, float]] = {
    "noise": (0.0, 1.5),
    "rare_gap": (0.0, 2.0),
    "p_rare": (0.0, 1.0),
    "drift": (0.0, 5.0),
    "group_share": (0.0, 1.0),
    "group_share_archive": (0.0, 1.0),
    "group_shift": (0.0, 5.0),
    "group_lamps": (0.0, 1.0),
    "checked_share": (0.0, 1.0),
    "checked_bias": (-3.0, 3.0),
}
"""What each dial may be set to, both ends included."""


@dataclass(frozen=True)
class Orchard:
    """A year of crates at the orchard co-operative, with the truth known and every defect on a dial.

    Answers: what would a method see, and how far from the truth would it be, if exactly this were wrong
    with the data. Two orchards that differ in one dial share all random numbers, so crates differ only in
    what that dial touches, and a comparison shows its effect alone. A batch also does not depend on what
    was drawn before it. It cannot tell how large an effect is in a real packhouse; it misleads whoever
    takes its figures for one.

    Parameters
    ----------
    seed
        Picks the world; a whole number from 0.
    noise
        The graders' label errors. At 1 the night shift (30 % of the labels) writes three in five of the
        table and premium crates one grade too low, 6 % of the other labels slip by one grade, and 45 % of
        spoiled crates are missed: the rot is inside. At 0 every label is true.
    rare_gap
        How well the rot hides from the scanner's `nir` reading. At 0 it shows plainly, at 2 not at all.
    p_rare
        Share of spoiled crates; 0 is none.
    drift
        How far the new lamps push the belt's `colour` reading up, in standard deviations; weeks 5 to 9. 0
        is not.
    group_share
        Share of hill growers' crates, read by handheld scanners, in production.
    group_share_archive
        The same share in the archive; 0 means that the archive has none.
    group_shift
        How far handhelds read `colour` too low, in steps of 0.35; at 0 they read like a belt with old
        lamps. They have no lamps to swap, so `drift` does not touch them.
    group_lamps
        How much of the new lamps' push the handhelds get all the same. At 0 it is none, as in the story; at
        1, with ``group_shift=0``, they read as the belt does in every week.
    checked_share
        Share of crates that an expert opens later; only for these the truth becomes known.
    checked_bias
        How much the choice of those crates goes by looks. At 0 they are drawn at random; above 0 the ripe and
        clean-looking ones are opened more often, below 0 the unripe and blemished ones. `checked_share` stays
        the mean at every setting. The chances are in ``Batch.chance``, which nobody in the story knows.

    Raises
    ------
    ValueError
        If a dial is outside its range.
    TypeError
        If a dial is not a number.

    Notes
    -----
    Readings are standardised: 0 is an average crate under the old lamps. Hill growers' fruit is as good as
    everyone's; only the reading differs.

    Examples
    --------
    >>> orchard = Orchard(seed=0)
    >>> orchard.archive(400)
    Batch of 400 crates (weeks 0 to 3; belt 382, handheld 18; 42 are ever checked)
    >>> calm = orchard.with_(drift=0)
    >>> bool((calm.week(12).truth == orchard.week(12).truth).all())
    True
    >>> shift = orchard.week(12, n=100).crates["colour"] - calm.week(12, n=100).crates["colour"]
    >>> shift.round(2).value_counts().index.tolist()
    [1.0, 0.0]
    """

    seed: int = 0
    noise: float = 1.0
    rare_gap: float = 1.0
    p_rare: float = 0.03
    drift: float = 1.0
    group_share: float = 0.15
    group_share_archive: float = 0.06
    group_shift: float = 1.0
    group_lamps: float = 0.0
    checked_share: float = 0.10
    checked_bias: float = 1.0

    def __post_init__(self) -> None:
        Streams(self.seed, "check")  # a seed out of range fails here, not at the first draw
        for dial, (low, high) in LIMITS.items():
            value = getattr(self, dial)
            if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
                raise TypeError(f"{dial}={value!r}: a number from {low:g} to {high:g} is needed")
            if not low <= value <= high:
                raise ValueError(f"{dial}={value!r}: a number from {low:g} to {high:g} is needed")

    def with_(self, **dials: Any) -> Orchard:
        """Give the same world with some dials moved, by the names of the class's parameters."""
        known = [field.name for field in fields(self)]
        unknown = sorted(set(dials) - set(known))
        if unknown:
            raise TypeError(f"no dial is called {', '.join(unknown)}; there are {', '.join(known)}")
        return replace(self, **dials)

    def archive(self, n: int = 2600) -> Batch:
        """Give `n` crates that the co-operative happened to keep: weeks 0 to 3, almost all from the belt."""
        return self._sample(n, ARCHIVE_WEEKS, "archive", self.group_share_archive, None, None)

    def week(self, week: int, n: int = 1200) -> Batch:
        """Give `n` crates that come in during one week of production, counted from 0.

        The lamps are swapped in weeks 5 to 9.
        """
        return self._sample(n, (week,), "week", self.group_share, None, None)

    def sample(
        self,
        n: int,
        weeks: int | Iterable[int],
        *,
        purpose: str,
        scanner: str | None = None,
        grade: str | None = None,
    ) -> Batch:
        """Draw further crates for a purpose: an audit, a collection, an exam.

        Answers: what would we get if we went out and collected. It misleads where crates of one `grade` are
        asked for and then taken for a random week: their shares are yours, not nature's.

        Parameters
        ----------
        n
            How many crates, spread evenly over the weeks.
        weeks
            A week or several.
        purpose
            A word for what they are for. One purpose always gives the same crates, another gives fresh ones.
        scanner
            "belt" or "handheld" to take crates of that scanner only.
        grade
            A grade to take only crates that truly have it, as an expert would pick them.

        Raises
        ------
        ValueError
            For an unknown scanner or grade, no or repeated weeks, or `n` below 1.
        """
        chosen = (weeks,) if isinstance(weeks, (int, np.integer)) else tuple(weeks)
        return self._sample(n, chosen, purpose, self.group_share, scanner, grade)

    def _sample(
        self,
        n: int,
        weeks: tuple[int, ...],
        purpose: str,
        share: float,
        scanner: str | None,
        grade: str | None,
    ) -> Batch:
        """Spread `n` crates over the weeks; each week has its own random numbers."""
        if operator.index(n) < 1:
            raise ValueError(f"n={n!r}: at least one crate is needed")
        if not weeks or len(set(weeks)) < len(weeks):
            raise ValueError(f"weeks={list(weeks)!r}: give at least one week, and each only once")
        for name, value, known in (("scanner", scanner, SCANNERS), ("grade", grade, GRADES)):
            if value is not None and value not in known:
                raise ValueError(f"{name}={value!r}: choose one of {', '.join(known)}, or None for any")
        counts = [n // len(weeks) + (place < n % len(weeks)) for place in range(len(weeks))]
        parts = [
            self._draw(count, week, purpose, share, scanner, grade)
            for week, count in zip(weeks, counts, strict=True)
            if count
        ]
        return parts[0].concat(*parts[1:])

    def _draw(
        self, n: int, week: int, purpose: str, share: float, scanner: str | None, grade: str | None
    ) -> Batch:
        """Draw crates of one week until `n` have the grade asked for."""
        streams, parts, found, seen = Streams(self.seed, purpose, week), list[Batch](), 0, 0
        while found < n:
            block = n - found if grade in (None, "spoiled") else 64 + 4 * (n - found)
            numbers = pd.Index(
                [f"{purpose}-{week:02d}-{i:05d}" for i in range(seen, seen + block)], name="crate"
            )
            batch = _generate(self, streams, numbers, week, share=share, scanner=scanner, grade=grade)
            if grade is not None:
                batch = batch.select(batch.truth == grade)
            seen, found = seen + block, found + len(batch)
            parts.append(batch)
        whole = parts[0].concat(*parts[1:])
        return (
            whole if found == n else whole.select(pd.Series(np.arange(found) < n, index=whole.crates.index))
        )


Floats = NDArray[np.float64]

Flags = NDArray[np.bool_]

LAMP_WEEK = 7.0
"""The week in which half of the belt's lamps have been swapped; nearly all of it happens in weeks 5 to 9."""


def _generate(
    dials: Orchard,
    streams: Streams,
    numbers: pd.Index,
    week: int,
    *,
    share: float,
    scanner: str | None = None,
    grade: str | None = None,
) -> Batch:
    """Generate crates of one week: fruit, truth, readings, labels, checks.

    It draws the next crates of `streams`, so two calls with the same streams give different crates. With
    `grade`, only "spoiled" is met by every crate; of the others the caller keeps those that have the grade.
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

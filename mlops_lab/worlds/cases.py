"""Small problems with a known answer, to practise the question before every model: should there be one.

`case` draws one. Below it stand the thirteen problems: how the rows of each come about, and what is right to
do. `live` rows are what comes in once the answer is in use. Accuracies need no simulation: a target that
follows the columns and is then flipped with chance p can be met in 1 - p of the rows.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.worlds.random_streams import Streams

__all__ = ["CASES", "Case", "case"]


@dataclass(frozen=True)
class Stakes:
    """What a case's predictions are worth in dollars, and what a model costs once and a year.

    It cannot count what has no price, such as a person treated unfairly.
    """

    per_year: int = 100_000
    gain_usd: float = 1.0
    loss_usd: float = 1.0
    build_usd: float = 15_000.0
    run_usd: float = 8_000.0


DECISIONS = ("LOOKUP", "NO_SIGNAL", "COLLECT", "SHIFT", "RULE", "PARTIAL", "NOT_COST_EFFECTIVE", "ML")
"""What can be decided about a problem."""


@dataclass(frozen=True, eq=False)
class CaseTruth:
    """What is right to do in a case, and how well anybody could do.

    Parameters
    ----------
    decision
        A word of `DECISIONS`.
    because
        Why, in a sentence.
    best
        The best accuracy, or R² in a regression, that any method can reach on rows like those of the data,
        on average over many samples; a model that shows more on fresh rows has seen something it should not
        have.
    live_target
        The target of the live rows.

    Examples
    --------
    >>> case("no_relation").truth.best
    0.5
    """

    decision: str
    because: str
    best: float
    live_target: pd.Series


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """A problem as it is brought to you: a table, a target, new rows, money; and, kept apart, the truth.

    Parameters
    ----------
    name
        Its name, one of `CASES`.
    story
        The question in a sentence.
    data
        The columns, without the target.
    target
        What is to be predicted; named "target".
    live
        Rows without a target, as they come in where the answer will be used.
    task
        "classification" (targets are strings) or "regression".
    stakes
        What predictions are worth.
    truth
        The answer.

    Examples
    --------
    >>> case("lookup", n=500)
    Case lookup: Which vehicle carries a parcel? (500 rows; zone, size_class)
    """

    name: str
    story: str
    data: pd.DataFrame
    target: pd.Series
    live: pd.DataFrame
    task: str
    stakes: Stakes
    truth: CaseTruth

    def __repr__(self) -> str:
        columns = ", ".join(self.data.columns)
        return f"Case {self.name}: {self.story} ({len(self.data):,} rows; {columns})"


Rows = tuple[pd.DataFrame, NDArray[np.object_] | NDArray[np.float64]]


@dataclass(frozen=True)
class CaseSpec:
    """How a case is made: a function that draws its rows (live ones or not), its text, and the answer.

    `most` is how many rows exist; all else becomes a part of `Case`.
    """

    text: str
    draw: Callable[[Streams, int, bool], Rows]
    decision: str
    because: str
    best: float
    task: str = "classification"
    most: int = 1_000_000
    stakes: Stakes = Stakes()


def case(name: str, n: int = 2000, *, seed: int = 0) -> Case:
    """Bring one problem to the table.

    Answers: would this method have decided rightly, on a problem whose answer is known? It cannot stand for
    the problems of your own work: each case has one trouble only, and real ones have several at once.

    Parameters
    ----------
    name
        One of `CASES`.
    n
        Rows of data; "too_little_data" never has more than 60. There are half as many live rows.
    seed
        Picks the sample. More rows with the same seed begin with the same rows, except in "id_column" and
        "time_order", where a row's place in the whole matters.

    Raises
    ------
    ValueError
        For an unknown name, fewer than 20 rows or a seed out of range.

    Examples
    --------
    >>> problem = case("simple_rule", n=1000, seed=3)
    >>> warm = problem.data["temperature_c"] > 8
    >>> bool(((problem.target == "reject") == warm).mean() > 0.95)
    True
    >>> problem.truth.decision
    'RULE'
    """
    if name not in SPECS:
        raise ValueError(f"no case is called {name!r}; there are {', '.join(CASES)}")
    if operator.index(n) < 20:
        raise ValueError(f"n={n!r}: at least 20 rows are needed to decide anything")
    story = SPECS[name]
    rows = min(n, story.most)
    data, target = story.draw(Streams(seed, f"case {name}", 0), rows, False)
    live, live_target = story.draw(Streams(seed, f"case {name}", 1), max(rows // 2, 300), True)
    return Case(
        name=name,
        story=story.text,
        data=data,
        target=_series(target),
        live=live,
        task=story.task,
        stakes=story.stakes,
        truth=CaseTruth(story.decision, story.because, story.best, _series(live_target)),
    )


def _series(values: object) -> pd.Series:
    series = pd.Series(values, name="target")
    return series if series.dtype.kind == "f" else series.astype(object)


def _names(hit: NDArray[np.bool_], yes: str, no: str) -> NDArray[np.object_]:
    return np.where(hit, yes, no).astype(object)


def _flipped(draw: Streams, hit: NDArray[np.bool_], chance: float) -> NDArray[np.bool_]:
    """Turn some answers round: what no column can explain."""
    return np.asarray(hit ^ (draw.uniform("flip", len(hit)) < chance))


def _normals(draw: Streams, n: int, *columns: str) -> pd.DataFrame:
    return pd.DataFrame({column: draw.normal(column, n) for column in columns})


def _no_relation(draw: Streams, n: int, live: bool) -> Rows:
    data = _normals(draw, n, "moon_phase", "birth_month", "shoe_size", "street_number")
    return data, _names(draw.uniform("coin", n) < 0.5, "buys", "leaves")


def _simple_rule(draw: Streams, n: int, live: bool) -> Rows:
    data = pd.DataFrame({"temperature_c": 5 + 4 * draw.normal("temperature", n)})
    data = data.assign(humidity=draw.uniform("humidity", n), truck_age_years=draw.exponential("age", n))
    hit = (data["temperature_c"] > 8).to_numpy()
    return data, _names(_flipped(draw, hit, 0.03), "reject", "accept")


def _lookup(draw: Streams, n: int, live: bool) -> Rows:
    zone, size = (draw.uniform("zone", n) * 6).astype(int), (draw.uniform("size", n) * 4).astype(int)
    table = np.array([[0, 1, 2, 0], [2, 0, 1, 1], [1, 2, 0, 2], [0, 0, 2, 1], [2, 1, 1, 0], [1, 0, 2, 2]])
    data = pd.DataFrame({"zone": np.array(list("ABCDEF"), dtype=object)[zone], "size_class": size + 1})
    return data, np.array(["bike", "van", "truck"], dtype=object)[table[zone, size]]


def _points_card(draw: Streams, n: int, live: bool) -> Rows:
    facts = {"late_before": 2, "abroad": 1, "first_order": 3, "heavy": 1, "holiday": 2}
    data = pd.DataFrame({fact: (draw.uniform(fact, n) < 0.4).astype(int) for fact in facts})
    points = sum(weight * data[fact] for fact, weight in facts.items())
    return data, _names(_flipped(draw, np.asarray(points) >= 4, 0.05), "late", "on_time")


COST_USD, MASS_KG = (100.0, 500.0), (10.0, 50.0)


def _formula(draw: Streams, n: int, live: bool) -> Rows:
    cost = COST_USD[0] + (COST_USD[1] - COST_USD[0]) * draw.uniform("cost", n)
    mass = MASS_KG[0] + (MASS_KG[1] - MASS_KG[0]) * draw.uniform("mass", n)
    data = pd.DataFrame({"cost_usd": cost, "mass_kg": mass, "shelf": draw.normal("shelf", n)})
    return data, cost / mass + draw.normal("rounding", n)


def _formula_best() -> float:
    """R² of the true formula: 1 - noise / total variance, by the moments of two uniform numbers."""
    (a, b), (c, d) = COST_USD, MASS_KG
    second = (a * a + a * b + b * b) / 3 / (c * d)
    first = (a + b) / 2 * math.log(d / c) / (d - c)
    variance = second - first**2
    return variance / (variance + 1)


PARTS = ("heat", "vibration", "load", "pressure", "speed", "noise_level")


def _wear(data: pd.DataFrame) -> NDArray[np.bool_]:
    """Decide by columns that count only in combination, so that no single threshold helps much."""
    heat, vibration, load = data["heat"], data["vibration"], data["load"]
    score = heat * vibration + 0.9 * np.sin(2 * load) + 0.6 * data["pressure"] * (data["speed"] > 0)
    return np.asarray(score > 0)


def _complex_pattern(draw: Streams, n: int, live: bool) -> Rows:
    data = _normals(draw, n, *PARTS)
    return data, _names(_flipped(draw, _wear(data), 0.06), "fails", "holds")


def _shifted(draw: Streams, n: int, live: bool) -> Rows:
    data = _normals(draw, n, *PARTS)
    if live:  # a new plant: far heavier loads, where nothing was ever measured
        data = data.assign(load=data["load"] + 4.0, heat=data["heat"] / 2)
    return data, _names(_flipped(draw, _wear(data), 0.06), "fails", "holds")


def _partial(draw: Streams, n: int, live: bool) -> Rows:
    data = _normals(draw, n, *PARTS)
    data["plant"] = np.where(draw.uniform("plant", n) < 0.35, "north", "south").astype(object)
    coin = draw.uniform("coin", n) < 0.5
    hit = np.where((data["plant"] == "north").to_numpy(), _flipped(draw, _wear(data), 0.06), coin)
    return data, _names(hit, "fails", "holds")


ODD_FROM = 0.8


def _imbalanced(draw: Streams, n: int, live: bool) -> Rows:
    data = _normals(draw, n, "amount", "distance", "hour", "account_age")
    amount, distance, hour = data["amount"], data["distance"], data["hour"]
    extreme = np.minimum(amount.abs(), distance.abs()) > ODD_FROM
    odd = np.asarray(extreme & (amount * distance * hour > 0))  # no product of two columns finds it
    fraud = draw.uniform("fraud", n) < np.where(odd, 0.80, 0.002)
    return data, _names(fraud, "fraud", "honest")


def _id_column(draw: Streams, n: int, live: bool) -> Rows:
    sick = draw.uniform("sick", n) < 0.5
    # the archive was filed class by class and then numbered; live patients get new numbers
    filed = np.argsort(np.argsort(~sick, kind="stable"), kind="stable")
    data = _normals(draw, n, "age", "pulse", "weight")
    data.insert(0, "patient_id", 1_000_000 + np.arange(n) if live else filed)
    return data, _names(sick, "sick", "healthy")


def _time_order(draw: Streams, n: int, live: bool) -> Rows:
    data = _normals(draw, n, "price", "weather", "advert")
    when = np.linspace(1.0, 1.2, n) if live else np.linspace(0.0, 1.0, n)
    data.insert(0, "day", np.floor(when * 730).astype(int))
    turn = 1.2 * math.pi * when**2  # what sells turns round, slowly at first and then fast
    hit = (data["price"] * np.cos(turn) + data["weather"] * np.sin(turn) > 0).to_numpy()
    return data, _names(_flipped(draw, hit, 0.05), "sells", "stays")


SPECS: dict[str, CaseSpec] = {
    "no_relation": CaseSpec(
        "Who buys, judged by the moon and the shoe size?",
        _no_relation,
        "NO_SIGNAL",
        "the target is a fair coin that no column knows of",
        0.5,
    ),
    "simple_rule": CaseSpec(
        "Which trucks of chilled goods are rejected at the gate?",
        _simple_rule,
        "RULE",
        "one threshold, 8 degrees, says all there is to say",
        0.97,
    ),
    "lookup": CaseSpec(
        "Which vehicle carries a parcel?",
        _lookup,
        "LOOKUP",
        "24 pairs of zone and size class fix the answer without exception",
        1.0,
    ),
    "points_card": CaseSpec(
        "Which orders arrive late?",
        _points_card,
        "RULE",
        "five facts with small whole points, added up and compared with 4",
        0.95,
    ),
    "formula": CaseSpec(
        "What does a kilogram cost?",
        _formula,
        "RULE",
        "cost divided by mass; the rest is rounding",
        _formula_best(),
        task="regression",
    ),
    "complex_pattern": CaseSpec(
        "Which machines fail this week?",
        _complex_pattern,
        "ML",
        "columns count only in combination, there is data, and many predictions are wanted",
        0.94,
    ),
    "too_little_data": CaseSpec(
        "Which machines fail this week? The sensors are new.",
        _complex_pattern,
        "COLLECT",
        "the pattern is there, but 60 rows are too few to learn it",
        0.94,
        most=60,
    ),
    "shifted": CaseSpec(
        "Which machines fail in the new plant?",
        _shifted,
        "SHIFT",
        "live rows lie where the data has none",
        0.94,
    ),
    "partial": CaseSpec(
        "Which machines fail, north and south?",
        _partial,
        "PARTIAL",
        "the north (35 % of the rows) can be predicted and pays, the south is a coin and does not",
        0.35 * 0.94 + 0.65 * 0.5,
        stakes=Stakes(loss_usd=2.0, build_usd=5_000.0, run_usd=2_000.0),
    ),
    "imbalanced": CaseSpec(
        "Which payments are fraud?",
        _imbalanced,
        "ML",
        "the rare class follows a combination of columns; accuracy alone would hide whether it is found",
        1 - 0.5 * math.erfc(ODD_FROM / math.sqrt(2)) ** 2 * (0.20 - 0.002) - 0.002,
        stakes=Stakes(loss_usd=10.0),
    ),
    "id_column": CaseSpec(
        "Which patients are sick?",
        _id_column,
        "NO_SIGNAL",
        "only the patient's number tells, since the archive was filed by class; new numbers tell nothing",
        0.5,
    ),
    "time_order": CaseSpec(
        "Which goods sell tomorrow?",
        _time_order,
        "SHIFT",
        "the relation itself turns with time, so the past does not tell tomorrow",
        0.95,
    ),
    "seldom_asked": CaseSpec(
        "Which of the co-operative's three presses fails this season?",
        _complex_pattern,
        "NOT_COST_EFFECTIVE",
        "a pattern can be learned, but 40 predictions a year never pay for it; a rule errs too often",
        0.94,
        stakes=Stakes(per_year=40, gain_usd=50.0, loss_usd=200.0),
    ),
}
"""The problems by name."""

CASES = tuple(SPECS)
"""The names that `case` takes."""

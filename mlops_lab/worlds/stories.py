"""Thirteen small problems with a known answer: how the rows of each case come about, and what is right to do.

Each function draws the rows of one case; `live` rows are what comes in once the answer is in use.
Accuracies need no simulation: a target that follows the columns and is then flipped with chance p can be
met in 1 - p of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.worlds.randomness import Streams

__all__ = ["STORIES", "Stakes", "Story"]

Rows = tuple[pd.DataFrame, NDArray[np.object_] | NDArray[np.float64]]


@dataclass(frozen=True)
class Stakes:
    """What a case's predictions are worth, in dollars.

    Answers: does a model pay? It cannot count what has no price, such as a person treated unfairly.

    Parameters
    ----------
    per_year
        Predictions a year.
    gain_usd
        What a right prediction brings.
    loss_usd
        What a wrong one costs.
    build_usd
        Building a model, once.
    run_usd
        Running and maintaining it, a year.

    Examples
    --------
    >>> Stakes().worth(accuracy=0.9, years=1)
    57000.0
    """

    per_year: int = 100_000
    gain_usd: float = 1.0
    loss_usd: float = 1.0
    build_usd: float = 15_000.0
    run_usd: float = 8_000.0

    def worth(self, accuracy: float, years: float = 3.0) -> float:
        """Add up gains, losses and the cost of a model over some years.

        Parameters
        ----------
        accuracy
            Share of right predictions.
        years
            How long the model is used.
        """
        each = accuracy * self.gain_usd - (1 - accuracy) * self.loss_usd
        return round(self.per_year * years * each - self.build_usd - self.run_usd * years, 2)


@dataclass(frozen=True)
class Story:
    """One problem: how to draw its rows, and the answer.

    Parameters
    ----------
    text
        What is asked, for the student.
    draw
        Function of the random numbers, the number of rows and whether they are live rows.
    decision
        The right decision, a word of ``worlds.DECISIONS``.
    because
        Why, in a sentence.
    best
        Best accuracy (R² in a regression) that any method can have on rows like the data.
    task
        "classification" or "regression".
    most
        Most rows that exist.
    stakes
        What predictions are worth.
    """

    text: str
    draw: Callable[[Streams, int, bool], Rows]
    decision: str
    because: str
    best: float
    task: str = "classification"
    most: int = 1_000_000
    stakes: Stakes = Stakes()


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


STORIES: dict[str, Story] = {
    "no_relation": Story(
        "Who buys, judged by the moon and the shoe size?",
        _no_relation,
        "NO_SIGNAL",
        "the target is a fair coin that no column knows of",
        0.5,
    ),
    "simple_rule": Story(
        "Which trucks of chilled goods are rejected at the gate?",
        _simple_rule,
        "RULE",
        "one threshold, 8 degrees, says all there is to say",
        0.97,
    ),
    "lookup": Story(
        "Which vehicle carries a parcel?",
        _lookup,
        "LOOKUP",
        "24 pairs of zone and size class fix the answer without exception",
        1.0,
    ),
    "points_card": Story(
        "Which orders arrive late?",
        _points_card,
        "RULE",
        "five facts with small whole points, added up and compared with 4",
        0.95,
    ),
    "formula": Story(
        "What does a kilogram cost?",
        _formula,
        "RULE",
        "cost divided by mass; the rest is rounding",
        _formula_best(),
        task="regression",
    ),
    "complex_pattern": Story(
        "Which machines fail this week?",
        _complex_pattern,
        "ML",
        "columns count only in combination, there is data, and many predictions are wanted",
        0.94,
    ),
    "too_little_data": Story(
        "Which machines fail this week? The sensors are new.",
        _complex_pattern,
        "COLLECT",
        "the pattern is there, but 60 rows are too few to learn it",
        0.94,
        most=60,
    ),
    "shifted": Story(
        "Which machines fail in the new plant?",
        _shifted,
        "SHIFT",
        "live rows lie where the data has none",
        0.94,
    ),
    "partial": Story(
        "Which machines fail, north and south?",
        _partial,
        "PARTIAL",
        "the north (35 % of the rows) can be predicted and pays, the south is a coin and does not",
        0.35 * 0.94 + 0.65 * 0.5,
        stakes=Stakes(loss_usd=2.0, build_usd=5_000.0, run_usd=2_000.0),
    ),
    "imbalanced": Story(
        "Which payments are fraud?",
        _imbalanced,
        "ML",
        "the rare class follows a combination of columns; accuracy alone would hide whether it is found",
        1 - 0.5 * math.erfc(ODD_FROM / math.sqrt(2)) ** 2 * (0.20 - 0.002) - 0.002,
        stakes=Stakes(loss_usd=10.0),
    ),
    "id_column": Story(
        "Which patients are sick?",
        _id_column,
        "NO_SIGNAL",
        "only the patient's number tells, since the archive was filed by class; new numbers tell nothing",
        0.5,
    ),
    "time_order": Story(
        "Which goods sell tomorrow?",
        _time_order,
        "SHIFT",
        "the relation itself turns with time, so the past does not tell tomorrow",
        0.95,
    ),
    "seldom_asked": Story(
        "Which of the co-operative's three presses fails this season?",
        _complex_pattern,
        "NOT_COST_EFFECTIVE",
        "a pattern can be learned, but 40 predictions a year never pay for it; a rule errs too often",
        0.94,
        stakes=Stakes(per_year=40, gain_usd=50.0, loss_usd=200.0),
    ),
}
"""The problems by name."""

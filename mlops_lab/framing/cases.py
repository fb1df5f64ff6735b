"""Generated questions whose right answer we know, because we made them.

The error rates in `benchmarks/framing.py` are rates over these cases and the ones in `worlds`: over *our*
cases, not over the world's. Each case says which decisions are right and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.framing.costs import Costs

__all__ = ["CASES", "case"]

ROWS = 900
Rng = np.random.Generator
Floats = NDArray[np.float64]
Drawn = tuple[pd.DataFrame, dict[str, Any]]


@dataclass(frozen=True)
class FramingCase:
    """A question with its known answer.

    Attributes
    ----------
    name
        One of `CASES`.
    data, target
        The table and its answer column.
    options
        Further arguments for `should_use_ml`: time, live, costs.
    right
        The decisions that are right.
    why
        Why, in one sentence.
    """

    name: str
    data: pd.DataFrame
    target: str
    right: tuple[str, ...]
    why: str
    options: dict[str, Any] = field(default_factory=dict)


def case(name: str, *, seed: int = 0) -> FramingCase:
    """Generate one question.

    Parameters
    ----------
    name
        One of `CASES`.
    seed
        Other seeds give other rows of the same kind.

    Raises
    ------
    ValueError
        When there is no such case.

    Examples
    --------
    >>> case("lookup").data.columns.tolist()
    ['country', 'band', 'weight', 'y']

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if name not in _CASES:
        raise ValueError(f"There is no case '{name}'; choose one of {', '.join(CASES)}.")
    draw, right, why = _CASES[name]
    data, options = draw(np.random.default_rng([seed, 77, list(_CASES).index(name)]))
    return FramingCase(name, data, "y", right, why, options)


def _inputs(rng: Rng, rows: int = ROWS, columns: int = 8) -> Floats:
    return rng.normal(size=(rows, columns))


def _table(inputs: Floats, answers: Any, **more: Any) -> pd.DataFrame:
    table = pd.DataFrame(inputs, columns=[f"x{number}" for number in range(inputs.shape[1])])
    return table.assign(**more, y=answers)


def _flipped(rng: Rng, answers: Any, share: float) -> NDArray[np.int64]:
    return np.asarray(np.where(rng.random(len(answers)) < share, 1 - answers, answers), dtype=np.int64)


def tangled(x: Floats) -> Floats:
    """A pattern no short rule holds: a wave times a column, a gate times a column, and a product."""
    gate = np.abs(x[:, 2]) > 0.8
    return np.asarray(np.sin(1.6 * x[:, 0]) * x[:, 1] + gate * x[:, 3] - 0.7 * x[:, 4] * x[:, 0])


def _noise(rng: Rng) -> Drawn:
    return _table(_inputs(rng), rng.random(ROWS) < rng.choice([0.5, 0.3])), {}


def _noise_number(rng: Rng) -> Drawn:
    return _table(_inputs(rng), rng.normal(size=ROWS)), {}


def _noise_rare(rng: Rng) -> Drawn:
    return _table(_inputs(rng, 2000), np.where(rng.random(2000) < 0.08, "faulty", "fine")), {}


def _noise_wide(rng: Rng) -> Drawn:
    return _table(_inputs(rng, 700, 150), rng.integers(0, 2, 700)), {}


def _noise_ids(rng: Rng) -> Drawn:
    answers = np.sort(rng.integers(0, 2, ROWS))
    return _table(
        _inputs(rng), answers, crate_id=np.arange(ROWS) + 5000, code=[f"K{i:05d}" for i in range(ROWS)]
    ), {}


def _noise_small(rng: Rng) -> Drawn:
    return _table(_inputs(rng, 60), rng.integers(0, 2, 60)), {}


def _one_rule(rng: Rng) -> Drawn:
    x = _inputs(rng)
    return _table(x, _flipped(rng, (x[:, 2] > 0.3).astype(int), 0.1)), {}


def _one_category(rng: Rng) -> Drawn:
    shed = rng.choice(["hill", "dale", "moor"], ROWS)
    return _table(_inputs(rng), _flipped(rng, (shed == "moor").astype(int), 0.1), shed=shed), {}


def _three_questions(rng: Rng) -> Drawn:
    x = _inputs(rng)
    hit = np.where(x[:, 0] > 0.2, x[:, 1] > -0.3, x[:, 3] > 0.5)
    return _table(x, _flipped(rng, hit.astype(int), 0.08)), {}


def _points(rng: Rng) -> Drawn:
    x = _inputs(rng)
    return _table(x, _flipped(rng, (x[:, 0] + 0.8 * x[:, 1] - 0.6 * x[:, 2] > 0).astype(int), 0.05)), {}


def _points_number(rng: Rng) -> Drawn:
    x = _inputs(rng)
    return _table(x, 2 * x[:, 0] - x[:, 1] + 0.5 * rng.normal(size=ROWS)), {}


def _points_rare(rng: Rng) -> Drawn:
    x = _inputs(rng, 2000)
    return _table(x, x[:, 0] + 0.7 * x[:, 1] + 0.6 * rng.normal(size=2000) > 2.0), {}


def _ratio(rng: Rng) -> Drawn:
    x = rng.uniform(1, 10, size=(ROWS, 6))
    return _table(x, _flipped(rng, (x[:, 1] / x[:, 4] > 1.2).astype(int), 0.05)), {}


def _product_number(rng: Rng) -> Drawn:
    x = rng.uniform(1, 10, size=(ROWS, 6))
    return _table(x, 3 * x[:, 0] * x[:, 2] + 8 * rng.normal(size=ROWS)), {}


def _usual_table(rng: Rng) -> Drawn:
    a, b = rng.integers(0, 7, ROWS), rng.integers(0, 5, ROWS)
    answers = rng.integers(0, 2, (7, 5))[a, b]
    return _table(_inputs(rng, ROWS, 4), _flipped(rng, answers, 0.08), sort=[f"s{i}" for i in a], week=b), {}


def _lookup(rng: Rng) -> Drawn:
    a, b = rng.integers(0, 12, ROWS), rng.integers(0, 6, ROWS)
    tariff = rng.integers(0, 3, (12, 6))
    weight = rng.normal(size=ROWS)
    return pd.DataFrame({"country": [f"c{i}" for i in a], "band": b, "weight": weight, "y": tariff[a, b]}), {}


def _price_list(rng: Rng) -> Drawn:
    a, b, c = rng.integers(0, 5, ROWS), rng.integers(0, 4, ROWS), rng.integers(0, 3, ROWS)
    price = np.round(rng.uniform(1, 50, (5, 4, 3)), 2)
    columns = {"item": [f"i{i}" for i in a], "size": b, "grade": c, "weight": rng.normal(size=ROWS)}
    return pd.DataFrame({**columns, "y": price[a, b, c]}), {}


def _complex(rng: Rng) -> Drawn:
    x = _inputs(rng)
    return _table(x, _flipped(rng, (tangled(x) > 0).astype(int), 0.05)), {}


def _complex_three(rng: Rng) -> Drawn:
    x = _inputs(rng, 1200)
    pull = tangled(x)
    return _table(
        x, np.array(["low", "middle", "high"])[np.digitize(pull, np.quantile(pull, [0.33, 0.67]))]
    ), {}


def _complex_number(rng: Rng) -> Drawn:
    x = _inputs(rng)
    return _table(x, tangled(x) + 0.2 * rng.normal(size=ROWS)), {}


def _complex_rare(rng: Rng) -> Drawn:
    x = _inputs(rng, 2500)
    pull = tangled(x)
    return _table(x, pull > np.quantile(pull, 0.88)), {}


def _complex_mixed(rng: Rng) -> Drawn:
    x = _inputs(rng, 1500)
    shed, wet = rng.choice(["hill", "dale", "moor"], 1500), rng.random(1500) < 0.4
    lean = np.select([shed == "hill", shed == "dale"], [x[:, 5] * x[:, 3], -x[:, 5]], x[:, 3]) * np.where(
        wet, -1, 1
    )
    table = _table(x, _flipped(rng, (tangled(x) + 1.5 * lean > 0).astype(int), 0.03), shed=shed, wet=wet)
    table.loc[rng.random(1500) < 0.08, "x1"] = np.nan
    return table, {}


def _few_rows(rng: Rng) -> Drawn:
    x = _inputs(rng, 60)
    return _table(x, (tangled(x) > 0).astype(int)), {}


def _few_rule(rng: Rng) -> Drawn:
    x = _inputs(rng, 120)
    return _table(x, _flipped(rng, (x[:, 1] > 0.2).astype(int), 0.03)), {}


def _live_moved(rng: Rng) -> Drawn:
    live = _inputs(rng, 400) * 1.2 + np.array([1.2, 0.8, 0, 0, 0, 0, 0, 0])
    table, _ = _complex(rng)
    return table, {"live": _table(live, 0).drop(columns="y")}


def _live_same(rng: Rng) -> Drawn:
    table, _ = _complex(rng)
    return table, {"live": _table(_inputs(rng, 400), 0).drop(columns="y")}


def _concept_drift(rng: Rng) -> Drawn:
    x = _inputs(rng, 1400)
    late = np.arange(1400) > 0.75 * 1400
    pull = np.where(late, tangled(-x[:, ::-1]), tangled(x))
    return _table(x, (pull > 0).astype(int), day=np.arange(1400)), {"time": "day"}


def _stable_time(rng: Rng) -> Drawn:
    x = _inputs(rng, 1400)
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(1400), unit="h")
    table = _table(x, (tangled(x) > 0).astype(int), moment=days)
    return table.sample(frac=1, random_state=1), {"time": "moment"}


def _too_dear(rng: Rng) -> Drawn:
    return _complex(rng)[0], {
        "costs": Costs(1, 1, 0.001, 200_000, 50_000, 2_000, build_rule=5_000, keep_rule=1_000)
    }


def _pays(rng: Rng) -> Drawn:
    return _complex(rng)[0], {"costs": Costs(1, 1, 0.001, 20_000, 10_000, volume=500_000, human_minutes=2)}


def _rule_earns_more(rng: Rng) -> Drawn:
    return _complex(rng)[0], {"costs": Costs(1, 1, 0.001, 200_000, 50_000, volume=20_000)}


def _part_pays(rng: Rng) -> Drawn:
    x = _inputs(rng, 1500)
    table = _table(x, _flipped(rng, (tangled(x) > 0).astype(int), 0.02))
    return table, {"costs": Costs(1, 8, 0.001, 5_000, 2_000, volume=500_000)}


def _one_group_pays(rng: Rng) -> Drawn:
    x, hill = _inputs(rng, 2000), rng.random(2000) < 0.35
    known = _flipped(rng, (tangled(x) > 0).astype(int), 0.03)
    table = _table(x, np.where(hill, known, rng.integers(0, 2, 2000)), shed=np.where(hill, "hill", "dale"))
    return table, {"costs": Costs(1, 2, 0.001, 5_000, 2_000, volume=100_000)}


_CASES: dict[str, tuple[Callable[[Rng], Drawn], tuple[str, ...], str]] = {
    "noise": (_noise, ("NO_SIGNAL",), "the answers are tossed coins"),
    "noise_number": (_noise_number, ("NO_SIGNAL",), "the numbers come from nowhere"),
    "noise_rare": (_noise_rare, ("NO_SIGNAL",), "faults fall by chance"),
    "noise_wide": (_noise_wide, ("NO_SIGNAL",), "150 columns of chance are still chance"),
    "noise_ids": (_noise_ids, ("NO_SIGNAL",), "only the running number knows the answer, and it names rows"),
    "noise_small": (_noise_small, ("COLLECT", "NO_SIGNAL"), "coins, but 60 rows cannot show it"),
    "one_rule": (_one_rule, ("RULE",), "one cut on one column is all there is"),
    "one_category": (_one_category, ("RULE",), "one shed differs from the others"),
    "three_questions": (_three_questions, ("RULE",), "three questions say it all"),
    "points": (_points, ("RULE",), "three columns add up"),
    "points_number": (_points_number, ("RULE",), "two columns add up to a number"),
    "points_rare": (_points_rare, ("RULE",), "two columns add up to a rare answer"),
    "ratio": (_ratio, ("RULE",), "a ratio of two columns is cut"),
    "product_number": (_product_number, ("RULE",), "a product of two columns"),
    "usual_table": (_usual_table, ("RULE",), "a table of 35 usual answers"),
    "lookup": (_lookup, ("LOOKUP",), "a tariff by country and band"),
    "price_list": (_price_list, ("LOOKUP",), "a price list by item, size and grade"),
    "complex": (_complex, ("ML",), "a tangled pattern, enough rows"),
    "complex_three": (_complex_three, ("ML",), "a tangled pattern with three answers"),
    "complex_number": (_complex_number, ("ML",), "a tangled number"),
    "complex_rare": (_complex_rare, ("ML",), "a tangled pattern for an answer of 12 %"),
    "complex_mixed": (_complex_mixed, ("ML",), "a tangled pattern in categories, flags and gaps"),
    "few_rows": (_few_rows, ("COLLECT",), "a tangled pattern, but 60 rows"),
    "few_rule": (_few_rule, ("RULE",), "120 rows are enough for one plain cut"),
    "live_moved": (_live_moved, ("SHIFT",), "live inputs lie elsewhere"),
    "live_same": (_live_same, ("ML",), "live inputs are like the past"),
    "concept_drift": (_concept_drift, ("SHIFT",), "the pattern of the latest quarter is another one"),
    "stable_time": (_stable_time, ("ML",), "the pattern stays"),
    "too_dear": (_too_dear, ("NOT_COST_EFFECTIVE",), "2,000 answers a year cannot carry the cost"),
    "pays": (_pays, ("ML",), "half a million answers a year carry it"),
    "rule_earns_more": (_rule_earns_more, ("RULE",), "the model answers better, the rule earns more"),
    "part_pays": (_part_pays, ("PARTIAL",), "errors are dear; only the sure answers pay"),
    "one_group_pays": (_one_group_pays, ("PARTIAL",), "the hill can be predicted, the dale is a coin"),
}

CASES = tuple(_CASES)
"""The names of all cases."""

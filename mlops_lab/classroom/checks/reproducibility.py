"""Lesson 05's exercises: flips, sums and columns without an order, seeds, an honest score, a recipe."""

from __future__ import annotations

import itertools
import math
import random
from functools import lru_cache, partial
from typing import Any

from mlops_lab.classroom.checks import Outcome, Rule, not_yet, right, told
from mlops_lab.classroom.checks.judges import Case, Mistake, function, number, read_number, whole_number

__all__ = ["RULES"]


@lru_cache(maxsize=4)
def _trained(seed: int) -> tuple[float, float, float]:
    """The flips between first weights 0 and 1, and the accuracies of both."""
    from mlops_lab import reproducibility, worlds

    orchard, names = worlds.Orchard(seed=seed), list(worlds.FEATURES)
    crates, exam = orchard.archive(1000), orchard.sample(2000, range(4), purpose="exam")
    x, y, exam_x = crates.crates[names].to_numpy(), crates.labels.to_numpy(), exam.crates[names].to_numpy()
    one, other = (reproducibility.train(x, y, init=init).predict(exam_x) for init in (0, 1))
    truth = exam.truth.to_numpy()
    return float((one != other).mean()), float((one == truth).mean()), float((other == truth).mean())


def _flips(seed: int) -> float:
    return _trained(seed)[0]


def _flip_mistakes(seed: int) -> list[Mistake]:
    flips, one, other = _trained(seed)
    return [
        Mistake(1 - flips, "is the share of crates that keep their grade."),
        Mistake(flips * 2000, "is a number of crates: divide by all 2,000."),
        Mistake(abs(one - other), "is the difference of the accuracies: compare the grades, crate by crate."),
        *(Mistake(each, "is an accuracy: compare the two with each other.") for each in (one, other)),
    ]


def _called(answer: Any, about: str, *given: object) -> Any:
    """Call a student's function; an Outcome is why there is no result."""
    if not callable(answer):
        return not_yet(f"Your answer is a {type(answer).__name__}: give the function, without brackets.")
    try:
        return answer(*given)
    except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
        return not_yet(f"For {about} your function stopped: {told(error)}.")


def _total(answer: object, seed: int) -> Outcome:
    rng = random.Random(seed)
    lists = {
        "a thousand numbers between 0 and 1": [rng.random() for _ in range(1000)],
        "numbers of very different size": [rng.uniform(-1, 1) * 10 ** rng.randint(-8, 8) for _ in range(400)],
        "no numbers at all": [],
    }
    for about, values in lists.items():
        found = set()
        for _ in range(12):
            got = _called(answer, about, list(values))
            total = got if isinstance(got, Outcome) else read_number(got)
            if isinstance(total, Outcome):
                return total
            found.add(total)
            rng.shuffle(values)
        if any(abs(each - math.fsum(values)) > 1e-9 * sum(map(abs, values)) for each in found):
            return not_yet(f"For {about} your function does not return their sum.")
        if len(found) > 1:
            return not_yet(f"For {about} your function gave {len(found)} totals in 12 orders.")
    return right("One rounding at the end, or one fixed order: both make the order of the list vanish.")


def _columns(answer: object, seed: int) -> Outcome:
    rng, found = random.Random(seed), set()
    words = ["colour", "sugar", "firmness", "blemish", "nir", "weight"]
    for process, kind in itertools.product(range(6), (list, tuple, set, frozenset)):
        names = [_Name(word, process) for word in words]
        rng.shuffle(names)
        got = _called(answer, f"a {kind.__name__} of names", kind([*names, names[0], names[3]]))
        if isinstance(got, Outcome):
            return got
        if not isinstance(got, (list, tuple)):
            return not_yet(f"Your function returned a {type(got).__name__}: a list has an order.")
        plain = tuple(map(str, got))
        if len(set(plain)) < len(plain):
            return not_yet("Your function returns a name twice: duplicates must go.")
        if set(plain) != set(words):
            return not_yet("Your function loses or adds names: each must be there once.")
        found.add(plain)
    if len(found) > 1:
        return not_yet("Your function returns another order when the names come in another one.")
    return right("The names decide their order, and no hash does.")


class _Name(str):
    """A name with the hash that it would have in another process."""

    process: int

    def __new__(cls, word: str, process: int) -> _Name:
        made = super().__new__(cls, word)
        made.process = process
        return made

    def __hash__(self) -> int:
        return hash((self.process, str(self)))


def _wrong_pairs(one: Any, other: Any) -> float:
    import numpy as np

    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    better, worse = (one, other) if one.mean() >= other.mean() else (other, one)
    return float((better[:, None] <= worse[None, :]).mean())


def _pair_cases(seed: int) -> list[Case]:
    import numpy as np

    rng = np.random.default_rng([seed, 5])
    near, far = rng.normal(0.80, 0.01, 20), rng.normal(0.79, 0.01, 20)
    clear, tied = np.array([0.9, 0.91, 0.92]), np.array([0.8, 0.9, 0.9])
    return [
        Case((near, far), _wrong_pairs(near, far), "twenty scores each, the first a little better"),
        Case((far, near), _wrong_pairs(far, near), "the same scores, the second a little better"),
        Case((clear, tied), _wrong_pairs(clear, tied), "scores of which two pairs are equal"),
    ]


def _scored(table: Any, labels: Any, *, peek: bool) -> float:
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    choose, model = SelectKBest(k=20), LogisticRegression()
    if peek:
        return float(cross_val_score(model, choose.fit_transform(table, labels), labels, cv=5).mean())
    return float(cross_val_score(make_pipeline(choose, model), table, labels, cv=5).mean())


_honest, _peeking = partial(_scored, peek=False), partial(_scored, peek=True)


def _score(answer: object, seed: int) -> Outcome:
    import numpy as np

    rng = np.random.default_rng([seed, 6])
    coin = rng.permutation([0, 1] * 40)
    related = rng.normal(size=(80, 300))
    related[:, :5] += 1.6 * coin[:, None]
    tables = [(rng.normal(size=(80, 1500)), rng.permutation([0, 1] * 40)) for _ in range(6)]
    scores = []
    for table, labels in [*tables, (related, coin)]:
        got = _called(answer, f"{len(table)} rows", table.copy(), labels.copy())
        score = got if isinstance(got, Outcome) else read_number(got)
        if isinstance(score, Outcome):
            return score
        scores.append(score)
    luck, found = float(np.mean(scores[:-1])), scores[-1]
    on_chance = f"On columns of pure chance it scores {luck:.2f}"
    if luck > 0.9:
        return not_yet(f"{on_chance}: it is examined on what it has learned.")
    if luck > 0.6:
        return not_yet(f"{on_chance}: something has seen the exam's labels.")
    if luck < 0.35:
        return not_yet(f"{on_chance}: that is below a coin toss.")
    if found < 0.8:
        return not_yet(f"Where five columns tell the label it scores only {found:.2f}: does it learn at all?")
    return right(f"{on_chance}, and {found:.2f} where there is something to find.")


def _recipe(answer: object, seed: int) -> Outcome:
    import numpy as np
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    from mlops_lab import reproducibility, worlds

    if isinstance(answer, str):
        answer = reproducibility.Recipe.read(answer)
    if isinstance(answer, dict):
        return not_yet("Your answer is a dict of steps: put it into reproducibility.Recipe(...).")
    made: Any = answer.build() if isinstance(answer, reproducibility.Recipe) else answer
    if not hasattr(made, "named_steps"):
        return not_yet(f"Your answer is a {type(answer).__name__}: a Recipe is asked for.")
    kinds = [type(step).__name__ for _, step in made.steps]
    for kind, does in (("SimpleImputer", "fills gaps"), ("StandardScaler", "scales"), ("PCA", "reduces")):
        if kind not in kinds:
            return not_yet(f"Your recipe has the steps {', '.join(kinds)}: none of them {does}.")
    if not hasattr(made.steps[-1][1], "predict"):
        return not_yet(f"Your recipe ends with {kinds[-1]}, which predicts nothing: a model comes last.")
    if kinds.index("SimpleImputer") > kinds.index("StandardScaler"):
        return not_yet("Your recipe scales before it fills: the gaps are there while it measures the spread.")
    if kinds.index("StandardScaler") > kinds.index("PCA"):
        return not_yet("Your recipe reduces before it scales: one column of large numbers drowns the others.")
    if made.named_steps[made.steps[kinds.index("PCA")][0]].n_components != 2:
        return not_yet("Your recipe does not reduce to two columns.")
    wine = worlds.real("wine")
    table = wine.data.to_numpy(dtype=float).copy()
    table[np.random.default_rng(seed).random(table.shape) < 0.02] = np.nan
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    accuracy = cross_val_score(clone(made), table, wine.target, cv=folds, error_score="raise").mean()
    tells = f"With gaps in the wine's table it is right {accuracy:.0%} of the time"
    return right(f"{tells}.") if accuracy >= 0.85 else not_yet(f"{tells}: that is too little.")


def _steps(*names: str) -> dict[str, Any]:
    from mlops_lab.reproducibility import Step

    known = {
        "fill": Step("sklearn.impute.SimpleImputer"),
        "scale": Step("sklearn.preprocessing.StandardScaler"),
        "reduce": Step("sklearn.decomposition.PCA", {"n_components": 2}),
        "model": Step("sklearn.linear_model.LogisticRegression"),
    }
    return {name: known[name] for name in names}


def _made(*names: str) -> Any:
    from mlops_lab.reproducibility import Recipe

    return Recipe(_steps(*names))


def _running(values: list[float]) -> float:
    """Add one after the other; Python's own sum repairs some of its rounding from release 3.12 on."""
    total = 0.0
    for value in values:
        total += value
    return total


RULES = (
    Rule(
        id="reproducibility.1",
        question="Which share of the exam's crates do two networks of other first weights grade differently?",
        judge=number(_flips, within=0.0011, fraction=True, mistakes=_flip_mistakes, far="is not that share"),
        hints=(
            "Which grade does each of the two networks give to the first crate of the exam?",
            "`first.predict(exam_x)` and `other.predict(exam_x)` are arrays: compare them with `!=`.",
            "The share of what is True is its mean: `(... != ...).mean()`.",
        ),
        right=lambda seed: [_flips(seed), round(_flips(seed), 3), [_flips(seed)]],
        wrong=lambda seed: [
            (1 - _flips(seed), "keep their grade"),
            (_flips(seed) * 2000, "number of crates"),
            (_trained(seed)[1], "is an accuracy"),
            (100 * _flips(seed), "in percent"),
        ],
    ),
    Rule(
        id="reproducibility.2",
        question="Write a function that sums a list of floats to the same bits in whatever order it comes.",
        judge=_total,
        hints=(
            "What changes when the list comes in another order: the numbers, or where they are rounded?",
            "Either never round on the way, or always add in one and the same order.",
            "`math.fsum(values)` rounds once. Or sort the values first, and add them then.",
        ),
        right=lambda seed: [
            math.fsum,
            lambda values: sum(sorted(values)),
            lambda values: math.fsum(sorted(values)),
        ],
        wrong=lambda seed: [
            (_running, "totals in 12 orders"),
            (lambda values: round(_running(values), 1), "does not return their sum"),
            (lambda values: _running(values) / (len(values) - len(values)), "ZeroDivisionError"),
            (lambda values: None, "NoneType"),
            (0.5, "without brackets"),
        ],
    ),
    Rule(
        id="reproducibility.3",
        question="Write a function that returns each column name once, in the same order in every process.",
        judge=_columns,
        hints=(
            "What decides the order in which a set hands out its members?",
            "The order must follow from the names themselves. Which order do words have in a dictionary?",
            "Drop duplicates with `set(...)`, and then put what is left in order with `sorted(...)`.",
        ),
        right=lambda seed: [
            lambda names: sorted(set(names)),
            lambda names: tuple(sorted(dict.fromkeys(names))),
            lambda names: sorted(set(names), reverse=True),
        ],
        wrong=lambda seed: [
            (lambda names: list(set(names)), "another order"),
            (lambda names: list(dict.fromkeys(names)), "another order"),
            (sorted, "name twice"),
            (lambda names: set(names), "a list has an order"),
            (lambda names: sorted(set(names))[:3], "loses or adds"),
            (lambda names: names.append("x"), "has an order"),
            (["colour"], "without brackets"),
        ],
    ),
    Rule(
        id="reproducibility.4",
        question="Write a function that returns the share of pairs of runs that name a wrong winner or none.",
        judge=function(_pair_cases),
        hints=(
            "How many pairs are there, if any run of the one may meet any run of the other?",
            "First find who has the higher mean. `one[:, None]` against `other[None, :]` makes all pairs.",
            "With `better` and `worse` by their means: `(better[:, None] <= worse[None, :]).mean()`.",
        ),
        right=lambda seed: [
            _wrong_pairs,
            lambda one, other: _wrong_pairs(other, one),
            lambda one, other: _wrong_pairs(list(one), list(other)),
        ],
        wrong=lambda seed: [
            (lambda one, other: (one <= other).mean(), "twenty scores each"),
            (lambda one, other: (one[:, None] <= other[None, :]).mean(), "the second a little better"),
            (lambda one, other: _wrong_pairs(one + 1e-9 * (one.mean() > other.mean()), other), "are equal"),
            (lambda one, other: 1 - _wrong_pairs(one, other), "twenty scores each"),
            (lambda one, other: None, "returned None"),
            (0.2, "without brackets"),
        ],
    ),
    Rule(
        id="reproducibility.5",
        question="How many seeds at least, so that an interval reaches 0.003 or less to either side?",
        judge=whole_number(
            lambda seed: 64,
            what="number of seeds",
            mistakes=lambda seed: [
                Mistake(8, "is the square root: the interval shrinks with the root of the number of seeds."),
                Mistake(16, "leaves out the 2 in front."),
                Mistake(32, "squares too little: square all of `2 x 0.012 / 0.003`."),
                Mistake(63, "is one too few."),
                Mistake(65, "is enough, and so is one fewer."),
            ],
            far="is not the fewest",
        ),
        hints=(
            "Which equation must `n` fulfil?",
            "Solve `2 x 0.012 / sqrt(n) = 0.003` for `sqrt(n)` first.",
            "`n` is the square of `2 * 0.012 / 0.003`.",
        ),
        right=lambda seed: [64, 64.0, [64]],
        wrong=lambda seed: [
            (8, "square root"),
            (16, "leaves out the 2"),
            (32, "squares too little"),
            (63, "one too few"),
            (65, "so is one fewer"),
        ],
    ),
    Rule(
        id="reproducibility.6",
        question="Write a function that scores the 20 best columns and a model by folds, without a leak.",
        judge=_score,
        hints=(
            "Which rows may the choice of the columns look at, in each fold?",
            "A `Pipeline` is trained anew in each fold, on training rows alone: choose the columns in it.",
            "Give `make_pipeline(SelectKBest(k=20), LogisticRegression())` to `cross_val_score(..., cv=5)`.",
        ),
        right=lambda seed: [_honest],
        wrong=lambda seed: [
            (_peeking, "seen the exam"),
            (lambda table, labels: 1.0, "what it has learned"),
            (lambda table, labels: 0.5, "does it learn"),
            (lambda table, labels: None, "NoneType"),
            (lambda table, labels: [0.5] * 5, "with 5 values"),
            (lambda table: 0.5, "stopped"),
            (0.5, "without brackets"),
        ],
    ),
    Rule(
        id="reproducibility.7",
        question="Give a recipe that fills gaps, scales, reduces to two columns, and classifies.",
        judge=_recipe,
        hints=(
            "Which of the steps cannot stand a missing value?",
            'Its dict begins with `"fill": reproducibility.Step("sklearn.impute.SimpleImputer")`.',
            "`**steps` puts all of the steps, in their order, behind the new one in the same dict.",
        ),
        right=lambda seed: [
            _made("fill", "scale", "reduce", "model"),
            _made("fill", "scale", "reduce", "model").text(),
            _made("fill", "scale", "reduce", "model").build(),
        ],
        wrong=lambda seed: [
            (_made("scale", "reduce", "model"), "fills gaps"),
            (_made("scale", "fill", "reduce", "model"), "scales before it fills"),
            (_made("fill", "reduce", "scale", "model"), "reduces before it scales"),
            (_made("fill", "scale", "model"), "none of them reduces"),
            (_made("fill", "scale", "reduce"), "a model comes last"),
            (_steps("fill", "scale", "reduce", "model"), "put it into"),
            (["fill", "scale"], "a Recipe is asked for"),
        ],
    ),
)

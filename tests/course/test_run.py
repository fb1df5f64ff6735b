"""The overview of a run says what held, what did not, and where, also to a screen reader."""

from html.parser import HTMLParser

import nbformat
import planted
import pytest

from mlops_lab.course import run
from mlops_lab.course.execution import Failure, Job, JobResult
from mlops_lab.course.notebooks import write
from mlops_lab.lesson.outputs import MIME


def payload(**changed):
    claim = {"type": "claim", "id": "demo.a", "text": "It <b>holds</b>.", "measured": 0.25, "shown": "0.25"}
    claim |= {"bound": {"within": [0.1, 0.3]}, "margin": 0.05, "kind": "world", "unit": "", "source": ""}
    return claim | {"reason": "", "tolerance": 1e-6, "holds": True} | changed


def outcome(folder, *payloads, name="00_start_here", failure=None):
    outputs = [
        nbformat.v4.new_output("display_data", data={MIME: each, "text/plain": "x"}) for each in payloads
    ]
    notebook = planted.lesson()
    planted.cell(notebook, "claim")["outputs"] = outputs
    target = folder / f"{name}.ipynb"
    write(notebook, target)
    return JobResult(Job(name, target, target), 2.25, failure)


class Reader(HTMLParser):
    """Collect a page's tables as rows of texts, and its tags."""

    def __init__(self):
        super().__init__()
        self.rows, self.tags, self.captions, self.inside = [], [], 0, False

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")
        self.captions += tag == "caption"

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data.strip()

    def handle_endtag(self, tag):
        self.inside = False


def test_a_page_tells_claims_checks_times_and_failures(tmp_path):
    check = {"type": "check", "id": "demo.1", "outcome": "right", "message": "Well done."}
    failure = Failure("11_load", 4, "1 / 0", "ZeroDivisionError: <division>")
    page = run.overview(
        [
            outcome(tmp_path, payload(), payload(id="demo.b", holds=False), check),
            outcome(
                tmp_path,
                payload(id="demo.c", holds=None, shown="", reason="no GPU"),
                name="11_load",
                failure=failure,
            ),
        ],
        seed=3,
    )
    reader = Reader()
    reader.feed(page)
    assert ["00_start_here", "It <b>holds</b>.", "0.25", "0.1 to 0.3", "world", "holds"] in reader.rows
    verdicts = [row[-1] for row in reader.rows if row[1:2] == ["It <b>holds</b>."]]
    assert verdicts == ["holds", "DOES NOT HOLD", "not measurable here"]
    assert any("no GPU" in row for row in reader.rows)
    assert ["00_start_here", "demo.1", "right", "Well done."] in reader.rows
    assert ["11_load", "2.2 s", "FAILED", ""] in reader.rows
    assert "2 notebooks at seed 3: 1 ran to their end, 1 failed. 1 of 3 claims hold." in page
    assert "ZeroDivisionError: &lt;division&gt;" in page
    names = [tag for tag, _ in reader.tags]
    assert names.count("table") == reader.captions == 3
    assert all(about.get("scope") == "col" for tag, about in reader.tags if tag == "th")
    assert {"main", "title", "h1"} <= set(names)
    assert not {"script", "link", "img", "iframe"} & set(names)
    assert dict(reader.tags)["html"] == {"lang": "en"}


def test_over_seeds_gives_the_spread_and_the_count():
    values = [0.2, 0.5, 0.05, None]
    runs = [
        payload(measured=v, holds=None if v is None else v >= 0.1, bound={"at_least": 0.1}) for v in values
    ]
    (row,) = run.over_seeds(runs).to_dict("records")
    assert row == {
        "claim": "demo.a",
        "claimed": "at least 0.1",
        "smallest": "0.05",
        "median": "0.2",
        "largest": "0.5",
        "holds": "2 of 3",
    }


def test_over_seeds_of_what_cannot_be_measured():
    (row,) = run.over_seeds([payload(measured=None, holds=None)]).to_dict("records")
    assert (row["median"], row["holds"]) == ("not measurable", "0 of 0")


@pytest.mark.parametrize("given", [[], [payload()]])
def test_over_seeds_has_one_row_a_claim(given):
    assert len(run.over_seeds(given)) == len(given)

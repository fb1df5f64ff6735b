"""What the README, CONTRIBUTING and the glossary say must be true: commands, lessons, links."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from mlops_lab import cli
from mlops_lab.course.lint_time import UNLIMITED
from mlops_lab.setup import lessons

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/glossary.md")

# the plan of the course: lesson and the parts of the lecture that it covers
COURSE = {
    "00_start_here": "L12",
    "01_when_to_use_ml": "L1 L2 L3",
    "02_beyond_the_model": "L4 L5 L6",
    "03_studies_vs_production": "L7",
    "04_versioning": "L8",
    "05_reproducibility": "L8",
    "06_tracking": "L8 L9",
    "07_monitoring_data": "L9",
    "08_monitoring_performance": "L9",
    "09_monitoring_health": "L9",
    "10_deployment": "L7 L11",
    "11_varying_load": "L10",
    "12_governance": "L11",
    "13_expectation_vs_reality": "L12",
    "14_lifecycle": "L11 L13 L14 L15",
}


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _table(heading: str) -> list[list[str]]:
    """Return the rows of the README's table whose first heading is this."""
    lines = iter(_read("README.md").splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _lesson(row: list[str]) -> str:
    """Return the name that a row's number and title make."""
    number = re.search(r"\d\d", row[0])
    assert number is not None
    return f"{number[0]}_{row[1].lower().replace(' ', '_')}"


def _opening(name: str) -> str:
    """Return the prose with which a lesson begins, up to its first code."""
    cells = json.loads(_read(f"notebooks/{name}.ipynb"))["cells"]
    prose = []
    for cell in cells:
        if cell["cell_type"] == "code":
            break
        prose.append("".join(cell["source"]))
    return "\n".join(prose)


def test_the_course_table_lists_the_lessons_and_their_keys() -> None:
    """All of the plan, in order; lessons that somebody added come after it."""
    rows = {_lesson(row): row for row in _table("#")}
    assert list(rows)[: len(COURSE)] == list(COURSE)
    assert list(rows) == sorted(rows)
    for name, keys in COURSE.items():
        assert rows[name][2].split(", ") == keys.split()


def test_the_course_table_says_what_there_is() -> None:
    """A lesson is available when both its source and the student's copy are there, and only then."""
    there = {name for name in lessons.names(ROOT) if (ROOT / "notebooks" / f"{name}.ipynb").is_file()}
    there = {name for name in there if (ROOT / "notebooks" / "solutions" / f"{name}.ipynb").is_file()}
    assert there == set(lessons.names(ROOT)), "a source without its copy, or a copy without its source"
    status = {_lesson(row): row[5] for row in _table("#")}
    assert set(status.values()) <= {"available", "planned"}
    assert {name for name, state in status.items() if state == "available"} == there
    for row in _table("#"):
        expected = f"[{_lesson(row)[:2]}](notebooks/{_lesson(row)}.ipynb)"
        assert row[0] == (expected if row[5] == "available" else _lesson(row)[:2])


@pytest.mark.parametrize("row", [row for row in _table("#") if row[5] == "available"], ids=_lesson)
def test_an_available_lesson_has_the_title_the_keys_and_the_time_of_its_row(row: list[str]) -> None:
    opening = _opening(_lesson(row))
    title = re.match(r"# (.*)", opening)
    assert title is not None
    assert row[1].lower() in title[1].lower().replace("versus", "vs")
    assert re.search(rf"\b{row[4]} min", opening), f"the README says {row[4]} minutes"
    for key in row[2].split(", "):
        assert re.search(rf"\b{key}\b", opening), f"the lesson does not name {key} of the lecture"


@pytest.mark.parametrize("row", [row for row in _table("#") if _lesson(row) not in UNLIMITED], ids=_lesson)
def test_no_core_is_longer_than_a_lab_session(row: list[str]) -> None:
    assert 5 <= int(row[4]) <= 60


def test_the_coverage_table_is_the_course_table_turned_round() -> None:
    covered = {row[0]: row[2] for row in _table("key")}
    assert list(covered) == [f"L{number}" for number in range(1, 16)]
    for key, numbers in covered.items():
        assert numbers.split(", ") == [_lesson(row)[:2] for row in _table("#") if key in row[2].split(", ")]


# commands


def _commands(page: str) -> list[tuple[str, list[str]]]:
    """Return the course's commands that a page shows, each with its arguments."""
    found = re.findall(r"\b(python3?|py) -m mlops_lab\b([^`\n]*)(?=[`\n])", _read(page))
    return [(launcher, shlex.split(rest.partition("#")[0])) for launcher, rest in found]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".ci/run"])
def test_every_command_shown_exists(page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in (*COURSE, "15_my_topic"):
        (folder / f"{name}.ipynb").touch()
    commands = _commands(page)
    assert commands, "the reader finds no command"
    for _, arguments in commands:
        assert cli.parser(tmp_path).parse_args(arguments).command is not None, arguments
        with pytest.raises(SystemExit):
            cli.parser(tmp_path).parse_args([arguments[0], "--help"])
        options = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
        assert options.issuperset(word for word in arguments if word.startswith("--")), (
            "an abbreviation is shown"
        )


def test_the_readme_begins_with_two_commands_for_every_system() -> None:
    blocks = re.findall(r"```console\n(.*?)```", _read("README.md"), re.DOTALL)
    first = ["python3 -m mlops_lab lab", "python3 -m mlops_lab test"]
    assert [block.splitlines() for block in blocks[:2]] == [
        first,
        [line.replace("python3", "py") for line in first],
    ]


def test_every_command_there_is_stands_in_the_docs() -> None:
    shown = {arguments[0] for page in ("README.md", "CONTRIBUTING.md") for _, arguments in _commands(page)}
    assert shown == set(cli.parser(ROOT).commands)


def test_the_eight_steps_are_eight() -> None:
    section = _read("CONTRIBUTING.md").partition("## Add a lesson in eight steps\n")[2].partition("\n## ")[0]
    assert re.findall(r"^(\d+)\. \*\*", section, re.MULTILINE) == [str(number) for number in range(1, 9)]


# links


def _links(page: str) -> list[str]:
    text = re.sub(r"```.*?```", "", _read(page), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def _anchors(page: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", _read(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_or_heading_resolves(page: str) -> None:
    for link in _links(page):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), f"{page} links to {link}"
        if anchor:
            assert anchor in _anchors(str(target.relative_to(ROOT))), f"{page} links to {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_named_is_there(page: str) -> None:
    made = (
        "work/",
        "runs/",
        ".venv",
        "notebooks/15_",
        "notebooks/solutions/15_",
        "mlops_lab/exercises/my_",
        "tests/exercises/test_my_",
    )
    for name in re.findall(r"`([\w.][\w./-]*/[\w./-]*|[\w-]+\.(?:yml|toml|lock|md))`", _read(page)):
        if not name.startswith(made):
            assert (ROOT / name).exists(), f"{page} names {name}"


def test_the_picture_has_a_text_that_says_what_it_shows() -> None:
    (alt,) = re.findall(r"!\[([^\]]*)\]\([^)]*\.png\)", _read("README.md"))
    assert len(alt.split()) >= 10


# glossary


def test_the_glossary_is_in_alphabetical_order() -> None:
    terms = re.findall(r"^- \*\*(.+?)\*\*: [A-Z]", _read("docs/glossary.md"), re.MULTILINE)
    assert len(terms) == _read("docs/glossary.md").count("\n- ") >= 6
    assert terms == sorted(set(terms), key=str.lower)

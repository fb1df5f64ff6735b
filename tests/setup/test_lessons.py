"""Which lesson is meant."""

import pytest

from mlops_lab.setup import lessons


@pytest.fixture
def course(tmp_path):
    for name in ("00_start_here", "07_monitoring_data", "solutions/13_expectation_vs_reality", "notes"):
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_lessons_are_found_in_order_also_before_the_copy_is_derived(course):
    assert lessons.names(course) == ["00_start_here", "07_monitoring_data", "13_expectation_vs_reality"]


@pytest.mark.parametrize(
    "given",
    [
        "7",
        "07",
        "monitoring_data",
        "Monitoring-Data",
        "07_monitoring_data",
        "notebooks/07_monitoring_data.ipynb",
    ],
)
def test_every_way_to_name_a_lesson(course, given):
    assert lessons.find(given, course) == "07_monitoring_data"


@pytest.mark.parametrize(
    ("given", "guess"), [("strat_here", "00_start_here"), ("monitoring", "07_monitoring_data")]
)
def test_an_unknown_lesson_names_the_nearest_and_all(course, given, guess):
    with pytest.raises(ValueError, match=f"no lesson is called '{given}'. Did you mean {guess}\\?") as error:
        lessons.find(given, course)
    assert "There are: 00_start_here, 07_monitoring_data, 13_expectation_vs_reality" in str(error.value)


@pytest.mark.parametrize("given", ["", "99", "zzzz"])
def test_nothing_near_is_guessed_at(course, given):
    with pytest.raises(ValueError, match="There are: 00") as error:
        lessons.find(given, course)
    assert "Did you mean" not in str(error.value)


def test_an_empty_course_says_so(tmp_path):
    with pytest.raises(ValueError, match="holds no lessons"):
        lessons.find("00", tmp_path)

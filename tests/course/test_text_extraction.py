"""Texts leave the student's cells whole; what no kernel could do with them is refused with cell and line."""

import nbformat
import pytest

from mlops_lab.course.text_extraction import extracted, option_problems

SOURCE = """\
flood = 0.7  # measured above
claim(
    "At least half of " "the weeks.",
    flood * (1 + 0),
    id="demo.flood",
    at_least=1 / 2,
    within=(0, 1),
    reason=why if flood is None else "",
)
print(flood)
picture(plots.line(
    day,
), "Three rising curves.", id="demo.curves")"""


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_a_call_keeps_its_id_and_what_it_measures_and_all_else_stays():
    found = extracted(notebook("1 + 1", SOURCE), "demo")
    assert found.problems == [] and list(found.code) == [1]
    assert found.code[1] == (
        "flood = 0.7  # measured above\n"
        'claim("demo.flood", flood * (1 + 0), reason=why if flood is None else "")\n'
        "print(flood)\n"
        'picture(plots.line(\n    day,\n), "demo.curves")'
    )
    assert found.texts == {
        "predictions": {},
        "claims": {"demo.flood": {"text": "At least half of the weeks.", "at_least": 0.5, "within": (0, 1)}},
        "pictures": {"demo.curves": "Three rising curves."},
    }


ASK = 'predict("demo.a", "How?", {"few": "share <= 0.5", "many": "otherwise"})'
TELL = 'reveal("demo.a", share=found / 2, because="In {share:.0%}.")'


def test_a_prediction_and_its_answer_share_an_entry():
    found = extracted(notebook(ASK, TELL), "demo")
    assert found.problems == []
    assert found.code == {0: 'predict("demo.a")', 1: 'reveal("demo.a", share=found / 2)'}
    assert found.texts["predictions"]["demo.a"] == {
        "question": "How?",
        "options": {"few": "share <= 0.5", "many": "otherwise"},
        "because": "In {share:.0%}.",
    }


@pytest.mark.parametrize(
    ("cells", "where", "part"),
    [
        (['x = 1\nclaim("Yes.", x, at_least=1)'], (0, 2), "claim has no id"),
        (['picture(ax, "Three curves.")'], (0, 1), "picture has no id"),
        (['claim("Yes.", x, id="other.a", at_least=1)'], (0, 1), "must begin with 'demo.'"),
        (['claim("Yes.", x, id="demo.a", at_least=1)'] * 2, (1, 1), "stands twice"),
        (['claim(f"{x}.", x, id="demo.a", at_least=1)'], (0, 1), "is computed"),
        (['claim("Yes.", x, id="demo.a", at_least=limit)'], (0, 1), "at_least=limit is computed"),
        (['claim("Yes.", id="demo.a", at_least=1)'], (0, 1), "measures nothing"),
        (['claim("Yes.", x, id="demo.a", at_leats=1)'], (0, 1), "at_leats is no argument"),
        ([ASK], (0, 1), "'demo.a' is asked only"),
        (["1", TELL], (1, 1), "'demo.a' is revealed only"),
        ([ASK, 'reveal("demo.a", part=1, because="x")'], (1, 1), "does not pass 'share', a condition"),
        ([ASK, 'reveal("demo.a", share=1, because="{part}")'], (1, 1), "does not pass 'part', because"),
        ([ASK, 'reveal("demo.a", share=1, part=2, because="x")'], (1, 1), "passes 'part', and nothing"),
        ([ASK, 'reveal("demo.a", share=1, because="{")'], (1, 1), "cannot be filled"),
        ([ASK.replace("share <= 0.5", "share + 1 <= 2"), TELL], (0, 1), "only names, numbers"),
        ([ASK.replace("{", "[").replace("}", "]").replace(":", ","), TELL], (0, 1), "mapping"),
    ],
)
def test_what_cannot_be_moved_is_named_with_cell_and_line(cells, where, part):
    problems = extracted(notebook(*cells), "demo").problems
    assert any(problem[:2] == where and part in problem[2] for problem in problems), problems


@pytest.mark.parametrize(
    "conditions",
    [
        ("x <= 0.1", "x <= 0.5", "otherwise"),
        ("x > 0.5", "x <= 0.5"),
        ("a and b", "a", "b", "otherwise"),
        ("0.2 <= x <= 2", "x > 2", "otherwise"),
        ("best == 'lot'", "best == 'all'", "otherwise"),
        ("new < old", "new > old", "otherwise"),
        ("n == 0", "n == 1", "n > 1", "otherwise"),
        ("measured and x > 1", "not measured or x < 0", "otherwise"),
    ],
)
def test_options_that_share_all_values_among_them_in_order_pass(conditions):
    assert list(option_problems(dict(enumerate(conditions)))) == []


@pytest.mark.parametrize(
    ("conditions", "part"),
    [
        (("x <= 0.5", "x <= 0.1", "otherwise"), "no value can reach the option 1"),
        (("x > 0", "x <= 0", "otherwise"), "no value can reach the option 2"),
        (("otherwise", "x > 0"), "no value can reach the option 1"),
        (("x < 1 and x > 2", "otherwise"), "no value can reach the option 0"),
        (("x > 0.2", "x < 0.8", "otherwise"), "0 and 1 overlap"),
        (("a", "b", "otherwise"), "0 and 1 overlap"),
        (("x < 1", "x > 1"), "no option holds at x=1"),
        (("best == 'lot'", "best == 'all'"), "no option holds at best="),
        (("a == b", "a < b"), "no option holds"),
    ],
)
def test_options_that_cannot_all_be_right_are_named(conditions, part):
    assert any(part in problem for problem in option_problems(dict(enumerate(conditions))))

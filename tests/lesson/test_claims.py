"""Claims: their arguments, their truth, their faces, and what breaks."""

import json
import math
import operator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_lab.lesson import claims
from mlops_lab.lesson.claims import BrokenClaim, claim


@pytest.fixture
def stored(monkeypatch):
    """What was shown: payload, text, HTML of each typed output."""
    found = []
    monkeypatch.setattr(claims, "show_typed", lambda *forms: found.append(forms))
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    return found


numbers = st.floats(-1e6, 1e6)


@given(numbers, numbers)
def test_one_sided_bounds_agree_with_the_operators(value, limit):
    for name, holds in (("at_least", operator.ge), ("at_most", operator.le)):
        forms = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(claims, "show_typed", lambda *shown, into=forms: into.append(shown))
            patch.delenv("MLOPS_LAB_STRICT", raising=False)
            claim("A sentence.", value, id="demo.bound", **{name: limit})
        payload = forms[0][0]
        assert payload["holds"] is holds(value, limit)
        assert json.loads(json.dumps(payload, allow_nan=False)) == payload


@pytest.mark.parametrize(
    ("value", "holds", "margin"), [(0.2, True, 0.0), (0.3, True, 0.1), (0.5, True, 0.1), (0.61, False, -0.01)]
)
def test_within_includes_its_ends(stored, value, holds, margin):
    claim("A sentence.", value, id="demo.within", within=(0.2, 0.6))
    assert stored[0][0]["holds"] is holds
    assert stored[0][0]["margin"] == pytest.approx(margin)
    assert stored[0][0]["bound"] == {"within": [0.2, 0.6]}


@pytest.mark.parametrize(
    "value", [3, 3.0, np.int64(3), np.float32(3), np.array(3), pd.Series([3], index=[7])]
)
def test_numbers_of_every_make_are_taken(stored, value):
    claim("A sentence.", value, id="demo.number", at_least=2)
    assert stored[0][0]["measured"] == 3 and type(stored[0][0]["measured"]) in (int, float)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_is_not_finite_never_holds(stored, value):
    claim("A sentence.", value, id="demo.nan", at_least=-5)
    claim("A sentence.", value, id="demo.nan", at_most=5)
    claim("A sentence.", value, id="demo.nan", within=(-5, 5))
    for payload, _, _ in stored:
        assert payload["holds"] is False and payload["measured"] is None and payload["shown"]
        json.dumps(payload, allow_nan=False)


def test_a_truth_needs_a_truth_as_bound(stored):
    claim("A sentence.", np.True_, id="demo.truth", at_least=True)
    claim("A sentence.", True, id="demo.truth", at_most=False)
    assert [payload["holds"] for payload, _, _ in stored] == [True, False]
    for value, bound in ((0.9 > 0.8, 0.8), (0.9, True)):
        with pytest.raises(TypeError, match="do not fit"):
            claim("A sentence.", value, id="demo.truth", at_least=bound)
    with pytest.raises(ValueError, match="always true"):
        claim("A sentence.", True, id="demo.truth", at_least=False)


GOOD = {"text": "A sentence.", "measured": 1.0, "id": "demo.word", "at_least": 0.5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at_least": None}, "exactly one bound and got 0"),
        ({"at_most": 2}, "exactly one bound and got 2"),
        ({"at_least": None, "within": (2, 1)}, "lower first"),
        ({"at_least": None, "within": (1, math.inf)}, "finite"),
        ({"at_least": None, "within": 3}, "two numbers"),
        ({"at_least": None, "within": (1, 2, 3)}, "two numbers"),
        ({"at_least": math.nan}, "finite number"),
        ({"id": "word"}, "topic.word"),
        ({"text": "  "}, "plain sentence"),
        ({"kind": "true"}, "measured, world, reported"),
        ({"kind": "reported"}, "source="),
        ({"measured": None}, "reason="),
        ({"reason": "no GPU"}, "leave it out"),
        ({"tolerance": -1}, "tolerance"),
        ({"tolerance": math.nan}, "tolerance"),
    ],
)
@pytest.mark.parametrize("strict", ["0", "1"])
def test_arguments_that_do_not_fit_are_refused_in_both_modes(stored, monkeypatch, strict, change, message):
    monkeypatch.setenv("MLOPS_LAB_STRICT", strict)
    with pytest.raises(ValueError, match=message):
        claim(**{**GOOD, **change})
    assert not stored


@pytest.mark.parametrize("value", ["0.9", [1, 2], pd.Series([1, 2]), np.array([1.0, 2.0]), {"a": 1}])
def test_one_number_is_wanted(stored, value):
    with pytest.raises(TypeError, match="one"):
        claim(**{**GOOD, "measured": value})


def test_a_broken_claim_is_shown_and_raises_in_strict_mode_only(stored, monkeypatch):
    claim("A sentence.", 0.4, id="demo.broken", at_least=0.5)
    payload, text, face = stored[0]
    assert payload["holds"] is False
    for form in (text, face):
        assert "does not hold here" in form and "Restart Kernel" in form and "0.1 outside" in form
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    with pytest.raises(BrokenClaim, match=r"demo\.broken.*0\.4, claimed at least 0\.5"):
        claim("A sentence.", 0.4, id="demo.broken", at_least=0.5)
    assert len(stored) == 2


def test_what_cannot_be_measured_never_fails(stored, monkeypatch):
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    claim("A sentence.", None, id="demo.gpu", at_most=0.5, reason="this machine has no GPU")
    payload, text, face = stored[0]
    assert payload["holds"] is None and payload["measured"] is None and payload["margin"] is None
    assert "not measurable here: this machine has no GPU" in text
    assert "measured here" not in text + face


def test_the_card_shows_sentence_value_bound_distance_kind_and_source(stored):
    claim(
        "Forty machines & a bill.",
        25920,
        id="demo.bill",
        at_most=26_000,
        unit="$",
        kind="reported",
        source="the lecture, L10",
    )
    for form in stored[0][1:]:
        for part in (
            "a bill.",
            "$25,920",
            "at most $26,000",
            "$80 to spare",
            "reported",
            "the lecture, L10",
            "demo.bill",
        ):
            assert part in form
    assert "machines &amp; a" in stored[0][2]


def test_the_last_bits_of_a_float_are_not_stored(stored):
    claim("A sentence.", 0.1 + 0.2, id="demo.bits", at_least=0.1)
    claim("A sentence.", 0.3, id="demo.bits", at_least=0.1)
    assert stored[0] == stored[1]


def test_a_live_value_is_marked(stored):
    from mlops_lab.lesson.outputs import mask_live

    claim("Quick.", 1.23, id="demo.time", at_most=60, unit="s", tolerance=None)
    claim("Quick.", 4.56, id="demo.time", at_most=60, unit="s", tolerance=None)
    assert mask_live(stored[0][1]) == mask_live(stored[1][1])
    assert mask_live(stored[0][2]) == mask_live(stored[1][2])

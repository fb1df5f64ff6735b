"""Calls that find their texts by id: the same output as with inline texts, and kindness to older copies."""

import json

import pytest
from matplotlib.figure import Figure

from mlops_lab.lesson import claim, derived_texts, picture, predict, predictions, reveal
from mlops_lab.lesson.derived_texts import read_from

TEXTS = {
    "predictions": {
        "demo.flood": {
            "question": "How many?",
            "options": {"few": "share <= 0.5", "many": "otherwise"},
            "because": "In {share:.0%}.",
        }
    },
    "claims": {
        "demo.flood": {
            "text": "At least half.",
            "at_least": 0.5,
            "kind": "world",
            "unit": "weeks",
            "tolerance": None,
        },
        "demo.within": {"text": "Between.", "within": [0, 1]},
    },
    "pictures": {"demo.curves": "Three rising curves; one lies apart."},
}


@pytest.fixture
def kit(tmp_path, monkeypatch):
    monkeypatch.setattr(predictions, "_asked", {})
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    (tmp_path / "07_demo.json").write_text(json.dumps(TEXTS), encoding="utf-8")
    with read_from(tmp_path):
        yield tmp_path


def axes():
    ax = Figure().subplots()
    ax.plot([1, 2], [1, 2])
    ax.set(xlabel="week", ylabel="share")
    return ax


def test_by_id_a_call_says_what_it_says_with_its_texts_inline(kit, capsys, monkeypatch):
    inline = TEXTS["predictions"]["demo.flood"]
    predict("demo.flood", inline["question"], inline["options"])
    reveal("demo.flood", share=0.7, because=inline["because"])
    claim(
        TEXTS["claims"]["demo.flood"]["text"],
        0.7,
        id="demo.flood",
        at_least=0.5,
        kind="world",
        unit="weeks",
        tolerance=None,
    )
    claim("Between.", 0.5, id="demo.within", within=(0, 1))
    picture(axes(), TEXTS["pictures"]["demo.curves"], id="demo.curves")
    said = capsys.readouterr().out
    monkeypatch.setattr(predictions, "_asked", {})
    predict("demo.flood")
    reveal("demo.flood", share=0.7)
    claim("demo.flood", 0.7)
    claim("demo.within", 0.5)
    picture(axes(), "demo.curves")
    assert capsys.readouterr().out == said
    assert all(text in said for text in ("b) many", "In 70%.", "At least half.", "Three rising"))


def test_a_reason_that_was_computed_stays_with_the_call(kit, capsys):
    claim("demo.flood", None, reason="DVC is not installed")
    assert "not measurable here: DVC is not installed" in capsys.readouterr().out


CALLS = {
    "predict": lambda: predict("demo.gone"),
    "reveal": lambda: reveal("demo.gone", share=0.123456),
    "claim": lambda: claim("demo.gone", 0.123456),
    "picture": lambda: picture(axes(), "demo.gone"),
    "another lesson": lambda: claim("other.gone", 0.123456),
}


@pytest.mark.parametrize("call", CALLS)
def test_an_id_the_kit_does_not_know_shows_the_value_and_says_why(kit, capsys, call):
    CALLS[call]()
    said = capsys.readouterr().out
    assert "gone" in said and "older than the kit" in said
    assert "0.1235" in said or call in ("predict", "picture")


@pytest.mark.parametrize("call", CALLS)
def test_in_a_proof_such_an_id_is_an_error(kit, monkeypatch, call):
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    monkeypatch.setattr(predictions, "_asked", {"demo.gone": {}})
    with pytest.raises(ValueError, match="gone' has no texts"):
        CALLS[call]()


def test_texts_are_read_from_elsewhere_for_a_while_only(kit):
    assert derived_texts.texts_of("claims", "demo.flood")["at_least"] == 0.5
    with read_from(kit / "empty"):
        assert derived_texts.texts_of("claims", "demo.flood") is None
    assert derived_texts.texts_of("claims", "demo.flood") is not None


def test_a_sentence_alone_asks_for_its_id(kit):
    with pytest.raises(ValueError, match=r"needs id='topic\.word'"):
        claim("At least half of them.", 0.7)

"""Scenarios: what ships is sound, a dial at 0 is no defect, a wrong file is refused by key and range."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from mlops_lab import reality
from mlops_lab.reality import SYMPTOMS, Scenario, load_scenario, scenarios
from mlops_lab.reality.hidden_truth import HiddenTruth
from mlops_lab.reality.scenario import DEFECTS, FOLDER, LIMITS, SECTIONS, STORY


def test_the_orchard_is_the_default_and_its_file_says_the_same():
    assert load_scenario("orchard") == Scenario() and load_scenario("orchard").digest == Scenario().digest


def test_two_stories_ship_in_words_of_their_own():
    orchard, phones = (load_scenario(name) for name in scenarios())
    assert scenarios() == ("orchard", "phones")
    for name in ("item", "suppliers", "grades", "groups", "device", "features", "values", "title"):
        assert getattr(orchard, name) != getattr(phones, name), name
    assert not set(orchard.grades) & set(phones.grades)


def test_the_sections_of_a_file_are_all_there_is_to_say():
    told = {key for section, keys in SECTIONS.items() if section != "story" for key in keys}
    assert told | {"name", "story"} == {field.name for field in fields(Scenario)}
    assert set(DEFECTS) == set(SYMPTOMS) <= set(STORY)


def test_groups_are_devices_never_kinds_of_people():
    for name in scenarios():
        scenario = load_scenario(name)
        words = " ".join([*scenario.groups, *scenario.story.values(), scenario.title]).lower()
        assert not re.search(
            r"\b(women|men|woman|man|female|male|old|young|race|ethnic|religio\w*|foreign\w*|poor|rich|"
            r"migrant\w*|disab\w*|gay|black|white)\b",
            words,
        )
        assert scenario.device in {"scanner", "tester"}


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_without_switches_one_defect_off_and_only_it(symptom):
    scenario = Scenario().without(symptom)
    changed = [
        each.name
        for each in fields(Scenario)
        if getattr(scenario, each.name) != getattr(Scenario(), each.name)
    ]
    assert changed == [DEFECTS[symptom]] and getattr(scenario, DEFECTS[symptom]) == 0


def test_in_the_healthy_world_nothing_is_wrong():
    hidden = HiddenTruth(Scenario().healthy(), 3)
    drawn = hidden.draw(3000, (0, 30), "look")
    assert (drawn.labels == drawn.truth).all()
    both = [hidden.draw(400, (30,), "same", group=group).items for group in Scenario().groups]
    readings = list(Scenario().features)
    assert both[0][readings].equals(both[1][readings])  # the devices cannot be told apart
    old = hidden.draw(400, (0,), "same", group="belt").items
    assert abs(old["colour"].mean() - both[0]["colour"].mean()) < 0.3


def test_without_bias_the_small_group_changes_as_the_others_do():
    hidden = HiddenTruth(Scenario().without("bias"), 3)
    belt, handheld = (
        hidden.draw(300, (9,), "same", group=group).items["colour"] for group in ("belt", "handheld")
    )
    assert belt.equals(handheld)


def test_a_digest_knows_every_dial_and_word():
    digests = {Scenario().digest}
    for dial, (low, high) in LIMITS.items():
        value = high if getattr(Scenario(), dial) != high else low
        digests.add(Scenario(**{dial: value}).digest)
    digests.add(Scenario(item="box").digest)
    assert len(digests) == len(LIMITS) + 2


def test_a_scenario_survives_the_way_through_plain_values():
    for name in scenarios():
        scenario = load_scenario(name)
        assert Scenario(**scenario.as_dict()) == scenario


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"noise": -0.1}, ValueError, r"noise=-0.1: a number from 0 to 1.5"),
        ({"noise": float("nan")}, ValueError, "noise=nan"),
        ({"noise": "much"}, TypeError, "noise='much'"),
        ({"drift": True}, TypeError, "drift=True"),
        ({"volume": 99.5}, TypeError, "whole number"),
        ({"weeks": 12}, ValueError, "18 to 104"),
        ({"budget": float("inf")}, ValueError, "budget=inf"),
        ({"grades": ["a", "b", "c"]}, ValueError, "4 different words"),
        ({"groups": "ab"}, TypeError, "2 words"),
        ({"groups": ["belt", "belt"]}, ValueError, "different"),
        (
            {"features": ["colour", "sugar", "firmness", "blemish", "nir", "week"]},
            ValueError,
            "not all different",
        ),
        ({"item": ""}, ValueError, "item"),
        ({"values": [[1.0, 2.0]]}, TypeError, "four rows"),
        ({"values": [[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}, ValueError, "row 1"),
        ({"story": {"opening": "Once."}}, ValueError, "lacks expectation"),
        ({"story": dict.fromkeys([*STORY, "moral"], "x")}, ValueError, "moral"),
        ({"story": dict.fromkeys(STORY, "")}, ValueError, "opening"),
    ],
)
def test_a_wrong_dial_or_word_is_refused_with_what_is_accepted(change, error, words):
    with pytest.raises(error, match=words):
        Scenario(**change)


def test_an_unknown_dial_is_refused():
    with pytest.raises(TypeError, match="has no lamps"):
        Scenario().with_(lamps=1)
    with pytest.raises(ValueError, match="none of labels"):
        Scenario().without("luck")


def _file(tmp_path: Path, old: str, new: str) -> Path:
    text = (FOLDER / "orchard.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("noise = 1.0 ", "", r"\[dials\] lacks the key 'noise', a number from 0 to 1.5"),
        ("noise = 1.0 ", "noise = 7 ", "noise=7: a number from 0 to 1.5"),
        ("noise = 1.0 ", 'noise = "loud" ', "noise='loud'"),
        ("noise = 1.0 ", "noise = 1.0\nloudness = 2 ", "no key 'loudness'; it has noise"),
        ("weeks = 40 ", "weeks = 40.5 ", "weeks=40.5: a whole number"),
        ("[costs]", "[prices]", "lacks the section 'costs'"),
        ("[words]", "[words", "no TOML"),
        ('item = "crate"', "", r"\[words\] lacks the key 'item'"),
        ('device = "scanner"', 'device = "sugar"', "not all different"),
        ("volume = 1200 ", "volume = 1200\nweeks = 20 ", "no TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_file_key_and_range(tmp_path, old, new, words):
    path = _file(tmp_path, old, new)
    with pytest.raises(ValueError, match=words) as error:
        load_scenario(path)
    assert str(path) in str(error.value)


def test_a_file_of_ones_own_is_played(tmp_path):
    path = _file(tmp_path, 'title = "The orchard co-operative"', 'title = "Pears"')
    scenario = load_scenario(path)
    assert (scenario.name, scenario.title) == ("mine", "Pears")
    assert reality.Season(path).scenario == scenario


def test_what_is_no_scenario_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there are orchard, phones"):
        load_scenario("vineyard")
    with pytest.raises(ValueError, match="no such file"):
        load_scenario(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"broken\.toml: this is no TOML"):
        load_scenario(broken)


def test_the_shipped_files_are_plain_toml():
    for name in scenarios():
        with (FOLDER / f"{name}.toml").open("rb") as file:
            assert set(tomllib.load(file)) == set(SECTIONS)

"""Every exercise is found by its id, has what it needs, and is tried on its answers in its lesson's test."""

from pathlib import Path

import pytest

from mlops_lab import exercises

EVERY = [exercise for topic in exercises.topics() for exercise in exercises.of_topic(topic)]


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
def test_an_exercise_belongs_to_its_topic_and_has_three_different_hints(exercise):
    topic, _, number = exercise.id.partition(".")
    assert exercise in exercises.of_topic(topic) and number.isdigit()
    assert exercises.find(exercise.id) is exercise
    assert len(set(exercise.hints)) == 3 and exercise.hints[0].rstrip(".").count("?") >= 1
    assert exercise.question.endswith("?") or exercise.question.endswith(".")


@pytest.mark.parametrize("topic", exercises.topics())
def test_a_topics_test_tries_its_answers(topic):
    test = Path(__file__).parent / f"test_{topic}.py"
    assert f'test_answers = tried("{topic}", ANSWERS)' in test.read_text("utf-8")


def test_ids_are_unique_and_machinery_is_no_topic():
    ids = [exercise.id for exercise in EVERY]
    assert len(ids) == len(set(ids)) and "start_here.1" in ids
    assert not {"judging", "exercise", "shell", "__init__"} & set(exercises.topics())


def test_what_is_unknown_names_the_known():
    with pytest.raises(ValueError, match=r"No topic 'nothing' has exercises: .*start_here"):
        exercises.find("nothing.1")
    with pytest.raises(ValueError, match=r"No exercise 'start_here.9': there are start_here.1"):
        exercises.find("start_here.9")

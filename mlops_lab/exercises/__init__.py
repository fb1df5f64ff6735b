"""The exercises of all lessons, found by their id, and how an answer to each is judged.

One module a lesson: its questions, hints, the known mistakes and the cases that functions are tried on. An
answer is judged by properties and by the world's hidden truth; every right form is accepted, and what is
wrong is told in terms of the answer. `judging.py` has the judges for the common kinds of answers. The right
forms and typical wrong answers that each exercise is tried on stand in tests/exercises.
"""

from mlops_lab.exercises.exercise import find, of_topic, topics

__all__ = ["find", "of_topic", "topics"]

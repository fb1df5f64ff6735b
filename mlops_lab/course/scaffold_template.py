"""What a new lesson starts from: a whole small lesson on how the mean of a sample settles.

A line that begins with "Replace:" says what an author writes in its place.
"""
# ruff: noqa: E501  the links are longer than a line

from __future__ import annotations

__all__ = ["answers", "cells", "exercises"]

_CELLS = """
== text
# {number} {title}: do more readings settle it?

Replace: the title asks what the lecture claims; yours asks it of {topic}.

The title asks what the lecture claims. Say here, in two or three sentences, which claim of the lecture this
lesson puts to the test, and why anybody should care. Give the lecture's key, as in (L8).
== text
> **You will** measure how the mean of a sample settles as the sample grows, and say it with a number.
>
> **You need** the lessons before this one, a little numpy, and no network.
>
> **Time** 30 minutes.

Replace: these three lines, each with what is true of your lesson.
== code
import numpy as np
import pandas as pd

from mlops_lab.lesson import check, claim, hint, predict, reveal
== text
One number steers all chance in this lesson. Every claim below must hold at the seeds 0 to 19.
== parameters
seed = 0
== text
## 1 One idea, measured (core)

Replace: heading and story of this section; keep the order of its cells.

A section goes **predict, run, explain**. First say in plain words what will be done, and why it is in doubt.
A scanner reads the same fruit again and again, and each reading is a little off. The **mean** of the readings
is less off than one reading. How much less, when there are a hundred times as many?

A new idea is written out once, in at most ten lines, so that nothing is hidden: draw readings, take their mean,
do that five hundred times, and see how far the means lie from each other. Ask before anything is shown: no text
or output above may give the answer away, and between the question and its answer stand two code cells at most.
== code
predict(
    "{topic}.spread",
    "With a hundred times as many readings, how far do the means scatter?",
    {
        "as far as before": "ratio > 0.5",
        "about a tenth as far": "ratio > 0.03",
        "about a hundredth as far": "otherwise",
    },
)
== code
def scatter(readings):
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(500, readings)).mean(axis=1)
    return means.std()
== code
spread = pd.Series({10: scatter(10), 1000: scatter(1000)}, name="scatter of the means")
spread.round(2)
== code
reveal(
    "{topic}.spread",
    ratio=spread[1000] / spread[10],
    because="The scatter falls with the square root of the number of readings: to {ratio:.0%} here.",
)
== text
The table shows the result for ten readings and for a thousand. Round what you show: the last digits of a
number differ between machines, and stored outputs are compared.

Then explain what was seen, and bind it to a number. A result that stands in the text is a **claim**: a
sentence, what was measured for it, and a bound with a margin.
== code
claim(
    "A hundred times as many readings make the means scatter at most a fifth as far.",
    spread[1000] / spread[10],
    id="{topic}.settles",
    at_most=0.2,
    kind="world",
)
== text
The claim is called *true in our world*, because the readings were drawn by us. Say also what it does not say:
a scanner whose every reading is too high by the same amount stays too high, however often it reads.
== text
## Exercises

### Exercise 1: how many readings?

Replace: this exercise, here and in mlops_lab/exercises/{topic}.py, with its answers in tests/exercises/test_{topic}.py.

Ten readings scatter too far for you. How many do you need so that their mean scatters **half** as far? Leave
the three dots and the check says that you have not tried yet.
== code
### BEGIN SOLUTION
answer = 10 * 2**2
### END SOLUTION
check("{topic}.1", answer, seed=seed)
== text
Stuck? The hints lead there in three steps: a question, a pointer, and nearly the answer.
== code
hint("{topic}.1")
== text
## In the wild

Replace: a real incident of your topic, from a source that you have read.

Tell a real incident in five lines, and name your source, which you have read.
Until you have a better one: a study of large learning systems found that the model is a small part of them.
Most of the work, and most of the trouble, lies in the parts around it: data, configuration, monitoring.
Its authors call that hidden debt. [Sculley et al., 2015](https://papers.nips.cc/paper/2015/hash/86df7dcfd896fcaf2674f757a2463eba-Abstract.html)
== text
## With LLMs

Replace: what language models change about your topic, and what they do not.

**What changes:** one question costs money and seconds, so nobody asks it a thousand times lightly.
**What does not:** one answer is one reading; only several of them tell how far answers scatter.
== text
## What you can now say

Replace: what a student can say after your lesson.

- More readings settle a mean, with the square root of their number.
- They do not mend an error that all readings share.

## Go further

- The course book: Chip Huyen, *Designing Machine Learning Systems* (O'Reilly 2022); name the chapter that fits.
- Sculley et al. (2015), [Hidden Technical Debt in Machine Learning Systems](https://papers.nips.cc/paper/2015/hash/86df7dcfd896fcaf2674f757a2463eba-Abstract.html): the picture of the small box.
- Martin Zinkevich, [Rules of Machine Learning](https://developers.google.com/machine-learning/guides/rules-of-ml): 43 rules from practice.
- [ml-ops.org](https://ml-ops.org): principles, and a map of the field.

## Next lesson

Replace: the next lesson, with a link to it.

Name the lesson that follows, and the question that it answers.
"""

_EXERCISES = '''
"""The exercises of the lesson on {words}, and what their answers are held to."""

from __future__ import annotations

from mlops_lab.exercises.exercise import Exercise
from mlops_lab.exercises.judging import Mistake, whole_number

__all__ = ["EXERCISES"]


def _readings(seed: int) -> int:
    """Half the scatter needs four times the readings, whatever the seed."""
    return 10 * 2**2


EXERCISES = (
    Exercise(
        id="{topic}.1",
        question="How many readings does a mean need to scatter half as far as that of ten?",
        judge=whole_number(
            _readings,
            what="number of readings",
            mistakes=lambda seed: [
                Mistake(20, "is twice as many; the scatter falls more slowly than the readings grow."),
                Mistake(5, "is fewer than ten: that scatters farther, not less."),
                Mistake(100, "makes the scatter about a third; half is asked for."),
            ],
            far="does not make it half as far",
        ),
        hints=(
            "By which power of their number does the scatter of means fall?",
            "Call `scatter` with several numbers of readings and divide by `scatter(10)`.",
            "The scatter falls with the square root: which factor has a root of two?",
        ),
    ),
)
'''

_ANSWERS = '''
"""The exercises of the lesson on {words}, and the answers that each is tried on."""

from exercise_answers import Answers, tried

ANSWERS = {
    "{topic}.1": Answers(
        right=lambda seed: [40, 40.0, [40]],
        wrong=lambda seed: [
            (20, "twice as many"),
            (5, "fewer than ten"),
            (100, "about a third"),
            (30, "does not make it half as far"),
            (0.5, "no number of readings"),
            ("many", "without quotes"),
        ],
    ),
}

test_answers = tried("{topic}", ANSWERS)
'''


def cells(name: str) -> list[tuple[str, str]]:
    """Return the cells of a new lesson: kind (`text`, `code` or `parameters`) and source."""
    words = name[3:].replace("_", " ")
    filled = (
        _CELLS.replace("{number}", name[:2])
        .replace("{topic}", name[3:])
        .replace("{title}", words.capitalize())
    )
    parts = [part.partition("\n") for part in filled.split("\n== ") if part.strip()]
    return [(kind, text.strip("\n")) for kind, _, text in parts]


def exercises(topic: str) -> str:
    """Return the module with a new lesson's exercise, `mlops_lab/exercises/<topic>.py`."""
    return _filled(_EXERCISES, topic)


def answers(topic: str) -> str:
    """Return the test that tries the exercise on right and wrong answers, `tests/exercises/test_<topic>.py`."""
    return _filled(_ANSWERS, topic)


def _filled(text: str, topic: str) -> str:
    return text.replace("{topic}", topic).replace("{words}", topic.replace("_", " ")).lstrip("\n")

"""What a slide says of a lesson: its title, its status, and, where it exists, how it opens.

All of it is read from the lesson's notebook; a lesson that is only planned is known from the course table of
README.md. Nothing is kept in a second place, so nothing can drift.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_lab.course.notebooks import Lesson, read, text_of
from mlops_lab.lesson.outputs import collect
from mlops_lab.setup import lessons

__all__ = ["LessonCard", "card", "existing", "opener"]

_ROW = re.compile(r"^\| (?:\[(\d\d)\]\([^)]*\)|(\d\d)) \| ([^|]+?) \|", re.MULTILINE)
_SECTION = re.compile(r"^## (\d+ .+) \((core|deeper)\)$", re.MULTILINE)


@dataclass(frozen=True)
class LessonCard:
    """A lesson as slides speak of it."""

    number: str
    title: str
    question: str = ""
    goal: str = ""
    time: str = ""
    core: tuple[str, ...] = ()
    deeper: tuple[str, ...] = ()
    prediction: str = ""
    options: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """Whether the lesson exists."""
        return bool(self.goal)


def existing(root: Path) -> list[str]:
    """List the numbers of the lessons that exist."""
    return [name[:2] for name in lessons.names(root) if Lesson(name, root).source.exists()]


def _planned(root: Path) -> dict[str, str]:
    try:
        text = (root / "README.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return {one or other: title for one, other, title in _ROW.findall(text)}


def card(given: str, root: Path) -> LessonCard:
    """Look a lesson up, one that exists or one that the course table plans."""
    planned = _planned(root)
    try:
        name = lessons.find(given, root)
    except ValueError as error:
        wanted = given.strip().lower().replace("_", " ").replace("-", " ")
        for number, title in planned.items():
            if wanted in (number, str(int(number)), title.lower(), f"{number} {title.lower()}"):
                return LessonCard(number, title)
        raise ValueError(f"{error}; nor does the course table of README.md plan it") from None
    path = Lesson(name, root).source
    if not path.exists():
        return LessonCard(name[:2], planned.get(name[:2], name[3:].replace("_", " ").capitalize()))
    return _opened(path, name)


def _opened(path: Path, name: str) -> LessonCard:
    notebook = read(path)
    prose = [text_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    heading = re.match(r"# \d\d (.+)", prose[0] if prose else "")
    box = {
        word: " ".join(text.split())
        for word, text in re.findall(r"^> \*\*([^*]+)\*\* (.+)$", "\n".join(prose[:3]), re.MULTILINE)
    }
    if heading is None or not {"You will", "Time"} <= set(box):
        raise ValueError(f"{name} does not open with a title and a box of 'You will' and 'Time'")
    title, _, question = heading[1].partition(":")
    sections = _SECTION.findall("\n".join(prose))
    asked = collect(notebook, "prediction")
    first: dict[str, Any] = asked[0] if asked else {"question": "", "options": ()}
    return LessonCard(
        number=name[:2],
        title=title.strip(),
        question=question.strip(),
        goal=f"You will {box['You will']}",
        time=box["Time"],
        core=tuple(text for text, kind in sections if kind == "core"),
        deeper=tuple(text for text, kind in sections if kind == "deeper"),
        prediction=first["question"],
        options=tuple(first["options"]),
    )


def opener(lesson: LessonCard) -> list[str]:
    """Write the body of a lesson's opener slide, with its notes, in the deck's own Markdown."""
    plan = [f"- {re.sub(r'^[0-9]+ ', '', section)}" for section in lesson.core]
    more = [f"- deeper: {len(lesson.deeper)} more"] if lesson.deeper else []
    plan, body = [*plan, *more], [lesson.goal, "", f"**Time** {lesson.time}", ""]
    if lesson.prediction:
        answers = [f"{number}. {text}" for number, text in enumerate(lesson.options, 1)]
        asked = ["Predict, before it runs:", "", f"**{lesson.prediction}**", "", *answers]
        left, right = (["::::{column}", *lines, "::::"] for lines in (plan, asked))
        plan = [":::::{columns}", *left, *right, ":::::"]
    notes = [
        "```{notes}",
        ":minutes: 2",
        *([f":ask: {_quoted(lesson.prediction)}"] if lesson.prediction else []),
        "",
        f"Lesson {lesson.number} begins here: `python3 -m mlops_lab lab {lesson.number}`.",
        "Take a show of hands for each answer and write the counts down. Do not say which one is right: the "
        "lesson measures it, and everybody looks back at their own prediction then.",
        "```",
    ]
    return [*body, *plan, "", *notes]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

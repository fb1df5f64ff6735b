"""What a slide may quote: values and sentences of the lessons' claims, figures of the lecture.

A number on a slide is never typed. A measured one is read from the stored outputs of the lessons, which are
compared at every test run; one of the lecture stands once, with its source, in `slides/lecture.toml`.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_lab.course.notebooks import Lesson, read
from mlops_lab.lesson.claims import KINDS
from mlops_lab.lesson.outputs import collect, rounded
from mlops_lab.report import shown
from mlops_lab.setup import lessons

__all__ = ["Quote", "Quotes", "typed_figures"]

_AS = re.compile(r"(?P<id>\S+?)(?: as (?:(?P<share>percent|points)|(?P<digits>[1-9]) digits?))?$")
_YEAR = re.compile(r"(19|20)\d\d$")
_TYPED = re.compile(
    r"[$€£]\s?\d[\d,.]*"  # money
    r"|\d[\d,.]*\s?%"  # shares
    r"|\b\d+(?:,\d{3})+\b|\b\d+\.\d+\b|(?<![\w.])\.\d+\b"  # thousands, decimals
    r"|\b\d+(?:\.\d+)?[x×](?!\w)"  # ratios
    r"|\b\d{2,}\b"  # counts from ten
)
_LESSON_BEFORE = re.compile(r"\blessons?\s(?:\d\d(?:,\s?|\s(?:and|to|or)\s))*$", re.IGNORECASE)


@dataclass(frozen=True)
class Quote:
    """A text to stand on a slide, and what is said of its origin at the slide's foot."""

    text: str
    origin: str
    source: str


def typed_figures(text: str) -> list[str]:
    """List the figures in a text that should have been quoted.

    Years, numbers of lessons and counts below ten are let through. It cannot see a figure written in words.
    """
    found = []
    for match in _TYPED.finditer(text):
        figure = match.group(0).rstrip(".,")
        if _YEAR.match(figure) or _LESSON_BEFORE.search(text[: match.start()]):
            continue
        found.append(figure)
    return found


def _percent(value: float, unit: str) -> str:
    """Write a share in percent or points with two digits, more where two would make it all or nothing."""
    share = 100 * value
    size = abs(share)
    places = 0 if size >= 10 or size == 0 else 1 - math.floor(math.log10(size))
    text = f"{share:.{places}f}"
    while abs(float(text)) == 100 and size != 100 and places < 6:
        places += 1
        text = f"{share:.{places}f}"
    return f"{text} {unit}"


def _unknown(what: str, given: str, known: Iterable[str], way_out: str) -> ValueError:
    near = difflib.get_close_matches(given, list(known), n=3, cutoff=0.4)
    guess = f" Did you mean {', '.join(near)}?" if near else ""
    return ValueError(f"there is no {what} {given!r}.{guess} {way_out}")


class Quotes:
    """Look up what slides quote. Files are read once, when something of theirs is first asked for.

    Parameters
    ----------
    root
        The folder of the course.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def _claims(self) -> dict[str, tuple[Mapping[str, Any], str]]:
        found: dict[str, tuple[Mapping[str, Any], str]] = {}
        for name in lessons.names(self._root):
            path = Lesson(name, self._root).source
            if path.exists():
                for payload in collect(read(path), "claim"):
                    found[payload["id"]] = (payload, name)
        return found

    @cached_property
    def _lecture(self) -> Mapping[str, Any]:
        path = self._root / "slides" / "lecture.toml"
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ValueError(f"{path.name} cannot be read: {error}") from error

    def _payload(self, id: str) -> tuple[Mapping[str, Any], str]:
        if id not in self._claims:
            raise _unknown("claim", id, self._claims, "The lessons' claims are in notebooks/solutions.")
        payload, lesson = self._claims[id]
        if payload["holds"] is not True:
            state = "was not measurable" if payload["holds"] is None else "does not hold"
            raise ValueError(f"the claim {id!r} {state} in the stored lesson {lesson}: it cannot be quoted")
        return payload, lesson

    def _source(self, payload: Mapping[str, Any], lesson: str) -> str:
        how = [f"lesson {lesson[:2]}", KINDS[payload["kind"]]]
        how += [payload["source"]] if payload["source"] else []
        how += ["differs from run to run"] if payload["tolerance"] is None else []
        return f"{payload['id']} ({', '.join(how)})"

    def measured(self, given: str) -> Quote:
        """Give the value of a claim as the lesson shows it, or in another form."""
        match = _AS.match(given.strip())
        if match is None:
            raise ValueError(
                f"{given!r} is no claim's id, with 'as percent' or 'as 2 digits' after it or not"
            )
        payload, lesson = self._payload(match["id"])
        value = payload["measured"]
        if (match["share"] or match["digits"]) and isinstance(value, bool):
            raise ValueError(f"the claim {match['id']!r} is true or false: quote its sentence with {{claim}}")
        text = payload["shown"]
        if match["share"]:
            if payload["unit"]:
                raise ValueError(
                    f"{match['id']!r} is in {payload['unit']}: only a plain share can be told in another way"
                )
            text = _percent(value, "%" if match["share"] == "percent" else "points")
        elif match["digits"]:
            text = shown(rounded(value, int(match["digits"])), payload["unit"])
        return Quote(text, "measured", self._source(payload, lesson))

    def claim(self, given: str) -> Quote:
        """Give the sentence of a claim, word for word."""
        payload, lesson = self._payload(given.strip())
        return Quote(payload["text"], "measured", self._source(payload, lesson))

    def lecture(self, given: str) -> Quote:
        """Give a figure of the lecture, or nothing but a key where a whole part of it is meant."""
        key, _, figure = given.strip().partition(".")
        where = "The lecture's keys and figures are in slides/lecture.toml."
        if key not in self._lecture:
            raise _unknown("key of the lecture", key, self._lecture, where)
        part = self._lecture[key]
        entry: Any = part
        if figure:
            names = [name for name, held in part.items() if isinstance(held, dict)]
            if figure not in names:
                raise _unknown("figure of the lecture", given, [f"{key}.{name}" for name in names], where)
            entry = part[figure]
        source = entry.get("source", part.get("source", ""))
        text = entry.get("text", "") if figure else key
        if not source or not text:
            raise ValueError(f"{given!r} in slides/lecture.toml lacks its {'text' if source else 'source'}")
        return Quote(str(text), "lecture", f"{key} ({source})")

"""What an author of slides can write besides plain Markdown: the deck's own directives and roles.

`Deck` is what one build knows while its files are read. This module needs Sphinx, which comes with the extra
`slides`; only the build of the deck imports it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from mlops_lab.slides.figures import Picture, arguments, inches, picture
from mlops_lab.slides.lesson_openers import LessonCard, card, existing, opener
from mlops_lab.slides.quotes import Quote, Quotes

__all__ = ["Deck", "box", "deck_of", "exact_line", "register", "speaker_notes"]

_FIGURES = "_figures"
"""The folder, beside the files that are read, in which drawn pictures are kept."""


@dataclass
class Deck:
    """The deck that is being built: its sources, what it may quote, and what was found so far.

    Parameters
    ----------
    root
        The folder of the course.
    sources
        The folder whose files are read.
    """

    root: Path
    sources: Path
    minutes: float = 0.0
    slides: dict[str, str] = field(default_factory=dict)
    openers: dict[str, str] = field(default_factory=dict)
    drawn: dict[str, Picture] = field(default_factory=dict)

    @cached_property
    def quotes(self) -> Quotes:
        """What slides may quote."""
        return Quotes(self.root)

    def draw(
        self, name: str, size: tuple[float, float] | None, given: Mapping[str, Any]
    ) -> tuple[str, Picture]:
        """Draw a picture into a file, once for each function and its arguments."""
        file = _file(name, size, given)
        if file not in self.drawn:
            self.keep(name, size, given, picture(name, size=size, given=given))
        return file, self.drawn[file]

    def keep(
        self, name: str, size: tuple[float, float] | None, given: Mapping[str, Any], drawn: Picture
    ) -> None:
        """Keep a picture that was drawn elsewhere, for `draw` to find."""
        file = _file(name, size, given)
        path = self.sources / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(drawn.svg)
        self.drawn[file] = drawn


def _file(name: str, size: tuple[float, float] | None, given: Mapping[str, Any]) -> str:
    asked = repr((name, size, sorted(given.items())))
    short = re.sub(r"\W+", "-", name.removeprefix("mlops_lab."))
    return f"{_FIGURES}/{short}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}.svg"


_SHORTEST_ALT = 15


class speaker_notes(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801  named as docutils does
    """What the speaker sees and the room does not."""


class box(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801
    """A part of a slide with a class of its own, columns with their widths."""


def deck_of(environment: Any) -> Deck:
    """Give the deck that Sphinx's environment is reading for."""
    return cast(Deck, environment.deck)


def exact_line(path: Path, line: int, needle: str) -> int:
    """Find the line on which a text stands: of inline text only its paragraph's first line is known."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return line
    return next((n for n, text in enumerate(lines, 1) if n >= line and needle in text), line)


# --- directives ---------------------------------------------------------------------------------------------


def _minutes(text: str) -> float:
    value = float(text)
    if not 0 < value <= 60:
        raise ValueError(f"minutes={text}: give a number above 0, at most 60")
    return value


class _Notes(SphinxDirective):
    """What to say, for how long, what to ask, and what people get wrong."""

    has_content = True
    option_spec = {  # noqa: RUF012  docutils reads a plain dictionary
        "minutes": _minutes,
        "ask": directives.unchanged,
        "misconception": directives.unchanged,
    }

    def run(self) -> list[Any]:
        if "minutes" not in self.options:
            raise self.error("notes need :minutes:, how long the slide takes, such as `:minutes: 2`")
        if not any(line.strip() for line in self.content):
            raise self.error("notes are empty: write what to say")
        node = speaker_notes(minutes=self.options["minutes"])
        self.set_source_info(node)
        node += nodes.paragraph("", f"{self.options['minutes']:g} min", classes=["minutes"])
        lines = []
        for name, word in (("ask", "Ask"), ("misconception", "Common misconception")):
            if self.options.get(name):
                lines += [f"**{word}:** {self.options[name]}", ""]
        self.state.nested_parse(StringList(lines, source="notes"), 0, node)
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


class _PackageFigure(SphinxDirective):
    """A picture that a function of the package draws."""

    required_arguments = 1
    option_spec = {  # noqa: RUF012
        "alt": directives.unchanged,
        "size": inches,
        "with": directives.unchanged,
        "height": directives.positive_int,
        "schematic": directives.flag,
    }

    def run(self) -> list[Any]:
        alt = " ".join(self.options.get("alt", "").split())
        if len(alt) < _SHORTEST_ALT:
            raise self.error(f"a figure needs :alt:, in a sentence what it shows ({alt!r} was given)")
        try:
            given = arguments(self.options.get("with", ""))
            file, drawn = deck_of(self.env).draw(self.arguments[0], self.options.get("size"), given)
        except ValueError as error:
            raise self.error(str(error)) from error
        if drawn.problems:
            raise self.error(f"in the picture of {self.arguments[0]} {'; '.join(drawn.problems)}")
        image = nodes.image(uri=file, alt=alt, drawn=file, height_px=self.options.get("height"))
        self.set_source_info(image)
        held = box("", image, classes=["figure"])
        if "schematic" in self.options:
            held += nodes.paragraph("", "schematic", classes=["schematic"])
        return [held]


class _Box(SphinxDirective):
    """A container whose class is the directive's name."""

    has_content = True
    optional_arguments = 2

    def run(self) -> list[Any]:
        held = box(classes=[self.name])
        self.set_source_info(held)
        self.state.nested_parse(self.content, self.content_offset, held)
        return [held]


class _Columns(_Box):
    """Columns beside each other, of equal width or of the widths that are given."""

    def run(self) -> list[Any]:
        (held,) = super().run()
        columns = [child for child in held.children if "column" in child.get("classes", ())]
        if len(columns) != 2 or len(columns) != len(held.children):
            raise self.error(
                "columns hold two columns and nothing else: ::::{column} twice; "
                "an outer fence has more colons than an inner one"
            )
        if self.arguments and not all(word in "123456789" for word in self.arguments):
            raise self.error(f"columns {' '.join(self.arguments)}: give two whole numbers from 1 to 9")
        weights = [int(word) for word in self.arguments] or [1, 1]
        if len(weights) != 2:
            raise self.error("columns: give two widths, as in ::::{columns} 2 1")
        held["weights"] = weights
        return [held]


class _LessonOpeners(SphinxDirective):
    """One slide for each lesson, made from its notebook."""

    optional_arguments = 99

    def run(self) -> list[Any]:
        deck = deck_of(self.env)
        try:
            cards = [card(given, deck.root) for given in self.arguments or existing(deck.root)]
        except ValueError as error:
            raise self.error(str(error)) from error
        return [self._slide(deck, lesson) for lesson in cards if lesson.available]

    def _slide(self, deck: Deck, lesson: LessonCard) -> Any:
        if lesson.number in deck.openers:
            raise self.error(f"lesson {lesson.number} has an opener already: {deck.openers[lesson.number]}")
        deck.openers[lesson.number] = f"{self.env.docname}.md:{self.lineno}"
        heading = f"{lesson.number} {lesson.title}" + (f": {lesson.question}" if lesson.question else "")
        slide = nodes.section("", nodes.title("", heading), ids=[f"lesson-{lesson.number}"], generated=True)
        self.set_source_info(slide)
        slide["classes"].append("opener")
        self.state.nested_parse(StringList(opener(lesson), source="opener"), 0, slide)
        return slide


# --- roles --------------------------------------------------------------------------------------------------

_Answer = tuple[list[Any], list[Any]]


def _role(name: str, make: Callable[[Deck, str], list[Any]]) -> Callable[..., _Answer]:
    """Make a role of a function from text to nodes; its ValueError becomes an error at the role's line."""

    def role(
        _name: str,
        rawtext: str,
        text: str,
        lineno: int,
        inliner: Any,
        options: dict[str, Any] | None = None,
        content: Sequence[str] = (),
    ) -> _Answer:
        environment = inliner.document.settings.env
        try:
            return make(deck_of(environment), text), []
        except ValueError as error:
            path = Path(environment.doc2path(environment.docname))
            line = exact_line(path, lineno, f"{{{name}}}`{text}`")
            message = inliner.reporter.error(str(error), line=line)
            return [inliner.problematic(rawtext, rawtext, message)], [message]

    return role


def _quoted(quote: Quote, *more: Any) -> list[Any]:
    node = nodes.inline("", quote.text, classes=["quote", quote.origin], origin=quote.origin)
    node["source_line"] = quote.source
    return [node, *more]


def _lecture(deck: Deck, text: str) -> list[Any]:
    key = text.strip().partition(".")[0]
    quote = deck.quotes.lecture(text)
    return _quoted(quote, *([] if quote.text == key else [nodes.inline("", f" ({key})", classes=["key"])]))


def _lesson(deck: Deck, text: str) -> list[Any]:
    lesson = card(text, deck.root)
    words = f"Lesson {lesson.number}: {lesson.title}"
    if lesson.available:
        return [
            nodes.reference("", words, refuri=f"#lesson-{lesson.number}", internal=True, classes=["lesson"])
        ]
    return [nodes.inline("", f"{words} (planned)", classes=["lesson", "planned"])]


_ROLES: dict[str, Callable[[Deck, str], list[Any]]] = {
    "measured": lambda deck, text: _quoted(deck.quotes.measured(text)),
    "claim": lambda deck, text: _quoted(deck.quotes.claim(text)),
    "lecture": _lecture,
    "lesson": _lesson,
}


def register(app: Sphinx) -> None:
    """Teach Sphinx the deck's directives and roles."""
    app.add_directive("notes", _Notes)
    app.add_directive("package-figure", _PackageFigure)
    app.add_directive("columns", _Columns)
    app.add_directive("lesson-openers", _LessonOpeners)
    for name in ("column", "statement", "small"):
        app.add_directive(name, _Box)
    for name, make in _ROLES.items():
        app.add_role(name, _role(name, make))

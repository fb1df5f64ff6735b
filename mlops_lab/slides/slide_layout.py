"""What makes a slide a slide: its parts are checked, brought in order, and its pictures given their size.

This module needs Sphinx, which comes with the extra `slides`; only the build of the deck imports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from mlops_lab.slides.directives import box, deck_of, exact_line, speaker_notes
from mlops_lab.slides.quotes import typed_figures

__all__ = ["SlideLayout"]

WIDTH_PX = 1136
"""How wide a slide's content is, of 1280: the style sheet leaves 72 px at either side."""

GAP_PX = 48
"""Between two columns."""

PICTURE_PX = 490
"""How high a picture is at most, where its author does not say."""

SMALLEST_LETTERS_PX = 16
"""How high letters in a picture are at least, on a slide of 1280 x 720."""

_ASIDE = (nodes.comment, nodes.substitution_definition, nodes.system_message, nodes.target)
_UNCHECKED = (nodes.literal, nodes.literal_block, nodes.raw)
_WRITTEN_BY_US = {"quote", "key", "lesson", "minutes"}
_logger = logging.getLogger(__name__)


class SlideLayout(SphinxTransform):
    """Check every slide of a file and bring its parts into one order: title, body, foot, notes."""

    default_priority = 870

    def apply(self, **_: Any) -> None:
        """Go through the file."""
        self._path = Path(self.env.doc2path(self.env.docname))
        for child in self.document.children:
            if not isinstance(child, (nodes.section, *_ASIDE)):
                self._say(child, "this stands above the first heading, so on no slide")
        for part in self.document.findall(nodes.section):
            if isinstance(part.parent, nodes.document):
                self._slide(part, "part")
            elif isinstance(part.parent.parent, nodes.document):
                self._slide(part, "slide")
            elif part.get("generated"):
                self._say(part, "lesson-openers stands directly below a `#` heading, before any `##`")

    def _say(self, node: Any, what: str, needle: str = "") -> None:
        line = _line(node)
        if needle:
            line = exact_line(self._path, line, needle)
        _logger.warning(what, location=(self.env.docname, line))

    def _slide(self, section: Any, kind: str) -> None:
        own = [child for child in section.children if not _begins_slide(child, kind)]
        below = [child for child in section.children if _begins_slide(child, kind)]
        title, *body = own
        notes = [child for child in body if isinstance(child, speaker_notes)]
        body = [child for child in body if not isinstance(child, speaker_notes)]
        self._check(section, title, body, notes, kind)
        pointers = [child for child in body if _only_pointers(child)]
        body = [child for child in body if child not in pointers]
        for held in body:
            self._pictures(held)
        section["kind"] = kind
        foot = self._foot(own, pointers)
        held = box("", *body, classes=["body"])
        section.children = []
        section += [title, held, *foot, *notes, *below]
        if not section.get("generated"):  # openers begin lessons, they are no part of the lecture's time
            deck_of(self.env).minutes += sum(note["minutes"] for note in notes)
        self._named(section, title)

    def _named(self, section: Any, title: Any) -> None:
        """Give the slide a name that no other slide has, so that it can be linked to."""
        deck = deck_of(self.env)
        name = section["ids"][0] if section.get("generated") else f"{self.env.docname}-{section['ids'][0]}"
        number = 2
        while name in deck.slides:
            name, number = f"{self.env.docname}-{section['ids'][0]}-{number}", number + 1
        deck.slides[name] = title.astext()
        section["slide_id"] = name

    def _check(self, section: Any, title: Any, body: list[Any], notes: list[Any], kind: str) -> None:
        if not isinstance(title, nodes.title) or not title.astext().strip():
            self._say(section, "this slide has no title: write words behind the #")
        if kind == "slide" and len(notes) != 1:
            many = (
                "more than one box of notes" if notes else "no speaker notes: add ```{notes} with :minutes:"
            )
            self._say(section, f"the slide {title.astext()!r} has {many}")
        if kind == "slide" and not body:
            self._say(section, f"the slide {title.astext()!r} is empty")
        for held in [title, *body, *notes]:
            self._forbidden(held)
            if not section.get("generated"):
                self._figures(held)

    def _forbidden(self, held: Any) -> None:
        for node in held.findall():
            if isinstance(node, nodes.transition):
                self._say(node, "a rule (---) begins no slide: a `##` heading does")
            elif isinstance(node, nodes.raw):
                self._say(node, "raw HTML is not for slides: slides/README.md says what can be written")
            elif isinstance(node, nodes.math | nodes.math_block):
                self._say(node, "formulas are not for slides: use a code span or a picture")
            elif isinstance(node, nodes.image):
                if not node.get("alt", "").strip():
                    self._say(
                        node,
                        f"the image {node['uri']} has no alt text: ![what it shows]({node['uri']})",
                        node["uri"],
                    )
                elif not node.get("drawn") and not (self._path.parent / node["uri"]).is_file():
                    self._say(node, f"there is no image {node['uri']}", node["uri"])

    def _figures(self, held: Any) -> None:
        """Find figures that were typed."""
        for text, node in _prose(held):
            for figure in typed_figures(text):
                what = "quote it with {measured}, {claim} or {lecture}"
                self._say(node, f"the figure {figure!r} was typed: {what}", figure)

    def _pictures(self, held: Any) -> None:
        deck = deck_of(self.env)
        for image in held.findall(nodes.image):
            if not image.get("drawn"):
                continue
            drawn = deck.drawn[image["drawn"]]
            high = image["height_px"] or PICTURE_PX
            width = min(_room(image), high * drawn.width_in / drawn.height_in)
            image["width_px"] = round(width)
            image["height_px"] = round(width * drawn.height_in / drawn.width_in)
            letters = drawn.letters_px(width)
            if letters is not None and letters < SMALLEST_LETTERS_PX:
                self._say(
                    image,
                    f"letters in this picture are {letters:.0f} px high on the slide, at least "
                    f"{SMALLEST_LETTERS_PX} are needed: give it a smaller :size: or more room",
                )

    def _foot(self, own: list[Any], pointers: list[Any]) -> list[Any]:
        """Make the foot of a slide: where it is measured, and the sources of what it quotes."""
        sources: dict[str, list[str]] = {"measured": [], "lecture": []}
        for held in own:
            if isinstance(held, speaker_notes):
                continue
            for quote in held.findall(lambda node: isinstance(node, nodes.inline) and "source_line" in node):
                sources[quote["origin"]].append(quote["source_line"])
        words = {"measured": "Measured", "lecture": "Lecture"}
        lines = [
            f"{words[name]}: {'; '.join(dict.fromkeys(held))}." for name, held in sources.items() if held
        ]
        for pointer in pointers:
            pointer["classes"].append("pointer")
        if not pointers and not lines:
            return []
        told = [nodes.paragraph("", " ".join(lines), classes=["sources"])] if lines else []
        return [box("", *pointers, *told, classes=["foot"])]


def _begins_slide(child: Any, kind: str) -> bool:
    return kind == "part" and isinstance(child, nodes.section)


def _line(node: Any) -> int:
    """Give the line of a node, or of the nearest one around it that has one."""
    while node is not None:
        if getattr(node, "line", None):
            return int(node.line)
        node = node.parent
    return 1


def _only_pointers(child: Any) -> bool:
    """Say whether a paragraph is nothing but references to lessons."""
    if not isinstance(child, nodes.paragraph) or not child.children:
        return False
    texts = [part.astext().strip(" ,\n") for part in child.children if isinstance(part, nodes.Text)]
    return (
        not any(texts)
        and all(
            isinstance(part, nodes.Text) or "lesson" in part.get("classes", ()) for part in child.children
        )
        and any(not isinstance(part, nodes.Text) for part in child.children)
    )


def _prose(held: Any) -> Iterator[tuple[str, Any]]:
    """Yield each text that the author wrote, and the node that knows its line."""
    for image in held.findall(nodes.image):
        yield image.get("alt", ""), image
    for block in held.findall(lambda node: isinstance(node, nodes.TextElement)):
        if isinstance(block, (*_UNCHECKED, nodes.Inline)) or _WRITTEN_BY_US & set(block["classes"]):
            continue
        yield "".join(_written(block)), block


def _written(node: Any) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, nodes.Text):
            yield child.astext()
        elif isinstance(child, _UNCHECKED) or _WRITTEN_BY_US & set(child.get("classes", ())):
            yield " · "
        elif isinstance(child, nodes.Inline):
            yield from _written(child)


def _room(image: Any) -> float:
    """Say how wide the place of a picture is: of the slide, or of its column."""
    width, inner, node = float(WIDTH_PX), image, image.parent
    columns = []
    while node is not None:
        if "weights" in getattr(node, "attributes", {}):
            columns.append((node["weights"], node.index(inner)))
        inner, node = node, node.parent
    for weights, place in reversed(columns):
        width = (width - GAP_PX) * weights[place] / sum(weights)
    return width

"""Rules for a lesson's structure: the same order of parts in every lesson, and enough prose.

A lesson is, in this order:

1. `# NN Title`, a title with the lecture's claim as a question (L01)
2. a box with *You will*, *You need*, *Time* (L02)
3. one code cell of imports, then the cell tagged `parameters` with `seed = 0` (L03, L04)
4. sections `## 1 Title (core)` or `(deeper)`, numbered from 1 (L05); one that runs something begins and ends
   with a word about it (L06). `## Exercises` stands after the first section (L07)
5. `## In the wild`, `## With LLMs`, `## What you can now say`, `## Go further`, `## Next lesson` (L07-L09)

Prose carries the code: at least 25 words for each code cell (L10), and nothing left to be written or replaced
(L11).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

from mlops_lab.course.lint_code import Found, parsed
from mlops_lab.course.notebooks import call_of, text_of

__all__ = ["parts", "prose", "words"]

_ENDING = ("In the wild", "With LLMs", "What you can now say", "Go further", "Next lesson")
"""The headings with which every lesson ends, in this order."""

_WORDS_PER_CODE_CELL = 25
"""How many words of prose a lesson has at least for each code cell, on average."""

_SECTION = re.compile(r"(\d+) .+ \((core|deeper)\)$")
_FREE = ("Exercises",)


def _headings(cells: list[Any]) -> list[tuple[int, str, str]]:
    """List `##` headings: the cell, the heading, and the text below it up to the next one."""
    found: list[tuple[int, str, str]] = []
    for place, cell in enumerate(cells):
        if cell["cell_type"] != "markdown":
            continue
        before, *parts = re.split(r"^## ", text_of(cell), flags=re.MULTILINE)
        if found and before.strip():
            found[-1] = (*found[-1][:2], found[-1][2] + "\n" + before)
        for part in parts:
            title, _, text = part.partition("\n")
            found.append((place, title.strip(), text))
    return found


def parts(notebook: Any, name: str) -> Iterator[Found]:
    """Check the order of a lesson's parts."""
    cells = notebook["cells"]
    first = text_of(cells[0]) if cells and cells[0]["cell_type"] == "markdown" else ""
    title = first.split("\n")[0]
    if not title.startswith(f"# {name[:2]} ") or "?" not in title:
        yield "L01", 0, f"the first cell must be '# {name[:2]} Title', with the lecture's claim as a question"
    opening = "\n".join(text_of(cell) for cell in cells[:3] if cell["cell_type"] == "markdown")
    yield from (
        ("L02", 1, f"no box with **{word}** in the first cells; write '> **{word}** ...'")
        for word in ("You will", "You need", "Time")
        if f"> **{word}**" not in opening
    )
    yield from _beginning(cells)
    yield from _sections(cells)
    yield from _order(cells)


def _beginning(cells: list[Any]) -> Iterator[Found]:
    code = [(place, cell) for place, cell in enumerate(cells) if cell["cell_type"] == "code"]
    tree = parsed(text_of(code[0][1])) if code else None
    if (
        tree is None
        or not tree.body
        or not all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in tree.body)
    ):
        yield "L03", code[0][0] if code else 0, "the first code cell must hold imports, and nothing else"
    tagged = [place for place, cell in code if "parameters" in cell["metadata"].get("tags", [])]
    if not tagged or tagged != [place for place, _ in code[1:2]]:
        yield (
            "L04",
            tagged[0] if tagged else 0,
            "the second code cell, and it alone, must be tagged `parameters`",
        )
    elif not re.search(r"^seed = 0$", text_of(code[1][1]), re.MULTILINE):
        yield "L04", tagged[0], "the `parameters` cell must say `seed = 0`"


def _sections(cells: list[Any]) -> Iterator[Found]:
    headings = _headings(cells)
    expected, core = 1, False
    for number, (place, title, _) in enumerate(headings):
        if title in _ENDING or title.startswith(_FREE):
            continue
        match = _SECTION.match(title)
        if match is None or int(match.group(1)) != expected:
            yield "L05", place, f"'## {title}' must read '## {expected} Title (core)' or '(deeper)'"
            continue
        expected, core = expected + 1, core or match.group(2) == "core"
        end = headings[number + 1][0] if number + 1 < len(headings) else len(cells)
        yield from _explained(cells, place, end, title)
    if not core:
        yield "L05", 0, "no core section: write at least one '## 1 Title (core)'"


def _explained(cells: list[Any], start: int, end: int, title: str) -> Iterator[Found]:
    inside = cells[start:end]
    if not any(cell["cell_type"] == "code" for cell in inside):
        return
    if len(text_of(inside[0]).split("\n", 1)[-1].split()) < 8:
        yield "L06", start, f"'{title}' begins with code: say first what will be done, and why"
    if inside[-1]["cell_type"] == "code" and call_of(inside[-1]) not in ("reveal", "claim", "hint", "check"):
        yield "L06", end - 1, f"'{title}' ends with code: say what was seen"


def _order(cells: list[Any]) -> Iterator[Found]:
    headings = _headings(cells)
    titles = [title for _, title, _ in headings]
    if (
        tuple(title for title in titles if title in _ENDING) != _ENDING
        or tuple(titles[-len(_ENDING) :]) != _ENDING
    ):
        yield "L07", len(cells) - 1, f"a lesson ends with these headings, in order: {', '.join(_ENDING)}"
    exercises = [number for number, title in enumerate(titles) if title.startswith("Exercises")]
    if not exercises or exercises[0] == 0:
        yield "L07", 0, "'## Exercises' must stand somewhere after the first section"
    texts = {title: (place, text) for place, title, text in headings}
    place, text = texts.get("In the wild", (0, ""))
    if len(re.findall(r"\]\(https?://", text)) < 1 or not 3 <= len(text.strip().split("\n")) <= 9:
        yield (
            "L08",
            place,
            "'In the wild' needs three to nine lines on a real incident, and a link to its source",
        )
    place, text = texts.get("With LLMs", (0, ""))
    if "changes" not in text or "does not" not in text:
        yield "L08", place, "'With LLMs' must say what changes and what does not"
    place, text = texts.get("Go further", (0, ""))
    if len(re.findall(r"\]\(https?://", text)) < 3 or "Designing Machine Learning Systems" not in text:
        yield "L09", place, "'Go further' needs three links and a chapter of the course book"


def prose(notebook: Any) -> Iterator[Found]:
    """Check that there is enough prose, and nothing left to be written."""
    cells = notebook["cells"]
    written = words(text_of(cell) for cell in cells if cell["cell_type"] == "markdown")
    code = sum(cell["cell_type"] == "code" and not call_of(cell) for cell in cells)
    if code and written / code < _WORDS_PER_CODE_CELL:
        least = f"write at least {_WORDS_PER_CODE_CELL}, or use fewer cells"
        yield "L10", 0, f"{written / code:.0f} words for each code cell; {least}"
    for place, cell in enumerate(cells):
        left = re.search(r"\b(to[d]o|fix[m]e|x{3}|lorem ipsum)\b|<!--", text_of(cell), re.IGNORECASE)
        if left:
            yield "L11", place, f"{left.group(0)!r} is left in the text: finish it or take it out"
        for line in re.findall(r"^Replace: .*", text_of(cell), re.MULTILINE):
            yield "L11", place, f"a placeholder is left: {line!r}"


def words(texts: Iterable[str]) -> int:
    """Count words of prose: code, addresses and signs are none, and a line that is repeated counts once."""
    lines: set[str] = set()
    for text in texts:
        plain = re.sub(r"```.*?(```|$)|<[^>]*>|\]\([^)]*\)|https?://\S+", " ", text, flags=re.DOTALL)
        lines.update(" ".join(line.split()).casefold() for line in plain.split("\n"))
    return sum(len(re.findall(r"[^\W\d_]+", line)) for line in lines)

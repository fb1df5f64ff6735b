"""Rules for the texts of a lesson: each can be moved, and nothing on a student's page tells an answer.

L35 texts that cannot leave the source's cells; L36 a text that stands on the student's page before its call
shows it; L37 what stands between a prediction and its answer, and may tell it.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_lab.course.lint_code import Found, parsed
from mlops_lab.course.notebooks import text_of
from mlops_lab.course.text_extraction import Extraction

__all__ = ["between", "movable", "spoilers"]

_MOST_BETWEEN = 2
"""Code cells that may stand between a prediction and its answer."""

_FEWEST_WORDS = 4
"""From how many words on a text is looked for everywhere; shorter ones are words that any page may use."""


def movable(extraction: Extraction) -> Iterator[Found]:
    """Say which texts cannot leave their cells."""
    yield from (("L35", cell, f"line {line}: {said}") for cell, line, said in extraction.problems)


def spoilers(copy: Any, texts: Mapping[str, Mapping[str, Any]]) -> Iterator[Found]:
    """Check that no sentence, explanation, option or description stands in any cell of a student's copy."""
    hidden = {_plain(text): text for text in _answers(texts)}
    for place, cell in enumerate(copy["cells"]):
        page = _plain(text_of(cell))
        for plain, text in hidden.items():
            if len(plain.split()) >= _FEWEST_WORDS and plain in page:
                yield "L36", place, f"{text[:60]!r} stands on the student's page: its call shows it"


def _answers(texts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for prediction in texts["predictions"].values():
        yield from prediction.get("options", {})
        yield prediction.get("because", "")
    yield from (claim.get("text", "") for claim in texts["claims"].values())
    yield from texts["pictures"].values()


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".")


def between(notebook: Any) -> Iterator[Found]:
    """Check that two code cells at most stand between a prediction and its answer, without a word."""
    asked: dict[str, int] = {}
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        for kind, id in _asked_and_revealed(text_of(cell)):
            if kind == "predict":
                asked[id] = place
            elif id in asked:
                yield from _told(notebook["cells"], asked[id], place, id)


def _asked_and_revealed(source: str) -> Iterator[tuple[str, str]]:
    tree = parsed(source)
    for statement in tree.body if tree else []:
        match statement:
            case ast.Expr(
                value=ast.Call(
                    func=ast.Name(id=("predict" | "reveal") as kind), args=[ast.Constant(value=str(id)), *_]
                )
            ):
                yield kind, id


def _told(cells: list[Any], start: int, end: int, id: str) -> Iterator[Found]:
    inside = range(start + 1, end)
    code = [place for place in inside if cells[place]["cell_type"] == "code"]
    if len(code) > _MOST_BETWEEN:
        yield (
            "L37",
            start,
            f"{len(code)} code cells between {id!r} and its answer, {_MOST_BETWEEN} are the most",
        )
    for place in inside:
        if cells[place]["cell_type"] != "code":
            yield (
                "L37",
                place,
                f"a text before the answer to {id!r}: say it in `because`, or behind the reveal",
            )
    for place in [*code, end]:
        source = text_of(cells[place])
        tree = parsed(source)
        if tree and any(isinstance(node, ast.keyword) and node.arg == "title" for node in ast.walk(tree)):
            yield "L37", place, f"a title before the answer to {id!r} is known: leave title= out"
        if any(token.type == tokenize.COMMENT for token in _tokens(source)):
            yield "L37", place, f"a comment before the answer to {id!r} is known: take it out"


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(source).readline)
    except (tokenize.TokenError, IndentationError):
        return

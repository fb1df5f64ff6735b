"""Rules for what a lesson stores: everything was run, in order, and nothing tells of the machine it ran on.

L40 order of execution; L41 an error; L42 stderr or a progress bar; L43 a path; L44 an id, address or port;
L45 a library's own HTML, or a form that not every reader has; L46 a figure without a description; L47 a typed
output that is malformed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mlops_lab.course.lint_code import Found
from mlops_lab.course.notebooks import text_of
from mlops_lab.lesson.outputs import MIME, collect, mask_live

__all__ = ["executed", "outputs"]

_PATH = re.compile(
    r"(?<![\w.:/<])/(?:home|root|tmp|Users|usr|var|opt|mnt|private|proc|etc|srv|work|app|workspaces?)/[\w.]"
    r"|\b[A-Za-z]:\\+\w|file://"
)
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_BAR = re.compile(r"\d+%\s*\|.*\||[█▏▎▍▌▋▊▉]|\bit/s\b|\r(?!\n)")
_FOREIGN = re.compile(
    r"\bsk-[a-z]+|<script|<iframe|<object|<link|<style(?! scoped)|\bid=|wandb-|tqdm"
    r"|on(?:click|load|error)\s*=|javascript:|<img(?![^>]*\balt=.\w)|src=.?https?:",
    re.IGNORECASE,
)
_PORT = re.compile(r"\b(?:127\.0\.0\.1|localhost|0\.0\.0\.0):(\d{4,5})\b")
_FORMS = {"text/plain", "text/html", "text/markdown", "text/latex", "image/png", MIME}
_FEWEST_LETTERS = 15


def executed(notebook: Any) -> Iterator[Found]:
    """Check that every code cell was run once, from the top."""
    expected = 1
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        count = cell.get("execution_count")
        if not text_of(cell).strip():
            yield "L40", place, "an empty code cell: take it out"
        elif count is None:
            yield "L40", place, "was never run: build the lesson"
        elif count != expected:
            yield "L40", place, f"was run as number {count}, not {expected}: build the lesson"
        expected += 1


def outputs(notebook: Any) -> Iterator[Found]:
    """Check that stored outputs are the same wherever and whenever a lesson is run."""
    for place, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", []):
            yield from ((code, place, text) for code, text in _one(output))
    try:
        collect(notebook)
    except ValueError as error:
        yield "L47", 0, str(error)


def _one(output: Any) -> Iterator[tuple[str, str]]:
    if output["output_type"] == "error":
        yield "L41", f"stores the error {output.get('ename')}: catch it in the cell and print it"
        return
    if output.get("name") == "stderr":
        yield "L42", "writes to stderr: a warning or a progress bar has no place in a stored output"
    data = output.get("data", {})
    if others := sorted(set(data) - _FORMS):
        yield "L45", f"stores {others[0]}, which not every reader has: show text, a table or a picture"
    if any(kind.startswith("image/") for kind in data):
        kinds = [kind for kind in data if kind.startswith("image/")]
        about = [output.get("metadata", {}).get(kind, {}) for kind in kinds]
        if any(len(str(each.get("alt", "")).strip()) < _FEWEST_LETTERS for each in about):
            yield "L46", "a figure without a description: show it by picture(ax, 'what it shows', id='topic.word')"
    if data and "text/plain" not in data:
        yield "L45", "has no plain text: a terminal and a screen reader have nothing to show"
    for text in map(mask_live, _texts(output)):
        if found := _PORT.search(text):
            yield "L44", f"an output shows the port {found.group(1)}: show it by live(...)"
        if found := re.search(_PATH.pattern + r"[^\s'\"<>]*", text):
            shown = re.match(r"[^\s'\"<>,;]*", text[found.start() :])
            yield (
                "L43",
                f"an output shows the path {(shown or found).group(0)!r}: show a name, or use scratch()",
            )
        if found := _ADDRESS.search(text):
            yield "L44", f"an output shows {found.group(0)!r}, which differs in every run"
        if _BAR.search(text):
            yield "L42", "an output holds a progress bar: switch it off"
        if found := _FOREIGN.search(text):
            yield (
                "L45",
                f"an output holds {found.group(0)!r}, a library's own HTML: print or tabulate instead",
            )


def _texts(output: Any) -> Iterator[str]:
    parts = [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k.startswith("text/"))]
    for part in parts:
        yield part if isinstance(part, str) else "".join(part)

"""Rules for a lesson's code cells: short, offline, portable, and every result a claim.

L20 cells too long; L21 too many; L22 shell or magics; L23 network; L24 a trailing semicolon; L25 no Python;
L30 ids of claims; L31 exercises and their checks; L32 predictions; L33 calls of the frame hidden from readers.
"""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from typing import Any

from mlops_lab.classroom import checks
from mlops_lab.classroom.derive import BEGIN, without_solution
from mlops_lab.classroom.notebooks import CALLS, call_of, text_of

__all__ = ["MOST_CELLS", "MOST_LINES", "frame", "sizes", "sources"]

MOST_LINES = 15
"""Lines a code cell may have."""

MOST_CELLS = 30
"""Code cells a lesson may have besides those that predict, claim, check and hint."""

Found = tuple[str, int, str]

_NETWORK = {"requests", "httpx", "aiohttp", "urllib3", "ftplib", "paramiko", "boto3"}
_NETWORK_PARTS = ("urllib.request", "http.client")
_SHELL = {"system", "popen", "getoutput", "getstatusoutput", "run_line_magic", "run_cell_magic", "get_ipython"}
_TOOLS = re.compile(r"\b(pip3?|conda|apt(-get)?|brew|curl|wget)\b")
_ELSEWHERE = re.compile(r"\b(?:https?|ftp|s3|gs)://(?!127\.|localhost|\[::1\]|\{)", re.IGNORECASE)


def _code(notebook: Any) -> list[tuple[int, str]]:
    return [(i, text_of(cell)) for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]


def _lines(source: str) -> int:
    """Count the lines a student reads: blank lines and a solution's markers are not among them."""
    return sum(bool(line.strip()) and not line.strip().startswith("### ") for line in source.split("\n"))


def sizes(notebook: Any) -> Iterator[Found]:
    """Check how many code cells there are, and how long.

    Yields
    ------
    tuple
        The rule's code, the cell, and what is wrong with the way out.

    Examples
    --------
    >>> [code for code, _, _ in sizes({"cells": [{"cell_type": "code", "source": "a = 1\\n" * 16}]})]
    ['L20', 'L20', 'L20']
    """
    for place, source in _code(notebook):
        if _lines(source) > MOST_LINES:
            yield "L20", place, f"{_lines(source)} lines of code; split the cell, {MOST_LINES} are the most"
    plain = sorted(_lines(source) for _, source in _code(notebook) if not call_of({"source": source}))
    if plain and statistics.median(plain) > 4:
        yield "L20", 0, f"the median code cell has {statistics.median(plain):g} lines; 4 are the most"
    if plain and sum(length > 9 for length in plain) > 0.1 * len(plain):
        yield "L20", 0, "more than a tenth of the code cells have over 9 lines; split the long ones"
    if len(plain) > MOST_CELLS:
        yield "L21", 0, f"{len(plain)} code cells; {MOST_CELLS} are the most a student finishes"


def sources(notebook: Any) -> Iterator[Found]:
    """Check that code runs anywhere, offline, and shows what it does.

    Examples
    --------
    >>> [code for code, _, _ in sources({"cells": [{"cell_type": "code", "source": "!ls"}]})]
    ['L22']
    """
    for place, source in _code(notebook):
        magic = re.search(r"^\s*(?:[!%?].*|\w[\w.]*\?{1,2}\s*$|\w+\s*=\s*[!%].*)", source, re.MULTILINE)
        if magic:
            yield "L22", place, f"{magic.group(0).strip()!r} is no Python: use a function a student can read"
            continue
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            yield "L25", place, f"no valid Python: {error.msg}, line {error.lineno}"
            continue
        if re.search(r";\s*(#.*)?$", source.rstrip().split("\n")[-1]):
            yield "L24", place, "a trailing semicolon hides an output and breaks its comparison; write ax = ..."
        yield from ((code, place, text) for code, text in dict.fromkeys(_reach(tree)))


def _reach(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Name what leaves the notebook: shells, installers, the network."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if re.fullmatch(r"[\w.]+", node.value) else []
            if _ELSEWHERE.search(node.value):
                yield "L23", f"{node.value[:60]!r} is an address elsewhere: lessons run offline"
            if _TOOLS.search(node.value) and len(node.value.split()) <= 6:
                yield "L22", f"{node.value!r} looks like a call of an installer or downloader"
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _SHELL:
                yield "L22", f"{name}() runs a shell or a magic: use Python"
            if name.startswith("fetch_") or (name in ("fetch", "urlopen", "urlretrieve")):
                yield "L23", f"{name}() downloads: lessons run offline"
        for name in names:
            if name.split(".")[0] in _NETWORK or name.startswith(_NETWORK_PARTS):
                yield "L23", f"{name} reaches the network: lessons run offline"


def _calls(source: str) -> list[ast.Call]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    return [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") in CALLS]


def _id(call: ast.Call) -> str:
    """Read a call's id where it is written as a plain text, else the empty string."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    first = call.args[0] if call.args and getattr(call.func, "id", "") != "claim" else None
    value = named.get("id", first)
    return str(value.value) if isinstance(value, ast.Constant) else ""


def frame(notebook: Any, topic: str, *, source: bool) -> Iterator[Found]:
    """Check claims, exercises and predictions: named, in order, and each with its counterpart.

    Parameters
    ----------
    notebook
        The lesson.
    topic
        Its word, with which every id begins.
    source
        Whether this is the source, which must hold a solution for each exercise.

    Examples
    --------
    >>> cell = {"cell_type": "code", "source": 'claim("It holds.", 1, id="other.a", at_least=0)'}
    >>> [text for code, _, text in frame({"cells": [cell]}, "demo", source=True) if code == "L30"]
    ["'other.a' must begin with 'demo.'"]
    """
    seen: dict[tuple[str, str], int] = {}
    for place, text in _code(notebook):
        for call in _calls(text):
            kind, name = call.func.id, _id(call)  # type: ignore[attr-defined]
            if not name.startswith(f"{topic}."):
                yield "L30", place, f"{name!r} must begin with '{topic}.'" if name else f"{kind} needs a plain text as its id"
            if (kind, name) in seen and kind != "hint":
                yield "L30", place, f"{kind} {name!r} stands in cell {seen[kind, name]} already: rename one"
            if kind == "reveal" and ("predict", name) not in seen:
                yield "L32", place, f"{name!r} is revealed, but no cell before asks for the prediction"
            if kind in ("check", "hint"):
                yield from _exercise(place, text, call, name, source=source)
            if call.col_offset:
                yield "L33", place, f"{kind} is hidden inside other code: write it at the cell's left edge"
            seen[kind, name] = place
    yield from _complete(seen, topic)


def _exercise(place: int, text: str, call: ast.Call, name: str, *, source: bool) -> Iterator[Found]:
    try:
        checks.find(name)
    except ValueError as error:
        yield "L31", place, str(error)
    if call.func.id == "hint":  # type: ignore[attr-defined]
        return
    if not any(keyword.arg == "seed" for keyword in call.keywords):
        yield "L31", place, f"write check({name!r}, answer, seed=seed): the truth depends on the seed"
    try:
        student = without_solution(text)
    except ValueError as error:
        yield "L31", place, str(error)
        return
    if "answer = ..." not in student:
        yield "L31", place, f"the answer to {name!r} must stand in the cell of its check, as answer = ..."
    if source and BEGIN not in text:
        yield "L31", place, f"no solution of {name!r}: put it between {BEGIN} and ### END SOLUTION"


def _complete(seen: dict[tuple[str, str], int], topic: str) -> Iterator[Found]:
    """Check what must be there at all, and that nothing is left without its counterpart."""
    have = {kind: {name for other, name in seen if other == kind} for kind in CALLS}
    yield from (("L30", 0, "no claim: state at least one result") for _ in range(not have["claim"]))
    yield from (("L32", 0, "no prediction: ask before the decisive run") for _ in range(not have["predict"]))
    for name in sorted(have["predict"] - have["reveal"]):
        yield "L32", seen["predict", name], f"the prediction {name!r} is never revealed"
    if topic not in checks.topics():
        yield "L31", 0, f"no exercises: write their rules in mlops_lab/classroom/checks/{topic}.py"
        return
    for rule in checks.rules(topic):
        if rule.id not in have["check"]:
            yield "L31", 0, f"the exercise {rule.id!r} has a rule and stands nowhere in the lesson"
        if rule.id not in have["hint"]:
            yield "L31", seen.get(("check", rule.id), 0), f"the exercise {rule.id!r} offers no hint({rule.id!r})"

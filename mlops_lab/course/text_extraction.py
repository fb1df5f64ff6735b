"""The texts of a lesson's source, moved from its cells to a file of the kit.

In the source, question, options, explanation, sentence, bound and description stand inside the calls
`predict`, `reveal`, `claim` and `picture`. In the student's copy a call keeps its id and what it measures:

    claim("At least half of the weeks have an alarm.", flood, id="monitoring_data.flood", at_least=0.5)
    claim("monitoring_data.flood", flood)

What a student's kernel could not do with the result is refused here: ids that miss, repeat or do not meet
their counterpart, options that no value reaches, explanations that ask for what is not passed.
"""

from __future__ import annotations

import ast
import itertools
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_lab.course.notebooks import text_of
from mlops_lab.lesson import conditions
from mlops_lab.lesson.outputs import is_id

__all__ = ["Extraction", "extracted"]

_TEXT_CALLS = ("predict", "reveal", "claim", "picture")
"""The calls whose texts leave the student's copy."""

_LINE = 110
_CLAIM_TEXTS = ("text", "at_least", "at_most", "within", "kind", "unit", "source", "tolerance")
_MOST_POINTS = 100_000


@dataclass
class Extraction:
    """What a source gives: each cell's code for the student's copy, the texts, and what is wrong with them.

    Parameters
    ----------
    code
        The student's code by the place of its cell; only cells with texts.
    texts
        Predictions, claims and pictures by id, as the kit stores them.
    problems
        Cell, line (both as a reader counts them: cells from 0, lines from 1) and what is wrong.
    """

    code: dict[int, str] = field(default_factory=dict)
    texts: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"predictions": {}, "claims": {}, "pictures": {}}
    )
    problems: list[tuple[int, int, str]] = field(default_factory=list)


class _NotMovableError(ValueError):
    """A call that cannot be moved."""


def extracted(notebook: Any, topic: str) -> Extraction:
    """Take the texts out of a source's cells."""
    found = Extraction()
    asked: dict[str, tuple[int, int]] = {}
    passed: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        source = text_of(cell)
        lines = source.split("\n")
        for statement, call in reversed(_calls(source)):
            kind = call.func.id  # type: ignore[attr-defined]  # _calls looks for names alone
            at = (place, statement.lineno)
            try:
                id, rest, texts = _READERS[kind](source, call)
                if not id.startswith(f"{topic}."):
                    raise _NotMovableError(f"the id {id!r} must begin with '{topic}.'")
                if (kind, id) in seen:
                    raise _NotMovableError(f"{kind} {id!r} stands twice: give one another id")
            except _NotMovableError as error:
                found.problems.append((*at, str(error)))
                continue
            seen.add((kind, id))
            if kind == "predict":
                asked[id] = at
                found.texts["predictions"][id] = texts | found.texts["predictions"].get(id, {})
            elif kind == "reveal":
                passed[id] = {keyword.arg for keyword in call.keywords if keyword.arg} - {"because"}
                found.texts["predictions"].setdefault(id, {}).update(texts)
                asked.setdefault(f"{id} revealed", at)
            else:
                found.texts[f"{kind}s"][id] = texts
            lines[statement.lineno - 1 : statement.end_lineno] = _written(kind, rest).split("\n")
            found.code[place] = "\n".join(lines)
    for id, texts in found.texts["predictions"].items():
        asked_at, revealed_at = asked.get(id), asked.get(f"{id} revealed")
        if revealed_at is None or asked_at is None:
            found.problems.append(
                (
                    *(asked_at or revealed_at or (0, 0)),
                    f"{id!r} is {'asked' if asked_at else 'revealed'} only",
                )
            )
            continue
        found.problems += [(*asked_at, said) for said in option_problems(texts["options"])]
        found.problems += [(*revealed_at, said) for said in _names_problems(id, texts, passed[id])]
    found.texts = {kind: dict(sorted(texts.items())) for kind, texts in found.texts.items()}
    found.problems.sort()
    return found


def _calls(source: str) -> list[tuple[ast.stmt, ast.Call]]:
    """List the calls with texts that stand at a cell's left edge, in order."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []  # the rules for code say so
    return [
        (statement, statement.value)
        for statement in body
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id in _TEXT_CALLS
    ]


def _written(kind: str, arguments: list[str]) -> str:
    """Write a call in one line where it fits."""
    line = f"{kind}({', '.join(arguments)})"
    if len(line) <= _LINE or len(arguments) == 1:
        return line
    inside = "\n".join(f"    {argument}," for argument in arguments)
    return f"{kind}(\n{inside}\n)"


# --- one reader for each call: its id, the arguments that stay, the texts that go --------------------------

_Read = tuple[str, list[str], dict[str, Any]]


def _predict(source: str, call: ast.Call) -> _Read:
    given = _arguments(call, ("id", "question", "options"))
    id = _id(given, "predict")
    options = _literal(given, "options", "predict")
    if not isinstance(options, dict) or not all(isinstance(each, str) for each in options.values()):
        raise _NotMovableError(f"predict {id!r}: options is a mapping of each option to its condition")
    for condition in options.values():
        try:
            conditions.names(condition)
        except ValueError as error:
            raise _NotMovableError(f"predict {id!r}: {error}") from None
    texts = {"question": _literal(given, "question", "predict"), "options": options}
    return id, [_quoted(id)], texts


def _reveal(source: str, call: ast.Call) -> _Read:
    given = _arguments(call, ("id",))
    id = _id(given, "reveal")
    because = _literal(given, "because", "reveal")
    values = [
        f"{name}={_segment(source, value)}" for name, value in given.items() if name not in ("id", "because")
    ]
    return id, [_quoted(id), *values], {"because": because}


def _claim(source: str, call: ast.Call) -> _Read:
    given = _arguments(call, ("text", "measured"))
    id = _id(given, "claim")
    if "measured" not in given:
        raise _NotMovableError(f"claim {id!r} measures nothing")
    texts = {name: _literal(given, name, "claim") for name in _CLAIM_TEXTS if name in given}
    rest = [_quoted(id), _segment(source, given["measured"])]
    rest += [f"reason={_segment(source, given['reason'])}"] if "reason" in given else []
    if unknown := set(given) - {*_CLAIM_TEXTS, "id", "measured", "reason"}:
        raise _NotMovableError(f"claim {id!r}: {min(unknown)} is no argument of claim")
    return id, rest, texts


def _picture(source: str, call: ast.Call) -> _Read:
    given = _arguments(call, ("ax", "alt"))
    id = _id(given, "picture")
    return id, [_segment(source, given["ax"]), _quoted(id)], _literal(given, "alt", "picture")


_READERS = {"predict": _predict, "reveal": _reveal, "claim": _claim, "picture": _picture}


def _arguments(call: ast.Call, positions: tuple[str, ...]) -> dict[str, ast.expr]:
    if len(call.args) > len(positions) or any(isinstance(each, ast.Starred) for each in call.args):
        raise _NotMovableError(
            f"{ast.unparse(call.func)} takes {', '.join(positions)} by position, the rest by name"
        )
    given = dict(zip(positions, call.args, strict=False))
    return given | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _id(given: Mapping[str, ast.expr], kind: str) -> str:
    node = given.get("id")
    id = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(id, str) or not is_id(id):
        raise _NotMovableError(f"{kind} has no id: write id='topic.word', a plain text")
    return id


def _literal(given: Mapping[str, ast.expr], name: str, kind: str) -> Any:
    """Read an argument that must stand in the source as it is, since no kernel computes it."""
    if name not in given:
        raise _NotMovableError(f"{kind} has no {name}")
    try:
        return _constant(given[name])
    except ValueError:
        raise _NotMovableError(
            f"{kind}: {name}={ast.unparse(given[name])[:60]} is computed; write it out, "
            "with {name:format} for values in a reveal's because"
        ) from None


def _constant(node: ast.expr) -> Any:
    """Evaluate a literal, or a fraction of two such as 1 / 3."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return ast.literal_eval(node.left) / ast.literal_eval(node.right)
    return ast.literal_eval(node)


def _segment(source: str, node: ast.expr) -> str:
    return ast.get_source_segment(source, node) or ast.unparse(node)


def _quoted(id: str) -> str:
    return f'"{id}"'


# --- what cannot be answered --------------------------------------------------------------------------------


def _names_problems(id: str, texts: Mapping[str, Any], passed: set[str]) -> Iterator[str]:
    """Name values that a condition or an explanation asks for and the cell does not pass, and the reverse."""
    asked = set().union(*(conditions.names(condition) for condition in texts["options"].values()))
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(texts["because"]) if name is not None}
    except ValueError as error:
        yield f"reveal {id!r}: because cannot be filled: {error}"
        return
    yield from (
        f"reveal {id!r} does not pass {name!r}, a condition asks for it" for name in sorted(asked - passed)
    )
    yield from (
        f"reveal {id!r} does not pass {name!r}, because asks for it" for name in sorted(fields - passed)
    )
    unused = sorted(passed - asked - fields)
    yield from (f"reveal {id!r} passes {name!r}, and nothing asks for it" for name in unused)


def option_problems(options: Mapping[str, str]) -> Iterator[str]:
    """Name options that no value reaches, that overlap without order, and values for which no option holds.

    The conditions are tried at every value that they compare with, between any two of them, and beyond.
    Options overlap in order where the earlier one is the narrower one: "share <= 0.1" before "share <= 0.5".
    """
    points = list(_points(options.values()))
    if len(points) >= _MOST_POINTS:
        yield "these conditions ask for too many values: name what is measured first"
        return
    places = {
        text: {n for n, at in enumerate(points) if conditions.holds(condition, at)}
        for text, condition in options.items()
    }
    taken: set[int] = set()
    texts = list(options)
    for number, text in enumerate(texts):
        own = places[text] - taken
        if not own:
            yield f"no value can reach the option {text!r}"
        for later in texts[number + 1 :]:
            if options[later] != conditions.OTHERWISE and own & places[later] and own - places[later]:
                yield f"the options {text!r} and {later!r} overlap, and neither is within the other"
        taken |= own
    if missed := set(range(len(points))) - taken:
        at = ", ".join(f"{name}={value!r}" for name, value in points[min(missed)].items())
        yield f"no option holds at {at}: let the last one say 'otherwise'"


def _points(all_conditions: Any) -> Iterator[dict[str, conditions.Value]]:
    """Give values for all names, on either side of all that the conditions compare them with."""
    constants: dict[str, set[Any]] = {}
    others: set[str] = set()
    for condition in all_conditions:
        if condition == conditions.OTHERWISE:
            continue
        for node in ast.walk(conditions.parsed(condition)):
            if isinstance(node, ast.Name):
                constants.setdefault(node.id, set())
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                known = {ast.literal_eval(side) for side in sides if not isinstance(side, ast.Name)}
                compared = [side.id for side in sides if isinstance(side, ast.Name)]
                for name in compared:
                    constants.setdefault(name, set()).update(known)
                if len(compared) > 1:
                    others.update(compared)
    pool = set().union(*(constants[name] for name in others)) if others else set()
    axes = [
        list(_axis(constants[name] | (pool if name in others else set()), name in others))
        for name in constants
    ]
    chosen = itertools.islice(itertools.product(*axes), _MOST_POINTS)
    return (dict(zip(constants, values, strict=True)) for values in chosen)


def _axis(constants: set[Any], compared_with_names: bool) -> Iterator[conditions.Value]:
    """Give the values at which one name is tried."""
    texts = sorted(each for each in constants if isinstance(each, str))
    numbers = sorted(each for each in constants if not isinstance(each, (str, bool)))
    if texts:
        yield from (*texts, "\0 another")
    elif numbers or compared_with_names:
        numbers = numbers or [0]
        steps = 3 if compared_with_names else 1  # room for names that are ordered between two constants
        yield from (numbers[0] - step for step in range(steps, 0, -1))
        for low, high in itertools.pairwise(numbers):
            yield low
            yield from (low + (high - low) * step / (steps + 1) for step in range(1, steps + 1))
        yield numbers[-1]
        yield from (numbers[-1] + step for step in range(1, steps + 1))
    else:
        yield from (True, False)

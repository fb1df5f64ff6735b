"""Rules for the calls that teach: what a lesson predicts, reveals, claims and asks, in plain sight.

L30 claims and ids; L31 exercises and their checks; L32 predictions; L33 such a call that is hidden or
replaced; L34 stored outputs that do not show what the calls say, or show something broken.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from mlops_lab import exercises
from mlops_lab.course.build import BEGIN, END, without_solution
from mlops_lab.course.lint_code import Found, code_cells, parsed
from mlops_lab.course.notebooks import CALLS, text_of
from mlops_lab.lesson.outputs import MIME, is_id

__all__ = ["calls", "predictions", "solutions", "stored"]

_TYPES = {"predict": "prediction"}


def _calls(source: str) -> list[ast.Call]:
    """List the calls that teach, wherever they stand in a cell."""
    tree = parsed(source)
    if tree is None:
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _kind(node) in CALLS]


def _kind(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if position < len(call.args) else None


def _id(call: ast.Call) -> str:
    """Read a call's id where it is written as a plain text, else the empty string.

    A claim has its id by name in the source, and as its only text in the student's copy.
    """
    value = _argument(call, "id", 0)
    if _kind(call) == "claim" and not any(keyword.arg == "id" for keyword in call.keywords):
        value = value if isinstance(value, ast.Constant) and is_id(value.value) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def calls(notebook: Any, topic: str, *, source: bool) -> Iterator[Found]:
    """Check that claims, exercises and predictions are named, in the open, and each has its counterpart."""
    seen: dict[tuple[str, str], int] = {}
    for place, text in code_cells(notebook):
        yield from ((code, place, said) for code, said in _hidden(text))
        for call in _calls(text):
            kind, name = _kind(call), _id(call)
            if not name:
                yield "L30", place, f"{kind} needs a plain text as its id"
            elif not name.startswith(f"{topic}."):
                yield "L30", place, f"{name!r} must begin with '{topic}.'"
            if (kind, name) in seen and kind != "hint":
                yield "L30", place, f"{kind} {name!r} stands in cell {seen[kind, name]} already: rename one"
            if source and kind == "claim" and _trivial(call):
                yield (
                    "L30",
                    place,
                    f"{name!r} claims a number that was typed in: measure it, or call it reported",
                )
            if kind in ("check", "hint"):
                yield from _exercise(place, text, call, name, source=source)
            seen[kind, name] = place
    yield from _complete(seen, topic)


def _hidden(text: str) -> Iterator[tuple[str, str]]:
    tree = parsed(text)
    if tree is None:
        return
    open_calls = {id(node.value) for node in tree.body if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        bound = ""
        if isinstance(node, ast.Call):
            if _kind(node) in CALLS and id(node) not in open_calls:
                yield "L33", f"{_kind(node)} is hidden inside other code: write it at the cell's left edge"
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("claim", "reveal"):
                yield "L33", f"write {node.func.attr}(...), not something.{node.func.attr}(...)"
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound = node.id
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            bound = node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            ours = getattr(node, "module", "") == "mlops_lab.lesson"
            for alias in node.names:
                if ours and alias.name in CALLS and alias.asname not in (None, alias.name):
                    yield "L33", f"{alias.name} is renamed to {alias.asname}: readers look for {alias.name}"
                bound = bound or ("" if ours else alias.asname or alias.name)
                if not ours and (alias.asname or alias.name) in CALLS:
                    bound = alias.asname or alias.name
        elif isinstance(node, ast.Name) and node.id in CALLS and not _is_called(tree, node):
            yield "L33", f"{node.id} is handed on under another name: call it by its own"
        if bound in CALLS:
            yield "L33", f"{bound} is replaced: no name of the frame may be used for something else"


def _is_called(tree: ast.AST, name: ast.Name) -> bool:
    return any(isinstance(node, ast.Call) and node.func is name for node in ast.walk(tree))


def _trivial(call: ast.Call) -> bool:
    kind = _argument(call, "kind", 99)
    if isinstance(kind, ast.Constant) and kind.value == "reported":
        return False
    measured = _argument(call, "measured", 1)
    if measured is None or (isinstance(measured, ast.Constant) and measured.value is None):
        return False  # not measurable here: it must say why
    return not any(isinstance(node, ast.Name) for node in ast.walk(measured))


def _exercise(place: int, text: str, call: ast.Call, name: str, *, source: bool) -> Iterator[Found]:
    try:
        exercises.find(name)
    except ValueError as error:
        yield "L31", place, str(error)
    if _kind(call) == "hint":
        return
    seed = _argument(call, "seed", 99)
    if not (isinstance(seed, ast.Name) and seed.id == "seed"):
        yield "L31", place, f"write check({name!r}, answer, seed=seed): the truth depends on the seed"
    given = _argument(call, "answer", 1)
    if not (isinstance(given, ast.Name) and given.id == "answer"):
        yield "L31", place, f"write check({name!r}, answer, seed=seed): what is checked is called `answer`"
    try:
        student = without_solution(text)
    except ValueError as error:
        yield "L31", place, str(error)
        return
    if "answer = ..." not in student:
        yield "L31", place, f"the answer to {name!r} must stand in the cell of its check, as answer = ..."
    if source and BEGIN not in text:
        yield "L31", place, f"no solution of {name!r}: put it between {BEGIN} and {END}"


def _complete(seen: dict[tuple[str, str], int], topic: str) -> Iterator[Found]:
    """Check what must be there at all, and that nothing is left without its counterpart."""
    have = {kind: {name for other, name in seen if other == kind} for kind in CALLS}
    yield from (("L30", 0, "no claim: state at least one result") for _ in range(not have["claim"]))
    yield from (("L32", 0, "no prediction: ask before the decisive run") for _ in range(not have["predict"]))
    if topic not in exercises.topics():
        yield "L31", 0, f"no exercises: write them in mlops_lab/exercises/{topic}.py"
        return
    for rule in exercises.of_topic(topic):
        if rule.id not in have["check"]:
            yield "L31", 0, f"the exercise {rule.id!r} has a rule and stands nowhere in the lesson"
        if rule.id not in have["hint"]:
            yield (
                "L31",
                seen.get(("check", rule.id), 0),
                f"the exercise {rule.id!r} offers no hint({rule.id!r})",
            )


def predictions(notebook: Any) -> Iterator[Found]:
    """Check that a prediction is asked before anything runs that answers it, and revealed after that."""
    asked: dict[str, int] = {}
    runs: list[int] = []
    for place, text in code_cells(notebook):
        calls = _calls(text)
        if not calls:
            runs.append(place)
        for call in calls:
            kind, name = _kind(call), _id(call)
            if kind == "predict":
                asked[name] = place
            elif kind == "reveal":
                start = asked.pop(name, None)
                if start is None:
                    yield "L32", place, f"{name!r} is revealed, but no cell before asks for the prediction"
                elif not any(start < run < place for run in runs):
                    yield "L32", place, f"{name!r} is revealed before anything has run that shows it"
    yield from (("L32", start, f"the prediction {name!r} is never revealed") for name, start in asked.items())


def solutions(notebook: Any) -> Iterator[Found]:
    r"""Check that nothing outside a solution needs what only the solution makes, `answer` apart.

    A student's copy lacks the solution's other names, and a cell that uses one would stop it.
    """
    made: dict[str, int] = {}
    elsewhere: set[str] = set()
    used: dict[str, int] = {}
    for place, text in code_cells(notebook):
        try:
            rest = parsed(without_solution(text))
        except ValueError:
            continue
        whole = parsed(text)
        if rest is None or whole is None:
            continue
        if BEGIN in text:
            made |= dict.fromkeys(_names_made(whole) - _names_made(rest) - {"answer"}, place)
        elsewhere |= _names_made(rest)
        for node in ast.walk(rest):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used[node.id] = place
    for name in sorted((made.keys() & used.keys()) - elsewhere):
        lost = f"cell {used[name]} uses it: a student's copy would stop there"
        yield "L31", made[name], f"{name!r} is made in a solution only, and {lost}"


def _names_made(tree: ast.AST) -> set[str]:
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    names |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    aliases = [a for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names]
    return names | {alias.asname or alias.name.split(".")[0] for alias in aliases}


def stored(notebook: Any, *, source: bool) -> Iterator[Found]:
    """Check that what is stored is what the calls say, that claims hold, and that solutions are right."""
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code" or cell.get("execution_count") is None:
            continue
        payloads = [o["data"][MIME] for o in cell.get("outputs", []) if MIME in o.get("data", {})]
        stored = {(payload.get("type"), payload.get("id")) for payload in payloads}
        for call in _calls(text_of(cell)):
            kind, name = _kind(call), _id(call)
            if (_TYPES.get(kind, kind), name) not in stored:
                yield "L34", place, f"stores no output of {kind} {name!r}: build the lesson"
        for payload in payloads:
            if payload.get("type") == "claim" and payload.get("holds") is False:
                yield (
                    "L34",
                    place,
                    f"the claim {payload.get('id')!r} does not hold: mend the sentence or the bound",
                )
            wanted = "right" if source else "not attempted"
            if payload.get("type") == "check" and payload.get("outcome") != wanted:
                yield (
                    "L34",
                    place,
                    f"{payload.get('id')!r} is {payload.get('outcome')!r} here, not {wanted!r}",
                )

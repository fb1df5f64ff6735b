"""Conditions of a prediction's options: small Python expressions over measured values, read without `eval`.

An option holds when its condition does: `"share <= 0.1"`, `"early and not late"`, `"best == 'lot'"`. Allowed
are names, numbers, texts, True and False, comparisons (chains, too), and, or, not. The first option that
holds is the answer; the last one may say `otherwise`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["OTHERWISE", "Value", "first_that_holds", "holds", "names", "parsed"]

OTHERWISE = "otherwise"
"""The condition of an option that is right where none before it is."""

Value = bool | int | float | str

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def parsed(condition: str) -> ast.expr:
    """Read a condition; a ValueError names what it may not hold."""
    try:
        tree = ast.parse(condition, mode="eval").body
    except (SyntaxError, TypeError, ValueError):
        raise ValueError(f"the condition {condition!r} is no Python expression") from None
    for node in _expressions(tree):
        if not _is_allowed(node):
            raise ValueError(
                f"the condition {condition!r} holds {ast.unparse(node)!r}: only names, numbers, texts, "
                "comparisons, and, or, not are read; give a value that needs more a name in the cell"
            )
    return tree


def _expressions(tree: ast.AST) -> Iterable[ast.expr]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.expr))


def _is_allowed(node: ast.expr) -> bool:
    match node:
        case ast.BoolOp() | ast.Name():
            return True
        case ast.Compare(ops=ops):
            return all(type(op) in _COMPARISONS for op in ops)
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return True
        case ast.Constant(value=bool() | int() | float() | str()):
            return True
    return False


def names(condition: str) -> set[str]:
    """List the values that a condition asks for."""
    if condition == OTHERWISE:
        return set()
    return {node.id for node in ast.walk(parsed(condition)) if isinstance(node, ast.Name)}


def holds(condition: str, values: Mapping[str, Value]) -> bool:
    """Say whether a condition holds for these values."""
    return condition == OTHERWISE or bool(_value(parsed(condition), values))


def first_that_holds(conditions: Iterable[str], values: Mapping[str, Value]) -> int | None:
    """Give the place of the first condition that holds; None where none does."""
    return next((place for place, each in enumerate(conditions) if holds(each, values)), None)


def _value(node: ast.expr, values: Mapping[str, Value]) -> object:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            if name not in values:
                given = ", ".join(sorted(values)) or "no value"
                raise ValueError(f"the condition asks for {name!r}, and {given} was passed")
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)  # type: ignore[operator]
        case ast.UnaryOp(operand=operand):
            return not _value(operand, values)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_value(part, values) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_value(each, values) for each in (left, *others)]
            return all(_COMPARISONS[type(op)](sides[place], sides[place + 1]) for place, op in enumerate(ops))
    raise ValueError(f"{ast.unparse(node)!r} is no condition")

"""Judges for the common kinds of answers: a number, a whole number, a choice, a function.

A judge reads an answer generously (every form that means the right thing is right) and refuses it precisely:
it recognises typical mistakes and says what the student's own value is. All compare by `same`, with one
tolerance. A known mistake of a function is named only where it explains every value that the student's
function returned; a message about one wrong value easily names the wrong cause.
"""

from __future__ import annotations

import copy
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mlops_lab.exercises.exercise import Outcome, not_yet, right, told
from mlops_lab.report import shown

__all__ = [
    "FunctionJudge",
    "Mistake",
    "Trial",
    "a_kind",
    "called",
    "called_number",
    "choice",
    "items",
    "no_function",
    "number",
    "one_word",
    "read_number",
    "same",
    "whole_number",
]

Judge = Callable[[object, int], Outcome]
_NOT_RIGHT = ", which is not right"


class Mistake(NamedTuple):
    """A typical wrong answer, a value or a function, and what to say about it (never the solution)."""

    answer: Any
    message: str


# --- numbers ---------------------------------------------------------------------------------------------


def read_number(answer: object) -> float | Outcome:
    """Read one number: int, float, Fraction, numpy scalar, or a list, array or Series of length 1."""
    value = _read(answer)
    if not isinstance(value, Outcome) and math.isnan(value):
        return not_yet("Your answer is not a number (NaN): a missing value has crept into the calculation.")
    return value


def _read(answer: object) -> float | Outcome:
    """Read one number, which may be undefined."""
    size = getattr(answer, "size", len(answer) if isinstance(answer, (list, tuple, set)) else 1)
    if callable(answer) and not hasattr(answer, "item"):
        return not_yet(
            "Your answer is a function: call it, so that the answer is the number that it returns."
        )
    if isinstance(answer, (str, bytes)):
        return not_yet(f"Your answer is the text {answer!r}: write the number without quotes.")
    if isinstance(size, int) and size != 1:
        return not_yet(f"Your answer is {a_kind(answer)}: one number is asked for.")
    if isinstance(answer, (list, tuple, set)):
        return _read(next(iter(answer)))
    if hasattr(answer, "to_numpy"):
        answer = answer.to_numpy()
    if hasattr(answer, "item"):
        answer = answer.item()
    if isinstance(answer, bool):
        return not_yet(f"Your answer is {answer}: a number is asked for, not true or false.")
    if isinstance(answer, (str, bytes)):
        return not_yet(f"Your answer is the text {answer!r}: write the number without quotes.")
    try:
        return float(answer)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return not_yet(f"Your answer is {a_kind(answer)}: one number is asked for.")


def tolerance(answer: object, true: float) -> float:
    """Give how far a number may lie from the truth by rounding alone, more in float32 or float16."""
    relative, absolute = _precision(answer)
    return absolute + relative * abs(true) if math.isfinite(true) else 0.0


def _precision(answer: object) -> tuple[float, float]:
    """Give the relative and the absolute tolerance: 1e-9, or what the answer's own kind of number allows."""
    while isinstance(answer, (list, tuple)) and len(answer) > 0:
        answer = answer[0]
    values = answer.to_numpy() if hasattr(answer, "to_numpy") else answer
    is_float = isinstance(values, (np.ndarray, np.floating)) and values.dtype.kind == "f"
    unit = float(np.finfo(values.dtype if is_float else float).eps)  # type: ignore[union-attr]
    return max(1e-9, 16 * unit), max(1e-9, unit)


def _digits(value: float, true: float) -> str:
    """Write a value as a card does, with as many digits as tell it from the truth."""
    if not math.isfinite(value) or shown(value) != shown(true):
        return shown(value)
    texts = ((f"{value:.{n}g}", f"{true:.{n}g}") for n in range(5, 18))
    return next((mine for mine, theirs in texts if mine != theirs), shown(value))


def _rounded(value: float, true: float) -> bool:
    """Tell whether a value is the truth with some digits cut, and near it."""
    near = value != true and abs(value - true) <= 0.05 * abs(true)
    return near and any(math.isclose(value, round(true, places), abs_tol=1e-12) for places in range(9))


def number(
    truth: Callable[[int], float],
    *,
    within: float,
    mistakes: Callable[[int], Sequence[Mistake]] | None = None,
    near: float = 0.0,
    fraction: bool = False,
    far: str = "is not it",
    well: str = "",
) -> Judge:
    """Judge a number that may lie within a distance of the truth.

    A mistake is known within the same distance, or, where `near` is given, within this share of its value.
    """
    if not (within >= 0 and math.isfinite(within)):
        raise ValueError(f"within={within!r}: give the largest accepted distance, 0 or more.")

    def judge(answer: object, seed: int) -> Outcome:
        value = read_number(answer)
        if isinstance(value, Outcome):
            return value
        true = float(truth(seed))
        seen = f"Your answer {_digits(value, true)}"

        def is_it(other: float) -> bool:
            return abs(value - other) <= within + tolerance(answer, other)

        if is_it(true):
            return right(well)
        if (fraction and is_it(100 * true)) or (fraction and abs(value / 100 - true) <= within):
            return not_yet(f"{seen} is in percent: write it as a fraction of 1.")
        for mistake in mistakes(seed) if mistakes else ():
            if math.isclose(value, mistake.answer, rel_tol=near) if near else is_it(mistake.answer):
                return not_yet(f"{seen} {mistake.message}")
        if fraction and not 0 <= value <= 1:
            return not_yet(f"{seen} is no share: a share lies between 0 and 1.")
        if _rounded(value, true):
            decimals = math.ceil(-math.log10(within)) if 0 < within < 1 else 0
            return not_yet(
                f"{seen} is rounded too far: give {f'{decimals} decimals' if decimals else 'more digits'}."
            )
        return not_yet(f"{seen} {far.rstrip('.')}.")

    return judge


def whole_number(
    truth: Callable[[int], int],
    *,
    mistakes: Callable[[int], Sequence[Mistake]] | None = None,
    what: str = "whole number",
    far: str = "is not it",
    well: str = "",
) -> Judge:
    """Judge a whole number, exactly; 9 and 9.0 are the same."""
    exact = number(truth, within=0.0, mistakes=mistakes, far=far, well=well)

    def judge(answer: object, seed: int) -> Outcome:
        value = read_number(answer)
        if isinstance(value, Outcome):
            return value
        if not value.is_integer():
            return not_yet(f"Your answer {shown(value)} is no {what}: that is a whole number.")
        return exact(value, seed)

    return judge


# --- choices ---------------------------------------------------------------------------------------------


def one_word(answer: object) -> str | None:
    """Read one text, also from a list, array or Series of length 1; None if it is none."""
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    if isinstance(answer, (list, tuple, set)) and len(answer) == 1:
        (answer,) = answer
    return str(answer) if isinstance(answer, str) else None


def items(answer: object) -> list[Any] | None:
    """Read several values from a list, set, array, Series or the values of a dict; None if it holds none."""
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    if isinstance(answer, Mapping):
        return list(answer.values())
    text = isinstance(answer, (str, bytes))
    return list(answer) if not text and hasattr(answer, "__len__") and hasattr(answer, "__iter__") else None


def _plain(word: str) -> str:
    """Give a word without what does not matter: capitals, and which of space, `_` and `-` parts it."""
    return re.sub(r"[\s_-]+", " ", word.strip().casefold())


def choice(truth: Callable[[int], str], options: Mapping[str, str], *, well: str = "") -> Judge:
    """Judge a choice among named options; capitals, spaces, `_` and `-` do not matter."""
    known = {_plain(option): option for option in options}

    def judge(answer: object, seed: int) -> Outcome:
        names = ", ".join(repr(option) for option in options)
        word = one_word(answer)
        if word is None:
            return not_yet(f"Your answer is {a_kind(answer)}: write one of {names}, in quotes.")
        option = known.get(_plain(word))
        if option is None:
            return not_yet(f"Your answer {word!r} is not among the choices: {names}.")
        if option == truth(seed):
            return right(well)
        return not_yet(f"Your answer {option!r} {options[option]}")

    return judge


# --- functions -------------------------------------------------------------------------------------------


class Trial(NamedTuple):
    """A hidden call of a student's function: its arguments, what it must return, and what it is about."""

    arguments: tuple[object, ...]
    expected: object
    about: str


def a_kind(value: object) -> str:
    """Name the kind of a value, and of a container how many values it holds."""
    kind = type(value).__name__
    kind = f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return kind
    size = getattr(value, "size", None)  # an array of no dimension has a size and no length
    size = size if isinstance(size, int) else len(value)
    return kind if size == 1 else f"{kind} of {size} values"


def no_function(answer: object) -> Outcome:
    """Refuse what is no function."""
    kind = a_kind(answer)
    return not_yet(f"Your answer is {kind}: give the function itself, without brackets.")


def called(answer: Any, about: str, *arguments: object) -> Any:
    """Call a student's function; an Outcome says why there is no result."""
    if not callable(answer):
        return no_function(answer)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # such as numpy's, for the mean of nothing
            return answer(*arguments)
    except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
        return not_yet(f"For {about} your function stopped: {told(error)}.")


def called_number(answer: Any, about: str, *arguments: object) -> float | Outcome:
    """Call a student's function that must return one number; an Outcome says why there is none."""
    got = called(answer, about, *arguments)
    if got is None:
        return not_yet(f"For {about} your function returned None: does it end with `return ...`?")
    value = got if isinstance(got, Outcome) else read_number(got)
    if isinstance(value, Outcome) and value is not got:
        seen = _seen_kind(got) if isinstance(_read(got), Outcome) else shown(math.nan)
        return not_yet(f"For {about} your function returned {seen}: one number is asked for.")
    return value


def same(got: Any, expected: Any) -> bool:
    """Compare what was returned with what is right, by the latter's kind; any fitting container will do."""
    try:
        return _same(got, expected)
    except Exception:  # noqa: BLE001  an object of the student's can fail at any comparison
        return False


def _same(got: Any, expected: Any) -> bool:
    if expected is None or isinstance(expected, (bool, np.bool_)):
        return type(got) in {type(None), bool, np.bool_} and bool(got == expected)
    if isinstance(expected, str):
        word = one_word(got)
        return word is not None and _plain(word) == _plain(expected)
    if isinstance(expected, Mapping):
        found = got.to_dict() if hasattr(got, "to_dict") else got
        fits = isinstance(found, Mapping) and found.keys() == expected.keys()
        return fits and all(_same(found[key], value) for key, value in expected.items())
    if isinstance(expected, (set, frozenset)):
        return not isinstance(got, str) and set(got) == expected
    if _is_number(expected):
        value = _read(got)
        return not isinstance(value, Outcome) and _close(value, expected, got)
    if isinstance(got, (Mapping, set, frozenset, str)):
        return False
    if all(map(_is_number, expected)):
        values = np.asarray(got).astype(float).ravel()
        return len(values) == len(expected) and _close(values, np.asarray(expected, dtype=float), got)
    found = list(got)
    return len(found) == len(expected) and all(map(_same, found, expected))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _close(values: Any, expected: Any, got: object) -> bool:
    relative, absolute = _precision(got)
    return bool(np.isclose(values, expected, rtol=relative, atol=absolute, equal_nan=True).all())


def _wrong_kind(got: Any, expected: Any) -> bool:
    """Tell whether another kind of value was returned than the one that is asked for."""
    if got is None or isinstance(got, (bool, np.bool_)):
        return not (expected is None or isinstance(expected, (bool, np.bool_)))
    if _is_number(expected):
        return isinstance(_read(got), Outcome)
    if isinstance(expected, str):
        return one_word(got) is None
    if isinstance(expected, Mapping):
        return not (isinstance(got, Mapping) or hasattr(got, "to_dict"))
    if expected is None or isinstance(expected, (set, frozenset)):
        return isinstance(got, (str, bytes)) or not hasattr(got, "__iter__")
    return isinstance(got, (Mapping, set, frozenset, str, bytes)) or (
        not hasattr(got, "__iter__") and not _is_number(got)
    )


def _wanted(expected: Any) -> str:
    """Say what kind of value is asked for."""
    if _is_number(expected):
        return "one number is asked for"
    if isinstance(expected, str):
        return "one word is asked for"
    if isinstance(expected, Mapping):
        return "a dictionary is asked for"
    if isinstance(expected, (set, frozenset)):
        return "a set or a list is asked for"
    if isinstance(expected, (bool, np.bool_)) or expected is None:
        return f"{'None' if expected is None else 'True or False'} is asked for"
    return "a list is asked for"


def _seen(value: object) -> str:
    """Show a value in a few words, without an address."""
    if _is_number(value):
        return shown(float(value))  # type: ignore[arg-type]
    text = re.sub(r"np\.\w+\(([^()]*)\)", r"\1", " ".join(repr(value).split()))  # np.float64(0.5) is 0.5
    return text if len(text) <= 60 and " at 0x" not in text else a_kind(value)


def _seen_kind(value: object) -> str:
    """Show a value of which the kind is wrong."""
    if isinstance(value, str):
        return f"the text {_seen(value)}"
    if value is None or isinstance(value, (bool, np.bool_)):
        return str(value)
    return shown(float(value)) if _is_number(value) else a_kind(value)  # type: ignore[arg-type]


def _wrong_value(value: Any, expected: Any, wanted: str = "") -> str:
    """Say what was returned and what is wrong with it; an empty text if it is right."""
    if same(value, expected):
        return ""
    if _wrong_kind(value, expected):
        return f"{_seen_kind(value)}: {wanted or _wanted(expected)}"
    if not _is_number(expected):
        return _seen(value) + _NOT_RIGHT
    return _digits(float(_read(value)), float(expected)) + _NOT_RIGHT  # type: ignore[arg-type]


@dataclass(frozen=True)
class FunctionJudge:
    """A judge that calls a function on hidden trials; any code that returns the right values is right.

    Where it is wrong, the known mistake that explains all it returned is named, else the first wrong trial.

    Parameters
    ----------
    trials
        Takes the seed; they must tell the mistakes from each other and from what is right.
    mistakes
        Mistaken functions, each with what to say: it follows "your function returned 0.3:".
    wanted
        What is asked for, said of a value of another kind.
    problem
        Says what is wrong with a returned value, given what is expected, `_wrong_value` by default.
    well
        Said of a right function.
    """

    trials: Callable[[int], Sequence[Trial]]
    mistakes: Sequence[Mistake] = ()
    wanted: str = ""
    problem: Callable[[Any, Any], str] | None = None
    well: str = ""

    def __call__(self, answer: object, seed: int) -> Outcome:
        """Try a function on every trial, and judge what it returned."""
        if not callable(answer):
            return no_function(answer)
        trials = self.trials(seed)
        got = [called(answer, trial.about, *copy.deepcopy(trial.arguments)) for trial in trials]
        problems = [self._problem(value, trial.expected) for value, trial in zip(got, trials, strict=True)]
        wrong = [place for place, problem in enumerate(problems) if problem]
        if not wrong:
            return right(self.well)
        others = [place for place in wrong if self._other_kind(got[place], trials[place].expected)]
        first = (others or wrong)[0]
        why = "" if others else self._explained(got, trials, first)
        if isinstance(got[first], Outcome):
            return not_yet(f"{got[first].message} {why[:1].upper()}{why[1:]}".rstrip())
        said = f"For {trials[first].about} your function returned"
        if others and got[first] is None:
            nothing = all(value is None for value in got)
            end = "does it end with `return ...`?" if nothing else "return something in every case."
            return not_yet(f"{said} None: {end}")
        problem = problems[first]
        return not_yet(f"{said} {problem.removesuffix(_NOT_RIGHT)}: {why}" if why else f"{said} {problem}.")

    def _problem(self, value: Any, expected: Any) -> str:
        if isinstance(value, Outcome):
            return value.message
        return self.problem(value, expected) if self.problem else _wrong_value(value, expected, self.wanted)

    def _other_kind(self, value: Any, expected: Any) -> bool:
        return not isinstance(value, Outcome) and not self.problem and _wrong_kind(value, expected)

    def _explained(self, got: Sequence[Any], trials: Sequence[Trial], first: int) -> str:
        """Say which mistake returns the same wherever the student's function returns something."""
        answered = [place for place, value in enumerate(got) if not isinstance(value, Outcome)]
        if len(answered) < min(2, len(trials)):
            return ""
        for mistake in self.mistakes:
            made = [called(mistake.answer, trial.about, *trial.arguments) for trial in trials]
            if first not in answered and not isinstance(made[first], Outcome):
                continue  # it answers where the student's function stops
            if all(same(got[place], made[place]) for place in answered):
                return mistake.message
        if all(_is_number(trial.expected) for trial in trials) and first in answered:
            return _spoilt([got[place] for place in answered], [trials[place].expected for place in answered])
        return ""


def _spoilt(got: Sequence[Any], expected: Sequence[Any]) -> str:
    """Say whether numbers are right but for their unit or their digits."""
    pairs = list(zip(got, map(float, expected), strict=True))
    if all(0 <= true <= 1 and same(value, 100 * true) for value, true in pairs):
        return "that is in percent: give a share between 0 and 1."
    if any(all(same(value, round(true, places)) for value, true in pairs) for places in range(7)):
        return "that is rounded: return the number as it comes out."
    return ""

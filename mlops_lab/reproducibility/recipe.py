"""A pipeline as a file: which steps, in which order, with which settings, and a digest that names it.

The file is JSON, so that Git shows what changed in it. It holds no code and no trained values: the same file
and the same data give the same model again.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mlops_lab import artifacts

__all__ = ["Recipe", "Step"]


@dataclass(frozen=True)
class Step:
    """One step of a recipe: a scikit-learn class and its settings.

    Parameters
    ----------
    use
        The class with its module, such as ``"sklearn.preprocessing.StandardScaler"``.
    settings
        Its parameters by name, as far as they are not the defaults: what JSON can hold.

    Raises
    ------
    ValueError
        If the class is none of scikit-learn's estimators, has no such parameter, or a setting is not plain.

    Examples
    --------
    >>> Step("sklearn.preprocessing.StandardScaler", {"with_mean": False}).make()
    StandardScaler(with_mean=False)

    Taught in notebooks/05_reproducibility.ipynb.
    """

    use: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = sorted(_class(self.use)().get_params(deep=False))
        unknown = sorted(set(self.settings) - set(known))
        if unknown:
            raise ValueError(f"{self.use} has no setting {unknown[0]!r}; it has {', '.join(known)}")
        try:
            plain = json.loads(json.dumps(dict(self.settings), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ValueError(f"settings of {self.use}: {error}; a recipe holds what JSON can hold") from error
        object.__setattr__(self, "settings", MappingProxyType(plain))

    def make(self) -> Any:
        """Make the step, not fitted."""
        return _class(self.use)(**self.settings)


@dataclass(frozen=True)
class Recipe:
    """An ordered list of named steps that can be written, read, named by its digest, and built.

    It answers which steps in which order made a model. It cannot promise the same bits on another machine or
    with other versions of the libraries: keep those beside it, as lesson 04 does. It misleads where work is
    done outside of it, in a notebook cell before the split.

    Parameters
    ----------
    steps
        Name of each step -> `Step`, in the order in which they run; the last one is the model.

    Raises
    ------
    ValueError
        If there is no step, or a name is none for scikit-learn (empty, or with two underscores).

    Examples
    --------
    >>> recipe = Recipe.read('''{"steps": [
    ...     {"name": "scale", "use": "sklearn.preprocessing.StandardScaler"},
    ...     {"name": "model", "use": "sklearn.linear_model.LogisticRegression", "settings": {"C": 0.5}}]}''')
    >>> recipe.build().steps
    [('scale', StandardScaler()), ('model', LogisticRegression(C=0.5))]
    >>> Recipe.read(recipe.text()) == recipe, len(recipe.digest)
    (True, 64)

    Taught in notebooks/05_reproducibility.ipynb.
    """

    steps: Mapping[str, Step]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a recipe without steps makes nothing: give at least the model")
        bad = [name for name in self.steps if not name or "__" in name or not name.isprintable()]
        if bad:
            raise ValueError(f"a step cannot be called {bad[0]!r}: a name is not empty and holds no '__'")
        object.__setattr__(self, "steps", MappingProxyType(dict(self.steps)))

    def __eq__(self, other: object) -> bool:
        return self.text() == other.text() if isinstance(other, Recipe) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text())

    @classmethod
    def of(cls, pipeline: Any) -> Recipe:
        """Write down a pipeline that exists: its classes, and the settings that are not the defaults.

        Parameters
        ----------
        pipeline
            A scikit-learn Pipeline of plain steps.

        Raises
        ------
        ValueError
            If it is no Pipeline, or a step is not scikit-learn's own.
        """
        if not hasattr(pipeline, "named_steps"):
            raise ValueError(f"a {type(pipeline).__name__} is no Pipeline; make one by make_pipeline(...)")
        return cls({name: _step(name, made) for name, made in pipeline.steps})

    @classmethod
    def read(cls, source: str | Path) -> Recipe:
        """Read a recipe from a file, or from its text.

        Parameters
        ----------
        source
            A path, or the JSON itself.

        Raises
        ------
        ValueError
            If it is no JSON, has another form, or two steps share a name.
        """
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        try:
            held = json.loads(text)
        except ValueError as error:
            raise ValueError(f"this recipe is no JSON: {error}") from error
        form = '{"steps": [{"name": ..., "use": ..., "settings": {...}}, ...]}'
        if not isinstance(held, dict) or set(held) != {"steps"} or not isinstance(held["steps"], list):
            given = (
                type(held).__name__
                if not isinstance(held, dict)
                else f"one with {', '.join(held) or 'nothing'}"
            )
            raise ValueError(
                f"a recipe is {form}, not a {given}"
                if given == "list"
                else f"a recipe is {form}, not {given}"
            )
        steps: dict[str, Step] = {}
        for number, each in enumerate(held["steps"], start=1):
            if not isinstance(each, dict) or not {"name", "use"} <= set(each) <= {"name", "use", "settings"}:
                raise ValueError(
                    f"step {number} must have name and use, and may have settings; it is {each!r}"
                )
            if each["name"] in steps:
                raise ValueError(f"two steps are called {each['name']!r}: rename one")
            steps[str(each["name"])] = Step(str(each["use"]), each.get("settings", {}))
        return cls(steps)

    def text(self) -> str:
        """Give the recipe as JSON: the order of the steps as it is, the settings of each sorted by name."""
        lines = []
        for name, step in self.steps.items():
            held: dict[str, Any] = {"name": name, "use": step.use}
            if step.settings:
                held["settings"] = dict(sorted(step.settings.items()))
            lines.append("  " + json.dumps(held, ensure_ascii=False))
        return '{\n "steps": [\n' + ",\n".join(lines) + "\n ]\n}\n"

    @property
    def digest(self) -> str:
        """The SHA-256 of the text: another order or another setting gives another digest."""
        return hashlib.sha256(self.text().encode("utf-8")).hexdigest()

    def write(self, path: Path) -> str:
        """Write the recipe to a file, whole or not at all.

        Parameters
        ----------
        path
            Where to.
        """
        artifacts.atomic_write(path, self.text())
        return self.digest

    def build(self) -> Any:
        """Make the pipeline, not fitted."""
        from sklearn.pipeline import Pipeline

        return Pipeline([(name, step.make()) for name, step in self.steps.items()])


def _class(use: str) -> Any:
    """Find an estimator's class; nothing but scikit-learn is ever imported."""
    from sklearn.base import BaseEstimator

    module, _, name = use.rpartition(".")
    if module.split(".")[0] != "sklearn":
        raise ValueError(
            f"{use!r} is not scikit-learn's; a recipe names its classes, such as sklearn.svm.SVC"
        )
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"there is no {use!r} in this scikit-learn: {error}") from error
    if not isinstance(found, type) or not issubclass(found, BaseEstimator):
        raise ValueError(f"{use!r} is no estimator")
    try:
        found()
    except TypeError as error:
        raise ValueError(f"{use!r} cannot be made from plain settings: {error}") from error
    return found


def _step(name: str, made: Any) -> Step:
    kind = type(made)
    public = [part for part in kind.__module__.split(".") if not part.startswith("_")]
    use = ".".join([*public, kind.__name__])
    if _class(use) is not kind:
        raise ValueError(f"step {name!r} is a {kind.__name__}, which has no public name in scikit-learn")
    usual = kind().get_params(deep=False)
    changed: Sequence[tuple[str, Any]] = [
        (key, value) for key, value in made.get_params(deep=False).items() if not _alike(value, usual[key])
    ]
    return Step(use, dict(changed))


def _alike(one: Any, other: Any) -> bool:
    """Compare two settings; one that is not a number equals another."""
    return bool(one is other or (type(one) is type(other) and repr(one) == repr(other)))

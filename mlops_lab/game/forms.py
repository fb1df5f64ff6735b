"""The board's forms: fields for each action, its price before it is done, and a button that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_lab import reality

__all__ = ["Form", "forms", "whole"]

Read = Callable[[], dict[str, Any]]


@dataclass
class Form:
    """Fields for one action, and the button that does it.

    Parameters
    ----------
    action
        Its name in `reality.Project`.
    read
        Gives its arguments from the fields.
    box
        The widgets, button and price below the fields.
    button, price
        Two of them, for the board to use.
    versions
        The field that chooses a version, if there is one, and the choice that stands before the versions.
    """

    action: str
    read: Read
    box: Any
    button: Any
    price: Any
    versions: tuple[Any, list[tuple[str, str]]] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def whole(text: str) -> int | str | None:
    """Read a number that may be left out; what is none is handed on as it is, to be refused with its name."""
    try:
        return int(text.replace(",", "")) if text.strip() else None
    except ValueError:
        return text


def _money(text: str) -> float | str | None:
    try:
        return float(text.replace(",", "")) if text.strip() else None
    except ValueError:
        return text


def _form(
    action: str, label: str, fields: Mapping[str, Any], read: Read, *, about: str, versions: Any = None
) -> Form:
    import ipywidgets as widgets

    button = widgets.Button(
        description=label, button_style="primary", layout={"width": "auto", "min_width": "120px"}
    )
    price = widgets.HTML()
    wrapped = widgets.Layout(flex_flow="row wrap", align_items="center")
    words = widgets.HTML(f"<div style='line-height:1.35; margin-top:4px'>{about}</div>")
    row = widgets.HBox([button, price], layout={"align_items": "center"})
    box = widgets.VBox([words, widgets.HBox(list(fields.values()), layout=wrapped), row])
    return Form(action, read, box, button, price, versions, fields)


def _field(kind: str, name: str, value: Any, *, width: int = 190, **more: Any) -> Any:
    import ipywidgets as widgets

    layout = widgets.Layout(width=f"{width}px")
    style = {"description_width": "initial"}
    return getattr(widgets, kind)(value=value, description=name, layout=layout, style=style, **more)


def forms(scenario: reality.Scenario) -> dict[str, list[Form]]:
    """Make the forms of all actions, by the kind of action."""
    return {
        "Data": [_collect(scenario), _gold(scenario)],
        "Test": [_test()],
        "Labels": [_relabel(scenario)],
        "Train": [_train(scenario)],
        "Release": [_deploy("deploy", "Deploy"), _deploy("rollback", "Roll back"), _metric(scenario)],
        "Time": [_tick(), _finish()],
    }


def _which(scenario: reality.Scenario) -> dict[str, Any]:
    groups = [
        ("as they come", ""),
        *((group, group) for group in scenario.groups),
        ("both, as in nature", "all"),
    ]
    sources = [("the archive", "archive"), ("the last two weeks", "recent")]
    grades = [("any", ""), *((grade, grade) for grade in scenario.grades)]
    return {
        "source": _field("Dropdown", "from", "archive", options=sources, width=210),
        "group": _field("Dropdown", scenario.device, "", options=groups, width=235),
        "grade": _field("Dropdown", "grade", "", options=grades, width=160),
    }  # fmt: skip


def _values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read the fields; what is left out is left to the engine."""
    found = {name: each.value for name, each in fields.items()}
    if isinstance(found.get("n"), str):
        found["n"] = whole(found["n"])
    return {name: value for name, value in found.items() if value not in (None, "")}


def _collect(scenario: reality.Scenario) -> Form:
    fields = {
        "n": _field("Text", "how many", "600", width=140),
        **_which(scenario),
        "expert": _field("Checkbox", "an expert labels them", False, width=190, indent=False),
    }
    about = f"<b>Collect</b> labelled {scenario.items} to train on."
    return _form("collect", "Collect", fields, lambda: _values(fields), about=about)


def _gold(scenario: reality.Scenario) -> Form:
    fields = {"n": _field("Text", "how many", "100", width=140), **_which(scenario)}
    about = "<b>Gold</b>: an expert's labels, to measure every version with. They are not trained on."
    return _form("gold", "Buy gold", fields, lambda: _values(fields), about=about)


def _test() -> Form:
    symptoms = [
        ("labels: are too many wrong?", "labels"),
        ("class: is one grade hardly found?", "class"),
        ("recent: is it worse on new items?", "recent"),
        ("bias: does one group complain more?", "bias"),
        ("revenue: does it fall by itself?", "revenue"),
    ]
    version = _field("Dropdown", "version", "", options=[("the newest", "")], width=160)
    fields = {
        "symptom": _field("Dropdown", "test", "labels", options=symptoms, width=280),
        "n": _field("Text", "how many", "", placeholder="the usual", width=145),
        "version": version,
    }
    about = (
        "<b>Test</b> for a symptom; the test buys what it needs. Revenue takes two tests, six weeks apart."
    )
    return _form(
        "test", "Test", fields, lambda: _values(fields), about=about, versions=(version, [("the newest", "")])
    )


def _relabel(scenario: reality.Scenario) -> Form:
    choices = [("those that look wrong", "suspects"), ("any, at random", "random")]
    fields = {
        "n": _field("Text", "how many", "300", width=140),
        "choose": _field("Dropdown", "which", "suspects", options=choices, width=230),
    }
    about = "<b>Relabel</b>: an expert mends labels, and the graders get a guide. Train again afterwards."
    return _form("relabel", "Relabel", fields, lambda: _values(fields), about=about)


def _train(scenario: reality.Scenario) -> Form:
    boxes = {
        name: _field("Checkbox", name, name != scenario.device, width=110, indent=False)
        for name in (*scenario.features, scenario.device)
    }
    weight = _field("Text", "recent rows count times", "1", width=210)
    note = _field("Text", "note", "", placeholder="why", width=300)

    def read() -> dict[str, Any]:
        names = [name for name, box in boxes.items() if box.value]
        features = None if names == list(scenario.features) else names
        given = {"features": features, "recent_weight": whole(weight.value), "note": note.value or None}
        return {name: value for name, value in given.items() if value is not None}

    about = "<b>Train</b> a version on all data bought so far, reading these columns:"
    return _form("train", "Train", {**boxes, "weight": weight, "note": note}, read, about=about)


def _deploy(action: str, label: str) -> Form:
    version = _field("Dropdown", "version", "", options=[("choose one", "")], width=190)
    fields = {"version": version}
    about = {
        "deploy": "<b>Deploy</b> a version: it grades from now on.",
        "rollback": "<b>Roll back</b> to a version that is older than the live one.",
    }[action]
    read: Read = lambda: {"version": version.value}  # noqa: E731
    return _form(action, label, fields, read, about=about, versions=(version, [("choose one", "")]))


def _metric(scenario: reality.Scenario) -> Form:
    options = [("accuracy: the most likely grade", "accuracy"), ("money: the most money", "money")]
    name = _field("Dropdown", "metric", "accuracy", options=options, width=300)
    cost = _field("Text", "cost of a return", "", placeholder="estimated", width=205)

    def read() -> dict[str, Any]:
        given = {"name": name.value, "return_cost": _money(cost.value)}
        return {key: value for key, value in given.items() if value is not None}

    about = f"<b>Choose the metric</b> by which {scenario.items} are sent to channels."
    return _form("choose_metric", "Choose", {"metric": name, "return_cost": cost}, read, about=about)


def _tick() -> Form:
    days = _field("Text", "days", "7", width=110)
    pager = _field("Checkbox", "the phone is on at night", True, width=210, indent=False)
    read: Read = lambda: {"days": whole(days.value) or 0, "pager": pager.value}  # noqa: E731
    about = "<b>Let time pass</b>: what is live grades, week by week."
    return _form("tick", "Let time pass", {"days": days, "pager": pager}, read, about=about)


def _finish() -> Form:
    about = "<b>Finish</b>: let the rest of the season pass with the phone off, and open the books."
    return _form("finish", "Finish the season", {}, dict, about=about)

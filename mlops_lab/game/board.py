"""Lesson 13's board: a season of expectation and reality, played with buttons in a live notebook.

In a proof there is no board: a game is played again from its log, and shown as one picture and text, the same
on every machine. Left out: what an action does (`reality`), and its words (narration.py).
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_lab import plots, reality
from mlops_lab.game import narration
from mlops_lab.game.scores import FinalScore, example_game, final_score
from mlops_lab.game.session import Answer, GameSession, file_name
from mlops_lab.lesson import cards
from mlops_lab.lesson.outputs import strict
from mlops_lab.lesson.show import picture

__all__ = ["reality_board"]


def reality_board(
    scenario: reality.Scenario | str | Path = "orchard",
    seed: int = 0,
    path: str | Path | None = None,
    *,
    example: str = "lecture",
) -> Any:
    """Give a board on which a season is played; in a proof, a game played again from its log.

    It answers: what comes of *my* way to run the project? Each action shows its price before it is done, and
    is kept in a log at once, from which the game goes on another day. It needs a live kernel.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file.
    seed
        Picks the luck.
    path
        The log; if it is there, the game goes on from it. None is a file of the working folder that is named
        after scenario and seed.
    example
        The policy whose game stands in a proof where `path` names no file: replayed from the log that the kit
        keeps of it, or played where it keeps none.

    Returns
    -------
        An ipywidgets box, to be shown as the last line of a cell; in strict mode a `ReplayedGame`.

    Raises
    ------
    ValueError
        If the file is no log, or the log of another game; it is left as it is.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict("os.environ", MLOPS_LAB_STRICT="1"):
    ...     played = reality_board(reality.Scenario(weeks=18, volume=200), example="rule_card")
    Figure: Weeks 4 to 17, graded by v0. ...
    >>> played.season.over, round(played.score, 2) == played.score
    (True, False)

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if strict():
        return _proof(scenario, seed, path, example)
    known = scenario if isinstance(scenario, reality.Scenario) else reality.load_scenario(scenario)
    return Board(GameSession(known, seed, Path(file_name(known, seed)) if path is None else path)).box


class ReplayedGame:
    """A game as a proof shows it: where it stands, its weeks, and the score if the season is over.

    Parameters
    ----------
    season
        The game.
    """

    def __init__(self, season: reality.Season) -> None:
        self.season = season
        self.final: FinalScore | None = final_score(season) if season.over else None

    @property
    def score(self) -> float | None:
        """Its score; None while the season lasts."""
        return self.final.yours.score if self.final else None

    def __repr__(self) -> str:
        scenario = self.season.scenario
        lines = [f"{scenario.title}, seed {self.season.seed}: a game of {len(self.season.actions)} actions"]
        lines += [f"  {name}: {value}" for name, value in narration.situation(self.season)]
        lines += ["", narration.diary(self.season)]
        if self.final is not None:
            lines += ["", narration.score_table(self.final)]
        return "\n".join(lines)


def _proof(
    scenario: reality.Scenario | str | Path, seed: int, path: str | Path | None, example: str
) -> ReplayedGame:
    if path is not None and Path(path).exists():
        season = GameSession(scenario, seed, path).game
    elif example in reality.POLICIES and example != "oracle":
        known = scenario if isinstance(scenario, reality.Scenario) else reality.load_scenario(scenario)
        season = example_game(known, seed, example)
    else:
        playable = ", ".join(name for name in reality.POLICIES if name != "oracle")
        raise ValueError(f"example={example!r} is no policy that a player can play; there are {playable}")
    ax = narration.draw_weeks(season)
    picture(ax, narration.describe_weeks(season), id="reality.timeline")
    return ReplayedGame(season)


# ---------------------------------------------------------------- a form for each action

_Read = Callable[[], dict[str, Any]]


@dataclass
class _Form:
    """Fields for one action, and the button that does it.

    Parameters
    ----------
    action
        Its name in `reality.Season`.
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
    read: _Read
    box: Any
    button: Any
    price: Any
    versions: tuple[Any, list[tuple[str, str]]] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def _whole(text: str) -> int | str | None:
    """Read a number that may be left out; what is none is handed on as it is, to be refused by its name."""
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
    action: str, label: str, fields: Mapping[str, Any], read: _Read, *, about: str, versions: Any = None
) -> _Form:
    import ipywidgets as widgets

    button = widgets.Button(
        description=label, button_style="primary", layout={"width": "auto", "min_width": "120px"}
    )
    price = widgets.HTML()
    wrapped = widgets.Layout(flex_flow="row wrap", align_items="center")
    words = widgets.HTML(f"<div style='line-height:1.35; margin-top:4px'>{about}</div>")
    row = widgets.HBox([button, price], layout={"align_items": "center"})
    box = widgets.VBox([words, widgets.HBox(list(fields.values()), layout=wrapped), row])
    return _Form(action, read, box, button, price, versions, fields)


def _field(kind: str, name: str, value: Any, *, width: int = 190, **more: Any) -> Any:
    import ipywidgets as widgets

    layout = widgets.Layout(width=f"{width}px")
    style = {"description_width": "initial"}
    return getattr(widgets, kind)(value=value, description=name, layout=layout, style=style, **more)


def _forms(scenario: reality.Scenario) -> dict[str, list[_Form]]:
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
    """_Read the fields; what is left out is left to the engine."""
    found = {name: each.value for name, each in fields.items()}
    if isinstance(found.get("n"), str):
        found["n"] = _whole(found["n"])
    return {name: value for name, value in found.items() if value not in (None, "")}


def _collect(scenario: reality.Scenario) -> _Form:
    fields = {
        "n": _field("Text", "how many", "600", width=140),
        **_which(scenario),
        "expert": _field("Checkbox", "an expert labels them", False, width=190, indent=False),
    }
    about = f"<b>Collect</b> labelled {scenario.items} to train on."
    return _form("collect", "Collect", fields, lambda: _values(fields), about=about)


def _gold(scenario: reality.Scenario) -> _Form:
    fields = {"n": _field("Text", "how many", "100", width=140), **_which(scenario)}
    about = "<b>Gold</b>: an expert's labels, to measure every version with. They are not trained on."
    return _form("gold", "Buy gold", fields, lambda: _values(fields), about=about)


def _test() -> _Form:
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


def _relabel(scenario: reality.Scenario) -> _Form:
    choices = [("those that look wrong", "suspects"), ("any, at random", "random")]
    fields = {
        "n": _field("Text", "how many", "300", width=140),
        "choose": _field("Dropdown", "which", "suspects", options=choices, width=230),
    }
    about = "<b>Relabel</b>: an expert mends labels, and the graders get a guide. Train again afterwards."
    return _form("relabel", "Relabel", fields, lambda: _values(fields), about=about)


def _train(scenario: reality.Scenario) -> _Form:
    boxes = {
        name: _field("Checkbox", name, name != scenario.device, width=110, indent=False)
        for name in (*scenario.features, scenario.device)
    }
    weight = _field("Text", "recent rows count times", "1", width=210)
    note = _field("Text", "note", "", placeholder="why", width=300)

    def read() -> dict[str, Any]:
        names = [name for name, box in boxes.items() if box.value]
        features = None if names == list(scenario.features) else names
        given = {"features": features, "recent_weight": _whole(weight.value), "note": note.value or None}
        return {name: value for name, value in given.items() if value is not None}

    about = "<b>Train</b> a version on all data bought so far, reading these columns:"
    return _form("train", "Train", {**boxes, "weight": weight, "note": note}, read, about=about)


def _deploy(action: str, label: str) -> _Form:
    version = _field("Dropdown", "version", "", options=[("choose one", "")], width=190)
    fields = {"version": version}
    about = {
        "deploy": "<b>Deploy</b> a version: it grades from now on.",
        "rollback": "<b>Roll back</b> to a version that is older than the live one.",
    }[action]
    read: _Read = lambda: {"version": version.value}  # noqa: E731
    return _form(action, label, fields, read, about=about, versions=(version, [("choose one", "")]))


def _metric(scenario: reality.Scenario) -> _Form:
    options = [("accuracy: the most likely grade", "accuracy"), ("money: the most money", "money")]
    name = _field("Dropdown", "metric", "accuracy", options=options, width=300)
    cost = _field("Text", "cost of a return", "", placeholder="estimated", width=205)

    def read() -> dict[str, Any]:
        given = {"name": name.value, "return_cost": _money(cost.value)}
        return {key: value for key, value in given.items() if value is not None}

    about = f"<b>Choose the metric</b> by which {scenario.items} are sent to channels."
    return _form("choose_metric", "Choose", {"metric": name, "return_cost": cost}, read, about=about)


def _tick() -> _Form:
    days = _field("Text", "days", "7", width=110)
    pager = _field("Checkbox", "the phone is on at night", True, width=210, indent=False)
    read: _Read = lambda: {"days": _whole(days.value) or 0, "pager": pager.value}  # noqa: E731
    about = "<b>Let time pass</b>: what is live grades, week by week."
    return _form("tick", "Let time pass", {"days": days, "pager": pager}, read, about=about)


def _finish() -> _Form:
    about = "<b>Finish</b>: let the rest of the season pass with the phone off, and open the books."
    return _form("finish", "Finish the season", {}, dict, about=about)


# ---------------------------------------------------------------- the board


class Board:
    """The widgets of one game, wired to its session.

    Parameters
    ----------
    session
        The game.
    """

    def __init__(self, session: GameSession) -> None:
        self.session, self.busy, self.sure = session, False, False
        self.forms = _forms(session.game.scenario)
        self._drawn: tuple[int, ...] = ()
        self._make_widgets()
        self._lay_out()
        self._wire()
        begun = f"The game goes on from {session.path.name}." if session.game.actions and session.path else ""
        self._say("tell", begun or session.game.scenario.story["expectation"])
        self.refresh()

    def _make_widgets(self) -> None:
        import ipywidgets as widgets

        self.figures, self.message, self.page, self.tested = (widgets.HTML() for _ in range(4))
        self.weeks, self.score, self.diary = (widgets.HTML() for _ in range(3))
        thin = {"width": "100%", "visibility": "hidden", "height": "8px"}
        self.bar = widgets.FloatProgress(min=0, max=1, layout=thin)
        self.kind = widgets.ToggleButtons(
            options=list(self.forms), style={"button_width": "104px"}, layout={"margin": "4px 0"}
        )
        self.older = widgets.Dropdown(
            description="version", layout={"width": "160px"}, style={"description_width": "initial"}
        )
        self.look = widgets.Button(description="Look at the log", button_style="primary")
        self.back = widgets.Button(description="Roll back now", button_style="warning")
        self.sleep = widgets.Button(description="Go back to sleep")
        self.books = widgets.Button(description="Open the books", button_style="primary")
        self.new = widgets.Button(
            description="New game", layout={"width": "auto", "align_self": "flex-start"}
        )

    def _lay_out(self) -> None:
        import ipywidgets as widgets

        scenario = self.session.game.scenario
        self.form = widgets.VBox(layout={"width": "600px", "min_height": "150px"})
        answers = (self.look, self.back, self.older, self.sleep)
        self.answers = widgets.HBox(answers, layout={"flex_flow": "row wrap"})
        play = widgets.HBox([self.form, self.tested], layout={"align_items": "flex-start"})
        self.play_box = widgets.VBox([self.kind, play])
        above, below = widgets.HTML(_opening(scenario)), widgets.HTML(_price_list(scenario))
        self.box = widgets.VBox(
            [above, self.figures, self.bar, self.message, self.page, self.answers, self.play_box,
             self.books, self.score, self.weeks, self.diary, below, self.new],
            layout={"max_width": "980px"},
        )  # fmt: skip

    def _wire(self) -> None:
        self.kind.observe(lambda _: self._turn(), names="value")
        for form in self._all():
            form.button.on_click(lambda _, form=form: self.act(form.action, **form.read()))
            for each in form.fields.values():
                each.observe(lambda _, form=form: self._quote(form), names="value")
        self.look.on_click(lambda _: self.act("test", symptom="bias"))
        self.back.on_click(lambda _: self.act("rollback", version=self.older.value))
        self.sleep.on_click(lambda _: self._show(self.session.sleep()))
        self.books.on_click(lambda _: self.judge())
        self.new.on_click(lambda _: self._again())

    def _all(self) -> list[_Form]:
        return [form for each in self.forms.values() for form in each]

    # ------------------------------------------------------------ what the player does

    def act(self, action: str, **given: Any) -> None:
        """Do one action and show what came of it; while it is done, the buttons are off."""
        if self.busy:
            return
        self._work(True, f"{action.replace('_', ' ')} …")
        try:
            answer = self.session.do(action, progress=self._progress, **given)
        except KeyboardInterrupt:
            answer = Answer(False, "Stopped. What was not finished has not happened.")
        finally:
            self._work(False)
        self._show(answer)
        if answer.done and self.session.game.over:
            self.judge()

    def judge(self) -> None:
        """Open the books of a season that is over."""
        self._work(True, "The books are opened …")
        try:
            found = final_score(self.session.game, self._progress)
        finally:
            self._work(False)
        table = f"<pre style='line-height:1.35'>{html.escape(narration.score_table(found))}</pre>"
        self.score.value = (
            _image(narration.draw_score(found), "Net money of this game beside the others.") + table
        )
        self.books.layout.display = "none"
        mine, theirs = found.yours.score, found.beside["the lecture"].score
        said = f"The season is over. Your score is {mine:.2f}, the lecture's {theirs:.2f}."
        self._say("good" if mine > theirs else "tell", said)

    def _again(self) -> None:
        if not self.sure:
            self.sure, self.new.description = True, "Begin anew? The log is kept. Press again"
            return
        try:
            said = self.session.begin_again()
        except OSError as wrong:
            self._show(
                Answer(False, f"The old log cannot be put aside ({wrong.strerror}): nothing has changed.")
            )
            return
        self.score.value = self.tested.value = ""
        self._show(Answer(True, said))

    # ------------------------------------------------------------ what the board shows

    def _say(self, tone: str, text: str) -> None:
        self.message.value = (
            f"<div role='status'>{cards.card(tone, 'What happened', cards.paragraph(text))}</div>"
        )

    def _progress(self, doing: str, share: float) -> None:
        self.bar.value = share
        self._say("open", f"{doing} …")

    def _work(self, busy: bool, doing: str = "") -> None:
        """Switch all buttons off while something is done, and say what."""
        self.busy = busy
        self.bar.layout.visibility = "visible" if busy else "hidden"
        self.bar.value = 0.0
        for button in (
            self.look,
            self.back,
            self.sleep,
            self.books,
            self.new,
            *(f.button for f in self._all()),
        ):
            button.disabled = busy
        if doing:
            self._say("open", doing)

    def _show(self, answer: Answer) -> None:
        self.sure, self.new.description = False, "New game"
        alarm = answer.report is not None and answer.report.fired
        told = answer.words
        if answer.page is not None and self.session.ringing is not None:  # the page itself stands below
            told = f"The pager rings. {told.removeprefix(str(answer.page)).strip()}"
        self._say("bad" if not answer.done else "open" if alarm or answer.page else "tell", told)
        if answer.report is not None:
            self.tested.value = _image(narration.draw_test(answer.report), narration.found(answer.report))
        self.refresh()

    def refresh(self) -> None:
        """Show where the game stands now."""
        game, page = self.session.game, self.session.ringing
        self.figures.value = _figures(game)
        self.page.value = "" if page is None else _night(page, game.scenario)
        self.answers.layout.display = "none" if page is None else "flex"
        self.play_box.layout.display = "none" if page is not None or game.over else "flex"
        self.books.layout.display = "" if game.over and not self.score.value else "none"
        names = list(game.registry)
        older, chosen = names[: names.index(game.live)] or ["v0"], self.older.value
        self.older.options = older
        self.older.value = chosen if chosen in older else older[-1]
        for form in self._all():
            if form.versions is not None:
                chooser, first = form.versions
                before = chooser.value
                chooser.options = [*first, *((_title(game, name), name) for name in names)]
                chooser.value = before if before in names else ""
        self._draw()
        self._turn()

    def _draw(self) -> None:
        """Write the diary, and draw the weeks again where something that is drawn has changed."""
        game = self.session.game
        self.diary.value = _diary(game)
        marks = sum(entry["action"] in narration.MARKED for entry in game.actions)
        state = (len(game.weeks), marks, len(game.pages))
        if state != self._drawn:
            self._drawn = state
            self.weeks.value = (
                _image(narration.draw_weeks(game), narration.describe_weeks(game)) if game.weeks else ""
            )

    def _turn(self) -> None:
        """Turn to the forms of the kind that is chosen."""
        chosen = self.forms[self.kind.value]
        self.form.children = tuple(form.box for form in chosen)
        for form in chosen:
            self._quote(form)

    def _quote(self, form: _Form) -> None:
        given = form.read()
        nothing = form.action in ("deploy", "rollback") and not given["version"]
        said = "Choose a version." if nothing else self.session.cost(form.action, **given)
        form.price.value = f"<span style='line-height:1.3'>{html.escape(said)}</span>"


def _title(game: reality.Season, name: str) -> str:
    note = game.registry[name].note
    return f"{name}: {note}" if note else name


def _opening(scenario: reality.Scenario) -> str:
    return (
        f"<h3 style='margin:0.2em 0'>{html.escape(scenario.title)}</h3>"
        f"<p style='margin:0.2em 0; line-height:1.4'>{html.escape(scenario.story['opening'])}</p>"
    )


def _figures(game: reality.Season) -> str:
    edge = "border:1px solid var(--jp-border-color1, #bbb)"
    tile = f"display:inline-block; {edge}; padding:2px 10px; margin:2px 4px 2px 0"
    tiles = "".join(
        f"<span style='{tile}'><small>{html.escape(name)}</small><br><b>{html.escape(value)}</b></span>"
        for name, value in narration.situation(game)
    )
    return f"<div style='line-height:1.3'>{tiles}</div>"


def _night(page: reality.Page, scenario: reality.Scenario) -> str:
    return (
        "<div role='alert' style='background:#111; color:#fff; padding:12px 18px; line-height:1.5; "
        "max-width:46em'>"
        f"<span style='font-size:190%; font-family:monospace'>{page.clock}</span> &nbsp; the pager rings<br>"
        f"{html.escape(str(page))}<br><i>{html.escape(scenario.story['bias'])}</i><br>"
        "Answer it: the day does not go on before.</div>"
    )


def _image(ax: Any, alt: str) -> str:
    data = base64.b64encode(plots.png(ax)).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt, quote=True)}" '
        'style="max-width:100%; background:#fff">'
    )


def _price_list(scenario: reality.Scenario) -> str:
    rows = "".join(
        f"<tr><th style='text-align:left; padding-right:1em'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(said)}</td></tr>"
        for name, said in narration.prices(scenario)
    )
    summary = "<summary style='cursor:pointer'>The price list</summary>"
    return f"<details>{summary}<table style='line-height:1.35'>{rows}</table></details>"


def _diary(game: reality.Season) -> str:
    summary = "<summary style='cursor:pointer'>The season in words, week by week</summary>"
    text = html.escape(narration.diary(game))
    return f"<details>{summary}<pre style='line-height:1.3; font-size:12px'>{text}</pre></details>"

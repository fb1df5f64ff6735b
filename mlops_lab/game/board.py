"""Lesson 13's board: a season of expectation and reality, played with buttons in a live notebook.

In a proof there is no board: a game is played again from its log, and shown as one picture and text, the same
on every machine. Left out: what an action does (`reality`), and its words (reality_words.py).
"""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Any

from mlops_lab import plots, reality
from mlops_lab.game import narration as words
from mlops_lab.game import pictures
from mlops_lab.game.forms import Form, forms
from mlops_lab.game.session import Answer, Desk, Verdict, example_game, file_name, verdict
from mlops_lab.lesson import cards
from mlops_lab.lesson.outputs import strict
from mlops_lab.lesson.show import picture

__all__ = ["Board", "Played", "reality_board"]


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
        An ipywidgets box, to be shown as the last line of a cell; in strict mode a `Played`.

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
    >>> played.project.over, round(played.score, 2) == played.score
    (True, False)

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if strict():
        return _proof(scenario, seed, path, example)
    known = scenario if isinstance(scenario, reality.Scenario) else reality.load_scenario(scenario)
    return Board(Desk(known, seed, Path(file_name(known, seed)) if path is None else path)).box


class Played:
    """A game as a proof shows it: where it stands, its weeks, and the score if the season is over.

    Parameters
    ----------
    project
        The game.
    """

    def __init__(self, project: reality.Project) -> None:
        self.project = project
        self.verdict: Verdict | None = verdict(project) if project.over else None

    @property
    def story(self) -> reality.Story | None:
        """The game judged; None while the season lasts."""
        return self.verdict.story if self.verdict else None

    @property
    def score(self) -> float | None:
        """Its score; None while the season lasts."""
        return self.story.score if self.story else None

    def __repr__(self) -> str:
        scenario = self.project.scenario
        lines = [f"{scenario.title}, seed {self.project.seed}: a game of {len(self.project.actions)} actions"]
        lines += [f"  {name}: {value}" for name, value in words.situation(self.project)]
        lines += ["", words.timeline(self.project)]
        if self.verdict is not None:
            lines += ["", words.verdict_table(self.verdict)]
        return "\n".join(lines)


def _proof(
    scenario: reality.Scenario | str | Path, seed: int, path: str | Path | None, example: str
) -> Played:
    if path is not None and Path(path).exists():
        project = Desk(scenario, seed, path).game
    elif example in reality.POLICIES and example != "oracle":
        known = scenario if isinstance(scenario, reality.Scenario) else reality.load_scenario(scenario)
        project = example_game(known, seed, example)
    else:
        playable = ", ".join(name for name in reality.POLICIES if name != "oracle")
        raise ValueError(f"example={example!r} is no policy that a player can play; there are {playable}")
    ax = pictures.timeline(project)
    picture(ax, pictures.in_words(project), id="reality.timeline")
    return Played(project)


class Board:
    """The widgets of one game, wired to its desk.

    Parameters
    ----------
    desk
        The game.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.busy, self.sure = desk, False, False
        self.forms = forms(desk.game.scenario)
        self._drawn: tuple[int, ...] = ()
        self._make_widgets()
        self._lay_out()
        self._wire()
        begun = f"The game goes on from {desk.path.name}." if desk.game.actions and desk.path else ""
        self._say("tell", begun or desk.game.scenario.story["expectation"])
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

        scenario = self.desk.game.scenario
        self.form = widgets.VBox(layout={"width": "600px", "min_height": "150px"})
        answers = (self.look, self.back, self.older, self.sleep)
        self.answers = widgets.HBox(answers, layout={"flex_flow": "row wrap"})
        play = widgets.HBox([self.form, self.tested], layout={"align_items": "flex-start"})
        self.desk_box = widgets.VBox([self.kind, play])
        above, below = widgets.HTML(_opening(scenario)), widgets.HTML(_price_list(scenario))
        self.box = widgets.VBox(
            [above, self.figures, self.bar, self.message, self.page, self.answers, self.desk_box,
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
        self.sleep.on_click(lambda _: self._show(self.desk.sleep()))
        self.books.on_click(lambda _: self.judge())
        self.new.on_click(lambda _: self._again())

    def _all(self) -> list[Form]:
        return [form for each in self.forms.values() for form in each]

    # ------------------------------------------------------------ what the player does

    def act(self, action: str, **given: Any) -> None:
        """Do one action and show what came of it; while it is done, the buttons are off."""
        if self.busy:
            return
        self._work(True, f"{action.replace('_', ' ')} …")
        try:
            answer = self.desk.do(action, progress=self._progress, **given)
        except KeyboardInterrupt:
            answer = Answer(False, "Stopped. What was not finished has not happened.")
        finally:
            self._work(False)
        self._show(answer)
        if answer.done and self.desk.game.over:
            self.judge()

    def judge(self) -> None:
        """Open the books of a season that is over."""
        self._work(True, "The books are opened …")
        try:
            found = verdict(self.desk.game, self._progress)
        finally:
            self._work(False)
        table = f"<pre style='line-height:1.35'>{html.escape(words.verdict_table(found))}</pre>"
        self.score.value = _image(pictures.score(found), "Net money of this game beside the others.") + table
        self.books.layout.display = "none"
        mine, theirs = found.story.score, found.beside["the lecture"].score
        said = f"The season is over. Your score is {mine:.2f}, the lecture's {theirs:.2f}."
        self._say("good" if mine > theirs else "tell", said)

    def _again(self) -> None:
        if not self.sure:
            self.sure, self.new.description = True, "Begin anew? The log is kept. Press again"
            return
        try:
            said = self.desk.begin_again()
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
        if answer.page is not None and self.desk.ringing is not None:  # the page itself stands below
            told = f"The pager rings. {told.removeprefix(str(answer.page)).strip()}"
        self._say("bad" if not answer.done else "open" if alarm or answer.page else "tell", told)
        if answer.report is not None:
            self.tested.value = _image(pictures.comparison(answer.report), words.found(answer.report))
        self.refresh()

    def refresh(self) -> None:
        """Show where the game stands now."""
        game, page = self.desk.game, self.desk.ringing
        self.figures.value = _figures(game)
        self.page.value = "" if page is None else _night(page, game.scenario)
        self.answers.layout.display = "none" if page is None else "flex"
        self.desk_box.layout.display = "none" if page is not None or game.over else "flex"
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
        """Draw the weeks again where something that is drawn has changed."""
        game = self.desk.game
        state = (len(game.weeks), len(game.actions), len(game.pages))
        if state == self._drawn:
            return
        self._drawn = state
        self.weeks.value = _image(pictures.timeline(game), pictures.in_words(game)) if game.weeks else ""
        self.diary.value = _diary(game)

    def _turn(self) -> None:
        """Turn to the forms of the kind that is chosen."""
        chosen = self.forms[self.kind.value]
        self.form.children = tuple(form.box for form in chosen)
        for form in chosen:
            self._quote(form)

    def _quote(self, form: Form) -> None:
        given = form.read()
        nothing = form.action in ("deploy", "rollback") and not given["version"]
        said = "Choose a version." if nothing else self.desk.cost(form.action, **given)
        form.price.value = f"<span style='line-height:1.3'>{html.escape(said)}</span>"


def _title(game: reality.Project, name: str) -> str:
    note = game.registry[name].note
    return f"{name}: {note}" if note else name


def _opening(scenario: reality.Scenario) -> str:
    return (
        f"<h3 style='margin:0.2em 0'>{html.escape(scenario.title)}</h3>"
        f"<p style='margin:0.2em 0; line-height:1.4'>{html.escape(scenario.story['opening'])}</p>"
    )


def _figures(game: reality.Project) -> str:
    edge = "border:1px solid var(--jp-border-color1, #bbb)"
    tile = f"display:inline-block; {edge}; padding:2px 10px; margin:2px 4px 2px 0"
    tiles = "".join(
        f"<span style='{tile}'><small>{html.escape(name)}</small><br><b>{html.escape(value)}</b></span>"
        for name, value in words.situation(game)
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
        for name, said in words.prices(scenario)
    )
    summary = "<summary style='cursor:pointer'>The price list</summary>"
    return f"<details>{summary}<table style='line-height:1.35'>{rows}</table></details>"


def _diary(game: reality.Project) -> str:
    summary = "<summary style='cursor:pointer'>The season in words, week by week</summary>"
    text = html.escape(words.timeline(game))
    return f"<details>{summary}<pre style='line-height:1.3; font-size:12px'>{text}</pre></details>"

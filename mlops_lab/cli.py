"""The command line: what a student, an instructor or CI can ask for. No logic, only arguments.

`python -m mlops_lab` sets up what is missing first; the script `mlops-lab` does not.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mlops_lab.setup import bootstrap, environment, lessons

__all__ = ["main", "set_up_and_run"]

ROOT = Path(__file__).resolve().parents[1]

EXTRAS: Mapping[str, tuple[str, ...]] = {"test": ("test", "slides"), "slides": ("slides",)}
"""The extra packages that a command needs; all others need none."""

_INSTALL_NOTHING = (None, "doctor")
"""Commands that work where nothing is installed: help, and the doctor."""

_INTRODUCTION = """\
MLOps, measured on your own laptop: fifteen lessons, offline.

The first time, type
    python -m mlops_lab lab
It sets everything up (one to five minutes) and opens lesson 00 in your browser."""

_END = """\
A lesson is named by its number (7), its topic or its full name (07_monitoring_data).
Help on one command: python -m mlops_lab COMMAND --help. Something is wrong? python -m mlops_lab doctor"""


class _Parser(argparse.ArgumentParser):
    """A parser that names the nearest command when it does not know one."""

    commands: tuple[str, ...] = ()

    def error(self, message: str) -> NoReturn:
        if message.startswith("argument COMMAND: invalid choice: "):
            given = message.split("'")[1]
            near = difflib.get_close_matches(given, self.commands, n=1, cutoff=0.5)
            guess = f" Did you mean {near[0]}?" if near else ""
            message = f"there is no command {given!r}.{guess} There are: {', '.join(self.commands)}"
        self.exit(2, f"{self.prog}: {message}\nHelp: python -m mlops_lab --help\n")


def _lesson(root: Path) -> Callable[[str], str]:
    def lesson(given: str) -> str:
        try:
            return lessons.find(given, root)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return lesson


def _at_least(least: int, what: str) -> Callable[[str], int]:
    def number(given: str) -> int:
        if not given.removeprefix("-").isdecimal() or int(given) < least:
            raise argparse.ArgumentTypeError(f"{what} is a whole number from {least}; {given!r} was given")
        return int(given)

    return number


def _version(root: Path) -> str:
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"mlops_lab {project['version']}, Python {'.'.join(map(str, sys.version_info[:3]))}"


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *rest: object) -> None:
        print(_version(ROOT))
        parser.exit(0)


def parser(root: Path = ROOT) -> argparse.ArgumentParser:
    """Return the parser of the command line; lessons are looked up while arguments are read."""
    top = _Parser(
        prog="mlops_lab",
        description=_INTRODUCTION,
        epilog=_END,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)

    def command(name: str, what: str, handler: Callable[[argparse.Namespace, Path], int]) -> _Parser:
        made: _Parser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        made.set_defaults(handler=handler)
        return made

    lesson: dict[str, Any] = {"type": _lesson(root), "metavar": "LESSON"}
    some: dict[str, Any] = {**lesson, "nargs": "*", "help": "lessons, by default all"}
    seed: dict[str, Any] = {"type": _at_least(0, "a seed"), "default": 0, "metavar": "N"}

    lab = command("lab", "open the lessons in JupyterLab, your own copies, in the folder work/", _lab)
    lab.add_argument("lesson", nargs="?", help="lesson to open, by default 00", **lesson)
    lab.add_argument(
        "--no-browser", action="store_true", help="do not open a browser; the address is printed"
    )
    port = _at_least(1, "a port")
    lab.add_argument(
        "--port", type=port, metavar="N", help="port to listen on, by default the first free one from 8888"
    )
    test = command("test", "prove that the whole course works on this machine (10 to 25 minutes)", _test)
    test.add_argument("--quick", action="store_true", help="only the unit tests, a minute or two")
    command("doctor", "say what is wrong with this machine's set-up and how to mend it", _doctor)

    run = command("run", "run lessons without a browser and write an overview of their results", _run)
    run.add_argument("lessons", **some)
    run.add_argument("--seed", help="seed of the lessons' random numbers (0)", **seed)
    run.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the executed lessons, by default runs/"
    )
    verify = command("verify", "check the lessons' claims over many seeds", _verify)
    verify.add_argument("lessons", **some)
    seeds = _at_least(1, "the number of seeds")
    verify.add_argument("--seeds", type=seeds, default=20, metavar="N", help="check at N seeds (20)")
    verify.add_argument("--first", help="the first of them (0)", **seed)
    slides = command("slides", "build the lecture's slides, to be shown without a network", _slides)
    slides.add_argument("--pdf", action="store_true", help="also print them to slides.pdf, with Chromium")
    slides.add_argument("--open", action="store_true", help="show them in your browser")
    slides.add_argument("--to", type=Path, metavar="FOLDER", help="folder to write, by default build/slides")

    game = command("play", "play a season of expectation and reality (lesson 13) in this terminal", _play)
    game.add_argument("scenario", nargs="?", metavar="SCENARIO", help="orchard (the default), phones, a file")
    game.add_argument("--seed", **{**seed, "default": None}, help="seed of the season's luck (0)")
    game.add_argument("--log", type=Path, metavar="FILE", help="where the game is kept, or game_*.json")
    game.add_argument("--resume", action="store_true", help="go on with the game that is kept there")
    game.add_argument(
        "--leaderboard", type=Path, metavar="FOLDER", help="rank the games in a folder instead of playing"
    )

    check = command("check", "for authors: lint, run and compare lessons; store what is well", _check)
    check.add_argument("lessons", nargs="+", help="lessons", **lesson)
    check.add_argument("--read", action="store_true", help="also print each lesson as one page of text")
    validate = command("validate", "for authors: run lessons against their stored outputs, twice", _validate)
    validate.add_argument("lessons", **some)
    validate.add_argument("--cold", action="store_true", help="start every kernel from nothing")
    build = command("build", "for authors: derive students' copies from the sources and execute both", _build)
    build.add_argument("lessons", **some)
    lint = command("lint", "for authors: hold lessons against the rules for lessons", _lint)
    lint.add_argument("lessons", **some)
    new = command("new", "for authors: begin a lesson, with a scaffold that runs", _new)
    new.add_argument("name", metavar="NN_topic", help="number and topic, such as 15_my_topic")
    top.commands = tuple(commands.choices)
    return top


def _lab(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import workspace

    return workspace.lab(root, given.lesson, browser=not given.no_browser, port=given.port)


def _test(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import suite

    return suite.test(given.quick, root=root)


def _doctor(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.setup import doctor

    checks = doctor.examine(root)
    print(doctor.text(checks))
    return int(doctor.blocked(checks))


def _run(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import run

    return run.run(given.lessons, seed=given.seed, out=given.out, root=root)


def _verify(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import run

    return run.verify(given.lessons, seeds=given.seeds, first=given.first, root=root)


def _slides(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.slides import deck

    return deck.build(root, to=given.to, pdf=given.pdf, show=given.open)


def _play(given: argparse.Namespace, root: Path) -> int:
    if given.leaderboard is not None:
        from mlops_lab.game import leaderboard

        return leaderboard.main(given.leaderboard, scenario=given.scenario)
    from mlops_lab.game import terminal

    return terminal.play(given.scenario, seed=given.seed, log=given.log, resume=given.resume)


def _check(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import check

    return check.main(given.lessons, read_page=given.read, root=root)


def _validate(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import validate

    return validate.main(given.lessons, cold=given.cold, root=root)


def _build(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import build

    return build.build(given.lessons, root=root)


def _lint(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import lint

    return lint.main(given.lessons, root=root)


def _new(given: argparse.Namespace, root: Path) -> int:
    from mlops_lab.course import scaffold

    return scaffold.main(given.name, root=root)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Do what the arguments ask for; return the exit code.

    0 is success, 1 says that something was found (a broken claim, a failing test), 2 that the command could
    not be carried out: then one message says why. Ctrl-C gives 130.
    """
    top = parser(root)
    given = top.parse_args(arguments)
    if given.command is None:
        top.print_help()
        return 0
    if given.command != "doctor":  # the doctor shall see what the shell says
        environment.apply()
    try:
        return int(given.handler(given, root))
    except (ValueError, OSError) as error:
        print(f"mlops_lab {given.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"mlops_lab {given.command}: stopped", file=sys.stderr)
        return 130


def set_up_and_run(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Set up what a command needs, then run it; a mistake in the arguments is told before that."""
    command = parser(root).parse_args(arguments).command
    if command in _INSTALL_NOTHING:
        return main(arguments, root)
    return bootstrap.run(arguments, EXTRAS.get(command, ()), root)


if __name__ == "__main__":
    sys.exit(main())

"""A command line without a shell: commands run as a student would type them, the same on every system.

Git and DVC neither read nor change the student's own settings, and their dates are fixed: a commit has the
same name wherever it is made.
"""

from __future__ import annotations

import datetime
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mlops_lab.setup import environment

__all__ = ["Shell"]

_FIRST = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=datetime.UTC)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SPINNER = re.compile(r"\s*[\u2800-\u28ff]")
_SHELL = {"&&", "||", "|", ";", ">", ">>", "<", "&"}
_LONGEST_S = 120.0

_GIT = {
    "advice.detachedHead": "false",
    "commit.gpgsign": "false",
    "core.abbrev": "7",
    "core.autocrlf": "false",
    "core.fileMode": "false",
    "core.pager": "cat",
    "gc.auto": "0",
    "pack.threads": "1",
    "init.defaultBranch": "main",
}
_DVC = "[core]\n    analytics = false\n    check_update = false\n    autostage = true\n"


class Shell:
    """A folder in which commands run one at a time, each as a student would type it.

    It knows none of a real shell's signs (`|`, `>`, `&&`, `*`), and cannot answer a question that a command
    asks. A program that is not installed is named in plain words.

    Parameters
    ----------
    folder
        Where the commands run; it is made if it is not there. Its path is never shown.
    author
        The name that commits carry.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as place:
    ...     Shell(place).output("python -c 'print(6 * 7)'")
    '42'
    """

    def __init__(self, folder: str | os.PathLike[str], *, author: str = "Student") -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._author = author
        self._commands = 0
        self._home = tempfile.TemporaryDirectory(prefix="mlops-lab-home-", ignore_cleanup_errors=True)
        Path(self._home.name, "config").write_text(_DVC, encoding="utf-8")

    def output(self, *commands: str) -> str:
        """Run commands without showing them, and give what the last one says.

        Where a program is missing, nothing is run and the answer is empty.

        Raises
        ------
        RuntimeError
            When a command fails; the message is what it says. The commands after it are not run.
        ValueError
            When a command cannot be read, or needs a shell.
        """
        text = ""
        for command in commands:
            code, text = self.run(command)
            if code is None:
                return ""
            if code:
                raise RuntimeError(f"{command!r} stopped with code {code}: {text}")
        return text

    def lacks(self, *programs: str) -> str:
        """Say which programs are missing here, as a claim's `reason`; the empty text if none is."""
        missing = [program for program in programs if self._program(program) is None]
        return (
            f"{' and '.join(missing)} {'are' if missing[1:] else 'is'} not installed here" if missing else ""
        )

    def run(self, command: str) -> tuple[int | None, str]:
        """Run a command; the code is None where its program is missing."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"{command!r} cannot be read: {error}; close every quote.") from error
        if not words:
            raise ValueError(f"{command!r} is no command: write a program and what it shall do.")
        if signs := sorted(_SHELL.intersection(words)):
            raise ValueError(
                f"{command!r} uses {signs[0]!r}, which needs a shell: run one command at a time."
            )
        program = self._program(words[0])
        if program is None:
            return None, (
                f"{words[0]} is not installed here, so nothing was run. The lesson goes on; "
                f"install {words[0]} and run it again to see what it says."
            )
        try:
            ran = subprocess.run(
                [*program, *words[1:]],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 124, f"took longer than {_LONGEST_S:g} s and was stopped"
        return ran.returncode, self._cleaned(ran.stdout.decode("utf-8", "replace"))

    def _program(self, name: str) -> list[str] | None:
        """Find a program: this Python's own first, so that no other environment's DVC is run."""
        if name in {"python", "python3"}:
            return [sys.executable]
        found = shutil.which(name, path=_path())
        if found is None and name == "dvc" and importlib.util.find_spec("dvc") is not None:
            return [sys.executable, "-m", "dvc"]
        return None if found is None else [found]

    def _environment(self) -> dict[str, str]:
        """Give the environment of one command; the clock goes on by a minute with each."""
        home, when = self._home.name, _FIRST + datetime.timedelta(minutes=self._commands)
        self._commands += 1
        mail = f"{self._author.lower().replace(' ', '.')}@orchard.example"
        kept = {k: v for k, v in environment.prepared().items() if not k.startswith(("GIT_", "DVC_"))}
        settings = {f"GIT_CONFIG_KEY_{place}": key for place, key in enumerate(_GIT)}
        settings |= {f"GIT_CONFIG_VALUE_{place}": value for place, value in enumerate(_GIT.values())}
        people = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self._author), ("EMAIL", mail), ("DATE", when.isoformat()))
        }
        return {
            **kept,
            **settings,
            **people,
            "GIT_CONFIG_COUNT": str(len(_GIT)),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self.folder.resolve().parent),
            "GIT_TERMINAL_PROMPT": "0",
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": home,
            "DVC_SYSTEM_CONFIG_DIR": home,
            "DVC_SITE_CACHE_DIR": home,
            **dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), home),
            "PATH": _path(),
            "LC_ALL": "C",
            "LANGUAGE": "en",
            "TZ": "UTC",
            "NO_COLOR": "1",
            "COLUMNS": "100",
            "PYTHONUNBUFFERED": "1",
        }

    def _cleaned(self, text: str) -> str:
        """Take out what differs from run to run: colours, overwritten lines, spinners, the folder's path."""
        text = _ANSI.sub("", text).replace("\r\n", "\n")
        resolved = self.folder.resolve()
        forms = {form for path in (resolved, self.folder.absolute()) for form in (str(path), path.as_posix())}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, ".")
        rows = [row.rsplit("\r", 1)[-1].rstrip() for row in text.split("\n") if not _SPINNER.match(row)]
        return re.sub(r"\n{2,}", "\n", "\n".join(rows)).strip("\n")


def _path() -> str:
    """Give the search path with the folders of this Python in front."""
    beside = Path(sys.executable).parent
    return os.pathsep.join([str(beside), str(beside / "Scripts"), os.environ.get("PATH", os.defpath)])

"""A terminal in a lesson: a command stands as the student would type it, and what it says stands below."""

from __future__ import annotations

import html
import os
import sys

from mlops_lab.exercises.shell import Shell
from mlops_lab.lesson.outputs import in_ipython, publish

__all__ = ["Terminal"]


class Terminal(Shell):
    r"""A folder in which a lesson runs commands, each shown before what it says.

    Answers: what would I see if I typed this in a terminal? It cannot answer a question that a command asks,
    and it knows none of a shell's signs (`|`, `>`, `&&`, `*`). It misleads about speed: each command starts a
    program anew, and that may take longer than its work.

    A program that is not installed is named in plain words, and the lesson goes on without it.

    Parameters
    ----------
    folder
        Where the commands run; it is made if it is not there. Its path is never shown.
    author
        The name that commits carry.

    Attributes
    ----------
    said
        What the last shown command said.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as place:
    ...     terminal = Terminal(Path(place, "farm"))
    ...     terminal("python -c 'print(6 * 7)'")
    $ python -c 'print(6 * 7)'
    42
    """

    def __init__(self, folder: str | os.PathLike[str], *, author: str = "Student") -> None:
        super().__init__(folder, author=author)
        self.said = ""

    def __repr__(self) -> str:
        return f"<terminal in the folder {self.folder.name!r}>"

    def __call__(self, *commands: str, lines: int = 20) -> None:
        """Run commands one after the other, and show each with what it says; a failure stops the rest."""
        told: list[str] = []
        for command in commands:
            code, text = self.run(command)
            self.said = text
            shown = text.split("\n")[:lines] if text else []
            left = len(text.split("\n")) - len(shown) if text else 0
            shown += [f"... {left} more lines"] if left else []
            shown += [f"(stopped with code {code})"] if code else []
            told += [f"$ {command}", *shown]
            if code is None or code:
                break
        _show(told)


def _show(lines: list[str]) -> None:
    """Show what was typed and said as one output: a stream of text may be cut anywhere by the notebook."""
    if not in_ipython():
        sys.stdout.write("\n".join(lines) + "\n")
        return
    marked = [html.escape(line, quote=False) for line in lines]
    marked = [f"<strong>{line}</strong>" if line.startswith("$ ") else line for line in marked]
    style = (
        "margin: 0.25em 0; padding: 0.4em 0.8em; border-left: 3px solid currentColor; "
        "white-space: pre-wrap; font-family: monospace"
    )
    face = f'<pre style="{style}">' + "\n".join(marked) + "</pre>"
    publish({"text/plain": "\n".join(lines), "text/html": face})

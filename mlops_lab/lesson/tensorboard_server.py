"""TensorBoard on this machine: started from a lesson, open in the student's browser, ended with the lesson.

The server is a child process that listens on loopback alone, at a port that the system picks. It waits at its
standard input: when the program that started it ends, in whatever way, that input ends, and the server with
it. So none is ever left running.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from mlops_lab.lesson.outputs import in_students_notebook, publish
from mlops_lab.lesson.show import live
from mlops_lab.setup import environment

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["open_tensorboard"]

_START_S = 60.0
"""How long a server may take to start; two seconds are usual."""

_LOAD_S = 30.0
"""How long it may take to read what was logged; it looks once a second."""

_ANSWER_S = 30.0
"""How long one answer of the server may take."""

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_ARGUMENTS = (
    *("--host", "127.0.0.1", "--port", "0"),  # the system picks a free port, and no other machine reaches it
    *("--load_fast", "false"),  # one process, without the helper that reads large logs
    *("--reload_interval", "1", "--samples_per_plugin", "scalars=100000"),  # every point of a curve, soon
)


class TensorBoardServer:
    """A TensorBoard that runs: its address, what it answers, and its end. Made by `open_tensorboard`.

    Use it in a `with` block, or call `stop`; else it ends with this process.

    Attributes
    ----------
    url
        Where a browser on this machine opens it.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        self._process = process
        self._end = weakref.finalize(self, _end, process)
        # The course needs no proxy to reach the machine that it runs on.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def get(self, path: str, **query: str) -> Any:
        """Ask the server, as its page in the browser does, and return the JSON that it answers."""
        if not self.running:
            raise RuntimeError("this TensorBoard was stopped: start one by open_tensorboard(folder)")
        try:
            question = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
            with self._opener.open(question, timeout=_ANSWER_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(
                f"TensorBoard answers {error.code} to {path!r} with {query}: ask data/plugin/scalars/tags "
                "for what there is"
            ) from None

    def scalars(self, run: str, tag: str, *, until: int) -> pd.Series:
        """Give one curve as the server has it, waiting until it has read the last step."""
        import pandas as pd

        def points() -> list[list[Any]]:
            known = tag in self.get("data/plugin/scalars/tags").get(run, {})
            return self.get("data/plugin/scalars/scalars", run=run, tag=tag) if known else []

        held = _awaited(
            points, lambda got: bool(got) and got[-1][1] >= until, f"step {until} of {tag!r} in {run!r}"
        )
        steps = pd.Index([step for _, step, _ in held], name="step")
        return pd.Series([float(value) for _, _, value in held], index=steps, name=tag)

    def tags(self, run: str, plugin: str) -> list[str]:
        """Name what one of TensorBoard's pages shows of a run, waiting until there is something.

        What a run wrote is read in its order: when the server knows the last thing, it knows all before it.
        """
        found = _awaited(
            lambda: self.get(f"data/plugin/{plugin}/tags").get(run, {}), bool, f"{plugin} of {run!r}"
        )
        return sorted(found)

    def link(self) -> None:
        """Show where it is: in a student's notebook a link to click, in a stored lesson a marked address."""
        live("TensorBoard listens at {} until this notebook ends.", self.url, id="tracking.tensorboard")
        if in_students_notebook():
            html = f'<p><a href="{self.url}" target="_blank" rel="noopener">Open TensorBoard</a></p>'
            publish({"text/html": html, "text/plain": f"Open {self.url}"})

    def stop(self) -> None:
        """End the server and wait for its end; a second call does nothing."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def open_tensorboard(folder: str | Path, *, start_s: float = _START_S) -> TensorBoardServer:
    """Start TensorBoard on a folder of event files, for this machine alone.

    It returns when the server answers. The folder may still be empty, and may grow: new runs appear within a
    second or two.

    Parameters
    ----------
    folder
        The folder whose event files are shown, at any depth.
    start_s
        How long the start may take, in seconds.

    Raises
    ------
    RuntimeError
        If it does not start, with what it said.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     server = open_tensorboard(folder)
    ...     server.running
    ...     server.stop()
    True
    """
    child = {**environment.prepared(), "PYTHONPATH": _on_path()}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_lab.lesson.tensorboard_server", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            encoding="utf-8",
            env=child,
            **_apart(),
        )
        late = threading.Timer(start_s, process.kill)
        late.start()
        url = process.stdout.readline().strip() if process.stdout else ""
        late.cancel()
        if not url.startswith("http://127.0.0.1:"):
            _end(process)
            said.seek(0)
            words = said.read().strip().splitlines()[-3:]
            raise RuntimeError(
                f"TensorBoard did not start within {start_s:g} s: {' | '.join(words) or 'it said nothing'}. "
                "Run `python3 -m mlops_lab doctor` to see what is missing."
            )
    return TensorBoardServer(process, url)


def main(arguments: Sequence[str], *, until: IO[str]) -> int:
    """Serve a folder until a stream ends; the child process's program."""
    if len(arguments) != 1:
        raise ValueError(
            f"{len(arguments)} folders given, one is needed: "
            "python -m mlops_lab.lesson.tensorboard_server FOLDER"
        )
    from tensorboard import program

    board = program.TensorBoard()
    board.configure(argv=["tensorboard", "--logdir", arguments[0], *_ARGUMENTS])
    sys.stdout.write(f"{board.launch()}\n")
    sys.stdout.flush()
    until.read()
    return 0


def _awaited(ask: Callable[[], Any], ready: Callable[[Any], bool], what: str) -> Any:
    """Ask again and again until the answer is ready."""
    deadline = time.monotonic() + _LOAD_S
    while not ready(answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"TensorBoard has not read {what}; is its folder the one that was written to?")
        time.sleep(0.1)
    return answer


def _on_path() -> str:
    return os.pathsep.join([str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def _apart() -> dict[str, Any]:
    """Keep the child out of reach of the signal by which a notebook's cell is interrupted."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _end(process: subprocess.Popen[str]) -> None:
    """End the child: its input ends first, and where that does not help in five seconds, it is killed."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], until=sys.stdin))

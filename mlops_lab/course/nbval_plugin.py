"""How nbval reads our lessons, under `validate` and under a plain ``pytest --nbval`` alike.

nbval compares letters, also inside JSON; it compares nothing in a cell that was never run; tags can switch it
off; it runs a notebook in the notebook's own folder, by whatever kernel is registered, in the caller's
environment; and a kernel that dies keeps it waiting until the cell's time is up. Here typed outputs are
compared by their own rules, a never-run cell and such a tag are failures, the kernel is this Python, strict,
in an empty folder, as when the outputs were stored, and its death is seen within a second.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, get_sanitize_patterns

from mlops_lab.course.compare import is_typed, typed
from mlops_lab.course.execution import KERNEL, is_alone, own_kernel

__all__: list[str] = []

_OUTPUT_TIMEOUT_S = 30
"""How long to wait for the last output of a cell; nbval's 5 seconds are too few on a busy machine."""

_SANITIZERS = """\
[live values]
regex: ‹[^‹›]*›
replace: LIVE

[memory addresses]
regex: 0x[0-9a-fA-F]{6,}
replace: ADDRESS

[temporary folders]
regex: (?:/private)?(?:/tmp|/var/folders)/[\\w./-]+
replace: FOLDER
"""
"""What nbval does not compare, in the format of its option ``--nbval-sanitize-with``; the linter refuses to
store such things, so this only keeps a difference that nobody can mend from hiding one that matters."""


class LessonKernel(RunningKernel):  # type: ignore[misc]  # nbval is not annotated
    """A kernel whose death is noticed."""

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for a cell's end, but no longer than the kernel lives."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                super().await_reply(msg_id, timeout=1)
            except Empty:
                if not self.is_alive():
                    raise RuntimeError("the kernel died") from None
                if end is not None and time.monotonic() >= end:
                    raise
            else:
                return


class LessonCell(IPyNbCell):  # type: ignore[misc]  # nbval is not annotated
    """A cell of which nothing is left out."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.output_timeout = _OUTPUT_TIMEOUT_S

    def runtest(self) -> None:
        """Execute the cell and compare; refuse what would not be compared."""
        if self.cell.source.strip() and self.cell.execution_count is None:
            self.raise_cell_error("This cell was never run, so nothing is stored to compare with")
        switched = bool(self.options["check"]) != self.parent.compare_outputs
        if switched or self.options["skip"] or self.options["check_exception"]:
            self.raise_cell_error("A tag or comment of this cell switches nbval off: take it out")
        try:
            super().runtest()
        except RuntimeError as error:
            self.parent.timed_out = True  # the cells that follow are expected to fail
            self.raise_cell_error(f"The kernel did not answer: {error}")

    def compare_outputs(
        self, test: Sequence[Any], ref: Sequence[Any], skip_compare: Sequence[str] | None = None
    ) -> bool:
        """Compare typed outputs by their own rules, and leave the rest to nbval."""
        found = list(typed(ref, test))
        if found:
            self.comparison_traceback = found
            return False
        others = ([output for output in outputs if not is_typed(output)] for outputs in (test, ref))
        return bool(super().compare_outputs(*others, skip_compare))


class LessonFile(IPyNbFile):  # type: ignore[misc]  # nbval is not annotated
    """A notebook that is executed in an empty folder by this Python."""

    _held: ExitStack | None = None

    def setup(self) -> None:
        """Start the kernel; the environment made for it is put back when the notebook is done."""
        self._held = ExitStack()
        folder = self._held.enter_context(own_kernel(warm=not is_alone(self.path)))
        timeout = self.config.option.nbval_kernel_startup_timeout
        self.kernel = LessonKernel(KERNEL, cwd=str(folder), startup_timeout=timeout)
        self.setup_sanitize_files()

    def setup_sanitize_files(self) -> None:
        """Leave out what no machine gives twice, and what the caller's file names."""
        self.sanitize_patterns.update(get_sanitize_patterns(_SANITIZERS))
        super().setup_sanitize_files()

    def collect(self) -> Iterator[LessonCell]:
        """List the code cells."""
        for cell in super().collect():
            yield LessonCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )

    def teardown(self) -> None:
        """Stop the kernel and remove its folders."""
        super().teardown()
        if self._held is not None:
            self._held.close()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: Any) -> Generator[None, list[Any], list[Any]]:
    """Put our notebooks in the place of nbval's."""
    found = yield
    return [
        LessonFile.from_parent(parent, path=file_path) if type(node) is IPyNbFile else node for node in found
    ]

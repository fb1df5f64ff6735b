"""Make a lesson's two notebooks from what its author wrote: normal form, derived copy, outputs of both."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mlops_lab.course.derive import derived
from mlops_lab.course.jobs import Job, execute
from mlops_lab.course.notebooks import chosen, normalised, read, write

__all__ = ["build"]


def build(lessons: Sequence[str] = (), *, root: Path) -> int:
    """Bring lessons into the state in which they are committed.

    The source is normalised, the student's copy derived, and both are executed with the lesson's own seed.
    Files are written only where both notebooks ran to their end.
    """
    failed = 0
    for lesson in chosen(lessons, root=root):
        source = normalised(read(lesson.source))
        with tempfile.TemporaryDirectory(prefix="mlops-lab-build-", ignore_cleanup_errors=True) as folder:
            drafts = [Path(folder, name) for name in ("source.ipynb", "copy.ipynb")]
            for draft, notebook in zip(drafts, (source, derived(source)), strict=True):
                write(notebook, draft)
            jobs = [Job(lesson.name, draft, draft.with_name(f"executed-{draft.name}")) for draft in drafts]
            outcomes = execute(jobs)
            failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
            if failures:
                failed += 1
                sys.stdout.write("".join(f"FAILED {failure}\n" for failure in dict.fromkeys(failures)))
                continue
            executed = [read(job.target) for job in jobs]
        for notebook, path in zip(executed, (lesson.source, lesson.copy), strict=True):
            write(notebook, path)
        seconds = max(outcome.seconds for outcome in outcomes)
        sys.stdout.write(f"built {lesson.name}: both notebooks ran in {seconds:.1f} s\n")
    return int(failed > 0)

"""What nbval must know about our outputs; loaded by `validate` with ``pytest -p``.

nbval compares JSON to the last digit, so typed payloads are left out here: `validate` compares them by each
claim's own tolerance. What is live stands between ‹ and ›, and is masked by `LIVE`.
"""

from __future__ import annotations

from typing import Any

from mlops_lab.classroom.outputs import MIME

__all__ = ["SANITIZERS", "pytest_itemcollected"]

SANITIZERS = """\
[live values]
regex: ‹[^‹›]*›
replace: LIVE

[memory addresses]
regex: 0x[0-9a-fA-F]{6,}
replace: ADDRESS
"""
"""nbval's sanitizers, in the format of its option ``--nbval-sanitize-with``."""


def pytest_itemcollected(item: Any) -> None:
    """Leave typed payloads out of nbval's comparison.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> cell = SimpleNamespace(parent=SimpleNamespace(skip_compare=("metadata",)))
    >>> pytest_itemcollected(cell)
    >>> cell.parent.skip_compare
    ('metadata', 'application/vnd.mlops-lab+json')
    """
    skipped = getattr(item.parent, "skip_compare", None)
    if skipped is not None and MIME not in skipped:
        item.parent.skip_compare = (*skipped, MIME)

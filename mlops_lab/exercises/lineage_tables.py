"""Small tables of what was made from what, on which a function that walks back through lineage is tried."""

from __future__ import annotations

from mlops_lab.exercises.judging import Case

__all__ = ["lineage_cases"]


def lineage_cases(seed: int) -> list[Case]:
    """Give tables with the columns ``made`` and ``source``, a version, and all that it rests on."""
    import pandas as pd

    def edges(*pairs: tuple[str, str]) -> pd.DataFrame:
        return pd.DataFrame(list(pairs), columns=["made", "source"])

    chain = edges(*((f"table@{n + 1}", f"table@{n}") for n in range(1, 6)))
    diamond = edges(
        ("model@1", "left@1"),
        ("model@1", "right@1"),
        ("left@1", "raw@1"),
        ("right@1", "raw@1"),
        ("b@1", "c@1"),
    )
    long = edges(*((f"step@{n + 1}", f"step@{n}") for n in (7, 2, 10, 5, 11, 1, 8, 3, 6, 9, 4)))
    return [
        Case((chain, "table@1"), set(), "a version that rests on nothing"),
        Case((chain, "table@2"), {"table@1"}, "one step back"),
        Case((chain, "table@6"), {f"table@{n}" for n in range(1, 6)}, "five steps back"),
        Case((diamond, "model@1"), {"left@1", "right@1", "raw@1"}, "two ways back to one source"),
        Case((diamond, "b@1"), {"c@1"}, "a version beside others"),
        Case((long, "step@12"), {f"step@{n}" for n in range(1, 12)}, "eleven steps back, in any order"),
    ]

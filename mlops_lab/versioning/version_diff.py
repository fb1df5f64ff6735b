"""What is different between two versions? Tables are compared cell by cell, all else by its settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mlops_lab.versioning import serialization
from mlops_lab.versioning.diffs import COLUMNS, Diff, noted
from mlops_lab.versioning.manifests import Version
from mlops_lab.versioning.packfiles import Packs
from mlops_lab.versioning.table_diff import compare_frames

__all__ = ["compare", "compare_settings"]

Kept = tuple[Version, dict[str, Any]]


def compare(
    packs: Packs,
    before: Kept,
    after: Kept,
    *,
    key: str | Sequence[str] | None = None,
    label: str | None = None,
) -> Diff:
    """Compare two versions, each given with its plan; see ``Store.diff``.

    Taught in notebooks/04_versioning.ipynb.
    """
    (one, plan), (other, plan_after) = before, after
    title = f"{one.ref} to {other.ref}"
    if one.kind != other.kind:
        raise ValueError(f"{one.ref} is a {one.kind}, {other.ref} is a {other.kind}; compare two of one kind")
    if one.kind != "frame":
        if key is not None or label is not None:
            raise ValueError(f"key and label are for tables; {one.ref} is a {one.kind}")
        texts = [_settings(one.kind, held) for held in (plan, plan_after)]
        return compare_settings(*texts, title=title, same=one.content == other.content)
    tables = [
        serialization.take(packs, "frame", held, "", to=None, trusted=()) for held in (plan, plan_after)
    ]
    labels = [serialization.labels_of(packs, held) for held in (plan, plan_after)]
    if label is None and labels[0] is not None and labels[1] is not None:
        label = str(labels[1].name if labels[1].name is not None else "label")
        while any(label in table.columns for table in tables):
            label += " (beside)"
        tables = [table.assign(**{label: beside}) for table, beside in zip(tables, labels, strict=True)]
    return compare_frames(*tables, key=key, label=label, title=title)


def _settings(kind: str, plan: dict[str, Any]) -> dict[str, str]:
    if kind == "params":
        return {name: repr(value) for name, value in plan["params"].items()}
    return dict(plan.get("settings", {}))


def compare_settings(before: dict[str, str], after: dict[str, str], *, title: str, same: bool) -> Diff:
    """Compare parameters, or the settings of two models."""
    rows = []
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            rows.append((name, "removed", before[name], "", 0))
        elif name not in before:
            rows.append((name, "added", "", after[name], 0))
        elif before[name] != after[name]:
            rows.append((name, "values", before[name], after[name], 0))
    said = [f"{row[0]}: {row[2] or 'none'} before, {row[3] or 'none'} after" for row in rows]
    findings = [
        noted(
            "settings", "Settings", not rows, f"{'; '.join(said)}." if rows else "The settings are the same."
        ),
        noted("content", "Content", same, "The content is the same." if same else "The content differs."),
    ]
    return Diff(title=title, findings=tuple(findings), columns=pd.DataFrame(rows, columns=COLUMNS))

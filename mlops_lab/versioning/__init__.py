"""Versions of data, parameters, models and pipelines: kept in few bytes, found again, never half (L8).

`Store` is the whole answer. Read it in this order: `cutting` (where to cut bytes, so that versions share
them), `pieces` (a long row of bytes under one hash), `packs` (where pieces lie on the disk), `squeezing` (in
how few bytes), `frames` and `cells` (a table as bytes), `versions` (what a version is), `shelf` (reading) and
`store` (writing). What is asked of a store stands apart: `diffs` and `tables`, `origins` and `lineages`,
`integrity`, `sweeping`.
"""

from mlops_lab.versioning.chunking import AVERAGE, GEAR, cut, cut_simply
from mlops_lab.versioning.diffs import Diff, compare_frames
from mlops_lab.versioning.garbage_collection import Swept
from mlops_lab.versioning.integrity import Verified
from mlops_lab.versioning.manifests import Version
from mlops_lab.versioning.packfiles import DamagedError
from mlops_lab.versioning.provenance import Lineage, lineage
from mlops_lab.versioning.store import Store

__all__ = [
    "AVERAGE",
    "GEAR",
    "DamagedError",
    "Diff",
    "Lineage",
    "Store",
    "Swept",
    "Verified",
    "Version",
    "compare_frames",
    "cut",
    "cut_simply",
    "lineage",
]

"""Versions of data, parameters, models and pipelines: kept in few bytes, found again, never half (L8).

`Store` is the whole answer. Read it in this order: `chunking` (where to cut bytes, so that versions share
them), `packfiles` (where the pieces lie, compressed, and a long row of bytes under one hash), `serialization`
(tables, models and files as bytes), `manifests` (what a version is), `store`. What is asked of a store stands
apart: `diffs`, `provenance`, `integrity`, `garbage_collection`.
"""

from mlops_lab.versioning.chunking import GEAR, cut
from mlops_lab.versioning.provenance import lineage
from mlops_lab.versioning.store import Store

__all__ = ["GEAR", "Store", "cut", "lineage"]

"""How a table's columns are read: by what their cells mean, however they are stored."""

from mlops_lab.tables.columns import (
    Column,
    aligned_columns,
    as_precise,
    common_kind,
    number_text,
    read_column,
)

__all__ = ["Column", "aligned_columns", "as_precise", "common_kind", "number_text", "read_column"]

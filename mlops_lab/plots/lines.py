"""Left until the merge: tracking imports from here."""

from mlops_lab.plots.style import name_ends

__all__ = ["name_ends"]

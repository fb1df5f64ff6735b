"""Fixtures that several rooms use."""

from real_lab import lab

__all__ = ["lab"]

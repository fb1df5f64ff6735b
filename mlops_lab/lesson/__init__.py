"""What a lesson calls: claims, predictions, checks, and what it shows.

A lesson writes `from mlops_lab.lesson import claim, predict, reveal, check, hint, live, picture, scratch`.
"""

from mlops_lab.lesson.checks import check, hint
from mlops_lab.lesson.claims import claim
from mlops_lab.lesson.predictions import predict, reveal
from mlops_lab.lesson.show import live, picture, scratch
from mlops_lab.lesson.tensorboard_server import open_tensorboard

__all__ = [
    "check",
    "claim",
    "hint",
    "live",
    "open_tensorboard",
    "picture",
    "predict",
    "reveal",
    "scratch",
]

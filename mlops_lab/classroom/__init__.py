"""The classroom: what a lesson calls, and what derives, runs, checks and grades lessons.

A lesson writes `from mlops_lab.classroom import claim, predict, reveal, check, hint, live, picture, scratch`.
"""

from mlops_lab.classroom.claims import BrokenClaim, claim
from mlops_lab.classroom.exercises import WrongAnswer, check, hint
from mlops_lab.classroom.predictions import predict, reveal
from mlops_lab.classroom.show import live, picture, scratch

__all__ = [
    "BrokenClaim",
    "WrongAnswer",
    "check",
    "claim",
    "hint",
    "live",
    "picture",
    "predict",
    "reveal",
    "scratch",
]

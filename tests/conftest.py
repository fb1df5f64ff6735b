"""What all rooms use: a lab, and the order in which files are tested."""

from pathlib import Path

from real_lab import lab

__all__ = ["lab"]

ROOT = Path(__file__).resolve().parents[1]
LONGEST = (
    "slides/test_pictures.py",
    "course/test_lab_in_browser.py",
    "setup/test_set_up_for_real.py",
    "course/test_validate.py",
    "slides/test_deck_in_browser.py",
    "reality/test_played_season.py",
    "course/test_execution.py",
    "game/test_board.py",
    "tracking/test_tensorboard_and_wandb.py",
    "exercises/test_expectation_vs_reality.py",
    "tracking/test_comparison_and_rerun.py",
    "game/test_leaderboard.py",
    "framing/test_verdict.py",
    "test_structure.py",
)
"""The files that take longest: a worker that began one of them last would let the others wait."""


def pytest_collection_modifyitems(items):
    """Test the longest files first; each file stays whole and in its own order."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))

"""The score board of lesson 11 draws who it is told of, where their summaries say, and fails nobody."""

import numpy as np
import pytest

from mlops_lab import load, plots
from mlops_lab.lesson.policy_board import policy_board

CALLS = load.arrivals(load.daily_curve(), seed=3)
CALLS = CALLS[CALLS >= 7 * 3600][:40_000] - 7 * 3600  # in the first rush
RUNS = {
    "fixed 8": load.simulate(CALLS, 0.25, load.Fixed(8)),
    "headroom": load.simulate(CALLS, 0.25, load.Hold(5, target=0.8), cold_start_s=60.0),
}


class Like:
    """Asks a built-in policy: so it is one's own."""

    def __init__(self, policy):
        self.wanted = policy.wanted


class Broken:
    def wanted(self, seen):
        raise RuntimeError("no idea")


def drawn(ax):
    return [tuple(points.get_offsets()[0]) for points in ax.collections]


def test_each_point_lies_at_bill_and_p95():
    ax = policy_board(RUNS)
    expected = [(run.summary().bill_usd, run.summary().p95_wait_s) for run in RUNS.values()]
    np.testing.assert_allclose(drawn(ax), expected)
    assert [text.get_text() for text in ax.texts] == ["fixed 8", "headroom", "both limits kept"]


def test_a_policy_of_ones_own_meets_the_same_requests():
    ax = policy_board(RUNS, Like(load.Hold(5, target=0.8)))
    points = drawn(ax)
    np.testing.assert_allclose(points[2], points[1])
    assert [text.get_text() for text in ax.texts][2] == "yours"
    slower = policy_board(RUNS, Like(load.Hold(5, target=0.8)), cold_start_s=300.0)
    assert drawn(slower)[2][1] > 2 * points[2][1]


@pytest.mark.parametrize(
    "answer", [..., None, 12, load.Hold, load.Fixed(40), load.PerRequest(), Broken(), "Hold(5)"]
)
def test_what_cannot_be_simulated_is_not_drawn(answer):
    assert len(drawn(policy_board(RUNS, answer))) == 2


def test_the_picture_shows_every_point_and_the_corner():
    ax = policy_board({**RUNS, "fixed 1": load.simulate(CALLS, 0.25, load.Fixed(1))})
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left < usd < right and bottom < wait < top for usd, wait in drawn(ax))
    corner = ax.patches[0]
    assert (corner.get_width(), corner.get_height()) == (5_000, 0.5)
    assert len(plots.png(ax)) > 5_000


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        policy_board({})

"""What each policy wants, by hand: the lecture's, Kubernetes' and Knative's."""

import math

import numpy as np
import pytest

from mlops_lab import load


def seen(machines=10, *, starting=0, use=(), rate=(), flight=(), fleet=None, tick_s=15.0, coming=None):
    """What a policy sees after as many ticks as the longest history has."""
    length = max(len(use), len(rate), len(flight))
    return load.Seen(
        t_s=length * tick_s,
        tick_s=tick_s,
        machines=machines,
        starting=starting,
        calls_per_s=np.array(rate, dtype=float),
        utilisation=np.array(use, dtype=float),
        in_flight=np.array(flight, dtype=float),
        fleet=np.array([machines] * length if fleet is None else fleet, dtype=float),
        fleet_starting=np.array([0] * length if coming is None else coming, dtype=float),
    )


def test_hold_remembers_the_highest_minute_within_its_window():
    rates = [4.0, 80.0, 8.0, 8.0, 8.0, 8.0]
    assert load.Hold(4).wanted(seen(rate=rates, tick_s=60.0)) == 20
    assert load.Hold(3).wanted(seen(rate=rates, tick_s=60.0)) == 2
    assert load.Hold(3, target=0.5).wanted(seen(rate=rates, tick_s=60.0)) == 4
    assert load.Hold(3).wanted(seen(tick_s=60.0)) == 1


def test_hold_does_not_buy_a_machine_for_rounding_noise():
    assert load.Hold(0, capacity=4.0).wanted(seen(rate=[8.0 + 1e-12], tick_s=60.0)) == 2


@pytest.mark.parametrize(
    ("use", "wanted"),
    [
        (0.50, 10),  # on target
        (0.55, 10),  # within the tolerance of 0.1
        (0.56, 12),  # just beyond: ceil(11.2)
        (0.45, 10),
        (0.44, 9),
        (1.00, 20),  # doubling is the most
        (0.00, 1),
    ],
)
def test_hpa_follows_the_published_rule(use, wanted):
    assert load.HPA(0.5).wanted(seen(use=[use])) == wanted


def test_hpa_grows_by_100_percent_or_4_machines_whichever_is_more():
    assert load.HPA(0.1).wanted(seen(2, use=[1.0])) == 6
    assert load.HPA(0.1).wanted(seen(10, use=[1.0])) == 20


def test_hpa_shrinks_to_the_highest_wish_of_the_last_300_seconds():
    quiet = [0.1] * 20
    assert load.HPA(0.5).wanted(seen(use=[0.5, *quiet])) == 10  # 300 s ago it was still on target
    assert load.HPA(0.5).wanted(seen(use=[0.5, 0.1, *quiet])) == 2


def test_hpa_counts_starting_machines_as_idle_when_it_grows():
    # 10 ready at 100 %, 10 starting: over all 20 the use is 0.5, on target: wait for them.
    assert load.HPA(0.5).wanted(seen(10, starting=10, use=[1.0], coming=[10])) == 20
    # 12 starting: over all 22 the use is 0.45, below the target: that is no reason to cancel any.
    assert load.HPA(0.5).wanted(seen(10, starting=12, use=[1.0], coming=[12])) == 22
    # 10 ready at 100 %, 2 starting: 12 machines at 0.833 -> ceil(20).
    assert load.HPA(0.5).wanted(seen(10, starting=2, use=[1.0], coming=[2])) == 20


@pytest.mark.parametrize(("tick_s", "most"), [(1.0, 5), (5.0, 5), (15.0, 5), (60.0, 5), (21_600.0, 5)])
def test_hpa_grows_by_4_or_to_the_double_in_15_seconds_however_often_it_decides(tick_s, most):
    past = max(1, round(15 / tick_s))
    assert load.HPA(0.05).wanted(seen(1, use=[1.0] * past, tick_s=tick_s)) == most
    if past > 1:  # what was ordered within the 15 s counts
        fleet = [1] * (past - 1) + [4]
        assert load.HPA(0.05).wanted(seen(4, use=[1.0] * past, fleet=fleet, tick_s=tick_s)) == most


def test_hpa_stays_within_its_bounds():
    assert load.HPA(0.5, max_machines=15).wanted(seen(use=[1.0])) == 15
    assert load.HPA(0.5, min_machines=4).wanted(seen(use=[0.0] * 30)) == 4


def test_knative_is_calm_on_its_stable_window():
    assert load.Knative(target=0.7).wanted(seen(10, flight=[7.0] * 30, tick_s=2.0)) == 10
    assert load.Knative(target=1.0).wanted(seen(10, flight=[4.0] * 30, tick_s=2.0)) == 5  # at most halved
    assert load.Knative().wanted(seen(1, flight=[0.0] * 30, tick_s=2.0)) == 0
    assert load.Knative().wanted(seen(2, starting=98, flight=[0.0] * 30, tick_s=2.0)) == 1  # of those ready


def test_knative_panics_on_six_seconds_of_a_flood_and_does_not_shrink_while_it_does():
    flood = [1.0] * 27 + [30.0] * 3
    assert load.Knative(target=1.0).wanted(seen(3, flight=flood, tick_s=2.0)) == 30
    # 40 s later the flood is over: the fleet of 30 is kept, for panic lasts one stable window.
    fleet = [3] * 30 + [30] * 20
    after = seen(30, flight=flood + [1.0] * 20, fleet=fleet, tick_s=2.0)
    assert load.Knative(target=1.0).wanted(after) == 30
    much_later = seen(30, flight=flood + [1.0] * 40, fleet=[3] * 30 + [30] * 40, tick_s=2.0)
    assert load.Knative(target=1.0).wanted(much_later) == 15


@pytest.mark.parametrize(
    "make",
    [
        lambda: load.Fixed(0),
        lambda: load.Fixed(2.5),
        lambda: load.Hold(-1),
        lambda: load.Hold(5, capacity=0),
        lambda: load.Hold(5, target=math.nan),
        lambda: load.HPA(0),
        lambda: load.HPA(1.5),
        lambda: load.HPA(0.5, tolerance=-1),
        lambda: load.HPA(0.5, min_machines=9, max_machines=3),
        lambda: load.HPA(0.5, min_machines=1.5),
        lambda: load.HPA(0.5, max_machines=math.inf),
        lambda: load.HPA("0.5"),
        lambda: load.Fixed(math.nan),
        lambda: load.Fixed([3]),
        lambda: load.Hold("5"),
        lambda: load.Knative(panic_s=0),
        lambda: load.Knative(panic_s=90),
        lambda: load.Knative(down_rate=0.5),
        lambda: load.Knative(panic_threshold=1),
        lambda: load.PerRequest(-1),
    ],
)
def test_settings_that_make_no_sense_are_refused(make):
    with pytest.raises(ValueError, match="got"):
        make()


def test_policies_are_frozen():
    with pytest.raises(AttributeError):
        load.Hold(5).target = 0.5

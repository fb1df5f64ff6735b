"""Numbers: margins against IEEE's own arithmetic, the first bad step against planted ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_lab.monitoring import LossScale, Numerics, overflow_margin
from mlops_lab.monitoring.health.numerics import NUMBER_FORMATS, gradient_norm
from mlops_lab.report import MemorySink


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_formats_are_numpys(name):
    known = np.finfo(name)
    assert NUMBER_FORMATS[name].largest == float(known.max)
    assert NUMBER_FORMATS[name].smallest == float(known.smallest_subnormal)
    assert math.floor(NUMBER_FORMATS[name].digits) in (known.precision, known.precision + 1)


def test_bfloat16_is_a_float32_cut_short():
    def cut(value):
        return (np.array([value], np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)[0]

    assert cut(np.finfo(np.float32).max) == NUMBER_FORMATS["bfloat16"].largest
    assert np.array([0x00010000], np.uint32).view(np.float32)[0] == NUMBER_FORMATS["bfloat16"].smallest


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(-60000, 60000), min_size=1, max_size=30))
def test_margin_and_loss_are_what_the_cast_does(values):
    margin = overflow_margin(values, "float16")
    cast = np.array(values).astype(np.float16)
    nonzero = np.array(values) != 0
    lost = ((cast == 0) & nonzero).sum() / max(1, nonzero.sum())
    assert margin.lost == pytest.approx(lost)
    if math.isfinite(margin.doublings):
        almost = np.array(values) * 2 ** (margin.doublings - 0.001)
        beyond = np.array(values) * 2 ** (margin.doublings + 0.001)
        with np.errstate(over="ignore"):
            assert np.isfinite(almost.astype(np.float16)).all()
            assert not np.isfinite(beyond.astype(np.float16)).all()


def test_what_has_overflowed_is_counted_and_does_not_hide_the_rest():
    margin = overflow_margin({"a": [1.0, math.inf], "b": np.array([[math.nan, 8.0]])}, "float16")
    assert (margin.not_finite, margin.largest, margin.doublings) == (2, 8.0, 0.0)
    assert overflow_margin([], "float16").doublings == math.inf
    assert overflow_margin(1e6, "float16").doublings < 0
    with pytest.raises(ValueError, match="float8"):
        overflow_margin(1.0, "float8")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_norm_is_numpys(values):
    assert gradient_norm(values) == pytest.approx(float(np.linalg.norm(values)), rel=1e-12, abs=1e-150)


def test_the_norm_does_not_overflow_on_its_way():
    assert gradient_norm(np.full(4, 1e200)) == pytest.approx(2e200)
    assert gradient_norm(np.full(4, np.float16(60000))) == pytest.approx(120000)
    assert gradient_norm([math.inf, 1.0]) == math.inf
    assert math.isnan(gradient_norm([math.nan, 1.0]))
    assert math.isnan(gradient_norm([[1.0, 2.0], [3.0, math.nan]]))
    assert gradient_norm([np.array([3.0]), (np.array([[4.0]]), None)]) == 5.0
    assert gradient_norm({}) == 0.0


def test_tensors_are_read_through_detach():
    class Tensor:
        def __init__(self, values):
            self.values = values

        def detach(self):
            return self

        cpu = double = detach

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype=dtype or float)

    assert gradient_norm([Tensor([3.0]), Tensor([4.0])]) == 5.0


@pytest.mark.parametrize("strange", ["text", [["a"]], object(), 1 + 2j])
def test_what_holds_no_numbers_is_refused(strange):
    with pytest.raises(TypeError, match="holds no real numbers"):
        overflow_margin(strange)


@pytest.mark.parametrize("at", [0, 1, 17])
@pytest.mark.parametrize(("planted", "kind"), [(math.inf, "infinite"), (math.nan, "not a number")])
def test_the_first_bad_step_is_the_planted_one(at, planted, kind):
    watch, done = Numerics(), []
    for step in watch.over(range(30)):
        done.append(step)
        gradient = np.ones((2, 3))
        if step >= at:
            gradient[1, 2] = planted
        fine = watch.see(step, weights=np.ones(4), gradient=gradient, loss=1.0 if step < at else planted)
        assert fine is (step < at)
    assert done == list(range(at + 1))
    bad = watch.first_bad
    assert (bad.step, bad.name, bad.kind, bad.count, bad.size) == (at, "gradient", kind, 1, 6)
    assert watch.report().ok is False
    assert f"step {at}" in watch.report().findings[0].explanation.lower()


def test_the_first_stays_the_first_if_the_loop_goes_on():
    watch = Numerics()
    for step in range(5):
        watch.see(step, loss=math.nan if step in (2, 4) else 1.0)
    assert watch.first_bad.step == 2
    assert watch.frame()["not_finite"].tolist() == [0, 0, 1, 0, 1]


def test_a_real_overflow_in_float16_is_announced_before_it_comes():
    watch, value = Numerics("float16", least_doublings=3), np.float16(1)
    with np.errstate(over="ignore"):
        for step in watch.over(range(100)):
            value = np.float16(value * np.float16(2))
            watch.see(step, activation=value)
    assert watch.first_bad.step == 15  # 2 ** 16 is beyond 65504
    margins = watch.frame()["doublings"].dropna()
    assert margins.iloc[14] == pytest.approx(1.0, abs=0.01)
    report = watch.report()
    assert {f.code: f.ok for f in report.findings} == {
        "numerics.finite": False,
        "numerics.margin": False,
        "numerics.lost": True,
    }


def test_lost_gradients_are_seen_and_a_loss_scale_saves_them():
    gradient = np.random.default_rng(0).normal(0, 1e-8, 1000)
    watch = Numerics("float16")
    watch.see(0, gradient=gradient)
    watch.see(1, scaled=gradient * 2**15)
    lost = watch.frame()["lost"]
    assert lost.iloc[0] > 0.9
    assert lost.iloc[1] < 0.05
    assert watch.report().ok is False


SMALL = np.random.default_rng(0).normal(0, 1e-8, 2000)  # nearly all become zero in float16


def _lost(number_format, **shown):
    watch = Numerics(number_format)
    watch.see(0, **shown)
    (finding,) = [one for one in watch.report().findings if one.code == "numerics.lost"]
    return finding


STORED = SMALL.astype(np.float16)


@pytest.mark.parametrize(
    ("number_format", "stored"),
    [
        ("float16", STORED),
        ("float32", STORED),  # the watch's default, though the training computes in a narrower one
        ("float16", STORED.reshape(40, 50)),
        ("float16", {"a": STORED[:100], "b": [STORED[100:]]}),
        ("float32", list(STORED)),
        ("float16", STORED.astype(np.float64)),  # cast back: what is left gives it away
        ("float16", STORED.tolist()),
    ],
)
def test_what_was_flushed_to_zero_before_it_was_shown_is_never_in_order(number_format, stored):
    finding = _lost(number_format, gradient=stored)
    assert finding.ok is False
    assert finding.value > 0.98
    assert "as underflow leaves them" in finding.explanation


@pytest.mark.parametrize(
    "stored",
    [np.float16(1e-9), np.float16(SMALL / 1e3), np.float32(SMALL / 1e40), np.float16([*SMALL / 1e3, 1.0])],
)
def test_zeros_without_a_trace_are_not_decided(stored):
    finding = _lost("float32" if stored.dtype == np.float32 else "float16", weights=1.0, gradient=stored)
    assert finding.ok is None
    assert "cannot be seen" in finding.explanation and "gradient" in finding.explanation


@pytest.mark.parametrize(
    "shown",
    [
        np.zeros(5),  # of 64 bits: 1e-9 would have stood there
        np.zeros(5, int),
        np.zeros(5, bool),
        [0.0, 1.0, 0.0],
        np.float16([0.5, 0.25]),
        np.float16([0.0] + [1.0] * 40),
        np.float16([1e-6, 1e-5]),  # some digits are gone, no number is
    ],
)
def test_zeros_that_are_zeros_and_numbers_that_are_there_are_in_order(shown):
    assert _lost("float16", gradient=shown).ok is True


def test_a_tensor_is_judged_by_the_format_it_stood_in():
    class Tensor:
        dtype = "torch.bfloat16"

        def detach(self):
            return self

        cpu = double = detach

        def __array__(self, dtype=None, copy=None):
            return np.array([0.0, 0.0, 1.0])

    assert _lost("bfloat16", gradient=Tensor()).ok is None
    assert _lost("float64", gradient=Tensor()).ok is None


@pytest.mark.parametrize("at_once", [True, False])
def test_two_bad_ones_of_one_step_are_named_and_none_is_called_the_cause(at_once):
    watch = Numerics("float16")
    with np.errstate(over="ignore"):
        for step in watch.over(range(20)):
            error = np.full(4, np.float16(2.0)) ** np.float16(step)
            shown = {"error": error, "loss": np.mean(error**2), "gradient": error * np.float16(300)}
            for part in [shown] if at_once else [{name: value} for name, value in shown.items()]:
                watch.see(step, **part)
    assert (watch.first_bad.step, watch.first_bad.name, watch.first_bad.others) == (8, "loss", ("gradient",))
    report = watch.report()
    assert "in the same step gradient" in report.headline()
    assert "cannot be seen from here" in report.findings[0].explanation
    assert "cause" not in Numerics.see.__doc__


def test_a_later_epoch_with_the_same_numbers_adds_nothing_to_the_first_bad_step():
    watch = Numerics()
    for _ in range(2):
        for step in range(3):
            watch.see(step, loss=math.inf if step == 1 else 1.0)
            watch.see(step, gradient=math.inf if step == 2 else 1.0)
    assert (watch.first_bad.step, watch.first_bad.others) == (1, ())
    assert watch.report().plot().get_xlabel() == "step"


def test_what_held_no_numbers_is_not_counted_as_finite():
    for nothing in (None, [], {}, np.empty((0, 3))):
        watch = Numerics()
        watch.see(0, gradient=nothing)
        report = watch.report()
        assert report.ok is None
        assert report.headline() == "No numbers were shown."
    assert Numerics().report().headline() == "No numbers were shown."
    watch.see(1, loss=1.0, gradient=None)
    assert watch.report().headline() == "All numbers were finite; gradient held none."
    assert "not judged" in watch.report().findings[0].explanation


def test_nothing_shown_is_not_decided_and_healthy_is_in_order():
    assert Numerics().report().ok is None
    watch = Numerics("float32")
    watch.see(0, loss=0.5, gradient=[0.1, -0.2])
    assert watch.report().ok is True
    drawn = watch.report().plot()
    heights = sorted(float(y) for line in drawn.lines for y in set(line.get_ydata()))
    assert heights == pytest.approx([math.log2(0.2), math.log2(0.5), 128.0], abs=1e-6)
    with pytest.raises(ValueError, match="float8"):
        Numerics("float8")


def test_what_is_seen_goes_to_a_sink_whose_failure_does_not_stop_the_training():
    sink = MemorySink()
    Numerics(sink=sink).see(3, gradient=[3.0, 4.0])
    assert sink.rows[0]["gradient_norm"] == 5.0

    class Broken(MemorySink):
        def log(self, step, values):
            raise OSError("full")

    watch = Numerics(sink=Broken())
    with pytest.warns(RuntimeWarning, match="full") as said:
        for step in range(3):
            watch.see(step, loss=1.0)
    assert len(said) == 1
    assert len(watch.frame()) == 3


def test_the_watch_does_not_itself_eat_memory():
    watch = Numerics(keep=10)
    for step in range(100):
        watch.see(step, loss=math.nan if step == 5 else 1.0)
    assert len(watch.frame()) == 10
    assert watch.first_bad.step == 5
    assert watch.report().ok is False


def test_the_scale_halves_on_overflow_and_doubles_after_patience():
    scale = LossScale(2.0**10, patience=3, largest=2.0**11)
    taken = [scale.update(finite) for finite in (True, False, True, True, True, True, True, True, True)]
    assert taken == [True, False] + [True] * 7
    assert scale.factor == 2.0**11
    assert scale.skipped == 1
    for wrong in ({"start": 0.0}, {"start": 2.0**30}, {"patience": 0}):
        with pytest.raises(ValueError, match=r"start|patience"):
            LossScale(**wrong)

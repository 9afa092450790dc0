"""Metrics: what they read from a record is worked out by hand, or in closed form."""

import json

import numpy as np
import pytest

import cellwright as cw
from cellwright.errors import ConfigurationError
from cellwright.schema.record import Joined, Stretch

m = cw.metrics
V, A, Q = "Voltage [V]", "Current [A]", "Discharge capacity [A.h]"


def step(start, end, voltage, current=1.0, rows=201):
    """A step from `start` to `end` [s] with voltage(τ) over the time τ since its start."""
    time = np.linspace(start, end, rows)
    return {
        "Time [s]": time,
        V: np.broadcast_to(voltage(time - start), time.shape),
        A: np.full(rows, current),
        Q: current * time / 3600,
        "SOC": 1 - time / 100.0,
    }


def cycle(number, ended=True):
    """20 s of discharge, a pulse of 10 s, and a rest, the latter only where the cycle came to its end."""
    start = 40.0 * number
    steps = (
        step(start, start + 20, lambda t: 4 - 0.05 * t - 0.1 * number),
        step(start + 20, start + 30, lambda t: 3 - 0.02 * np.sqrt(t), current=2.0),
        step(start + 30, start + 40, lambda t: 3 + 0 * t, current=0.0),
    )
    return Stretch(steps if ended else steps[:2], complete=ended)


def record(*cycles):
    steps = tuple(one for each in cycles for one in each.steps)
    return Stretch(steps, cycles[-1].complete, dict(enumerate(cycles)))


WHOLE = record(cycle(0), cycle(1), cycle(2))
EARLY = record(cycle(0), cycle(1), cycle(2, ended=False))


@pytest.mark.oracle("First", "Last", "Minimum", "Maximum")
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (m.First(V), 4.0),
        (m.Last(V), 3.0),
        (m.First(V, step=3), 3.9),
        (m.Last(V, step=0), 3.0),
        (m.Last(V, step=-1), 3.0),
        (m.Minimum(V), 4 - 0.05 * 20 - 0.2),
        (m.Maximum(V, step=6), 3.8),
        (m.Minimum(V, step=1), 3 - 0.02 * np.sqrt(10)),
    ],
    ids=repr,
)
def test_ends_and_extremes(metric, expected):
    # Exact: each is one of the samples.
    assert float(metric.measure(WHOLE)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.oracle("Mean", "Sum")
def test_a_mean_is_over_time_and_a_sum_over_samples():
    # ∫ sqrt(t) dt / T = 2/3 sqrt(T). The rule errs by 0.2079 h^1.5 / T at the root's singular end (-ζ(-1/2) = 0.2079).
    error = 0.02 * 0.2079 * 0.05**1.5 / 10
    assert float(m.Mean(V, step=1).measure(WHOLE)) == pytest.approx(3 - 0.02 * 2 / 3 * np.sqrt(10), abs=1.1 * error)
    assert float(m.Sum(A, step=1).measure(WHOLE)) == 2.0 * 201
    uneven = np.array([0.0, 0.1, 0.2, 0.3, 10.0])
    both = Stretch(({"Time [s]": uneven, V: 2 * uneven},), complete=True)
    # Linear in time: the trapezoidal rule is exact, however the samples lie.
    assert float(m.Mean(V).measure(both)) == pytest.approx(10.0, rel=1e-14)
    moment = Stretch(({"Time [s]": uneven[:1], V: np.array([7.0])},), complete=True)
    assert float(m.Mean(V).measure(moment)) == 7.0


@pytest.mark.oracle("Time", "Voltage", "SOC")
def test_crossings_are_those_of_straight_lines():
    # Of straight lines the interpolation is exact to rounding.
    assert float(m.Time(V, 7.13, step=3).measure(WHOLE)) == pytest.approx(3.9 - 0.05 * 7.13, rel=1e-13)
    assert float(m.Time(V, 0.0).measure(WHOLE)) == 4.0
    assert float(m.Voltage("Time [s]", 3.333).measure(WHOLE)) == pytest.approx((4 - 3.333) / 0.05, rel=1e-12)
    assert float(m.SOC("Time [s]", 0.613).measure(WHOLE)) == pytest.approx(38.7, rel=1e-12)
    assert float(m.Voltage("Time [s]", 3.0, step=0).measure(WHOLE)) == pytest.approx(20.0, rel=1e-12)
    for never in (m.Voltage("Time [s]", 4.5), m.Time(V, 1e9), m.SOC(V, 0.613, step=0)):
        assert np.isnan(never.measure(WHOLE))


@pytest.mark.oracle("Voltage")
def test_of_several_crossings_the_first_counts():
    time = np.linspace(0, 1, 10001)
    wave = Stretch(({"Time [s]": time, V: np.sin(2 * np.pi * time)},), complete=True)
    # Linear between samples: h² y''/8 / y' = (1e-4)² (2π)² sin(π/6) / 8 / (2π cos(π/6)) is below 1e-8.
    assert float(m.Voltage("Time [s]", 0.5).measure(wave)) == pytest.approx(1 / 12, abs=1e-8)
    assert float(m.Voltage("Time [s]", -1.0 + 1e-6).measure(wave)) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.oracle("ComposedMetric", "CyclewiseMetric")
def test_the_resistance_of_a_pulse_in_each_cycle():
    pulse = (abs(m.Time(V, 4.0) - m.First(V)) / abs(m.Mean(A))).by_cycle(step=1)
    # 0.02 sqrt(4) V of 2 A; 4.0 s is a sample, up to the rounding of a time.
    np.testing.assert_allclose(pulse.measure(WHOLE), [0.02] * 3, rtol=1e-12)
    capacity = m.Last(Q).by_cycle(step=0) - m.First(Q).by_cycle(step=0)
    np.testing.assert_allclose(capacity.measure(WHOLE), [20 / 3600] * 3, rtol=1e-12)


@pytest.mark.oracle("ComposedMetric")
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (m.First(V) + m.Last(V), 7.0),
        (m.First(V) - 1, 3.0),
        (1 - m.First(V), -3.0),
        (2 * m.First(V), 8.0),
        (m.First(V) * 2, 8.0),
        (m.First(V) / m.First(A), 4.0),
        (8 / m.First(V), 2.0),
        (abs(1 - m.First(V)), 3.0),
        (0.5 + m.First(V), 4.5),
    ],
    ids=lambda value: "",
)
def test_arithmetic(metric, expected):
    assert float(metric.measure(WHOLE)) == expected


@pytest.mark.oracle("ComposedMetric")
def test_division_by_zero_has_no_value():
    assert np.isnan((m.First(V) / m.Last(A)).measure(WHOLE))


@pytest.mark.oracle("StepwiseMetric", "CyclewiseMetric")
def test_steps_and_cycles_make_arrays():
    np.testing.assert_allclose(m.First(V).by_cycle().measure(WHOLE), [4.0, 3.9, 3.8])
    np.testing.assert_allclose(m.First(V).by_cycle(cycles=[2, 0]).measure(WHOLE), [3.8, 4.0])
    np.testing.assert_allclose(m.First(V).by_step([0, 3, 6]).measure(WHOLE), [4.0, 3.9, 3.8])
    assert m.Last(V).by_step().measure(WHOLE).shape == (9,)
    of_each = m.First(V).by_step([0, 1]).measure(WHOLE.of_cycle(1))
    np.testing.assert_allclose(of_each, [3.9, 3.0])


@pytest.mark.oracle("CyclewiseMetric")
def test_what_did_not_happen_has_no_value():
    of_cycles = {
        "begun": (m.First(V), [4.0, 3.9, 3.8, np.nan]),
        "ended": (m.Last(V), [3.0, 3.0, np.nan, np.nan]),
        "least": (m.Minimum(V), [3 - 0.02 * 10**0.5, 4 - 1.1, np.nan, np.nan]),
        "passed": (m.Voltage("Time [s]", 3.5), [10.0, 48.0, 86.0, np.nan]),
        "step": (m.Last(V, step=0), [3.0, 2.9, 2.8, np.nan]),
        "last step": (m.First(V, step=-1), [3.0, 3.0, np.nan, np.nan]),
        "no such step": (m.First(V, step=7), [np.nan] * 4),
    }
    for what, (metric, expected) in of_cycles.items():
        found = metric.by_cycle(cycles=[0, 1, 2, 3]).measure(EARLY)
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=what)
    assert np.isnan(m.Last(V).measure(EARLY))


@pytest.mark.oracle("AfterCycles")
def test_behind_cycles_is_what_the_last_one_left():
    np.testing.assert_allclose(m.AfterCycles(V).measure(WHOLE), [4.0, 3.0, 3.0, 3.0])
    np.testing.assert_allclose(m.AfterCycles(A, [3, 0]).measure(EARLY), [np.nan, 1.0])
    assert m.AfterCycles(V, [0, 5]).numbers() == {0, 4}
    assert (m.AfterCycles(V, [2]) - m.First(V).by_cycle(cycles=[7])).numbers() == {1, 7}
    assert (m.AfterCycles(V, [2]) - m.First(V).by_cycle()).numbers() is None


def test_a_step_that_had_nothing_to_do_is_passed_over():
    skipped = Stretch((None, *cycle(0).steps), complete=True)
    assert float(m.First(V).measure(skipped)) == 4.0
    assert np.isnan(m.First(V, step=0).measure(skipped))


def test_joined_steps_are_one():
    first, second = cycle(0).steps[:2]
    joined = Stretch((Joined([first, second]),), complete=True)
    assert float(m.First(V, step=0).measure(joined)) == 4.0
    assert float(m.Last(A, step=0).measure(joined)) == 2.0
    assert set(joined.steps[0]) == set(first)
    assert len(joined.steps[0]) == len(first)


def test_metrics_know_what_they_read():
    assert m.Voltage(Q, 3.6).variables == {Q, V}
    assert m.SOC("Time [s]", 0.8).variables == {"Time [s]", "SOC"}
    assert (m.First(V).by_cycle() - 2 * m.Last(Q).by_cycle(step=1)).variables == {V, Q}
    assert (m.First(V) - m.Last(V)).by_cycle().kept_at_ends
    assert not (m.First(V) - m.Mean(V)).by_cycle().kept_at_ends


def test_the_wire_form_is_that_of_the_contract():
    config = {
        "type": "ComposedMetric",
        "operation": "sub",
        "left": {"type": "CyclewiseMetric", "step": 0, "metric": {"type": "Last", "variable": Q}},
        "right": {"type": "CyclewiseMetric", "step": 0, "metric": {"type": "First", "variable": Q}},
    }
    metric = m.Metric.parse(config)
    assert json.loads(json.dumps(metric.to_config())) == config
    assert metric.to_config() == (m.Last(Q).by_cycle(step=0) - m.First(Q).by_cycle(step=0)).to_config()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: m.Metric.parse({"type": "Frist", "variable": V}), r"no metric 'Frist'.*did you mean 'First'"),
        (lambda: m.SOC(V, 80.0), r"between 0 and 1"),
        (lambda: m.First(V).by_cycle(cycles=[-1]), r"cycles count from 0"),
        (lambda: m.First(V).by_cycle(cycles=[]), r"no cycle is named"),
        (lambda: m.StepwiseMetric(metric=m.First(V), steps=[]), r"no step is named"),
        (lambda: m.ComposedMetric("add", m.First(V)), r"'add' is an operation on two metrics"),
        (lambda: m.First(V) + "one", r"a metric is an object"),
    ],
)
def test_what_makes_no_sense_is_refused(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()

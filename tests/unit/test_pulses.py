"""Pulses of a measurement: where they begin and end, with steps and without, and how their current is switched."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.data.sources import read_file
from cellwright.errors import DataError
from cellwright.physics.pulses import find_pulses, switched_current

MEASURED = read_file(Path(__file__).parents[1] / "data" / "lg_m50" / "pulse_25degC_SoC5_Cell1.csv")


def protocol(*stages, interval=1.0):
    """Time, current and step of stages (current, rows); each begins with the stamp at which the one before ended."""
    time, current, step, now = [], [], [], 0.0
    for number, (amps, rows) in enumerate(stages):
        time += [now + interval * k for k in range(rows)]
        current += [amps] * rows
        step += [number] * rows
        now = time[-1]
    return tuple(np.array(column, dtype=float) for column in (time, current, step))


def stretches(pulses):
    return [tuple(map(int, row)) for row in zip(pulses.rest, pulses.start, pulses.stop, pulses.end, strict=True)]


def test_pulses_know_their_rows_their_rests_and_their_current():
    time, current, step = protocol((0.0, 5), (2.0, 4), (0.0, 6), (-3.0, 3), (0.0, 2))
    for steps in (step, None):
        pulses = find_pulses(time, current, steps)
        assert stretches(pulses) == [(0, 5, 9, 15), (9, 15, 18, 20)]
        assert pulses.current.tolist() == [2.0, -3.0]
        assert pulses.on.tolist() == [4.0, 12.0]
        assert pulses.off.tolist() == [7.0, 14.0]
        assert pulses.numbers.tolist() == [1, 2]
        assert pulses.rested.all()
        assert pulses.interrupted.all()


def test_a_pulse_at_an_end_of_the_data_lacks_a_rest():
    time, current, step = protocol((1.0, 3), (0.0, 3), (1.0, 3))
    pulses = find_pulses(time, current, step)
    assert pulses.rested.tolist() == [False, True]
    assert pulses.interrupted.tolist() == [True, False]
    assert pulses.on[0] == 0
    assert pulses.off[1] == time[-1]
    assert pulses.where(pulses.rested).numbers.tolist() == [2]


def test_steps_part_currents_of_one_sign_and_join_rests():
    time, current, step = protocol((0.0, 3), (0.0, 3), (1.0, 4), (2.0, 4), (-1.0, 4), (0.0, 2), (0.0, 5))
    assert stretches(find_pulses(time, current, step)) == [(0, 6, 10, 10), (10, 10, 14, 14), (14, 14, 18, 25)]
    assert stretches(find_pulses(time, current)) == [(0, 6, 14, 14), (14, 14, 18, 25)]


def test_a_step_of_rest_pulse_and_rest_is_taken_apart():
    time, current, _ = protocol((0.0, 4), (1.0, 5), (0.0, 6), (0.0, 4), (1.0, 5), (0.0, 6))
    step = np.repeat([1.0, 2.0], 15)
    assert stretches(find_pulses(time, current, step)) == [(0, 4, 9, 19), (9, 19, 24, 30)]


def test_a_row_that_still_tells_of_the_rest_belongs_to_the_pulse_of_its_step():
    # The cycler wrote 0 A beside the voltage under load; by the current alone the pulse would begin a row late.
    time, current, voltage = (MEASURED[name] for name in ("Time [s]", "Current [A]", "Voltage [V]"))
    pulses = find_pulses(time, current, MEASURED["Step from cycler"])
    assert stretches(pulses) == [(0, 1, 107, 119)]
    assert pulses.full.tolist() == [2]
    assert voltage[0] - voltage[1] > 0.2
    assert find_pulses(time, current).start.tolist() == [2]
    knots, amps = switched_current(time, current, pulses, 1e-6)
    assert np.interp([0.0, 1e-6, 0.05, 10.0, 10.2], knots, amps) == pytest.approx(
        [0, 7.49571, 7.49571, 7.5, 0], rel=1e-4
    )


@pytest.mark.parametrize("brief", [1, 2, 3])
def test_brief_rests_are_rests_whatever_the_steps_say(brief):
    time, current, step = protocol((0.0, brief), *[(1.0, 60), (0.0, brief)] * 3)
    expected = [(a - brief, a, a + 60, a + 60 + brief) for a in range(brief, 3 * (60 + brief), 60 + brief)]
    for steps in (None, np.zeros(len(step)), step, np.maximum(step - 1, 0) // 2):
        assert stretches(find_pulses(time, current, steps)) == expected


@pytest.mark.parametrize(
    ("sampled", "on"),
    [([0, 60, 60, 61, 62], 60.0), ([0, 60, 75, 76, 77], 74.0), ([0, 60, 62, 72, 82], 60.0)],
    ids=["a row at the switch", "an interval before the first row", "the last row before"],
)
def test_the_current_is_switched_a_sampling_interval_before_the_first_row(sampled, on):
    time = np.array(sampled, dtype=float)
    time[2] += 1e-6 if time[2] == time[1] else 0
    pulses = find_pulses(time, np.array([0, 0, 1, 1, 1.0]))
    assert pulses.on[0] == pytest.approx(on, abs=2e-6)


def test_a_ramp_between_far_rows_becomes_a_step():
    time = np.array([0.0, 60.0, 120.5, 121.0, 121.5, 130.0, 140.0])
    current = np.array([0, 0, 2.0, 2.0, 2.0, 0, 0])
    pulses = find_pulses(time, current)
    knots, amps = switched_current(time, current, pulses, 1e-6)
    assert (np.diff(knots) > 0).all()
    at = [60.0, 119.9, 120.1, 121.5, 121.6, 129.0]
    assert np.interp(at, knots, amps) == pytest.approx([0, 0, 2, 2, 0, 0], abs=1e-12)


def test_a_course_whose_rows_stand_at_the_switches_stays_as_it_is():
    time, current, step = protocol((0.0, 3), (1.0, 3), (0.0, 3))
    time = np.concatenate([[0], np.cumsum(np.maximum(np.diff(time), 1e-6))])
    knots, amps = switched_current(time, current, find_pulses(time, current, step), 1e-6)
    assert knots == pytest.approx(time, abs=1e-12)
    assert amps.tolist() == current.tolist()


def test_data_without_a_current_have_no_pulse():
    with pytest.raises(DataError, match="no pulse: the current is 0 everywhere"):
        find_pulses(np.arange(5.0), np.zeros(5))


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, -2.0]), st.integers(3, 9)), min_size=1, max_size=12))
def test_pulses_and_rests_tile_the_measurement(stages):
    time, current, step = protocol(*stages)
    if not current.any():
        return
    pulses = find_pulses(time, current, step)
    owner = np.zeros(len(time), dtype=int)
    for a, b in zip(pulses.start, pulses.stop, strict=True):
        owner[a:b] += 1
        assert len(set(current[a:b])) == 1
    assert owner.tolist() == (current != 0).astype(int).tolist()
    assert [len(set(step[a:b])) for a, b in zip(pulses.start, pulses.stop, strict=True)] == [1] * len(pulses)
    for first, last in ((pulses.rest, pulses.start), (pulses.stop, pulses.end)):
        assert all((current[a:b] == 0).all() for a, b in zip(first, last, strict=True))
    inner = pulses.start > 0
    assert (pulses.rested[inner] == (current[pulses.start[inner] - 1] == 0)).all()

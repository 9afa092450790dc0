"""Compressed currents and their onsets."""

from time import process_time as time_of_this_process

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.physics.timeseries import compress_current, onsets

CURRENTS = st.lists(st.floats(-10, 10), min_size=2, max_size=60)


@given(CURRENTS, st.floats(0, 1), st.floats(0, 0.1))
def test_every_row_is_within_the_tolerance_of_the_knots(amps, atol, rtol):
    current = np.array(amps)
    time = np.cumsum(np.linspace(0.5, 2.0, len(current)))
    knots, values = compress_current(time, current, atol=atol, rtol=rtol)
    assert np.abs(np.interp(time, knots, values) - current).max() <= atol + rtol * np.abs(current).max() + 1e-12
    assert {knots[0], knots[-1]} == {time[0], time[-1]}
    assert set(knots) <= set(time)


def test_a_constant_current_has_two_knots():
    knots, values = compress_current(np.arange(1000.0), np.full(1000, 5.0), atol=0.0, rtol=0.0)
    assert (knots.tolist(), values.tolist()) == ([0.0, 999.0], [5.0, 5.0])


def test_a_long_record_is_compressed_without_a_loop_over_its_rows():
    time = np.arange(30_000.0)
    current = np.where(time < 12_000, 5.0, -2.5) + 1e-3 * np.sin(time)
    began = time_of_this_process()
    knots, _ = compress_current(time, current, atol=2e-3, rtol=0.0)
    assert time_of_this_process() - began < 0.1  # a loop over the rows in Python takes longer than 0.1 s
    assert len(knots) < 10  # both ends, both sides of the step, and what the tolerance needs beside it


def test_the_edges_of_a_pulse_after_a_rest_are_onsets():
    time = np.arange(0.0, 3601.0)
    current = np.where((time > 1800) & (time <= 1810), 5.0, 0.0)
    assert onsets(time, current).tolist() == [1800, 1801, 1810, 1811]


@pytest.mark.parametrize(
    "current",
    [np.full(3600, 5.0), np.linspace(0, 5, 3600), 5 + 0.02 * np.sin(np.arange(3600.0)), np.zeros(3600)],
    ids=["constant", "ramp", "noise", "rest"],
)
def test_a_smooth_current_has_no_onset(current):
    assert onsets(np.arange(3600.0), current).size == 0


def test_a_drive_cycle_has_few_onsets():
    # Each onset restarts the integrator; in a lively current its step is short without that.
    rng = np.random.default_rng(0)
    current = np.convolve(rng.normal(size=1800), np.ones(5) / 5, mode="same")
    assert onsets(np.arange(1800.0), current).size < 90

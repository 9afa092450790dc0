"""Slopes of measured curves: exact on lines, right on a known curve, and the same operation on data and model."""

import pickle

import numpy as np
import pytest

from cellwright.physics.differential import MOST, Slopes, differential_capacity

RNG = np.random.default_rng(3)
UNEVEN = np.sort(RNG.random(400))


def test_the_slope_of_a_line_is_exact_on_uneven_points():
    np.testing.assert_allclose(Slopes(UNEVEN)(2 - 3 * UNEVEN), -3, rtol=1e-9)


def test_on_even_points_a_window_is_the_filter_of_savitzky_and_golay():
    from scipy.signal import savgol_filter

    x = np.linspace(0, 1, 201)
    y = np.exp(-3 * x) + 0.1 * np.tanh(20 * (x - 0.4))
    five = Slopes(x, width=4.5 / 200)(y)  # half a window reaches two points to either side
    np.testing.assert_allclose(five[2:-2], savgol_filter(y, 5, 1, deriv=1, delta=x[1])[2:-2], rtol=1e-10)


def test_far_points_and_two_points_have_their_chords():
    x = np.array([0.0, 1.0, 3.0])
    np.testing.assert_allclose(Slopes(x)(x**2), [1, Slopes(x, 3.0)(x**2)[1], 4])
    np.testing.assert_allclose(Slopes(x[:2])(x[:2] ** 2), [1, 1])


def test_noise_of_dense_points_is_averaged():
    x = np.linspace(0, 1, 2001)
    noise = Slopes(x)(1e-3 * RNG.standard_normal(len(x)))
    # A line through N points of step h has a slope of deviation σ √12 / (h √(N (N² - 1))).
    N = 21
    # The deviation of about 100 independent slopes is known to 7 %.
    assert np.std(noise) == pytest.approx(np.sqrt(12 / (N * (N**2 - 1))) * 1e-3 / x[1], rel=0.2)


def test_a_window_of_very_many_points_takes_some_of_them():
    x = np.linspace(0, 1, 40_001)
    lines = Slopes(x)
    # A window of 401 points takes every seventh, so that its middle may be three points off: 3/40000 of the slope.
    np.testing.assert_allclose(lines(np.exp(x))[1000:-1000], np.exp(x)[1000:-1000], rtol=8e-5)
    assert lines._lines.nnz <= MOST * len(x)


def test_the_operation_is_linear_so_that_slopes_of_derivatives_are_derivatives_of_slopes():
    columns = RNG.standard_normal((400, 3))
    lines = Slopes(UNEVEN)
    np.testing.assert_allclose(lines(columns) @ [1, -2, 0.5], lines(columns @ [1, -2, 0.5]), atol=1e-9)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lines))(columns), lines(columns))


def test_differential_capacity_is_the_inverse():
    np.testing.assert_array_equal(differential_capacity(np.array([-0.5, 0.0])), [-2, np.inf])

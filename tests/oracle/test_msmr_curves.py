"""MSMR electrodes in numbers: closed forms, their inverse, derivatives; how widely slopes are looked at."""

from dataclasses import replace

import numpy as np
import pytest

from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.differential import Slopes, quiet_width
from cellwright.physics.msmr import Sites, lithiation, lithiation_slope
from cellwright.physics.msmr_curves import STEEPEST, Population, Potential, inverse

# Graphite of Verbrugge et al. (2017) with a narrow plateau, a wide slope and a gap of nothing between two sites.
SETS = {
    "graphite": Population(
        np.array([0.088, 0.13, 0.14, 0.17, 0.21, 0.36]),
        5 * np.array([0.431294, 0.240722, 0.150451, 0.055165, 0.067202, 0.055165]),
        np.array([0.086, 0.08, 0.72, 2.5, 0.095, 6.0]),
    ),
    "gap": Population(np.array([0.1, 1.4]), np.array([1.0, 2.0]), np.array([0.05, 0.3]), 310.0),
    "one site": Population(np.array([0.2]), np.array([3.0]), np.array([1.5])),
}
LIMITS = (-0.5, 2.0)
each = pytest.mark.parametrize("sites", SETS.values(), ids=SETS)


def held(sites, count=300):
    """Amounts of lithium evenly between what the sites hold at the limits, a hair inside."""
    full, empty = sites.at(np.array(LIMITS)).q
    return np.linspace(empty, full, count + 2)[1:-1]


def moved(sites, name, place, step):
    values = getattr(sites, name).copy()
    values[place] += step
    return replace(sites, **{name: values})


def differences(curve, sites, name, place):
    """Central differences of a curve by one number of the sites."""
    h = 1e-5 * max(abs(float(getattr(sites, name)[place])), 0.1)
    return (curve(moved(sites, name, place, h)) - curve(moved(sites, name, place, -h))) / (2 * h)


@each
def test_capacity_and_slope_are_those_of_the_formulas_for_expressions(sites):
    U = np.linspace(-0.2, 1.6, 200)
    total = sites.Q.sum()
    same = Sites(list(sites.U0), list(sites.Q / total), list(sites.w))
    np.testing.assert_allclose(sites.at(U).q, total * lithiation(U, same, sites.T), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(sites.at(U).slope, total * lithiation_slope(U, same, sites.T), rtol=1e-9, atol=1e-13)


@each
def test_derivatives_by_the_sites_are_those_of_differences(sites):
    U = np.linspace(-0.2, 1.6, 200)
    for name in ("U0", "Q", "w"):
        for place in range(len(sites.Q)):
            for curve, motion in (("q", "q_motion"), ("slope", "slope_motion")):
                told = getattr(getattr(sites.at(U), motion), name)[:, place]
                found = differences(lambda one, curve=curve: getattr(one.at(U), curve), sites, name, place)
                # The differences err by the square of their step over the width of a site.
                np.testing.assert_allclose(told, found, rtol=1e-5, atol=1e-5 * np.abs(found).max())


@each
def test_the_inverse_is_exact(sites):
    q = held(sites)
    U = inverse(sites, q, LIMITS)
    # To rounding of the potential, times the steepest slope.
    np.testing.assert_allclose(sites.at(U).q, q, rtol=0, atol=1e-14 + 4e-16 * np.abs(sites.at(U).slope).max())
    assert (np.diff(U) < 0).all()


def test_the_potential_of_one_site_is_its_logarithm():
    sites = SETS["one site"]
    q = held(sites)
    exact = 0.2 + 1.5 * GAS * sites.T / FARADAY * np.log((3.0 - q) / q)
    np.testing.assert_allclose(Potential.of(sites, q, LIMITS).U, exact, rtol=0, atol=1e-12)


@each
def test_the_potential_moves_as_differences_tell_also_beyond_the_limits(sites):
    total = sites.Q.sum()
    q = np.concatenate([held(sites, 100), [-0.03 * total, 1.02 * total]])
    found = Potential.of(sites, q, LIMITS)
    for name in ("U0", "Q", "w"):
        for place in range(len(sites.Q)):
            told = getattr(found.motion, name)[:, place]
            by = differences(lambda one: Potential.of(one, q, LIMITS).U, sites, name, place)
            # Where the potential jumps through a gap, differences are coarse: those rows are left out.
            smooth = np.abs(found.slope) < 50 / total
            np.testing.assert_allclose(told[smooth], by[smooth], rtol=1e-4, atol=1e-5 * np.abs(by[smooth]).max())
    h = 1e-7 * total
    slopes = (Potential.of(sites, q + h, LIMITS).U - Potential.of(sites, q - h, LIMITS).U) / (2 * h)
    np.testing.assert_allclose(found.slope[smooth], slopes[smooth], rtol=1e-4)


def test_beyond_the_limits_the_potential_goes_on_in_a_straight_line_that_is_not_too_steep():
    sites = SETS["graphite"]
    full, empty = sites.at(np.array(LIMITS)).q
    total = float(sites.Q.sum())
    U = Potential.of(sites, np.array([empty, empty - 0.1 * total, empty - 0.2 * total, full + 0.1 * total]), LIMITS).U
    steepest = STEEPEST / total
    np.testing.assert_allclose(U[:3], [2.0, 2.0 + 0.1 * total * steepest, 2.0 + 0.2 * total * steepest], rtol=1e-12)
    assert U[3] == pytest.approx(LIMITS[0] - 0.1 * total * steepest)


def test_slopes_are_looked_at_more_widely_the_noisier_a_curve_is():
    x = np.linspace(0, 5, 400)
    curve = 1.0 - 0.1 * x - 0.05 * np.tanh(3 * (x - 2))
    rng = np.random.default_rng(0)
    widths = [quiet_width(x, curve + noise * rng.normal(size=len(x))) for noise in (0.0, 5e-4, 2e-3, 1e-1)]
    assert widths[0] == 0.01
    assert widths[-1] == 0.1
    assert widths[0] < widths[1] < widths[2] < widths[3]
    y = curve + 5e-4 * rng.normal(size=len(x))
    error = Slopes(x, widths[1])(y) - Slopes(x, widths[1])(curve)
    # The width is made for a standard error of 5 % of the median slope.
    assert np.std(error[10:-10]) == pytest.approx(0.05 * 0.1, rel=0.35)
